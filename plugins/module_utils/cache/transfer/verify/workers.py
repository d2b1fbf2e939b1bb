# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Several processes at the batches of one comparison. What they tell is handed on in the order of the batches."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from multiprocessing.connection import wait
from typing import Any, Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.running import NICE
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import Tally
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.batches import (
    Baton,
    Order,
    OtherEngines,
    Place,
    work,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.seen import Seen

_BATCH, _DONE, _FAILED, _OTHERS = "batch", "done", "failed", "others"


def batches(order: Order, place: Place, seen: Seen, processes: int) -> Iterator[tuple[Place, Tally]]:
    """After each batch from ``place`` on, what comes next and what it came to. Raises CacheError where one of the
    processes ends otherwise than it should.
    """
    baton = Baton()
    with contextlib.closing(baton), _started(order, baton, seen, processes) as tellers:
        baton.give(place)
        number = place.number
        waiting: dict[int, tuple[Place, Tally]] = {}
        for of_batch, after, tally in _told(tellers):
            waiting[of_batch] = (after, tally)
            while number in waiting:
                yield waiting.pop(number)
                number += 1


@contextlib.contextmanager
def _started(order: Order, baton: Baton, seen: Seen, processes: int) -> Iterator[list[Any]]:
    """Each with a pipe by which it tells. All are gone at the end."""
    forking = multiprocessing.get_context("fork")
    running, tellers = [], []
    try:
        for _number in range(processes):
            hearing, telling = forking.Pipe(duplex=False)
            process = forking.Process(target=_run, args=(order, baton, seen, telling), daemon=True)
            process.start()
            telling.close()
            running.append(process)
            tellers.append(hearing)
        yield tellers
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.join()
        for hearing in tellers:
            hearing.close()


def _run(order: Order, baton: Baton, seen: Seen, telling: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.nice(NICE)  # it stands beside the app
    try:
        work(order, baton, seen, lambda number, after, tally: telling.send((_BATCH, (number, after, tally))))
        telling.send((_DONE, None))
    except OtherEngines as error:
        telling.send((_OTHERS, str(error)))
    except ProbeFailed as failed:
        telling.send((_FAILED, failed.failure.sentence))
    except CacheError as error:
        telling.send((_FAILED, str(error)))


def _told(tellers: list[Any]) -> Iterator[tuple[int, Place, Tally]]:
    at_work = list(tellers)
    while at_work:
        ready: list[Any] = list(wait(at_work))
        for hearing in ready:
            try:
                what, told = hearing.recv()
            except EOFError:
                raise CacheError("one of the processes that compare has ended before its time")
            if what == _BATCH:
                yield told
            elif what == _DONE:
                at_work.remove(hearing)
            else:
                raise OtherEngines(told) if what == _OTHERS else CacheError(told)
