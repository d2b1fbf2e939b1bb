"""From an ACL of MemoryDB to one as it is wanted; and users of MemoryDB where they differ from those of ElastiCache."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.acl import (
    Acl,
    Desired,
    plan_absent,
    plan_present,
    predict,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import user
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.words import MEMORYDB
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CURRENT = Acl("shop", ("app", "operator"), OURS, arn="arn:aws:memorydb:us-east-1:123456789012:acl/shop")
ACLS = st.builds(
    replace,
    st.just(CURRENT),
    user_names=st.sampled_from([(), ("app",), ("app", "operator")]),
    status=st.sampled_from(["active", "modifying", "deleting"]),
    clusters=st.sampled_from([(), ("shop",)]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {}]),
)
OPTIONS = {
    "user_names": st.lists(st.sampled_from(["app", "Operator", "other"]), max_size=3),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def desired(**params):
    return Desired.from_params({"acl_name": "shop", "migration_name": "shop-prod", **params})


@given(st.one_of(st.none(), ACLS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    wanted = desired(**params)
    try:
        plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in ("adopt", "user_names")
        return
    assert plan_present(predict(current, wanted), wanted).steps == ()


def test_who_comes_and_who_goes_are_one_call():
    [step] = plan_present(CURRENT, desired(user_names=["app", "other"])).steps
    assert (step.action, step.parameters) == (
        "UpdateACL",
        {"ACLName": "shop", "UserNamesToAdd": ["other"], "UserNamesToRemove": ["operator"]},
    )
    assert not step.disruptive
    assert plan_present(replace(CURRENT, clusters=("shop",)), desired(user_names=[])).steps[0].disruptive


def test_one_that_a_cluster_has_or_that_is_of_others_is_not_deleted():
    assert [step.action for step in plan_absent(CURRENT, desired()).steps] == ["DeleteACL"]
    for other in (replace(CURRENT, clusters=("shop",)), replace(CURRENT, tags={})):
        with pytest.raises(PlanRefused) as refused:
            plan_absent(other, desired())
        assert refused.value.option == "state"


def test_changes_that_aws_is_making_count_as_made():
    told = {
        "Name": "shop",
        "Status": "modifying",
        "UserNames": ["app", "operator"],
        "PendingChanges": {"UserNamesToAdd": ["other"], "UserNamesToRemove": ["app"]},
        "ARN": CURRENT.arn,
    }
    assert shape(told, OURS).user_names == ("operator", "other")


@pytest.mark.parametrize("name", ["open-access", "a_b", "1a"])
def test_a_bad_name_is_refused_by_the_option(name):
    with pytest.raises(PlanRefused) as refused:
        desired(acl_name=name)
    assert refused.value.option == "acl_name"


LOGIN = {"authentication_mode": {"type": "iam"}}


def wanted_user(**params):
    return user.Desired.from_params({"user_name": "app", "migration_name": "shop-prod", **params}, MEMORYDB)


def test_a_user_of_memorydb_has_no_id_beside_its_name_and_no_engine():
    made = user.plan_present(None, wanted_user(access_string="on ~* +@all", **LOGIN))
    assert made.steps[0].parameters == {
        "UserName": "app",
        "AccessString": "on ~* +@all",
        "AuthenticationMode": {"Type": "iam"},
        "Tags": [{"Key": "cache_migration:name", "Value": "shop-prod"}],
    }
    assert set(made.after) == {"user_name", "access_string", "authentication", "tags"}


def test_the_name_by_which_clients_log_in_is_refused_where_its_case_would_be_lost():
    with pytest.raises(PlanRefused) as refused:
        wanted_user(user_name="App")
    assert refused.value.option == "user_name"


def test_a_user_of_memorydb_is_changed_by_its_own_calls():
    told = {"Name": "app", "Status": "active", "AccessString": "on ~* +@all", "ACLNames": ["shop"], "ARN": "arn:app"}
    there = user.shape({**told, "Authentication": {"Type": "iam"}}, OURS, MEMORYDB)
    changed = user.plan_present(there, wanted_user(access_string="off", tags={"team": "a"}))
    assert [(step.action, step.parameters) for step in changed.steps] == [
        ("TagResource", {"ResourceArn": "arn:app", "Tags": [{"Key": "team", "Value": "a"}]}),
        ("UpdateUser", {"UserName": "app", "AccessString": "off"}),
    ]
    [gone] = user.plan_absent(there, wanted_user()).steps
    assert (gone.action, gone.parameters, gone.disruptive) == ("DeleteUser", {"UserName": "app"}, True)
    assert there.facts()["acl_names"] == ["shop"]
