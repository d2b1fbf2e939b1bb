# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A replication group as it is: shaped from what AWS answers. Pure.

Its fields are named as the options of elasticache_cluster, so that current and desired compare by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, Node, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    engine_of,
    version_numbers,
)

DEFAULT_PORT = 6379
DEFAULT_DATABASES = 16  # of every redis family's parameter "databases"

# What AWS queues for the maintenance window under apply_immediately false, and shows; the rest of a modify call acts at
# once. Shown nowhere are Multi-AZ, which is queued with failover, and a parameter group, which is with its version.
QUEUED_OPTIONS = ("engine", "engine_version", "cache_node_type", "automatic_failover_enabled")


@dataclass(frozen=True)
class Member:
    """One node of the group."""

    cache_cluster_id: str
    status: str = ""
    role: str = ""
    availability_zone: str = ""
    address: str = ""
    port: int = 0


@dataclass(frozen=True)
class ReplicationGroup:
    replication_group_id: str
    status: str
    arn: str = ""
    replication_group_description: str = ""
    engine: str = "redis"
    engine_version: str = ""
    cache_node_type: str = ""
    num_cache_clusters: int = 0
    automatic_failover_enabled: bool = False
    multi_az_enabled: bool = False
    cache_subnet_group_name: str = ""
    security_group_ids: tuple[str, ...] = ()
    cache_parameter_group_name: str = ""
    port: int = DEFAULT_PORT
    transit_encryption_enabled: bool = False
    transit_encryption_mode: str = ""
    at_rest_encryption_enabled: bool = False
    storage_encryption_type: str = ""
    kms_key_id: str = ""
    auth_token_enabled: bool = False
    user_group_ids: tuple[str, ...] = ()
    snapshot_retention_limit: int = 0
    snapshot_window: str = ""
    preferred_maintenance_window: str = ""
    cluster_enabled: bool = False
    address: str = ""
    reader_address: str = ""
    reader_port: int = 0
    members: tuple[Member, ...] = ()
    unready: tuple[str, ...] = ()
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    databases: int = DEFAULT_DATABASES
    allowed_node_types: tuple[str, ...] | None = None

    @property
    def is_ready(self) -> bool:
        """AWS takes changes only while the group is available, and all that is of it. Unknown statuses are not ready.

        The tags of a group that is being made cannot be read ("is either not present or not available").
        """
        return self.status == "available" and not self.unready and self.tags is not None and bool(self.address)

    @property
    def is_going(self) -> bool:
        return self.status == "deleting"

    @property
    def has_failed(self) -> bool:
        return self.status == "create-failed" or any(part.endswith("incompatible-network") for part in self.unready)

    @property
    def is_encrypted_at_rest(self) -> bool:
        """Storage may be encrypted although the flag says false: the type is the truth where it is given."""
        return self.at_rest_encryption_enabled or self.storage_encryption_type not in ("", "none")

    @property
    def version(self) -> tuple[int, ...]:
        return version_numbers(self.engine_version)

    @property
    def waits_for(self) -> str:
        """What is not ready, as a phrase: ``modifying``, or ``available, shop-002 modifying``."""
        if self.status == "available" and not self.unready:
            return "available, its tags cannot be read yet" if self.tags is None else "available, no endpoint yet"
        return ", ".join((self.status, *self.unready)) if self.status == "available" else self.status

    def replica_members(self) -> list[Member]:
        return [member for member in self.members if member.role == "replica"]


