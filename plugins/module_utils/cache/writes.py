# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How often a server was told to write, by which it can be seen later whether anybody wrote since.

Its replication offset does not tell that: keys that expire or are evicted go to replicas as deletions, and a server
pings its replicas. A server counts the calls of each command (https://redis.io/docs/latest/commands/info/), and knows
which commands write (https://redis.io/docs/latest/commands/command-info/).
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_info, whole
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection

_STATISTIC = "cmdstat_"
_FLAGS = 2  # in each answer of COMMAND INFO, after name and arity

# Before Redis 7 a command that was renamed is counted under its own name, which the server then does not know.
_NEVER_WRITE = frozenset(["client", "command", "config", "debug", "info", "keys", "latency", "monitor", "slowlog"])


def read_writes(connection: Connection) -> dict[str, Any]:
    """``{life, calls}``: an id that each start of the server has anew, and the calls of each command that writes."""
    life = parse_info(connection.ask("INFO", "server")).get("run_id", "")
    calls = calls_of(connection.ask("INFO", "commandstats"))
    names = sorted(calls)
    told = connection.execute("COMMAND", "INFO", *names) if names else []
    return {"life": str(life), "calls": {name: calls[name] for name in that_write(names, told)}}


def that_write(names: Sequence[str], told: Any) -> list[str]:
    """Those of ``names`` that may write, by the answer to COMMAND INFO of all of them."""
    known = dict(zip(names, told if isinstance(told, list) else []))
    return [name for name in names if _may_write(name, known.get(name))]


def calls_of(commandstats: str) -> dict[str, int]:
    """``{set: 3}`` from the lines ``cmdstat_set:calls=3,usec=…``. Raises NotRedis."""
    found = {}
    for name, value in parse_info(commandstats).items():
        calls = re.match(r"calls=([^,]*)", str(value))
        if name.startswith(_STATISTIC) and calls:
            found[name[len(_STATISTIC) :]] = whole(calls.group(1), name)
    return found


def _may_write(name: str, told: Any) -> bool:
    """Any other command that the server does not know by that name may write too."""
    if not isinstance(told, list) or len(told) <= _FLAGS:
        return name not in _NEVER_WRITE
    return any(flag in (b"write", "write") for flag in told[_FLAGS])


def since(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, int]:
    """The calls by command between two readings of one life."""
    found = {name: count - before["calls"].get(name, 0) for name, count in now["calls"].items()}
    return {name: count for name, count in found.items() if count}
