"""From how a cache is scaled to how it is wanted to be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import Cache
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.scaling import (
    Desired,
    Policy,
    Scaling,
    plan_absent,
    plan_present,
    predict,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CLUSTER = Cache("shop", "valkey", "8.0.1", "cache.r7g.large", True, OURS)
MEMCACHED = Cache("shop", "memcached", "1.6.22", "cache.t4g.micro", False, OURS)
CPU = "ElastiCachePrimaryEngineCPUUtilization"
NAME = "cache_migration-shop-prod-NodeGroups"
POLICY = Policy(NAME, CPU, 60.0)
SCALINGS = st.builds(
    Scaling,
    st.integers(1, 4),
    st.integers(3, 6),
    st.sampled_from([(), (POLICY,), (replace(POLICY, scale_in_cooldown=300),), (Policy("other", "M", 50.0),)]),
)
OPTIONS = {
    "min_capacity": st.integers(0, 7),
    "max_capacity": st.integers(1, 7),
    "target_value": st.sampled_from([60.0, 70.0, 0.0]),
    "predefined_metric_type": st.sampled_from([CPU, "M"]),
    "policy_name": st.sampled_from(["other", "mine"]),
    "scale_in_cooldown": st.sampled_from([0, 300]),
    "scale_out_cooldown": st.sampled_from([60, -1]),
    "disable_scale_in": st.booleans(),
}


def desired(word="NodeGroups", **params):
    option = "cache_cluster_id" if word == "Nodes" else "replication_group_id"
    return Desired.from_params(
        {"scalable_dimension": word, option: "Shop", "migration_name": "shop-prod", **params},
    )


def refusal(current, cache, word="NodeGroups", **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(current, cache, desired(word, **params))
    return refused.value


@given(st.one_of(st.none(), SCALINGS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        plan = plan_present(current, CLUSTER, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    assert bool(plan.steps) == bool(plan.diff()["after"])
    assert plan_present(predict(current, wanted), CLUSTER, wanted).steps == ()


def test_a_cache_is_registered_with_a_policy_that_follows_the_metric_of_its_dimension():
    first, second = plan_present(
        None, CLUSTER, desired(min_capacity=2, max_capacity=6, target_value=60, scale_in_cooldown=300)
    ).steps
    names = {
        "ServiceNamespace": "elasticache",
        "ResourceId": "replication-group/shop",
        "ScalableDimension": "elasticache:replication-group:NodeGroups",
    }
    assert (first.action, first.parameters) == (
        "RegisterScalableTarget",
        {**names, "MinCapacity": 2, "MaxCapacity": 6},
    )
    assert second.parameters == {
        **names,
        "PolicyName": NAME,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 60.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": CPU},
            "ScaleInCooldown": 300,
            "DisableScaleIn": False,
        },
    }


@pytest.mark.parametrize(
    ("cache", "word", "told"),
    [
        (replace(CLUSTER, is_clustered=False), "NodeGroups", "cluster mode disabled"),
        (replace(CLUSTER, node_type="cache.t4g.medium"), "Replicas", "cache.t4g.medium"),
        (replace(CLUSTER, node_type="cache.r7g.4xlarge"), "NodeGroups", "large, xlarge, 2xlarge"),
        (replace(CLUSTER, engine="redis", engine_version="5.0.6"), "NodeGroups", "redis 5.0.6"),
        (replace(MEMCACHED, engine="redis"), "Nodes", "redis"),
        (replace(CLUSTER, tags={}), "NodeGroups", "not this migration's"),
    ],
)
def test_what_aws_does_not_scale_and_what_is_not_ours_is_refused_by_its_name(cache, word, told):
    params = {"min_capacity": 1, "max_capacity": 3}
    refused = refusal(None, cache, word, **params)
    assert told in refused.message and refused.option in refused.message


def test_a_policy_for_memcached_needs_a_metric_and_a_second_one_of_a_metric_is_refused():
    params = {"min_capacity": 1, "max_capacity": 3, "target_value": 60}
    assert refusal(None, MEMCACHED, "Nodes", **params).option == "predefined_metric_type"
    both = Scaling(1, 3, (Policy("theirs", CPU, 50.0),))
    assert refusal(both, CLUSTER, target_value=60).option == "policy_name"
    assert plan_present(both, CLUSTER, desired(min_capacity=2)).steps[0].parameters["MinCapacity"] == 2


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"word": "Replicas", "max_capacity": 6}, "max_capacity"),
        ({"min_capacity": 0}, "min_capacity"),
        ({"target_value": 0.0}, "target_value"),
        ({"scale_out_cooldown": -1}, "scale_out_cooldown"),
        ({"word": "Nodes", "cache_cluster_id": None, "replication_group_id": "x"}, "scalable_dimension"),
    ],
)
def test_numbers_that_cannot_be_are_refused_by_their_option(params, option):
    with pytest.raises(PlanRefused) as refused:
        desired(**params)
    assert refused.value.option == option


def test_least_above_most_is_refused_also_where_one_of_them_is_there():
    assert refusal(Scaling(1, 3), CLUSTER, min_capacity=4).option == "min_capacity"


def test_it_is_taken_away_of_ours_alone():
    assert [step.action for step in plan_absent(Scaling(1, 3), CLUSTER, desired()).steps] == [
        "DeregisterScalableTarget"
    ]
    assert plan_absent(None, CLUSTER, desired()).steps == ()
    with pytest.raises(PlanRefused, match="never changed"):
        plan_absent(Scaling(1, 3), replace(CLUSTER, tags={}), desired())
