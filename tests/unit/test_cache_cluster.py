# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Cache clusters (Memcached, and a lone node of Redis OSS): what is wanted, what is there, and the way between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import (
    CacheCluster,
    CacheNode,
    endpoint_of,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import (
    Deletion,
    Desired,
    refuse_with_a_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.plan import (
    needs_allowed_node_types,
    plan_absent,
    plan_present,
    predict,
    queued_against,
)
from hypothesis import given
from hypothesis import strategies as st

LOG = {"log_type": "slow-log", "destination_type": "cloudwatch-logs", "destination": "/shop"}
OURS = {"cache_migration:name": "shop-prod"}
A, B, C = "us-east-1a", "us-east-1b", "us-east-1c"


def nodes_in(*zones):
    return tuple(CacheNode(f"{n:04}", "available", zone, f"n{n}", 11211) for n, zone in enumerate(zones, 1))


def cluster_in(*zones, **values):
    many = len(set(zones)) > 1
    known = {
        "cache_cluster_id": "shop",
        "status": "available",
        "arn": "arn:aws:elasticache:us-east-1:123456789012:cluster:shop",
        "engine_version": "1.6.22",
        "cache_node_type": "cache.t3.small",
        "num_cache_nodes": len(zones),
        "az_mode": "cross-az" if many else "single-az",
        "preferred_availability_zone": "Multiple" if many else zones[0],
        "preferred_availability_zones": zones,
        "cache_subnet_group_name": "shop",
        "security_group_ids": ("sg-1",),
        "cache_parameter_group_name": "default.memcached1.6",
        "port": 11211,
        "preferred_maintenance_window": "sun:05:00-sun:06:00",
        "address": "shop.x.cfg.use1.cache.amazonaws.com",
        "nodes": nodes_in(*zones),
        "tags": OURS,
    }
    return CacheCluster(**{**known, **values})


CURRENT = cluster_in(A, B)
REDIS = cluster_in(
    A,
    engine="redis",
    engine_version="7.1.0",
    port=6379,
    cache_parameter_group_name="default.redis7",
    snapshot_window="03:00-04:00",
)


def desired(**params):
    return Desired.from_params({"cache_cluster_id": "shop", "migration_name": "shop-prod", **params})


def plan(current, **params):
    return plan_present(current, desired(**params))


def call(current, **params):
    """The parameters of the one call that a plan makes."""
    (step,) = plan(current, **params).steps
    return {name: value for name, value in step.parameters.items() if name not in ("CacheClusterId", "Tags")}


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan(current, **params)
    return refused.value


# --- the property ---


ZONES = st.lists(st.sampled_from([A, B, C]), min_size=1, max_size=4).map(tuple)
CLUSTERS = ZONES.flatmap(
    lambda zones: st.builds(
        cluster_in,
        *map(st.just, zones),
        engine_version=st.sampled_from(["1.4.33", "1.5.16", "1.6.6", "1.6.12", "1.6.22"]),
        cache_node_type=st.sampled_from(["cache.t3.small", "cache.t3.medium"]),
        transit_encryption_enabled=st.booleans(),
        cache_parameter_group_name=st.sampled_from(["default.memcached1.6", "shop"]),
        notification_topic_arn=st.sampled_from(["", "arn:aws:sns:us-east-1:123456789012:ops"]),
        tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {**OURS, "team": "b", "aws:x": "y"}, {}]),
        pending=st.sampled_from(
            [
                {},
                {"cache_node_type": "cache.t3.large"},
                {"engine_version": "1.6.23"},
                {"num_cache_nodes": len(zones) + 1},
                {"num_cache_nodes": len(zones) + 2, "cache_node_type": "cache.t3.large"},
                *([{"num_cache_nodes": len(zones) - 1}] if len(zones) > 1 else []),
            ]
        ),
    )
)
LONE = st.builds(
    replace,
    st.just(REDIS),
    engine_version=st.sampled_from(["5.0.6", "6.2.6", "7.0.7", "7.1.0"]),
    cache_parameter_group_name=st.sampled_from(["default.redis7", "shop"]),
    snapshot_retention_limit=st.integers(0, 2),
)
OPTIONS = {
    "engine": st.sampled_from(["memcached", "redis"]),
    "engine_version": st.sampled_from(["1.4.34", "1.5.16", "1.6.12", "1.6.22", "7.0", "7.1"]),
    "cache_node_type": st.sampled_from(["cache.t3.small", "cache.t3.medium"]),
    "num_cache_nodes": st.integers(1, 5),
    "az_mode": st.sampled_from(["single-az", "cross-az"]),
    "preferred_availability_zone": st.sampled_from([A, B]),
    "preferred_availability_zones": st.lists(st.sampled_from([A, B]), min_size=1, max_size=4),
    "scale_config": st.just({"scale_percentage": 50}),
    "security_group_ids": st.sampled_from([[], ["sg-1"], ["sg-2", "sg-1"]]),
    "cache_subnet_group_name": st.just("shop"),
    "cache_parameter_group_name": st.sampled_from(["default.memcached1.6", "default.redis7", "shop", "shop2"]),
    "port": st.sampled_from([11211, 6379]),
    "transit_encryption_enabled": st.booleans(),
    "network_type": st.sampled_from(["ipv4", "dual_stack"]),
    "ip_discovery": st.sampled_from(["ipv4", "ipv6"]),
    "notification_topic_arn": st.just("arn:aws:sns:us-east-1:123456789012:ops"),
    "notification_topic_status": st.sampled_from(["active", "inactive"]),
    "auto_minor_version_upgrade": st.booleans(),
    "snapshot_retention_limit": st.integers(0, 2),
    "snapshot_window": st.sampled_from(["05:30-06:30", "03:00-04:00"]),
    "preferred_maintenance_window": st.sampled_from(["mon:03:30-mon:05:00", "sun:07:00-sun:08:00"]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b", "stage": "prod"}]),
    "purge_tags": st.booleans(),
    "apply_immediately": st.booleans(),
    "adopt": st.booleans(),
}
FEW = st.lists(st.sampled_from(sorted(OPTIONS)), max_size=5, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: OPTIONS[name] for name in names})
)


