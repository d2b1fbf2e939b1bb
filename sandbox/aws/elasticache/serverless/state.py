"""Serverless caches and their snapshots as the account knows them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sandbox.aws.clock import now
from sandbox.aws.doors import Door
from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.state import CREATE_FAILED, CREATING, arn
from sandbox.aws.wire import Refusal

GB = 1000**3
WITHOUT_LIMIT = 5000 * GB  # the most that AWS lets one hold


MEMCACHED = "memcached"
PORTS, PORTS_OF_MEMCACHED = (6379, 6380), (11211, 11212)  # of the cache and of its reader


class Engines(Protocol):
    """What is behind a cache."""

    def stop(self) -> None: ...

    def kill_all(self) -> None: ...

    def doors(self) -> Iterator[Door]: ...

    def configure(self, parameters: Sequence[tuple[str, str]], maxmemory: int) -> None: ...


@dataclass
class ServerlessCache:
    busy_code: ClassVar[str] = "InvalidServerlessCacheStateFault"

    id: str  # its name
    description: str
    version: Version
    limits: dict[str, Any]  # CacheUsageLimits, without what has none
    kms_key: str
    security_groups: list[str]
    subnets: list[str]
    user_group: str
    retention: int
    snapshot_time: str
    network_zone: str  # the part of its name that AWS makes up
    engines: Engines | None = None  # once they run
    status: str = CREATING
    is_busy: bool = False
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("serverlesscache", self.id)

    @property
    def is_serving(self) -> bool:
        """Whether AWS shows its endpoints."""
        return self.status not in (CREATING, CREATE_FAILED)

    @property
    def major(self) -> str:
        return major_of(self.version)

    @property
    def port(self) -> int:
        return (PORTS_OF_MEMCACHED if self.version.engine == MEMCACHED else PORTS)[0]

    @property
    def reader_port(self) -> int:
        return (PORTS_OF_MEMCACHED if self.version.engine == MEMCACHED else PORTS)[1]

    @property
    def host(self) -> str:
        return f"{self.id}-{self.network_zone}.serverless.use1.cache.amazonaws.com"

    @property
    def user_groups(self) -> list[str]:
        return [self.user_group] if self.user_group else []

    @property
    def most_bytes(self) -> int:
        stated = (self.limits.get("DataStorage") or {}).get("Maximum")
        return int(stated) * GB if stated else WITHOUT_LIMIT


def major_of(version: Version) -> str:
    """As AWS tells it: 8, or 1.6 of Memcached."""
    parts = 2 if version.engine == MEMCACHED else 1
    return ".".join(str(number) for number in version.number[:parts])


@dataclass
class ServerlessSnapshot:
    id: str  # its name
    cache: str
    version: Version
    kms_key: str
    file: Path
    kind: str = "manual"
    status: str = CREATING
    created: datetime.datetime = field(default_factory=now)

    @property
    def arn(self) -> str:
        return arn("serverlesscachesnapshot", self.id)


class Serverless:
    """All of them, by name."""

    def __init__(self) -> None:
        self.caches: dict[str, ServerlessCache] = {}
        self.snapshots: dict[str, ServerlessSnapshot] = {}

    def cache(self, name: str) -> ServerlessCache:
        found = self.caches.get(name.lower())
        if found is None:
            raise Refusal("ServerlessCacheNotFoundFault", f"Serverless cache {name} not found.")
        return found

    def users_of(self, user_group: str) -> list[ServerlessCache]:
        """The caches that have it."""
        return [cache for cache in self.caches.values() if cache.user_group == user_group]

    def snapshot(self, name: str) -> ServerlessSnapshot:
        found = self.snapshots.get(name.lower())
        if found is None:
            raise Refusal("ServerlessCacheSnapshotNotFoundFault", f"Serverless cache snapshot {name} not found.")
        return found
