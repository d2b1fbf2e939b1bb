# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A replication group as it is, and how clients reach it. Pure; ``shape`` makes one of what AWS answers.

Its fields are named as the options of elasticache_cluster, so that current and desired compare by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, Node, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.log_delivery import LogDelivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import shards
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import Shard
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)

DEFAULT_PORT = 6379
DEFAULT_DATABASES = 16  # of every family's parameter "databases"

DISABLED, COMPATIBLE, ENABLED = "disabled", "compatible", "enabled"  # cluster modes

# What AWS queues for the maintenance window under apply_immediately false, and shows; the rest of a modify call acts at
# once. Shown nowhere are Multi-AZ, which is queued with failover, and a parameter group, which is with its version.
QUEUED_OPTIONS = ("engine", "engine_version", "cache_node_type", "automatic_failover_enabled")


@dataclass(frozen=True)
class Member:
    """One node of the group."""

    cache_cluster_id: str
    status: str = ""
    role: str = ""  # empty where cluster mode is enabled: AWS does not tell it there
    availability_zone: str = ""
    address: str = ""
    port: int = 0
    node_group_id: str = ""


@dataclass(frozen=True)
class ReplicationGroup:
    replication_group_id: str
    status: str
    arn: str = ""
    replication_group_description: str = ""
    engine: str = "redis"
    engine_version: str = ""
    cache_node_type: str = ""
    cluster_mode: str = DISABLED
    shards: tuple[Shard, ...] = (Shard("0001"),)
    automatic_failover_enabled: bool = False
    multi_az_enabled: bool = False
    cache_subnet_group_name: str = ""
    security_group_ids: tuple[str, ...] = ()
    cache_parameter_group_name: str = ""
    port: int = DEFAULT_PORT
    network_type: str = "ipv4"
    ip_discovery: str = "ipv4"
    transit_encryption_enabled: bool = False
    transit_encryption_mode: str = ""
    at_rest_encryption_enabled: bool = False
    storage_encryption_type: str = ""
    kms_key_id: str = ""
    auth_token_enabled: bool = False
    user_group_ids: tuple[str, ...] = ()
    data_tiering_enabled: bool = False
    durability: str = "disabled"  # the effective one
    snapshot_retention_limit: int = 0
    snapshot_window: str = ""
    preferred_maintenance_window: str = ""
    auto_minor_version_upgrade: bool = True
    notification_topic_arn: str = ""
    notification_topic_status: str = ""
    log_delivery_configurations: tuple[LogDelivery, ...] = ()
    log_failures: tuple[str, ...] = ()
    address: str = ""
    reader_address: str = ""
    reader_port: int = 0
    members: tuple[Member, ...] = ()
    unready: tuple[str, ...] = ()
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    databases: int = DEFAULT_DATABASES
    allowed_node_types: tuple[str, ...] | None = None
    events: str = ""  # what AWS says of a creation that failed
    global_datastore: str = ""  # which one it belongs to
    global_role: str = ""  # in that, primary or secondary

    @property
    def cluster_enabled(self) -> bool:
        return self.cluster_mode == ENABLED

    @property
    def num_cache_clusters(self) -> int:
        return shards.nodes(self.shards)

    @property
    def num_node_groups(self) -> int:
        return len(self.shards)

    @property
    def replicas_per_node_group(self) -> int:
        """Of the shard that has fewest."""
        return min((shard.replica_count for shard in self.shards), default=0)

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
        if "resharding" in self.pending:
            return f"{self.status}, {self.pending['resharding']}"
        return ", ".join((self.status, *self.unready)) if self.status == "available" else self.status

    def replica_members(self) -> list[Member]:
        return [member for member in self.members if member.role == "replica"]


def endpoint_of(group: ReplicationGroup) -> Endpoint:
    """How clients reach the group: its configuration endpoint where cluster mode is enabled, else its primary's.

    A group whose cluster mode is compatible serves plain clients too, at its primary endpoint, with one database.
    """
    known: dict[str, Any] = {
        "protocol": "redis-cluster" if group.cluster_enabled else "redis",
        "port": group.port,
        "tls": group.transit_encryption_enabled,
        "auth": "rbac" if group.user_group_ids else "token" if group.auth_token_enabled else "none",
        "databases": group.databases,
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


_NOT_OPTIONS = (
    *("status", "arn", "address", "reader_address", "reader_port", "members", "unready", "pending", "databases"),
    *("allowed_node_types", "storage_encryption_type", "shards", "log_failures", "events"),
    *("global_datastore", "global_role"),
)


def as_options(group: ReplicationGroup) -> dict[str, Any]:
    """The group in the words of elasticache_cluster's options: for diffs, and for elasticache_cluster_info."""
    shown = {item.name: getattr(group, item.name) for item in fields(group) if item.name not in _NOT_OPTIONS}
    return {
        **shown,
        "num_cache_clusters": group.num_cache_clusters,
        "num_node_groups": group.num_node_groups,
        "replicas_per_node_group": group.replicas_per_node_group,
        "node_group_configuration": [shard.as_option() for shard in group.shards],
        "security_group_ids": list(group.security_group_ids),
        "user_group_ids": list(group.user_group_ids),
        "log_delivery_configurations": [item.as_option() for item in group.log_delivery_configurations],
        "tags": dict(group.tags or {}),
    }
