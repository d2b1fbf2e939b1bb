"""Parameters of the Redis OSS and Valkey families: what AWS lists, what may be set, and what the engine is told.

Names, defaults and ranges as AWS's guide lists them ("Redis OSS parameters"); the common ones, not all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.aws.elasticache.catalogue import REPLICATION_ENGINES, VERSIONS, Version
from sandbox.aws.elasticache.state import ParameterGroup

IMMEDIATE, REBOOT = "immediate", "requires-reboot"
CLUSTER_ENABLED, RESERVED, RESERVED_PERCENT = "cluster-enabled", "reserved-memory", "reserved-memory-percent"
POLICIES = "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction"


@dataclass(frozen=True)
class Parameter:
    """`told` is whether the engine is told; where it is not, the sandbox knows the default value alone.

    Except what is `kept` only: AWS stores that too, and the engine itself has no use for it.
    """

    name: str
    default: str
    data_type: str
    allowed: str
    change: str = IMMEDIATE
    modifiable: bool = True
    told: bool = True
    kept: bool = False

    def accepts(self, value: str) -> bool:
        if self.data_type == "integer":
            low, _, high = self.allowed.rpartition("-") if self.allowed.count("-") == 1 else _signed(self.allowed)
            return bool(re.fullmatch(r"-?\d+", value)) and int(low) <= int(value) <= int(high)
        return not self.allowed or value in self.allowed.split(",")


def _signed(allowed: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(-?\d+)-(-?\d+)", allowed)
    assert found, allowed
    return found[1], "-", found[2]


def _integer(name: str, default: int, allowed: str = "0-2147483647", change: str = IMMEDIATE) -> Parameter:
    return Parameter(name, str(default), "integer", allowed, change)


def _yes_no(name: str, default: str, change: str = IMMEDIATE) -> Parameter:
    return Parameter(name, default, "string", "yes,no", change)


def _fixed(name: str, default: str, data_type: str, allowed: str = "") -> Parameter:
    return Parameter(name, default, data_type, allowed, modifiable=False, told=False)


def _untold(parameter: Parameter) -> Parameter:
    return replace(parameter, told=False)


def _kept(parameter: Parameter) -> Parameter:
    return replace(parameter, told=False, kept=True)


COMMON = (
    _integer("active-defrag-cycle-max", 75, "1-75"),
    _integer("active-defrag-cycle-min", 5, "1-75"),
    _integer("active-defrag-ignore-bytes", 104857600),
    _integer("active-defrag-max-scan-fields", 1000, "1-1000000"),
    _integer("active-defrag-threshold-lower", 10, "1-100"),
    _integer("active-defrag-threshold-upper", 100, "1-100"),
    _untold(_yes_no("activedefrag", "no")),  # engines without jemalloc refuse it
    _yes_no("activerehashing", "yes", REBOOT),
    _fixed("appendfsync", "everysec", "string", "always,everysec,no"),
    _fixed("appendonly", "no", "string", "yes,no"),
    _integer("client-output-buffer-limit-normal-hard-limit", 0),
    _integer("client-output-buffer-limit-normal-soft-limit", 0),
    _integer("client-output-buffer-limit-normal-soft-seconds", 0),
    _integer("client-output-buffer-limit-pubsub-hard-limit", 33554432),
    _integer("client-output-buffer-limit-pubsub-soft-limit", 8388608),
    _integer("client-output-buffer-limit-pubsub-soft-seconds", 60),
    _kept(_yes_no(CLUSTER_ENABLED, "no", REBOOT)),
    _yes_no("cluster-require-full-coverage", "no"),
    _integer("databases", 16, "1-1200000", REBOOT),
    _integer("hash-max-listpack-entries", 512),
    _integer("hash-max-listpack-value", 64),
    _integer("hll-sparse-max-bytes", 3000, "1-16000"),
    _yes_no("lazyfree-lazy-eviction", "no"),
    _yes_no("lazyfree-lazy-expire", "no"),
    _yes_no("lazyfree-lazy-server-del", "no"),
    _yes_no("lazyfree-lazy-user-del", "no"),
    _integer("lfu-decay-time", 1),
    _integer("lfu-log-factor", 10, "1-2147483647"),
    _integer("list-compress-depth", 0),
    _integer("list-max-listpack-size", -2, "-5-2147483647", REBOOT),
    _fixed("lua-time-limit", "5000", "integer", "5000"),
    _fixed("maxclients", "65000", "integer", "1-65000"),
    Parameter("maxmemory-policy", "volatile-lru", "string", POLICIES),
    _integer("maxmemory-samples", 3, "1-2147483647"),
    _integer("min-replicas-max-lag", 10),
    _integer("min-replicas-to-write", 0),
    Parameter("notify-keyspace-events", "", "string", ""),
    _integer("proto-max-bulk-len", 536870912, "1048576-536870912"),
    _untold(Parameter("rename-commands", "", "string", "")),
    _integer("repl-backlog-size", 1048576, "16384-2147483647"),
    _integer("repl-backlog-ttl", 3600),
    _fixed("repl-timeout", "60", "integer", "11-60"),
    _fixed("replica-allow-chaining", "no", "string", "yes,no"),
    _yes_no("replica-lazy-flush", "no"),
    _kept(_integer(RESERVED, 0)),
    _kept(_integer(RESERVED_PERCENT, 25, "0-100")),
    _integer("set-max-intset-entries", 512),
    _integer("slowlog-log-slower-than", 10000, "-1-2147483647"),
    _integer("slowlog-max-len", 128),
    _integer("stream-node-max-bytes", 4096),
    _integer("stream-node-max-entries", 100),
    _integer("tcp-keepalive", 300),
    _integer("timeout", 0),
    _integer("tracking-table-max-keys", 1000000, "1-100000000"),
    _integer("zset-max-listpack-entries", 128),
    _integer("zset-max-listpack-value", 64),
)
SINCE_7 = (
    _yes_no("cluster-allow-pubsubshard-when-down", "yes"),
    _untold(Parameter("cluster-preferred-endpoint-type", "tls-dynamic", "string", "ip,tls-dynamic")),
)
SINCE_VALKEY_9 = (_untold(_integer("cluster-databases", 0, "0-10000", REBOOT)),)
# Append-only files ended with 2.8.22: their parameters stayed, without effect.
BEFORE_5 = {
    "appendonly": _kept(_yes_no("appendonly", "no")),
    "appendfsync": _kept(Parameter("appendfsync", "everysec", "string", "always,everysec,no")),
}
NEW_IN: dict[str, tuple[int, ...]] = {
    CLUSTER_ENABLED: (3, 2),
    "cluster-require-full-coverage": (3, 2),
    RESERVED_PERCENT: (3, 2),
    "lfu-decay-time": (4,),
    "lfu-log-factor": (4,),
    "tracking-table-max-keys": (6,),
    "lazyfree-lazy-user-del": (6,),
    "proto-max-bulk-len": (5,),
    "stream-node-max-bytes": (5,),
    "stream-node-max-entries": (5,),
    "rename-commands": (5, 0, 3),
}


def _of(version: Version) -> dict[str, Parameter]:
    """The parameters of the version's family. Before 7 the compact encodings are ziplists, before 5 replicas slaves."""
    number = version.number
    more = (*(SINCE_7 if number >= (7,) else ()), *(SINCE_VALKEY_9 if number >= (9,) else ()))
    found = [p for p in (*COMMON, *more) if NEW_IN.get(p.name, ()) <= number]
    if number < (7,):
        found = [replace(p, name=p.name.replace("listpack", "ziplist")) for p in found]
    if number < (5,):
        new = {p.name: BEFORE_5.get(p.name, p) for p in found}
        found = [replace(p, name=p.name.replace("replica", "slave")) for p in new.values()]
    return {parameter.name: parameter for parameter in found}


