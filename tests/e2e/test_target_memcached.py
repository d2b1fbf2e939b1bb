"""Memcached as the target: an app that is made for it goes there and back, and one that is not is refused."""

from __future__ import annotations

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import MEMCACHED
from tests.e2e.world import assert_no_more_than_a_failover, until

pytestmark = pytest.mark.long

QUEUE = "r.lpush('celery', 'a job'); r.sadd('_kombu.binding.celery', 'celery')"
NO_QUEUE = "r.delete('celery', '_kombu.binding.celery')"


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2ememcached", hosts=2, creating_seconds=2, app=MEMCACHED)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def refused(stage, load):
    """An app of which nobody said that it has the client, and one whose queue is in the same Redis."""
    plain = {
        "assess": stage.play("playbooks/assess.yml", migration_app_ready_for=""),
        "migrate": stage.migrate(migration_app_ready_for=""),
    }
    stage.old_redis(QUEUE)
    queue = {"assess": stage.play("playbooks/assess.yml"), "migrate": stage.migrate()}
    stage.old_redis(NO_QUEUE)
    return {"plain": plain, "queue": queue}


@pytest.fixture(scope="module")
def moved(stage, refused):
    return {"plan": stage.migrate("--check"), "run": stage.migrate(), "again": stage.migrate()}


METRIC = "ElastiCacheEngineCPUUtilization"
SCALED = {
    "migration_scaling": [
        {
            "scalable_dimension": "Nodes",
            "min_capacity": 2,
            "max_capacity": 4,
            "predefined_metric_type": METRIC,
            "target_value": 60,
        }
    ]
}


@pytest.fixture(scope="module")
def scaled(stage, moved):
    return {"run": stage.migrate(migration_num_cache_nodes=3), "again": stage.migrate(migration_num_cache_nodes=3)}


@pytest.fixture(scope="module")
def in_place(stage, scaled, load, figures):
    """A larger node type, then fewer nodes and the type as before; at last AWS is to scale them, and has added one."""
    figures["there"] = load()
    with stage.load() as stop:
        larger = {"migration_num_cache_nodes": 3, "migration_cache_node_type": "cache.t3.medium"}
        seen = [(stage.migrate(**wanted), cluster(stage)) for wanted in (larger, {})]
        figures["in place"] = stop()
    registered = stage.migrate(**SCALED)
    client = stage.sandbox.client("elasticache")
    client.modify_cache_cluster(CacheClusterId=cluster(stage)["CacheClusterId"], NumCacheNodes=3, ApplyImmediately=True)
    until(lambda: cluster(stage)["CacheClusterStatus"] == "available", 60, "the node does not come")
    return {"seen": seen, "registered": registered, "by_aws": stage.migrate(**SCALED)}


@pytest.fixture(scope="module")
def back(stage, in_place, figures):
    with stage.load() as stop:
        run = stage.play("playbooks/rollback.yml", migration_rollback_delete_target=True, **SCALED)
        figures["back"] = stop()
    return run


@pytest.fixture(scope="module")
def figures():
    return {}


def cluster(stage):
    clusters = stage.sandbox.client("elasticache").describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
    return clusters[0] if clusters else None


@pytest.mark.parametrize("stage_of_it", ["assess", "migrate"])
def test_an_app_of_which_nobody_said_that_it_has_the_client_is_refused_and_told_what_breaks(refused, stage_of_it):
    run = refused["plain"][stage_of_it]
    assert run.code != 0 and run.writes == []
    assert "migration_app_ready_for: memcached" in run.said()


def test_what_has_no_counterpart_is_told(refused):
    said = refused["plain"]["assess"].said()
    assert "redis.from_url" in said and "no counterpart" in said
    assert "keys of the types" in said


@pytest.mark.parametrize("stage_of_it", ["assess", "migrate"])
def test_a_queue_in_the_same_redis_is_refused_although_the_app_is_ready(refused, stage_of_it):
    run = refused["queue"][stage_of_it]
    assert run.code != 0 and run.writes == []
    assert "Celery does not run on a target that speaks memcached" in run.said()


def test_the_plan_on_an_empty_account_writes_nothing_and_the_run_says_the_same_lines(moved):
    plan, run = moved["plan"], moved["run"]
    assert plan.code == 0 and plan.writes == []
    assert run.code == 0
    assert plan.lines == run.lines


def test_the_app_is_on_the_nodes_of_the_cluster_with_tls(stage, moved):
    found = cluster(stage)
    assert (found["Engine"], found["TransitEncryptionEnabled"], len(found["CacheNodes"])) == ("memcached", True, 2)
    assert found["PreferredAvailabilityZone"] == "Multiple"
    place = f"CACHE_URL=memcacheds://{found['ConfigurationEndpoint']['Address']}:11211"
    assert all(place.encode() in content for content in stage.environment_files().values())
    assert stage.on_new() and stage.all_healthy()


def test_a_second_run_changes_nothing(moved):
    assert moved["again"].code == 0 and moved["again"].writes == []


def test_a_node_comes_in_place(scaled):
    assert scaled["run"].code == 0
    assert "elasticache.ModifyCacheCluster" in scaled["run"].writes
    assert scaled["again"].code == 0 and scaled["again"].writes == []


def test_nodes_and_their_type_go_up_and_down_under_the_app_that_is_on_them(in_place, figures):
    (up, larger), (down, smaller) = in_place["seen"]
    assert up.code == down.code == 0
    assert (larger["CacheNodeType"], larger["NumCacheNodes"]) == ("cache.t3.medium", 3)
    assert (smaller["CacheNodeType"], smaller["NumCacheNodes"]) == ("cache.t3.micro", 2)
    assert_no_more_than_a_failover(figures["in place"])


def test_a_node_that_aws_adds_is_not_taken_back_and_its_scaling_goes_with_the_cluster(in_place, back):
    assert in_place["registered"].code == 0
    assert "application-autoscaling.PutScalingPolicy" in in_place["registered"].writes
    assert in_place["by_aws"].code == 0 and in_place["by_aws"].writes == []
    gone = [call for call in back.writes if call.startswith("application-autoscaling")]
    assert gone == ["application-autoscaling.DeregisterScalableTarget"]


def test_it_goes_back_and_the_cluster_is_deleted_with_its_groups(stage, back):
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy()
    elasticache = stage.sandbox.client("elasticache")
    assert cluster(stage) is None
    groups = elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]
    assert [group for group in groups if not group["CacheParameterGroupName"].startswith("default.")] == []


def test_no_request_failed(back, figures):
    for users in (figures["there"], figures["back"]):
        assert users["requests_total"] > 100
        assert users["failed"] == 0, users["failures"]
