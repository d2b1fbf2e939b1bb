# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an engine says of itself, as typed data. Pure: takes the text of INFO and CLIENT LIST.

An engine has numbers of 64 bits. What is longer is none, and neither is a digit of another alphabet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Mapping, Union

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import NotRedis

InfoValue = Union[str, int, float]
Info = Dict[str, InfoValue]

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,19}\.[0-9]{1,19}")


def parse_info(text: str) -> Info:
    """INFO as a flat mapping; numbers are numbers, and everything else stays text."""
    info: Info = {}
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if colon and not name.startswith("#"):
            info[name] = _typed(value)
    return info


def _typed(value: str) -> InfoValue:
    if _WHOLE.fullmatch(value):
        return int(value)
    if _DECIMAL.fullmatch(value):
        return float(value)
    return value


def whole(text: str, what: str) -> int:
    """The number that it says. Raises NotRedis where that is none; ``what`` it is of is a phrase."""
    if not _WHOLE.fullmatch(text):
        raise NotRedis(f"{what} is {text[:20]!r}, which is no number")
    return int(text)


def major(version: str) -> int:
    """The first number of a version; 0 where it has none."""
    first = version.partition(".")[0]
    return int(first) if _WHOLE.fullmatch(first) else 0


def keyspace(info: Mapping[str, InfoValue]) -> dict[int, dict[str, int]]:
    """``{0: {count: 10, expires: 2}}`` from the lines ``db0:keys=10,expires=2,avg_ttl=0`` of INFO. Raises NotRedis."""
    databases = {}
    for name, value in info.items():
        found = re.fullmatch(r"db([0-9]{1,9})", name)
        if found:
            fields = dict(part.partition("=")[::2] for part in str(value).split(","))
            databases[int(found.group(1))] = {
                counted: whole(fields.get(field, "0"), f"{field} of {name}")
                for counted, field in (("count", "keys"), ("expires", "expires"))
            }
    return databases


def parse_client(line: str) -> dict[str, str]:
    """One line of CLIENT LIST, or CLIENT INFO: ``id=3 addr=10.0.0.1:5000 name= … cmd=get``."""
    return dict(part.partition("=")[::2] for part in line.split(" ") if "=" in part)


def address_of(place: str) -> str:
    """The address without its port: ``10.0.0.1:5000`` and ``[fd00::1]:5000``; a unix socket stays a path."""
    return place.rpartition(":")[0].strip("[]") if not place.startswith("/") else place


@dataclass(frozen=True)
class Server:
    """Which engine answers, and as what: ``role`` is master, slave or unknown."""

    engine: str = "unknown"
    version: str = ""
    role: str = "unknown"
    mode: str = "unknown"


def server_of(info: Mapping[str, InfoValue]) -> Server:
    """Valkey keeps a redis_version for old clients and says its own beside it."""
    valkey = str(info.get("valkey_version", ""))
    version = valkey or str(info.get("redis_version", ""))
    mode = "cluster" if info.get("cluster_enabled") == 1 else str(info.get("redis_mode", "unknown"))
    return Server(
        engine="valkey" if valkey else "redis" if version else "unknown",
        version=version,
        role=str(info.get("role", "unknown")),
        mode=mode,
    )
