"""The account as ElastiCache knows it. In memory: a restart is an empty account."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sandbox.aws.access import Access
from sandbox.aws.clock import now
from sandbox.aws.elasticache.catalogue import DISABLED, FAMILIES, WITHOUT_CLUSTER_MODE, Version
from sandbox.aws.elasticache.features import Features
from sandbox.aws.elasticache.rbac import Rbac
from sandbox.aws.engines import Engine, new_secret
from sandbox.aws.wire import Refusal

if TYPE_CHECKING:
    from sandbox.aws.elasticache.clusters.state import CacheCluster
    from sandbox.aws.elasticache.serverless.state import Serverless

ACCOUNT, REGION = "123456789012", "us-east-1"
AVAILABLE, CREATING, CREATE_FAILED, DELETING = "available", "creating", "create-failed", "deleting"
MODIFYING, SNAPSHOTTING = "modifying", "snapshotting"
MIGRATING = "migrating"  # it follows a Redis that is not AWS's


def arn(kind: str, name: str) -> str:
    return f"arn:aws:elasticache:{REGION}:{ACCOUNT}:{kind}:{name}"


@dataclass
class Member:
    """One node of a replication group; without an engine until it is started."""

    name: str
    zone: str
    shard: str = "0001"
    engine: Engine | None = None
    applied: dict[str, str] = field(default_factory=dict)  # the parameters that the engine was started with
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("cluster", self.name)

    @property
    def running(self) -> Engine:
        assert self.engine is not None, f"{self.name} was never started"
        return self.engine


@dataclass
class ReplicationGroup:
    busy_code: ClassVar[str] = "InvalidReplicationGroupState"

    id: str
    description: str
    node_type: str
    version: Version
    parameter_group: str
    subnet_group: str
    security_groups: list[str]
    port: int
    transit_mode: str  # "", preferred, required
    failover: bool
    multi_az: bool
    retention: int
    snapshot_window: str
    maintenance_window: str
    auto_minor_version_upgrade: bool
    at_rest: bool
    kms_key: str
    network_zone: str  # the part of its names that AWS makes up
    members: list[Member]
    successors: list[Engine] = field(default_factory=list, init=False)  # engines about to take a member's place
    access: Access
    user_groups: list[str] = field(default_factory=list)
    user_groups_wanted: list[str] | None = None  # while they are changed
    token_status: str = ""  # ROTATING or SETTING while the token is changed
    token_changed: datetime.datetime | None = None
    status: str = CREATING
    is_busy: bool = False  # a change has begun, whether its status shows already or not
    snapshotting_member: str = ""
    pending: dict[str, Any] = field(default_factory=dict)  # by the API's names
    secret: str = field(default_factory=new_secret)
    created: datetime.datetime = field(default_factory=now)
    cluster_mode: str = DISABLED
    features: Features = field(default_factory=Features)
    slots: dict[str, str] = field(default_factory=dict)  # by shard, where cluster mode is enabled
    primaries: dict[str, str] = field(default_factory=dict)  # names of members, by shard

    def __post_init__(self) -> None:
        for member in reversed(self.members):
            self.primaries[member.shard] = member.name

    @property
    def arn(self) -> str:
        return arn("replicationgroup", self.id)

    @property
    def primary(self) -> Member:
        """Of a group of one shard."""
        return self.primary_of(self.shards[0])

    @property
    def replicas(self) -> list[Member]:
        """Of a group of one shard."""
        return self.replicas_of(self.shards[0])

    @property
    def shards(self) -> list[str]:
        return sorted({member.shard for member in self.members})

    def of_shard(self, shard: str) -> list[Member]:
        """The shard's members, the primary first."""
        return sorted(
            (member for member in self.members if member.shard == shard),
            key=lambda member: (member.name != self.primaries.get(shard), member.name),
        )

    def primary_of(self, shard: str) -> Member:
        return self.of_shard(shard)[0]

    def replicas_of(self, shard: str) -> list[Member]:
        return self.of_shard(shard)[1:]

    @property
    def started(self) -> list[Member]:
        return [member for member in self.members if member.engine is not None]

    @property
    def is_serving(self) -> bool:
        """Whether AWS shows its endpoints."""
        return self.status not in (CREATING, CREATE_FAILED)


