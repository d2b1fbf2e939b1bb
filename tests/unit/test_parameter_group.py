"""From a parameter group as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter import Parameter
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_group import (
    Desired,
    ParameterGroup,
    family_among,
    kept,
    plan_absent,
    plan_present,
    predict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_words import MEMORYDB
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
FAMILY = {
    item.name: item
    for item in (
        Parameter("maxmemory-policy", "volatile-lru", allowed="volatile-lru,allkeys-lru,noeviction"),
        Parameter("databases", "16", allowed="1-1200000", data_type="integer", needs_reboot=True),
        Parameter("timeout", "0", allowed="0,20-", data_type="integer"),
        Parameter("activedefrag", "no", allowed="yes,no"),
        Parameter("appendonly", "no", allowed="yes,no", is_modifiable=False),
        Parameter("slowlog-log-slower-than", "10000", allowed="-1-2147483647", data_type="integer"),
        Parameter("hll-sparse-max-bytes", "3000", data_type="integer"),
        Parameter("reserved-memory", "0", allowed="0-", data_type="integer"),
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
    steps = plan(None, cache_parameter_group_family="redis7", parameters={"databases": 32}).steps
    assert [step.action for step in steps] == ["CreateCacheParameterGroup", "ModifyCacheParameterGroup"]
    assert steps[1].parameters["ParameterNameValues"] == [{"ParameterName": "databases", "ParameterValue": "32"}]
    assert "reboot" in steps[1].reason


def test_a_default_that_is_stated_is_set_once_where_aws_records_it_as_set():
    (step,) = plan(CURRENT, parameters={"timeout": 0}).steps
    assert step.parameters["ParameterNameValues"] == [{"ParameterName": "timeout", "ParameterValue": "0"}]
    assert "recorded" in step.reason and "reboot" not in step.reason
    assert plan(with_values(timeout="0"), parameters={"timeout": 0}).steps == ()
    assert plan(replace(CURRENT, words=MEMORYDB), parameters={"timeout": 0}).steps == ()
    assert plan(CURRENT, parameters={"appendonly": "no"}).steps == ()  # AWS refuses to set what it fixes
    assert plan(replace(CURRENT, tags={}), parameters={"timeout": 0}, adopt=True).steps == ()


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
        ({"cache_parameter_group_family": "redis6.x"}, "cache_parameter_group_name"),
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


# --- values that AWS would refuse ---


@pytest.mark.parametrize(
    ("name", "value", "is_taken"),
    [
        ("timeout", "abc", False),
        ("timeout", "60s", False),
        ("timeout", "1.5", False),
        ("timeout", "10", False),
        ("timeout", "20", True),
        ("databases", "0", False),
        ("databases", "1200001", False),
        ("slowlog-log-slower-than", "-1", True),
        ("slowlog-log-slower-than", "-2", False),
        ("hll-sparse-max-bytes", "many", False),
        ("hll-sparse-max-bytes", "16000", True),
        ("maxmemory-policy", "allkeys-lfu", False),
        ("maxmemory-policy", "allkeys-lru", True),
    ],
)
def test_a_value_is_held_against_what_aws_takes_before_anything_is_made(name, value, is_taken):
    for current in (None, CURRENT):
        stated = {"parameters": {name: value}, "cache_parameter_group_family": "redis7"}
        if is_taken:
            assert plan(current, **stated).steps
            continue
        with pytest.raises(PlanRefused) as refused:
            plan(current, **stated)
        assert refused.value.option == "parameters"
        assert name in refused.value.message and repr(value) in refused.value.message


def test_words_that_aws_lists_for_people_refuse_nothing():
    assert Parameter("x", allowed="any string").takes("Kg$")
    assert Parameter("x", allowed="1-60 seconds", data_type="integer").takes("600")


# --- what AWS never resets ---


def test_reserved_memory_that_is_not_stated_any_more_stays_and_is_told():
    current = with_values(**{"reserved-memory": "100", "timeout": "300"})
    dropped = {"parameters": {}, "purge_parameters": True}
    (step,) = plan(current, **dropped).steps
    assert step.parameters["ParameterNameValues"] == [{"ParameterName": "timeout", "ParameterValue": "300"}]
    (told,) = kept(current, desired(**dropped))
    assert "reserved-memory" in told and "'100'" in told
    assert plan(predict(current, desired(**dropped), FAMILY), **dropped).steps == ()
    assert kept(current, desired(parameters={"reserved-memory": 50}, purge_parameters=True)) == []
    assert kept(current, desired(parameters={})) == []


# --- the family of an engine and its version ---

VERSIONS = [
    {"EngineVersion": version, "CacheParameterGroupFamily": family}
    for version, family in (("7.2", "valkey7"), ("8.0", "valkey8"), ("8.10", "valkey8"), ("10.0", "valkey10"))
]


@pytest.mark.parametrize(
    ("version", "family"),
    [("7.2", "valkey7"), ("8.0", "valkey8"), ("8.0.1", "valkey8"), ("8.10", "valkey8"), ("10.0", "valkey10")],
)
def test_the_family_of_a_version_is_the_one_that_aws_tells(version, family):
    assert family_among(VERSIONS, "valkey", version) == family
    assert family_among(VERSIONS[:1], "valkey", "") == "valkey7"  # AWS's default, where none is stated


def test_a_version_that_aws_does_not_have_is_refused_with_those_that_it_has():
    with pytest.raises(PlanRefused, match=r"of Valkey here; it has 7\.2, 8\.0, 8\.10, 10\.0") as refused:
        family_among(VERSIONS, "valkey", "9.9")
    assert refused.value.option == "engine_version"


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"engine": "valkey", "cache_parameter_group_family": "valkey8"}, "cache_parameter_group_family"),
        ({"engine_version": "8.0"}, "engine"),
    ],
)
def test_an_engine_stands_in_place_of_a_family(params, option):
    with pytest.raises(PlanRefused) as refused:
        desired(**params)
    assert refused.value.option == option
