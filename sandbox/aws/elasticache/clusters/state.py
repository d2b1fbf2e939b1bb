"""A cache cluster as the account knows it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.aws.clock import now
from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.features import IPV4
from sandbox.aws.elasticache.state import CREATE_FAILED, CREATING, arn
from sandbox.aws.engines import Engine
from sandbox.aws.memcached import Front, MemcachedNode

MEMCACHED = "memcached"
SINGLE, CROSS = "single-az", "cross-az"


@dataclass
class Node:
    """Without an engine until it is started."""

    id: str  # four digits
    zone: str
    engine: MemcachedNode | Engine | None = None
    applied: dict[str, str] = field(default_factory=dict)  # the parameters that the engine was started with
    created: datetime.datetime = field(default_factory=now)

    @property
    def running(self) -> MemcachedNode | Engine:
        assert self.engine is not None, f"node {self.id} was never started"
        return self.engine


@dataclass
class CacheCluster:
    busy_code: ClassVar[str] = "InvalidCacheClusterState"

    id: str
    node_type: str
    version: Version
    parameter_group: str
    subnet_group: str
    security_groups: list[str]
    port: int
    tls: bool
    maintenance_window: str
    snapshot_window: str
    retention: int
    auto_minor_version_upgrade: bool
    topic: str
    network_zone: str  # the part of its names that AWS makes up
    nodes: list[Node]
    topic_status: str = "active"
    network_type: str = IPV4
    ip_discovery: str = IPV4
    logs: dict[str, dict[str, Any]] = field(default_factory=dict)  # log type → as AWS shows it
    front: Front | None = None  # of Memcached: its configuration endpoint
    status: str = CREATING
    is_busy: bool = False
    pending: dict[str, Any] = field(default_factory=dict)  # by the API's names
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("cluster", self.id)

    @property
    def is_memcached(self) -> bool:
        return self.version.engine == MEMCACHED

    @property
    def started(self) -> list[Node]:
        return [node for node in self.nodes if node.engine is not None]

    @property
    def is_serving(self) -> bool:
        """Whether AWS shows its endpoints."""
        return self.status not in (CREATING, CREATE_FAILED)

    @property
    def zones(self) -> list[str]:
        return [node.zone for node in self.nodes]
