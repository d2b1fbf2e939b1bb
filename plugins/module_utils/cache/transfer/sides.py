# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Both ends as they are before and while data goes from one to the other: what they hold, and by which rules."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import cluster_probe
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    Info,
    Server,
    keyspace,
    parse_info,
    server_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

Place = Tuple[str, int]
Slots = Tuple[Tuple[int, int], ...]


@dataclass(frozen=True)
class Node:
    """One engine that holds keys. ``run_id`` is another after each start: then its cursors mean nothing any more.
    ``slots`` are its own in a cluster, as first and last.
    """

    place: Place
    server: Server
    run_id: str
    databases: Mapping[int, int]
    used_bytes: int
    most_bytes: int
    policy: str
    evicted: int
    slots: Slots = ()

    @property
    def name(self) -> str:
        return f"{self.place[0]}:{self.place[1]}"

    @property
    def identity(self) -> str:
        """Another where it is not the engine any more that it was, or has other keys to give."""
        return f"{self.run_id} {self.slots}"


@dataclass(frozen=True)
class Held:
    """A side as a whole, by its primaries. ``databases`` are those with keys, and how many."""

    nodes: tuple[Node, ...]

    @property
    def keys(self) -> int:
        return sum(sum(node.databases.values()) for node in self.nodes)

    @property
    def used_bytes(self) -> int:
        return sum(node.used_bytes for node in self.nodes)

    @property
    def evicted(self) -> int:
        return sum(node.evicted for node in self.nodes)

    @property
    def databases(self) -> dict[int, int]:
        numbers = {number for node in self.nodes for number in node.databases}
        return {number: sum(node.databases.get(number, 0) for node in self.nodes) for number in sorted(numbers)}

    def as_dict(self) -> dict[str, Any]:
        databases = {str(number): keys for number, keys in self.databases.items()}
        return {"keys": self.keys, "databases": databases, "bytes": self.used_bytes}


def look(side: Side) -> Held:
    """What it holds now. Only reads. Raises ProbeFailed, CacheError, EndpointError."""
    with primaries(side) as found:
        return Held(tuple(_node(place, *each) for place, each in found.items()))


@contextlib.contextmanager
def primaries(side: Side, expected_role: str = "any") -> Iterator[Mapping[Place, tuple[Connection, Slots]]]:
    """A connection to each engine that has keys of its own, and its slots: one, or the primaries of a cluster."""
    question = side.question(expected_role)
    if side.protocol != REDIS_CLUSTER:
        with session(question) as connection:
            host, _colon, port = side.place.rpartition(":")
            yield {(host, int(port)): (connection, ())}
        return
    with cluster_probe.session(question) as cluster:
        yield {shard.primary.place: (cluster.at(shard.primary.place), shard.ranges) for shard in cluster.shards}


def _node(place: Place, connection: Connection, slots: Slots) -> Node:
    info = parse_info(_info(place, connection))
    return Node(
        place=place,
        server=server_of(info),
        run_id=str(info.get("run_id", "")),
        databases=_counts(info),
        used_bytes=_whole(info, "used_memory_dataset") or _whole(info, "used_memory"),
        most_bytes=_whole(info, "maxmemory"),
        policy=str(info.get("maxmemory_policy", "noeviction")),
        evicted=_whole(info, "evicted_keys"),
        slots=slots,
    )


def _info(place: Place, connection: Connection) -> str:
    try:
        return connection.ask("INFO")
    except ServerError as error:
        if not str(error).startswith("NOPERM"):
            raise
        raise ServerError(
            f"the user of the URL may not ask {place[0]}:{place[1]} how much it holds and how full it is ({error}): "
            f"let it run INFO there, as `ACL SETUSER <its name> +info`"
        ) from error


def serves(connection: Connection, number: int) -> bool:
    """Whether an engine has a database of that number, which is selected then."""
    return knows(connection, "SELECT", number)


def knows(connection: Connection, *command: Argument) -> bool:
    """Whether it answers to that, for this user."""
    try:
        connection.execute(*command)
    except ServerError:
        return False
    return True


def databases_of(connection: Connection) -> dict[int, int]:
    """Those of one engine that have keys, and how many."""
    return _counts(parse_info(connection.ask("INFO", "keyspace")))


def _counts(info: Info) -> dict[int, int]:
    return {number: each["count"] for number, each in keyspace(info).items()}


def _whole(info: Info, name: str) -> int:
    value = info.get(name, 0)
    return value if isinstance(value, int) else 0
