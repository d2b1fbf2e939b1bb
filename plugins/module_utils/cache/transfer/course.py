# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The course of a transfer, a step at a time, as a module takes it that is run again until it is done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import hold, pause, running, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.strategies import STRATEGIES

_POLL_SECONDS = 0.05
_END_SECONDS = 5.0
NEAR_MS = 1000.0


@dataclass(frozen=True)
class Outcome:
    """What a run of the module returns; ``msg`` where it failed."""

    changed: bool = False
    transfer: Progress | None = None
    strategy: str = ""
    refusals: list[str] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    held: hold.Held | None = None
    in_progress: bool = False
    msg: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "changed": self.changed,
            "transfer": self.transfer.as_dict() if self.transfer else {},
            "strategy": self.strategy,
            "refusals": self.refusals,
            "source": self.source,
            "target": self.target,
            "done": self.done,
            "held": self.held.as_dict() if self.held else {},
            "in_progress": self.in_progress,
            "progress": self._progress,
        }

    @property
    def _progress(self) -> str:
        if self.held and self.held.phase != hold.OVER:
            return hold.phrase(self.held)
        return jobs.phrase(self.transfer) if self.transfer else ""


def look(job: Job, state: str) -> Outcome:
    """What is there, and what is against beginning; writes nothing. Raises ProbeFailed, CacheError."""
    known = jobs.progress_of(job.folder)
    ends = bool(known) if state == "absent" else bool(known and known.phase not in jobs.ENDED)
    begins = state == "present" and not (known and known.phase in (jobs.DONE, jobs.FOLLOWING))
    return Outcome(
        changed=begins if state == "present" else ends,
        transfer=known,
        strategy=str(jobs.kept(job.folder).get("strategy", "")),
        refusals=_against(job) if begins and job.target.url else _against_holding(job) if state == "present" else [],
        source=_held(job.source),
        target=_held(job.target),
        in_progress=jobs.is_running(job.folder),
    )


def _held(side: Side) -> dict[str, Any]:
    return {"place": side.place, **sides.look(side).as_dict()} if side.url else {}


def _against(job: Job) -> list[str]:
    other = jobs.kept(job.folder).get("strategy", job.strategy)
    if other != job.strategy:
        return [
            f"A transfer of strategy {other} is there already: go on with that (migration_transfer: {other}), or end "
            "it first (cache_transfer with state: absent)."
        ]
    return STRATEGIES[job.strategy].check(job)


def _against_holding(job: Job) -> list[str]:
    """Of one that follows already."""
    return pause.against(job.source) if job.is_strict and job.source.url else []


def go_on(job: Job, seconds: float) -> Outcome:
    """Begin, go on with what was killed or failed, or stay with what runs. Raises as the strategy's check."""
    known = jobs.progress_of(job.folder)
    if job.is_moving and known:
        jobs.keep_moving(job.folder, job.queues)
    if known and known.phase == jobs.DONE:
        return _told(job, False)
    if known and known.phase in jobs.ENDED:
        _let_end(job)
    if jobs.is_running(job.folder):
        return _stay(job, seconds, changed=False)
    _refuse_what_is_not_made(job)
    refusals = _against(job)
    if refusals:
        return Outcome(
            refusals=refusals,
            strategy=str(jobs.kept(job.folder).get("strategy", "")),
            transfer=known,
            msg=f"Nothing is transferred: {' '.join(refusals)}",
        )
    jobs.keep(job)
    running.start(job, STRATEGIES[job.strategy].run)
    return _stay(job, seconds, changed=True)


def _let_end(job: Job) -> None:
    """Who has told that it failed is gone in a moment."""
    deadline = time.monotonic() + _END_SECONDS
    while jobs.is_running(job.folder) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _refuse_what_is_not_made(job: Job) -> None:
    if not (job.target.url and job.source.url):
        raise TransferRefused(
            "the target is still being made (endpoint: state=after_apply): provision first, and give the endpoint that "
            "this returns."
        )


def finish(job: Job, seconds: float) -> Outcome:
    """Have it come to its end, with a worker at it."""
    known = jobs.progress_of(job.folder)
    if known is None:
        raise TransferRefused("there is no transfer to be finished: begin one (state: present).")
    if known.phase == jobs.DONE:
        return _told(job, False)
    STRATEGIES[job.strategy].finish(job)
    begun = None if jobs.is_running(job.folder) else go_on(job, 0.0)
    return begun if begun and begun.msg else _stay(job, seconds, changed=True, to_the_end=True)


def hold_writes(job: Job, wanted: hold.Asked, seconds: float) -> Outcome:
    """Have who follows hold the source's writes while hosts switch, and stay with that. Each once."""
    known = jobs.progress_of(job.folder)
    if known is None or known.phase in (jobs.DONE, jobs.ABORTED):
        raise TransferRefused("nothing follows the source, so its writes are not held: begin that (state: present).")
    hold.ask(job.folder, wanted)
    begun = None if jobs.is_running(job.folder) else go_on(job, 0.0)
    if begun and begun.msg:
        return begun
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not _is_over(job, wanted) and jobs.is_running(job.folder):
        time.sleep(_POLL_SECONDS)
    told = (
        hold.held(job.folder) if hold.is_there(job.folder, wanted.name) else hold.Held(wanted.name, hosts=wanted.hosts)
    )
    return replace(_told(job, changed=True), held=told, in_progress=not _is_over(job, wanted))


def _is_over(job: Job, wanted: hold.Asked) -> bool:
    told = hold.held(job.folder)
    return told.name == wanted.name and told.phase == hold.OVER


def abort(job: Job, seconds: float) -> Outcome:
    if not jobs.kept(job.folder):
        return Outcome()
    running.stop(job.folder)
    strategy = str(jobs.kept(job.folder)["strategy"])
    done = STRATEGIES[strategy].abort(job)
    jobs.remove(job.folder)
    return Outcome(changed=True, done=done)


def _stay(job: Job, seconds: float, changed: bool, to_the_end: bool = False) -> Outcome:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and _goes_on(job, to_the_end):
        time.sleep(_POLL_SECONDS)
    return _told(job, changed, to_the_end)


def _goes_on(job: Job, to_the_end: bool) -> bool:
    known = jobs.progress_of(job.folder)
    if known is None or _is_near(known, to_the_end):
        return known is None
    return known.phase not in jobs.ENDED and jobs.is_running(job.folder)


def _is_near(known: Progress, to_the_end: bool) -> bool:
    """Following that close, a transfer is not waited for, unless it is to end."""
    return known.phase == jobs.FOLLOWING and known.lag_ms < NEAR_MS and not to_the_end


def _told(job: Job, changed: bool, to_the_end: bool = False) -> Outcome:
    known, held = jobs.progress_of(job.folder) or Progress(), hold.held(job.folder)
    return Outcome(
        changed=changed,
        transfer=known,
        held=held if held.phase == hold.OVER else None,
        strategy=str(jobs.kept(job.folder).get("strategy", "")),
        in_progress=known.phase not in jobs.ENDED and not _is_near(known, to_the_end),
        msg=f"The transfer {jobs.phrase(known)}" if known.phase == jobs.FAILED else "",
    )
