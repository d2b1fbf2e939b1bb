# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The daily window of snapshots and the weekly one of maintenance, both in UTC. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused

_CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60
_SHORTEST = 60

MAINTENANCE = "preferred_maintenance_window"  # as ElastiCache calls the weekly one


@dataclass(frozen=True)
class Window:
    """In minutes: from the beginning of the day or of the week."""

    begin: int
    length: int


def snapshot_window(window: str) -> Window:
    """Raises PlanRefused."""
    found = re.fullmatch(f"{_CLOCK}-{_CLOCK}", window)
    if found:
        times = [int(part) for part in found.groups()]
        begin = times[0] * 60 + times[1]
        length = (times[2] * 60 + times[3] - begin) % _DAY
        if length >= _SHORTEST:
            return Window(begin, length)
    raise PlanRefused(f"snapshot_window is {window!r}: write '05:00-06:00' (UTC), at least an hour", "snapshot_window")


def maintenance_window(window: str, option: str = MAINTENANCE) -> Window:
    """``option`` is what the module calls it. Raises PlanRefused."""
    day = f"({'|'.join(_DAYS)})"
    found = re.fullmatch(f"{day}:{_CLOCK}-{day}:{_CLOCK}", window)
    if found:
        parts = found.groups()
        begin = _week_minutes(parts[:3])
        length = (_week_minutes(parts[3:]) - begin) % (7 * _DAY)
        if length >= _SHORTEST:
            return Window(begin, length)
    raise PlanRefused(
        f"{option} is {window!r}: write 'sun:07:00-sun:08:00' (UTC), at least an hour",
        option,
    )


def _week_minutes(parts: tuple[str, ...]) -> int:
    return _DAYS.index(parts[0]) * _DAY + int(parts[1]) * 60 + int(parts[2])


def refuse_overlap(snapshot: str, maintenance: str, option: str, called: str = MAINTENANCE) -> None:
    """AWS takes no snapshot window that overlaps the maintenance window.

    ``option`` is the one that is stated, and ``called`` what the module calls the weekly one.
    """
    if not snapshot or not maintenance:
        return  # AWS chooses
    daily, weekly = snapshot_window(snapshot), maintenance_window(maintenance, called)
    apart = (weekly.begin - daily.begin) % _DAY
    if apart < daily.length or _DAY - apart < weekly.length or weekly.length >= _DAY:
        raise PlanRefused(
            f"snapshot_window {snapshot} overlaps {called} {maintenance}, and AWS refuses such a "
            "pair: choose another time for one of them",
            option,
        )
