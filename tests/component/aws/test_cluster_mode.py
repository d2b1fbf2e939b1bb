"""Replication groups in cluster mode: real clusters behind them, their shards, and what AWS refuses about them."""

from __future__ import annotations

import json
from typing import Any

import pytest

TLS = {"TransitEncryptionEnabled": True}
TWO = {"NumNodeGroups": 2, "ReplicasPerNodeGroup": 1, "AutomaticFailoverEnabled": True}
MANY = 400


def way_in(group: dict[str, Any]) -> str:
    return str(group["ConfigurationEndpoint"]["Address"])


def slots(group: dict[str, Any]) -> dict[str, str]:
    return {shard["NodeGroupId"]: shard["Slots"] for shard in group["NodeGroups"]}


@pytest.fixture(scope="module")
def mesh(aws: Any, open_group: str) -> dict[str, Any]:
    """Two shards with a replica each, TLS, a token."""
    options = {**TLS, **TWO, "AuthToken": aws.token, "SecurityGroupIds": [open_group]}
    return dict(aws.create("mesh", **options))


def talk(aws: Any) -> dict[str, Any]:
    return {"cluster": True, "tls": True, "token": aws.token}


def test_a_group_of_two_shards_looks_as_at_aws(aws: Any, mesh: dict[str, Any]) -> None:
    assert (mesh["ClusterEnabled"], mesh["ClusterMode"], mesh["AutomaticFailover"]) == (True, "enabled", "enabled")
    assert mesh["MemberClusters"] == ["mesh-0001-001", "mesh-0001-002", "mesh-0002-001", "mesh-0002-002"]
    assert slots(mesh) == {"0001": "0-8191", "0002": "8192-16383"}
    assert way_in(mesh).startswith("clustercfg.mesh.")
    shard = mesh["NodeGroups"][0]
    assert not {"PrimaryEndpoint", "ReaderEndpoint"} & set(shard)
    assert not {"CurrentRole", "ReadEndpoint"} & set(shard["NodeGroupMembers"][0])
    node = aws.nodes("mesh")[0]
    assert node["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7.cluster.on"
    assert node["CacheNodes"][0]["Endpoint"]["Address"].startswith("mesh-0001-001.mesh.")


def test_a_client_that_follows_moved_reaches_every_node(aws: Any, mesh: dict[str, Any]) -> None:
    assert aws.ask(way_in(mesh), "far", fill=MANY, **talk(aws)) == {"ok": MANY}
    assert aws.ask(way_in(mesh), "far", count=MANY, **talk(aws)) == {"ok": MANY}


def test_a_plain_client_is_moved_away(aws: Any, mesh: dict[str, Any]) -> None:
    answers = [aws.ask(way_in(mesh), "SET", f"key{n}", "1", tls=True, token=aws.token) for n in range(8)]
    moved = [answer["error"] for answer in answers if "error" in answer]
    assert moved
    assert all(".mesh." in text for text in moved), moved


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["SELECT", "1"], "SELECT is not allowed in cluster mode"),
        (["CONFIG", "GET", "maxmemory"], "unknown command"),
        (["CLUSTER", "FORGET", "0" * 40], "permission"),
        (["CLUSTER", "SETSLOT", "1", "STABLE"], "permission"),
        (["CLUSTER", "RESET"], "permission"),
        (["MSET", "a", "1", "b", "2"], "hash to the same slot"),
    ],
)
def test_what_cluster_mode_does_not_have(aws: Any, mesh: dict[str, Any], command: list[str], words: str) -> None:
    answer = aws.ask(way_in(mesh), *command, tls=True, token=aws.token)
    assert words.lower() in answer["error"].lower() or "keys in request don't" in answer["error"].lower(), answer


