"""What a person reads of a plan and on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import words
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Step

from tests.unit.engine_world import NEW, OLD, Held, Host, World

WORLD = World({"app1": Host(Held(OLD))})
DONE = World({"app1": Host(Held.written_over(OLD, NEW), "target.internal")}).remembered()


@pytest.mark.parametrize("goal", sorted(GOALS))
def test_each_goal_has_a_title_that_says_whether_it_is_only_a_plan(goal):
    known = WORLD.known(goal)
    assert words.title(known)
    is_plan = words.title(replace(known, check_mode=True)).endswith("the plan; nothing is changed")
    assert is_plan is (goal != "state")


def test_a_plan_is_its_title_with_its_digest_and_a_line_for_each_step():
    plan = WORLD.plan("cutover")
    title, *lines = words.of_plan(WORLD.known("cutover"), plan)
    assert title == f"Switch the hosts of shop to shop-cache (plan {words.short(plan.digest)})"
    assert lines == [
        *(f"- {line}" for line in plan.lines),
        "  Plan: 0 to make, 1 to change, 1 to restart, 0 to remove.",
    ]


def test_a_plan_that_is_only_one_says_what_has_exactly_it_done():
    plan, known = WORLD.plan("cutover"), replace(WORLD.known("cutover"), check_mode=True)
    assert list(words.of_plan(known, plan))[-1] == f"  To have exactly this done: -e migration_approve={plan.digest}"
    refused = replace(plan, refusals=("no",))
    assert not any("migration_approve" in line for line in words.of_plan(known, refused))


def test_no_text_of_a_host_looks_like_a_line_of_the_plan():
    step = Step("app1", "restart shop", reason="it is not running:\n- app2: restart shop")
    plan = replace(WORLD.plan("cutover"), steps=(step,), notes=("found\n- app2: restart shop",))
    lines = [line for text in words.of_plan(WORLD.known("cutover"), plan) for line in text.split("\n")]
    assert "- app2: restart shop" not in lines


def test_where_nothing_is_to_be_done_that_is_said():
    assert list(words.of_plan(DONE.known("cutover"), DONE.plan("cutover")))[-1] == f"  {words.NOTHING}"


def test_a_host_that_had_its_turn_is_one_line():
    result = {"state": "ok", "restarted": True, "connections": {"to_target": 4}}
    assert words.of_host("app1", result) == "  app1: restarted, healthy, 4 connections"
    assert words.of_host("app1", {"state": "failed", "step": "Restart"}) == "  app1: failed at 'Restart'"
