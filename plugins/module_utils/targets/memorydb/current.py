# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster of MemoryDB as it is: shaped from what AWS answers. Pure.

Its fields are named as the options of memorydb_cluster, so that current and desired compare by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, Node, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)

SERVICE, PROTOCOL = "memorydb", "redis-cluster"  # it speaks the cluster protocol whatever the number of its shards
DEFAULT_PORT = 6379
DATABASES = 1
OPEN_ACCESS = "open-access"  # the ACL that every account has: everybody may do everything, without a password


@dataclass(frozen=True)
class Member:
    """One node of a shard."""

    name: str
    shard: str = ""
    status: str = ""
    availability_zone: str = ""
    address: str = ""
    port: int = 0


@dataclass(frozen=True)
class Cluster:
    cluster_name: str
    status: str
    arn: str = ""
    description: str = ""
    engine: str = "redis"
    engine_version: str = ""
    engine_patch_version: str = ""
    node_type: str = ""
    num_shards: int = 0
    num_replicas_per_shard: int = 0
    acl_name: str = OPEN_ACCESS
    subnet_group_name: str = ""
    security_group_ids: tuple[str, ...] = ()
    parameter_group_name: str = ""
    port: int = DEFAULT_PORT
    tls_enabled: bool = False
    kms_key_id: str = ""
    sns_topic_arn: str = ""
    snapshot_retention_limit: int = 0
    snapshot_window: str = ""
    maintenance_window: str = ""
    auto_minor_version_upgrade: bool = True
    data_tiering: bool = False
    network_type: str = "ipv4"
    ip_discovery: str = "ipv4"
    multi_region_cluster_name: str = ""
    address: str = ""
    members: tuple[Member, ...] = ()
    unready: tuple[str, ...] = ()
    tags: Mapping[str, str] | None = None
    allowed_node_types: tuple[str, ...] | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)  # MemoryDB queues nothing that a user asked for

    @property
    def is_ready(self) -> bool:
        """AWS takes changes only while the cluster is available, and all that is of it. Unknown statuses are not ready.

        The tags of a cluster that is being made cannot be read.
        """
        return self.status == "available" and not self.unready and self.tags is not None and bool(self.address)

    @property
    def is_going(self) -> bool:
        return self.status == "deleting"

    @property
    def has_failed(self) -> bool:
        return self.status in ("create-failed", "incompatible-network")

    @property
    def version(self) -> tuple[int, ...]:
        return version_numbers(self.engine_version)

    @property
    def nodes(self) -> int:
        return self.num_shards * (self.num_replicas_per_shard + 1)

    @property
    def waits_for(self) -> str:
        """What is not ready, as a phrase: ``updating``, or ``available, parameter group applying``."""
        if self.status == "available" and not self.unready:
            return "available, its tags cannot be read yet" if self.tags is None else "available, no endpoint yet"
        return ", ".join((self.status, *self.unready)) if self.status == "available" else self.status


