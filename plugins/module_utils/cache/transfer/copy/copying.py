# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A copy as a whole, in rounds: look at both sides, have what is missing copied, and again until nothing is.

A round ends early where an engine went away; the next one begins with what the engines are then. What is known to be at
the target is kept some times a second.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import before, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import crew, ranges
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.copier import Ways
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.sides import Held
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions

STATE = "copy.json"
PATIENCE = 120.0  # seconds in which nothing goes on, until a run gives up
_AGAIN_AFTER = 1.0
_TELL_EVERY = 0.5
_RATE_OVER = 5.0
_LOOK_EVERY = 5.0
_MOST_BEGINNINGS = 5  # an engine that is another each time is none that can be copied

WaysOf = Callable[[Job, Held, Held], Ways]


@dataclass
class State:
    """What the next run needs. ``identities`` are of the engines as they were when the parts began; ``evicted`` is what
    the target had evicted by then.
    """

    was_empty: bool
    began: float
    keys_total: int = 0
    evicted: int = 0
    beginnings: int = 0
    source: dict[str, str] = field(default_factory=dict)
    target: dict[str, str] = field(default_factory=dict)
    parts: list[ranges.Part] = field(default_factory=list)
    counts: dict[str, float] = field(default_factory=dict)
    out: list[dict[str, str]] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "parts": ranges.as_dicts(self.parts)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> State:
        return cls(**{**told, "parts": ranges.from_dicts(told["parts"])})

    def add(self, line: Mapping[str, Any]) -> None:
        """What one of the processes tells."""
        part = self.parts[line["part"]]
        part.keys += line["keys"]
        part.bytes += line["bytes"]
        part.done = line["done"]
        if line["cursor"] is not None:
            part.cursor = line["cursor"]
        for name in ("kept", "gone", "by_type", "rested_ms", "out_count"):
            self.counts[name] = self.counts.get(name, 0) + line[name]
        room = max(0, jobs.LEFT_OUT_SHOWN - len(self.out))
        self.out += [{"key": key, "why": why} for key, why in line["out"]][:room]

    def begin_again(self) -> None:
        for part in self.parts:
            part.begin()
        self.counts, self.out = {}, []


