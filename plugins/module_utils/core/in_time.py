# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An end for a call that cannot be given one itself. Standard library only."""

from __future__ import annotations

import threading
from typing import Callable, TypeVar

Answer = TypeVar("Answer")


def in_time(call: Callable[[], Answer], seconds: float) -> Answer | None:
    """What the call returns; None where the time, in seconds, is up. Then it goes on for as long as this process."""
    found: list[Answer] = []
    asking = threading.Thread(target=lambda: found.append(call()), daemon=True)
    asking.start()
    asking.join(seconds)
    return found[0] if found else None
