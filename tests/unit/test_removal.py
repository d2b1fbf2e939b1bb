"""What of a target is taken down after a rollback, and when it stays."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.action import migration_remove
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import removal
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction

from tests.unit.engine_world import OLD, SETTINGS, Held, Host, World

OK, FAILED = {"state": "ok"}, {"state": "failed"}
ALL = {"rollback_delete_target": True, "rollback_close_ingress": True}


def known(*hosts, present=(), **more):
    return replace(World({host: Host(Held(OLD)) for host in hosts}, present=present).known("rollback"), **more)


def parts(**settings):
    return [part["what"] for part in removal.parts({**SETTINGS, **ALL, **settings})]


def test_it_goes_where_every_host_of_the_inventory_is_off_it():
    assert removal.why_it_stays(known("app1", "app2"), {"app1": OK, "app2": OK}) == ""


def test_it_stays_under_a_host_that_is_not_back_or_that_a_limit_left_out():
    assert "app2" in removal.why_it_stays(known("app1", "app2"), {"app1": OK, "app2": FAILED})
    assert "app2" in removal.why_it_stays(known("app1", "app2", present=("app1",)), {"app1": OK})


def test_it_stays_where_aws_could_not_tell_which_it_is():
    assert "app1" in removal.why_it_stays(known("app1", target_failure="AccessDenied"), {"app1": OK})


def test_it_is_taken_down_only_where_that_is_asked_for():
    assert not removal.is_asked(SETTINGS) and removal.is_asked({**SETTINGS, "rollback_close_ingress": True})
    assert parts(rollback_delete_target=False) == ["rules of the security group shop-cache"]


def test_the_rules_go_first_then_the_target_and_its_groups_once_it_is_gone():
    found = parts()
    assert found[0] == "rules of the security group shop-cache" and found[-1] == "security group shop-cache"
    assert found[1] == "replication group shop-cache"
    above = {part["what"]: part["hangs_on"] for part in removal.parts({**SETTINGS, **ALL})}
    assert not above[found[0]] and not above[found[1]] and {above[what] for what in found[2:]} == {found[1]}


def test_a_target_of_somebody_elses_making_is_not_deleted():
    assert parts(endpoint={"address": "cache.example.com"}) == ["rules of the security group shop-cache"]


def test_what_became_of_each_part_is_a_line():
    told = removal.lines(removal.parts({**SETTINGS, **ALL})[:1], [{"changed": True}], planned=False)
    assert told == ["rules of the security group shop-cache: deleted"]


# --- each part for its own ---

RULES, TARGET, GROUP = (
    "rules of the security group shop-cache",
    "replication group shop-cache",
    "security group shop-cache",
)
NOT_OURS = {"failed": True, "option": "state", "msg": "It is not this migration's."}
DENIED = {"failed": True, "msg": "AccessDenied: RevokeSecurityGroupIngress."}
GONE, WAS_GONE = {"changed": True}, {"changed": False}


class Remove(migration_remove.ActionModule):
    """With a fake for what it asks of others: ``answers`` maps ``module state`` to the answer; else it is gone."""

    def __init__(self, check_mode=False, **answers):
        self.asked = []
        self.answers = {name.replace("__", " "): answer for name, answer in answers.items()}
        held = replace(known("app1"), settings={**SETTINGS, **ALL}, check_mode=check_mode)
        self._task = SimpleNamespace(args={"known": vars(held), "verdict": {"hosts": {"app1": OK}}})

    def do(self, name, args, task_vars, check_mode=None):
        what = f"{name} {args.get('state') or ''}".strip()
        self.asked += [what] if not check_mode else []
        return self.answers.get(what, GONE)


@pytest.fixture
def remove(monkeypatch):
    """The result of a run, and its lines."""
    told = []
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(say, "lines", told.extend)

    def run(action):
        told.clear()
        return action.run(task_vars={}), dict(line.split(": ", 1) for line in told)

    return run


@pytest.mark.parametrize("refusal", [NOT_OURS, DENIED])
def test_rules_that_stay_keep_neither_the_target_nor_its_groups(remove, refusal):
    action = Remove(cache_security_group__closed=refusal)
    _result, told = remove(action)
    assert told[RULES] == f"stays. {refusal['msg']}"
    assert [told[what] for what in parts()[1:]] == ["deleted"] * 4
    assert action.asked == [
        "migration_lock",
        "cache_security_group closed",
        "elasticache_cluster absent",
        "elasticache_subnet_group absent",
        "elasticache_parameter_group absent",
        "cache_security_group absent",
        "migration_lock released",
    ]


@pytest.mark.parametrize("refusal", [NOT_OURS, DENIED, {"failed": True}])
def test_a_target_that_stays_keeps_its_groups_and_not_its_rules(remove, refusal):
    action = Remove(elasticache_cluster__absent=refusal)
    _result, told = remove(action)
    assert told[RULES] == "deleted" and told[TARGET].startswith("stays. ")
    assert [told[what] for what in parts()[2:]] == [f"stays, as {TARGET} does"] * 3
    assert "cache_security_group absent" not in action.asked and "elasticache_subnet_group absent" not in action.asked


def test_a_group_that_stays_keeps_no_other_and_a_target_that_was_gone_keeps_none(remove):
    _result, told = remove(Remove(elasticache_subnet_group__absent=NOT_OURS, elasticache_cluster__absent=WAS_GONE))
    assert told[TARGET] == "is not there" and told["subnet group shop-cache"].startswith("stays. ")
    assert told["parameter group shop-cache"] == told[GROUP] == "deleted"


def test_what_is_not_ours_is_said_and_what_could_not_be_tried_fails_the_run_once_all_the_rest_is_done(remove):
    assert remove(Remove(cache_security_group__closed=NOT_OURS))[0] == {"changed": True}
    denied = {"cache_security_group__closed": DENIED, "elasticache_parameter_group__absent": {"failed": True}}
    result, _told = remove(Remove(**denied))
    assert result["failed"] and result["changed"]
    assert f"{RULES}: AccessDenied: RevokeSecurityGroupIngress.\n" in result["msg"]
    assert (
        "parameter group shop-cache: no reason given.\n" in result["msg"] and "run this playbook again" in result["msg"]
    )


def test_a_plan_tells_each_part_for_its_own_and_takes_no_lock(remove):
    action = Remove(check_mode=True, cache_security_group__closed=DENIED)
    result, told = remove(action)
    assert told[TARGET] == told[GROUP] == "would be deleted" and told[RULES].startswith("stays. AccessDenied")
    assert result["failed"] and action.asked == []


def test_where_nothing_is_left_but_what_cannot_go_no_lock_is_taken(remove):
    gone = dict.fromkeys(
        ("elasticache_cluster__absent", "elasticache_subnet_group__absent", "elasticache_parameter_group__absent"),
        WAS_GONE,
    )
    action = Remove(cache_security_group__closed=WAS_GONE, cache_security_group__absent=NOT_OURS, **gone)
    assert remove(action)[0] == {"changed": False} and action.asked == []