def test_no_token_no_entry(aws: Any, mesh: dict[str, Any]) -> None:
    assert "AuthenticationError" in aws.ask(way_in(mesh), "PING", tls=True)["error"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"NumNodeGroups": 2, "AutomaticFailoverEnabled": False}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "AutomaticFailoverEnabled": None}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "ClusterMode": "disabled"}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "NumCacheClusters": 2}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "MultiAZEnabled": True}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 91}, "NodeGroupsPerReplicationGroupQuotaExceeded"),
        ({"NumNodeGroups": 40, "ReplicasPerNodeGroup": 2}, "NodeQuotaForClusterExceeded"),
        ({"NumNodeGroups": 2, "ReplicasPerNodeGroup": 6}, "InvalidParameterValue"),
        ({"ClusterMode": "compatible"}, "InvalidParameterCombination"),
        ({"ClusterMode": "enabled", "CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ({"NodeGroupConfiguration": [{"Slots": "0-5"}, {"Slots": "6-100"}]}, "InvalidParameterValue"),
        ({"NodeGroupConfiguration": [{"Slots": "0-9"}, {"Slots": "9-16383"}]}, "InvalidParameterValue"),
        ({"NodeGroupConfiguration": [{"PrimaryAvailabilityZone": "eu-west-1a"}]}, "InvalidParameterValue"),
        ({"NodeGroupConfiguration": [{"ReplicaCount": 1}], "NumNodeGroups": 2}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "DataTieringEnabled": True}, "InvalidParameterCombination"),
        ({"CacheNodeType": "cache.r6gd.xlarge"}, "InvalidParameterCombination"),
        ({"NumNodeGroups": 2, "Durability": "sync"}, "InvalidParameterCombination"),
        ({"NotificationTopicArn": "mine"}, "InvalidParameterValue"),
        ({"IpDiscovery": "ipv6"}, "InvalidParameterCombination"),
        ({"LogDeliveryConfigurations": [{"LogType": "slow-log"}]}, "InvalidParameterCombination"),
        ({"EngineVersion": "4.0.10", "CacheNodeType": "cache.t4g.small"}, "InvalidParameterCombination"),
        ({"EngineVersion": "3.2.10", **TLS}, "InvalidParameterCombination"),
        ({"SnapshotArns": ["arn:aws:s3:::nothing/there.rdb"]}, "InvalidParameterValue"),
        ({"SnapshotArns": ["there.rdb"]}, "InvalidParameterValue"),
    ],
    ids=lambda value: ",".join(map(str, value.items())) if isinstance(value, dict) else None,
)
def test_a_cluster_that_aws_would_not_make_is_refused(aws: Any, options: dict[str, Any], code: str) -> None:
    ground = {"ReplicationGroupDescription": "d", "CacheNodeType": "cache.t3.micro", "Engine": "redis"}
    clustered = {"AutomaticFailoverEnabled": True} if "NumNodeGroups" in options else {}
    params = {name: value for name, value in {**ground, **clustered, **options}.items() if value is not None}
    assert aws.refusal("create_replication_group", ReplicationGroupId="refused", **params)[0] == code


