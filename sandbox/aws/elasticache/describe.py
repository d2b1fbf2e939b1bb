"""What AWS shows of what is there: plain mappings in the shapes of botocore's model."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache import endpoint_names
from sandbox.aws.elasticache.catalogue import DISABLED, ENABLED, MAXMEMORY, Version
from sandbox.aws.elasticache.parameters import effective_values, waits_for_reboot
from sandbox.aws.elasticache.state import (
    AVAILABLE,
    CREATING,
    Account,
    Member,
    ParameterGroup,
    ReplicationGroup,
    Snapshot,
    SubnetGroup,
)

CACHE_NODE = "0001"


def on_off(value: bool) -> str:
    return "enabled" if value else "disabled"


def replication_group(group: ReplicationGroup) -> dict[str, Any]:
    pending = {
        "AutomaticFailoverStatus": on_off(group.pending["AutomaticFailoverEnabled"])
        if "AutomaticFailoverEnabled" in group.pending
        else None,
        "AuthTokenStatus": group.token_status or None,
        "TransitEncryptionEnabled": group.pending.get("TransitEncryptionEnabled"),
        "TransitEncryptionMode": group.pending.get("TransitEncryptionMode"),
        "UserGroups": user_groups_under_way(group),
        "ClusterMode": group.pending.get("ClusterMode"),
    }
    shown = {
        "ReplicationGroupId": group.id,
        "Description": group.description,
        "Status": group.status,
        # A pending node type or version has no member here: DescribeCacheClusters shows it.
        "PendingModifiedValues": {k: v for k, v in pending.items() if v is not None},
        "MemberClusters": [member.name for member in group.members],
        "NodeGroups": [node_group(group, shard) for shard in group.shards] if group.is_serving else None,
        "ConfigurationEndpoint": {
            "Address": endpoint_names.configuration(group, bool(group.transit_mode)),
            "Port": group.port,
        }
        if group.is_serving and group.cluster_mode != DISABLED
        else None,
        "SnapshottingClusterId": group.snapshotting_member
        if group.retention and group.cluster_mode != ENABLED
        else None,
        "AutomaticFailover": on_off(group.failover),
        "MultiAZ": on_off(group.multi_az),
        "SnapshotRetentionLimit": group.retention,
        "SnapshotWindow": group.snapshot_window,
        "ClusterEnabled": group.cluster_mode == ENABLED,
        "ClusterMode": group.cluster_mode,
        "CacheNodeType": group.node_type,
        **encryption(group),
        "KmsKeyId": group.kms_key or None,
        "UserGroupIds": group.user_groups or None,
        "StorageEncryptionType": ("sse-kms" if group.kms_key else "sse-elasticache") if group.at_rest else "none",
        "ARN": group.arn,
        "ReplicationGroupCreateTime": group.created,
        "DataTiering": on_off(group.features.data_tiering),
        "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
        "NetworkType": group.features.network_type,
        "IpDiscovery": group.features.ip_discovery,
        "LogDeliveryConfigurations": list(group.features.logs.values()),
        "Engine": group.version.engine,
        "Durability": group.features.durability_asked or None,
        "EffectiveDurability": (group.features.durability or "disabled") if group.features.durability_asked else None,
    }
    return {k: v for k, v in shown.items() if v is not None}


def user_groups_under_way(group: ReplicationGroup) -> dict[str, Any] | None:
    if group.user_groups_wanted is None:
        return None
    return {
        "UserGroupIdsToAdd": [name for name in group.user_groups_wanted if name not in group.user_groups],
        "UserGroupIdsToRemove": [name for name in group.user_groups if name not in group.user_groups_wanted],
    }


def encryption(group: ReplicationGroup) -> dict[str, Any]:
    return {
        "AuthTokenEnabled": bool(group.access.digests),
        "AuthTokenLastModifiedDate": group.token_changed,
        "TransitEncryptionEnabled": bool(group.transit_mode),
        "TransitEncryptionMode": group.transit_mode or None,
        "AtRestEncryptionEnabled": group.at_rest,
    }


def node_group(group: ReplicationGroup, shard: str) -> dict[str, Any]:
    """One shard. In cluster mode enabled it has slots, and nobody tells who is its primary."""
    tls, is_clustered = bool(group.transit_mode), group.cluster_mode == ENABLED
    ways_in = {
        "PrimaryEndpoint": {"Address": endpoint_names.primary(group, tls), "Port": group.port},
        "ReaderEndpoint": {"Address": endpoint_names.reader(group, tls), "Port": group.port},
    }
    return {
        "NodeGroupId": shard,
        "Status": group.status,
        **({"Slots": group.slots.get(shard, "")} if is_clustered else ways_in),
        "NodeGroupMembers": [_member(group, m, tls, is_clustered) for m in group.members if m.shard == shard],
    }


def _member(group: ReplicationGroup, member: Member, tls: bool, is_clustered: bool) -> dict[str, Any]:
    role = {
        "ReadEndpoint": {"Address": endpoint_names.node(group, member.name, tls), "Port": group.port},
        "CurrentRole": "primary" if member.name == group.primaries.get(member.shard) else "replica",
    }
    return {
        "CacheClusterId": member.name,
        "CacheNodeId": CACHE_NODE,
        "PreferredAvailabilityZone": member.zone,
        **({} if is_clustered else role),
    }


def cache_cluster(account: Account, group: ReplicationGroup, member: Member, with_nodes: bool) -> dict[str, Any]:
    status = group.status if member.engine is not None or not group.is_serving else CREATING
    pending = {k: group.pending[k] for k in ("CacheNodeType", "EngineVersion") if k in group.pending}
    shown = {
        "CacheClusterId": member.name,
        "CacheNodeType": group.node_type,
        "Engine": group.version.engine,
        "EngineVersion": group.version.full,
        "CacheClusterStatus": status,
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": member.zone,
        "CacheClusterCreateTime": member.created,
        "PreferredMaintenanceWindow": group.maintenance_window,
        "PendingModifiedValues": pending,
        "CacheSecurityGroups": [],
        "CacheParameterGroup": parameter_group_status(account, group, member),
        "CacheSubnetGroupName": group.subnet_group,
        "CacheNodes": [cache_node(group, member, status)] if with_nodes and group.is_serving else None,
        "AutoMinorVersionUpgrade": group.auto_minor_version_upgrade,
        "SecurityGroups": [{"SecurityGroupId": name, "Status": "active"} for name in group.security_groups],
        "ReplicationGroupId": group.id,
        "SnapshotRetentionLimit": group.retention if member.name == group.snapshotting_member else 0,
        "SnapshotWindow": group.snapshot_window,
        **encryption(group),
        "ARN": member.arn,
        "ReplicationGroupLogDeliveryEnabled": bool(group.features.logs),
        "LogDeliveryConfigurations": list(group.features.logs.values()),
        "NotificationConfiguration": {
            "TopicArn": group.features.topic,
            "TopicStatus": group.features.topic_status,
        }
        if group.features.topic
        else None,
        "NetworkType": group.features.network_type,
        "IpDiscovery": group.features.ip_discovery,
    }
    return {k: v for k, v in shown.items() if v is not None}


def cache_node(group: ReplicationGroup, member: Member, status: str) -> dict[str, Any]:
    return {
        "CacheNodeId": CACHE_NODE,
        "CacheNodeStatus": status,
        "CacheNodeCreateTime": member.created,
        "Endpoint": {"Address": endpoint_names.node(group, member.name, bool(group.transit_mode)), "Port": group.port},
        "ParameterGroupStatus": "in-sync",
        "CustomerAvailabilityZone": member.zone,
    }


def parameter_group_status(account: Account, group: ReplicationGroup, member: Member) -> dict[str, Any]:
    wanted = effective_values(account.parameter_group(group.parameter_group))
    waits = bool(member.applied) and waits_for_reboot(member.applied, wanted)
    return {
        "CacheParameterGroupName": group.parameter_group,
        "ParameterApplyStatus": "pending-reboot" if waits else "in-sync",
        "CacheNodeIdsToReboot": [CACHE_NODE] if waits else [],
    }


def subnet_group(group: SubnetGroup) -> dict[str, Any]:
    return {
        "CacheSubnetGroupName": group.name,
        "CacheSubnetGroupDescription": group.description,
        "VpcId": group.vpc,
        "Subnets": [
            {
                "SubnetIdentifier": name,
                "SubnetAvailabilityZone": {"Name": zone},
                "SupportedNetworkTypes": ["ipv4"],
            }
            for name, zone in group.subnets.items()
        ],
        "ARN": group.arn,
        "SupportedNetworkTypes": ["ipv4"],
    }


def parameter_group(group: ParameterGroup) -> dict[str, Any]:
    return {
        "CacheParameterGroupName": group.name,
        "CacheParameterGroupFamily": group.family,
        "Description": group.description,
        "IsGlobal": False,
        "ARN": group.arn,
    }


def engine_version(version: Version) -> dict[str, Any]:
    name = version.engine.capitalize()
    return {
        "Engine": version.engine,
        "EngineVersion": version.label,
        "CacheParameterGroupFamily": version.family,
        "CacheEngineDescription": name,
        "CacheEngineVersionDescription": f"{name.lower()} version {version.full}",
    }


def snapshot(found: Snapshot, with_shards: bool = False) -> dict[str, Any]:
    return {
        "SnapshotName": found.name,
        "SnapshotStatus": found.status,
        "SnapshotSource": found.source,
        "Engine": found.version.engine,
        "EngineVersion": found.version.full,
        "ARN": found.arn,
        "NodeSnapshots": [_node_snapshot(found, shard, with_shards) for shard in found.files],
        **found.of,
    }


def _node_snapshot(found: Snapshot, shard: str, with_shard: bool) -> dict[str, Any]:
    file, zones = found.files[shard], found.zones.get(shard, [])
    configuration = {
        "NodeGroupId": shard,
        "Slots": found.slots.get(shard),
        "ReplicaCount": len(zones) - 1,
        "PrimaryAvailabilityZone": zones[0] if zones else None,
        "ReplicaAvailabilityZones": zones[1:],
    }
    shown = {
        "CacheNodeId": CACHE_NODE,
        "NodeGroupId": shard,
        "CacheSize": f"{max(1, file.stat().st_size >> 20)} MB" if file.exists() else None,
        "CacheNodeCreateTime": found.created,
        "SnapshotCreateTime": found.created if found.status == AVAILABLE else None,
        "NodeGroupConfiguration": {k: v for k, v in configuration.items() if v is not None} if with_shard else None,
    }
    return {k: v for k, v in shown.items() if v is not None}


def node_type_values() -> list[dict[str, Any]]:
    """The parameters whose values come from the node type."""
    return [
        {
            "ParameterName": "maxmemory",
            "Description": "The maximum number of bytes available to the node.",
            "Source": "system",
            "DataType": "integer",
            "AllowedValues": "0-",
            "IsModifiable": False,
            "ChangeType": "immediate",
            "CacheNodeTypeSpecificValues": [
                {"CacheNodeType": node_type, "Value": str(value)} for node_type, value in MAXMEMORY.items()
            ],
        }
    ]
