"""Auto scaling against the local AWS, which keeps and refuses it as AWS does, and scales nothing."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT
from ansible_collections.kempian.cache_migration.plugins.modules import (
    cache_scaling,
    cache_scaling_info,
    elasticache_cluster,
    elasticache_cluster_info,
)
from botocore.exceptions import ClientError

METRIC = "ElastiCacheEngineCPUUtilization"


@pytest.fixture
def memcached(converge):
    made = converge(
        elasticache_cluster.main, cache_cluster_id="scaled", engine="memcached", cache_node_type="cache.t4g.micro"
    )
    assert made["status"] == "available", made
    return {"scalable_dimension": "Nodes", "cache_cluster_id": "scaled"}


def test_a_cache_is_registered_once_changed_told_and_taken_out(aws, run, memcached):
    stated = {**memcached, "min_capacity": 1, "max_capacity": 4, "target_value": 60, "predefined_metric_type": METRIC}
    mark = aws.mark
    told = run(cache_scaling.main, **stated, check_mode=True)
    assert told.get("changed"), told
    assert told["scaling"]["max_capacity"] == 4 and aws.writes_since(mark) == []
    made = run(cache_scaling.main, **stated)
    assert "msg" not in made, made
    assert [step["action"] for step in made["plan"]] == ["RegisterScalableTarget", "PutScalingPolicy"]
    assert made["scaling"]["policies"][0]["target_value"] == 60.0
    mark = aws.mark
    assert not run(cache_scaling.main, **stated)["changed"]
    assert aws.writes_since(mark) == []
    more = run(cache_scaling.main, **memcached, max_capacity=6, disable_scale_in=True)
    assert more["scaling"]["max_capacity"] == 6 and more["scaling"]["policies"][0]["disable_scale_in"]
    found = run(cache_scaling_info.main, cache_cluster_id="scaled")
    assert (found["scaling"], found["ours"]) == ({"Nodes": more["scaling"]}, True)
    assert run(cache_scaling.main, **memcached, state="absent")["changed"]
    assert not run(cache_scaling.main, **memcached, state="absent")["changed"]
    assert run(cache_scaling_info.main, cache_cluster_id="scaled")["scaling"] == {}


@pytest.fixture
def clustered(converge):
    made = converge(
        elasticache_cluster.main,
        replication_group_id="sharded",
        engine="valkey",
        cache_node_type="cache.r7g.large",
        cluster_mode="enabled",
        num_node_groups=2,
        replicas_per_node_group=0,
        automatic_failover_enabled=True,
    )
    assert made.get("status") == "available", made
    return {"replication_group_id": "sharded"}


@pytest.mark.long
def test_the_shards_of_a_cluster_are_scaled_by_aws_or_by_hand_in_place(run, clustered):
    scaled = run(
        cache_scaling.main,
        **clustered,
        scalable_dimension="NodeGroups",
        min_capacity=2,
        max_capacity=4,
        target_value=60,
    )
    assert "msg" not in scaled, scaled
    assert scaled["scaling"]["policies"][0]["predefined_metric_type"] == "ElastiCachePrimaryEngineCPUUtilization"
    by_hand = {
        "num_node_groups": (3, ["ModifyReplicationGroupShardConfiguration"]),
        "replicas_per_node_group": (1, ["IncreaseReplicaCount"]),
        "cache_node_type": ("cache.r7g.xlarge", ["ModifyReplicationGroup"]),
    }
    for option, (value, actions) in by_hand.items():
        planned = run(elasticache_cluster.main, **clustered, **{option: value}, check_mode=True)
        assert [step["action"] for step in planned.get("plan", ())] == actions, planned


MIGRATION = {
    **{name: option.default for name, option in OPTIONS.items()},
    "name": "shop-prod",
    "replication_group_id": "bymigration",
    "engine": "valkey",
    "engine_version": "8.0",
    "cache_node_type": "cache.r7g.large",
    "cluster_mode": "enabled",
    "multi_az_enabled": False,
    "replicas_per_node_group": 0,
    "subnet_group_name": "default",
    "scaling": [{"scalable_dimension": "NodeGroups", "min_capacity": 1, "max_capacity": 3, "target_value": 60.0}],
}
MODULES = {"cache_scaling": cache_scaling, "elasticache_cluster": elasticache_cluster}


@pytest.mark.long
def test_a_migration_registers_its_target_and_does_not_take_back_what_aws_has_added(aws, run, converge):
    def found():
        told = run(elasticache_cluster_info.main, replication_group_id="bymigration")
        return DEFAULT.found_in(told)

    def planned(**settings):
        """By a second run: the actions of all parts, and whatever one of them refuses."""
        parts = DEFAULT.parts({**MIGRATION, **settings}, found())
        seen = [run(MODULES[part.module].main, **part.args, check_mode=True) for part in parts]
        assert not [one["msg"] for one in seen if "msg" in one]
        return [step["action"] for one in seen for step in one["plan"]]

    assert planned() == ["CreateReplicationGroup", "RegisterScalableTarget", "PutScalingPolicy"]
    for part in DEFAULT.parts(MIGRATION, None):
        made = converge(MODULES[part.module].main, **part.args)
        assert "msg" not in made, made
    assert planned() == []
    aws.client("elasticache").modify_replication_group_shard_configuration(
        ReplicationGroupId="bymigration", NodeGroupCount=2, ApplyImmediately=True
    )
    assert converge(elasticache_cluster.main, replication_group_id="bymigration")["status"] == "available"
    assert found()["num_node_groups"] == 2
    assert planned() == planned(num_node_groups=1) == []
    by_hand = {"num_node_groups": 1, "scaling": [{"scalable_dimension": "NodeGroups", "state": "absent"}]}
    assert planned(**by_hand) == ["DeregisterScalableTarget", "ModifyReplicationGroupShardConfiguration"]
    assert planned(cache_node_type="cache.t4g.medium", scaling=[]) == ["ModifyReplicationGroup"]


def test_a_group_of_others_is_neither_registered_nor_taken_out(aws, run, converge):
    converge(elasticache_cluster.main, replication_group_id="theirs", cache_node_type="cache.t4g.micro")
    stated = {"scalable_dimension": "Replicas", "replication_group_id": "theirs", "migration_name": "other"}
    will_be = {"engine": "valkey", "cache_node_type": "cache.r7g.large", "cluster_enabled": True}
    bounds = {"min_capacity": 1, "max_capacity": 2}
    told = run(cache_scaling.main, **stated, **bounds, will_be=will_be, check_mode=True)
    assert told["option"] == "replication_group_id" and "not this migration's" in told["msg"]
    ours = {**stated, "migration_name": "shop-prod"}
    assert run(cache_scaling.main, **ours, **bounds, will_be=will_be, check_mode=True)["changed"]
    assert "cluster mode disabled" in run(cache_scaling.main, **ours, **bounds, will_be=will_be)["msg"]
    assert not run(cache_scaling.main, **stated, state="absent")["changed"]


def test_a_group_without_cluster_mode_is_refused_by_the_module_and_by_aws(aws, converge, run):
    converge(elasticache_cluster.main, replication_group_id="unscaled", cache_node_type="cache.t4g.micro")
    stated = {"scalable_dimension": "Replicas", "replication_group_id": "unscaled"}
    mark = aws.mark
    refused = run(cache_scaling.main, **stated, min_capacity=1, max_capacity=2)
    assert refused["option"] == "replication_group_id" and "cluster mode disabled" in refused["msg"]
    assert aws.writes_since(mark) == []
    with pytest.raises(ClientError, match="cluster mode enabled"):
        aws.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="elasticache",
            ResourceId="replication-group/unscaled",
            ScalableDimension="elasticache:replication-group:Replicas",
            MinCapacity=1,
            MaxCapacity=2,
        )


def test_a_cache_that_is_not_there_is_refused_and_in_check_mode_planned_with_a_warning(run):
    stated = {
        "scalable_dimension": "NodeGroups",
        "replication_group_id": "not-yet",
        "min_capacity": 2,
        "max_capacity": 4,
        "target_value": 60,
    }
    assert run(cache_scaling.main, **stated)["option"] == "replication_group_id"
    assert run(cache_scaling.main, **stated, check_mode=True)["changed"]
