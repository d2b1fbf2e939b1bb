# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Making a replication group that is not there: the one call, and what comes of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import mode, rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    COMPATIBLE,
    DEFAULT_DATABASES,
    DISABLED,
    ENABLED,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    family_of,
    is_before,
    label,
    version_numbers,
)

# Options that CreateReplicationGroup takes as they are, by their names in the API.
_CREATED_WITH = {
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "cluster_mode": "ClusterMode",
    "automatic_failover_enabled": "AutomaticFailoverEnabled",
    "multi_az_enabled": "MultiAZEnabled",
    "cache_subnet_group_name": "CacheSubnetGroupName",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "port": "Port",
    "network_type": "NetworkType",
    "ip_discovery": "IpDiscovery",
    "transit_encryption_enabled": "TransitEncryptionEnabled",
    "transit_encryption_mode": "TransitEncryptionMode",
    "at_rest_encryption_enabled": "AtRestEncryptionEnabled",
    "kms_key_id": "KmsKeyId",
    "auth_token": "AuthToken",
    "data_tiering_enabled": "DataTieringEnabled",
    "durability": "Durability",
    "snapshot_name": "SnapshotName",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "notification_topic_arn": "NotificationTopicArn",
}

_LISTED = {
    "security_group_ids": "SecurityGroupIds",
    "user_group_ids": "UserGroupIds",
    "preferred_cache_cluster_azs": "PreferredCacheClusterAZs",
    "snapshot_arns": "SnapshotArns",
}

# The mode has an option of its own from here on; before, the parameter group alone enables it.
_MODE_FROM = (7, 0)


@dataclass(frozen=True)
class Snapshot:
    """What a group is restored from, as AWS tells it."""

    name: str
    status: str
    engine: str
    engine_version: str
    cache_node_type: str = ""
    num_node_groups: int = 1

    @property
    def is_ready(self) -> bool:
        return self.status == "available"


def restored(desired: Desired, snapshot: Snapshot | None) -> Desired:
    """With what the snapshot decides where nothing is stated: engine, version, node type, shards. PlanRefused."""
    name = desired.snapshot_name
    if name is None:
        return desired
    if snapshot is None:
        raise PlanRefused(
            f"There is no snapshot {name} to restore {desired.replication_group_id} from: change snapshot_name "
            "(elasticache_snapshot_info tells which there are)",
            "snapshot_name",
        )
    if not snapshot.is_ready:
        raise PlanRefused(
            f"The snapshot {name} is {snapshot.status}, and {desired.replication_group_id} can be restored from it "
            "once it is available: run this again then, or change snapshot_name",
            "snapshot_name",
        )
    engine, version = desired.engine or snapshot.engine, desired.engine_version or label(snapshot.engine_version)
    numbers = version_numbers(version)
    if numbers < version_numbers(snapshot.engine_version)[: len(numbers)]:
        raise PlanRefused(
            f"The snapshot {name} is of {snapshot.engine} {snapshot.engine_version}, which {engine} {version} does not "
            "read: state an engine_version that is not below it",
            "engine_version",
        )
    shards = desired.layout.shards
    if snapshot.num_node_groups > 1 and (
        desired.num_cache_clusters is not None or desired.cluster_mode in (DISABLED, COMPATIBLE)
    ):
        raise PlanRefused(
            f"The snapshot {name} has {snapshot.num_node_groups} shards, which a group without cluster mode does not "
            "hold: state num_node_groups and replicas_per_node_group",
            "num_node_groups",
        )
    return replace(
        desired,
        engine=engine,
        engine_version=version,
        cache_node_type=desired.cache_node_type or snapshot.cache_node_type or None,
        num_node_groups=snapshot.num_node_groups
        if shards is None and snapshot.num_node_groups > 1
        else desired.num_node_groups,
    )


def plan_creation(desired: Desired) -> Plan:
    desired = _completed(desired)
    rules.check_creation(desired)
    after = created(desired)
    rules.check_result(after)
    rules.check_stated_result(after, vars(desired))
    parameters = _parameters(desired)
    shown = {name: getattr(desired, name) for name in _CREATED_WITH if getattr(desired, name) is not None}
    listed = {name: list(getattr(desired, name)) for name in _LISTED if getattr(desired, name)}
    if desired.log_delivery_configurations:
        listed["log_delivery_configurations"] = [item.as_option() for item in desired.log_delivery_configurations]
    options = {
        "replication_group_id": desired.replication_group_id,
        "replication_group_description": parameters["ReplicationGroupDescription"],
        **_nodes_shown(desired),
        **shown,
        **listed,
        "tags": after.tags,
    }
    step = Step("CreateReplicationGroup", parameters, f"there is no replication group {desired.replication_group_id}")
    return Plan(steps=(step,), before={}, after=options)


