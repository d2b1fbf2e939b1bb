# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who is connected to a cache beside us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    address_of,
    parse_client,
    whole,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection

# These wait for data by their nature; XREAD and XREADGROUP may, which the client's flag b tells.
BLOCKING = frozenset(
    ["blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop", "wait", "waitaof"]
)


@dataclass(frozen=True)
class Client:
    """Connections from one address under one name."""

    address: str
    name: str
    connections: int
    commands: tuple[str, ...]
    databases: tuple[int, ...]
    blocking: bool
    pubsub: bool
    monitor: bool
    replica: bool


def read_clients(connection: Connection) -> tuple[Client, ...]:
    """All but this connection itself, one for each address and name. Raises CacheError."""
    own = connection.ask("CLIENT", "ID")
    return without(own, connection.ask("CLIENT", "LIST"))


def without(own: str, listed: str) -> tuple[Client, ...]:
    """CLIENT LIST but for the connection with the id ``own``. Raises NotRedis."""
    together: dict[tuple[str, str], list[dict[str, str]]] = {}
    for line in map(parse_client, listed.splitlines()):
        if line.get("id") != own and line.get("addr"):
            together.setdefault((address_of(line["addr"]), line.get("name", "")), []).append(line)
    return tuple(_client(address, name, found) for (address, name), found in sorted(together.items()))


def _client(address: str, name: str, lines: Sequence[dict[str, str]]) -> Client:
    flags = {flag for line in lines for flag in line.get("flags", "")}
    commands = {line.get("cmd", "").lower() for line in lines} - {"", "null"}
    return Client(
        address=address,
        name=name,
        connections=len(lines),
        commands=tuple(sorted(commands)),
        databases=tuple(sorted({whole(line.get("db", "0"), "the database of a client") for line in lines})),
        blocking="b" in flags or bool(commands & BLOCKING),
        pubsub="P" in flags,
        monitor="O" in flags,
        replica="S" in flags,
    )
