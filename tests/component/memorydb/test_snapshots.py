"""Snapshots of MemoryDB against the local AWS; and answers that are lost, and calls that AWS throttles."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    memorydb_cluster,
    memorydb_snapshot,
    memorydb_snapshot_info,
)

SMALL = {"node_type": "db.t4g.small", "acl_name": "open-access", "num_replicas_per_shard": 0}


@pytest.fixture
def name():
    return f"s{uuid.uuid4().hex[:8]}"


@pytest.fixture
def faults(aws):
    """Let calls to AWS fail as they are ordered to, for one test."""
    yield lambda *orders: aws.ask("faults", data=json.dumps(list(orders)).encode())
    aws.ask("faults", data=b"[]")


@pytest.fixture(scope="module")
def cluster(aws):
    """One for the tests of this file, made without the module."""
    name, client = f"c{uuid.uuid4().hex[:6]}", aws.client("memorydb")
    client.create_cluster(ClusterName=name, NodeType="db.t4g.small", ACLName="open-access", NumReplicasPerShard=0)
    while client.describe_clusters(ClusterName=name)["Clusters"][0]["Status"] != "available":
        time.sleep(0.1)
    return name


@pytest.mark.long
def test_a_snapshot_is_made_once_copied_exported_and_removed(aws, run, converge, cluster, name):
    stated = {"snapshot_name": name, "cluster_name": cluster, "tags": {"team": "kempian"}}
    planned = run(memorydb_snapshot.main, check_mode=True, **stated)
    mark = aws.mark
    made = converge(memorydb_snapshot.main, **stated)
    assert made["plan"] == planned["plan"]
    assert aws.writes_since(mark) == ["CreateSnapshot"]
    mark = aws.mark
    assert not run(memorydb_snapshot.main, **stated)["changed"]
    [told] = run(memorydb_snapshot_info.main, cluster_name=cluster)["snapshots"]
    assert (told["snapshot_name"], told["cluster_name"], told["ours"]) == (name, cluster, True)
    assert aws.writes_since(mark) == []
    bucket = f"exports-{name}"
    aws.client("s3").create_bucket(Bucket=bucket)
    copied = {"snapshot_name": f"{name}-copy", "source_snapshot_name": name, "target_bucket": bucket}
    mark = aws.mark
    exported = converge(memorydb_snapshot.main, **copied)
    assert exported["snapshot"]["exported"] == [f"{name}-copy-0001.rdb"]
    assert aws.writes_since(mark) == ["CopySnapshot", "CopySnapshot"]
    assert not run(memorydb_snapshot.main, **copied)["changed"]
    for gone in (name, f"{name}-copy"):
        assert converge(memorydb_snapshot.main, snapshot_name=gone, state="absent")["status"] == "absent"


def test_one_that_is_there_is_refused_where_it_is_of_another_cluster(aws, run, converge, cluster, name):
    converge(memorydb_snapshot.main, snapshot_name=name, cluster_name=cluster)
    mark = aws.mark
    assert run(memorydb_snapshot.main, snapshot_name=name, cluster_name="another")["option"] == "cluster_name"
    assert run(memorydb_snapshot.main, snapshot_name=f"{name}-new")["option"] == "cluster_name"
    assert run(memorydb_snapshot.main, snapshot_name="automatic.x")["option"] == "snapshot_name"
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_a_last_snapshot_is_kept_and_restored_from(aws, run, converge, name):
    converge(memorydb_cluster.main, cluster_name=name, **SMALL)
    gone = converge(memorydb_cluster.main, cluster_name=name, state="absent", final_snapshot_name=f"{name}-last")
    assert gone["status"] == "absent"
    back = {"cluster_name": f"{name}-back", **SMALL, "snapshot_name": f"{name}-last"}
    assert converge(memorydb_cluster.main, **back)["status"] == "available"
    mark = aws.mark
    assert not run(memorydb_cluster.main, **back)["changed"]
    assert run(memorydb_cluster.main, **{**back, "snapshot_name": "another"})["option"] == "snapshot_name"
    assert aws.writes_since(mark) == []
    converge(memorydb_cluster.main, cluster_name=f"{name}-back", state="absent", skip_final_snapshot=True)


@pytest.mark.long
@pytest.mark.parametrize("how", ["cut-after", "throttle"])
def test_a_creation_whose_answer_was_lost_or_that_was_throttled_is_made_once(aws, converge, faults, name, how):
    faults({"action": "CreateCluster", "how": how})
    made = converge(memorydb_cluster.main, cluster_name=name, **SMALL)
    assert made["status"] == "available"
    names = [one["Name"] for one in aws.client("memorydb").describe_clusters()["Clusters"]]
    assert names.count(name) == 1
    converge(memorydb_cluster.main, cluster_name=name, state="absent", skip_final_snapshot=True)
