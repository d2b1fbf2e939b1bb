"""The local MemoryDB: real engines in cluster mode, users that are real, and what AWS refuses."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from redis.crc import key_slot

PASSWORD, OTHER = "a-password-of-sixteen", "another-of-sixteen"
MINE = {"tls": True, "user": "app", "token": PASSWORD}


class MemoryDB:
    def __init__(self, aws: Any, open_group: str) -> None:
        self.aws, self.client, self._open_group = aws, aws.client("memorydb"), open_group

    def create(self, **options: Any) -> dict[str, Any]:
        """A cluster that is available, and that the app host reaches."""
        name = f"c{uuid.uuid4().hex[:6]}"
        usual = {"NodeType": "db.t4g.small", "ACLName": "open-access", "NumReplicasPerShard": 0}
        usual["SecurityGroupIds"] = [self._open_group]
        self.client.create_cluster(ClusterName=name, **{**usual, **options})
        return self.wait(name)

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.client.describe_clusters(ClusterName=name, ShowShardDetails=True)["Clusters"][0])

    def wait(self, name: str) -> dict[str, Any]:
        self.aws.wait_until(lambda: self.describe(name)["Status"] == "available", f"{name} is not available", 60)
        return self.describe(name)

    def update(self, name: str, **options: Any) -> dict[str, Any]:
        self.client.update_cluster(ClusterName=name, **options)
        return self.wait(name)

    def delete(self, name: str, **options: Any) -> None:
        self.client.delete_cluster(ClusterName=name, **options)

        def is_gone() -> bool:
            return name not in [cluster["Name"] for cluster in self.client.describe_clusters()["Clusters"]]

        self.aws.wait_until(is_gone, f"{name} is not gone")

    def user(self, name: str, access: str = "on ~* &* +@all") -> None:
        mode = {"Type": "password", "Passwords": [PASSWORD]}
        self.client.create_user(UserName=name, AuthenticationMode=mode, AccessString=access)

    def acl(self, name: str, *users: str) -> None:
        self.client.create_acl(ACLName=name, UserNames=list(users))
        self.wait_for_acl(name)

    def wait_for_acl(self, name: str) -> None:
        def is_active() -> bool:
            return bool(self.client.describe_acls(ACLName=name)["ACLs"][0]["Status"] == "active")

        self.aws.wait_until(is_active, f"the ACL {name} is not active")

    def ask(self, cluster: dict[str, Any], key: str, *command: str, **options: Any) -> dict[str, Any]:
        """A command, to the primary that has the key's slot, as CLUSTER SLOTS tells it."""
        options = {"tls": True, **options}
        slots = self.aws.ask(cluster["ClusterEndpoint"]["Address"], "CLUSTER", "SLOTS", **options)
        if "error" in slots:
            return dict(slots)
        [host] = [primary[0] for low, high, primary, *_ in slots["ok"] if low <= key_slot(key.encode()) <= high]
        return dict(self.aws.ask(host, *command, **options))

    def refusal(self, operation: str, **params: Any) -> str:
        with pytest.raises(ClientError) as refused:
            getattr(self.client, operation)(**params)
        return str(refused.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def memorydb(aws: Any, open_group: str) -> MemoryDB:
    return MemoryDB(aws, open_group)


@pytest.fixture(scope="module")
def cluster(memorydb: MemoryDB) -> Iterator[dict[str, Any]]:
    """Two shards, open to whoever the security group lets in."""
    made = memorydb.create(NumShards=2)
    yield made
    memorydb.delete(made["Name"])


def test_a_cluster_speaks_tls_and_the_cluster_protocol_under_its_names(memorydb, cluster):
    address = cluster["ClusterEndpoint"]["Address"]
    assert address.startswith(f"clustercfg.{cluster['Name']}.") and address.endswith(".amazonaws.com")
    assert [shard["Slots"] for shard in cluster["Shards"]] == ["0-8191", "8192-16383"]
    assert cluster["Shards"][0]["Nodes"][0]["Name"] == f"{cluster['Name']}-0001-001"
    assert memorydb.ask(cluster, "one", "SET", "one", "1") == {"ok": True}
    assert memorydb.ask(cluster, "one", "GET", "one") == {"ok": "1"}
    hosts = [node["Endpoint"]["Address"] for shard in cluster["Shards"] for node in shard["Nodes"]]
    answers = [memorydb.aws.ask(host, "GET", "one", tls=True) for host in hosts]
    assert sorted("ok" in answer for answer in answers) == [False, True]
    assert any("MovedError" in answer.get("error", "") for answer in answers)
    assert "error" in memorydb.aws.ask(address, "PING")  # without TLS


def test_commands_that_aws_keeps_are_kept(memorydb, cluster):
    address = cluster["ClusterEndpoint"]["Address"]
    for command in (("CONFIG", "GET", "maxmemory"), ("DEBUG", "SLEEP", "0"), ("MODULE", "LIST")):
        assert "unknown command" in memorydb.aws.ask(address, *command, tls=True)["error"].lower()
    for command in (("ACL", "SETUSER", "x"), ("CLUSTER", "FORGET", "x"), ("CLUSTER", "ADDSLOTS", "1")):
        assert "noperm" in memorydb.aws.ask(address, *command, tls=True)["error"].lower()
    assert "error" in memorydb.aws.ask(address, "SELECT", "1", tls=True)


def test_a_cluster_whose_security_groups_let_nobody_in_is_not_reached(memorydb, cluster):
    closed = memorydb.aws.security_group(f"closed-{uuid.uuid4().hex[:6]}")
    after = memorydb.update(cluster["Name"], SecurityGroupIds=[closed])
    assert [group["SecurityGroupId"] for group in after["SecurityGroups"]] == [closed]
    assert "Timeout" in memorydb.aws.ask(after["ClusterEndpoint"]["Address"], "PING", tls=True)["error"]
    memorydb.update(cluster["Name"], SecurityGroupIds=[cluster["SecurityGroups"][0]["SecurityGroupId"]])
    assert memorydb.aws.ask(after["ClusterEndpoint"]["Address"], "PING", tls=True) == {"ok": True}


@pytest.mark.long
def test_users_of_the_acl_log_in_and_nobody_else(memorydb):
    memorydb.user("app")
    memorydb.user("reader", "on ~* +@read +cluster")
    memorydb.acl("shop", "app", "reader")
    made = memorydb.create(ACLName="shop")
    assert memorydb.ask(made, "k", "SET", "k", "v", **MINE) == {"ok": True}
    assert "noperm" in memorydb.ask(made, "k", "SET", "k", "v", **{**MINE, "user": "reader"})["error"].lower()
    assert memorydb.ask(made, "k", "GET", "k", **{**MINE, "user": "reader"}) == {"ok": "v"}
    assert "error" in memorydb.ask(made, "k", "GET", "k")
    assert "error" in memorydb.ask(made, "k", "GET", "k", **{**MINE, "token": OTHER})
    both = {"Type": "password", "Passwords": [PASSWORD, OTHER]}
    memorydb.client.update_user(UserName="app", AuthenticationMode=both)
    memorydb.wait_for_acl("shop")
    assert memorydb.ask(made, "k", "GET", "k", **{**MINE, "token": OTHER}) == {"ok": "v"}
    assert memorydb.client.describe_users(UserName="app")["Users"][0]["Authentication"]["PasswordCount"] == 2
    memorydb.client.update_acl(ACLName="shop", UserNamesToRemove=["reader"])
    memorydb.wait_for_acl("shop")
    assert "error" in memorydb.ask(made, "k", "GET", "k", **{**MINE, "user": "reader"})
    assert memorydb.refusal("delete_acl", ACLName="shop") == "InvalidACLStateFault"
    opened = memorydb.update(made["Name"], ACLName="open-access")
    assert opened["ACLName"] == "open-access"
    assert memorydb.ask(made, "k", "GET", "k") == {"ok": "v"}
    memorydb.delete(made["Name"])
    memorydb.client.delete_acl(ACLName="shop")


@pytest.mark.long
def test_data_stays_while_shards_and_replicas_come_and_go_and_is_restored_from_a_last_snapshot(memorydb):
    made = memorydb.create()
    name, keys = made["Name"], [f"key-{number}" for number in range(40)]
    for key in keys:
        assert memorydb.ask(made, key, "SET", key, key) == {"ok": True}
    wider = memorydb.update(name, ShardConfiguration={"ShardCount": 2})
    assert len(wider["Shards"]) == 2
    wider = memorydb.update(name, ReplicaConfiguration={"ReplicaCount": 1})
    assert [shard["NumberOfNodes"] for shard in wider["Shards"]] == [2, 2]
    memorydb.client.failover_shard(ClusterName=name, ShardName="0001")
    wider = memorydb.wait(name)
    assert [memorydb.ask(wider, key, "GET", key) for key in keys] == [{"ok": key} for key in keys]
    memorydb.delete(name, FinalSnapshotName=f"{name}-last")
    for shards in (2, 1):
        back = memorydb.create(SnapshotName=f"{name}-last", NumShards=shards)
        assert len(back["Shards"]) == shards
        assert [memorydb.ask(back, key, "GET", key) for key in keys] == [{"ok": key} for key in keys]
        memorydb.delete(back["Name"])


def test_parameters_and_settings_reach_the_engines(memorydb, cluster):
    client = memorydb.client
    client.create_parameter_group(ParameterGroupName="tuned", Family="memorydb_redis7")
    client.update_parameter_group(
        ParameterGroupName="tuned",
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}],
    )
    after = memorydb.update(cluster["Name"], ParameterGroupName="tuned")
    assert (after["ParameterGroupName"], after["ParameterGroupStatus"]) == ("tuned", "in-sync")
    info = memorydb.aws.ask(after["ClusterEndpoint"]["Address"], "INFO", "memory", tls=True)["ok"]
    assert (info["maxmemory_policy"], info["maxmemory"]) == ("allkeys-lru", 1471026299)
    assert memorydb.refusal("delete_parameter_group", ParameterGroupName="tuned") == "InvalidParameterGroupStateFault"
    memorydb.update(cluster["Name"], ParameterGroupName="default.memorydb-redis7")
    client.delete_parameter_group(ParameterGroupName="tuned")