@pytest.mark.parametrize(
    ("operation", "options", "code"),
    [
        ("modify_replication_group", {"ClusterMode": "disabled"}, "InvalidParameterCombination"),
        ("modify_replication_group", {"AutomaticFailoverEnabled": False}, "InvalidParameterCombination"),
        ("modify_replication_group", {"SnapshottingClusterId": "mesh-0001-002"}, "InvalidParameterCombination"),
        ("modify_replication_group", {"PrimaryClusterId": "mesh-0001-002"}, "InvalidParameterCombination"),
        ("modify_replication_group", {"CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ("modify_replication_group", {"Durability": "sync"}, "InvalidParameterCombination"),
        ("modify_replication_group", {"CacheNodeType": "cache.r6gd.xlarge"}, "InvalidParameterCombination"),
        ("modify_replication_group_shard_configuration", {"NodeGroupCount": 2}, "InvalidParameterCombination"),
        ("modify_replication_group_shard_configuration", {"NodeGroupCount": 1}, "InvalidParameterCombination"),
        (
            "modify_replication_group_shard_configuration",
            {"NodeGroupCount": 1, "NodeGroupsToRemove": ["0009"]},
            "InvalidParameterValue",
        ),
        (
            "modify_replication_group_shard_configuration",
            {"NodeGroupCount": 3, "ApplyImmediately": False},
            "InvalidParameterValue",
        ),
        ("increase_replica_count", {"NewReplicaCount": 1}, "NoOperationFault"),
        (
            "increase_replica_count",
            {"ReplicaConfiguration": [{"NodeGroupId": "0009", "NewReplicaCount": 2}]},
            "InvalidParameterValue",
        ),
        ("decrease_replica_count", {"ReplicasToRemove": ["mesh-0001-001"]}, "InvalidParameterValue"),
        ("test_failover", {"NodeGroupId": "0009"}, "NodeGroupNotFoundFault"),
    ],
    ids=str,
)
def test_what_aws_refuses_of_a_cluster(
    aws: Any, mesh: dict[str, Any], operation: str, options: dict[str, Any], code: str
) -> None:
    more = {} if operation == "test_failover" else {"ApplyImmediately": True}
    assert aws.refusal(operation, ReplicationGroupId="mesh", **{**more, **options})[0] == code


@pytest.mark.long
def test_shards_come_and_go_with_their_keys(aws: Any, mesh: dict[str, Any]) -> None:
    aws.ask(way_in(mesh), "kept", fill=MANY, **talk(aws))
    shards = aws.elasticache.modify_replication_group_shard_configuration
    shards(ReplicationGroupId="mesh", NodeGroupCount=3, ApplyImmediately=True)
    group = aws.wait("mesh", seconds=120)
    assert list(slots(group)) == ["0001", "0002", "0003"]
    assert len(group["MemberClusters"]) == 6
    assert aws.ask(way_in(group), "kept", count=MANY, **talk(aws)) == {"ok": MANY}
    shards(ReplicationGroupId="mesh", NodeGroupCount=2, NodeGroupsToRemove=["0001"], ApplyImmediately=True)
    group = aws.wait("mesh", seconds=120)
    assert list(slots(group)) == ["0002", "0003"]
    assert aws.ask(way_in(group), "kept", count=MANY, **talk(aws)) == {"ok": MANY}
    assert not [name for name in aws.names() if name.startswith("mesh-0001")]


@pytest.mark.long
def test_a_shard_fails_over_and_nodes_are_replaced(aws: Any, open_group: str) -> None:
    group = aws.create("phoenix", **TLS, **TWO, SecurityGroupIds=[open_group])
    aws.ask(way_in(group), "kept", fill=MANY, cluster=True, tls=True)
    aws.elasticache.test_failover(ReplicationGroupId="phoenix", NodeGroupId="0002")
    group = aws.wait("phoenix", seconds=60)
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}
    group = aws.modify("phoenix", CacheNodeType="cache.t3.small", seconds=120)
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}
    aws.elasticache.increase_replica_count(
        ReplicationGroupId="phoenix",
        ReplicaConfiguration=[{"NodeGroupId": "0001", "NewReplicaCount": 2}],
        ApplyImmediately=True,
    )
    assert [len(shard["NodeGroupMembers"]) for shard in aws.wait("phoenix")["NodeGroups"]] == [3, 2]
    group = aws.modify("phoenix", Engine="valkey", EngineVersion="7.2", seconds=120)
    assert aws.ask(way_in(group), "INFO", "server", tls=True)["ok"]["server_name"] == "valkey"
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}
    group = aws.modify("phoenix", Engine="redis", EngineVersion="7.1", seconds=120)
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}


@pytest.mark.long
def test_a_snapshot_of_a_cluster_seeds_one_of_another_shape(aws: Any, open_group: str) -> None:
    group = aws.create("whole", **TWO, SecurityGroupIds=[open_group])
    aws.ask(way_in(group), "kept", fill=MANY, cluster=True)
    aws.elasticache.create_snapshot(ReplicationGroupId="whole", SnapshotName="of-whole")
    aws.wait("whole")
    found = aws.elasticache.describe_snapshots(SnapshotName="of-whole", ShowNodeGroupConfig=True)["Snapshots"][0]
    assert [one["NodeGroupConfiguration"]["Slots"] for one in found["NodeSnapshots"]] == ["0-8191", "8192-16383"]
    seeded = {"SnapshotName": "of-whole", "AutomaticFailoverEnabled": True, "SecurityGroupIds": [open_group]}
    three = aws.create("three", NumNodeGroups=3, seconds=120, **seeded)
    assert aws.ask(way_in(three), "kept", count=MANY, cluster=True) == {"ok": MANY}
    one = aws.create("one", ClusterMode="enabled", seconds=120, **seeded)
    assert len(one["NodeGroups"]) == 1
    assert aws.ask(way_in(one), "kept", count=MANY, cluster=True) == {"ok": MANY}
    plain = {"ReplicationGroupId": "plain", "ReplicationGroupDescription": "d", "CacheNodeType": "cache.t3.micro"}
    flat = aws.refusal("create_replication_group", SnapshotName="of-whole", ClusterMode="disabled", **plain)
    assert flat[0] == "InvalidParameterCombination"