class Copying:
    def __init__(self, job: Job, tell: Tell, ways_of: WaysOf) -> None:
        self._job, self._tell, self._ways_of = job, tell, ways_of
        told = jobs.read(job.folder, STATE)
        self._state = State.from_dict(told) if told else None
        known = jobs.progress_of(job.folder)
        self._restarts = known.restarts if known else 0
        self._told_at = self._looked_at = self._heard_at = time.monotonic()
        self._pace: deque[tuple[float, int]] = deque()
        self._slowed_why, self._slowed_at = "", 0.0

    def run(self) -> None:
        """Raises TransferRefused."""
        while True:
            try:
                stops = self._round()
            except (ProbeFailed, CacheError) as error:
                stops = [crew.stop_of(error)]
            if stops is None:
                return
            for stop in stops:
                if not stop.passes:
                    raise TransferRefused(stop.why)
            if stops and time.monotonic() - self._heard_at > PATIENCE:
                raise TransferRefused(
                    f"for {PATIENCE:.0f} s nothing went on: {stops[0].why} Run it again when that is mended: it goes "
                    "on where it stopped."
                )
            if stops:
                self._restarts += 1
                self._keep()
                time.sleep(_AGAIN_AFTER)

    def _round(self) -> list[crew.Stop] | None:
        """What was in the way of copying what is missing; None where nothing is missing any more."""
        source, target = sides.look(self._job.source), sides.look(self._job.target)
        state = self._state = self._state or self._begun(source, target)
        self._begin_again_with_others(state, source, target)
        before.refuse_evictions(state.evicted, target.evicted)
        self._add_parts(state, source)
        if all(part.done for part in state.parts):
            self._end(state)
            return None
        self._bring_functions(state)
        self._keep()
        return crew.copy(self._job, state.parts, self._ways_of(self._job, source, target), self._hear, self._tick)

    # --- what a round begins with ---

    def _begun(self, source: Held, target: Held) -> State:
        return State(was_empty=not target.keys, began=time.time(), keys_total=source.keys, evicted=target.evicted)

    def _begin_again_with_others(self, state: State, source: Held, target: Held) -> None:
        here = {node.name: node.identity for node in source.nodes}
        there = {node.name: node.identity for node in target.nodes}
        if state.source and (state.source, state.target) != (here, there):
            state.beginnings += 1
            if state.beginnings > _MOST_BEGINNINGS:
                raise TransferRefused(
                    f"an engine was another {state.beginnings} times, and all was copied anew each time: let both come "
                    "to rest, then end this (state: absent), and begin again."
                )
            names = {node.name for node in source.nodes}
            state.parts = [part for part in state.parts if part.node in names]
            state.begin_again()
            state.evicted = target.evicted
        state.source, state.target = here, there

    def _add_parts(self, state: State, source: Held) -> None:
        """Of databases that came since, too."""
        found = ranges.missing(state.parts, {node.name: node.databases for node in source.nodes})
        of_its_own = self._job.source.tls_as_app and len(source.nodes) == 1 and source.nodes[0].server.mode != "cluster"
        for node, databases in found.items():
            state.parts += ranges.parts_of(node, databases, of_its_own)
        state.keys_total = max(state.keys_total, source.keys)

    def _bring_functions(self, state: State) -> None:
        try:
            with reached(self._job.source) as here, reached(self._job.target) as there:
                written = functions.bring(here, there, self._job.target_keys != jobs.KEEP)
        except ServerError as error:
            state.counts["functions_unseen"] = 1
            if "NOPERM" not in str(error):
                raise
            return
        state.functions = sorted({*state.functions, *(name.decode("utf-8", "replace") for name in written)})

    # --- while it goes on ---

    def _hear(self, line: Mapping[str, Any]) -> None:
        if self._state is None:
            return
        self._state.add(line)
        self._heard_at = time.monotonic()
        if line["why"]:
            self._slowed_why, self._slowed_at = line["why"], self._heard_at

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY:
            self._keep()
        if self._state and now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            before.refuse_evictions(self._state.evicted, sides.look(self._job.target).evicted)

    def _keep(self) -> None:
        self._told_at = time.monotonic()
        if self._state:
            jobs.write(self._job.folder, STATE, self._state.as_dict())
            self._tell(self._progress(jobs.COPYING))

    def _end(self, state: State) -> None:
        jobs.write(self._job.folder, STATE, state.as_dict())
        self._tell(self._progress(jobs.DONE))

    def _progress(self, phase: str) -> Progress:
        state = self._state
        if state is None:
            return Progress(restarts=self._restarts)
        keys = sum(part.keys for part in state.parts)
        rate = self._rate(keys)
        slows = phase == jobs.COPYING and time.monotonic() - self._slowed_at < _RATE_OVER
        return Progress(
            phase=phase,
            keys_done=keys,
            keys_total=state.keys_total,
            bytes=sum(part.bytes for part in state.parts),
            rate=rate,
            eta_seconds=max(0, state.keys_total - keys) / rate if rate else 0.0,
            slowed_ms=state.counts.get("rested_ms", 0.0) / max(1, self._job.processes),
            slowed_why=self._slowed_why if slows else "",
            left_out=tuple(state.out),
            left_out_count=int(state.counts.get("out_count", 0)),
            restarts=self._restarts,
            began=state.began,
            notes=tuple(_notes(state)),
        )

    def _rate(self, keys: int) -> float:
        """Over the last seconds."""
        now = time.monotonic()
        self._pace.append((now, keys))
        while self._pace[0][0] < now - _RATE_OVER or self._pace[0][1] > keys:
            self._pace.popleft()
        since, before = self._pace[0]
        return (keys - before) / (now - since) if now > since else 0.0


def _notes(state: State) -> list[str]:
    counts = {name: int(count) for name, count in state.counts.items()}
    told = []
    if counts.get("by_type"):
        told.append(f"{counts['by_type']:,} keys went by what they hold, as their payloads could not.")
    if counts.get("kept"):
        told.append(f"{counts['kept']:,} keys at most stayed at the target as they were (target_keys: keep).")
    if counts.get("gone"):
        told.append(f"{counts['gone']:,} keys were gone at the source by the time they were read.")
    if state.beginnings:
        told.append(f"All was copied anew {state.beginnings} times, as an engine was another.")
    if counts.get("functions_unseen"):
        told.append("Whether the source has libraries of functions could not be seen (FUNCTION LIST is not allowed).")
    return told
