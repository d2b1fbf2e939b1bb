"""Plans as data, and what is shown of them."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step


def test_a_secret_is_masked_in_steps_and_diffs_and_reaches_the_call():
    step = Step("Modify", {"AuthToken": "hunter2", "Port": 1}, "because")
    plan = Plan((step,), {"auth_token": None}, {"auth_token": "hunter2", "port": 1})
    assert plan.describe() == [
        {"action": "Modify", "parameters": {"AuthToken": "***", "Port": 1}, "reason": "because", "disruptive": False}
    ]
    assert plan.diff() == {"before": {"auth_token": None}, "after": {"auth_token": "***", "port": 1}}
    assert step.parameters["AuthToken"] == "hunter2"