@given(st.one_of(st.none(), CLUSTERS, LONE), FEW)
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        first = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message or refused.option in ("state",)
        return
    after = replace(predict(current, wanted), status="available", arn=CURRENT.arn)
    assert plan_present(after, wanted).steps == ()
    if first.steps:
        assert first.diff()["before"] != first.diff()["after"]


@given(st.one_of(CLUSTERS, LONE))
def test_options_that_are_left_out_are_not_changed(current):
    if current.tags != {}:
        assert plan(current).steps == ()


# --- making one ---


def test_a_cluster_is_made_by_one_call_with_the_tag_that_says_whose_it_is():
    (step,) = plan(None, cache_node_type="cache.t3.small", num_cache_nodes=2, transit_encryption_enabled=True).steps
    assert step.action == "CreateCacheCluster"
    assert step.parameters == {
        "CacheClusterId": "shop",
        "Engine": "memcached",
        "NumCacheNodes": 2,
        "CacheNodeType": "cache.t3.small",
        "TransitEncryptionEnabled": True,
        "Tags": [{"Key": "cache_migration:name", "Value": "shop-prod"}],
    }


def test_zones_that_differ_are_sent_with_the_mode_that_they_need():
    params = {"cache_node_type": "cache.t3.small", "num_cache_nodes": 2}
    assert call(None, **params, preferred_availability_zones=[A, B])["AZMode"] == "cross-az"
    assert "AZMode" not in call(None, **params, preferred_availability_zones=[A, A])


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({}, "cache_node_type"),
        ({"az_mode": "cross-az"}, "az_mode"),
        ({"engine_version": "1.6.6", "transit_encryption_enabled": True}, "transit_encryption_enabled"),
        ({"engine_version": "1.6"}, "engine_version"),
        (
            {"engine_version": "1.6.22", "cache_parameter_group_name": "default.memcached1.5"},
            "cache_parameter_group_name",
        ),
        ({"engine": "redis", "num_cache_nodes": 2}, "num_cache_nodes"),
        ({"engine": "redis", "transit_encryption_enabled": True}, "transit_encryption_enabled"),
        ({"engine": "redis", "az_mode": "single-az"}, "az_mode"),
        ({"engine": "valkey"}, "engine"),
        ({"snapshot_retention_limit": 1}, "snapshot_retention_limit"),
        ({"snapshot_name": "last"}, "snapshot_name"),
        ({"log_delivery_configurations": [LOG]}, "log_delivery_configurations"),
        ({"auth_token": "a-token-of-sixteen"}, "auth_token"),
        ({"kms_key_id": "key"}, "kms_key_id"),
        ({"num_cache_clusters": 2}, "num_cache_clusters"),
        ({"replicas_per_node_group": 1}, "replicas_per_node_group"),
        ({"num_cache_nodes": 3, "preferred_availability_zones": [A, B]}, "preferred_availability_zones"),
        ({"preferred_availability_zones": [A, B]}, "preferred_availability_zones"),
        ({"num_cache_nodes": 0}, "num_cache_nodes"),
        ({"scale_config": {"scale_percentage": 5}}, "scale_config"),
        ({"port": 70000}, "port"),
        ({"security_group_ids": [""]}, "security_group_ids"),
        ({"cache_cluster_id": "-shop"}, "cache_cluster_id"),
    ],
)
def test_what_aws_would_not_make_is_refused_by_the_name_of_its_option(params, option):
    type_of_it = {} if option == "cache_node_type" else {"cache_node_type": "cache.t3.small"}
    refused = refusal(None, **type_of_it, **params)
    assert refused.option == option
    assert option in refused.message


