"""What is made before anybody can be moved: the secret, the way to the target, and the target."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import making
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS

from tests.unit.engine_world import SETTINGS

STATED = {**SETTINGS, "cache_node_type": "cache.t3.small", "app_cidrs": ["10.0.1.0/24"]}
NEEDED = {"action": "CreateReplicationGroup", "reason": "it does not exist", "disruptive": False}


def way(goal="migrate", **settings):
    return making.way_of(GOALS[goal], {**STATED, **settings})


def look(goal="migrate", token="", **settings):
    asked = []

    def make(module, args, setting=None):
        asked.append((module, args))
        return {"group_id": "sg-1", "plan": [NEEDED], "status": "absent", "monthly_cost": {"usd": 1}}

    return making.look(GOALS[goal], {**STATED, **settings}, None, make, token), asked


# --- the way ---


def test_the_security_group_admits_the_app_to_the_port_of_the_target():
    args = way(port=7000, app_security_group_ids=["sg-app"])["args"]
    assert (args["port"], args["sources"]) == (7000, ["sg-app", "10.0.1.0/24"])


def test_the_security_group_of_a_serverless_cache_admits_the_app_to_its_reader_too():
    args = way(serverless_cache_name="shop", replication_group_id="")["args"]
    assert (args["port"], args["reader_port"]) == (6379, 6380)
    assert way()["args"]["reader_port"] == 0


def test_the_port_is_an_option_of_the_stage_that_opens_it_too():
    from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS

    assert {"provision", "ingress"} <= set(OPTIONS["port"].stages)
    assert way("ingress", port=7000)["args"]["port"] == 7000


def test_a_group_that_is_only_made_admits_nobody():
    assert way("provision")["args"]["sources"] == []
    assert way(manage_ingress=False)["args"]["sources"] == []


@pytest.mark.parametrize("ranges", [["10.0.0.0/8"], ["0.0.0.0/0"], [], ["10.0.0.1"], ["10.0.0.0/x"]])
def test_who_may_reach_the_target_is_stated_and_is_no_wider_than_an_app(ranges):
    with pytest.raises(PlanRefused, match="migration_app_cidrs"):
        way(app_cidrs=ranges)


@pytest.mark.parametrize("ranges", [["10.0.0.0/16"], ["10.0.0.1/32"], ["2001:db8::/32"]])
def test_an_address_and_a_range_of_an_app_are_taken(ranges):
    assert way(app_cidrs=ranges)["args"]["sources"] == ranges


@pytest.mark.parametrize("others", [{"endpoint": {"address": "x"}}, {"adopt": True}, {"security_group_ids": ["sg-9"]}])
def test_rules_of_others_are_not_ours_to_make(others):
    assert way(**others) is None


def test_a_cutover_opens_nothing():
    assert way("cutover") is None


# --- the target ---


def test_the_target_is_looked_at_with_the_group_that_is_made_for_it_and_its_token():
    told, asked = look(token="secret-token")
    assert told["parts"][0]["what"] == "security group shop-cache"
    module, args = asked[-1]
    assert module == "elasticache_cluster" and args["security_group_ids"] == ["sg-1"]
    assert args["auth_token"] == "secret-token" and told["cost"] == {"usd": 1}
    assert "secret-token" not in str(told), "what is registered holds no secret"


def test_a_target_without_a_name_or_a_size_is_refused_by_its_options():
    with pytest.raises(PlanRefused, match="migration_cache_node_type"):
        look(cache_node_type="")


def test_nothing_is_made_where_somebody_else_looks_after_the_target():
    told, asked = look(endpoint={"address": "cache.example.com"})
    assert told["parts"] == [] and asked == []


def test_the_way_alone_is_looked_at_where_only_the_way_is_opened():
    assert [part["module"] for part in look("ingress")[0]["parts"]] == ["cache_security_group"]


# --- what is said of it ---

GROUP = {"what": "replication group shop", "is_target": True, "seen": {"plan": [NEEDED], "status": "absent"}}
THERE = {**GROUP, "seen": {"plan": [], "status": "available"}}
MISSING = {"secret": "shop/token", "exists": False}


def test_each_step_is_a_line_with_its_reason():
    assert [step.line for step in making.steps([GROUP], {})] == [
        "replication group shop: CreateReplicationGroup, it does not exist"
    ]


def test_a_step_that_clients_notice_is_told_as_disruptive():
    noticed = {**GROUP, "seen": {"plan": [{**NEEDED, "disruptive": True}]}}
    assert [step.disruptive for step in making.steps([noticed], {})] == [True]


def test_a_secret_that_is_missing_is_made_with_the_target_and_by_no_other_run():
    assert making.is_to_make([THERE], MISSING) and len(list(making.steps([THERE], MISSING))) == 1
    assert not making.is_to_make([], MISSING) and list(making.steps([], MISSING)) == []


def test_a_target_that_is_not_available_yet_is_waited_for():
    assert making.is_to_make([{**THERE, "seen": {"plan": [], "status": "creating"}}], {})
    assert not making.is_to_make([THERE], {})


# --- the secret, before anything is made ---

SERVERLESS = {"serverless_cache_name": "shop", "replication_group_id": "", "cache_node_type": ""}
MEMORYDB = {"memorydb_cluster_name": "shop", "replication_group_id": "", "node_type": "db.t4g.small"}
NAMED = {"auth_token_secret": "shop/password"}


@pytest.mark.parametrize(
    ("target", "remedy"),
    [
        (SERVERLESS, "migration_username"),
        ({**MEMORYDB, "acl_name": "open-access"}, "migration_username"),
        ({"cache_cluster_id": "shop", "replication_group_id": ""}, "leave migration_auth_token_secret out"),
    ],
)
def test_a_secret_that_nobody_would_be_asked_for_is_refused_before_anything_is_made(target, remedy):
    with pytest.raises(PlanRefused, match=f"asks nobody for a password.*{remedy}") as refused:
        look(**target, **NAMED)
    assert refused.value.option == "auth_token_secret"
    look(**target, auth_token_secret="")


@pytest.mark.parametrize(
    "target",
    [{}, {**SERVERLESS, "user_group_id": "shop", "username": "app"}, {**MEMORYDB, "username": "app"}],
)
def test_a_secret_is_taken_where_the_target_asks_for_it(target):
    look(**target, **NAMED)


def test_a_user_that_is_made_needs_the_secret_that_holds_its_password():
    with pytest.raises(PlanRefused, match="set migration_auth_token_secret"):
        look(**MEMORYDB, username="app", auth_token_secret="")


def test_a_cluster_of_memorydb_is_not_made_before_it_is_said_who_may_use_it():
    with pytest.raises(PlanRefused, match=r"set migration_username .* or migration_acl_name"):
        look(**MEMORYDB)
