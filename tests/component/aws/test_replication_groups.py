"""Replication groups on real engines: making them, reaching them, failing over, deleting them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def shop(aws: Any, open_group: str) -> dict[str, Any]:
    """Two nodes, TLS, a token."""
    return dict(
        aws.create(
            "shop",
            NumCacheClusters=2,
            AutomaticFailoverEnabled=True,
            MultiAZEnabled=True,
            TransitEncryptionEnabled=True,
            AuthToken=aws.token,
            SecurityGroupIds=[open_group],
        )
    )


@pytest.fixture(scope="module")
def plain(aws: Any, open_group: str) -> dict[str, Any]:
    """One node, no TLS, no token."""
    return dict(aws.create("plain", SecurityGroupIds=[open_group]))


def test_a_group_is_creating_without_endpoints_before_it_is_available(aws: Any) -> None:
    begun = aws.begin("Slow")
    assert begun["ReplicationGroupId"] == "slow"
    assert begun["Status"] == "creating"
    assert "NodeGroups" not in begun
    assert aws.wait("slow")["NodeGroups"][0]["PrimaryEndpoint"]["Port"] == 6379


def test_the_time_of_creating_can_be_changed_while_the_sandbox_runs(aws: Any, settings: Any) -> None:
    settings(creating_seconds=60)
    aws.begin("patient")
    assert aws.refusal("delete_replication_group", ReplicationGroupId="patient")[0] == "InvalidReplicationGroupState"


def test_a_client_with_token_and_verified_name_is_served(aws: Any, shop: dict[str, Any]) -> None:
    assert aws.ask(aws.primary(shop), "SET", "order", "1", tls=True, token=aws.token) == {"ok": True}
    assert aws.ask(aws.primary(shop), "GET", "order", tls=True, token=aws.token) == {"ok": "1"}


def test_the_certificate_is_for_names_and_not_for_addresses(aws: Any, shop: dict[str, Any]) -> None:
    address = aws.names()[aws.primary(shop)]
    assert "CERTIFICATE_VERIFY_FAILED" in aws.ask(address, "PING", tls=True, token=aws.token)["error"]


def test_a_client_without_tls_is_not_understood(aws: Any, shop: dict[str, Any]) -> None:
    assert "ConnectionError" in aws.ask(aws.primary(shop), "PING", token=aws.token)["error"]


@pytest.mark.parametrize("token", [None, "not-the-token-of-it"])
def test_a_missing_or_wrong_token_is_refused(aws: Any, shop: dict[str, Any], token: str | None) -> None:
    assert "AuthenticationError" in aws.ask(aws.primary(shop), "PING", tls=True, token=token)["error"]


def test_the_reader_endpoint_is_a_replica_that_follows(aws: Any, shop: dict[str, Any]) -> None:
    aws.write(aws.primary(shop), "SET", "followed", "yes", tls=True, token=aws.token)
    assert aws.ask(aws.reader(shop), "GET", "followed", tls=True, token=aws.token) == {"ok": "yes"}
    assert "ReadOnlyError" in aws.ask(aws.reader(shop), "SET", "x", "1", tls=True, token=aws.token)["error"]


def test_names_are_as_aws_makes_them(aws: Any, shop: dict[str, Any], plain: dict[str, Any]) -> None:
    zone = aws.primary(shop).split(".")[2]
    assert aws.primary(shop) == f"master.shop.{zone}.use1.cache.amazonaws.com"
    assert aws.reader(shop) == f"replica.shop.{zone}.use1.cache.amazonaws.com"
    assert aws.primary(plain) == f"plain.{zone}.ng.0001.use1.cache.amazonaws.com"
    assert aws.reader(plain) == f"plain-ro.{zone}.ng.0001.use1.cache.amazonaws.com"
    members = [m["ReadEndpoint"]["Address"] for m in shop["NodeGroups"][0]["NodeGroupMembers"]]
    assert members == [f"shop-00{n}.shop.{zone}.use1.cache.amazonaws.com" for n in (1, 2)]


@pytest.mark.parametrize(
    "command", [("CONFIG", "GET", "*"), ("DEBUG", "SLEEP", "0"), ("BGSAVE",), ("REPLICAOF", "a", "1")]
)
def test_commands_that_aws_takes_away_are_unknown(aws: Any, plain: dict[str, Any], command: tuple[str, ...]) -> None:
    assert "unknown command" in aws.ask(aws.primary(plain), *command)["error"]


@pytest.mark.parametrize("command", [("ACL", "SETUSER", "x"), ("CLUSTER", "RESET")])
def test_commands_that_are_taken_away_in_part_are_not_permitted(
    aws: Any, plain: dict[str, Any], command: tuple[str, ...]
) -> None:
    assert "NoPermissionError" in aws.ask(aws.primary(plain), *command)["error"]


def test_maxmemory_is_the_node_types_less_what_is_reserved(aws: Any, plain: dict[str, Any]) -> None:
    info = aws.ask(aws.primary(plain), "INFO", "memory")["ok"]
    assert info["maxmemory"] == 536870912 * 75 // 100
    assert info["maxmemory_policy"] == "volatile-lru"


def test_a_group_is_described_with_everything_it_was_made_with(aws: Any, open_group: str) -> None:
    group = aws.create(
        "whole",
        NumCacheClusters=2,
        AutomaticFailoverEnabled=True,
        PreferredCacheClusterAZs=["us-east-1c", "us-east-1a"],
        EngineVersion="7.0",
        CacheNodeType="cache.t3.small",
        Port=7000,
        SnapshotRetentionLimit=5,
        SnapshotWindow="03:00-04:00",
        PreferredMaintenanceWindow="Tue:06:30-Tue:07:30",
        AtRestEncryptionEnabled=True,
        AutoMinorVersionUpgrade=False,
        SecurityGroupIds=[open_group],
    )
    shown = {
        "AutomaticFailover": "enabled",
        "MultiAZ": "disabled",
        "CacheNodeType": "cache.t3.small",
        "SnapshotRetentionLimit": 5,
        "SnapshotWindow": "03:00-04:00",
        "AtRestEncryptionEnabled": True,
        "StorageEncryptionType": "sse-elasticache",
        "TransitEncryptionEnabled": False,
        "AuthTokenEnabled": False,
        "AutoMinorVersionUpgrade": False,
        "ClusterEnabled": False,
        "MemberClusters": ["whole-001", "whole-002"],
        "ARN": "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:whole",
    }
    assert {k: group[k] for k in shown} == shown
    assert "TransitEncryptionMode" not in group
    members = group["NodeGroups"][0]["NodeGroupMembers"]
    assert [m["PreferredAvailabilityZone"] for m in members] == ["us-east-1c", "us-east-1a"]
    node = aws.nodes("whole")[0]
    shown = {
        "EngineVersion": "7.0.7",
        "PreferredMaintenanceWindow": "tue:06:30-tue:07:30",
        "SecurityGroups": [{"SecurityGroupId": open_group, "Status": "active"}],
        "CacheSubnetGroupName": "default",
        "PreferredAvailabilityZone": "us-east-1c",
        "PendingModifiedValues": {},
    }
    assert {k: node[k] for k in shown} == shown
    assert node["CacheParameterGroup"]["CacheParameterGroupName"] == "default.redis7"
    assert node["CacheNodes"][0]["Endpoint"]["Port"] == 7000
    assert aws.ask(aws.primary(group), "PING", port=7000) == {"error": "TimeoutError: Timeout connecting to server"} | {
        "seconds": pytest.approx(0.6, abs=0.4)
    }


def test_without_a_security_group_a_group_wears_the_vpcs_default_one(aws: Any) -> None:
    aws.create("undressed")
    worn = aws.nodes("undressed")[0]["SecurityGroups"][0]["SecurityGroupId"]
    found = aws.ec2.describe_security_groups(GroupIds=[worn])["SecurityGroups"][0]
    assert found["GroupName"] == "default"


def test_nodes_are_shown_with_endpoints_only_where_they_are_asked_for(aws: Any, plain: dict[str, Any]) -> None:
    found = aws.elasticache.describe_cache_clusters(CacheClusterId="plain-001")["CacheClusters"][0]
    assert "CacheNodes" not in found


def test_a_failover_promotes_a_replica_moves_the_name_and_keeps_the_data(aws: Any, open_group: str) -> None:
    group = aws.create("falls", NumCacheClusters=2, AutomaticFailoverEnabled=True, SecurityGroupIds=[open_group])
    name, before = aws.primary(group), aws.names()
    aws.write(name, "SET", "kept", "yes")
    answer = aws.elasticache.test_failover(ReplicationGroupId="falls", NodeGroupId="0001")
    assert answer["ReplicationGroup"]["Status"] == "modifying"
    after = aws.wait("falls")
    assert aws.names()[name] == before[aws.reader(group)]
    roles = {m["CacheClusterId"]: m["CurrentRole"] for m in after["NodeGroups"][0]["NodeGroupMembers"]}
    assert roles == {"falls-001": "replica", "falls-002": "primary"}
    assert aws.ask(name, "GET", "kept") == {"ok": "yes"}
    assert aws.ask(name, "SET", "new", "yes") == {"ok": True}
    assert aws.replicas(name, 1)


def test_a_deleted_group_is_gone_with_its_names_and_engines(aws: Any, open_group: str) -> None:
    group = aws.create("gone", SecurityGroupIds=[open_group])
    address = aws.names()[aws.primary(group)]
    assert aws.ask(address, "PING") == {"ok": True}
    answer = aws.elasticache.delete_replication_group(ReplicationGroupId="gone")
    assert answer["ReplicationGroup"]["Status"] == "deleting"
    aws.elasticache.get_waiter("replication_group_deleted").wait(ReplicationGroupId="gone", WaiterConfig={"Delay": 1})
    assert not [name for name in aws.names() if "gone" in name]
    assert "TimeoutError" in aws.ask(address, "PING")["error"]


def test_a_final_snapshot_holds_the_data_for_a_new_group(aws: Any, open_group: str) -> None:
    group = aws.create("first", SecurityGroupIds=[open_group])
    aws.ask(aws.primary(group), "SET", "kept", "yes")
    aws.elasticache.delete_replication_group(ReplicationGroupId="first", FinalSnapshotIdentifier="last-of-first")
    aws.elasticache.get_waiter("replication_group_deleted").wait(ReplicationGroupId="first", WaiterConfig={"Delay": 1})
    second = aws.create("second", SnapshotName="last-of-first", SecurityGroupIds=[open_group])
    assert aws.ask(aws.primary(second), "GET", "kept") == {"ok": "yes"}


def test_groups_are_given_in_pages(aws: Any) -> None:
    client = aws.elasticache
    whole = client.describe_cache_parameters(CacheParameterGroupName="default.redis7")["Parameters"]
    pages = client.get_paginator("describe_cache_parameters").paginate(
        CacheParameterGroupName="default.redis7", PaginationConfig={"PageSize": 20}
    )
    assert [p for page in pages for p in page["Parameters"]] == whole
    assert len(whole) > 40
