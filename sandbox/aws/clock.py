"""The sandbox's time, in one place. It can run ahead of the machine's, so that a rehearsal need not wait for days.

The local AWS tells it in the Date header of every answer, which is where the product takes its time from.
"""

from __future__ import annotations

import datetime

_ahead = datetime.timedelta()


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc) + _ahead


def advance(seconds: float) -> datetime.datetime:
    """Let time jump forward, and return what it is then. It never goes back."""
    global _ahead  # noqa: PLW0603 - one process has one time
    if seconds < 0:
        raise ValueError(f"advance_seconds is {seconds:g}: time goes forward only")
    _ahead += datetime.timedelta(seconds=seconds)
    return now()
