# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The process that transfers: of a session of its own, so that it outlives the module that starts it.

It is forked, so all that it needs is in memory, and the URLs, which are secret, are nowhere else. What a kill leaves is
gone on with by the next start.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
import traceback
from dataclasses import replace
from typing import Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import one_line

NICE = 10  # it stands beside the app
_END_SECONDS = 10.0  # for who is asked to end, until it is killed
_POLL_SECONDS = 0.05


def start(job: Job, run: Callable[[Job, Tell], None]) -> bool:
    """Have ``run`` go on in a process of its own; false where one is at it already."""
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        _be_the_worker(job, run, told)
    os.close(told)
    os.waitpid(child, 0)
    with open(ready, "rb") as answer:
        return answer.read(1) == b"y"


def _be_the_worker(job: Job, run: Callable[[Job, Tell], None], told: int) -> None:
    """Never returns: whatever the module would do at its end is not done here."""
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        _leave_all_but(told)
        with jobs.only_one(job.folder) as lock:
            if lock is not None:
                os.ftruncate(lock, 0)
                os.pwrite(lock, str(os.getpgid(0)).encode(), 0)
                jobs.tell_to(job.folder)(_begun(job))
            os.write(told, b"y" if lock is not None else b"n")
            os.close(told)
            if lock is not None:
                _work(job, run)
    finally:
        os._exit(0)


def _leave_all_but(kept: int) -> None:
    os.nice(NICE)
    os.chdir("/")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2 and int(name) != kept:
                with contextlib.suppress(OSError):
                    os.close(int(name))


def _begun(job: Job) -> Progress:
    """What was known of it goes on; that it failed is over."""
    known = jobs.progress_of(job.folder)
    if known is None:
        return Progress(began=time.time())
    return replace(known, phase=jobs.CHECKING, why="", restarts=known.restarts + 1)


def _work(job: Job, run: Callable[[Job, Tell], None]) -> None:
    keep = jobs.tell_to(job.folder)
    try:
        run(job, keep)
    except ProbeFailed as failed:
        keep(_failed(job, failed.failure.sentence))
    except (TransferRefused, CacheError) as refused:
        keep(_failed(job, str(refused)))
    except Exception:  # a bug: it is shown where somebody looks
        keep(_failed(job, f"an error of the collection itself: {' '.join(traceback.format_exc().split())}"))


def _failed(job: Job, why: str) -> Progress:
    known = jobs.progress_of(job.folder) or Progress()
    told = one_line(jobs.without_secrets(why, job.source, job.target))
    return Progress.from_dict({**known.as_dict(), "phase": jobs.FAILED, "why": told})


def stop(folder: str) -> None:
    """End whoever is at it, with all its children. Raises TransferRefused where somebody still is."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _END_SECONDS
        while jobs.is_running(folder):
            _signal(folder, number)
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_SECONDS)
    if jobs.is_running(folder):
        raise TransferRefused(
            f"who is at the transfer in {folder} cannot be ended (lslocks names the process that has its lock): "
            "nothing is taken away while it may write. End that process, and run this again."
        )


def _signal(folder: str, number: signal.Signals) -> None:
    """While the lock is held, the number in it is of a group that lives."""
    with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, jobs.LOCK), encoding="ascii") as file:
        os.killpg(int(file.read()), number)
