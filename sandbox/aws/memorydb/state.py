"""The account as MemoryDB knows it. In memory: a restart is an empty account."""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sandbox.aws.clock import now
from sandbox.aws.elasticache.state import AVAILABLE, CREATE_FAILED, CREATING, DELETING, SNAPSHOTTING
from sandbox.aws.memorydb.catalogue import FAMILIES, Version
from sandbox.aws.shards import Shards
from sandbox.aws.wire import Refusal

__all__ = ["AVAILABLE", "CREATE_FAILED", "CREATING", "DELETING", "SNAPSHOTTING"]

ACCOUNT, REGION = "123456789012", "us-east-1"
UPDATING, ACTIVE, MODIFYING = "updating", "active", "modifying"
OPEN_ACCESS, DEFAULT_USER = "open-access", "default"
IN_SYNC, APPLYING = "in-sync", "applying"


Thing = TypeVar("Thing")


def arn(kind: str, name: str) -> str:
    return f"arn:aws:memorydb:{REGION}:{ACCOUNT}:{kind}/{name}"


@dataclass
class Node:
    name: str
    zone: str
    created: datetime.datetime = field(default_factory=now)


@dataclass
class Cluster:
    id: str
    description: str
    node_type: str
    version: Version
    parameter_group: str
    subnet_group: str
    security_groups: list[str]
    port: int
    tls: bool
    kms_key: str
    acl: str
    retention: int
    snapshot_window: str
    maintenance_window: str
    auto_minor_version_upgrade: bool
    topic: str
    data_tiering: bool
    network_zone: str  # the part of its names that AWS makes up
    nodes: dict[str, list[Node]]  # by shard
    topic_is_active: bool = True
    engines: Shards | None = None  # from when they are started
    status: str = CREATING
    is_busy: bool = False  # a change has begun, whether its status shows already or not
    pending_acl: str = ""
    is_resharding: bool = False
    parameter_status: str = IN_SYNC
    group_status: dict[str, str] = field(default_factory=dict)  # of security groups that come or go
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("cluster", self.id)

    @property
    def running(self) -> Shards:
        assert self.engines is not None, f"{self.id} was never started"
        return self.engines

    @property
    def replicas(self) -> int:
        return min(len(nodes) for nodes in self.nodes.values()) - 1

    @property
    def is_serving(self) -> bool:
        """Whether AWS shows its endpoint."""
        return self.status not in (CREATING, CREATE_FAILED)

    @property
    def members(self) -> dict[str, list[str]]:
        return {shard: [node.name for node in nodes] for shard, nodes in self.nodes.items()}


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
    values: dict[str, str] = field(default_factory=dict)  # those that differ from the family's

    @property
    def arn(self) -> str:
        return arn("parametergroup", self.name)

    @property
    def is_default(self) -> bool:
        return self.name.startswith("default.")


@dataclass
class User:
    name: str
    access_string: str
    kind: str  # password, no-password, iam
    digests: tuple[str, ...] = ()
    status: str = ACTIVE

    @property
    def arn(self) -> str:
        return arn("user", self.name)


@dataclass
class Acl:
    name: str
    users: list[str]
    status: str = CREATING
    to_add: list[str] = field(default_factory=list)
    to_remove: list[str] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return arn("acl", self.name)


@dataclass
class Snapshot:
    """A copy of a cluster as it was, and a file with the data of each shard."""

    name: str
    of: dict[str, Any]  # what AWS tells of the cluster, in the API's names
    version: Version
    files: dict[str, Path]  # by shard
    kms_key: str = ""
    data_tiering: bool = False
    source: str = "manual"
    slots: dict[str, str] = field(default_factory=dict)  # by shard, once it is written
    status: str = CREATING
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("snapshot", self.name)


@dataclass(frozen=True)
class Event:
    source_type: str
    source: str
    message: str
    date: datetime.datetime


class Account:
    """All of it, by name. `lock` is held while something is decided, never while an engine works."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clusters: dict[str, Cluster] = {}
        self.subnet_groups: dict[str, SubnetGroup] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.tags: dict[str, dict[str, str]] = {}  # by ARN
        self.events: list[Event] = []
        self.users = {DEFAULT_USER: User(DEFAULT_USER, "on ~* &* +@all", "no-password")}
        self.acls = {OPEN_ACCESS: Acl(OPEN_ACCESS, [DEFAULT_USER], ACTIVE)}
        self.parameter_groups = {
            name: ParameterGroup(name, family, f"Default parameter group for {family}")
            for name, family in ((f"default.{family.replace('_', '-')}", family) for family in FAMILIES)
        }

    def note(self, source_type: str, source: str, message: str) -> None:
        with self.lock:
            self.events.append(Event(source_type, source, message, now()))

    def note_failure(self, cluster: Cluster, status: str, why: str) -> None:
        what = "be created" if status == CREATING else f"be changed ({status})"
        self.note("cluster", cluster.id, f"Cluster {cluster.id} could not {what}: {why}")

    def default_parameter_group(self, family: str) -> ParameterGroup:
        return next(group for group in self.parameter_groups.values() if group.is_default and group.family == family)

    def cluster(self, name: str) -> Cluster:
        return _found(self.clusters, name, "ClusterNotFoundFault", "Cluster")

    def subnet_group(self, name: str) -> SubnetGroup:
        return _found(self.subnet_groups, name, "SubnetGroupNotFoundFault", "Subnet group")

    def parameter_group(self, name: str) -> ParameterGroup:
        return _found(self.parameter_groups, name, "ParameterGroupNotFoundFault", "Parameter group")

    def acl(self, name: str) -> Acl:
        return _found(self.acls, name, "ACLNotFoundFault", "ACL")

    def user(self, name: str) -> User:
        return _found(self.users, name, "UserNotFoundFault", "User")

    def snapshot(self, name: str) -> Snapshot:
        return _found(self.snapshots, name, "SnapshotNotFoundFault", "Snapshot")

    def acls_of(self, user: str) -> list[Acl]:
        return [acl for acl in self.acls.values() if user in (*acl.users, *acl.to_add)]

    def clusters_of(self, acl: str) -> list[Cluster]:
        return [cluster for cluster in self.clusters.values() if acl in (cluster.acl, cluster.pending_acl)]


def _found(things: dict[str, Thing], name: str, code: str, what: str) -> Thing:
    found = things.get(name.lower())
    if found is None:
        raise Refusal(code, f"{what} not found: {name}")
    return found
