# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Services that stand still for a moment, in which what they read is changed: all stop and start at the same time.

One that ends what it has begun before it stops (a request that writes, a job) does so while its cache takes writes.
"""

from __future__ import annotations

import time
from typing import Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import Manager, ServiceError

_POLL_SECONDS = 0.03


class StandingStill:
    """``managers`` are those of the services, by their names. What cannot be stopped by itself goes on, and is
    restarted as ever.
    """

    def __init__(self, managers: Mapping[str, Manager], clock: Callable[[], float] = time.monotonic) -> None:
        self._managers, self._clock = managers, clock
        self._stopped: list[str] = []
        self.started_at: Mapping[str, float] = {}

    @property
    def any(self) -> bool:
        return bool(self._stopped)

    @property
    def is_all(self) -> bool:
        """Whether none of them goes on."""
        return len(self._stopped) == len(self._managers)

    def stop(self, seconds: float) -> None:
        """Raises ServiceError, also where one has not stopped by then; those that did stay so."""
        for name, manager in self._managers.items():
            if manager.stop():
                self._stopped.append(name)
        deadline = self._clock() + seconds
        while going := [name for name in self._stopped if _goes_on(self._managers[name])]:
            if self._clock() > deadline:
                raise ServiceError(
                    f"{', '.join(going)} had not stopped after {seconds:g} s: have it end sooner, or raise "
                    "migration_hold_limit"
                )
            time.sleep(_POLL_SECONDS)

    def start(self) -> None:
        """In the order in which they were named; returns before they are up. Raises ServiceError."""
        for name in self._stopped:
            self._managers[name].restart()
            self.started_at = {**self.started_at, name: self._clock()}


def _goes_on(manager: Manager) -> bool:
    state = manager.look()
    return state.running or bool(state.pids)
