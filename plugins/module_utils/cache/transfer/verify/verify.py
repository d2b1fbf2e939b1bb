# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether two sides hold the same keys, for as long as it is told to look, and on from there the next time.

Every key of the source is compared, then every key of the target is looked for at the source, and then those that were
not the same are looked at until they are, or until they have been at rest for a while and still differ. What a kill
leaves is gone on with: the state is that of the last batch before which all are done.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import Tally, shown
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import suspects, workers
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.batches import (
    Order,
    OtherEngines,
    Place,
    Stretch,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.seen import Seen

STATE, SEEN = "verify.json", "seen"
# A state that was left longer ago than this is not gone on with: it would speak of another day's keys.
OLDEST_STATE = 600.0
_SAVE_EVERY = 1.0  # seconds
_RESTARTS = 3  # as engines are replaced while they are compared


class NotCompared(Exception):
    """It cannot be gone on with; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Question:
    """``folder`` is where the state lies. ``sample`` is how many keys of either side, drawn by lot; 0 is all.
    ``queues`` are left out, by the number of their database.
    """

    source: Side
    target: Side
    folder: str
    sample: int = 0
    ttl_tolerance_ms: int = 1000
    settle_seconds: float = 3.0
    rate: int = 0
    latency_limit_ms: float = 10.0
    processes: int = 2
    queues: Mapping[int, JobKeys] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """By what a state is known as that of the same question. No secret."""
        sides = {"source": self.source.place, "target": self.target.place}
        queues = {str(database): str(keys) for database, keys in self.queues.items()}
        return {**sides, "sample": self.sample, "ttl_tolerance_ms": self.ttl_tolerance_ms, "queues": queues}


@dataclass
class State:
    """``keys`` are those of the source and of the target when it began. ``secret`` makes digests tell nothing."""

    asked: dict[str, Any]
    identity: tuple[list[str], list[str]]
    stretches: tuple[Stretch, ...]
    keys: tuple[int, int]
    began: float
    sample: int = 0
    place: Place = field(default_factory=Place)
    tally: Tally = field(default_factory=Tally)
    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    restarts: int = 0
    saved: float = 0.0

    @property
    def is_read(self) -> bool:
        return self.place.stretch == len(self.stretches)

    def as_dict(self) -> dict[str, Any]:
        place = {**asdict(self.place), "cursor": self.place.cursor.decode()}
        return {
            **vars(self),
            "stretches": [vars(one) for one in self.stretches],
            "place": place,
            "tally": self.tally.as_dict(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> State:
        place = Place(**{**told["place"], "cursor": told["place"]["cursor"].encode()})
        first, second = told["identity"]
        more = {"identity": (first, second), "keys": tuple(told["keys"]), "place": place}
        stretches = tuple(Stretch(**one) for one in told["stretches"])
        return cls(**{**told, **more, "stretches": stretches, "tally": Tally.from_dict(told["tally"])})


@dataclass(frozen=True)
class Found:
    """``libraries`` are those of functions that differ, with why; ``unseen`` keys that are there by their number, and
    that SCAN did not give.
    """

    state: State
    is_done: bool = False
    libraries: Mapping[str, str] = field(default_factory=dict)
    unseen: int = 0
    rate: float = 0.0

    @property
    def is_equal(self) -> bool:
        """Only what was looked at to its end, and has nothing against it."""
        tally = self.state.tally
        is_looked_at = tally.compared + tally.gone > 0 or self.state.keys == (0, 0)
        return self.is_done and is_looked_at and tally.is_clean and not self.libraries and not self.unseen

    @property
    def is_complete(self) -> bool:
        """Whether every key was compared or is known to be missing."""
        against = self.state.tally.against
        return self.is_done and not (self.state.sample or self.unseen or against["unknown"] or against["changing"])


def go_on(question: Question, seconds: float) -> Found:
    """For about so many seconds. Raises NotCompared, ProbeFailed, CacheError, EndpointError."""
    until = time.monotonic() + seconds
    with jobs.only_one(question.folder) as lock:
        if lock is None:
            raise NotCompared("another run is comparing these two at this moment: wait until it is done")
        with reached(question.source) as source, reached(question.target) as target:
            run = _Run(question, source, target, until)
            before, began = run.state.tally.compared, time.monotonic()
            with contextlib.suppress(OtherEngines):  # then the next look begins anew
                run.read()
            rate = (run.state.tally.compared - before) / max(0.001, time.monotonic() - began)
            return run.ended() if run.state.is_read else Found(run.state, rate=rate)


class _Run:
    def __init__(self, question: Question, source: Reach, target: Reach, until: float) -> None:
        self._question, self._until = question, until
        self._source, self._target = source, target
        self._identity = (source.identity(), target.identity())
        self.state = self._known() or self._begun()

    def read(self) -> None:
        """What there is, until it is all read or the time is over. Nobody looks back while others still compare."""
        is_over = False
        while not (self.state.is_read or is_over):
            self._read_on()
            is_over = time.monotonic() > self._until
        self._save(self.state)

    def _read_on(self) -> None:
        """Batches in one direction, by several processes."""
        first = self.state.place.stretch
        is_back = self.state.stretches[first].is_back
        ahead = enumerate(self.state.stretches[first:], first)
        processes = max(1, self._question.processes)
        order = Order(
            source=self._question.source,
            target=self._question.target,
            stretches=self.state.stretches,
            stop=next((number for number, one in ahead if one.is_back != is_back), len(self.state.stretches)),
            ttl_tolerance_ms=self._question.ttl_tolerance_ms,
            rate=self._question.rate / processes,
            latency_limit_ms=self._question.latency_limit_ms,
            until=self._until,
            identity=self.state.identity,
            queues=self._question.queues,
        )
        with contextlib.closing(Seen(self._path(SEEN))) as seen:
            for place, tally in workers.batches(order, self.state.place, seen, processes):
                self.state.place = place
                self.state.tally.add(tally)
                if time.time() - self.state.saved > _SAVE_EVERY:
                    self._save(self.state)

    def ended(self) -> Found:
        """After all was read: what differed is looked at again, and whether all was read is proven."""
        if new := self._stretches_since():
            self.state.stretches += new
            self._save(self.state)
            return Found(self.state)
        question, tally = self._question, self.state.tally
        rules = suspects.Rules(question.ttl_tolerance_ms, question.settle_seconds, bytes.fromhex(self.state.secret))
        while not suspects.look_again(tally, self._source, self._target, rules) and time.monotonic() < self._until:
            time.sleep(suspects.PAUSE)
        if tally.suspects:
            self._save(self.state)
            return Found(self.state)
        if (self._source.identity(), self._target.identity()) != self.state.identity:
            return Found(self._begun(self.state.restarts + 1))
        differing = functions.differing(self._source, self._target)
        found = Found(self.state, True, {shown(name): why for name, why in differing.items()}, self._unseen())
        jobs.remove(question.folder)
        return found

    # --- the state ---

    def _known(self) -> State | None:
        """What an earlier run left of the same question; it begins anew where the engines are others."""
        told = jobs.read(self._question.folder, STATE)
        if not told or told["asked"] != self._question.described() or time.time() - told["saved"] > OLDEST_STATE:
            return None
        state = State.from_dict(told)
        is_known = all(run for runs in self._identity for run in runs)  # a proxy may not tell
        return state if is_known and state.identity == self._identity else self._begun(state.restarts + 1)

    def _begun(self, restarts: int = 0) -> State:
        if restarts > _RESTARTS:
            raise NotCompared(
                "one of the engines was started anew or replaced, does not tell which it is, or slots have moved, each "
                "time that it was gone on with: run it again when they are at rest, with more time for each run (wait)"
            )
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(SEEN))
        counts = (self._source.keys(), self._target.keys())
        held = (_total(counts[0]), _total(counts[1]))
        sample = self._question.sample if 0 < self._question.sample < max(held) else 0
        state = State(
            asked=self._question.described(),
            identity=self._identity,
            stretches=(*_stretches(False, counts[0], sample), *_stretches(True, counts[1], sample)),
            keys=held,
            began=time.time(),
            sample=sample,
            restarts=restarts,
        )
        self._save(state)
        return state

    def _save(self, state: State) -> None:
        state.saved = time.time()
        jobs.write(self._question.folder, STATE, state.as_dict())

    def _path(self, name: str) -> str:
        return os.path.join(self._question.folder, name)

    # --- whether all was read ---

    def _stretches_since(self) -> tuple[Stretch, ...]:
        """Of databases that held nothing when it began."""
        if self.state.sample:
            return ()
        sides = (_stretches(False, self._source.keys(), 0), _stretches(True, self._target.keys(), 0))
        return tuple(one for stretches in sides for one in stretches if one not in self.state.stretches)

    def _unseen(self) -> int:
        """Where a side has as many keys as when it began, SCAN has given as many: the proof rests on that."""
        if self.state.sample:
            return 0
        tally = self.state.tally
        now = (_total(self._source.keys()), _total(self._target.keys()))
        given = (tally.scanned, tally.looked_back)
        return sum(max(0, keys - seen) for keys, seen, was in zip(now, given, self.state.keys) if keys == was)


def _total(counts: list[dict[int, int]]) -> int:
    return sum(sum(databases.values()) for databases in counts)


def _stretches(is_back: bool, side: list[dict[int, int]], sample: int) -> list[Stretch]:
    """Of every engine of one side, every database that holds keys."""
    total = _total(side)
    return [
        Stretch(is_back, database, link, -(-sample * keys // total) if sample else 0)
        for link, databases in enumerate(side)
        for database, keys in sorted(databases.items())
    ]


def phrase(found: Found) -> str:
    """The line that people read."""
    state, tally = found.state, found.state.tally
    if found.is_done:
        against = ", ".join(f"{count:,} {word}" for word, count in tally.against.items() if count)
        return f"compared {tally.compared:,} keys: {against or ('all equal' if found.is_equal else 'not equal')}"
    if state.is_read:
        return f"compared {tally.compared:,} keys; {len(tally.suspects):,} that differ are looked at again"
    pace = f", {found.rate:,.0f}/s" if found.rate >= 1 else ""
    if state.stretches[state.place.stretch].is_back:
        return f"compared {tally.compared:,} keys; looked for {tally.looked_back:,} of the target at the source"
    return f"compared {tally.scanned:,} of {state.sample or state.keys[0]:,} keys{pace}"
