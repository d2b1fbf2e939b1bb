# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the host does that brings the data: say how far it is, copy, compare. A result comes back whatever happens."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import strategies
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import AFTER_APPLY_ADDRESS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import COPY as COPIES
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    brought,
    carrying,
    holding,
    transfer,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, ORIGINAL
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import progress, say

Found = dict[str, Any]
Hear = Callable[[Found], None]  # each answer of a module that is run again

A_DAY = 86400.0
OLDEST_COPY = 600.0  # seconds since it came to its end
TOLERANCE_MS = 2000  # of the time that a key has left: what follows has it live a little longer
BEGIN_SECONDS = 120.0
WAIT = 5.0  # seconds of a run of a module, which then says how far it is
FINISH_SECONDS = 300.0
LET_GO_SECONDS = 90.0  # beside the limit: for hosts that do not stand ready, and for who has ended
COPY, COMPARE, FINISH = "Bring the data", "Compare what was brought", "End the following"
BY_AWS = {"present": "Have AWS follow the old Redis", "completed": "Have the target take writes"}
END_AT_AWS = "Have AWS follow the old Redis no longer"
HOLD, CARRY = "Hold the writes on the old Redis", "Carry back what the app wrote to the target"
TAKE_AWAY = "Take away what was copied before"
CLEAR, MOVE, MOVE_BACK = "Take copied jobs away", "Move what waits in queues", "Move back what waits in queues"


SEEN = ("transfer", "progress", "in_progress", "strategy", "source", "refusals")


OK = {"state": "ok", "changed": True}


class Failed(Exception):
    """``args`` are the step and why."""

    @property
    def result(self) -> Found:
        step, why = self.args
        return {**OK, "state": "failed", "step": step, "why": why}


