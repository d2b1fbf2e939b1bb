# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The old Redis, read: what it is, what it holds, who uses it. Reads only, and never for long.

Names of keys may hold personal data, so they are told as patterns: ``session:*``.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    Info,
    Server,
    address_of,
    keyspace,
    parse_client,
    parse_info,
    server_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure, ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    Reply,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url

SAMPLE_SECONDS = 10.0  # for all databases together
STREAM_SECONDS = 5.0
BATCH = 100
STREAMS_SHOWN = 100

# These wait for data by their nature; XREAD and XREADGROUP may, which the client's flag b tells.
BLOCKING = frozenset(
    ["blpop", "brpop", "brpoplpush", "blmove", "blmpop", "bzpopmin", "bzpopmax", "bzmpop", "wait", "waitaof"]
)


@dataclass(frozen=True)
class KeyGroup:
    """Sampled keys of one type in one database whose names look alike."""

    database: int
    type: str
    pattern: str
    count: int
    without_ttl: int
    bytes: int


@dataclass(frozen=True)
class Stream:
    database: int
    pattern: str
    length: int
    groups: tuple[str, ...]
    pending: int


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


@dataclass(frozen=True)
class Source:
    """Numbers are as INFO has them: memory in bytes. ``run_id`` tells one server from another, whatever leads to it.
    ``not_told`` are commands that the server refused to this user.
    """

    server: Server
    used_memory: int = 0
    used_memory_peak: int = 0
    maxmemory: int = 0
    maxmemory_policy: str = ""
    evicted_keys: int = 0
    operations_per_second: int = 0
    databases: int | None = None
    keyspace: dict[int, dict[str, int]] = field(default_factory=dict)
    sampled: int = 0
    sample_complete: bool = True
    key_groups: tuple[KeyGroup, ...] = ()
    streams: tuple[Stream, ...] = ()
    clients: tuple[Client, ...] = ()
    commands: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    saves: bool = False
    appends: bool = False
    not_told: tuple[str, ...] = ()
    run_id: str = ""

    @property
    def total_keys(self) -> int:
        return sum(database["count"] for database in self.keyspace.values())

    @property
    def keys_without_ttl(self) -> int:
        return sum(database["count"] - database["expires"] for database in self.keyspace.values())

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "total_keys": self.total_keys, "keys_without_ttl": self.keys_without_ttl}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Source:
        """What ``as_dict`` gave, also after JSON made strings of its numbers."""
        values = {item.name: told[item.name] for item in fields(cls) if item.name in told}
        values["server"] = Server(**told["server"])
        values["keyspace"] = {int(number): dict(counts) for number, counts in (told.get("keyspace") or {}).items()}
        values["key_groups"] = tuple(KeyGroup(**group) for group in told.get("key_groups") or ())
        values["streams"] = tuple(Stream(**_tuples(stream)) for stream in told.get("streams") or ())
        values["clients"] = tuple(Client(**_tuples(client)) for client in told.get("clients") or ())
        for name in ("commands", "modules", "not_told"):
            values[name] = tuple(told.get(name) or ())
        return cls(**values)


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in told.items()}


@dataclass(frozen=True)
class SurveyQuestion:
    """Which cache is to be read. ``seconds`` bounds each answer; ``sample`` is how many keys of a database are seen.

    ``tls_as_app`` and ``compares_names`` are as Question has them.
    """

    url: str = field(repr=False)
    seconds: float = 5.0
    sample: int = 1000
    ca_certs: str = ""
    tls_as_app: bool = False
    compares_names: bool = True


@dataclass(frozen=True)
class Surveyed:
    """What was read, or why it could not be."""

    source: Source | None = None
    failure: Failure | None = None


def survey(question: SurveyQuestion) -> Surveyed:
    """Raises EndpointError where the URL cannot be read."""
    asked = Question(
        url=question.url,
        expected_role="any",
        seconds=question.seconds,
        ca_certs=question.ca_certs,
        tls_as_app=question.tls_as_app,
        compares_names=question.compares_names,
    )
    try:
        with session(asked) as connection:
            return Surveyed(read_source(connection, question.sample))
    except ProbeFailed as failed:
        return Surveyed(failure=failed.failure)
    except CacheError as error:
        return Surveyed(failure=failures.not_told(parse_url(question.url), str(error)))


