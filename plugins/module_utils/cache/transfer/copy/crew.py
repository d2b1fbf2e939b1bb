# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Several processes that copy parts side by side, and the one that watches them, and how fast the source answers.

A process takes the next part from a pipe that holds the numbers of all of them, and writes to another what is at the
target, some lines a second. It ends with the last part, with the first thing in its way, or where nobody watches.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import select
import struct
import time
import traceback
from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import NOT_REACHED, ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import guard, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.copier import (
    PASSES,
    Copier,
    Report,
    Ways,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.ranges import Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import shown
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

_NUMBER = struct.Struct("<I")
_SECONDS = struct.Struct("<d")
_SHOWN_OF_A_LINE = 5  # keys left out: a line is written as a whole up to 4096 bytes (pipe(7), PIPE_BUF)
_WHY_LENGTH = 240
_TELL_EVERY = 0.05
# What passes by itself while an engine is started anew or replaced.
_PASSING = (
    *NOT_REACHED,
    "connection_lost",
    "no_answer",
    "loading",
    "read_only_replica",
    "slots_not_covered",
    "not_told",
)

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Stop:
    """Why a process ended early. ``passes``: it may be otherwise in a moment."""

    why: str
    passes: bool


def copy(
    job: Job, parts: Sequence[Part], ways: Ways, hear: Callable[[Line], None], tick: Callable[[], None]
) -> list[Stop]:
    """Have all parts copied that are not done. ``hear`` is given each line, ``tick`` called some times a second. What
    was in the way; empty where all is done.
    """
    numbers = [number for number, part in enumerate(parts) if not part.done]
    count = max(1, min(job.processes, len(numbers)))
    rest = mmap.mmap(-1, _SECONDS.size)
    with _pipe() as (queue, fill), _pipe() as (reports, tell):
        os.write(fill, b"".join(_NUMBER.pack(number) for number in numbers))
        os.close(fill)
        hand = _Hand(job, parts, ways, queue, tell)
        children = []
        for _place in range(count):
            child = os.fork()
            if child == 0:
                os.close(reports)
                hand.work(_Rest(rest, job.rate / count))
            children.append(child)
        os.close(tell)
        stops = _watch(job, reports, rest, hear, tick)
        for child in children:
            _pid, status = os.waitpid(child, 0)
            if status:
                stops.append(Stop("one of its processes was killed", True))
    return stops


@contextlib.contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                os.close(end)


# --- who watches ---


def _watch(
    job: Job, reports: int, rest: mmap.mmap, hear: Callable[[Line], None], tick: Callable[[], None]
) -> list[Stop]:
    """Until the last of them has closed its end."""
    stops: list[Stop] = []
    left = b""
    with contextlib.ExitStack() as stack:
        measure = _measuring(job, stack)
        watch = guard.Guard(job.latency_limit_ms)
        while True:
            ready, _writable, _failed = select.select([reports], [], [], guard.MEASURE_EVERY)
            if ready:
                data = os.read(reports, 1 << 16)
                if not data:
                    return stops
                *lines, left = (left + data).split(b"\n")
                for line in map(json.loads, lines):
                    if "stop" in line:
                        stops.append(Stop(line["stop"], line["passes"]))
                    else:
                        hear(line)
            latency = measure()
            if latency is not None:
                _SECONDS.pack_into(rest, 0, watch.measured(latency))
            tick()


def _measuring(job: Job, stack: contextlib.ExitStack) -> Callable[[], float | None]:
    """Asks for the source's latency in milliseconds; None where it is not due, or no guard is wanted."""
    connections: list[Connection] = []
    if job.latency_limit_ms:
        with contextlib.suppress(ProbeFailed, CacheError):
            found = stack.enter_context(sides.primaries(job.source))
            connections = [connection for connection, _slots in found.values()]
    due = time.monotonic()

    def measure() -> float | None:
        nonlocal due
        if not connections or time.monotonic() < due:
            return None
        slowest = 0.0
        for connection in list(connections):
            start = time.perf_counter()
            try:
                connection.execute("PING")
            except CacheError:
                connections.remove(connection)  # those that copy meet the same, and end this round
            slowest = max(slowest, time.perf_counter() - start)
        due = time.monotonic() + guard.MEASURE_EVERY
        return slowest * 1000

    return measure


# --- who copies ---


@dataclass(frozen=True)
class _Hand:
    """One of the processes. It takes numbers from ``queue``, and writes lines to ``told_to``."""

    job: Job
    parts: Sequence[Part]
    ways: Ways
    queue: int
    told_to: int

    def work(self, rest: _Rest) -> None:
        """Never returns."""
        stop: Stop | None = None
        try:
            self._copy(rest)
        except TransferRefused as refused:
            stop = Stop(str(refused), False)
        except (ProbeFailed, CacheError) as error:
            stop = stop_of(error)
        except Exception:
            lines = " ".join(traceback.format_exc().split())
            stop = Stop(f"an error of the collection itself: {lines[-2000:]}", False)
        finally:
            if stop:
                _write(self.told_to, {"stop": stop.why, "passes": stop.passes})
            os._exit(0)

    def _copy(self, rest: _Rest) -> None:
        job = self.job
        with sides.primaries(job.source) as first, sides.primaries(job.source) as second, reached(job.target) as target:
            links = _by_name(first)
            beside = _by_name(second)
            while taken := os.read(self.queue, _NUMBER.size):
                [number] = _NUMBER.unpack(taken)
                part = self.parts[number]
                if part.node not in links or part.node not in beside:
                    raise ServerError("CLUSTERDOWN its primaries are not those that were looked at")
                teller = _Teller(number, self.told_to, rest)
                Copier(links[part.node], beside[part.node], target, self.ways, rest).copy(part, teller.hear)
                teller.tell(done=True)


def stop_of(error: ProbeFailed | CacheError) -> Stop:
    if isinstance(error, ProbeFailed):
        return Stop(error.failure.sentence, error.failure.kind in _PASSING)
    return Stop(str(error), not isinstance(error, ServerError) or str(error).startswith(PASSES))


def _by_name(found: Mapping[sides.Place, tuple[Connection, sides.Slots]]) -> dict[str, Link]:
    for connection, _slots in found.values():
        _leave_no_trace(connection)
    return {f"{host}:{port}": Link(connection) for (host, port), (connection, _slots) in found.items()}


def _leave_no_trace(connection: Connection) -> None:
    """Reading for a copy is no use of a key, where the engine (from Redis 7.2 on) lets that be said."""
    with contextlib.suppress(ServerError):
        connection.execute("CLIENT", "NO-TOUCH", "ON")


class _Rest:
    """Rests before a batch as long as the rate and the source's latency want, and ends where nobody watches."""

    def __init__(self, guarded: mmap.mmap, rate: float) -> None:
        self._guarded = guarded
        self._pace = guard.Pace(rate, time.monotonic())
        self._parent = os.getppid()
        self.seconds, self.why = 0.0, ""

    def __call__(self, keys: int) -> None:
        if os.getppid() != self._parent:
            os._exit(0)
        by_rate = self._pace.rest(keys, time.monotonic())
        [by_latency] = _SECONDS.unpack_from(self._guarded, 0)
        seconds = max(by_rate, by_latency)
        if seconds > 0:
            self.seconds += seconds
            self.why = guard.LATENCY if by_latency >= by_rate else guard.RATE
            time.sleep(seconds)

    def taken(self) -> tuple[float, str]:
        """Since it was asked before."""
        found = (self.seconds, self.why)
        self.seconds, self.why = 0.0, ""
        return found


class _Teller:
    """Tells of a part some times a second, as a line for each batch would cost as much as the batch."""

    def __init__(self, number: int, tell: int, rest: _Rest) -> None:
        self._number, self._tell, self._rest = number, tell, rest
        self._gathered = Report()
        self._due = time.monotonic() + _TELL_EVERY

    def hear(self, report: Report) -> None:
        self._gathered.add(report)
        if time.monotonic() >= self._due:
            self.tell()

    def tell(self, done: bool = False) -> None:
        told, self._gathered = self._gathered, Report()
        self._due = time.monotonic() + _TELL_EVERY
        rested, why = self._rest.taken()
        line = {"part": self._number, "cursor": told.cursor, "done": done, "rested_ms": rested * 1000, "why": why}
        for name in ("keys", "bytes", "kept", "gone", "by_type"):
            line[name] = getattr(told, name)
        shown_ones = [(shown(key), reason[:_WHY_LENGTH]) for key, reason in told.out[:_SHOWN_OF_A_LINE]]
        _write(self._tell, {**line, "out": shown_ones, "out_count": len(told.out)})


def _write(tell: int, line: Line) -> None:
    try:
        os.write(tell, json.dumps(line).encode() + b"\n")
    except BrokenPipeError:
        os._exit(0)
