"""The daily snapshot window and the weekly maintenance window: what AWS takes, and what it picks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.aws.wire import Refusal

CLOCK = r"([01]\d|2[0-3]):([0-5]\d)"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
SHORTEST = 60  # minutes
# AWS picks at random within the region's night; what is always the same is easier to read.
SNAPSHOT, MAINTENANCE = "05:00-06:00", "sun:23:00-mon:01:30"
Span = tuple[int, int]  # minutes of the week that it begins at, and that it lasts


def snapshot(given: str) -> list[Span]:
    """The window on each day of the week."""
    found = re.fullmatch(f"{CLOCK}-{CLOCK}", given)
    if not found:
        raise _refusal(f"SnapshotWindow {given!r} must be hh24:mi-hh24:mi.")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    begin, lasts = hour * 60 + minute, (to_hour * 60 + to_minute - hour * 60 - minute) % DAY_MINUTES
    if lasts < SHORTEST:
        raise _refusal(f"Snapshot window must be at least {SHORTEST} minutes.")
    return [(day * DAY_MINUTES + begin, lasts) for day in range(7)]


def maintenance(given: str) -> Span:
    found = re.fullmatch(f"({'|'.join(DAYS)}):{CLOCK}-({'|'.join(DAYS)}):{CLOCK}", given.lower())
    if not found:
        raise _refusal(f"PreferredMaintenanceWindow {given!r} must be ddd:hh24:mi-ddd:hh24:mi.")
    day, hour, minute, to_day, to_hour, to_minute = found.groups()
    begin = DAYS.index(day) * DAY_MINUTES + int(hour) * 60 + int(minute)
    end = DAYS.index(to_day) * DAY_MINUTES + int(to_hour) * 60 + int(to_minute)
    if (end - begin) % WEEK_MINUTES < SHORTEST:
        raise _refusal(f"Maintenance window must be at least {SHORTEST} minutes.")
    return begin, (end - begin) % WEEK_MINUTES


def overlap(snapshot_window: str, maintenance_window: str) -> bool:
    begin, lasts = maintenance(maintenance_window)
    return any(
        (at - begin) % WEEK_MINUTES < lasts or (begin - at) % WEEK_MINUTES < long
        for at, long in snapshot(snapshot_window)
    )


def check(snapshot_window: str, maintenance_window: str) -> None:
    """Also where no snapshots are taken: AWS does not look at the retention."""
    if overlap(snapshot_window, maintenance_window):
        raise _refusal("The snapshot window and maintenance window must not overlap.")


def chosen(snapshot_window: str | None, maintenance_window: str | None) -> tuple[str, str]:
    """Both windows; what was not stated is picked so that it does not overlap."""
    if snapshot_window is None:
        weekly = maintenance_window or MAINTENANCE
        free = (daily for daily in _daily() if not overlap(daily, weekly))
        return next(free, SNAPSHOT), weekly
    if maintenance_window is None:
        maintenance_window = next((w for w in _weekly() if not overlap(snapshot_window, w)), MAINTENANCE)
    return snapshot_window, maintenance_window


def _daily() -> Iterator[str]:
    yield SNAPSHOT
    yield from (f"{hour:02}:00-{hour + 1:02}:00" for hour in range(23))


def _weekly() -> Iterator[str]:
    yield MAINTENANCE
    yield from (f"sun:{hour:02}:00-sun:{hour + 1:02}:00" for hour in range(23))


def _refusal(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
