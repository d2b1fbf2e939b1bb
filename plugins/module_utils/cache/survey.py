# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The old Redis, read: what it is, what it holds, who uses it. Reads only, and never for long."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures, following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import Asking, fields_in, text
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client, without
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    Info,
    Server,
    keyspace,
    major,
    parse_info,
    server_of,
    whole,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure, ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import (
    KeyGroup,
    Keys,
    LargeKey,
    Stream,
    pattern_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    NotRedis,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import Meter, Traffic
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS, parse_url

_MOST_CHANNELS = 10_000
_CHANNELS_SHOWN = 20


@dataclass(frozen=True)
class Source:
    """Numbers are as INFO has them: memory in bytes; since the start, ``uptime`` seconds ago, the commands, the bytes
    over the network and the seconds of CPU. ``run_id`` tells one server from another, whatever leads to it.
    ``not_told`` are commands that the server refused to this user. ``keyspace_events`` is as its parameter has it.
    ``queue_libraries`` are words of cache.queue_libraries. ``lives``, ``largest`` and ``payload`` are as Sample has
    them. ``channels`` are those with subscribers, as patterns, of so many (``subscribed``); ``subscribed_patterns`` are
    what else is listened to. ``may_follow`` is a word of cache.following, ``scripts`` how many it keeps by their hash.
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
    streams_complete: bool = True
    functions: tuple[str, ...] = ()
    keyspace_events: str = ""
    queue_libraries: tuple[str, ...] = ()
    queue_libraries_complete: bool = True
    uptime: int = 0
    commands_processed: int = 0
    net_bytes: int = 0
    cpu_seconds: float = 0.0
    lives: dict[str, int] = field(default_factory=dict)
    largest: tuple[LargeKey, ...] = ()
    payload: int | None = None
    now: Traffic | None = None
    on_average: Traffic | None = None
    subscribed: int = 0
    subscribed_patterns: int = 0
    channels: tuple[str, ...] = ()
    scripts: int = 0
    may_follow: str = following.UNKNOWN

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
        values["largest"] = tuple(LargeKey(**key) for key in told.get("largest") or ())
        for name in ("now", "on_average"):
            values[name] = Traffic(**told[name]) if told.get(name) else None
        for name in ("commands", "modules", "not_told", "functions", "queue_libraries", "channels"):
            values[name] = tuple(told.get(name) or ())
        return cls(**values)


def _tuples(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, (list, tuple)) else value for name, value in told.items()}


@dataclass(frozen=True)
class SurveyQuestion:
    """Which cache is to be read. ``seconds`` bounds each answer; ``sample`` is how many keys of a database are seen,
    ``watch`` for how many seconds its traffic is watched.

    ``tls_as_app``, ``compares_names`` and ``protocol`` are as Question has them.
    """

    url: str = field(repr=False)
    seconds: float = 5.0
    sample: int = 1000
    watch: float = 0.0
    ca_certs: str = ""
    tls_as_app: bool = False
    compares_names: bool = True
    protocol: str = REDIS


@dataclass(frozen=True)
class Surveyed:
    """What was read, or why it could not be."""

    source: Source | None = None
    failure: Failure | None = None


def as_probe(question: SurveyQuestion) -> Question:
    """What leads to a conversation in which it can be answered."""
    return Question(
        url=question.url,
        expected_role="any",
        seconds=question.seconds,
        ca_certs=question.ca_certs,
        tls_as_app=question.tls_as_app,
        compares_names=question.compares_names,
        protocol=question.protocol,
    )


def keyspace_of(sources: Sequence[Source]) -> dict[int, dict[str, int]]:
    """Of several together."""
    found: dict[int, Counter[str]] = {}
    for source in sources:
        for number, counts in source.keyspace.items():
            found.setdefault(number, Counter()).update(counts)
    return {number: dict(counts) for number, counts in found.items()}


def lives_of(sources: Sequence[Source]) -> dict[str, int]:
    """Of several together."""
    found: Counter[str] = Counter()
    for source in sources:
        found.update(source.lives)
    return dict(found)


def survey(question: SurveyQuestion) -> Surveyed:
    """Raises EndpointError where the URL cannot be read."""
    try:
        with session(as_probe(question)) as connection:
            return Surveyed(read_source(connection, parse_url(question.url).database, question.sample, question.watch))
    except ProbeFailed as failed:
        return Surveyed(failure=failed.failure)
    except CacheError as error:
        return Surveyed(failure=failures.not_told(parse_url(question.url), str(error)))


def read_source(connection: Connection, database: int, sample: int, watch: float = 0.0) -> Source:
    """``database`` is the one that it is at. Raises CacheError where even INFO is not answered."""
    info = parse_info(connection.ask("INFO"))
    asking, databases, server = Asking(connection), keyspace(info), server_of(info)
    meter = Meter(asking)
    on_average, now = meter.on_average(_number(info, "uptime_in_seconds")), meter.watched(watch)  # before we look up
    keys = Keys(asking, database)
    seen = keys.sample(sorted(databases), sample)
    streams, streams_complete = keys.streams(sorted(databases), by_type=major(server.version) >= 6)
    libraries, libraries_complete = keys.queue_libraries(sorted(databases))
    config = _config(asking, "databases", "save", "notify-keyspace-events")
    return Source(
        server=server,
        used_memory=_number(info, "used_memory"),
        used_memory_peak=_number(info, "used_memory_peak"),
        maxmemory=_number(info, "maxmemory"),
        maxmemory_policy=str(info.get("maxmemory_policy", "")),
        evicted_keys=_number(info, "evicted_keys"),
        operations_per_second=_number(info, "instantaneous_ops_per_sec"),
        databases=whole(config["databases"], "databases") if "databases" in config else None,
        keyspace=databases,
        sampled=seen.count,
        sample_complete=seen.is_complete,
        key_groups=seen.groups,
        streams=streams,
        clients=without(asking.text("CLIENT", "ID"), asking.text("CLIENT", "LIST")),
        commands=_commands(parse_info(asking.text("INFO", "commandstats"))),
        modules=_named(asking.ask("MODULE", "LIST"), "name"),
        saves=_saves(config, info),
        appends=info.get("aof_enabled") == 1,
        run_id=str(info.get("run_id", "")),
        streams_complete=streams_complete,
        functions=_named(asking.ask("FUNCTION", "LIST"), "library_name") if major(server.version) >= 7 else (),
        keyspace_events=config.get("notify-keyspace-events", ""),
        queue_libraries=libraries,
        queue_libraries_complete=libraries_complete,
        uptime=_number(info, "uptime_in_seconds"),
        commands_processed=_number(info, "total_commands_processed"),
        net_bytes=_number(info, "total_net_input_bytes") + _number(info, "total_net_output_bytes"),
        cpu_seconds=_decimal(info, "used_cpu_sys") + _decimal(info, "used_cpu_user"),
        lives=seen.lives,
        largest=seen.largest,
        payload=seen.payload,
        now=now,
        on_average=on_average,
        subscribed=_number(info, "pubsub_channels"),
        subscribed_patterns=_number(info, "pubsub_patterns"),
        channels=_channels(asking, _number(info, "pubsub_channels")),
        scripts=_number(info, "number_of_cached_scripts"),
        may_follow=following.may_follow(connection, major(server.version)),
        not_told=tuple(asking.not_told),
    )


def read_persistence(connection: Connection, info: Info) -> dict[str, Any]:
    """Whether its data is on its disk once it ends: an append-only file, save points, and what neither holds yet."""
    return {
        "appends": info.get("aof_enabled") == 1,
        "saves": _saves(_config(Asking(connection), "save"), info),
        "unsaved_changes": _number(info, "rdb_changes_since_last_save"),
    }


def _saves(config: Mapping[str, str], info: Info) -> bool:
    """CONFIG may be renamed or denied: INFO tells whether it ever saved."""
    return bool(config["save"]) if "save" in config else _number(info, "rdb_last_bgsave_time_sec") >= 0


def _config(asking: Asking, *names: str) -> dict[str, str]:
    """Those that it tells."""
    found: dict[str, str] = {}
    for name in names:
        reply = asking.ask("CONFIG", "GET", name)
        if isinstance(reply, list) and len(reply) == 2:
            found[name] = text(reply[1])
    return found


def _channels(asking: Asking, count: int) -> tuple[str, ...]:
    """As patterns, like keys; none where there are so many that the answer would be long."""
    reply = asking.ask("PUBSUB", "CHANNELS") if 0 < count <= _MOST_CHANNELS else []
    names = [one if isinstance(one, bytes) else text(one).encode() for one in reply] if isinstance(reply, list) else []
    return tuple(sorted({pattern_of(name) for name in names})[:_CHANNELS_SHOWN])


def _named(reply: object, field_name: str) -> tuple[str, ...]:
    """The names of modules or libraries, each of which is told with its fields."""
    found = []
    for one in reply if isinstance(reply, list) else []:
        fields_of_it = fields_in(one)
        if field_name not in fields_of_it:
            raise NotRedis(f"it tells of a module or library without its {field_name}")
        found.append(text(fields_of_it[field_name]))
    return tuple(sorted(found))


def _commands(stats: Info) -> tuple[str, ...]:
    """All commands that were ever called, as ``get`` or ``config|set``."""
    return tuple(sorted(name[len("cmdstat_") :] for name in stats if name.startswith("cmdstat_")))


def _number(info: Info, name: str) -> int:
    """0 where it is not told. Raises NotRedis."""
    return whole(str(info.get(name, 0)), name)


def _decimal(info: Info, name: str) -> float:
    value = info.get(name, 0.0)
    if isinstance(value, str):
        raise NotRedis(f"{name} is {value[:20]!r}, which is no number")
    return float(value)