ARN, AWS_OWN = "arn:aws:memorydb:us-east-1:123456789012:", "default.memorydb-redis7"
NEW = {"ClusterName": "new", "NodeType": "db.t4g.small", "ACLName": "open-access"}
VALUE, COMBINATION = "InvalidParameterValueException", "InvalidParameterCombinationException"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ClusterName": "1new"}, VALUE),
        ({"NodeType": "db.t4g.micro"}, VALUE),
        ({"NodeType": "db.r6gd.xlarge"}, COMBINATION),
        ({"DataTiering": True}, COMBINATION),
        ({"ACLName": "nobody"}, "ACLNotFoundFault"),
        ({"EngineVersion": "5.0"}, VALUE),
        ({"Engine": "valkey", "ParameterGroupName": "default.memorydb-redis7"}, COMBINATION),
        ({"ParameterGroupName": "none"}, "ParameterGroupNotFoundFault"),
        ({"SubnetGroupName": "none"}, "SubnetGroupNotFoundFault"),
        ({"SecurityGroupIds": ["sg-00000000"]}, VALUE),
        ({"NumReplicasPerShard": 6}, VALUE),
        ({"NumShards": 0}, VALUE),
        ({"NumShards": 40, "NumReplicasPerShard": 5}, "NodeQuotaForClusterExceededFault"),
        ({"SnapshotRetentionLimit": 36}, VALUE),
        ({"SnapshotWindow": "05:00-06:00", "MaintenanceWindow": "sun:05:00-sun:06:00"}, VALUE),
        ({"SnapshotName": "none"}, "SnapshotNotFoundFault"),
        ({"KmsKeyId": "none"}, "InvalidKMSKeyFault"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, VALUE),
        ({"NetworkType": "ipv6"}, "SandboxHasNoSuchParameter"),
        ({"MultiRegionClusterName": "x"}, "SandboxHasNoSuchParameter"),
    ],
)
def test_a_cluster_that_aws_would_not_make_is_refused_by_its_code(memorydb, change, code):
    assert memorydb.refusal("create_cluster", **{**NEW, **change}) == code