class Bearer:
    """One host on which modules are run, and what they are told. ``action`` is app_host."""

    def __init__(self, action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> None:
        self.action, self.known, self.settings = action, known, settings
        self.host = action._task_vars["inventory_hostname"]
        self.places = self.places_of(migration)

    def places_of(self, migration: Migration) -> Found:
        """Both ends: the old one as this host knows it, by its own values, or by what all share."""
        endpoint, token = self.known.endpoint, self.action.token_of_probe()
        files = [
            {
                "path": value.address,
                "keys": list(value.keys),
                "forms": {name: form.as_dict() for name, form in value.forms.items()},
            }
            for value in migration.own
        ]
        shared = [{"name": "the value that hosts share", "original": self.action.secret("original")}]
        is_known = endpoint.get("address") not in (None, AFTER_APPLY_ADDRESS)
        return {
            "migration_name": self.known.name,
            "state_dir": self.settings["state_dir"],
            "target_address": endpoint["address"] if is_known else "",
            "endpoint": dict(endpoint),
            **({"values": files} if files else {"urls": shared}),
            **({"token": token} if token else {}),
        }

    @property
    def goes_back(self) -> bool:
        return GOALS[self.known.goal].destination == ORIGINAL

    def order(self) -> Found:
        if self.goes_back:
            return {**self.order_there(), "strategy": "carry", "direction": "back", "strict": False}
        return self.order_there()

    def order_there(self) -> Found:
        entry = transfer.entry_of(self.known)
        begun = entry.get("strategy") if transfer.is_unfinished(entry) else None
        return {
            **self.places,
            "strategy": begun or self.settings["transfer"],
            "processes": self.settings["transfer_processes"],
            "rate": self.settings["transfer_rate"],
            "latency_limit_ms": self.settings["transfer_latency_limit"],
            "target_keys": self.settings["transfer_target_keys"],
            "strict": holding.is_strict(self.settings),
        }

    def look(self) -> Found:
        order = {**self.order(), "state": "present"}
        if self.known.goal == "state":  # no stage but that has no token, and asks the old one alone
            order["endpoint"] = {**order["endpoint"], "state": "after_apply"}
        seen = self.action.looked_at_by("cache_transfer", order)
        if why := batches.failure_reason(seen):
            return {"failure": why}
        return {name: seen[name] for name in SEEN if name in seen}

    def say(self, lines: Iterable[str]) -> None:
        say.lines([f"  [{self.host}] {line}" for line in lines])

    def until_done(
        self, step: str, module: str, order: Found, seconds: float = A_DAY, hear: Hear | None = None
    ) -> Found:
        """A module again until it is done, with a line at least every five seconds. Raises Failed."""

        def run(args: Mapping[str, Any]) -> Found:
            answer: Found = self.action.module(module, dict(args))
            if hear:
                hear(answer)
            return answer

        answer = progress.run_until_done(
            run,
            {**order, "wait": WAIT},
            timeout=seconds,
            interval=0.0,
            say=lambda line: self.say([line]),
        )
        if answer.get("in_progress") and not answer.get("unreachable"):
            raise Failed(step, f"after {seconds:.0f} s it is not at its end: {answer.get('progress')}")
        if why := batches.failure_reason(answer):
            raise Failed(step, why)
        return dict(answer)

    def writes(self) -> Found:
        """How often the old Redis was told to write; empty where it does not tell."""
        names = ("values", "urls", "migration_name", "state_dir", "target_address")
        order = {name: self.places[name] for name in names if name in self.places}
        seen = self.action.module("old_redis_info", {**order, "ask": True})
        return dict((seen.get("redis") or {}).get("writes") or {})

    def transfer(self, **more: Any) -> Found:
        return self.until_done(COPY, "cache_transfer", {**self.order(), "state": "present", **more})

    def switch(self) -> None:
        """What follows goes on as it is: no snapshot is put over what hosts write to the target from now on."""
        if transfer.is_live(self.known) and GOALS[self.known.goal].moves:
            self.transfer(moving=True, queues=self.action.turn["data"]["queues"])

    def brought(self, *, is_new: bool) -> Found:
        """Copied and compared. What was begun before has begun at a time of which nobody has the counts."""
        before = self.writes() if is_new or not self.look().get("transfer") else {}
        seen = self.transfer().get("transfer") or {}
        said = brought.copied(seen, self.settings["transfer"])
        self.say(said)
        compared = self.compare()
        written = brought.most_written(before, self.writes())
        wanted = brought.Wanted(self.settings["transfer"], self.settings["transfer_target_keys"])
        told = brought.result(seen, compared, written, wanted)
        self.say(told["lines"][len(said) :])
        if "state" not in told:
            self.switch()
            self.clear()
        return told

    def clear(self) -> None:
        """Jobs that were brought with the rest: hosts at the target have their own, and these are moved in the end.
        Where the target follows, that is not before the first host is switched.
        """
        if GOALS[self.known.goal].moves or not transfer.follows(self.known):
            self.queues(CLEAR, FINISH_SECONDS, state="cleared")

    def queues(self, step: str, seconds: float = A_DAY, /, **order: Any) -> dict[str, int]:
        """How many jobs went, by the patterns of their keys."""
        queues = self.action.turn["data"]["queues"]
        if not queues:
            return {}
        moved: Counter[str] = Counter()
        order = {**self.places, "queues": queues, **order}
        self.until_done(
            step, "cache_queues", order, seconds, hear=lambda answer: moved.update(answer.get("jobs") or {})
        )
        return dict(moved)

    def take_away(self) -> None:
        """Jobs that hosts have placed there before they were put back are theirs here, too."""
        self.queues(MOVE_BACK, state="moved", direction="back")
        self.forget()

    def forget(self) -> None:
        """A transfer that was begun, with what it brought where nothing was before."""
        self.until_done(TAKE_AWAY, "cache_transfer", {**self.order(), "state": "absent"})

    def is_old(self) -> bool:
        """A copy that came to its end while nobody looked, and so long ago that it is of another hour's data."""
        seen = self.look()
        job = seen.get("transfer") or {}
        return (
            seen.get("strategy") == COPIES
            and job.get("phase") == "done"
            and time.time() - float(job.get("now") or 0) > OLDEST_COPY
        )

    def end(self) -> Found:
        """Of what follows."""
        done = self.until_done(FINISH, "cache_transfer", {**self.order(), "state": "finished"}, FINISH_SECONDS)
        self.say([f"Followed to the end: {done.get('progress')}."])
        return dict(done.get("transfer") or {})

    def hold(self, wanted: Mapping[str, Any]) -> None:
        """Have who follows hold the writes once all hosts stand ready, which they do after this."""
        if self.goes_back:
            self.forget()  # of an earlier way back; jobs come with all else, once services stand still
        answer = dict(self.action.module("cache_transfer", {**self.order_of_hold(wanted), "wait": 0.0}))
        if why := batches.failure_reason(answer):
            raise Failed(HOLD, why)

    def order_of_hold(self, wanted: Mapping[str, Any]) -> Found:
        limit = float(self.settings["hold_limit"])
        told = {"name": wanted["name"], "hosts": list(wanted["hosts"]), "limit": limit}
        return {**self.order(), "state": "present" if self.goes_back else "held", "hold": told}

    def let_go(self, wanted: Mapping[str, Any]) -> Found:
        """What became of it, when it is over."""
        order = self.order_of_hold(wanted)
        seconds = A_DAY if self.goes_back else float(self.settings["hold_limit"]) + LET_GO_SECONDS
        done = self.until_done(CARRY if self.goes_back else HOLD, "cache_transfer", order, seconds)
        held = dict(done.get("held") or {})
        self.say(carrying.lines(held, done.get("transfer") or {}) if self.goes_back else [holding.line(held)])
        return held

    def compare(self) -> Found:
        """What is equal on both sides, as far as that is asked for."""
        kind = self.settings["transfer_verify"]
        if kind == "none":
            return {}
        sample = self.settings["sample"] if kind == "sample" else 0
        shared = ("processes", "rate", "latency_limit_ms")
        order = {name: value for name, value in self.order().items() if name in (*self.places, *shared)}
        order = {**order, "queues": self.action.turn["data"]["queues"]}
        return self.until_done(COMPARE, "cache_verify", {**order, "sample": sample, "ttl_tolerance_ms": TOLERANCE_MS})


class OfAws(Bearer):
    """AWS has the target follow the old Redis; this host looks at both before, watches the link, and compares. The
    calls are the controller's.
    """

    def transfer(self, **more: Any) -> Found:
        """The host first, as it remembers whether the target was empty, and what is against it ends it there."""
        self.begin()
        source = transfer.place_of(self.look())
        self.at_aws("present", source_address=source[0], source_port=source[1])
        return super().transfer(**more)

    def begin(self) -> None:
        end = time.monotonic() + BEGIN_SECONDS
        while True:
            order = {**self.order(), "state": "present", "wait": 1.0}
            answer = self.action.module("cache_transfer", order)
            if why := batches.failure_reason(answer):
                raise Failed(COPY, why)
            if (answer.get("transfer") or {}).get("began"):
                return
            if time.monotonic() > end:
                raise Failed(COPY, f"after {BEGIN_SECONDS:.0f} s the host has not begun to watch")

    def switch(self) -> None:
        """The host is told first, for which a target that follows no longer would be a failure."""
        if not GOALS[self.known.goal].moves:
            return
        order = {**self.order(), "state": "finished"}
        told = self.action.module("cache_transfer", {**order, "wait": 0.0})
        if why := batches.failure_reason(told):
            raise Failed(FINISH, why)
        self.at_aws("completed")
        done = self.until_done(FINISH, "cache_transfer", order, FINISH_SECONDS)
        self.say([f"AWS has completed it, and the target takes writes: {done.get('progress')}."])

    def take_away(self) -> None:
        self.at_aws("absent")
        super().take_away()

    def at_aws(self, state: str, **more: Any) -> None:
        row = table.target_of(self.known.settings)
        answer = self.action.on_controller(
            row.migration_module,
            {
                "region": self.known.settings["region"],
                "migration_name": self.known.name,
                row.name_option: self.known.settings[row.name_option],
                "adopt": self.known.settings.get("adopt", False),
                "state": state,
                **more,
            },
        )
        if answer.get("failed"):
            raise Failed(BY_AWS.get(state, END_AT_AWS), str(answer.get("msg") or "no reason given"))


BEARERS: Mapping[str, type[Bearer]] = {strategies.MANAGED: OfAws}  # others: the host alone


def _bearer(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Bearer:
    """By what was begun, where it is not finished."""
    entry = transfer.entry_of(known)
    begun = str(entry.get("strategy") or "") if transfer.is_unfinished(entry) else ""
    return BEARERS.get(begun or settings["transfer"], Bearer)(action, known, settings, migration)


def look(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Found:
    """How far it is, and what stands against its beginning."""
    return _bearer(action, known, settings, migration).look()


def bring(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Found:
    """What was asked for of the data, as a result."""
    does = action.turn["data"]["does"]
    bearer = _bearer(action, known, settings, migration)
    try:
        is_anew = does == transfer.ANEW or (does == transfer.BRING and bearer.is_old())
        if is_anew or does == transfer.ABORT:
            bearer.take_away()
        if does == transfer.ABORT:
            return dict(OK)
        if does == transfer.GO_ON:
            bearer.switch()
            bearer.clear()
            return dict(OK)
        return {**OK, **bearer.brought(is_new=is_anew)}
    except Failed as failed:
        return failed.result


def hold(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Found:
    """That writes are to be held while hosts switch, as a result."""
    try:
        Bearer(action, known, settings, migration).hold(action.turn["hold"])
    except Failed as failed:
        return failed.result
    return dict(OK)


def let_go(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Found:
    """How that ended, as a result."""
    try:
        return {**OK, "held": Bearer(action, known, settings, migration).let_go(action.turn["hold"])}
    except Failed as failed:
        return failed.result


def finish(action: Any, known: Known, settings: Mapping[str, Any], migration: Migration) -> Found:
    """The end of what follows, and of the queues that were left, as a result."""
    bearer = _bearer(action, known, settings, migration)
    try:
        followed = bearer.end() if transfer.is_live(known) else {}
        jobs = bearer.queues(MOVE, state="moved")
    except Failed as failed:
        return failed.result
    if bearer.action.turn["data"]["queues"]:
        named = ", ".join(f"{count:,} in {name}" for name, count in sorted(jobs.items()))
        bearer.say([f"Moved what waited in queues: {named or 'nothing did'}."])
    return {**OK, "transfer": followed, "jobs": jobs}
