# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How fast keys go on, by the limits that a user set: a rate, and how long the source may take for a PING.

That is asked by a process of its own: beside one that loads, whoever asks would wait for that one's turns, too. What
these limits cannot slow down is what the source does by itself for whoever follows it: the fork for its snapshot, and
sending that and its writes. Standard library only.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import struct
import time
from typing import Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import guard
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job

_SECONDS = struct.Struct("<d")
_MEASURE_EVERY = 0.1
_AT_ONCE = 0.2  # seconds for which a rate lets keys go together
_FEWEST = 16


class Pacing:
    """Made before any thread is begun, as it forks."""

    def __init__(self, job: Job) -> None:
        self._rest = mmap.mmap(-1, _SECONDS.size)
        self._pace = guard.Pace(job.rate, time.monotonic())
        self._child = _forked(lambda parent: _watch(job, self._rest, parent)) if job.latency_limit_ms else 0
        self.most_keys = (
            max(_FEWEST, int(job.rate * _AT_ONCE)) if job.rate else 0
        )  # at once; 0 for as many as there are
        self.most_asked = guard.most_keys(job.latency_limit_ms)
        self.seconds, self.why = 0.0, ""  # of the last rest

    def rest(self, keys: int) -> float:
        """How many seconds to rest after so many keys."""
        by_rate = self._pace.rest(keys, time.monotonic())
        [by_latency] = _SECONDS.unpack_from(self._rest, 0)
        self.seconds = max(by_rate, by_latency)
        self.why = (guard.LATENCY if by_latency >= by_rate else guard.RATE) if self.seconds else ""
        return self.seconds

    def close(self) -> None:
        if self._child:
            with contextlib.suppress(OSError):
                os.kill(self._child, signal.SIGKILL)
                os.waitpid(self._child, 0)
            self._child = 0


def _forked(work: Callable[[int], None]) -> int:
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        work(parent)
    finally:
        os._exit(0)


def _watch(job: Job, rest: mmap.mmap, parent: int) -> None:
    """For as long as the parent lives. A source that is away is not slow."""
    while os.getppid() == parent:
        watch = guard.Guard(job.latency_limit_ms)
        with contextlib.suppress(ProbeFailed, CacheError), session(job.source.question()) as source:
            while os.getppid() == parent:
                asked = time.perf_counter()
                source.execute("PING")
                _SECONDS.pack_into(rest, 0, watch.measured((time.perf_counter() - asked) * 1000))
                time.sleep(_MEASURE_EVERY)
        _SECONDS.pack_into(rest, 0, 0.0)
        time.sleep(_MEASURE_EVERY)
