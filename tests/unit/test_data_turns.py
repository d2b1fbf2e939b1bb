"""The controller around the data: the lock first, what the ledger is told of it, and no host switched without it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import ending, engine
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import FINISHED, LET_GO
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

from tests.unit.engine_world import ENDPOINT, NEW, OLD, SETTINGS, Held, Host, World
from tests.unit.test_turns import FAILED, OK, Fake

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
COPIED = {"state": "ok", "changed": True, "keys": 5, "compared": {"equal": True}, "lines": []}
NOT_COPIED = {"state": "failed", "changed": True, "step": "Bring the data", "why": "the target is full"}
BEFORE_AND_AFTER = ("before", "after")


@pytest.fixture(autouse=True)
def _no_ansible(monkeypatch):
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})


class Run:
    """The turns of a run, one after the other. ``job`` is how far the copy is when the run looks."""

    def __init__(self, there, goal="transfer", job=None, strategy="copy", **answers):
        settings = {**SETTINGS, "transfer": strategy, "consistency": answers.pop("consistency", "eventual")}
        self.fake = Fake(there, **answers)
        if goal == "abort":
            goal, settings["transfer_abort"] = "transfer", True
        known, looks = there.known(goal, settings=settings), there.looks(goal)
        looks["app1"] = replace(looks["app1"], transfer={"transfer": job or {}, "in_progress": True})
        self.known, self.plan, self.state = known, engine.plan(known, looks), {}
        assert not self.plan.refusals, self.plan.refusals

    def turn(self, result=None, ended=None, let_go=None, **args):
        """``result`` is what the host told before this turn, ``ended`` what of the end of what follows, ``let_go`` what
        of the writes that were held.
        """
        results = {name: told for name, told in ((FINISHED, ended), (LET_GO, let_go)) if told}
        self.fake.registered = lambda task_vars, hosts, name: dict.fromkeys(hosts, results.get(name, result))
        told = {**vars(self.known), "began": 1, "token": seal("the-token")}
        plan = json.loads(json.dumps(self.plan.as_dict()))
        self.fake._task.args = {"known": told, "plan": plan, "so_far": self.state, **args}
        ran = self.fake.run(task_vars={"hostvars": {host: {} for host in self.known.present}})
        self.state = json.loads(json.dumps(ran))
        return self

    @property
    def ledger(self):
        """What it was told of the transfer, in order."""
        asked = [args for what, args in self.fake.asked if what.startswith("migration_ledger")]
        told = [args for args in asked if args.get("entry") == "transfer"]
        return [args["value"]["step"] if "value" in args else args["state"] for args in told]


def world(*hosts, entry=None, strategy="copy"):
    value = {"step": entry, "host": "app1", "strategy": strategy, "endpoint": ENDPOINT, "keys": 5, "time": "then"}
    ledger = {"transfer": value} if entry else {}
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, ledger=ledger)


def test_the_ledger_knows_that_it_is_under_way_before_the_host_begins_and_that_it_is_ready_after():
    run = Run(world(ON_OLD)).turn(data="before")
    assert run.fake.order == ["migration_lock", "migration_ledger_info", "migration_ledger"] and run.ledger == ["begun"]
    run.turn(COPIED, data="after").turn()
    assert run.ledger == ["begun", "ready"] and run.state["go"] and run.state["data"]["keys"] == 5


def test_what_was_brought_before_stays_known_until_it_is_there_anew():
    run = Run(world(ON_OLD, entry="used"), job={"phase": "done"}).turn(data="before")
    assert run.ledger == [] and run.state["data"]["does"] == "anew"
    assert run.turn(COPIED, data="after").ledger == ["ready"]


@pytest.mark.parametrize("result", [NOT_COPIED, None, {"unreachable": True, "msg": "gone"}])
def test_no_host_is_switched_where_the_data_is_not_there(result):
    run = Run(world(ON_OLD), "transfer").turn(data="before").turn(result, data="after")
    assert not run.state["go"] and "app1" in run.state["failure"]["why"] and run.ledger == ["begun"]
    run.turn()
    assert run.state["put_back"] == [] and run.ledger == ["begun"]


def test_a_run_that_does_not_get_the_lock_begins_nothing():
    run = Run(world(ON_OLD), migration_lock={"failed": True, "msg": "awx holds it", "lock": {}}).turn(data="before")
    assert not run.state["go"] and run.ledger == []
    assert run.turn(data="after").ledger == []


def test_the_ledger_says_that_hosts_write_to_the_target_before_the_first_of_them_does_and_at_the_end_that_all_is_done():
    run = Run(world(ON_OLD, entry="ready"), "cutover", {"phase": "done"}).turn(batch=0)
    assert run.ledger == ["used"]
    run.turn(OK)
    assert run.ledger == ["used", "finished"] and run.fake.order[-1] == "migration_ledger"
    entry = [args for what, args in run.fake.asked if args.get("entry") == "transfer"][-1]["value"]
    assert entry["keys"] == 5 and entry["host"] == "app1" and "time" not in entry


def test_a_cutover_that_stops_leaves_the_data_as_one_that_was_written_to():
    run = Run(world(ON_OLD, entry="ready"), "cutover", {"phase": "done"}).turn(batch=0).turn(FAILED)
    assert run.ledger == ["used"] and run.state["put_back"] == ["app1"]


def test_with_cold_the_ledger_is_told_nothing_of_data():
    run = Run(world(ON_OLD, entry="ready"), "cutover", {"phase": "done"})
    run.known = replace(run.known, settings={**SETTINGS, "transfer": "cold"}, ledger={"entries": {}, "now": "then"})
    run.fake.world = world(ON_OLD)
    assert run.turn(batch=0).turn(OK).ledger == []


def test_a_transfer_that_is_ended_is_forgotten():
    run = Run(world(ON_OLD, entry="begun"), "abort").turn(data="before")
    assert run.ledger == []
    assert run.turn({"state": "ok", "changed": True}, data="after").ledger == ["absent"]


# --- what follows ---


def following():
    return Run(world(ON_OLD, entry="ready", strategy="live"), "cutover", {"phase": "following"}, "live")


def test_what_follows_is_ended_after_the_last_batch_and_before_the_ledger_is_told():
    run = following().turn(batch=0).turn(OK, data="finish")
    assert run.state["go"] and run.ledger == ["used"] and not any(step == "finished" for step in run.ledger)
    run.turn(OK, ended={**OK, "transfer": {"keys": 5}})
    assert run.ledger == ["used", "finished"] and run.state["put_back"] == []
    assert run.state["data"]["finished"] == {"keys": 5}


def test_where_it_cannot_be_ended_nobody_is_put_back_and_the_ledger_is_not_told_of_the_cutover():
    run = following().turn(batch=0).turn(OK, data="finish")
    run.turn(OK, ended={**FAILED, "why": "two clients write to it"})
    assert run.ledger == ["used"] and run.state["put_back"] == []
    assert run.state["go"] and run.state["not_finished"] == "app1: two clients write to it"
    assert not any(args.get("entry") == "cutover" for _what, args in run.fake.asked)


def test_where_a_host_failed_what_follows_is_not_ended_and_the_host_is_put_back():
    run = following().turn(batch=0).turn(FAILED, data="finish")
    assert not run.state["go"]
    assert run.turn(FAILED).state["put_back"] == ["app1"] and run.ledger == ["used"]


# --- strict ---

HELD = {"held_ms": 500.0, "behind_ms": 20.0, "still_ms": 2000.0, "late_writes": 0, "hosts": ["app1"], "why": ""}
LET_GO_OK = {"state": "ok", "changed": True, "held": HELD}
FOLLOWING = {"phase": "following"}


def strict(**more):
    there = world(ON_OLD, entry="ready", strategy="live")
    return Run(there, "cutover", FOLLOWING, "live", consistency="strict", **more).turn({"state": "ok"}, data="before")


def ended(run, *results):
    found = dict(zip(run.known.present, results))
    first = {"first": {"digest": run.plan.digest, "lines": run.plan.lines}}
    plan = replace(run.plan, facts={**run.plan.facts, **first})
    return ending.of(run.known, plan, run.state, found, {}, {})


def test_who_holds_the_writes_and_for_whom_is_known_before_the_first_host():
    run = strict().turn(batch=0)
    assert run.state["hold"] == {"name": "1", "hosts": ["app1"], "by": "app1"} and "writes" not in run.state


def test_how_long_they_were_held_is_recorded():
    run = strict().turn(batch=0).turn(OK, let_go=LET_GO_OK, ended={"state": "ok", "transfer": {}})
    assert run.state["writes"] == HELD
    told = ended(run, OK)
    assert told.failure == "" and told.records["cutover"]["held"] == HELD


@pytest.mark.parametrize("late", [3, None])
def test_a_write_that_came_late_or_may_have_is_a_failure_that_puts_nobody_back(late):
    let_go = {**LET_GO_OK, "held": {**HELD, "late_writes": late}}
    run = strict().turn(batch=0).turn(OK, let_go=let_go, ended={"state": "ok", "transfer": {}})
    assert run.state["put_back"] == [] and "it is not strict" in ended(run, OK).failure


def test_of_a_run_that_holds_nothing_nothing_is_recorded():
    run = Run(world(ON_OLD, entry="ready"), "cutover", {"phase": "done"}).turn(batch=0).turn(OK)
    told = ended(run, OK)
    assert told.failure == "" and "held" not in told.records["cutover"]
