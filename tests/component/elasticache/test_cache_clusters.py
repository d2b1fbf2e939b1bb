"""Clusters of Memcached, and a lone node of Redis OSS, by elasticache_cluster against the local AWS."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import elasticache_cluster, elasticache_cluster_info

MAIN = elasticache_cluster.main
SMALL = {"cache_node_type": "cache.t3.micro"}


@pytest.fixture
def cluster(converge):
    """The name of a cache cluster, which is taken away afterwards."""
    name = {"cache_cluster_id": f"m{uuid.uuid4().hex[:8]}"}
    yield name
    converge(MAIN, **name, state="absent", skip_final_snapshot=True)


def told(run, cluster):
    return run(elasticache_cluster_info.main, **cluster)["cache_clusters"][0]


def test_memcached_is_made_as_planned_and_a_second_run_changes_nothing(aws, run, converge, cluster):
    stated = {
        **cluster,
        **SMALL,
        "num_cache_nodes": 2,
        "preferred_availability_zones": ["us-east-1a", "us-east-1b"],
        "engine_version": "1.6.22",
        "transit_encryption_enabled": True,
        "tags": {"team": "a"},
    }
    mark = aws.mark
    planned = run(MAIN, check_mode=True, **stated)
    assert aws.writes_since(mark) == []
    assert planned["endpoint"]["state"] == "after_apply" and planned["endpoint"]["protocol"] == "memcached"
    made = converge(MAIN, **stated)
    assert made["plan"] == planned["plan"] and made["status"] == "available"
    endpoint = made["endpoint"]
    assert (endpoint["service"], endpoint["tls"], endpoint["port"]) == ("elasticache-memcached", True, 11211)
    assert ".cfg." in endpoint["address"] and len(endpoint["nodes"]) == 2
    mark = aws.mark
    assert run(MAIN, **stated)["changed"] is False
    assert run(MAIN, check_mode=True, **stated)["plan"] == []
    assert run(MAIN, **cluster)["changed"] is False
    assert aws.writes_since(mark) == []
    found = told(run, cluster)
    assert (found["az_mode"], found["ours"], found["tags"]["team"]) == ("cross-az", True, "a")


def test_nodes_come_and_go_in_place_and_the_address_stays(aws, run, converge, cluster):
    before = converge(MAIN, **cluster, **SMALL)
    grown = converge(MAIN, **cluster, num_cache_nodes=3)
    assert [node["name"] for node in grown["endpoint"]["nodes"]] == ["0001", "0002", "0003"]
    assert grown["endpoint"]["address"] == before["endpoint"]["address"]
    shrunk = converge(MAIN, **cluster, num_cache_nodes=1)
    assert [node["name"] for node in shrunk["endpoint"]["nodes"]] == ["0001"]
    assert shrunk["plan"][0]["parameters"]["CacheNodeIdsToRemove"] == ["0003", "0002"]


@pytest.mark.long
def test_another_type_and_version_come_in_one_call_and_only_upwards(aws, run, converge, cluster):
    converge(MAIN, **cluster, **SMALL, engine_version="1.6.12")
    changed = converge(
        MAIN,
        **cluster,
        cache_node_type="cache.t3.small",
        engine_version="1.6.22",
        scale_config={"scale_percentage": 100},
        preferred_maintenance_window="mon:07:00-mon:08:00",
        tags={"team": "a"},
    )
    assert [step["action"] for step in changed["plan"]] == ["AddTagsToResource", "ModifyCacheCluster"]
    found = told(run, cluster)
    assert (found["cache_node_type"], found["engine_version"]) == ("cache.t3.small", "1.6.22")
    mark = aws.mark
    assert run(MAIN, **cluster, engine_version="1.6.12")["option"] == "engine_version"
    assert run(MAIN, **cluster, cache_node_type="cache.x9.large")["option"] == "cache_node_type"
    assert run(MAIN, **cluster, transit_encryption_enabled=True)["option"] == "transit_encryption_enabled"
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_what_waits_for_the_window_is_told_and_not_planned_again(aws, run, converge, cluster):
    converge(MAIN, **cluster, **SMALL)
    later = {**cluster, "num_cache_nodes": 2, "apply_immediately": False}
    assert converge(MAIN, **later)["pending"] == {"num_cache_nodes": 2}
    mark = aws.mark
    assert run(MAIN, **later)["changed"] is False
    assert aws.writes_since(mark) == []
    other = converge(MAIN, **cluster, num_cache_nodes=3)
    assert [step["action"] for step in other["plan"]] == ["ModifyCacheCluster", "ModifyCacheCluster"]
    assert told(run, cluster)["num_cache_nodes"] == 3


@pytest.mark.long
def test_a_lone_redis_leaves_a_snapshot_and_memcached_none(aws, run, converge, cluster):
    stated = {**cluster, **SMALL, "engine": "redis", "engine_version": "7.1", "snapshot_retention_limit": 1}
    made = converge(MAIN, **stated)
    assert (made["endpoint"]["protocol"], made["endpoint"]["service"]) == ("redis", "elasticache")
    assert run(MAIN, **stated)["changed"] is False
    gone = {**cluster, "state": "absent"}
    assert run(MAIN, **gone)["option"] == "final_snapshot_identifier"
    last = f"last-{cluster['cache_cluster_id']}"
    assert converge(MAIN, **gone, final_snapshot_identifier=last)["status"] == "absent"
    (kept,) = aws.client("elasticache").describe_snapshots(SnapshotName=last)["Snapshots"]
    assert kept["SnapshotStatus"] == "available"


def test_one_that_failed_is_said_to_have_with_what_aws_says_of_it_and_may_be_removed(settings, run, converge, cluster):
    settings(failing_creations=1)
    run(MAIN, **cluster, **SMALL)
    refused = converge(MAIN, **cluster, **SMALL)
    assert refused["option"] == "state" and "create-failed" in refused["msg"]
    assert "ordered by failing_creations" in refused["msg"]
    assert run(MAIN, **cluster, state="absent")["changed"] is True


@pytest.mark.long
def test_somebody_elses_is_neither_changed_nor_deleted(aws, run, converge, cluster):
    converge(MAIN, **cluster, **SMALL)
    other = {**cluster, "migration_name": "other"}
    mark = aws.mark
    assert run(MAIN, **other)["option"] == "adopt"
    assert run(MAIN, **other, state="absent")["option"] == "state"
    assert run(MAIN, **other, adopt=True)["changed"] is False
    assert run(MAIN, **other, adopt=True, num_cache_nodes=2)["option"] == "num_cache_nodes"
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_a_node_of_a_replication_group_is_refused_with_the_name_of_its_group(aws, run, converge):
    name = f"g{uuid.uuid4().hex[:8]}"
    group = {"replication_group_id": name}
    converge(MAIN, **group, **SMALL)
    refused = run(MAIN, cache_cluster_id=f"{name}-001", cache_node_type="cache.t3.small")
    assert (refused["option"], name in refused["msg"]) == ("cache_cluster_id", True)
    assert run(MAIN, **group, num_cache_nodes=2)["option"] == "num_cache_nodes"
    converge(MAIN, **group, state="absent", skip_final_snapshot=True)