def shape(
    group: Mapping[str, Any],
    clusters: Sequence[Mapping[str, Any]] = (),
    tags: Mapping[str, str] | None = None,
    databases: int = DEFAULT_DATABASES,
) -> ReplicationGroup:
    """Of DescribeReplicationGroups, DescribeCacheClusters (its members, in any order) and ListTagsForResource."""
    ordered = sorted(clusters, key=lambda cluster: str(cluster.get("CacheClusterId", "")))
    first: Mapping[str, Any] = ordered[0] if ordered else {}
    node_groups = group.get("NodeGroups") or [{}]
    primary = node_groups[0].get("PrimaryEndpoint") or group.get("ConfigurationEndpoint") or {}
    reader = node_groups[0].get("ReaderEndpoint") or {}
    return ReplicationGroup(
        replication_group_id=group["ReplicationGroupId"],
        status=str(group.get("Status", "")).lower(),
        arn=group.get("ARN", ""),
        replication_group_description=group.get("Description", ""),
        engine=str(group.get("Engine") or first.get("Engine") or "redis").lower(),
        engine_version=_lowest_version(ordered),
        cache_node_type=group.get("CacheNodeType") or first.get("CacheNodeType", ""),
        num_cache_clusters=len(group.get("MemberClusters") or ()),
        automatic_failover_enabled=str(group.get("AutomaticFailover", "")).lower() in ("enabled", "enabling"),
        multi_az_enabled=str(group.get("MultiAZ", "")).lower() == "enabled",
        cache_subnet_group_name=first.get("CacheSubnetGroupName", ""),
        security_group_ids=_security_groups(first),
        cache_parameter_group_name=(first.get("CacheParameterGroup") or {}).get("CacheParameterGroupName", ""),
        port=int(primary.get("Port") or DEFAULT_PORT),
        transit_encryption_enabled=bool(group.get("TransitEncryptionEnabled")),
        transit_encryption_mode=_transit_mode(group),
        at_rest_encryption_enabled=bool(group.get("AtRestEncryptionEnabled")),
        storage_encryption_type=str(group.get("StorageEncryptionType") or "").lower(),
        kms_key_id=group.get("KmsKeyId") or "",
        auth_token_enabled=bool(group.get("AuthTokenEnabled")),
        user_group_ids=tuple(group.get("UserGroupIds") or ()),
        snapshot_retention_limit=int(group.get("SnapshotRetentionLimit") or 0),
        snapshot_window=str(group.get("SnapshotWindow") or "").lower(),
        preferred_maintenance_window=str(first.get("PreferredMaintenanceWindow") or "").lower(),
        cluster_enabled=bool(group.get("ClusterEnabled")),
        address=primary.get("Address", ""),
        reader_address=reader.get("Address", ""),
        reader_port=int(reader.get("Port") or 0),
        members=_members(node_groups, ordered),
        unready=_unready(node_groups, ordered),
        pending=_pending(group, ordered),
        tags=tags,
        databases=databases,
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
    statuses = {
        cluster.get("CacheClusterId"): str(cluster.get("CacheClusterStatus", "")).lower() for cluster in clusters
    }
    return tuple(
        Member(
            cache_cluster_id=item["CacheClusterId"],
            status=statuses.get(item["CacheClusterId"], ""),
            role=str(item.get("CurrentRole", "")).lower(),
            availability_zone=item.get("PreferredAvailabilityZone", ""),
            address=(item.get("ReadEndpoint") or {}).get("Address", ""),
            port=int((item.get("ReadEndpoint") or {}).get("Port") or 0),
        )
        for node_group in node_groups
        for item in node_group.get("NodeGroupMembers") or ()
    )


def _unready(node_groups: Sequence[Mapping[str, Any]], clusters: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    parts = [(item.get("NodeGroupId", ""), item.get("Status")) for item in node_groups]
    parts += [(item.get("CacheClusterId", ""), item.get("CacheClusterStatus")) for item in clusters]
    return tuple(f"{name} {status.lower()}" for name, status in parts if status and status.lower() != "available")


def _pending(group: Mapping[str, Any], clusters: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What AWS has queued, by option. A queued node type or version shows only at the members."""
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
    queued = group.get("PendingModifiedValues") or {}
    if queued.get("AutomaticFailoverStatus"):
        found["automatic_failover_enabled"] = str(queued["AutomaticFailoverStatus"]).lower() == "enabled"
    if "TransitEncryptionEnabled" in queued:
        found["transit_encryption_enabled"] = bool(queued["TransitEncryptionEnabled"])
    if queued.get("TransitEncryptionMode"):
        found["transit_encryption_mode"] = str(queued["TransitEncryptionMode"]).lower()
    if queued.get("AuthTokenStatus"):
        found["auth_token"] = str(queued["AuthTokenStatus"]).lower()
    return found


def endpoint_of(group: ReplicationGroup) -> Endpoint:
    """How clients reach the group: its primary endpoint (configuration endpoint where cluster mode is enabled)."""
    known: dict[str, Any] = {
        "protocol": "redis-cluster" if group.cluster_enabled else "redis",
        "port": group.port,
        "tls": group.transit_encryption_enabled,
        "auth": "rbac" if group.user_group_ids else "token" if group.auth_token_enabled else "none",
        "databases": 1 if group.cluster_enabled else group.databases,
        "engine": group.engine,
        "engine_version": group.engine_version,
    }
    if not group.address:
        return after_apply("elasticache", group.replication_group_id, **known)
    return Endpoint(
        service="elasticache",
        name=group.replication_group_id,
        address=group.address,
        reader_address=group.reader_address,
        reader_port=group.reader_port,
        nodes=tuple(Node(item.cache_cluster_id, item.address, item.port) for item in group.members if item.address),
        **known,
    )


def as_options(group: ReplicationGroup) -> dict[str, Any]:
    """The group in the words of elasticache_cluster's options: for diffs, and for elasticache_cluster_info."""
    left_out = ("status", "arn", "address", "reader_address", "reader_port", "members", "unready", "pending")
    more = ("databases", "allowed_node_types", "cluster_enabled", "storage_encryption_type", "user_group_ids")
    shown = {item.name: getattr(group, item.name) for item in fields(group) if item.name not in left_out + more}
    return {**shown, "security_group_ids": list(group.security_group_ids), "tags": dict(group.tags or {})}
