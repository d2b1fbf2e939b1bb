"""From a subnet group as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.subnet_group import (
    Desired,
    SubnetGroup,
    plan_absent,
    plan_present,
    predict,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CURRENT = SubnetGroup("shop", "Subnets of shop-prod", ("subnet-1", "subnet-2"), OURS, "vpc-1", "arn:shop")
GROUPS = st.builds(
    replace,
    st.just(CURRENT),
    description=st.sampled_from(["one", "two"]),
    subnet_ids=st.sampled_from([("subnet-1",), ("subnet-1", "subnet-2")]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {}]),
)
OPTIONS = {
    "cache_subnet_group_description": st.sampled_from(["one", "two", ""]),
    "subnet_ids": st.sampled_from([[], ["subnet-1"], ["subnet-2", "subnet-1"]]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def desired(**params):
    return Desired.from_params({"cache_subnet_group_name": "shop", "migration_name": "shop-prod", **params})


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(current, desired(**params))
    return refused.value


@given(st.one_of(st.none(), GROUPS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    wanted = desired(**params)
    try:
        plan = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    assert bool(plan.steps) == bool(plan.diff()["after"])
    assert plan_present(predict(current, wanted), wanted).steps == ()


def test_a_group_that_is_not_there_is_made_with_the_ownership_tag():
    (step,) = plan_present(None, desired(subnet_ids=["subnet-2", "subnet-1"])).steps
    assert step.parameters == {
        "CacheSubnetGroupName": "shop",
        "CacheSubnetGroupDescription": "Subnets of shop-prod",
        "SubnetIds": ["subnet-1", "subnet-2"],
        "Tags": [{"Key": "cache_migration:name", "Value": "shop-prod"}],
    }


def test_a_group_cannot_be_made_without_subnets():
    assert refusal(None).option == "subnet_ids"


def test_somebody_elses_group_is_refused_adopted_and_never_changed_or_deleted():
    foreign = replace(CURRENT, tags={"Name": "network-team"})
    assert refusal(foreign).option == "adopt"
    assert plan_present(foreign, desired(adopt=True, tags={"team": "a"})).steps == ()
    assert refusal(foreign, adopt=True, subnet_ids=["subnet-9"]).option == "subnet_ids"
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(foreign, desired(adopt=True))


def test_a_group_of_ours_is_deleted_and_one_that_is_gone_is_not():
    assert [step.action for step in plan_absent(CURRENT, desired()).steps] == ["DeleteCacheSubnetGroup"]
    assert plan_absent(None, desired()).steps == ()