@pytest.mark.parametrize("params", [{"num_cache_nodes": 2}, {"az_mode": "cross-az"}, {"engine": "memcached"}])
def test_what_is_of_cache_clusters_alone_is_refused_for_a_replication_group(params):
    with pytest.raises(PlanRefused) as refused:
        refuse_with_a_group({"replication_group_id": "shop", **params})
    assert refused.value.option in params


# --- nodes ---


def test_of_nodes_that_go_the_highest_numbers_go_first():
    assert call(cluster_in(A, B, A, B), num_cache_nodes=2) == {
        "NumCacheNodes": 2,
        "CacheNodeIdsToRemove": ["0004", "0003"],
        "ApplyImmediately": True,
    }


def test_zones_are_sent_for_the_nodes_that_come_alone():
    made = call(cluster_in(A), num_cache_nodes=3, preferred_availability_zones=[A, A, B])
    assert made["NewAvailabilityZones"] == [A, B]
    assert made["AZMode"] == "cross-az"


def test_nodes_that_stay_do_not_move_to_other_zones():
    assert (
        refusal(CURRENT, num_cache_nodes=2, preferred_availability_zones=[A, C]).option
        == "preferred_availability_zones"
    )
    assert plan(CURRENT, num_cache_nodes=2, preferred_availability_zones=[B, A]).steps == ()
    assert refusal(cluster_in(A, A), az_mode="cross-az").option == "az_mode"
    assert refusal(CURRENT, az_mode="single-az").option == "az_mode"
    assert call(cluster_in(A, A), az_mode="cross-az", num_cache_nodes=3)["AZMode"] == "cross-az"


def test_another_number_of_nodes_says_that_keys_are_spread_anew():
    (step,) = plan(CURRENT, num_cache_nodes=3).steps
    assert step.disruptive
    assert "num_cache_nodes: 2 -> 3" in step.reason
    assert "spread anew" in step.reason


# --- in place, or not ---


def test_another_node_type_says_how_fast_nodes_are_replaced():
    assert call(CURRENT, cache_node_type="cache.m6g.large", scale_config={"scale_percentage": 50}) == {
        "CacheNodeType": "cache.m6g.large",
        "ScaleConfig": {"ScalePercentage": 50},
        "ApplyImmediately": True,
    }
    assert needs_allowed_node_types(CURRENT, desired(cache_node_type="cache.m6g.large"))