@dataclass
class SubnetGroup:
    name: str
    description: str
    vpc: str
    subnets: dict[str, str]  # subnet id → availability zone

    @property
    def arn(self) -> str:
        return arn("subnetgroup", self.name)

    @property
    def zones(self) -> list[str]:
        return sorted(set(self.subnets.values()))


@dataclass
class ParameterGroup:
    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)  # what the user has set, also where it is the family's default
    preset: dict[str, str] = field(default_factory=dict)  # what a default group of AWS's has that differs

    @property
    def arn(self) -> str:
        return arn("parametergroup", self.name)

    @property
    def is_default(self) -> bool:
        return self.name.startswith("default.")


def default_parameter_groups() -> Iterator[ParameterGroup]:
    """AWS's own: one a family, and from 3.2 on one with cluster mode."""
    for family in FAMILIES:
        text = f"Default parameter group for {family}"
        yield ParameterGroup(f"default.{family}", family, text)
        if family not in WITHOUT_CLUSTER_MODE:
            preset = {"cluster-enabled": "yes"}
            yield ParameterGroup(f"default.{family}.cluster.on", family, f"{text} with cluster mode on", preset=preset)


@dataclass
class Snapshot:
    """A copy of a group as it was, and the files with its data."""

    name: str
    source: str  # manual, automated
    of: dict[str, Any]  # what AWS tells of the group, in the API's names
    version: Version
    files: dict[str, Path]  # by shard
    slots: dict[str, str] = field(default_factory=dict)  # by shard, of cluster mode
    zones: dict[str, list[str]] = field(default_factory=dict)  # by shard, the primary's first
    status: str = CREATING
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("snapshot", self.name)

    @property
    def only_file(self) -> Path:
        """Of what has one shard."""
        if len(self.files) > 1:
            raise Refusal("InvalidParameterCombination", f"{self.name} has several node groups.")
        return next(iter(self.files.values()))


class Account:
    """All of it, by name. `lock` is held while something is decided, never while an engine works."""

    def __init__(self, serverless: Serverless) -> None:
        self.lock = threading.RLock()
        self.serverless = serverless
        self.replication_groups: dict[str, ReplicationGroup] = {}
        self.cache_clusters: dict[str, CacheCluster] = {}  # those that are in no group
        self.subnet_groups: dict[str, SubnetGroup] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.tags: dict[str, dict[str, str]] = {}  # by ARN
        self.rbac = Rbac()
        self.parameter_groups = {group.name: group for group in default_parameter_groups()}

    def replication_group(self, name: str) -> ReplicationGroup:
        found = self.replication_groups.get(name.lower())
        if found is None:
            raise Refusal("ReplicationGroupNotFoundFault", f"ReplicationGroup {name} not found.")
        return found

    def users_of(self, user_group: str) -> list[ReplicationGroup]:
        """The replication groups that use it."""
        return [group for group in self.replication_groups.values() if user_group in group.user_groups]

    def member(self, name: str) -> tuple[ReplicationGroup, Member]:
        for group in self.replication_groups.values():
            for member in group.members:
                if member.name == name.lower():
                    return group, member
        raise Refusal("CacheClusterNotFound", f"CacheCluster {name} not found.")

    def cache_cluster(self, name: str) -> CacheCluster:
        """One that is in no group; a node of a group is changed by calls of its own alone."""
        found = self.cache_clusters.get(name.lower())
        if found is not None:
            return found
        group, member = self.member(name)
        raise Refusal("InvalidParameterCombination", f"{member.name} is a node of {group.id}: change that instead.")

    def subnet_group(self, name: str) -> SubnetGroup:
        found = self.subnet_groups.get(name.lower())
        if found is None:
            raise Refusal("CacheSubnetGroupNotFoundFault", f"Cache Subnet Group {name} does not exist.")
        return found

    def parameter_group(self, name: str) -> ParameterGroup:
        found = self.parameter_groups.get(name.lower())
        if found is None:
            raise Refusal("CacheParameterGroupNotFound", f"CacheParameterGroup {name} not found.")
        return found

    def snapshot(self, name: str) -> Snapshot:
        found = self.snapshots.get(name)
        if found is None:
            raise Refusal("SnapshotNotFoundFault", f"Snapshot {name} not found.")
        return found