def _parameters(desired: Desired) -> dict[str, Any]:
    parameters = {
        "ReplicationGroupId": desired.replication_group_id,
        "ReplicationGroupDescription": _description(desired),
        **_node_parameters(desired),
        **{
            api_name: getattr(desired, option)
            for option, api_name in _CREATED_WITH.items()
            if getattr(desired, option) is not None  # false is sent: left out, some engines take true for it
        },
        **{
            api_name: list(getattr(desired, option)) for option, api_name in _LISTED.items() if getattr(desired, option)
        },
        "Tags": ownership.as_tag_list(_tags(desired)),
    }
    if desired.log_delivery_configurations:
        parameters["LogDeliveryConfigurations"] = [item.as_api() for item in desired.log_delivery_configurations]
    return parameters


def _node_parameters(desired: Desired) -> dict[str, Any]:
    """AWS takes the nodes of one shard, or shards with replicas, not both."""
    layout = desired.layout
    is_of_shards = (
        desired.num_node_groups is not None
        or desired.replicas_per_node_group is not None
        or layout.configuration
        or desired.new_cluster_mode == ENABLED
    )
    if not is_of_shards:
        return {"NumCacheClusters": desired.num_cache_clusters or 1}
    parameters: dict[str, Any] = {"NumNodeGroups": layout.shards or 1}
    if layout.configuration:
        parameters["NodeGroupConfiguration"] = [item.as_api(layout.replicas) for item in layout.configuration]
    if layout.replicas is not None or not layout.configuration:
        parameters["ReplicasPerNodeGroup"] = layout.replicas or 0  # zero too: AWS would take one
    return parameters


def _nodes_shown(desired: Desired) -> dict[str, Any]:
    parameters = _node_parameters(desired)
    shown = {
        "num_cache_clusters": parameters.get("NumCacheClusters"),
        "num_node_groups": parameters.get("NumNodeGroups"),
        "replicas_per_node_group": parameters.get("ReplicasPerNodeGroup"),
        "node_group_configuration": [shard.as_option() for shard in desired.layout.of_new()]
        if desired.node_group_configuration
        else None,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _description(desired: Desired) -> str:
    return desired.replication_group_description or f"Cache of {desired.migration_name}"


def _tags(desired: Desired) -> dict[str, str]:
    return {**ownership.with_owner(desired.tags, desired.migration_name), **desired.origin}


def _completed(desired: Desired) -> Desired:
    """With what follows from what is stated: the engine, and what AWS has cluster mode with alone."""
    desired = replace(desired, engine=desired.engine or REDIS)
    is_old = is_before(desired.engine_version or "", _MODE_FROM)
    knows_no_mode = is_old and desired.cluster_mode != COMPATIBLE
    if desired.new_cluster_mode == ENABLED:
        by_default = f"default.{family_of(desired.engine or REDIS, desired.engine_version or '')}.cluster.on"
        group = desired.cache_parameter_group_name or (by_default if knows_no_mode else None)
        desired = replace(desired, automatic_failover_enabled=True, cache_parameter_group_name=group)
    return replace(desired, cluster_mode=None) if knows_no_mode else desired


def created(desired: Desired) -> ReplicationGroup:
    desired = _completed(desired)
    names = {item.name for item in fields(ReplicationGroup)}
    stated = {
        item.name: getattr(desired, item.name)
        for item in fields(desired)
        if item.name in names and getattr(desired, item.name) is not None
    }
    tls = bool(desired.transit_encryption_enabled)
    cluster_mode = desired.new_cluster_mode
    group = desired.cache_parameter_group_name or ""
    return ReplicationGroup(
        **{
            "at_rest_encryption_enabled": rules.encrypts_at_rest(desired),
            "ip_discovery": "ipv6" if desired.network_type == "ipv6" else "ipv4",
            **stated,
            "status": "creating",
            "notification_topic_status": "active" if desired.notification_topic_arn else "",
            "shards": desired.layout.of_new(),
            "cluster_mode": cluster_mode,
            "cache_parameter_group_name": mode.parameter_group_after(group, cluster_mode),
            "databases": DEFAULT_DATABASES if cluster_mode == DISABLED else 1,
            "replication_group_description": _description(desired),
            "transit_encryption_mode": (desired.transit_encryption_mode or "required") if tls else "",
            "auth_token_enabled": desired.auth_token is not None,
            "tags": _tags(desired),
        }
    )
