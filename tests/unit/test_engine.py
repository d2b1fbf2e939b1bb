"""The engine as a whole: what a plan leads to, what is put back, and that a plan is one whoever looks at it.

Worlds are made at random: hosts with the old, the new or somebody else's value, journaled or not, connected anywhere; a
shared value or none; a ledger that knows all, some or none of them, or another target; a limit.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    engine,
    judge,
    token_rotation,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan, Step
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine_world import ENDPOINT, FOREIGN, NEW, NEWER, OLD, Held, Host, World

NAMES = ("app1", "app2", "app3", "app4")
PLACES = st.sampled_from(["old.internal", "target.internal", "foreign.internal", ""])
HELD = st.sampled_from(
    [
        Held(OLD),
        Held(FOREIGN),
        Held(NEW),
        Held.written_over(OLD, NEW),
        Held.written_over(FOREIGN, NEW),
        replace(Held.written_over(OLD, NEW), value=OLD),  # killed between recording and writing
        replace(Held.written_over(OLD, NEW), value=FOREIGN),  # changed by somebody since
    ]
)


@st.composite
def worlds(draw):
    is_shared_only = draw(st.booleans())
    hosts = {
        name: Host(None if is_shared_only else draw(HELD), draw(PLACES)) for name in NAMES[: draw(st.integers(1, 4))]
    }
    shared = draw(HELD) if is_shared_only else draw(st.none() | HELD)
    known = draw(st.none() | st.lists(st.sampled_from(list(hosts)), unique=True))
    entry = {"endpoint": draw(st.sampled_from([ENDPOINT, {**ENDPOINT, "address": "before.internal"}])), "time": "then"}
    limit = () if shared else tuple(draw(st.just([]) | st.lists(st.sampled_from(list(hosts)), min_size=1, unique=True)))
    return World(hosts, shared, {} if known is None else {"cutover": {**entry, "hosts": known}}, limit)


# --- planning against what a plan leads to ---


@given(worlds())
def test_after_a_cutover_there_is_nothing_to_cut_over(world):
    plan = world.plan("cutover")
    if plan.refusals:
        return
    after, _turn, results = world.to_target(plan, {})
    assert not batches.failed_hosts(results)
    after = after.remembered() if plan.facts["is_to_remember"] else after
    assert after.plan("cutover").is_nothing and not after.plan("cutover").refusals
    assert all(after.reads(host) == NEW for host in world.present or world.hosts)


@given(worlds())
def test_after_a_rollback_there_is_nothing_to_put_back(world):
    plan = world.plan("rollback")
    if plan.refusals:
        return
    again = world.to_original(plan).plan("rollback")
    assert again.steps == ()
    assert again.facts["beyond_help"] == plan.facts["beyond_help"] or not plan.facts["begins"]


@given(worlds())
def test_after_a_cutover_and_a_rollback_every_value_is_what_it_was(world):
    if any(held and held.entry for held in [world.shared, *(host.own for host in world.hosts.values())]):
        return  # what an earlier run has left is not what there was
    plan = world.plan("cutover")
    there, _turn, _results = world.to_target(plan, {})
    back = there.to_original(there.plan("rollback"))
    assert {host: back.reads(host) for host in back.hosts} == {host: world.reads(host) for host in world.hosts}


@given(worlds(), st.booleans())
def test_after_a_rotation_there_is_no_token_to_change(world, wants_new):
    secret = {"exists": True, "ours": True, "current_version_id": "v1", "pending_version_id": "" if wants_new else "v2"}
    course = token_rotation.course("shop/token", secret, {}, wants_new)
    plan = world.plan("rotate", course=course)
    if plan.refusals:
        return
    hosts = dict(world.hosts)
    for name in plan.consumers:
        own = hosts[name].own
        hosts[name] = Host(own and own.changed("present", NEWER)[0], "target.internal")
    shared = world.shared.changed("present", NEWER)[0] if plan.facts["shared"] else world.shared
    entry = {"token": token_rotation.entry_of("shop/token", "v2")}
    after = replace(world, hosts=hosts, shared=shared, ledger={**world.ledger, **entry}, accepted=frozenset({"newer"}))
    done = token_rotation.course(
        "shop/token", {**secret, "current_version_id": "v2", "pending_version_id": ""}, after.ledger["token"], False
    )
    if not plan.facts["left"]:
        assert after.plan("rotate", course=done).is_nothing
        assert all(after.reads(host) != NEW for host in world.present or world.hosts), "a token was ended under a host"


@given(worlds())
def test_to_say_where_it_stands_changes_nothing(world):
    plan = world.plan("state")
    assert plan.is_nothing and plan.notes


# --- a plan is one whoever looks at it ---


@pytest.mark.parametrize("goal", sorted(GOALS))
@given(world=worlds())
def test_a_plan_in_check_mode_is_that_of_the_run(goal, world):
    course = {"needed": False, "secret": "shop/token", "done": []} if goal == "rotate" else {}
    known, looks = world.known(goal, course=course), world.looks("cutover" if goal == "rotate" else goal)
    run, look = engine.plan(known, looks), engine.plan(replace(known, check_mode=True), looks)
    assert (run.lines, run.digest, run.refusals) == (look.lines, look.digest, look.refusals)


@pytest.mark.parametrize("goal", sorted(GOALS))
@given(world=worlds())
def test_a_plan_comes_back_whole_from_where_ansible_keeps_it(goal, world):
    course = {"needed": False, "secret": "shop/token", "done": []} if goal == "rotate" else {}
    plan = world.plan(goal, course=course)
    kept = Plan.from_dict(json.loads(json.dumps(plan.as_dict())))
    assert kept == plan and kept.digest == plan.digest and kept.lines == plan.lines


TEXTS = st.text(max_size=5)
STEPS = st.builds(Step, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.booleans(), TEXTS)
PLANS = st.builds(
    Plan,
    goal=TEXTS,
    batches=st.lists(st.lists(TEXTS).map(tuple)).map(tuple),
    steps=st.lists(STEPS).map(tuple),
    refusals=st.lists(TEXTS).map(tuple),
    notes=st.lists(TEXTS).map(tuple),
    made_of=st.dictionaries(TEXTS, TEXTS),
    facts=st.dictionaries(TEXTS, st.lists(TEXTS)),
)


@given(PLANS)
def test_no_part_of_a_plan_is_lost_on_the_way(plan):
    assert Plan.from_dict(json.loads(json.dumps(plan.as_dict()))) == plan


@given(PLANS, STEPS)
def test_another_step_or_another_order_is_another_digest(plan, step):
    assert replace(plan, steps=(*plan.steps, step)).digest != plan.digest
    assert replace(plan, batches=(*plan.batches, ("one more",))).digest != plan.digest
    assert replace(plan, notes=("a note is no part of it",)).digest == plan.digest


# --- a run that stops ---

ENDS = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["probe", "value", "service"]), max_size=2)


@given(worlds(), ENDS, st.sampled_from(["", "canary", "all"]))
def test_a_run_that_stops_puts_back_exactly_what_it_changed_and_nothing_settled(world, ends, check):
    known, plan = world.known("cutover"), world.plan("cutover")
    if plan.refusals:
        return
    after, turn, results = world.to_target(plan, ends, check)
    if not batches.failed_hosts(results) and not turn["checks"]:
        return
    is_shared_back = judge.shared_to_revert(known, plan, turn)
    back = judge.to_put_back(known, plan, results, turn)
    changed = {host for host, result in results.items() if result["changed"]}
    led = {host for host in known.present if world.reads(host) == NEW}
    own_or_back = any(host.own for host in world.hosts.values()) or is_shared_back
    settled = {host for host in led if not own_or_back or host in plan.facts["remembered"]}
    all_of_it = turn["checks"] or is_shared_back
    begun = {host for host in plan.facts["begun_before"] if all_of_it or results[host]["state"] == "failed"}
    begun = set() if plan.facts["was_complete"] else begun
    assert set(back) == (changed | begun) - settled
    restored = after.put_back(back, is_shared_back)
    for host in known.present:
        if host not in led and world.hosts[host].own:
            assert restored.hosts[host].own.value == world.hosts[host].own.value, host
        if host in settled:
            assert restored.reads(host) == NEW, host
    if turn["shared"].get("changed"):
        assert restored.shared.value == world.shared.value


@given(worlds(), ENDS)
def test_a_run_that_stopped_is_gone_on_with_and_comes_to_the_same_end(world, ends):
    plan = world.plan("cutover")
    if plan.refusals:
        return
    killed, _turn, _results = world.to_target(plan, ends)
    again = killed.plan("cutover")
    if again.refusals:
        return
    after, _turn, results = killed.to_target(again, {})
    assert not batches.failed_hosts(results)
    after = after.remembered() if again.facts["is_to_remember"] else after
    assert after.plan("cutover").is_nothing