# As AWS lists them ("Memcached specific parameters"); all are taken when a node starts.
MEMCACHED = (
    _untold(_integer("backlog_queue_limit", 1024, change=REBOOT)),
    Parameter("binding_protocol", "auto", "string", "auto,binary,ascii", REBOOT),
    Parameter("cas_disabled", "0", "boolean", "0,1", REBOOT),
    _integer("chunk_size", 48, "1-1024", REBOOT),
    Parameter("chunk_size_growth_factor", "1.25", "float", "", REBOOT),
    Parameter("error_on_memory_exhausted", "0", "boolean", "0,1", REBOOT),
    _integer("idle_timeout", 0, "0-86400", REBOOT),
    _fixed("large_memory_pages", "0", "boolean", "0,1"),
    _fixed("lock_down_paged_memory", "0", "boolean", "0,1"),
    _integer("max_item_size", 1048576, "1024-1073741824", REBOOT),
    _fixed("max_simultaneous_connections", "65000", "integer", "3-65000"),
    _untold(_integer("memcached_connections_overhead", 100, "0-100000", REBOOT)),
    _fixed("requests_per_event", "20", "integer", "20-20"),
)
_MEMCACHED_FLAGS = {
    "max_item_size": "-I",
    "chunk_size": "-n",
    "chunk_size_growth_factor": "-f",
    "binding_protocol": "-B",
}
_MEMCACHED_SWITCHES = {"cas_disabled": "-C", "error_on_memory_exhausted": "-M"}

