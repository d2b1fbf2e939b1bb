"""Snapshots against the local AWS: made, copied, exported, deleted."""

from __future__ import annotations

import json

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_serverless_cache,
    elasticache_snapshot,
    elasticache_snapshot_info,
)

SERVICE = "us-east-1.elasticache-snapshot.amazonaws.com"
ACTIONS = [
    *("s3:GetBucketAcl", "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads"),
    *("s3:ListMultipartUploadParts", "s3:PutObject"),
]


@pytest.fixture(scope="session")
def group(aws):
    """A replication group without cluster mode, with a replica."""
    client = aws.client("elasticache")
    client.create_replication_group(
        ReplicationGroupId="kept",
        ReplicationGroupDescription="for snapshots",
        CacheNodeType="cache.t4g.micro",
        Engine="valkey",
        NumCacheClusters=2,
    )
    client.get_waiter("replication_group_available").wait(
        ReplicationGroupId="kept", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
    )
    return "kept"


@pytest.fixture
def snapshot(converge):
    return lambda name, **params: converge(elasticache_snapshot.main, snapshot_name=name, **params)


@pytest.fixture
def bucket(aws, request):
    """A bucket that admits ElastiCache."""
    name = f"kempian-{abs(hash(request.node.name)) % 10**8}"
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    resources = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": ACTIONS, "Resource": resources}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    return name


def test_a_snapshot_of_a_group_is_made_once_of_its_replica_tagged_and_removed(aws, snapshot, group):
    stated = {"replication_group_id": group, "tags": {"team": "kempian"}}
    mark = aws.mark
    told = snapshot("first", **stated, check_mode=True)
    assert told["changed"] and told["snapshot"]["replication_group_id"] == group and aws.writes_since(mark) == []
    made = snapshot("first", **stated)
    assert "msg" not in made, made
    assert made["plan"][0]["parameters"]["CacheClusterId"] == "kept-002"
    assert (made["status"], made["snapshot"]["engine"]) == ("available", "valkey")
    mark = aws.mark
    assert not snapshot("first", **stated)["changed"]
    assert aws.writes_since(mark) == []
    tagged = snapshot("first", tags={"team": "other"})
    assert tagged["changed"] and tagged["snapshot"]["tags"]["team"] == "other"
    assert snapshot("first", cache_cluster_id="kept-001")["option"] == "cache_cluster_id"
    assert snapshot("first", state="absent")["changed"]
    assert not snapshot("first", state="absent")["changed"]


def test_a_snapshot_is_copied_with_a_key_of_ones_own(aws, snapshot, group):
    key = aws.client("kms").create_key()["KeyMetadata"]["KeyId"]
    snapshot("original", cache_cluster_id="kept-001")
    copied = snapshot("copied", source_snapshot_name="original", kms_key_id=key)
    assert "msg" not in copied, copied
    assert [step["action"] for step in copied["plan"]] == ["CopySnapshot"]
    assert copied["snapshot"]["kms_key_id"] == key and copied["snapshot"]["cache_cluster_id"] == "kept-001"
    mark = aws.mark
    assert not snapshot("copied", source_snapshot_name="original", kms_key_id=key)["changed"]
    assert aws.writes_since(mark) == []
    assert snapshot("original", kms_key_id=key)["option"] == "kms_key_id"
    missing = snapshot("of-nothing", source_snapshot_name="never-made")
    assert missing["failed"] and "source_snapshot_name" in missing["msg"]


def test_a_snapshot_is_exported_once_to_a_bucket_that_admits_the_service(aws, snapshot, group, bucket):
    made = snapshot("outgoing", replication_group_id=group, target_bucket=bucket)
    assert "msg" not in made, made
    assert [step["action"] for step in made["plan"]] == ["CreateSnapshot", "CopySnapshot"]
    assert made["snapshot"]["exported"] == ["outgoing-0001.rdb"]
    s3 = aws.client("s3")
    assert s3.get_object(Bucket=bucket, Key="outgoing-0001.rdb")["Body"].read().startswith((b"REDIS", b"VALKEY"))
    mark = aws.mark
    assert not snapshot("outgoing", target_bucket=bucket)["changed"]
    assert aws.writes_since(mark) == []
    other = snapshot("outgoing", target_bucket=bucket, target_snapshot_name="for-others")
    assert other["changed"] and other["snapshot"]["exported"] == ["for-others-0001.rdb"]


