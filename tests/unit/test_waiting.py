"""Carrying out a plan as far as it goes without waiting."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.waiting import carry_out

STEPS = tuple(Step(name, {}, "") for name in ("one", "two", "three"))


def test_steps_are_made_while_the_resource_stays_ready():
    made = []
    progress = carry_out(Plan(STEPS), lambda step: bool(made.append(step.action)) or True, lambda: None)
    assert made == ["one", "two", "three"]
    assert (progress.performed, progress.waits_for) == (STEPS, "")


def test_the_next_step_is_left_to_the_next_invocation_once_the_resource_is_not_ready():
    made = []
    progress = carry_out(Plan(STEPS), lambda step: bool(made.append(step.action)) or True, lambda: "modifying")
    assert made == ["one"]
    assert (progress.performed, progress.waits_for) == (STEPS[:1], "modifying")


def test_a_step_that_finds_the_resource_busy_was_not_made():
    progress = carry_out(Plan(STEPS), lambda step: step.action != "two", lambda: None)
    assert progress.performed == STEPS[:1]
    assert "two" in progress.waits_for
