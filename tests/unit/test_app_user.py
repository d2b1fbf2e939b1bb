"""The user that the app is as parts of its target: who is made, by which secret, and when nobody is."""

from __future__ import annotations

import importlib

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import making, to_token
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS

SETTINGS = {"name": "shop-prod", "adopt": False, "username": "shop", "wait_timeout": 60, "tags": {"team": "kempian"}}
NAMED_BY = {
    "elasticache": ("user_group_ids", ["people"]),
    "elasticache-serverless": ("user_group_id", "people"),
    "memorydb": ("acl_name", "people"),
}
WITH_USERS = [TARGETS[service] for service in NAMED_BY]
OF_ELASTICACHE = WITH_USERS[:2]

with_users = pytest.mark.parametrize("row", WITH_USERS, ids=list(NAMED_BY))
of_elasticache = pytest.mark.parametrize("row", OF_ELASTICACHE, ids=list(NAMED_BY)[:2])


def settings_of(row, **more):
    return {**SETTINGS, row.name_option: "shop", "cache_node_type": "cache.t3.micro", "node_type": "db.x", **more}


def made(row, found=None, **more):
    return row.parts(settings_of(row, **more), found)


def target_in(parts):
    return next(part for part in parts if part.is_target)


def modules(parts):
    return [part.module for part in parts]


@with_users
def test_the_apps_user_is_made_with_a_group_that_the_target_is_given(row):
    setting, one = NAMED_BY[row.service]
    target = target_in(made(row))
    assert target.is_target and target.takes == ""
    assert target.args[setting] == (["shop-prod-cache"] if isinstance(one, list) else "shop-prod-cache")
    endpoint = row.endpoint(settings_of(row), None)
    assert (endpoint.auth, endpoint.username) == ("rbac", "shop")


@with_users
def test_each_part_states_options_that_its_module_has(row):
    for part in [*made(row), *row.removal(settings_of(row))]:
        module = importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{part.module}")
        assert set(making.args_of(part, "the-secret", "v1")) <= set(module.OPTIONS), part.what


@with_users
def test_its_password_is_the_secret_and_nobody_elses(row):
    args = [making.args_of(part, "the-secret", "v1") for part in made(row)]
    [told] = [one for one in args if "the-secret" in repr(one)]
    assert told["passwords"] == ["the-secret"] and told["passwords_version"] == "v1"
    assert told["access_string"] == "on ~* &* +@all"


@of_elasticache
def test_who_does_not_say_who_it_is_may_do_nothing_and_all_are_of_the_engine_that_both_take(row):
    users = [part.args for part in made(row, engine="valkey") if part.module.startswith("elasticache_user")]
    [app, default, group] = users
    assert (app["user_id"], app["user_name"]) == ("shop", "shop")
    assert (default["user_id"], default["user_name"], default["access_string"]) == (
        "shop-prod-default",
        "default",
        "off -@all",
    )
    assert group["user_ids"] == ["shop", "shop-prod-default"]
    assert {one["engine"] for one in users} == {"redis"}
    assert {one["migration_name"] for one in users} == {"shop-prod"}


@with_users
def test_a_group_that_is_named_is_used_as_it_is_and_so_is_an_adopted_target(row):
    setting, one = NAMED_BY[row.service]
    for stated in ({setting: one}, {"adopt": True}):
        assert row.app_user(settings_of(row, **stated)) is None
        assert not any("user" in module or "acl" in module for module in modules(made(row, **stated)))
    assert target_in(made(row, **{setting: one})).args[setting] == one


@with_users
@pytest.mark.parametrize("auth", ["none", "token"])
def test_a_target_whose_clients_a_user_would_shut_out_is_refused_before_anything_is_made(row, auth):
    found = {"status": "available", "endpoint": {"auth": auth}, "engine": "redis"}
    with pytest.raises(PlanRefused, match="migration_username"):
        made(row, found)
    assert made(row, {**found, "status": "deleting"})
    assert made(row, {**found, "endpoint": {"auth": "rbac"}})


@of_elasticache
def test_a_migration_whose_name_is_too_long_for_an_id_is_told_so_by_its_option(row):
    with pytest.raises(PlanRefused, match="migration_name"):
        made(row, name="a" * 40)


