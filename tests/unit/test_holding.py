"""Strict: when writes on the old Redis are held while all hosts switch, what stands against that, and what is said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine, holding

from tests.unit.engine_world import ENDPOINT, NEW, OLD, SETTINGS, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
STARTED = Host(Held.written_over(OLD, NEW), "old.internal")  # its file is written, its service not restarted
FOLLOWS = {"transfer": {"phase": "following"}, "in_progress": True, "source": {"place": "old.internal:6379"}}
ENDED = {"transfer": {"phase": "done"}, "source": {"place": "old.internal:6379"}}
STRICT = {"transfer": "live", "consistency": "strict"}
TIMES = {"still_ms": 2100.0, "held_ms": 812.4, "behind_ms": 21.0}
HELD = {**TIMES, "why": "", "hosts": ["app1", "app2"], "late_writes": 0, "left": []}


def plan(*hosts, goal="cutover", step="ready", seen=FOLLOWS, shared=None, present=(), **settings):
    entry = {"step": step, "host": "app1", "strategy": "live", "endpoint": ENDPOINT, "time": "then"}
    there = World(
        {f"app{number}": host for number, host in enumerate(hosts, 1)},
        shared=shared,
        present=present,
        ledger={"transfer": entry} if step else {},
    )
    known = there.known(goal, settings={**SETTINGS, **STRICT, **settings})
    looks = there.looks(goal)
    first = next(iter(looks))
    return engine.plan(known, {**looks, first: replace(looks[first], transfer=seen)})


def test_all_hosts_are_switched_in_one_turn_and_the_plan_says_for_how_long_writes_are_held_at_most():
    made = plan(ON_OLD, ON_OLD, ON_OLD, canary="app2", batch_size=1)
    assert made.batches == (("app1", "app2", "app3"),) and made.facts["data"]["holds"] and not made.refusals
    assert (
        "data: hold the writes on old.internal:6379, for 10 s at most, until app1, app2, app3 are switched, all in one "
        "turn (strict)"
    ) in made.lines
    held, switched = (next(i for i, line in enumerate(made.lines) if word in line) for word in ("hold", "app1:"))
    assert held < switched


def test_with_eventual_nothing_is_held():
    made = plan(ON_OLD, ON_OLD, consistency="eventual")
    assert made.batches == (("app1",), ("app2",)) and not made.facts["data"]["holds"]


@pytest.mark.parametrize("transfer", ["cold", "copy", ""])
def test_without_live_it_is_refused_with_the_option(transfer):
    [why] = plan(ON_OLD, step=None, transfer=transfer).refusals
    assert "migration_consistency: strict needs" in why and "migration_transfer: live" in why


def test_what_the_old_redis_says_against_it_is_a_refusal_before_anything_is_touched():
    seen = {**FOLLOWS, "refusals": ["The old Redis is of version 6.0.9, and its writes alone cannot be held."]}
    assert plan(ON_OLD, seen=seen).refusals == tuple(seen["refusals"])


def test_values_that_all_hosts_share_switch_whoever_starts_and_are_refused():
    why = " ".join(plan(Host(None), shared=Held(OLD)).refusals)
    assert "/shop/REDIS_URL is shared" in why and "eventual" in why


def test_no_host_may_be_left_out():
    why = " ".join(plan(ON_OLD, ON_OLD, present=("app1",)).refusals)
    assert "--limit" in why and "strict" in why


def test_a_run_that_was_killed_is_gone_on_with_in_one_turn_for_all_that_are_not_proven():
    made = plan(ON_TARGET, STARTED, ON_OLD, step="used")
    assert made.batches == (("app1", "app2", "app3"),) and made.facts["data"]["holds"]


def test_where_nothing_follows_any_more_nothing_is_held():
    made = plan(ON_TARGET, step="used", seen=ENDED)
    assert made.batches and not made.facts["data"]["holds"]


def test_nothing_is_to_be_done_where_all_is_done():
    assert not plan(ON_OLD, goal="transfer").facts["data"]["holds"]


def test_hosts_that_wait_for_each_other_need_as_many_forks():
    assert holding.too_many(["a", "b"], 2) == ""
    assert "--forks 3" in holding.too_many(["a", "b", "c"], 2)


def test_what_came_of_it_is_said_with_its_time():
    assert holding.line(HELD) == (
        "Writes on the old Redis were held for 812 ms, 21 ms of it until the target had all of them, the rest until "
        "all hosts led there (app1, app2). Their services stood still for 2,100 ms."
    )
    assert holding.doubt(HELD) == ""


def test_one_that_ended_before_its_time_says_why():
    told = holding.line({**HELD, "why": "after 10 s (migration_hold_limit) app2 had not switched"})
    assert told == (
        "Writes on the old Redis were held for 812 ms, and not all hosts had switched then: after 10 s "
        "(migration_hold_limit) app2 had not switched."
    )
    assert "were not held: app3 did not stand ready." in holding.line({"why": "app3 did not stand ready"})


@pytest.mark.parametrize("held", [{}, {"why": "the process was ended"}, {**HELD, "late_writes": None}])
def test_what_nobody_knows_is_not_proven(held):
    assert "is unknown" in holding.doubt(held)


def test_writes_that_came_late_are_counted_and_those_who_are_there_named():
    told = holding.doubt({**HELD, "late_writes": 1200, "left": ["10.0.0.9"]})
    assert "1,200 writes came" in told and "10.0.0.9" in told
