"""Parameters of MemoryDB's families: what AWS lists, what may be set, and what the engine is told.

Names as AWS's guide lists them ("Engine specific parameters"); the common ones, not all. MemoryDB has no parameter for
databases, and keeps none of the memory in reserve; by default nothing is evicted.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.aws.elasticache.parameters import COMMON, Parameter
from sandbox.aws.elasticache.parameters import engine_settings as settings_of
from sandbox.aws.memorydb.catalogue import VERSIONS
from sandbox.aws.memorydb.state import ParameterGroup

_NAMES = (
    *("active-defrag-cycle-max", "active-defrag-cycle-min", "active-defrag-ignore-bytes"),
    *("active-defrag-max-scan-fields", "active-defrag-threshold-lower", "active-defrag-threshold-upper"),
    *("activedefrag", "activerehashing", "hll-sparse-max-bytes", "lazyfree-lazy-eviction", "lazyfree-lazy-expire"),
    *("lazyfree-lazy-server-del", "lazyfree-lazy-user-del", "lfu-decay-time", "lfu-log-factor"),
    *("list-compress-depth", "maxmemory-policy", "maxmemory-samples", "notify-keyspace-events"),
    *("set-max-intset-entries", "slowlog-log-slower-than", "slowlog-max-len", "stream-node-max-bytes"),
    *("stream-node-max-entries", "tcp-keepalive", "timeout", "tracking-table-max-keys"),
    *("hash-max-listpack-entries", "hash-max-listpack-value", "list-max-listpack-size"),
    *("zset-max-listpack-entries", "zset-max-listpack-value"),
    *(
        f"client-output-buffer-limit-{kind}-{part}"
        for kind in ("normal", "pubsub")
        for part in ("hard-limit", "soft-limit", "soft-seconds")
    ),
)
_DEFAULTS = {"maxmemory-policy": "noeviction"}


def _of_memorydb(parameter: Parameter, family: str) -> Parameter:
    name = parameter.name.replace("listpack", "ziplist") if family == "memorydb_redis6" else parameter.name
    return replace(parameter, name=name, default=_DEFAULTS.get(parameter.name, parameter.default))


FAMILIES: dict[str, dict[str, Parameter]] = {
    family: {found.name: found for found in (_of_memorydb(each, family) for each in COMMON if each.name in _NAMES)}
    for family in dict.fromkeys(version.family for version in VERSIONS)
}


def engine_settings(group: ParameterGroup) -> list[tuple[str, str]]:
    """The group's values as directives of the engine's configuration. All can be changed while it runs."""
    values = {name: group.values.get(name, each.default) for name, each in FAMILIES[group.family].items()}
    return settings_of(values)


def first_version(family: str) -> str:
    return next(version.full for version in VERSIONS if version.family == family)
