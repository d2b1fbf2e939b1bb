"""What cache_transfer and cache_verify run, as a process of its own, so that its memory and processor time are its own.

    python -m bench.ours copy|live|verify SOURCE_PORT TARGET_PORT PROCESSES LATENCY_LIMIT_MS FOLDER

A line for each phase, and one before; `live` ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import live
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify

from bench.pair import Pair

_LOOK_EVERY = 0.1


@dataclass
class Cost:
    """Of all its processes together: memory at its peak, where what they share counts once, and processor time."""

    bytes: int = 0
    seconds: float = 0.0


@dataclass
class Ours:
    process: subprocess.Popen[str]
    cost: Cost

    def wait_for(self, phase: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.strip() == phase:
                return
        raise AssertionError(f"it ended before it was {phase}")

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()


@contextlib.contextmanager
def run(pair: Pair, what: str, processes: int = 1, limit_ms: float = 0) -> Iterator[Ours]:
    """Waits for its end."""
    with tempfile.TemporaryDirectory() as folder, _started(pair, what, processes, limit_ms, f"{folder}/state") as ours:
        yield ours


@contextlib.contextmanager
def _started(pair: Pair, what: str, processes: int, limit_ms: float, folder: str) -> Iterator[Ours]:
    argv = [sys.executable, "-m", "bench.ours", what, str(pair.source), str(pair.target), str(processes), str(limit_ms)]
    cost = Cost()
    process = subprocess.Popen([*argv, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watcher = threading.Thread(target=_watch, args=(process, cost))
    watcher.start()
    try:
        ours = Ours(process, cost)
        ours.wait_for("begun")
        yield ours
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cost.seconds = usage.ru_utime + usage.ru_stime
        assert process.returncode == 0, f"{what} failed"
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        watcher.join()
        for pipe in (process.stdin, process.stdout):
            if pipe and not pipe.closed:
                pipe.close()


def _watch(process: subprocess.Popen[str], cost: Cost) -> None:
    while process.returncode is None:
        cost.bytes = max(cost.bytes, sum(map(_memory, _family(process.pid))))
        time.sleep(_LOOK_EVERY)


def _family(pid: int) -> list[int]:
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += _family(int(child))
    return found


def _memory(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


# --- the process itself ---


def _tell_phases() -> Callable[[Progress], None]:
    told: list[str] = []

    def tell(progress: Progress) -> None:
        if told[-1:] != [progress.phase]:
            told.append(progress.phase)
            print(progress.phase, flush=True)

    return tell


def _live(job: Job) -> None:
    def end() -> None:
        sys.stdin.read()
        live.finish(job)

    threading.Thread(target=end, daemon=True).start()
    assert not live.check(job)
    live.run(job, _tell_phases())


def _copy(job: Job) -> None:
    assert not copy.check(job)
    copy.run(job, _tell_phases())


def _verify(job: Job) -> None:
    question = verify.Question(
        source=job.source, target=job.target, folder=job.folder, processes=job.processes, latency_limit_ms=0
    )
    found = verify.go_on(question, 3600)
    while not found.is_done:
        found = verify.go_on(question, 3600)
    assert found.is_equal and found.is_complete, verify.phrase(found)


def main() -> None:
    what, source, target, processes, limit, folder = sys.argv[1:]
    sides = [Side(f"redis://127.0.0.1:{port}/0", tls_as_app=True) for port in (source, target)]
    job = Job(*sides, what, folder, latency_limit_ms=float(limit), processes=int(processes))
    print("begun", flush=True)  # an engine that is told REPLICAOF has been started before, too
    {"copy": _copy, "live": _live, "verify": _verify}[what](job)


if __name__ == "__main__":
    main()
