# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A replication group, shaped of what AWS answers. Pure."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    COMPATIBLE,
    DEFAULT_DATABASES,
    DEFAULT_PORT,
    DISABLED,
    ENABLED,
    Member,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import (
    Shard,
    in_order,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    engine_of,
    version_numbers,
)


def shape(
    group: Mapping[str, Any],
    clusters: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str] | None = None,
    databases: int = DEFAULT_DATABASES,
) -> ReplicationGroup:
    """Of DescribeReplicationGroups, DescribeCacheClusters (its members, in any order) and ListTagsForResource.

    ``databases`` is what its parameter group says.
    """
    ordered = sorted(clusters, key=lambda cluster: str(cluster.get("CacheClusterId", "")))
    first: Mapping[str, Any] = ordered[0] if ordered else {}
    node_groups = group.get("NodeGroups") or []
    mode = _cluster_mode(group)
    address = _endpoint(group, node_groups, mode)
    reader = (node_groups[0] if node_groups else {}).get("ReaderEndpoint") or {}
    topic = first.get("NotificationConfiguration") or {}
    logs = group.get("LogDeliveryConfigurations")
    of_regions = group.get("GlobalReplicationGroupInfo") or {}
    return ReplicationGroup(
        replication_group_id=group["ReplicationGroupId"],
        status=str(group.get("Status", "")).lower(),
        arn=group.get("ARN", ""),
        replication_group_description=group.get("Description", ""),
        engine=str(group.get("Engine") or first.get("Engine") or "redis").lower(),
        engine_version=_lowest_version(ordered),
        cache_node_type=group.get("CacheNodeType") or first.get("CacheNodeType", ""),
        cluster_mode=mode,
        shards=_shards(group, node_groups),
        automatic_failover_enabled=str(group.get("AutomaticFailover", "")).lower() in ("enabled", "enabling"),
        multi_az_enabled=_is_on(group.get("MultiAZ")),
        cache_subnet_group_name=first.get("CacheSubnetGroupName", ""),
        security_group_ids=_security_groups(first),
        cache_parameter_group_name=(first.get("CacheParameterGroup") or {}).get("CacheParameterGroupName", ""),
        port=int(address.get("Port") or DEFAULT_PORT),
        network_type=str(group.get("NetworkType") or "ipv4").lower(),
        ip_discovery=str(group.get("IpDiscovery") or "ipv4").lower(),
        transit_encryption_enabled=bool(group.get("TransitEncryptionEnabled")),
        transit_encryption_mode=_transit_mode(group),
        at_rest_encryption_enabled=bool(group.get("AtRestEncryptionEnabled")),
        global_datastore=str(of_regions.get("GlobalReplicationGroupId") or ""),
        global_role=str(of_regions.get("GlobalReplicationGroupMemberRole") or "").lower(),
        storage_encryption_type=str(group.get("StorageEncryptionType") or "").lower(),
        kms_key_id=group.get("KmsKeyId") or "",
        auth_token_enabled=bool(group.get("AuthTokenEnabled")),
        user_group_ids=tuple(sorted(group.get("UserGroupIds") or ())),
        data_tiering_enabled=_is_on(group.get("DataTiering")),
        durability=_durability(group),
        snapshot_retention_limit=int(group.get("SnapshotRetentionLimit") or 0),
        snapshot_window=str(group.get("SnapshotWindow") or "").lower(),
        preferred_maintenance_window=str(first.get("PreferredMaintenanceWindow") or "").lower(),
        auto_minor_version_upgrade=bool(
            group.get("AutoMinorVersionUpgrade", first.get("AutoMinorVersionUpgrade", True))
        ),
        notification_topic_arn=str(topic.get("TopicArn") or ""),
        notification_topic_status=str(topic.get("TopicStatus") or "").lower(),
        log_delivery_configurations=log_delivery.shape(logs),
        log_failures=tuple(log_delivery.failures(logs)),
        address=address.get("Address", ""),
        reader_address=reader.get("Address", ""),
        reader_port=int(reader.get("Port") or 0),
        members=_members(node_groups, ordered),
        unready=_unready(node_groups, ordered),
        pending=_pending(group, ordered),
        tags=tags,
        databases=databases,
    )


def _is_on(word: Any) -> bool:
    return str(word or "").lower() == "enabled"


def _cluster_mode(group: Mapping[str, Any]) -> str:
    """Groups of before there was a mode tell only whether it is enabled."""
    mode = str(group.get("ClusterMode") or "").lower()
    if mode in (DISABLED, COMPATIBLE, ENABLED):
        return mode
    return ENABLED if group.get("ClusterEnabled") else DISABLED


def _durability(group: Mapping[str, Any]) -> str:
    told = str(group.get("EffectiveDurability") or group.get("Durability") or "disabled").lower()
    return "disabled" if told == "default" else told


def _endpoint(group: Mapping[str, Any], node_groups: Sequence[Mapping[str, Any]], mode: str) -> Mapping[str, Any]:
    primary = (node_groups[0] if node_groups else {}).get("PrimaryEndpoint")
    configuration = group.get("ConfigurationEndpoint")
    found = configuration if mode == ENABLED else primary or configuration
    return dict(found or {})


def _shards(group: Mapping[str, Any], node_groups: Sequence[Mapping[str, Any]]) -> tuple[Shard, ...]:
    if node_groups:
        return in_order(_shard(item) for item in node_groups)
    # While a group is being made, the names of its members alone tell: <id>-001, or <id>-0001-001.
    prefix = len(str(group["ReplicationGroupId"])) + 1
    found: dict[str, int] = {}
    for name in group.get("MemberClusters") or ():
        names = re.fullmatch(r"(\w+)-\d+", name[prefix:])
        found[names.group(1) if names else "0001"] = found.get(names.group(1) if names else "0001", 0) + 1
    return in_order(Shard(name, "", count - 1) for name, count in (found or {"0001": 1}).items())


