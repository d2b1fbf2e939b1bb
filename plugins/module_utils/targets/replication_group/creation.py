# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Making a replication group that is not there: the one call, and what comes of it. Pure."""

from __future__ import annotations

from dataclasses import fields, replace

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import REDIS

# Options that CreateReplicationGroup takes as they are, by their names in the API.
_CREATED_WITH = {
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "automatic_failover_enabled": "AutomaticFailoverEnabled",
    "multi_az_enabled": "MultiAZEnabled",
    "cache_subnet_group_name": "CacheSubnetGroupName",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "port": "Port",
    "transit_encryption_enabled": "TransitEncryptionEnabled",
    "transit_encryption_mode": "TransitEncryptionMode",
    "at_rest_encryption_enabled": "AtRestEncryptionEnabled",
    "kms_key_id": "KmsKeyId",
    "auth_token": "AuthToken",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
}


def plan_creation(desired: Desired) -> Plan:
    desired = _with_engine(desired)
    rules.check_creation(desired)
    parameters = {
        "ReplicationGroupId": desired.replication_group_id,
        "ReplicationGroupDescription": _description(desired),
        "NumCacheClusters": desired.num_cache_clusters or 1,
        **{
            api_name: getattr(desired, option)
            for option, api_name in _CREATED_WITH.items()
            if getattr(desired, option) is not None  # false is sent: left out, some engines take true for it
        },
        **({"SecurityGroupIds": list(desired.security_group_ids)} if desired.security_group_ids else {}),
        "Tags": ownership.as_tag_list(ownership.with_owner(desired.tags, desired.migration_name)),
    }
    if desired.preferred_cache_cluster_azs:
        parameters["PreferredCacheClusterAZs"] = list(desired.preferred_cache_cluster_azs)
    stated = {name: getattr(desired, name) for name in _CREATED_WITH if getattr(desired, name) is not None}
    after = {
        "replication_group_id": desired.replication_group_id,
        "replication_group_description": parameters["ReplicationGroupDescription"],
        "num_cache_clusters": parameters["NumCacheClusters"],
        **stated,
        **{
            name: list(getattr(desired, name))
            for name in ("security_group_ids", "preferred_cache_cluster_azs")
            if getattr(desired, name)
        },
        "tags": ownership.with_owner(desired.tags, desired.migration_name),
    }
    step = Step("CreateReplicationGroup", parameters, f"there is no replication group {desired.replication_group_id}")
    return Plan(steps=(step,), before={}, after=after)


def _description(desired: Desired) -> str:
    return desired.replication_group_description or f"Cache of {desired.migration_name}"


def _with_engine(desired: Desired) -> Desired:
    return replace(desired, engine=desired.engine or REDIS)


def created(desired: Desired) -> ReplicationGroup:
    desired = _with_engine(desired)
    names = {item.name for item in fields(ReplicationGroup)}
    stated = {
        item.name: getattr(desired, item.name)
        for item in fields(desired)
        if item.name in names and getattr(desired, item.name) is not None
    }
    tls = bool(desired.transit_encryption_enabled)
    return ReplicationGroup(
        **{
            "at_rest_encryption_enabled": rules.encrypts_at_rest(desired),
            **stated,
            "status": "creating",
            "num_cache_clusters": desired.num_cache_clusters or 1,
            "replication_group_description": _description(desired),
            "transit_encryption_mode": (desired.transit_encryption_mode or "required") if tls else "",
            "auth_token_enabled": desired.auth_token is not None,
            "tags": ownership.with_owner(desired.tags, desired.migration_name),
        }
    )
