"""From a user group as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.authentication import Authentication
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user_group import (
    Desired,
    UserGroup,
    plan_absent,
    plan_present,
    predict,
    refuse_missing,
    shape,
    unchecked,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}


def user(name, user_name, kind="password"):
    return User(name, user_name, "redis", "on ~*", Authentication(kind, 1 if kind == "password" else 0), {})


USERS = {
    "app": user("app", "app"),
    "twin": user("twin", "app"),
    "mine": user("mine", "default"),
    "default": user("default", "default", "no-password-required"),
    "later": None,
}
CURRENT = UserGroup("people", "redis", ("app", "mine"), OURS, arn="arn:people")
GROUPS = st.builds(
    replace,
    st.just(CURRENT),
    engine=st.sampled_from(["redis", "valkey"]),
    user_ids=st.sampled_from([("app", "mine"), ("mine",)]),
    status=st.sampled_from(["active", "modifying", "deleting"]),
    replication_groups=st.sampled_from([(), ("shop-prod",)]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {}]),
)
OPTIONS = {
    "engine": st.sampled_from(["redis", "Valkey", ""]),
    "user_ids": st.lists(st.sampled_from(sorted(USERS)), max_size=3),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def desired(**params):
    return Desired.from_params({"user_group_id": "people", "migration_name": "shop-prod", **params})


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(current, desired(**params), USERS)
    return refused.value


@given(st.one_of(st.none(), GROUPS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    wanted = desired(**params)
    try:
        plan = plan_present(current, wanted, USERS)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    assert bool(plan.steps) == bool(plan.diff()["after"])
    assert plan_present(predict(current, wanted), wanted, USERS).steps == ()


def test_users_come_and_go_in_one_call():
    (step,) = plan_present(CURRENT, desired(user_ids=["twin", "mine"]), USERS).steps
    assert step.parameters == {"UserGroupId": "people", "UserIdsToAdd": ["twin"], "UserIdsToRemove": ["app"]}
    assert not step.disruptive
    used = replace(CURRENT, replication_groups=("shop",))
    assert plan_present(used, desired(user_ids=["mine"]), USERS).steps[0].disruptive


@pytest.mark.parametrize(
    ("users", "told"),
    [(["app"], "named default"), (["mine", "default"], "default"), (["app", "twin", "mine"], "app, twin")],
)
def test_exactly_one_user_is_named_default_and_no_two_have_one_name(users, told):
    refused = refusal(None, engine="redis", user_ids=users)
    assert refused.option == "user_ids" and told in refused.message


def test_a_group_of_valkey_takes_nobody_without_a_password():
    assert refusal(None, engine="valkey", user_ids=["default"]).option == "user_ids"
    assert plan_present(None, desired(engine="redis", user_ids=["default"]), USERS).steps
    open_group = replace(CURRENT, user_ids=("default",))
    assert "default" in refusal(open_group, engine="valkey").message


def test_whoever_is_not_there_yet_is_told_of_in_check_mode_and_refused_else():
    wanted = desired(engine="redis", user_ids=["app", "later"])
    assert plan_present(None, wanted, USERS).steps
    assert "later" in unchecked(USERS)[0]
    with pytest.raises(PlanRefused, match="later"):
        refuse_missing(wanted.user_ids, USERS)


def test_a_group_that_caches_use_is_not_deleted():
    for caches in ({"replication_groups": ("shop",)}, {"serverless_caches": ("shop",)}):
        with pytest.raises(PlanRefused, match="used by shop"):
            plan_absent(replace(CURRENT, **caches), desired())
    assert [step.action for step in plan_absent(CURRENT, desired()).steps] == ["DeleteUserGroup"]


def test_somebody_elses_group_is_refused_adopted_and_never_changed_or_deleted():
    foreign = replace(CURRENT, tags={})
    assert refusal(foreign).option == "adopt"
    assert plan_present(foreign, desired(adopt=True, tags={"a": "b"}), USERS).steps == ()
    assert refusal(foreign, adopt=True, user_ids=["mine"]).option == "user_ids"
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(foreign, desired(adopt=True))


def test_changes_that_are_under_way_count_as_done():
    told = {
        "UserGroupId": "people",
        "UserIds": ["app", "mine"],
        "PendingChanges": {"UserIdsToAdd": ["twin"], "UserIdsToRemove": ["app"]},
    }
    assert shape(told, {}).user_ids == ("mine", "twin")
