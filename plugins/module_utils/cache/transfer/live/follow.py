# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stream in the spool, applied to the target, and what it alone cannot make right, read again.

What is applied late may find a key expired in the target that the source had renewed before: by then the command has
another effect, or none. So a stretch of the stream that was applied late (the one during the snapshot, and each after
a cut or a restart) is kept, and once the target is near again each key in it is read again. A command that was refused
opens such a stretch too. Until that is done, a key which a command puts together with one of them is read again as
well. Standard library only.
"""

from __future__ import annotations

import collections
import time
from typing import Callable, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection, NotRedis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import again
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.again import (
    Found,
    Key,
    Source,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.apply import (
    Refusal,
    Target,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import (
    Command,
    Script,
    Unit,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.pacing import Pacing
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import Spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.stream import Place, Pulse
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.mark import Mark
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import shown

LATE_SECONDS = 0.5  # half of the grace that keys have
_TOGETHER = 512  # commands of a transaction, about
_TOGETHER_BYTES = 1 << 20
_MOST_KEYS = 100_000  # of a stretch, in memory
_LONGEST_REST = 0.1  # before more is read again: what waits for that is more with each write
_MARK_SECONDS = 1.0  # how old the target's mark may be
_STATE = "follow.json"
_CHANGES_DATABASES = (b"SWAPDB",)
_TAKES_AWAY = (b"DEL", b"UNLINK")


class Stretch:
    """What was applied late: from a place on, to where the target was near again. Kept, as a kill must not lose it."""

    def __init__(self, folder: str, history: str) -> None:
        self._folder, self._history = folder, history
        told = jobs.read(folder, _STATE)
        known = told if told.get("history") == history else {}
        self.start = Place(*known["start"]) if known.get("start") else None
        self.swapped: set[int] = set(known.get("swapped", ()))
        self.is_swept = bool(known.get("swept", True))

    def open(self, place: Place) -> None:
        """At the earlier of this and where it was opened before."""
        if self.start is None or place.position < self.start.position:
            self.start = place
            self.keep()

    def move(self, place: Place | None) -> None:
        self.start = place
        if place is None:
            self.swapped = set()
        self.keep()

    def keep(self) -> None:
        told = {"start": self.start, "swapped": sorted(self.swapped), "swept": self.is_swept}
        jobs.write(self._folder, _STATE, {"history": self._history, **told})


class Following:
    """``step`` does some of it. ``place`` is up to where the target has the stream."""

    def __init__(
        self,
        target: Target,
        spool: Spool,
        pulse: Pulse,
        source: Source,
        *,
        pacing: Pacing,
        mark: Mark,
        folder: str,
        left_out: collections.Counter[str],
    ) -> None:
        self._target, self._spool, self._pulse, self._source, self._pacing = target, spool, pulse, source, pacing
        self._names = target.names()
        self._history = mark.history
        self.place = self._first = Place(mark.at, mark.database)
        self._marked, self._marked_at = mark.at, time.monotonic()
        self._queues: Mapping[int, JobKeys] = {}
        self._script = Script(mark.at, mark.database)
        self._units: collections.deque[Unit] = collections.deque()
        self._folder = folder
        self.stretch = Stretch(folder, mark.history)
        self.stretch.open(self.place)
        self._round: Round | None = None
        self._late_since: Place | None = None
        self._found: Found | None = None
        self._sweep: Iterator[list[Key]] | None = None
        self.version = target.payload_version()
        self.is_checked = False  # the snapshot before this is as it was sent
        self.written = 0  # commands, but for keys that were taken away, as those are that expire
        self.lag_ms = 0.0
        self.left_out = left_out
        self._most = self._together = min(again.TOGETHER, pacing.most_asked, pacing.most_keys or again.TOGETHER)
        self._read_next = 0.0  # not before that time
        self.read_again = 0

    @property
    def leaves_none(self) -> bool:
        return not self._queues

    def leave(self, queues: Mapping[int, JobKeys]) -> None:
        """From now on, by the numbers of their databases: jobs that others place there and take are theirs."""
        self._queues = queues

    # --- how far ---

    @property
    def is_near(self) -> bool:
        return self.lag_ms < LATE_SECONDS * 1000

    @property
    def is_whole(self) -> bool:
        """Nothing is left to be read again, and what was read is right."""
        return self.is_checked and self.stretch.start is None and self.stretch.is_swept and self._found is None

    def _heed_beats(self) -> None:
        """What was asked before it was applied tells how far behind the target is."""
        beats, now = self._pulse.beats, time.monotonic()
        while beats and beats[0].history != self._history:
            beats.popleft()
        while beats and beats[0].position <= self.place.position:
            beat = beats.popleft()
            self.lag_ms = (now - beat.asked) * 1000
            if not self.is_near:
                self._open_at(beat.applied)
        if beats and now - beats[0].asked > LATE_SECONDS:
            self.lag_ms = (now - beats[0].asked) * 1000
            self._open_at(beats[0].applied)

    def _open_at(self, place: Place) -> None:
        """What was asked before this began knows another place. What is late while a round of keys is read is for
        the next one.
        """
        place = max(place, self._first)
        if self._round is None:
            self.stretch.open(place)
        else:
            self._late_since = min(place, self._late_since or place)

    # --- doing ---

    def step(self, seconds: float) -> None:
        """Apply what there is, or wait for it for that long. Raises CacheError, TransferRefused, Restarted."""
        if not self._units:
            data = self._spool.read(self._history, self._script.read_to, self._script.lacks)
            self._units.extend(self._script.units(data))
            if not data:
                self._spool.wait_for_stream(self._history, self._script.read_to, seconds)
        if self._found is not None and self.place.position >= self._found.position:
            self._put()
        elif self._units:
            self._apply_some()
        elif self.place.position > self._marked and time.monotonic() - self._marked_at > _MARK_SECONDS:
            self._target.apply([], Mark(self._history, *self.place, True))
            self._marked, self._marked_at = self.place.position, time.monotonic()
        self._heed_beats()
        if self._found is None and not self._units and time.monotonic() >= self._read_next:
            self._read_again()

    def _apply_some(self) -> None:
        """To where keys were read again, and no farther. A source of before 7.0 that finds keys expired while it is
        asked for them may say that it was within the transaction which takes them away: that belongs to it.
        """
        commands: list[Command] = []
        size, before, last = 0, self.place, Unit(*self.place)
        barrier = self._found.position if self._found else float("inf")
        while self._units and len(commands) < _TOGETHER and size < _TOGETHER_BYTES and last.end < barrier:
            last = self._units.popleft()
            commands += last.commands
            size += sum(len(one.raw) for one in last.commands)
        if commands:
            self._heed(commands)
            wanted, mixed = self._without_queues(commands)
            refusals = mixed + self._target.apply(wanted, Mark(self._history, last.end, last.database, True))
            self._marked, self._marked_at = last.end, time.monotonic()
            self.written += len([one for one in commands if one.name not in _TAKES_AWAY])
            self._heed_refusals(refusals, before)
        self.place = Place(last.end, last.database)
        kept = self.stretch.start.position if self.stretch.start else self._marked
        self._spool.forget(min(kept, self._marked))

    def _without_queues(self, commands: list[Command]) -> tuple[list[Command], list[Refusal]]:
        """What of it has nothing to do with queues that are left alone, and what does in part."""
        if not self._queues:
            return commands, []
        wanted, mixed = [], []
        for one in commands:
            keys = self._names.keys(one)
            count = sum(database in self._queues and self._queues[database].has(key) for database, key in keys)
            if not count:
                wanted.append(one)
            elif count < len(keys):
                mixed.append(Refusal(one, "it is in part of a queue, which is left alone"))
        return wanted, mixed

    def _heed(self, commands: list[Command]) -> None:
        for one in commands:
            if self._round is not None and len(one.words) > 2:
                self._round.heed(self._names.keys(one))
            if one.name in _CHANGES_DATABASES:
                self.stretch.swapped |= {int(word) for word in one.words[1:3]}
                self.stretch.keep()

    def _heed_refusals(self, refusals: list[Refusal], before: Place) -> None:
        for refusal in refusals:
            keys = self._names.keys(refusal.command)
            if not keys:
                self.left_out[f"{refusal.command.name.decode('ascii', 'replace')[:40]}: {refusal.why[:200]}"] += 1
            elif self._round is not None:
                self._round.add(keys)
            else:
                self.stretch.open(before)

    # --- reading again ---

    def _read_again(self) -> None:
        if self.stretch.start is not None and self._round is None:
            self._round = Round(self._keys_from(self.stretch.start))
        if self._round is not None:
            keys = self._round.next(self._together)
            if keys:
                self._read_keys(self._round, keys)
            else:
                self._end_round(self._round)
        elif not self.stretch.is_swept:
            self._sweep_some()

    def _read_keys(self, of: Round, keys: list[Key]) -> None:
        """Fewer at once after they were too large, or too slow, for one answer."""
        try:
            self._found = self._ask(lambda source: again.read(source, keys, self.version))
        except NotRedis as error:
            if len(keys) == 1:
                self.left_out[f"{shown(keys[0][1])}: it was not read again, as {error}"] += 1
                return
        if self._found is None:
            of.add(keys)
            self._together = max(1, len(keys) // 4)
        else:
            self._together = self._most
            self._read_next = time.monotonic() + min(_LONGEST_REST, self._pacing.rest(len(keys)))
            self.read_again += len(keys)

    def _end_round(self, ended: Round) -> None:
        places = [place for place in (ended.rest, self._late_since) if place is not None]
        self.stretch.move(min(places, default=None))
        self._round = self._late_since = None

    def _ask(self, ask: Callable[[Connection], Found]) -> Found | None:
        """What was found at a position of the stream that is followed; None where there is no such thing now, as where
        another snapshot came since: its positions say nothing of this one's.
        """
        found, about = self._source.ask(ask), self._spool.about
        is_of_this = about.history == self._history and found and found.replication == about.replication
        return found if is_of_this else None

    def has_all(self) -> bool:
        """Whether nothing is under way: asked of the source now."""
        found = self._ask(lambda source: Found(*again.where(source), []))
        return found is not None and self.place.position >= found.position

    def _sweep_some(self) -> None:
        """What the target has and the source has not, as it had another snapshot before."""
        self._sweep = self._sweep or self._target.all_keys()
        keys = next(self._sweep, [])
        if keys:
            self._found = self._ask(lambda source: again.missing(source, keys))
            self._sweep = self._sweep if self._found else None
        else:
            self.stretch.is_swept = True
            self.stretch.keep()

    def _put(self) -> None:
        found, self._found = self._found, None
        commands, _mixed = self._without_queues(found.commands if found else [])
        if jobs.is_moving(self._folder):
            commands = again.only_missing(commands)
        for refusal in self._target.apply(commands, Mark(self._history, *self.place, True)) if commands else ():
            if not refusal.why.startswith(again.IS_THERE):
                self.left_out[f"{shown(refusal.command.words[1])}: {refusal.why[:200]}"] += 1

    def _keys_from(self, place: Place) -> Iterator[tuple[list[Key], Place]]:
        """The keys of each command from there on, and where it ends."""
        script, end = Script(*place), self.place.position
        while script.read_to < end:
            data = self._spool.read(self._history, script.read_to, min(script.lacks, end - script.read_to))
            if not data:
                raise AssertionError(f"the stream from {script.read_to} on is gone before it was read again")
            for unit in script.units(data):
                keys = [key for one in unit.commands for key in self._names.keys(one)]
                yield self._everywhere(keys), Place(unit.end, unit.database)

    def _everywhere(self, keys: list[Key]) -> list[Key]:
        """A database that was swapped with another may have had the other's number then."""
        swapped = self.stretch.swapped
        return keys + [(other, key) for database, key in keys if database in swapped for other in swapped - {database}]


class Round:
    """The keys of a stretch, or of as much of it as memory holds: each is read once. ``rest`` is where it goes on."""

    def __init__(self, of_commands: Iterator[tuple[list[Key], Place]]) -> None:
        self._open: dict[Key, None] = {}
        self.rest: Place | None = None
        for keys, place in of_commands:
            self._open.update(dict.fromkeys(keys))
            if len(self._open) > _MOST_KEYS:
                self.rest = place
                break

    def next(self, count: int) -> list[Key]:
        keys = [key for key, _place in zip(self._open, range(count))]
        for key in keys:
            del self._open[key]
        return keys

    def heed(self, keys: list[Key]) -> None:
        """What a command puts together with a key that is yet to be read is not right either."""
        if len(keys) > 1 and (self.rest is not None or any(key in self._open for key in keys)):
            self.add(keys)

    def add(self, keys: list[Key]) -> None:
        self._open.update(dict.fromkeys(keys))
