"""From a parameter group as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_group import (
    Desired,
    Parameter,
    ParameterGroup,
    plan_absent,
    plan_present,
    predict,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
FAMILY = {
    item.name: item
    for item in (
        Parameter("maxmemory-policy", "volatile-lru", allowed="volatile-lru,allkeys-lru,noeviction"),
        Parameter("databases", "16", allowed="1-1200000", needs_reboot=True),
        Parameter("timeout", "0", allowed="0,20-"),
        Parameter("activedefrag", "no", allowed="yes,no"),
        Parameter("appendonly", "no", allowed="yes,no", is_modifiable=False),
    )
}
CURRENT = ParameterGroup("shop", "redis7", "Parameters of shop-prod", FAMILY, OURS, "arn:shop")
VALUES = {
    "maxmemory-policy": st.sampled_from(["volatile-lru", "allkeys-lru"]),
    "databases": st.sampled_from([16, "16", 32]),
    "timeout": st.sampled_from([0, 300]),
    "activedefrag": st.booleans(),
}
OPTIONS = {
    "parameters": st.fixed_dictionaries({}, optional=VALUES),
    "purge_parameters": st.booleans(),
    "cache_parameter_group_family": st.just("redis7"),
    "tags": st.sampled_from([{}, {"team": "a"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def with_values(**values):
    changed = {name: replace(FAMILY[name], value=value, is_set=True) for name, value in values.items()}
    return replace(CURRENT, parameters={**FAMILY, **changed})


def desired(**params):
    return Desired.from_params({"cache_parameter_group_name": "shop", "migration_name": "shop-prod", **params})


def plan(current, **params):
    return plan_present(current, desired(**params), current.parameters if current else FAMILY)


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan(current, **params)
    return refused.value


@given(
    st.sampled_from([None, CURRENT, with_values(timeout="300"), with_values(databases="32", activedefrag="yes")]),
    st.sampled_from([OURS, {**OURS, "team": "b"}, {}]),
    st.fixed_dictionaries({}, optional=OPTIONS),
)
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, tags, params):
    current = current and replace(current, tags=tags)
    wanted = desired(**params)
    known = current.parameters if current else FAMILY
    try:
        first = plan_present(current, wanted, known)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    assert bool(first.steps) == bool(first.diff()["after"])
    assert plan_present(predict(current, wanted, known), wanted, known).steps == ()


def test_a_group_is_made_and_then_given_its_values():
    steps = plan(None, cache_parameter_group_family="redis7", parameters={"databases": 32, "timeout": 0}).steps
    assert [step.action for step in steps] == ["CreateCacheParameterGroup", "ModifyCacheParameterGroup"]
    assert steps[1].parameters["ParameterNameValues"] == [{"ParameterName": "databases", "ParameterValue": "32"}]
    assert "reboot" in steps[1].reason


def test_values_are_compared_as_strings_and_booleans_stand_for_yes_and_no():
    current = with_values(databases="32", activedefrag="yes")
    assert plan(current, parameters={"databases": 32, "activedefrag": True}).steps == ()


def test_parameters_that_are_not_stated_are_left_alone_unless_they_are_purged():
    current = with_values(timeout="300", databases="32")
    assert plan(current, parameters={"databases": 32}).steps == ()
    (step,) = plan(current, parameters={"databases": 32}, purge_parameters=True).steps
    assert step.action == "ResetCacheParameterGroup"
    assert step.parameters["ParameterNameValues"] == [{"ParameterName": "timeout", "ParameterValue": "300"}]
    assert plan(current, purge_parameters=True).steps == ()


def test_resets_come_before_sets():
    steps = plan(with_values(timeout="300"), parameters={"databases": 32}, purge_parameters=True).steps
    assert [step.action for step in steps] == ["ResetCacheParameterGroup", "ModifyCacheParameterGroup"]


def test_twenty_parameters_go_in_one_call():
    many = {f"p{number}": Parameter(f"p{number}", "0") for number in range(45)}
    steps = plan(replace(CURRENT, parameters=many), parameters=dict.fromkeys(many, 1)).steps
    assert [len(step.parameters["ParameterNameValues"]) for step in steps] == [20, 20, 5]


def test_an_unknown_name_is_refused_with_what_is_near_to_it():
    assert "maxmemory-policy" in refusal(CURRENT, parameters={"maxmemory_policy": "allkeys-lru"}).message


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"parameters": {"maxmemory-policy": "lru"}}, "parameters"),
        ({"parameters": {"appendonly": True}}, "parameters"),
        ({"parameters": {"timeout": None}}, "parameters"),
        ({"cache_parameter_group_family": "redis6.x"}, "cache_parameter_group_family"),
        ({"description": "other"}, "description"),
        ({"cache_parameter_group_name": "default.redis7"}, "cache_parameter_group_name"),
        ({"cache_parameter_group_name": "sh--op"}, "cache_parameter_group_name"),
    ],
)
def test_what_aws_cannot_do_is_refused_by_the_name_of_the_option(params, option):
    refused = refusal(CURRENT, **params)
    assert refused.option == option
    assert option in refused.message


def test_a_range_with_an_exception_is_left_to_aws():
    assert plan(CURRENT, parameters={"timeout": 300}).steps


def test_a_group_cannot_be_made_without_a_family():
    assert refusal(None).option == "cache_parameter_group_family"


def test_a_family_that_aws_does_not_have_is_refused():
    with pytest.raises(PlanRefused, match="cache_parameter_group_family"):
        plan_present(None, desired(cache_parameter_group_family="redis9"), {})


def test_somebody_elses_group_is_refused_adopted_and_never_changed_or_deleted():
    foreign = replace(with_values(databases="32"), tags={})
    assert refusal(foreign).option == "adopt"
    assert plan(foreign, adopt=True, parameters={"databases": 32}, description="other").steps == ()
    assert "'databases': '32'" in refusal(foreign, adopt=True, parameters={"databases": 64}).message
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(foreign, desired(adopt=True))
