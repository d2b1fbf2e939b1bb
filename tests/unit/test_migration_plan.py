"""The plan of a run, of what hosts have registered in it."""

from __future__ import annotations

from dataclasses import asdict
from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.action import migration_plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import engine, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction

from tests.unit.engine_world import OLD, SETTINGS, Held, Host, World

RUN = 1.0
AT_HOME = World({name: Host(Held(OLD.replace("old.internal", "localhost"))) for name in ("app1", "app2")})


class Plan(migration_plan.ActionModule):
    def __init__(self, told, surveyed):
        settings = {**SETTINGS, "data": "cold", "cache_node_type": "cache.t3.micro"}
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