def test_a_node_type_that_aws_does_not_allow_is_refused_with_those_that_it_does():
    refused = refusal(replace(CURRENT, allowed_node_types=("cache.t3.medium",)), cache_node_type="cache.m6g.large")
    assert refused.option == "cache_node_type"
    assert "cache.t3.medium" in refused.message


def test_of_memcached_before_1_5_the_node_type_stays():
    assert (
        refusal(replace(CURRENT, engine_version="1.4.33"), cache_node_type="cache.m6g.large").option
        == "cache_node_type"
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("engine", "redis"),
        ("cache_subnet_group_name", "other"),
        ("port", 11212),
        ("transit_encryption_enabled", True),
        ("network_type", "dual_stack"),
        ("preferred_availability_zone", C),
        ("engine_version", "1.6.6"),
    ],
)
def test_what_aws_could_only_make_anew_is_refused_with_the_way(option, value):
    refused = refusal(CURRENT, **{option: value})
    assert refused.option == option
    assert option in refused.message
    assert "make a new cluster under another cache_cluster_id" in refused.message


def test_a_newer_version_comes_in_place_and_says_that_nodes_come_empty():
    (step,) = plan(CURRENT, engine_version="1.6.23").steps
    assert step.parameters["EngineVersion"] == "1.6.23"
    assert step.disruptive
    assert "empty" in step.reason


def test_a_parameter_group_of_ones_own_must_fit_the_newer_version():
    old = replace(CURRENT, engine_version="1.5.16", cache_parameter_group_name="shop")
    assert refusal(old, engine_version="1.6.22").option == "cache_parameter_group_name"


def test_a_node_of_a_replication_group_is_changed_with_its_group():
    refused = refusal(replace(REDIS, replication_group_id="shop-group"), cache_node_type="cache.t3.medium")
    assert refused.option == "cache_cluster_id"
    assert "replication_group_id: shop-group" in refused.message


# --- what waits for the maintenance window ---


def test_what_is_queued_is_told_and_not_planned_again():
    queued = replace(CURRENT, pending={"num_cache_nodes": 3})
    made = plan(queued, num_cache_nodes=3, apply_immediately=False)
    assert made.steps == ()
    assert made.pending == {"num_cache_nodes": 3}


def test_a_queued_number_of_nodes_is_cancelled_before_another_is_asked_for():
    queued = replace(CURRENT, pending={"num_cache_nodes": 5})
    first, second = plan(queued, num_cache_nodes=3).steps
    assert first.parameters["NumCacheNodes"] == 2
    assert second.parameters["NumCacheNodes"] == 3
    assert call(queued, num_cache_nodes=2) == {"NumCacheNodes": 2, "ApplyImmediately": True}


def test_what_is_queued_against_what_is_stated_is_warned_of():
    queued = replace(CURRENT, pending={"cache_node_type": "cache.t3.large"})
    (warning,) = queued_against(queued, desired(cache_node_type="cache.t3.small"))
    assert "cache.t3.large" in warning


def test_a_call_that_acts_at_once_says_what_else_it_brings():
    queued = replace(CURRENT, pending={"cache_node_type": "cache.t3.large"})
    (step,) = plan(queued, preferred_maintenance_window="mon:07:00-mon:08:00").steps
    assert "what was queued goes with it: cache_node_type cache.t3.large" in step.reason


# --- whose it is ---


def test_somebody_elses_is_used_as_it_is_where_the_user_says_so():
    others = replace(CURRENT, tags={"team": "a"})
    assert refusal(others).option == "adopt"
    assert plan(others, adopt=True, num_cache_nodes=2).steps == ()
    assert refusal(others, adopt=True, num_cache_nodes=3).option == "num_cache_nodes"


def removal(current, **params):
    deletion = Deletion.from_params({"cache_cluster_id": "shop", "migration_name": "shop-prod", **params})
    return plan_absent(current, deletion)


def test_memcached_is_deleted_without_a_snapshot_as_it_has_none():
    (step,) = removal(CURRENT).steps
    assert (step.action, step.parameters) == ("DeleteCacheCluster", {"CacheClusterId": "shop"})
    with pytest.raises(PlanRefused) as refused:
        removal(CURRENT, final_snapshot_identifier="last")
    assert refused.value.option == "final_snapshot_identifier"