def shape(cluster: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Cluster:
    """Of DescribeClusters with ShowShardDetails, and ListTags."""
    shards = cluster.get("Shards") or ()
    endpoint = cluster.get("ClusterEndpoint") or {}
    return Cluster(
        cluster_name=cluster["Name"],
        status=_word(cluster.get("Status")),
        arn=cluster.get("ARN", ""),
        description=cluster.get("Description") or "",
        engine=_word(cluster.get("Engine")) or "redis",
        engine_version=str(cluster.get("EngineVersion") or ""),
        engine_patch_version=str(cluster.get("EnginePatchVersion") or ""),
        node_type=cluster.get("NodeType", ""),
        num_shards=int(cluster.get("NumberOfShards") or len(shards)),
        num_replicas_per_shard=_replicas(shards),
        acl_name=cluster.get("ACLName") or OPEN_ACCESS,
        subnet_group_name=cluster.get("SubnetGroupName", ""),
        security_group_ids=_security_groups(cluster),
        parameter_group_name=cluster.get("ParameterGroupName", ""),
        port=int(endpoint.get("Port") or DEFAULT_PORT),
        tls_enabled=bool(cluster.get("TLSEnabled")),
        kms_key_id=cluster.get("KmsKeyId") or "",
        sns_topic_arn=_topic(cluster),
        snapshot_retention_limit=int(cluster.get("SnapshotRetentionLimit") or 0),
        snapshot_window=_word(cluster.get("SnapshotWindow")),
        maintenance_window=_word(cluster.get("MaintenanceWindow")),
        auto_minor_version_upgrade=bool(cluster.get("AutoMinorVersionUpgrade", True)),
        data_tiering=_word(cluster.get("DataTiering")) == "true",
        network_type=_word(cluster.get("NetworkType")).replace("-", "_") or "ipv4",
        ip_discovery=_word(cluster.get("IpDiscovery")) or "ipv4",
        multi_region_cluster_name=cluster.get("MultiRegionClusterName") or "",
        address=endpoint.get("Address") or "",
        members=_members(shards),
        unready=_unready(cluster),
        tags=tags,
    )


def _word(value: Any) -> str:
    """A status or an enumerated value; AWS's own spelling of its case differs from place to place."""
    return str(value or "").lower()


def _replicas(shards: Any) -> int:
    """While replicas are added, the shard that has the fewest says how far it has come."""
    return min((int(shard.get("NumberOfNodes") or len(shard.get("Nodes") or ())) for shard in shards), default=1) - 1


def _security_groups(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    groups = cluster.get("SecurityGroups") or ()
    return tuple(sorted(item["SecurityGroupId"] for item in groups if _word(item.get("Status")) != "removing"))


def _topic(cluster: Mapping[str, Any]) -> str:
    """A topic that was switched off is still told."""
    return "" if _word(cluster.get("SnsTopicStatus")) == "inactive" else cluster.get("SnsTopicArn") or ""


def _members(shards: Any) -> tuple[Member, ...]:
    return tuple(
        Member(
            name=node["Name"],
            shard=shard.get("Name", ""),
            status=_word(node.get("Status")),
            availability_zone=node.get("AvailabilityZone", ""),
            address=(node.get("Endpoint") or {}).get("Address") or "",
            port=int((node.get("Endpoint") or {}).get("Port") or 0),
        )
        for shard in shards
        for node in shard.get("Nodes") or ()
    )


_READY = ("available", "active", "in-sync")  # a shard, a security group, a parameter group


def _unready(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a cluster that is available is still under way."""
    pending = cluster.get("PendingUpdates") or {}
    parts = [
        *((f"shard {item.get('Name', '')}", item.get("Status")) for item in cluster.get("Shards") or ()),
        *((item["SecurityGroupId"], item.get("Status")) for item in cluster.get("SecurityGroups") or ()),
        ("parameter group", cluster.get("ParameterGroupStatus")),
    ]
    told = [f"{what} {_word(status)}" for what, status in parts if status and _word(status) not in _READY]
    if pending.get("Resharding"):
        done = (pending["Resharding"].get("SlotMigration") or {}).get("ProgressPercentage")
        told.append("resharding" if done is None else f"resharding, {done:.0f} % of the slots moved")
    if pending.get("ACLs"):
        told.append(f"ACL {pending['ACLs'].get('ACLToApply') or ''} being applied".replace("  ", " "))
    return tuple(told)


def endpoint_of(cluster: Cluster) -> Endpoint:
    """How clients reach it: its one endpoint, by which a client of clusters finds the nodes."""
    known: dict[str, Any] = {
        "protocol": PROTOCOL,
        "port": cluster.port,
        "tls": cluster.tls_enabled,
        "auth": "none" if cluster.acl_name == OPEN_ACCESS else "rbac",
        "databases": DATABASES,
        "engine": cluster.engine,
        "engine_version": cluster.engine_version,
    }
    if not cluster.address:
        return after_apply(SERVICE, cluster.cluster_name, **known)
    return Endpoint(
        service=SERVICE,
        name=cluster.cluster_name,
        address=cluster.address,
        nodes=tuple(Node(item.name, item.address, item.port) for item in cluster.members if item.address),
        **known,
    )


_NO_OPTION = ("status", "arn", "engine_patch_version", "multi_region_cluster_name", "address", "members", "unready")
_FOR_PLANNING = ("allowed_node_types", "pending")


def as_options(cluster: Cluster) -> dict[str, Any]:
    """The cluster in the words of memorydb_cluster's options."""
    left_out = (*_NO_OPTION, *_FOR_PLANNING)
    shown = {item.name: getattr(cluster, item.name) for item in fields(cluster) if item.name not in left_out}
    return {**shown, "security_group_ids": list(cluster.security_group_ids), "tags": dict(cluster.tags or {})}
