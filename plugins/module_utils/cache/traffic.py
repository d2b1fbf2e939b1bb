# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How much a cache has to do: what is looked up in it and found, or not, and what is written. Reads only."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable, Iterable

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import Asking
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Info, parse_info, whole
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.writes import calls_of, that_write


@dataclass(frozen=True)
class Traffic:
    """Each a second, over so many ``seconds``. ``writes`` are calls of commands that write; None where the server does
    not tell which these are.
    """

    seconds: float
    hits: float
    misses: float
    writes: float | None = None

    @property
    def lookups(self) -> float:
        return self.hits + self.misses


@dataclass(frozen=True)
class Counted:
    """Since the server was started, or its statistics were reset, at one moment of a clock."""

    at: float
    hits: int
    misses: int
    calls: dict[str, int]


class Meter:
    def __init__(self, asking: Asking, clock: Callable[[], float] = time.monotonic) -> None:
        self._asking = asking
        self._clock = clock

    def read(self) -> Counted:
        """Raises NotRedis."""
        stats = parse_info(self._asking.text("INFO", "stats"))
        calls = calls_of(self._asking.text("INFO", "commandstats"))
        return Counted(self._clock(), _number(stats, "keyspace_hits"), _number(stats, "keyspace_misses"), calls)

    def watched(self, seconds: float, sleep: Callable[[float], None] = time.sleep) -> Traffic | None:
        """What went on for so long, in which nothing is asked; None for no time."""
        if seconds <= 0:
            return None
        before = self.read()
        sleep(seconds)
        now = self.read()
        return self._between(before, now, now.at - before.at)

    def on_average(self, uptime: int) -> Traffic | None:
        """Since its start, ``uptime`` seconds ago; None where that is not known."""
        return self._between(Counted(0.0, 0, 0, {}), self.read(), uptime) if uptime > 0 else None

    def _between(self, before: Counted, now: Counted, seconds: float) -> Traffic:
        writes = self._writes(now.calls)
        more = None if writes is None else sum(now.calls[name] - before.calls.get(name, 0) for name in writes)
        return Traffic(
            seconds,
            max(0, now.hits - before.hits) / seconds,
            max(0, now.misses - before.misses) / seconds,
            None if more is None else max(0, more) / seconds,
        )

    def _writes(self, calls: dict[str, int]) -> list[str] | None:
        names = sorted(calls)
        told = self._asking.ask("COMMAND", "INFO", *names) if names else None
        return that_write(names, told) if isinstance(told, list) else None


def together(each: Iterable[Traffic | None]) -> Traffic | None:
    """Of several servers at once; None where one of them was not seen."""
    seen = list(each)
    known = [one for one in seen if one is not None]
    if not known or len(known) < len(seen):
        return None
    writes = [one.writes for one in known if one.writes is not None]
    return Traffic(
        min(one.seconds for one in known),
        sum(one.hits for one in known),
        sum(one.misses for one in known),
        sum(writes) if len(writes) == len(known) else None,
    )


def _number(stats: Info, name: str) -> int:
    """0 where it is not told. Raises NotRedis."""
    return whole(str(stats.get(name, 0)), name)