def test_a_lone_redis_is_deleted_once_it_is_said_what_becomes_of_its_data():
    with pytest.raises(PlanRefused) as refused:
        removal(REDIS)
    assert refused.value.option == "final_snapshot_identifier"
    (step,) = removal(REDIS, final_snapshot_identifier="last").steps
    assert step.parameters["FinalSnapshotIdentifier"] == "last"
    assert removal(REDIS, skip_final_snapshot=True).steps


def test_what_is_not_ours_is_never_deleted():
    with pytest.raises(PlanRefused) as refused:
        removal(replace(CURRENT, tags={}), skip_final_snapshot=True)
    assert refused.value.option == "state"


# --- what AWS answers ---


def test_memcached_is_reached_by_its_configuration_endpoint_which_tells_the_nodes():
    shaped = shape(
        {
            "CacheClusterId": "shop",
            "CacheClusterStatus": "Available",
            "Engine": "memcached",
            "EngineVersion": "1.6.22",
            "NumCacheNodes": 2,
            "PreferredAvailabilityZone": "Multiple",
            "TransitEncryptionEnabled": True,
            "ConfigurationEndpoint": {"Address": "shop.x.cfg.use1.cache.amazonaws.com", "Port": 11211},
            "CacheNodes": [
                {
                    "CacheNodeId": f"000{n}",
                    "CacheNodeStatus": "available",
                    "CustomerAvailabilityZone": zone,
                    "Endpoint": {"Address": f"shop.x.000{n}.use1.cache.amazonaws.com", "Port": 11211},
                }
                for n, zone in ((2, B), (1, A))
            ],
        },
        OURS,
    )
    assert shaped.is_ready
    assert shaped.az_mode == "cross-az"
    assert shaped.preferred_availability_zones == (A, B)
    endpoint = endpoint_of(shaped)
    assert (endpoint.service, endpoint.protocol, endpoint.tls) == ("elasticache-memcached", "memcached", True)
    assert endpoint.address == "shop.x.cfg.use1.cache.amazonaws.com"
    assert [node.name for node in endpoint.nodes] == ["0001", "0002"]
    assert endpoint.databases == 1


def test_before_there_is_one_its_endpoint_already_says_what_is_spoken():
    endpoint = endpoint_of(predict(None, desired(cache_node_type="cache.t3.small")))
    assert (endpoint.state, endpoint.protocol, endpoint.port) == ("after_apply", "memcached", 11211)


def test_a_cluster_whose_node_is_still_being_made_is_not_ready():
    assert not replace(CURRENT, unready=("node 0002 creating",)).is_ready
    assert not replace(CURRENT, status="modifying").is_ready
    assert not replace(CURRENT, tags=None).is_ready


def test_one_whose_creation_failed_is_said_to_have():
    refused = refusal(replace(CURRENT, status="incompatible-network"))
    assert refused.option == "state"
    assert "incompatible-network" in refused.message


def test_what_a_node_was_restored_from_is_kept_in_a_tag_and_another_is_refused():
    made = predict(None, desired(engine="redis", cache_node_type="cache.t3.small", snapshot_name="last"))
    assert made.tags["cache_migration:restored_from"] == "last"
    restored = replace(REDIS, tags={**REDIS.tags, "cache_migration:restored_from": "last"})
    assert plan(restored, snapshot_name="last", tags={}, purge_tags=True).steps == ()
    for option, other in (("snapshot_name", "another"), ("snapshot_arns", ["arn:aws:s3:::bucket/dump.rdb"])):
        for current in (restored, REDIS):
            assert refusal(current, **{option: other}).option == option


def test_a_spread_over_zones_whose_node_waits_for_the_window_is_not_refused():
    wanted = desired(az_mode="cross-az", num_cache_nodes=2, apply_immediately=False)
    queued = predict(cluster_in("us-east-1a"), wanted)
    assert (queued.num_cache_nodes, queued.pending["num_cache_nodes"]) == (1, 2)
    assert plan_present(queued, wanted).steps == ()