@functools.cache
def changes() -> list[tuple[dict[str, Any], str]]:
    return [
        ({}, COMBINATION),
        ({"SecurityGroupIds": []}, COMBINATION),
        ({"ShardConfiguration": {"ShardCount": 2}}, "NoOperationFault"),
        ({"ReplicaConfiguration": {"ReplicaCount": 0}}, "NoOperationFault"),
        ({"ReplicaConfiguration": {"ReplicaCount": 6}}, VALUE),
        ({"EngineVersion": "6.2"}, COMBINATION),
        ({"Engine": "valkey"}, COMBINATION),
        ({"NodeType": "db.r6gd.xlarge"}, COMBINATION),
        ({"ACLName": "nobody"}, "ACLNotFoundFault"),
        ({"SnsTopicArn": "caches"}, VALUE),
        ({"ClusterName": "nobody"}, "ClusterNotFoundFault"),
    ]


@pytest.mark.parametrize(("change", "code"), changes())
def test_a_change_that_aws_would_not_make_is_refused_by_its_code(memorydb, cluster, change, code):
    assert memorydb.refusal("update_cluster", **{"ClusterName": cluster["Name"], **change}) == code


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("create_user", {"UserName": "u", "AccessString": "on >secret ~*"}, VALUE),
        ("create_user", {"UserName": "u", "AccessString": "on +nonsense"}, VALUE),
        ("create_user", {"UserName": "default"}, "UserAlreadyExistsFault"),
        ("create_user", {"UserName": "u", "AuthenticationMode": {"Type": "password"}}, VALUE),
        ("update_user", {"UserName": "default", "AccessString": "off"}, VALUE),
        ("delete_user", {"UserName": "default"}, VALUE),
        ("delete_user", {"UserName": "nobody"}, "UserNotFoundFault"),
        ("create_acl", {"ACLName": "a", "UserNames": ["nobody"]}, "UserNotFoundFault"),
        ("create_acl", {"ACLName": "a", "UserNames": ["default", "default"]}, "DuplicateUserNameFault"),
        ("create_acl", {"ACLName": "open-access"}, "ACLAlreadyExistsFault"),
        ("update_acl", {"ACLName": "open-access", "UserNamesToAdd": ["default"]}, VALUE),
        ("delete_acl", {"ACLName": "open-access"}, VALUE),
        (
            "delete_parameter_group",
            {"ParameterGroupName": "default.memorydb-redis7"},
            "InvalidParameterGroupStateFault",
        ),
        ("delete_subnet_group", {"SubnetGroupName": "default"}, "SubnetGroupInUseFault"),
        (
            "list_tags",
            {"ResourceArn": "arn:aws:memorydb:us-east-1:123456789012:cluster/nobody"},
            "ClusterNotFoundFault",
        ),
        ("list_tags", {"ResourceArn": "nonsense"}, "InvalidARNFault"),
        (
            "create_multi_region_cluster",
            {"MultiRegionClusterNameSuffix": "x", "NodeType": "db.r7g.xlarge"},
            "SandboxHasNoSuchOperation",
        ),
    ],
)
def test_what_aws_refuses_of_the_rest_is_refused_by_its_code(
    memorydb: MemoryDB, cluster: dict[str, Any], operation: str, params: dict[str, Any], code: str
):
    if operation == "create_user":
        mode = {"Type": "password", "Passwords": [PASSWORD]}
        params = {"AuthenticationMode": mode, "AccessString": "on ~* +@all", **params}
    assert memorydb.refusal(operation, **params) == code


def test_one_that_is_being_made_takes_no_change(memorydb, settings: Callable[..., Any]):
    settings(creating_seconds=3)
    name = f"c{uuid.uuid4().hex[:6]}"
    memorydb.client.create_cluster(**{**NEW, "ClusterName": name})
    assert memorydb.describe(name)["ClusterEndpoint"] == {"Port": 6379}
    assert memorydb.refusal("update_cluster", ClusterName=name, Description="x") == "InvalidClusterStateFault"
    assert memorydb.refusal("delete_cluster", ClusterName=name) == "InvalidClusterStateFault"
    arn = memorydb.describe(name)["ARN"]
    assert memorydb.refusal("list_tags", ResourceArn=arn) == "InvalidClusterStateFault"
    memorydb.wait(name)
    memorydb.delete(name)