def read_source(connection: Connection, sample: int, clock: Callable[[], float] = time.monotonic) -> Source:
    """Raises CacheError where even INFO is not answered."""
    reader = _Reader(connection, clock)
    info = parse_info(connection.ask("INFO"))
    databases = keyspace(info)
    groups, sampled, complete = reader.sample(sorted(databases), sample)
    config = reader.config()
    return Source(
        server=server_of(info),
        used_memory=_number(info, "used_memory"),
        used_memory_peak=_number(info, "used_memory_peak"),
        maxmemory=_number(info, "maxmemory"),
        maxmemory_policy=str(info.get("maxmemory_policy", "")),
        evicted_keys=_number(info, "evicted_keys"),
        operations_per_second=_number(info, "instantaneous_ops_per_sec"),
        databases=int(config["databases"]) if config.get("databases", "").isdigit() else None,
        keyspace=databases,
        sampled=sampled,
        sample_complete=complete,
        key_groups=groups,
        streams=reader.streams(sorted(databases)),
        clients=reader.clients(),
        commands=_commands(parse_info(reader.text("INFO", "commandstats"))),
        modules=reader.modules(),
        saves=bool(config["save"]) if "save" in config else _number(info, "rdb_last_bgsave_time_sec") >= 0,
        appends=info.get("aof_enabled") == 1,
        not_told=tuple(reader.not_told),
        run_id=str(info.get("run_id", "")),
    )


def read_clients(connection: Connection) -> tuple[Client, ...]:
    """Who is connected beside this connection, one for each address and name. Raises CacheError."""
    own = connection.ask("CLIENT", "ID")
    return _without(own, connection.ask("CLIENT", "LIST"))


def read_persistence(connection: Connection, info: Info) -> dict[str, Any]:
    """Whether its data is on its disk once it ends: an append-only file, save points, and what neither holds yet."""
    found: dict[str, str] = {}
    with contextlib.suppress(ServerError):  # CONFIG may be renamed or denied: INFO tells whether it ever saved
        reply = connection.execute("CONFIG", "GET", "save")
        if isinstance(reply, list) and len(reply) == 2:
            found["save"] = _text(reply[1])
    return {
        "appends": info.get("aof_enabled") == 1,
        "saves": bool(found["save"]) if "save" in found else _number(info, "rdb_last_bgsave_time_sec") >= 0,
        "unsaved_changes": _number(info, "rdb_changes_since_last_save"),
    }