@pytest.mark.long
def test_a_cluster_is_seeded_from_files_in_s3(aws: Any, open_group: str) -> None:
    """Of a group without cluster mode, whose one file has keys of every shard."""
    group = aws.create("flat", SecurityGroupIds=[open_group])
    aws.ask(aws.primary(group), "kept", fill=MANY)
    aws.elasticache.create_snapshot(CacheClusterId="flat-001", SnapshotName="of-flat")
    aws.wait("flat")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="seeds")
    s3.put_object(Bucket="seeds", Key="flat.rdb", Body=(aws.state / "snapshots" / "of-flat-0001.rdb").read_bytes())
    seeded = {"SnapshotArns": ["arn:aws:s3:::seeds/flat.rdb"], "SecurityGroupIds": [open_group]}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "us-east-1.elasticache-snapshot.amazonaws.com"},
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:GetBucketAcl"],
        "Resource": ["arn:aws:s3:::seeds", "arn:aws:s3:::seeds/*"],
    }
    s3.put_bucket_policy(Bucket="seeds", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    two = aws.create("two", NumNodeGroups=2, AutomaticFailoverEnabled=True, seconds=120, **seeded)
    assert slots(two) == {"0001": "0-8191", "0002": "8192-16383"}
    assert aws.ask(way_in(two), "kept", count=MANY, cluster=True) == {"ok": MANY}


@pytest.mark.long
def test_keys_of_another_database_do_not_come_into_a_cluster(aws: Any, open_group: str) -> None:
    group = aws.create("rooms", SecurityGroupIds=[open_group])
    held = {"hold": "another database"}
    aws.ask(aws.primary(group), "SELECT", "3", **held)
    aws.ask(aws.primary(group), "SET", "kept", "yes", **held)
    aws.elasticache.create_snapshot(CacheClusterId="rooms-001", SnapshotName="of-rooms")
    aws.wait("rooms")
    options = {"SnapshotName": "of-rooms", "AutomaticFailoverEnabled": True, "NumNodeGroups": 2}
    aws.begin("stuck", **options)
    aws.wait("stuck", "create-failed", seconds=60)


@pytest.mark.long
def test_cluster_mode_comes_in_two_steps_and_goes_back_from_the_first(aws: Any, open_group: str) -> None:
    group = aws.create("steps", NumCacheClusters=2, AutomaticFailoverEnabled=True, SecurityGroupIds=[open_group])
    aws.ask(aws.primary(group), "SET", "kept", "yes")
    assert aws.refusal("modify_replication_group", ReplicationGroupId="steps", ClusterMode="enabled")[0] == (
        "InvalidParameterCombination"
    )
    group = aws.modify("steps", ClusterMode="compatible", seconds=60)
    assert group["ClusterMode"] == "compatible"
    assert aws.ask(aws.primary(group), "GET", "kept") == {"ok": "yes"}
    assert aws.ask(way_in(group), "GET", "kept", cluster=True) == {"ok": "yes"}
    group = aws.modify("steps", ClusterMode="disabled", seconds=60)
    assert "ConfigurationEndpoint" not in group
    assert aws.ask(aws.primary(group), "GET", "kept") == {"ok": "yes"}
    assert aws.ask(aws.primary(group), "SELECT", "1") == {"ok": True}
    aws.modify("steps", ClusterMode="compatible", seconds=60)
    group = aws.modify("steps", ClusterMode="enabled", seconds=60)
    assert slots(group) == {"0001": "0-16383"}
    assert group["MemberClusters"] == ["steps-001", "steps-002"]
    assert aws.ask(way_in(group), "GET", "kept", cluster=True) == {"ok": "yes"}


@pytest.mark.long
def test_transit_encryption_of_a_cluster_changes_in_two_steps(aws: Any, open_group: str) -> None:
    group = aws.create("veil", **TWO, SecurityGroupIds=[open_group])
    plain = way_in(group)
    aws.ask(plain, "kept", fill=MANY, cluster=True)
    group = aws.modify("veil", TransitEncryptionEnabled=True, TransitEncryptionMode="preferred", seconds=60)
    assert aws.ask(plain, "kept", count=MANY, cluster=True) == {"ok": MANY}
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}
    group = aws.modify("veil", TransitEncryptionEnabled=True, TransitEncryptionMode="required", seconds=60)
    assert "error" in aws.ask(plain, "PING")
    assert aws.ask(way_in(group), "kept", count=MANY, cluster=True, tls=True) == {"ok": MANY}
