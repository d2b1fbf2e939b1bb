# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy live: the target becomes what the old Redis is, and stays so until hosts have moved.

As a replica would, a worker takes a snapshot and then the stream of writes, and applies both. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Info, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import sides, users
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import apply, spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.again import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.apply import Mark, Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.follow import (
    Following,
    Stretch,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.load import Load, Loaded
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import Restarted, Spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.stream import (
    Follower,
    Place,
    Pulse,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.rdb import NotASnapshot
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import shown
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

BEGUN, FINISH = "begun.json", "finish.json"
QUIET_SECONDS = 1.0  # nobody writes to the old one for so long before it is left
_TELL_SECONDS = 0.5
_STEP_SECONDS = 0.05
_AWAY_SECONDS = 600.0  # for a target that fails over, or is made larger
_LOADING_SECONDS = 300.0  # what the target may take for one large value


def check(job: Job) -> list[str]:
    if REDIS_CLUSTER in (job.source.protocol, job.target.protocol):
        return [
            "Following (migration_transfer: live) is from one engine to one, and one of both is a cluster: choose "
            "migration_transfer: copy."
        ]
    reasons = []
    with session(job.source.question()) as source:
        info = parse_info(source.ask("INFO"))
        reasons += _not_followed(source, info)
        reasons += _no_room_here(job, info)
    if not jobs.read(job.folder, BEGUN):
        reasons += _keys_there(job)
    return reasons


def _not_followed(source: Connection, info: Info) -> list[str]:
    version = str(info.get("redis_version", "0"))
    if int(version.split(".", maxsplit=1)[0]) < 4:
        return [
            f"The old Redis is of version {version}, and one before 4.0 is not followed: choose migration_transfer: "
            "copy."
        ]
    try:
        source.execute("PSYNC")
    except ServerError as error:  # it lacks its arguments: so it is known, and allowed
        if "wrong number of arguments" not in str(error):
            return [
                f"The old Redis lets nobody follow it ({error}): let the user of the app's URL do so (ACL SETUSER "
                "<name> +psync +replconf), undo a rename-command of PSYNC, or choose migration_transfer: copy. A "
                "managed cache lets nobody."
            ]
    return []


def _no_room_here(job: Job, info: Info) -> list[str]:
    """The snapshot lies on this host until it is in the target, and what is written meanwhile."""
    folder = job.folder
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    disk, size = os.statvfs(folder), int(str(info.get("used_memory", 0)))
    free = int(disk.f_bavail * disk.f_frsize - spool.LEAST_FREE * disk.f_blocks * disk.f_frsize)
    if size <= free or jobs.read(job.folder, BEGUN):
        return []
    return [
        f"The old Redis has {size >> 20:,} MiB, and {job.folder}, where its snapshot lies for a while, has room for "
        f"{max(0, free) >> 20:,}: free space there, or choose another host (migration_transfer_host)."
    ]


def _keys_there(job: Job) -> list[str]:
    if job.target_keys == jobs.REPLACE:
        return []
    if job.target_keys == jobs.KEEP:
        return [
            "What the target holds cannot be kept while it follows (migration_transfer_target_keys: keep), as the "
            "stream of writes changes it: choose replace, or migration_transfer: copy."
        ]
    keys = sides.look(job.target).keys
    if not keys:
        return []
    return [
        f"The target at {job.target.place} holds {keys:,} keys already, and whose they are is not known: empty it, or "
        "say what to do with them (migration_transfer_target_keys: replace overwrites those that have a name of the "
        "old Redis's)."
    ]


def run(job: Job, tell: Tell) -> None:
    with contextlib.closing(Worker(job, tell)) as worker:
        worker.work()


def finish(job: Job) -> None:
    """The worker ends once nobody writes to the old one any more, and the target has all of it."""
    jobs.write(job.folder, FINISH, {"asked": time.time()})


def abort(job: Job) -> list[str]:
    begun = jobs.read(job.folder, BEGUN)
    Spool(job.folder).remove()
    if not begun:
        return []
    with apply.connected(job.target) as target:
        if not begun["was_empty"]:
            target.remove_mark()
            return [f"What was copied to {job.target.place} stays there, as it held keys before."]
        users.refuse(job, [target.connection])
        target.empty()
    return [f"The target at {job.target.place}, which was empty before, is empty again."]


class Worker:
    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._spool = Spool(job.folder)
        self._place = Place(self._spool.about.position, 0)
        self._follower = Follower(job.source, self._spool, lambda: self._place, self._may_begin)
        self._pulse = Pulse(job.source, self._spool, lambda: self._place)
        known = jobs.progress_of(job.folder) or Progress()
        self._progress = Progress(began=known.began or time.time(), restarts=known.restarts)
        self._source = Source(job.source)
        self._loaded = Loaded()
        self._told = 0.0
        self._is_done = False

    def close(self) -> None:
        self._follower.stop()
        self._pulse.stop()
        self._source.close()

    def _may_begin(self) -> bool:
        return not jobs.is_moving(self._job.folder)

    def work(self) -> None:
        self._follower.start()
        self._pulse.start()
        away = 0.0
        while not self._is_done:
            try:
                with apply.connected(self._job.target) as target:
                    away = 0.0
                    self._with(target)
            except Restarted:
                continue
            except NotASnapshot as error:
                raise TransferRefused(f"the snapshot of the old Redis cannot be read ({error})")
            except (ProbeFailed, CacheError) as error:
                away = away or time.monotonic()
                self._wait_for(error, away)

    def _wait_for(self, error: Exception, since: float) -> None:
        why = error.failure.sentence if isinstance(error, ProbeFailed) else str(error)
        if time.monotonic() - since > _AWAY_SECONDS:
            raise error
        self._say(notes=(f"The target is away: {why}",))
        time.sleep(0.2)

    def _with(self, target: Target) -> None:
        """All that is to be done, with a target that is there."""
        self._say()
        mark = target.mark()
        history = self._history()
        if not jobs.read(self._job.folder, BEGUN):
            jobs.write(self._job.folder, BEGUN, {"was_empty": target.is_empty()})
        if mark is None or mark.history != history:
            stretch = Stretch(self._job.folder, history)
            stretch.is_swept = mark is None
            stretch.keep()
            mark = Mark(history, 0)
        if not mark.in_stream and self._spool.has_snapshot():
            mark = self._load(target, mark)
        if not mark.in_stream or mark.at < self._spool.start:  # the target fell back farther than what is kept
            self._spool.begin_anew()
            raise Restarted
        self._follow(target, mark)

    def _history(self) -> str:
        while True:
            history = self._spool.wait_for_history(_TELL_SECONDS)
            self._raise_what_ended_the_link()
            if history:
                return history
            self._say()

    def _raise_what_ended_the_link(self) -> None:
        if self._follower.refusal:
            raise TransferRefused(self._follower.refusal)
        if self._follower.failure is not None:
            raise self._follower.failure

    def _load(self, target: Target, mark: Mark) -> Mark:
        """Where the stream goes on after the snapshot."""
        version = target.payload_version()
        target.connection.socket.settimeout(_LOADING_SECONDS)
        load = Load(Link(target.connection), self._spool, mark, version, sets_expiry=target.sets_expiry())
        began = time.monotonic()
        while not load.is_done:
            load.step(_TELL_SECONDS)
            self._loaded = load.loaded
            rate = load.loaded.keys / max(0.001, time.monotonic() - began)
            self._say_now_and_then(jobs.COPYING, rate=rate)
            self._raise_what_ended_the_link()
        position = self._spool.about.position
        mark = Mark(mark.history, position, 0, True)
        target.apply([], mark)
        self._spool.forget_snapshot()
        return mark

    def _follow(self, target: Target, mark: Mark) -> None:
        following = Following(target, self._spool, self._pulse, self._source, mark=mark, folder=self._job.folder)
        quiet_since, applied = time.monotonic(), 0
        while True:
            following.step(_STEP_SECONDS)
            self._place = following.place
            if following.applied != applied:
                quiet_since, applied = time.monotonic(), following.applied
            self._tell_of(following)
            self._raise_what_ended_the_link()
            is_quiet = time.monotonic() - quiet_since > QUIET_SECONDS and following.is_whole
            if is_quiet and self._is_to_finish() and self._follower.is_up and following.has_all():
                target.remove_mark()
                self._follower.stop()  # which writes into the spool
                self._spool.remove()
                self._is_done = True
                self._say(phase=jobs.DONE)
                return

    def _is_to_finish(self) -> bool:
        return os.path.exists(os.path.join(self._job.folder, FINISH))

    # --- telling ---

    def _tell_of(self, following: Following) -> None:
        behind = max(0, self._pulse.position - following.place.position)
        phase = jobs.FOLLOWING if following.is_whole else jobs.COPYING
        notes = []
        if self._follower.why_down:
            notes.append(f"The link to the old Redis is down: {self._follower.why_down}")
        if self._follower.is_held:
            notes.append("Nothing is received, as the disk of this host is full.")
        if self._is_to_finish():
            notes.append("It ends once nobody writes to the old Redis any more.")
        loaded = [{"key": shown(key), "why": why[:200]} for key, why in self._loaded.left_out[: jobs.LEFT_OUT_SHOWN]]
        refused = following.left_out.most_common(jobs.LEFT_OUT_SHOWN)
        left = [*loaded, *({"key": what, "why": f"{count} times"} for what, count in refused)]
        self._say_now_and_then(
            phase,
            lag_bytes=behind,
            lag_ms=round(following.lag_ms, 1),
            notes=tuple(notes),
            left_out=tuple(left[: jobs.LEFT_OUT_SHOWN]),
            left_out_count=len(self._loaded.left_out) + sum(following.left_out.values()),
        )

    def _say_now_and_then(self, phase: str, **changed: Any) -> None:
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._say(phase=phase, **changed)

    def _say(self, **changed: Any) -> None:
        loaded = self._loaded
        figures = {"keys_done": loaded.keys, "keys_total": loaded.total, "bytes": loaded.size}
        self._progress = replace(self._progress, **{**figures, **changed})
        self._tell(self._progress)
        self._told = time.monotonic()
