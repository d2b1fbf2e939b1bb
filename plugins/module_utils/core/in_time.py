# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An end for a call that cannot be given one itself. Standard library only."""

from __future__ import annotations

import collections
import threading
import time
from typing import Callable, Mapping, TypeVar

Answer = TypeVar("Answer")

AT_ONCE = 64  # calls: how many are to be made may be the word of others


def in_time(call: Callable[[], Answer], seconds: float) -> Answer | None:
    """What the call returns; None where the time, in seconds, is up. Then it goes on for as long as this process.

    Raises what the call raised.
    """
    return all_in_time({"": call}, seconds).get("")


def all_in_time(calls: Mapping[str, Callable[[], Answer]], seconds: float) -> dict[str, Answer]:
    """What each of the calls returns, AT_ONCE of them made at once; those whose time is up are missing, as are those
    that were not begun by then. Raises what a call raised.
    """
    found: dict[str, Answer] = {}
    raised: list[Exception] = []
    waiting = collections.deque(calls.items())
    deadline = time.monotonic() + seconds

    def ask() -> None:
        while time.monotonic() < deadline:
            try:
                name, call = waiting.popleft()
            except IndexError:  # others took the last
                return
            try:
                found[name] = call()
            except Exception as error:
                raised.append(error)

    asking = [threading.Thread(target=ask, daemon=True) for _call in range(min(len(calls), AT_ONCE))]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(max(0.0, deadline - time.monotonic()))
    if raised:
        raise raised[0]
    return dict(found)