class _Reader:
    def __init__(self, connection: Connection, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._clock = clock
        self.not_told: list[str] = []

    def _ask(self, *command: str) -> Reply:
        """The answer, or None where the server does not tell this user."""
        try:
            return self._connection.execute(*command)
        except ServerError:
            self.not_told.append(" ".join(command[:2]))
            return None

    def text(self, *command: str) -> str:
        reply = self._ask(*command)
        return _text(reply) if reply is not None else ""

    def config(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in ("databases", "save"):
            reply = self._ask("CONFIG", "GET", name)
            if reply is None:
                break
            if isinstance(reply, list) and len(reply) == 2:
                found[name] = _text(reply[1])
        return found

    def modules(self) -> tuple[str, ...]:
        reply = self._ask("MODULE", "LIST")
        found = []
        for module in reply if isinstance(reply, list) else []:
            fields = [_text(part) for part in module]
            found.append(fields[fields.index("name") + 1])
        return tuple(sorted(found))

    def clients(self) -> tuple[Client, ...]:
        """All but this connection itself, one for each address and name."""
        return _without(self.text("CLIENT", "ID"), self.text("CLIENT", "LIST"))

    # --- keys ---

    def sample(self, databases: Sequence[int], sample: int) -> tuple[tuple[KeyGroup, ...], int, bool]:
        """Groups of keys, how many keys were looked at, and whether that was all of the sample asked for."""
        deadline = self._clock() + SAMPLE_SECONDS
        seen: list[tuple[int, str, str, bool, int]] = []
        complete = True
        for database in databases:
            keys, whole = self._scan(database, sample, deadline, "COUNT", str(BATCH))
            complete = complete and whole
            for start in range(0, len(keys), BATCH):
                seen += self._look_at(database, keys[start : start + BATCH])
        return _grouped(seen), len(seen), complete

    def _scan(self, database: int, most: int, deadline: float, *options: str) -> tuple[list[bytes], bool]:
        self._connection.execute("SELECT", database)
        keys: list[bytes] = []
        cursor = "0"
        while len(keys) < most:
            if self._clock() > deadline:
                return keys, False
            reply = self._ask("SCAN", cursor, *options)
            if not isinstance(reply, list):
                return keys, False
            cursor = _text(reply[0])
            keys += reply[1]
            if cursor == "0":
                break
        return list(dict.fromkeys(keys))[:most], True

    def _look_at(self, database: int, keys: Sequence[bytes]) -> list[tuple[int, str, str, bool, int]]:
        commands: list[list[Any]] = []
        for key in keys:
            commands += [["TYPE", key], ["PTTL", key], ["MEMORY", "USAGE", key]]
        replies = self._connection.execute_many(commands)
        found = []
        for place, key in enumerate(keys):
            kind, ttl, size = replies[3 * place : 3 * place + 3]
            if kind != "none":  # gone in the meantime
                found.append((database, _text(kind), pattern_of(key), ttl == -1, size if isinstance(size, int) else 0))
        return found

    def streams(self, databases: Sequence[int]) -> tuple[Stream, ...]:
        """All streams, as far as there is time to look for them. SCAN takes a type from Redis 6.0."""
        deadline = self._clock() + STREAM_SECONDS
        found: list[Stream] = []
        for database in databases:
            keys, _whole = self._scan(database, STREAMS_SHOWN, deadline, "COUNT", "1000", "TYPE", "stream")
            found += [self._stream(database, key) for key in keys]
        return tuple(found)

    def _stream(self, database: int, key: bytes) -> Stream:
        length, groups = self._connection.execute_many([["XLEN", key], ["XINFO", "GROUPS", key]])
        names, pending = [], 0
        for group in groups if isinstance(groups, list) else []:
            fields = dict(zip([_text(name) for name in group[::2]], group[1::2]))
            names.append(_text(fields["name"]))
            pending += int(fields["pending"])
        return Stream(database, pattern_of(key), length if isinstance(length, int) else 0, tuple(names), pending)


def _without(own: str, listed: str) -> tuple[Client, ...]:
    """CLIENT LIST but for the connection with the id ``own``."""
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
        databases=tuple(sorted({int(line.get("db", "0")) for line in lines})),
        blocking="b" in flags or bool(commands & BLOCKING),
        pubsub="P" in flags,
        monitor="O" in flags,
        replica="S" in flags,
    )


def pattern_of(key: bytes) -> str:
    """``session:8f3a91:cart`` as ``session:*:cart``: parts that tell one key from another are left out."""
    text = key.decode("utf-8", "backslashreplace")
    parts = re.split(r"([:/|.])", text)
    shown = "".join("*" if re.search(r"[\d\\@]", part) or len(part) > 24 else part for part in parts)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _grouped(seen: Sequence[tuple[int, str, str, bool, int]]) -> tuple[KeyGroup, ...]:
    keys: Counter[tuple[int, str, str]] = Counter()
    without_ttl: Counter[tuple[int, str, str]] = Counter()
    size: Counter[tuple[int, str, str]] = Counter()
    for database, kind, pattern, is_lasting, used in seen:
        group = (database, kind, pattern)
        keys[group] += 1
        without_ttl[group] += is_lasting
        size[group] += used
    return tuple(KeyGroup(*group, keys[group], without_ttl[group], size[group]) for group, _n in keys.most_common())


def _commands(stats: Info) -> tuple[str, ...]:
    """All commands that were ever called, as ``get`` or ``config|set``."""
    return tuple(sorted(name[len("cmdstat_") :] for name in stats if name.startswith("cmdstat_")))


def _number(info: Info, name: str) -> int:
    value = info.get(name, 0)
    return int(value) if isinstance(value, (int, float)) else 0


def _text(reply: object) -> str:
    return reply.decode("utf-8", "backslashreplace") if isinstance(reply, bytes) else str(reply)
