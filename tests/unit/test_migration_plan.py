"""The plan of a run, of what hosts have registered in it."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.action import migration_plan, retire_plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import course
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import engine, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction

from tests.unit.engine_world import OLD, SETTINGS, Held, Host, World

RUN = 1.0
AT_HOME = World({name: Host(Held(OLD.replace("old.internal", "localhost"))) for name in ("app1", "app2")})


class Plan(migration_plan.ActionModule):
    def __init__(self, told, surveyed):
        settings = {**SETTINGS, "transfer": "cold", "cache_node_type": "cache.t3.micro"}
        known = {**vars(AT_HOME.known("migrate", settings=settings)), "began": RUN}
        self._task = SimpleNamespace(args={"known": known, "told": told, "surveyed": surveyed}, check_mode=False)


@pytest.fixture(autouse=True)
def _no_ansible(monkeypatch):
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(say, "lines", lambda lines: None)


def registered(host, run_id=""):
    look = {name: part for name, part in asdict(AT_HOME.look(host, "migrate")).items() if name not in ("step", "why")}
    survey = Source(Server("redis", "7.0.15"), run_id=run_id).as_dict() if run_id else {}
    return {**look, "survey": survey, "run": RUN}


def test_what_other_hosts_saw_when_they_looked_closer_counts_after_something_was_made():
    seen = {"app1": {engine.LOOK: registered("app1", "one")}, "app2": {engine.LOOK: registered("app2")}}
    first = Plan(None, None).run(task_vars={"hostvars": seen})
    assert first["survey"] == ["app2"] and "plan" not in first

    stale = {**registered("app2", "two"), "target": {"reached": False, "failure": {"kind": "timeout", "found": "then"}}}
    seen["app2"][engine.SURVEYED] = {**registered("app2", "two")}
    told = Plan(None, ["app2"]).run(task_vars={"hostvars": seen})
    assert told["batches"] == [["app1"], ["app2"]] and any("2 old Redises" in line for line in told["said"])

    seen["app2"][engine.SURVEYED] = stale
    again = Plan(told, None).run(task_vars={"hostvars": seen})
    assert again["batches"] == [["app1"], ["app2"]], "what else was seen then is not true any more"


# --- a plan that is approved ---


def run_with(approve, told=None, look=None, check_mode=False, **more):
    seen = {host: {engine.LOOK: {**registered(host, "one"), **(look or {})}} for host in ("app1", "app2")}
    action = Plan(told, None)
    known = action._task.args["known"]
    known["settings"], known["check_mode"] = {**known["settings"], "approve": approve, **more}, check_mode
    return action.run(task_vars={"hostvars": seen})


def test_another_plan_than_the_approved_one_ends_the_run():
    digest = run_with("")["digest"]
    assert run_with(digest)["batches"]
    with pytest.raises(AnsibleActionFail, match="not the plan that was approved"):
        run_with(digest, look={"address": "192.0.2.9"})


def test_where_an_approval_is_asked_for_nothing_is_done_without_one():
    asked = {"require_approval": True}
    digest = run_with("", **asked, check_mode=True)["digest"]
    assert run_with(digest, **asked)["batches"], "whether it is asked for is no part of a plan"
    with pytest.raises(AnsibleActionFail, match="nobody has approved what this run would do"):
        run_with("", **asked)


def test_a_host_that_has_drifted_while_the_target_was_made_ends_a_run_that_was_approved_and_no_other():
    first = run_with("")
    drifted = {"address": "192.0.2.9"}
    assert run_with("", first, drifted)["batches"]
    assert run_with(first["digest"], first)["batches"]
    with pytest.raises(AnsibleActionFail, match="any more: host app1, host app2"):
        run_with(first["digest"], first, drifted)


def test_where_the_run_only_plans_each_task_is_in_check_mode():
    action = Plan(None, None)
    action._task.args["known"]["check_mode"] = True
    engine.EngineAction.run(action)
    assert action._task.check_mode


def test_a_retirement_that_is_another_one_than_was_approved_ends_the_run(monkeypatch):
    def run_with(approve, account="111122223333", **more):
        action = retire_plan.ActionModule.__new__(retire_plan.ActionModule)
        action._task, action._task_vars = SimpleNamespace(check_mode=False), {}
        settings = {"name": "shop", "approve": approve, **more}
        action.known = {"settings": settings, "everyone": ["app1"], "account": account}
        plan = course.Course("stop", "stop i-1", instance_id="i-1")
        return action.approved_and_said(plan, {"entry": {}, "backup": {}}, {"app1": None})

    said = []
    monkeypatch.setattr(course, "said", lambda plan, name, digest, is_plan: said.append(digest) or [])
    assert run_with("") == {} == run_with(said[0])
    with pytest.raises(AnsibleActionFail, match="the AWS account"):
        run_with(said[0], "444455556666")
    assert run_with(said[0], require_approval=True) == {}
    with pytest.raises(AnsibleActionFail, match="nobody has approved"):
        run_with("", require_approval=True)
