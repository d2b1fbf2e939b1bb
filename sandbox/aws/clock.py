"""The sandbox's time, in one place, so that a rehearsal can later let it run faster."""

from __future__ import annotations

import datetime


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