@with_users
def test_what_was_made_for_it_goes_after_the_target_and_users_after_their_group(row):
    gone = row.removal(settings_of(row, final_snapshot_identifier="last"))
    assert not any(part.takes or "passwords" in part.args for part in gone)
    order = modules(gone)
    users = [number for number, module in enumerate(order) if module in ("elasticache_user", "memorydb_user")]
    groups = [number for number, module in enumerate(order) if module in ("elasticache_user_group", "memorydb_acl")]
    target = next(number for number, part in enumerate(gone) if part.is_target)
    assert users and groups and target < min(groups) and max(groups) < min(users)


# --- another password ---


@with_users
def test_a_new_password_is_given_beside_the_one_before_and_then_alone(row):
    login = row.login(settings_of(row))
    assert login.module in ("elasticache_user", "memorydb_user") and "access_string" not in login.args
    assert making.args_beside(login, "new", "v2", "old")["passwords"] == ["new", "old"]
    alone = making.args_alone(login, "new", "v2")
    assert (alone["passwords"], alone["passwords_version"]) == (["new"], "v2")
    assert "auth_token_update_strategy" not in alone


def test_a_token_is_given_without_the_one_before_which_the_target_keeps():
    row = TARGETS["elasticache"]
    login = row.login(settings_of(row, username=""))
    assert login.module == row.module
    beside = making.args_beside(login, "new", "v2", "")
    assert (beside["auth_token"], beside["auth_token_update_strategy"]) == ("new", "rotate")
    assert making.args_alone(login, "new", "v2")["auth_token_update_strategy"] == "set"
    assert "passwords" not in beside


@with_users
def test_the_password_of_somebody_elses_user_is_not_ours_to_rotate(row):
    setting, one = NAMED_BY[row.service]
    endpoint, secret = {"auth": "rbac", "name": "shop"}, {"auth_token_secret": "s", "endpoint": {}}
    assert to_token.not_ours(settings_of(row, **secret), endpoint, {}) == ""
    refused = to_token.not_ours(settings_of(row, **secret, **{setting: one}), endpoint, {})
    assert "not ours to change" in refused and "the user shop" in refused
    assert not row.gives_login(settings_of(row, **{setting: one}))


# --- by IAM ---

BY_IAM = {"authentication_mode": "iam", "auth_token_secret": "", "endpoint": {}, "security_group_ids": ["sg-1"]}


def look(row, found=None, **stated):
    return making.look(GOALS["provision"], settings_of(row, **{**BY_IAM, **stated}), found, lambda *_: {})


@with_users
def test_a_user_who_logs_in_by_iam_is_made_without_a_password_and_the_endpoint_says_so(row):
    parts = made(row, **BY_IAM)
    [app] = [part for part in parts if part.args.get("access_string") == "on ~* &* +@all"]
    assert app.args["authentication_mode"] == {"type": "iam"}
    assert not any("the-secret" in repr(making.args_of(part, "the-secret", "v1")) for part in parts)
    endpoint = row.endpoint(settings_of(row, **BY_IAM), None)
    assert (endpoint.auth, endpoint.username) == ("iam", "shop")
    setting, one = NAMED_BY[row.service]
    assert row.endpoint(settings_of(row, **BY_IAM, **{setting: one}), None).auth == "iam"
    assert look(row)["parts"]


@with_users
@pytest.mark.parametrize(
    ("stated", "option"),
    [
        ({"auth_token_secret": "shop/password"}, "migration_auth_token_secret"),
        ({"username": "", "acl_name": "people"}, "migration_username"),
        ({"engine_version": "6.2"}, "migration_engine_version"),
    ],
)
def test_what_no_login_by_iam_can_be_is_refused_by_its_option_before_anything_is_made(row, stated, option):
    with pytest.raises(PlanRefused, match=option):
        look(row, **stated)


@with_users
def test_who_logs_in_by_iam_has_no_password_to_rotate(row):
    stated = settings_of(row, **{**BY_IAM, "auth_token_secret": "s"})
    assert "none to rotate" in to_token.not_ours(stated, {"auth": "iam", "name": "shop"}, {})
