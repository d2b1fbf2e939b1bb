"""Parameters of the Redis OSS and Valkey families: what AWS lists, what may be set, and what the engine is told.

Names, defaults and ranges as AWS's guide lists them ("Redis OSS parameters"); the common ones, not all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sandbox.aws.elasticache.catalogue import VERSIONS
from sandbox.aws.elasticache.state import ParameterGroup

IMMEDIATE, REBOOT = "immediate", "requires-reboot"
POLICIES = "volatile-lru,allkeys-lru,volatile-lfu,allkeys-lfu,volatile-random,allkeys-random,volatile-ttl,noeviction"


@dataclass(frozen=True)
class Parameter:
    """`told` is whether the engine is told; where it is not, the sandbox knows the default value alone."""

    name: str
    default: str
    data_type: str
    allowed: str
    change: str = IMMEDIATE
    modifiable: bool = True
    told: bool = True

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
    _untold(_yes_no("cluster-enabled", "no", REBOOT)),
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
    _untold(_integer("reserved-memory", 0)),
    _integer("reserved-memory-percent", 25, "0-100"),
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
# Before 7 the compact encodings are ziplists, and their parameters are named so.
FAMILIES: dict[str, dict[str, Parameter]] = {
    version.family: {
        parameter.name: parameter
        for parameter in (
            COMMON
            if version.number >= (7,)
            else [replace(p, name=p.name.replace("listpack", "ziplist")) for p in COMMON]
        )
    }
    for version in VERSIONS
}
BUFFER_LIMIT, LIMITS = "client-output-buffer-limit", ("hard-limit", "soft-limit", "soft-seconds")


def effective_values(group: ParameterGroup) -> dict[str, str]:
    """Every parameter of the group: what was set, else the family's default."""
    return {name: group.values.get(name, parameter.default) for name, parameter in FAMILIES[group.family].items()}


def engine_settings(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """The values as directives of the engine's configuration. Reserved memory is not one: it makes maxmemory less."""
    told = {p.name for family in FAMILIES.values() for p in family.values() if p.told} - {"reserved-memory-percent"}
    plain = [(name, value) for name, value in values.items() if name in told and not name.startswith(BUFFER_LIMIT)]
    limits = [
        ("client-output-buffer-limit", " ".join([kind, *(values[f"{BUFFER_LIMIT}-{kind}-{part}"] for part in LIMITS)]))
        for kind in ("normal", "pubsub")
    ]
    return plain + limits


def first_version(family: str) -> str:
    """What DescribeCacheParameters gives as MinimumEngineVersion."""
    return next(version.full for version in VERSIONS if version.family == family)


def needs_reboot(name: str) -> bool:
    return any(name in family and family[name].change == REBOOT for family in FAMILIES.values())


def waits_for_reboot(applied: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether a node that runs with `applied` needs a reboot to run with `wanted`."""
    return any(applied.get(name) != value for name, value in wanted.items() if needs_reboot(name))
