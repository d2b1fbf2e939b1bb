# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Making a cache cluster that is not there: the one call, and what comes of it. Pure."""

from __future__ import annotations

from dataclasses import fields

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery, ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster import rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import (
    MULTIPLE,
    CacheCluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import (
    CROSS,
    SINGLE,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    MEMCACHED,
    PORTS,
)

_CREATED_WITH = {
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "az_mode": "AZMode",
    "preferred_availability_zone": "PreferredAvailabilityZone",
    "preferred_availability_zones": "PreferredAvailabilityZones",
    "cache_subnet_group_name": "CacheSubnetGroupName",
    "security_group_ids": "SecurityGroupIds",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "port": "Port",
    "transit_encryption_enabled": "TransitEncryptionEnabled",
    "network_type": "NetworkType",
    "ip_discovery": "IpDiscovery",
    "notification_topic_arn": "NotificationTopicArn",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "snapshot_name": "SnapshotName",
    "snapshot_arns": "SnapshotArns",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
}


def plan_creation(desired: Desired) -> Plan:
    """Raises PlanRefused."""
    engine = desired.engine or MEMCACHED
    rules.check_creation(desired, engine)
    nodes = desired.num_cache_nodes or 1
    stated = {name: getattr(desired, name) for name in _CREATED_WITH if getattr(desired, name) is not None}
    if not desired.security_group_ids:
        stated.pop("security_group_ids", None)
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in stated.items()}
    tags = _tags(desired)
    parameters = {
        "CacheClusterId": desired.cache_cluster_id,
        "Engine": engine,
        "NumCacheNodes": nodes,
        **{_CREATED_WITH[name]: value for name, value in values.items()},
        **_zones(desired, nodes),
        "Tags": ownership.as_tag_list(tags),
    }
    if desired.log_delivery_configurations:
        parameters["LogDeliveryConfigurations"] = log_delivery.changes((), desired.log_delivery_configurations)
    after = {"cache_cluster_id": desired.cache_cluster_id, "engine": engine, "num_cache_nodes": nodes, **values}
    step = Step("CreateCacheCluster", parameters, f"there is no cache cluster {desired.cache_cluster_id}")
    return Plan(steps=(step,), before={}, after={**after, "tags": tags})


def _zones(desired: Desired, nodes: int) -> dict[str, str]:
    """Zones in several need the mode that says so, and one for all is AWS's default."""
    if desired.az_mode is None and nodes > 1 and len(set(desired.preferred_availability_zones or ())) > 1:
        return {"AZMode": CROSS}
    return {}


def created(desired: Desired) -> CacheCluster:
    """The cluster that comes of it, as far as it is known beforehand."""
    names = {item.name for item in fields(CacheCluster)} - {"tags"}
    stated = {
        item.name: getattr(desired, item.name)
        for item in fields(desired)
        if item.name in names and getattr(desired, item.name) is not None
    }
    engine = desired.engine or MEMCACHED
    zones = desired.preferred_availability_zones or ()
    mode = desired.az_mode or (CROSS if len(set(zones)) > 1 else SINGLE)
    return CacheCluster(
        **{
            "port": PORTS[engine],
            "databases": 1,
            "preferred_availability_zone": MULTIPLE if mode == CROSS else zones[0] if zones else "",
            "notification_topic_status": "active" if desired.notification_topic_arn else "",
            **stated,
            "engine": engine,
            "az_mode": mode,
            "status": "creating",
            "num_cache_nodes": desired.num_cache_nodes or 1,
            "tags": _tags(desired),
        }
    )


def _tags(desired: Desired) -> dict[str, str]:
    return {**ownership.with_owner(desired.tags, desired.migration_name), **desired.origin}
