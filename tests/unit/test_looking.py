"""What the controller refuses to begin with, whatever hosts would say."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval, made_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parameter_group
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import Looking

from tests.unit.engine_world import SETTINGS

FILE = {"store": "dotenv", "path": "/opt/shop/.env"}
SERVICE = {"name": "shop"}


def looking(goal, action=None, **settings):
    return Looking(action, GOALS[goal], {**SETTINGS, "values": [FILE], "services": [SERVICE], **settings}, {})


def refused(option, msg, **settings):
    """What a run says of a refusal by the module of a parameter group."""

    def do(name, args, task_vars, check_mode):
        is_it = name == "elasticache_parameter_group"
        return {"failed": True, "option": option, "msg": msg} if is_it else {"group_id": "sg-1", "plan": []}

    stated = {"cache_node_type": "cache.t3.small", "parameters": {"timeout": 60}, "app_cidrs": ["10.0.0.0/16"]}
    with pytest.raises(AnsibleActionFail) as told:
        looking("migrate", SimpleNamespace(do=do), **stated, **settings).made({"engine": "redis"}, "")
    return str(told.value)


def test_parameters_for_another_engine_need_a_group_of_another_name_and_the_plan_names_the_option():
    """As AWS makes a parameter group of one family, and never changes it."""
    current = parameter_group.ParameterGroup("shop-cache", "redis7", "", {}, {"cache_migration:name": "shop"})
    desired = parameter_group.Desired.from_params(
        {
            "cache_parameter_group_name": "shop-cache",
            "migration_name": "shop",
            "cache_parameter_group_family": "valkey8",
        }
    )
    with pytest.raises(PlanRefused) as why:
        parameter_group.plan_present(current, desired, {})
    said = refused(why.value.option, why.value.message, engine="valkey")
    assert said.startswith("The family of the parameter group shop-cache is 'redis7'")
    assert said.endswith("one is made beside it. cache_parameter_group_name is migration_parameter_group_name here.")


@pytest.mark.parametrize("goal", ["rollback", "rotate", "state", "ingress"])
def test_where_nothing_is_named_only_a_plan_of_a_move_goes_on_to_propose_it(goal):
    with pytest.raises(AnsibleActionFail, match=r"migration_values is empty.*store: dotenv"):
        looking(goal, values=[])
    for other in ("migrate", "assess", "cutover"):
        assert looking(other, values=[]).migration.reads_nothing


def test_an_option_that_nobody_states_is_not_told_as_one_of_ours():
    assert refused("description", "It is another.") == "It is another."


@pytest.mark.parametrize(("reader", "kept"), [("none", False), ("redis-py", True)])
def test_a_shared_value_is_looked_at_as_it_would_be_changed(reader, kept):
    asked = []
    action = SimpleNamespace(do=lambda name, args, *_more: (asked.append(args), {"changes": {}})[1])
    values = [FILE, {"store": "ssm", "parameter": "/a", "reader": reader}]
    looking("cutover", action, values=values).shared(Endpoint("elasticache", "shop", address="cache.internal"), "")
    assert [args["keep_options"] for args in asked] == [kept]


def test_a_target_that_no_value_can_lead_to_is_refused_before_a_host_is_asked():
    by_iam = Endpoint("elasticache", "shop", address="cache.internal", auth="iam")
    with pytest.raises(AnsibleActionFail, match="15 minutes"):
        looking("cutover").shared(by_iam, "token")


def test_the_way_back_does_not_ask_what_a_value_would_be():
    by_iam = Endpoint("elasticache", "shop", address="cache.internal", auth="iam")
    assert looking("rollback").shared(by_iam, "") == ([], "")


def test_a_way_back_that_is_another_one_than_was_approved_is_refused_before_the_old_redis_is_brought_back(monkeypatch):
    retired = {"step": "stopped", "instance_id": "i-1", "time": "2026-11-28T07:00:00Z"}
    answer = {"entries": {"decommission": retired}, "now": "2026-11-30T07:00:00Z", "changes": {}}
    task = SimpleNamespace(check_mode=False)
    action = SimpleNamespace(do=lambda *_args, **_more: answer, _task=task)
    monkeypatch.setattr(Looking, "account", lambda self: "111122223333")

    def known(approve=""):
        stated = {"endpoint": {"address": "cache.internal"}, "auth_token_secret": "", "approve": approve}
        look = looking("rollback", action, **stated)
        look.task_vars = {"ansible_play_hosts_all": ["app1"], "groups": {}}
        return look.known()

    found = known()
    parts = made_of.of_controller(Known.from_dict(found))
    digest = approval.digest("rollback", approval.fingerprints(parts), [])
    assert found["undo"] and known(digest)["undo"]
    retired["instance_id"] = "i-2"
    with pytest.raises(AnsibleActionFail, match="- the ledger in Parameter Store"):
        known(digest)
