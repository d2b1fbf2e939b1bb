"""From a user as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.authentication import Authentication
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import (
    Desired,
    User,
    plan_absent,
    plan_present,
    predict,
    shape,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
ONE, TWO, THREE = "a-first-password-1", "a-second-password-2", "a-third-password-3"
CURRENT = User("shop", "shop", "redis", "on ~* +@all", Authentication("password", 1), OURS, arn="arn:shop")
USERS = st.builds(
    replace,
    st.just(CURRENT),
    user_name=st.sampled_from(["shop", "default"]),
    engine=st.sampled_from(["redis", "valkey"]),
    access_string=st.sampled_from(["on ~* +@all", "off -@all"]),
    authentication=st.sampled_from(
        [
            Authentication("password", 1),
            Authentication("password", 2),
            Authentication("iam"),
            Authentication("no-password-required"),
        ]
    ),
    status=st.sampled_from(["active", "active", "deleting"]),
    user_group_ids=st.sampled_from([(), ("people",)]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {**OURS, "cache_migration:passwords": "v1"}, {}]),
)
LOGINS = st.sampled_from(
    [
        {},
        {"passwords": [ONE]},
        {"passwords": [ONE, TWO]},
        {"passwords": [ONE, TWO, THREE]},
        {"no_password_required": True},
        {"no_password_required": False},
        {"authentication_mode": {"type": "password", "passwords": [TWO, TWO]}},
        {"authentication_mode": {"type": "iam"}},
        {"authentication_mode": {"type": "iam"}, "passwords": [ONE]},
        {"authentication_mode": {"type": "password"}},
    ]
)
OPTIONS = {
    "user_name": st.sampled_from(["shop", "default"]),
    "engine": st.sampled_from(["redis", "VALKEY", "memcached"]),
    "access_string": st.sampled_from(["on allkeys allcommands", "off -@all", "on ~* +@all nopass"]),
    "passwords_version": st.sampled_from(["", "v1", "v2"]),
    "passwords_update": st.sampled_from(["on_change", "keep"]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def desired(**params):
    return Desired.from_params({"user_id": "shop", "migration_name": "shop-prod", **params})


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(current, desired(**params))
    return refused.value


def actions(current, **params):
    return [step.action for step in plan_present(current, desired(**params)).steps]


@given(st.one_of(st.none(), USERS), LOGINS, st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, login, params):
    try:
        wanted = desired(**login, **params)
        plan = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        assert not any(password in refused.message for password in (ONE, TWO, THREE))
        return
    assert bool(plan.steps) == bool(plan.diff()["after"])
    shown = repr(plan.diff()) + repr(plan.describe())
    assert not any(password in shown for password in (ONE, TWO, THREE))
    assert plan_present(predict(current, wanted), wanted).steps == ()


def test_a_user_that_is_not_there_is_made_with_the_ownership_tag_and_named_by_its_id():
    wanted = desired(engine="REDIS", access_string="on ~*", passwords=[ONE], passwords_version="v1")
    (step,) = plan_present(None, wanted).steps
    assert (step.action, step.parameters["UserName"], step.parameters["Engine"]) == ("CreateUser", "shop", "redis")
    assert step.parameters["AuthenticationMode"] == {"Type": "password", "Passwords": [ONE]}
    assert {"Key": "cache_migration:passwords", "Value": "v1"} in step.parameters["Tags"]
    assert {"Key": "cache_migration:name", "Value": "shop-prod"} in step.parameters["Tags"]


@pytest.mark.parametrize("missing", ["engine", "access_string", "authentication_mode"])
def test_to_make_a_user_its_engine_its_rights_and_its_login_must_be_stated(missing):
    stated = {"engine": "redis", "access_string": "on ~*", "authentication_mode": {"type": "iam"}}
    assert refusal(None, **{name: value for name, value in stated.items() if name != missing}).option == missing


def test_the_version_of_passwords_is_recorded_after_they_are_set():
    assert actions(CURRENT, passwords=[TWO], passwords_version="v2") == ["ModifyUser", "AddTagsToResource"]
    kept = replace(CURRENT, tags={**OURS, "cache_migration:passwords": "v2"})
    assert actions(kept, passwords=[TWO], passwords_version="v2") == []
    assert actions(kept, passwords=[TWO], passwords_version="v2", tags={}, purge_tags=True) == []
    assert actions(kept, passwords=[TWO], passwords_version="v3", tags={"a": "b"}) == [
        "AddTagsToResource",
        "ModifyUser",
        "AddTagsToResource",
    ]


def test_what_is_kept_is_recorded_and_not_sent():
    assert actions(CURRENT, passwords=[TWO], passwords_version="v2", passwords_update="keep") == ["AddTagsToResource"]
    assert actions(CURRENT, passwords=[TWO, ONE], passwords_update="keep") == []


def test_a_user_who_has_no_passwords_any_more_has_no_version_of_them():
    kept = replace(CURRENT, tags={**OURS, "cache_migration:passwords": "v2"})
    assert actions(kept, authentication_mode={"type": "iam"}) == ["RemoveTagsFromResource", "ModifyUser"]


def test_passwords_that_are_always_set_are_set_always():
    assert actions(CURRENT, passwords=[ONE], passwords_update="always") == ["ModifyUser"]


def test_aws_own_user_is_refused_whatever_is_asked_of_it():
    with pytest.raises(PlanRefused, match="AWS's own") as refused:
        desired(user_id="Default")
    assert refused.value.option == "user_id"


def test_the_default_of_a_group_is_not_taken_from_it():
    user = replace(CURRENT, user_name="default", user_group_ids=("people",))
    with pytest.raises(PlanRefused, match="people") as refused:
        plan_absent(user, desired())
    assert refused.value.option == "state"
    assert [step.action for step in plan_absent(replace(user, user_group_ids=()), desired()).steps] == ["DeleteUser"]
    assert plan_absent(replace(CURRENT, user_group_ids=("people",)), desired()).steps[0].disruptive


def test_somebody_elses_user_is_refused_adopted_and_never_changed_or_deleted():
    foreign = replace(CURRENT, tags={})
    assert refusal(foreign).option == "adopt"
    assert actions(foreign, adopt=True, passwords=[THREE], passwords_version="v9", tags={"a": "b"}) == []
    assert refusal(foreign, adopt=True, passwords=[ONE, TWO]).option == "authentication"
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(foreign, desired(adopt=True))


def test_aws_words_are_read_as_those_that_are_stated():
    told = {"UserId": "u", "UserName": "u", "Engine": "REDIS", "Authentication": {"Type": "no-password"}}
    assert shape(told, {}).authentication == Authentication("no-password-required")
    assert shape({**told, "Status": "Active"}, {}).is_ready
    assert not shape({**told, "Status": "something new"}, {}).is_ready