def test_a_bucket_that_does_not_admit_the_service_is_told_by_its_option(aws, snapshot, group):
    aws.client("s3").create_bucket(Bucket="kempian-closed")
    snapshot("kept-in", replication_group_id=group)
    refused = snapshot("kept-in", target_bucket="kempian-closed")
    assert refused["failed"] and "target_bucket" in refused["msg"]


def test_somebody_elses_snapshot_is_refused_exported_and_never_deleted(aws, snapshot, group, bucket):
    client = aws.client("elasticache")
    client.create_snapshot(CacheClusterId="kept-002", SnapshotName="theirs")
    assert snapshot("theirs")["option"] == "adopt"
    adopted = snapshot("theirs", adopt=True, target_bucket=bucket, tags={"a": "b"})
    assert [step["action"] for step in adopted["plan"]] == ["CopySnapshot"]
    assert client.list_tags_for_resource(ResourceName=adopted["arn"])["TagList"] == []
    assert "never deleted" in snapshot("theirs", adopt=True, state="absent")["msg"]


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({}, "replication_group_id"),
        ({"replication_group_id": "kept", "source_snapshot_name": "x"}, "replication_group_id"),
        ({"serverless_cache_name": "kept"}, "serverless_cache_name"),
        ({"replication_group_id": "kept", "target_snapshot_name": "x"}, "target_snapshot_name"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(aws, snapshot, params, option):
    mark = aws.mark
    refused = snapshot("odd", **params)
    assert refused["failed"] and refused["option"] == option
    assert aws.writes_since(mark) == []


def test_the_info_module_tells_one_those_of_a_cache_and_all(run, snapshot, group):
    snapshot("told", cache_cluster_id="kept-001")
    (found,) = run(elasticache_snapshot_info.main, snapshot_name="Told")["snapshots"]
    assert found["ours"] and found["status"] == "available" and found["cache_cluster_id"] == "kept-001"
    assert found["create_time"]
    of_node = run(elasticache_snapshot_info.main, cache_cluster_id="kept-001")["snapshots"]
    assert "told" in [one["snapshot_name"] for one in of_node]
    assert run(elasticache_snapshot_info.main, snapshot_name="nothing")["snapshots"] == []


def test_a_serverless_cache_is_kept_copied_exported_and_told_as_a_kind_of_its_own(aws, run, converge, bucket):
    converge(elasticache_serverless_cache.main, serverless_cache_name="bare", engine="valkey")

    def snapshot(name, **params):
        return converge(elasticache_snapshot.main, serverless_cache_snapshot_name=name, **params)

    made = snapshot("of-bare", serverless_cache_name="bare", target_bucket=bucket)
    assert "msg" not in made, made
    assert [step["action"] for step in made["plan"]] == [
        "CreateServerlessCacheSnapshot",
        "ExportServerlessCacheSnapshot",
    ]
    assert made["snapshot"]["exported"] == ["of-bare-0001.rdb"] and made["snapshot"]["serverless_cache_name"] == "bare"
    mark = aws.mark
    assert not snapshot("of-bare", serverless_cache_name="bare", target_bucket=bucket)["changed"]
    assert aws.writes_since(mark) == []
    assert snapshot("copied-bare", source_serverless_cache_snapshot_name="of-bare")["changed"]
    found = run(elasticache_snapshot_info.main, serverless_cache_name="bare")["snapshots"]
    assert {one["serverless_cache_snapshot_name"] for one in found} == {"of-bare", "copied-bare"}
    for name in ("of-bare", "copied-bare"):
        assert snapshot(name, state="absent")["changed"]
