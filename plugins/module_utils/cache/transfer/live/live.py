# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy live: the target becomes what the old Redis is, and stays so until hosts have moved.

As a replica would, a worker takes a snapshot and then the stream of writes, and applies both. Standard library only.
"""

from __future__ import annotations

import collections
import contextlib
import os
import time
from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queue_libraries
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import before, hold, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import apply, checks
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.again import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.apply import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.checksum import Check
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.follow import (
    Following,
    Stretch,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.load import Load, Loaded
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.pacing import Pacing
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import Restarted, Spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.stream import (
    Follower,
    Place,
    Pulse,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.mark import Mark
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.rdb import NotASnapshot
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import shown
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

BEGUN, FINISH, ENDED = "begun.json", "finish.json", "ended.json"
QUIET_SECONDS = 1.0  # nobody writes to the old one for so long before it is left
_TELL_SECONDS = 0.5
_STEP_SECONDS = 0.05
_LOOK_SECONDS = 1.0
AWAY_SECONDS = 600.0  # for a target that fails over, or is made larger
_SILENT_SECONDS = 600.0  # for the source
_STEADY_SECONDS = 30.0  # whoever was connected for so long is well
_PAUSE_SECONDS = 0.2
_MOST_UNREADABLE = 1  # snapshots
_LOADING_SECONDS = 300.0  # what the target may take for one large value


def check(job: Job) -> list[str]:
    return checks.against(job, is_begun=bool(jobs.read(job.folder, BEGUN)))


def run(job: Job, tell: Tell) -> None:
    with contextlib.closing(Worker(job, tell)) as worker:
        worker.work()


def finish(job: Job) -> None:
    """The worker ends once nobody writes to the old one any more, and the target has all of it."""
    jobs.write(job.folder, FINISH, {"asked": time.time()})


def abort(job: Job) -> list[str]:
    begun = jobs.read(job.folder, BEGUN)
    done = _taken_back(job, begun) if begun else []
    Spool(job.folder).remove()
    return done


def _taken_back(job: Job, begun: Mapping[str, Any]) -> list[str]:
    with apply.connected(job.target) as target:
        if not begun["was_empty"]:
            target.remove_mark()
            return [f"What was copied to {job.target.place} stays there, as it held keys before."]
        libraries = set(target.libraries()) - set(begun.get("libraries", ()))
    return before.emptied(job, libraries)


def _as_it_was(target: Target) -> dict[str, Any]:
    return {
        "was_empty": not sides.databases_of(target.connection),
        "evicted": target.evicted(),
        "libraries": target.libraries(),
    }


class Worker:
    def __init__(self, job: Job, tell: Tell) -> None:
        self._job, self._tell = job, tell
        self._spool = Spool(job.folder)
        self._pacing = Pacing(job)
        self._place = Place(self._spool.about.position, 0)
        self._follower = Follower(job.source, self._spool, lambda: self._place, self._may_begin)
        self._pulse = Pulse(job.source, self._spool, lambda: self._place)
        known = jobs.progress_of(job.folder) or Progress()
        self._progress = Progress(
            began=known.began or time.time(),
            restarts=known.restarts,
            left_out=known.left_out,
            left_out_count=known.left_out_count,
        )
        self._source = Source(job.source)
        self._loaded = Loaded(known.keys_done, known.keys_total, known.bytes)
        self._earlier = known  # runs of the same snapshot, and what they left out
        self._left_out: collections.Counter[str] = collections.Counter()
        self._check: Check | None = None
        self._checked = ""  # the history whose snapshot is as it was sent
        self._unreadable = 0
        self._reached: Any = None  # what the target has
        self._failed_at: Any = None
        self._failing_since = 0.0
        self._following: Following | None = None
        self._hold: hold.Hold | None = None
        self._told = self._looked_at = 0.0
        self._begun: dict[str, Any] = {}
        self._is_done = self._is_unswept = False

    def close(self) -> None:
        self._pacing.close()
        self._leave_check()
        self._follower.stop()
        self._pulse.stop()
        self._source.close()

    def _may_begin(self) -> bool:
        return not jobs.is_moving(self._job.folder)

    def work(self) -> None:
        self._follower.start()
        self._pulse.start()
        while not self._is_done:
            began = time.monotonic()
            try:
                with apply.connected(self._job.target) as target:
                    self._with(target)
            except Restarted:
                self._leave_check()
            except NotASnapshot as error:
                self._leave_check()
                self._begin_anew(error)
            except TransferRefused:
                with contextlib.suppress(ProbeFailed, CacheError):  # one that is full may have evicted others first
                    self._refuse_evictions(sides.look(self._job.target).evicted)
                raise
            except (ProbeFailed, CacheError) as error:
                self._wait_for(error, time.monotonic() - began)

    def _begin_anew(self, error: NotASnapshot) -> None:
        self._unreadable += 1
        if self._unreadable > _MOST_UNREADABLE:
            raise TransferRefused(
                f"the snapshot of the old Redis cannot be read ({error}), and neither could the one before it: what is "
                "at the target is not to be relied on. Choose migration_transfer: copy, which needs no snapshot."
            )
        self._spool.begin_anew(self._spool.about.history)

    def _wait_for(self, error: Exception, lasted: float) -> None:
        """A target that is away, or comes back and fails again, gets some time in which nothing goes on."""
        why = (error.failure.sentence if isinstance(error, ProbeFailed) else str(error)).rstrip(".")
        now = time.monotonic()
        if self._reached != self._failed_at or lasted > _STEADY_SECONDS or not self._failing_since:
            self._failed_at, self._failing_since = self._reached, now
        if now - self._failing_since > AWAY_SECONDS:
            raise TransferRefused(
                f"the target at {self._job.target.place} has taken nothing for {AWAY_SECONDS / 60:.0f} minutes: {why}. "
                "Once it is well, run this again: it goes on where the target is, for as long as the old Redis keeps "
                "what is lacking."
            )
        self._say(notes=(f"The target is away: {why}",))
        time.sleep(_PAUSE_SECONDS)

    def _with(self, target: Target) -> None:
        """All that is to be done, with a target that is there."""
        self._say()
        if jobs.read(self._job.folder, ENDED):
            self._end(target)
            return
        mark = target.mark()
        history = self._history()
        known = jobs.read(self._job.folder, BEGUN)
        begun = self._begun = known or _as_it_was(target)
        before.refuse_evictions(0, begun.get("lacks", 0))
        if mark is None or mark.history != history:
            stretch = Stretch(self._job.folder, history)
            # What the old Redis had in an earlier snapshot alone can be told only where all that is there came of it.
            stretch.is_swept = not known or not begun["was_empty"]
            begun["unswept"] = bool(known) and not begun["was_empty"]
            stretch.keep()
            mark = Mark(history, 0)
        jobs.write(self._job.folder, BEGUN, begun)
        self._is_unswept = bool(begun.get("unswept"))
        if not mark.in_stream and self._spool.has_snapshot():
            mark = self._load(target, mark)
        if not mark.in_stream or mark.at < self._spool.start:  # the target fell back farther than what is kept
            self._spool.begin_anew(history)
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
        if self._follower.silent_seconds > _SILENT_SECONDS:
            why = self._follower.why_down.rstrip(".") or "nothing is received, as the disk of this host is full"
            raise TransferRefused(
                f"nothing has come of the old Redis at {self._job.source.place} for {_SILENT_SECONDS / 60:.0f} "
                f"minutes: {why}. Run this again once that is mended."
            )
        if self._follower.failure is not None:
            raise self._follower.failure

    def _load(self, target: Target, mark: Mark) -> Mark:
        """Where the stream goes on after the snapshot."""
        version = target.payload_version()
        seconds = target.connection.socket.gettimeout()
        target.connection.socket.settimeout(_LOADING_SECONDS)
        link, most = Link(target.connection), self._pacing.most_keys
        if not mark.at:
            self._earlier, self._left_out = Progress(), collections.Counter()
        sets_expiry = target.sets_expiry()
        load = Load(link, self._spool, mark, version, self._loaded, sets_expiry=sets_expiry, most_keys=most)
        began, first = time.monotonic(), load.loaded.keys
        keys = first
        while not load.is_done:
            load.step(_TELL_SECONDS)
            self._loaded, self._reached = load.loaded, load.mark
            self._is_checked(mark.history)
            self._say_of_load(load.loaded, (load.loaded.keys - first) / max(0.001, time.monotonic() - began))
            self._raise_what_ended_the_link()
            time.sleep(self._pacing.rest(load.loaded.keys - keys))
            keys = load.loaded.keys
        target.connection.socket.settimeout(seconds)
        position = self._spool.about.position
        load.refuse_another_than(position)
        mark = Mark(mark.history, position, load.database, True)
        target.apply([], mark)
        self._refuse_evictions(target.evicted())
        return mark

    def _refuse_evictions(self, evicted: int) -> None:
        """For good, also after the target was made larger, and until hosts write there themselves."""
        if jobs.is_moving(self._job.folder):
            return
        self._looked_at = time.monotonic()
        known = self._begun
        known["evicted"] = min(evicted, known.get("evicted", evicted))  # it may have been started anew
        if evicted > known["evicted"]:
            known["lacks"] = evicted - known["evicted"]
            jobs.write(self._job.folder, BEGUN, known)
        before.refuse_evictions(known["evicted"], evicted)

    def _is_checked(self, history: str) -> bool:
        """Whether the snapshot is as it was sent. It lies there until that is known, so that a kill cannot leave it
        unknown. Raises NotASnapshot, Restarted.
        """
        about = self._spool.about
        if about.history != history:
            raise Restarted
        if self._checked == history or not (about.is_whole and self._spool.has_snapshot()):
            return about.is_whole
        if self._check is None:
            self._check = Check(self._spool.open_snapshot(history), about.size)
        is_right = self._check.verdict()
        if is_right is None:
            return False
        self._check = None
        if not is_right:
            raise NotASnapshot("its bytes are not those of which it has the checksum at its end")
        self._checked = history
        return True

    def _leave_check(self) -> None:
        if self._check is not None:
            self._check.close()
            self._check = None

    def _follow(self, target: Target, mark: Mark) -> None:
        following = Following(
            target,
            self._spool,
            self._pulse,
            self._source,
            pacing=self._pacing,
            mark=mark,
            folder=self._job.folder,
            left_out=self._left_out,
        )
        self._following = following
        quiet_since, written = time.monotonic(), 0
        while True:
            self._leave_queues(following)
            following.step(_STEP_SECONDS)
            self._place = self._reached = following.place
            if time.monotonic() - self._looked_at > _LOOK_SECONDS:
                self._refuse_evictions(target.evicted())
            following.is_checked = self._is_checked(mark.history)
            if following.is_checked:
                self._spool.forget_snapshot(mark.history)
            if following.written != written:
                quiet_since, written = time.monotonic(), following.written
            self._tell_of(following)
            self._raise_what_ended_the_link()
            is_quiet = time.monotonic() - quiet_since > QUIET_SECONDS and following.is_whole
            if is_quiet and self._is_to_finish() and self._follower.is_up and following.has_all():
                jobs.write(self._job.folder, ENDED, {"ended": time.time()})
                self._end(target)
                return

    def _leave_queues(self, following: Following) -> None:
        """Once hosts write to the target: before the first step, too, of who goes on after a kill."""
        if following.leaves_none and (queues := jobs.queues_left_alone(self._job.folder)):
            following.leave(queue_libraries.by_database(queues))
            jobs.write(self._job.folder, jobs.LEAVES_QUEUES, {"since": time.time()})

    def _end(self, target: Target) -> None:
        """What is left to be done once it is known that the target has all, and for whoever was killed after that."""
        target.remove_mark()
        self._follower.stop()  # which writes into the spool
        self._spool.remove()
        self._is_done = True
        self._say(phase=jobs.DONE)

    def _at(self) -> hold.At:
        """For who holds the source's writes."""
        following = self._following
        if following is None:
            return hold.At()
        return hold.At(self._spool.about.replication, following.place.position, following.is_whole, following.lag_ms)

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
        if self._is_unswept:
            notes.append(
                "A second snapshot was taken: keys that the old Redis had at the first one and lost since are at the "
                "target still, where it held keys before."
            )
        if self._is_to_finish():
            notes.append("It ends once nobody writes to the old Redis any more.")
        loaded = [{"key": shown(key), "why": why[:200]} for key, why in self._loaded.left_out[: jobs.LEFT_OUT_SHOWN]]
        refused = self._left_out.most_common(jobs.LEFT_OUT_SHOWN)
        left = [*self._earlier.left_out, *loaded, *({"key": what, "why": f"{count} times"} for what, count in refused)]
        self._say_now_and_then(
            phase,
            lag_bytes=behind,
            lag_ms=round(following.lag_ms, 1),
            rate=0.0,
            slowed_ms=self._pacing.seconds * 1000,
            slowed_why=self._pacing.why,
            notes=tuple(notes),
            left_out=tuple(left[: jobs.LEFT_OUT_SHOWN]),
            left_out_count=self._earlier.left_out_count + len(self._loaded.left_out) + sum(self._left_out.values()),
        )

    def _say_of_load(self, loaded: Loaded, rate: float) -> None:
        self._say_now_and_then(
            jobs.COPYING,
            rate=rate,
            eta_seconds=max(0, loaded.total - loaded.keys) / rate if rate else 0.0,
            slowed_ms=self._pacing.seconds * 1000,
            slowed_why=self._pacing.why,
        )

    def _say_now_and_then(self, phase: str, **changed: Any) -> None:
        if time.monotonic() - self._told > _TELL_SECONDS:
            self._hold = hold.where_asked(self._job, self._hold, self._at)
            self._say(phase=phase, **changed)

    def _say(self, **changed: Any) -> None:
        loaded = self._loaded
        figures = {"keys_done": loaded.keys, "keys_total": loaded.total, "bytes": loaded.size}
        self._progress = replace(self._progress, **{**figures, **changed})
        self._tell(self._progress)
        self._told = time.monotonic()