def _shard(node_group: Mapping[str, Any]) -> Shard:
    members = node_group.get("NodeGroupMembers") or ()
    zones = tuple(str(item.get("PreferredAvailabilityZone") or "") for item in members)
    return Shard(
        node_group_id=str(node_group.get("NodeGroupId") or ""),
        slots=str(node_group.get("Slots") or ""),
        replica_count=max(len(members) - 1, 0),
        zones=zones if all(zones) else (),
        replicas=tuple(
            (item["CacheClusterId"], str(item.get("PreferredAvailabilityZone") or ""))
            for item in members
            if str(item.get("CurrentRole", "")).lower() == "replica"
        ),
    )


def _lowest_version(clusters: Sequence[Mapping[str, Any]]) -> str:
    """While an upgrade runs its members differ; it has happened when the last one has it."""
    versions = [str(cluster["EngineVersion"]) for cluster in clusters if cluster.get("EngineVersion")]
    return min(versions, key=version_numbers, default="")


def _security_groups(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        sorted(
            item["SecurityGroupId"]
            for item in cluster.get("SecurityGroups") or ()
            if str(item.get("Status", "")).lower() != "removing"
        )
    )


def _transit_mode(group: Mapping[str, Any]) -> str:
    if not group.get("TransitEncryptionEnabled"):
        return ""
    # Groups made before the mode existed tell none, and speak TLS only.
    return str(group.get("TransitEncryptionMode") or "required").lower()


def _members(node_groups: Sequence[Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]]) -> tuple[Member, ...]:
    told = {cluster.get("CacheClusterId"): cluster for cluster in clusters}
    return tuple(
        _member(item, told.get(item["CacheClusterId"], {}), str(node_group.get("NodeGroupId") or ""))
        for node_group in node_groups
        for item in node_group.get("NodeGroupMembers") or ()
    )


def _member(item: Mapping[str, Any], cluster: Mapping[str, Any], node_group_id: str) -> Member:
    """Where cluster mode is enabled, a node's endpoint is with the node alone."""
    node: Mapping[str, Any] = next(iter(cluster.get("CacheNodes") or ()), {})
    endpoint = item.get("ReadEndpoint") or node.get("Endpoint") or {}
    return Member(
        cache_cluster_id=item["CacheClusterId"],
        status=str(cluster.get("CacheClusterStatus", "")).lower(),
        role=str(item.get("CurrentRole", "")).lower(),
        availability_zone=item.get("PreferredAvailabilityZone", ""),
        address=endpoint.get("Address", ""),
        port=int(endpoint.get("Port") or 0),
        node_group_id=node_group_id,
    )


def _unready(node_groups: Sequence[Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    parts = [(item.get("NodeGroupId", ""), item.get("Status")) for item in node_groups]
    parts += [(item.get("CacheClusterId", ""), item.get("CacheClusterStatus")) for item in clusters]
    return tuple(f"{name} {status.lower()}" for name, status in parts if status and status.lower() != "available")


# --- what AWS has queued, or is about ---


def _pending(group: Mapping[str, Any], clusters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By option. A queued node type or version shows only at the members."""
    return {**_pending_of_members(group, clusters), **_pending_of_group(group.get("PendingModifiedValues") or {})}


def _pending_of_members(group: Mapping[str, Any], clusters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for cluster in clusters:
        queued = cluster.get("PendingModifiedValues") or {}
        if queued.get("CacheNodeType"):
            found["cache_node_type"] = queued["CacheNodeType"]
        if queued.get("EngineVersion"):
            found["engine_version"] = queued["EngineVersion"]
            if engine_of(queued["EngineVersion"]) != str(group.get("Engine") or cluster.get("Engine")).lower():
                found["engine"] = engine_of(queued["EngineVersion"])  # AWS shows the version alone
        if (cluster.get("CacheParameterGroup") or {}).get("ParameterApplyStatus") == "pending-reboot":
            found["parameters"] = "pending-reboot"
    return found


def _pending_of_group(queued: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if queued.get("AutomaticFailoverStatus"):
        found["automatic_failover_enabled"] = _is_on(queued["AutomaticFailoverStatus"])
    if "TransitEncryptionEnabled" in queued:
        found["transit_encryption_enabled"] = bool(queued["TransitEncryptionEnabled"])
    for member, option in _WORDS.items():
        if queued.get(member):
            found[option] = str(queued[member]).lower()
    users = queued.get("UserGroups") or {}
    if users.get("UserGroupIdsToAdd") or users.get("UserGroupIdsToRemove"):
        found["user_group_ids"] = {
            "add": sorted(users.get("UserGroupIdsToAdd") or ()),
            "remove": sorted(users.get("UserGroupIdsToRemove") or ()),
        }
    if queued.get("LogDeliveryConfigurations"):
        deliveries = log_delivery.shape(queued["LogDeliveryConfigurations"])
        found["log_delivery_configurations"] = [delivery.as_option() for delivery in deliveries]
    moved = ((queued.get("Resharding") or {}).get("SlotMigration") or {}).get("ProgressPercentage")
    if moved is not None:
        found["resharding"] = f"{float(moved):.0f} % of the slots moved"
    return found


_WORDS = {
    "TransitEncryptionMode": "transit_encryption_mode",
    "AuthTokenStatus": "auth_token",
    "ClusterMode": "cluster_mode",
}
