"""Clusters of MemoryDB against the local AWS: what is planned is what is done, and once done nothing is planned."""

from __future__ import annotations

import time
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import memorydb_cluster, memorydb_cluster_info

MAIN = memorydb_cluster.main
SMALL = {"node_type": "db.t4g.small", "acl_name": "open-access", "num_replicas_per_shard": 0}


@pytest.fixture
def name(aws):
    """A name of its own for each test, taken away afterwards."""
    made = f"t{uuid.uuid4().hex[:8]}"
    yield made
    client = aws.client("memorydb")
    clusters = client.describe_clusters()["Clusters"]
    if any(cluster["Name"] == made and cluster["Status"] == "available" for cluster in clusters):
        client.delete_cluster(ClusterName=made)


def actions(result):
    assert "msg" not in result, result["msg"]
    return [step["action"] for step in result["plan"]]


def test_check_mode_on_an_empty_account_tells_all_and_writes_nothing(aws, run, name):
    mark = aws.mark
    told = run(MAIN, check_mode=True, cluster_name=name, **{**SMALL, "acl_name": "users"}, security_group_ids=[""])
    assert actions(told) == ["CreateCluster"]
    assert (told["changed"], told["in_progress"], told["status"]) == (True, False, "absent")
    endpoint = told["endpoint"]
    assert (endpoint["state"], endpoint["protocol"], endpoint["tls"]) == ("after_apply", "redis-cluster", True)
    assert (endpoint["auth"], endpoint["databases"]) == ("rbac", 1)
    assert told["monthly_cost"]["usd"] is None and "unknown" in told["monthly_cost"]["note"]
    assert aws.writes_since(mark) == []


@pytest.mark.usefixtures("slow_creation")
def test_a_cluster_is_made_without_waiting_in_silence_and_a_second_run_changes_nothing(aws, run, converge, name):
    stated = {
        "cluster_name": name,
        **SMALL,
        "engine": "valkey",
        "engine_version": "7.2",
        "snapshot_retention_limit": 3,
        "snapshot_window": "03:00-04:00",
        "maintenance_window": "sun:05:00-sun:06:00",
        "tags": {"team": "kempian"},
    }
    planned = run(MAIN, check_mode=True, **stated)
    mark = aws.mark
    first = run(MAIN, **stated)
    assert first["in_progress"] and first["progress"] == f"{name}: creating"
    made = converge(MAIN, **stated)
    assert (first["plan"], first["diff"]) == (planned["plan"], planned["diff"])
    assert aws.writes_since(mark) == ["CreateCluster"]
    assert made["endpoint"]["address"].startswith(f"clustercfg.{name}.")
    mark = aws.mark
    assert not run(MAIN, **stated)["changed"]
    assert not run(MAIN, check_mode=True, **stated)["changed"]
    [told] = run(memorydb_cluster_info.main, cluster_name=name)["clusters"]
    assert {option: told[option] for option in stated if option != "tags"} == {
        option: value for option, value in stated.items() if option != "tags"
    }
    assert told["ours"] and told["tags"] == {"cache_migration:name": "shop-prod", "team": "kempian"}
    assert [member["name"] for member in told["members"]] == [f"{name}-0001-001"]
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_settings_of_a_cluster_are_changed_in_place_by_one_call(aws, run, converge, name):
    converge(MAIN, cluster_name=name, **SMALL)
    topic = "arn:aws:sns:us-east-1:123456789012:caches"
    changes = {"description": "another", "snapshot_retention_limit": 7, "sns_topic_arn": topic}
    planned = run(MAIN, check_mode=True, cluster_name=name, **changes)
    mark = aws.mark
    changed = converge(MAIN, cluster_name=name, **changes)
    assert changed["plan"] == planned["plan"]
    assert aws.writes_since(mark) == ["UpdateCluster"]
    assert not run(MAIN, cluster_name=name, **changes)["changed"]
    mark = aws.mark
    converge(MAIN, cluster_name=name, description="", sns_topic_arn="", snapshot_retention_limit=0)
    assert aws.writes_since(mark) == ["UpdateCluster"]
    [told] = run(memorydb_cluster_info.main, cluster_name=name)["clusters"]
    assert (told["description"], told["sns_topic_arn"], told["snapshot_retention_limit"]) == ("", "", 0)


@pytest.mark.long
def test_what_only_a_new_cluster_can_have_is_refused_before_anything_is_touched(aws, run, converge, name):
    converge(MAIN, cluster_name=name, **SMALL)
    mark = aws.mark
    refused = run(MAIN, cluster_name=name, tls_enabled=False, description="x")
    assert refused["option"] == "tls_enabled" and "a new cluster under another cluster_name" in refused["msg"]
    refused = run(MAIN, cluster_name=name, node_type="db.r6gd.xlarge")
    assert refused["option"] == "data_tiering"
    refused = run(MAIN, cluster_name=name, node_type="db.x9.huge")
    assert refused["option"] == "node_type" and "db.t4g.medium" in refused["msg"]
    assert aws.writes_since(mark) == []


def test_a_creation_that_failed_is_told_with_the_services_own_events_and_can_be_removed(settings, run, converge, name):
    settings(failing_creations=1)
    failed = converge(MAIN, cluster_name=name, **SMALL)
    assert failed["option"] == "state" and "could not be created" in failed["msg"]
    gone = converge(MAIN, cluster_name=name, state="absent", skip_final_snapshot=True)
    assert gone["status"] == "absent"


@pytest.mark.long
def test_a_cluster_of_others_is_neither_used_nor_deleted(aws, run, name):
    aws.client("memorydb").create_cluster(ClusterName=name, NodeType="db.t4g.small", ACLName="open-access")
    aws.client("memorydb").get_paginator("describe_clusters")
    while aws.client("memorydb").describe_clusters(ClusterName=name)["Clusters"][0]["Status"] != "available":
        time.sleep(0.1)
    mark = aws.mark
    assert run(MAIN, cluster_name=name)["option"] == "adopt"
    assert run(MAIN, cluster_name=name, state="absent", skip_final_snapshot=True)["option"] == "state"
    assert not run(MAIN, cluster_name=name, adopt=True, num_shards=1)["changed"]
    assert run(MAIN, cluster_name=name, adopt=True, num_shards=2)["option"] == "num_shards"
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_shards_replicas_and_the_engine_change_in_place_each_in_a_call_of_its_own(aws, run, converge, name):
    converge(MAIN, cluster_name=name, **SMALL)
    changes = {"num_shards": 2, "num_replicas_per_shard": 1, "node_type": "db.t4g.medium"}
    planned = run(MAIN, check_mode=True, cluster_name=name, **changes)
    mark = aws.mark
    changed = converge(MAIN, cluster_name=name, **changes)
    assert changed["plan"] == planned["plan"]
    assert aws.writes_since(mark) == ["UpdateCluster"] * 3
    assert not run(MAIN, cluster_name=name, **changes)["changed"]
    moved = converge(MAIN, cluster_name=name, engine="valkey", engine_version="7.2", num_shards=1)
    assert moved["endpoint"]["engine"] == "valkey"
    [told] = run(memorydb_cluster_info.main, cluster_name=name)["clusters"]
    assert (told["num_shards"], told["num_replicas_per_shard"], told["node_type"]) == (1, 1, "db.t4g.medium")
    assert told["parameter_group_name"] == "default.memorydb-valkey7"
    assert run(MAIN, cluster_name=name, engine="redis", engine_version="7.1")["option"] == "engine"