# A family has what its newest version has.
FAMILIES = {
    version.family: _of(version) if version.engine in REPLICATION_ENGINES else {p.name: p for p in MEMCACHED}
    for version in VERSIONS
}
BUFFER_LIMIT, LIMITS = "client-output-buffer-limit", ("hard-limit", "soft-limit", "soft-seconds")


def effective_values(group: ParameterGroup) -> dict[str, str]:
    """Every parameter of the group: what was set, else the family's default."""
    set_there = {**group.preset, **group.values}
    return {name: set_there.get(name, parameter.default) for name, parameter in FAMILIES[group.family].items()}


def engine_settings(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The values as directives of the engine's configuration."""
    told = {p.name for family in FAMILIES.values() for p in family.values() if p.told}
    plain = [(name, value) for name, value in values.items() if name in told and not name.startswith(BUFFER_LIMIT)]
    limits = [
        ("client-output-buffer-limit", " ".join([kind, *(values[f"{BUFFER_LIMIT}-{kind}-{part}"] for part in LIMITS)]))
        for kind in ("normal", "pubsub")
    ]
    return plain + limits


def memory_left(total: int, values: Mapping[str, str]) -> int:
    """The engine's maxmemory: what a node type has, without what the group keeps free. Bytes win over per cent."""
    reserved = int(values[RESERVED])
    if reserved:
        return max(total - reserved, 1)
    return max(total * (100 - int(values.get(RESERVED_PERCENT, "0"))) // 100, 1)


def memcached_options(values: Mapping[str, str]) -> list[str]:
    """The values as arguments of memcached; what its family does not have is its own default."""
    flags = [word for name, flag in _MEMCACHED_FLAGS.items() for word in (flag, values[name])]
    switches = [flag for name, flag in _MEMCACHED_SWITCHES.items() if values[name] == "1"]
    chunk = min(512, int(values["max_item_size"]) // 1024)  # memcached does not start with a larger one than an item
    return [*flags, *switches, "-o", f"slab_chunk_max={chunk},idle_timeout={values['idle_timeout']}"]


def first_version(family: str) -> str:
    """What DescribeCacheParameters gives as MinimumEngineVersion."""
    return next(version.full for version in VERSIONS if version.family == family)


def needs_reboot(name: str) -> bool:
    return any(name in family and family[name].change == REBOOT for family in FAMILIES.values())


def waits_for_reboot(applied: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a node that runs with `applied` needs a reboot to run with `wanted`."""
    return any(applied.get(name) != value for name, value in wanted.items() if needs_reboot(name))
