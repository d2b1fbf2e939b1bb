# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy carry: while all hosts stand still, the target becomes what the source is; then they switch.

It is the way back, from a managed cache, which lets nobody follow it. So nobody may write to it meanwhile: all hosts
stand ready at the board, in the source, and stop their services. What the source no longer has goes from the target,
all that it has is copied over, and both are compared; only where they are equal do the hosts go on. A run that is
killed or fails leaves the hosts where they were. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import replace

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import before, hold, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.board import (
    CHANGED,
    GO,
    LEAVE,
    STOP,
    SWITCHED,
    Board,
    NotHeld,
    board_at,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import (
    Job,
    Progress,
    Side,
    Tell,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.together import Together
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify

TOLERANCE_MS = 1000
_TOGETHER = 500  # keys that are looked for at once
_ROOM = 0.9
_SAY_SECONDS = 0.5
_COMPARE_SECONDS = 4.0  # between two looks at how far it is


def check(job: Job) -> list[str]:
    """Keys that the target holds are no reason against it, as they become what the source has."""
    source, target = sides.look(job.source), sides.look(job.target)
    reasons = before.against(job, source, target, is_begun=True)
    most = sum(node.most_bytes for node in target.nodes)
    if most and source.used_bytes > most * _ROOM:
        reasons.append(
            f"{job.target.place} may hold {most >> 20:,} MiB (maxmemory), and what is to be carried back takes "
            f"{source.used_bytes >> 20:,}: raise that, or go back without it (migration_rollback_carries: false)."
        )
    return reasons


def run(job: Job, tell: Tell) -> None:
    wanted = hold.asked(job.folder)
    if wanted is None:
        raise TransferRefused("no hosts are named that stand still meanwhile (hold).")
    with board_at(job.source, wanted.name) as board:
        hosts = Together(board, wanted.hosts, wanted.limit_seconds)
        try:
            _carry(job, hosts, tell)
        except (NotHeld, TransferRefused, verify.NotCompared, ProbeFailed, CacheError) as error:
            said = error.failure.sentence if isinstance(error, ProbeFailed) else str(error)
            why = jobs.without_secrets(said, job.source, job.target)
            with contextlib.suppress(CacheError):
                board.say(STOP, why)
            raise TransferRefused(f"nothing goes back: {why}")
        board.clear()


def finish(job: Job) -> None:
    """It ends by itself."""


def abort(job: Job) -> list[str]:
    """What the target held before is not known any more."""
    return [f"{job.target.place} stays as it is."] if jobs.kept(job.folder) else []


def _hurry() -> None:
    """The app stands still, and nobody uses either side: what spares them else only makes that longer."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, 0)


def _carry(job: Job, hosts: Together, tell: Tell) -> None:
    told = hold.Held(jobs.read(job.folder, hold.ASKED)["name"], hosts=tuple(hosts.told()))

    def keep(**changed: object) -> None:
        nonlocal told
        told = replace(told, **changed)  # type: ignore[arg-type]
        jobs.write(job.folder, hold.STATE, told.as_dict())

    keep()
    hosts.until_ready()
    _hurry()
    began = time.monotonic()
    hosts.until_left()
    with Waiting(job.source, told.name):
        gone = _without_what_is_gone(job)
        done = _copied(job, tell)
        _without_the_board(job, hosts.board)
        _refuse_unequal(job, tell)
    keep(behind_ms=round((time.monotonic() - began) * 1000, 1))
    _until_changed(hosts)
    hosts.until_switched()
    keep(still_ms=round((time.monotonic() - began) * 1000, 1), phase=hold.OVER)
    left = f"{gone:,} keys went from {job.target.place}, as {job.source.place} no longer has them."
    tell(replace(done, phase=jobs.DONE, notes=(*done.notes, *([left] if gone else ()))))


class Waiting(threading.Thread):
    """As a context: says at the board again and again that hosts are to wait, by a connection of its own. Where it
    cannot, they do not.
    """

    def __init__(self, source: Side, name: str) -> None:
        super().__init__(name="waiting", daemon=True)
        self._source, self._name, self._ends = source, name, threading.Event()

    def run(self) -> None:
        with contextlib.suppress(ProbeFailed, CacheError), board_at(self._source, self._name) as board:
            while not self._ends.is_set():
                board.say(LEAVE)
                self._ends.wait(_SAY_SECONDS)

    def __enter__(self) -> Waiting:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ends.set()
        self.join()


def _without_what_is_gone(job: Job) -> int:
    """Keys of the target that the source does not have are taken away; how many. Of a database that the source does not
    serve nothing came from there, and it stays.
    """
    count = 0
    with reached(job.source) as source, reached(job.target) as target:
        for number, databases in enumerate(target.keys()):
            for database in databases:
                with contextlib.suppress(ServerError):
                    source.select(database)
                    target.select(database)
                    count += _swept(source, target, number)
    return count


def _swept(source: Reach, target: Reach, number: int) -> int:
    """Of the database that is selected, by the link of this number."""
    link, cursor, count = target.links[number], b"0", 0
    while True:
        told = link.execute("SCAN", cursor, "COUNT", _TOGETHER)
        if not isinstance(told, list):
            raise TransferRefused("the answer of the old Redis to SCAN is no list")
        cursor, keys = told
        there = source.ask([(key, ("EXISTS", key)) for key in keys])
        for answer in there:
            if isinstance(answer, ServerError):
                raise answer
        gone = [key for key, answer in zip(keys, there) if answer == 0]
        for answer in target.ask([(key, ("DEL", key)) for key in gone]):
            if isinstance(answer, ServerError):
                raise answer
        count += len(gone)
        if cursor == b"0":
            return count


def _copied(job: Job, tell: Tell) -> Progress:
    """All keys, over those of the same name."""
    last = Progress()

    def keep(progress: Progress) -> None:
        nonlocal last
        last = progress
        tell(replace(progress, phase=jobs.COPYING))

    copy.run(replace(job, target_keys=jobs.REPLACE, rate=0, latency_limit_ms=0.0), keep)
    if last.left_out_count:
        raise TransferRefused(
            f"{last.left_out_count:,} keys cannot be carried back, as {last.left_out[0]['why']}: delete them on "
            f"{job.source.place}, or go back without (migration_rollback_carries: false)."
        )
    return last


def _without_the_board(job: Job, board: Board) -> None:
    """Which is among the keys of the source."""
    with reached(job.target) as target:
        target.ask([(key, ("DEL", key)) for key in board.keys])


def _refuse_unequal(job: Job, tell: Tell) -> None:
    """Nobody writes meanwhile: whatever differs is no copy."""
    question = verify.Question(
        job.source,
        job.target,
        f"{job.folder}-compared",
        ttl_tolerance_ms=TOLERANCE_MS,
        settle_seconds=0.3,
        latency_limit_ms=0.0,
        processes=job.processes,
    )
    while not (found := verify.go_on(question, _COMPARE_SECONDS)).is_done:
        tell(Progress(phase=jobs.VERIFYING))
    if not found.is_equal:
        raise TransferRefused(
            f"{job.target.place} is not what {job.source.place} is ({verify.phrase(found)}): somebody writes to one of "
            "them. Stop that, or go back without what is there (migration_rollback_carries: false)."
        )


def _until_changed(hosts: Together) -> None:
    deadline, said = time.monotonic() + hosts.limit_seconds, 0.0
    while waits := hosts.that_lack(CHANGED, SWITCHED):
        if time.monotonic() > deadline:
            raise NotHeld(f"after {hosts.limit_seconds:g} s (migration_hold_limit) {', '.join(waits)} had not switched")
        if time.monotonic() - said > _SAY_SECONDS:
            hosts.board.say(GO)
            said = time.monotonic()
        time.sleep(0.01)
