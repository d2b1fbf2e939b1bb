"""Cache clusters that are in no replication group: real memcached, auto discovery, and a lone node of Redis OSS."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.component.aws.conftest import LocalAws

NUMBERS = itertools.count(1)


class Cluster:
    """One of the local AWS, asked from the app host."""

    def __init__(self, aws: LocalAws, name: str) -> None:
        self.aws, self.name = aws, name

    def make(self, **options: Any) -> dict[str, Any]:
        wanted = {"Engine": "memcached", "CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1, **options}
        self.aws.elasticache.create_cache_cluster(CacheClusterId=self.name, **wanted)
        return self.available()

    def shown(self) -> dict[str, Any]:
        found = self.aws.elasticache.describe_cache_clusters(CacheClusterId=self.name, ShowCacheNodeInfo=True)
        return dict(found["CacheClusters"][0])

    def available(self) -> dict[str, Any]:
        self.aws.wait_until(lambda: self.shown()["CacheClusterStatus"] == "available", f"{self.name} is not available")
        return self.shown()

    def modify(self, **options: Any) -> dict[str, Any]:
        self.aws.elasticache.modify_cache_cluster(**{"CacheClusterId": self.name, "ApplyImmediately": True, **options})
        return self.available()

    def ask(self, command: str, node: int | None = None, **options: Any) -> str:
        """To the configuration endpoint, or a node by its place."""
        shown = self.shown()
        at = shown["ConfigurationEndpoint"] if node is None else shown["CacheNodes"][node]["Endpoint"]
        tls = shown["TransitEncryptionEnabled"]
        answer = self.aws.ask(at["Address"], memcached=command, port=at["Port"], tls=tls, **options)
        return str(answer.get("ok") or answer["error"])

    def told(self) -> tuple[int, list[str]]:
        """The version and the nodes that auto discovery tells."""
        _, version, nodes, *_ = self.ask("config get cluster\r\n").splitlines()
        return int(version), nodes.split()


@pytest.fixture
def cluster(aws: LocalAws) -> Iterator[Cluster]:
    name = f"pages-{next(NUMBERS)}"
    yield Cluster(aws, name)
    if any(c["CacheClusterId"] == name for c in aws.elasticache.describe_cache_clusters()["CacheClusters"]):
        aws.elasticache.delete_cache_cluster(CacheClusterId=name)


def test_a_client_finds_the_nodes_by_the_configuration_endpoint_and_each_keeps_its_own(
    aws: LocalAws, cluster: Cluster, open_group: str
) -> None:
    aws.admit(open_group, "172.31.0.0/16", port=11211)
    shown = cluster.make(NumCacheNodes=2, AZMode="cross-az", SecurityGroupIds=[open_group])
    assert shown["PreferredAvailabilityZone"] == "Multiple"
    assert ".cfg." in shown["ConfigurationEndpoint"]["Address"]
    version, nodes = cluster.told()
    assert version == 1
    assert [node.split("|")[0] for node in nodes] == [n["Endpoint"]["Address"] for n in shown["CacheNodes"]]
    assert cluster.ask("set a 0 0 5\r\nfirst\r\n", node=0) == "STORED\r\n"
    assert cluster.ask("get a\r\n", node=0) == "VALUE a 0 5\r\nfirst\r\nEND\r\n"
    assert cluster.ask("get a\r\n", node=1) == "END\r\n"


def test_data_that_looks_like_a_command_is_data(aws: LocalAws, cluster: Cluster, open_group: str) -> None:
    cluster.make(SecurityGroupIds=[open_group])
    data = "config get cluster\r\n"
    assert cluster.ask(f"set a 0 0 {len(data)}\r\n{data}\r\n") == "STORED\r\n"
    assert data in cluster.ask("get a\r\n", node=0)


@pytest.mark.long
def test_nodes_that_come_and_go_are_told_with_a_new_version(aws: LocalAws, cluster: Cluster, open_group: str) -> None:
    cluster.make(SecurityGroupIds=[open_group])
    assert cluster.told()[0] == 1
    shown = cluster.modify(NumCacheNodes=3)
    assert [node["CacheNodeId"] for node in shown["CacheNodes"]] == ["0001", "0002", "0003"]
    version, nodes = cluster.told()
    assert (version, len(nodes)) == (2, 3)
    shown = cluster.modify(NumCacheNodes=2, CacheNodeIdsToRemove=["0003"])
    assert cluster.told()[0] == 3
    assert len(shown["CacheNodes"]) == 2


def test_with_tls_both_the_configuration_endpoint_and_the_nodes_speak_nothing_else(
    aws: LocalAws, cluster: Cluster, open_group: str
) -> None:
    shown = cluster.make(SecurityGroupIds=[open_group], EngineVersion="1.6.12", TransitEncryptionEnabled=True)
    assert cluster.ask("set a 0 0 1\r\nb\r\n") == "STORED\r\n"
    assert "VALUE a" in cluster.ask("get a\r\n", node=0)
    assert len(cluster.told()[1]) == 1
    at = shown["CacheNodes"][0]["Endpoint"]
    assert "error" in aws.ask(at["Address"], memcached="version\r\n", port=at["Port"])


def test_who_is_not_admitted_meets_silence(aws: LocalAws, cluster: Cluster) -> None:
    closed = aws.security_group(f"closed-{cluster.name}")
    cluster.make(SecurityGroupIds=[closed])
    assert "timed out" in cluster.ask("version\r\n")
    assert "timed out" in cluster.ask("version\r\n", node=0)


def test_what_waits_for_the_window_shows_and_is_cancelled_by_the_number_that_runs(
    aws: LocalAws, cluster: Cluster
) -> None:
    cluster.make()
    shown = cluster.modify(NumCacheNodes=3, CacheNodeType="cache.t3.small", ApplyImmediately=False)
    assert shown["PendingModifiedValues"] == {"NumCacheNodes": 3, "CacheNodeType": "cache.t3.small"}
    refused = aws.refusal("modify_cache_cluster", CacheClusterId=cluster.name, NumCacheNodes=2)
    assert refused[0] == "InvalidParameterCombination"
    shown = cluster.modify(NumCacheNodes=1, ApplyImmediately=False)
    assert shown["PendingModifiedValues"] == {"CacheNodeType": "cache.t3.small"}
    assert cluster.name in aws.control("maintenance", {})["modified"]
    shown = cluster.available()
    assert (shown["CacheNodeType"], len(shown["CacheNodes"])) == ("cache.t3.small", 1)


@pytest.mark.long
def test_parameters_of_memcached_wait_for_a_reboot_which_empties_the_nodes(
    aws: LocalAws, cluster: Cluster, open_group: str
) -> None:
    name = f"p-{cluster.name}"
    aws.elasticache.create_cache_parameter_group(
        CacheParameterGroupName=name, CacheParameterGroupFamily="memcached1.6", Description="for a test"
    )
    cluster.make(SecurityGroupIds=[open_group], CacheParameterGroupName=name)
    value = {"ParameterName": "max_item_size", "ParameterValue": "2048"}
    aws.elasticache.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=[value])
    assert cluster.ask(f"set a 0 0 4000\r\n{'x' * 4000}\r\n") == "STORED\r\n"
    group = cluster.shown()["CacheParameterGroup"]
    assert (group["ParameterApplyStatus"], group["CacheNodeIdsToReboot"]) == ("pending-reboot", ["0001"])
    aws.elasticache.reboot_cache_cluster(CacheClusterId=cluster.name, CacheNodeIdsToReboot=["0001"])
    assert cluster.available()["CacheParameterGroup"]["ParameterApplyStatus"] == "in-sync"
    assert cluster.ask("get a\r\n") == "END\r\n"
    assert aws.refusal("delete_cache_parameter_group", CacheParameterGroupName=name)[0] == (
        "InvalidCacheParameterGroupState"
    )


@pytest.mark.long
def test_a_node_of_redis_by_itself_keeps_its_data_in_a_snapshot_that_another_is_made_of(
    aws: LocalAws, cluster: Cluster, open_group: str
) -> None:
    shown = cluster.make(Engine="redis", SecurityGroupIds=[open_group])
    assert "ConfigurationEndpoint" not in shown
    assert aws.ask(shown["CacheNodes"][0]["Endpoint"]["Address"], "SET", "a", "b") == {"ok": True}
    shown = cluster.modify(CacheNodeType="cache.t3.small")
    assert aws.ask(shown["CacheNodes"][0]["Endpoint"]["Address"], "GET", "a") == {"ok": "b"}
    aws.elasticache.delete_cache_cluster(CacheClusterId=cluster.name, FinalSnapshotIdentifier=f"last-{cluster.name}")
    found = aws.elasticache.describe_cache_clusters
    aws.wait_until(
        lambda: cluster.name not in [c["CacheClusterId"] for c in found()["CacheClusters"]], "it does not go away"
    )
    shown = cluster.make(Engine="redis", SecurityGroupIds=[open_group], SnapshotName=f"last-{cluster.name}")
    assert aws.ask(shown["CacheNodes"][0]["Endpoint"]["Address"], "GET", "a") == {"ok": "b"}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"EngineVersion": "1.6.6", "TransitEncryptionEnabled": True}, "InvalidParameterCombination"),
        ({"Engine": "redis", "TransitEncryptionEnabled": True}, "InvalidParameterCombination"),
        ({"Engine": "redis", "NumCacheNodes": 2}, "InvalidParameterCombination"),
        ({"Engine": "valkey"}, "InvalidParameterValue"),
        ({"EngineVersion": "1.6"}, "InvalidParameterCombination"),
        ({"AZMode": "cross-az"}, "InvalidParameterCombination"),
        ({"NumCacheNodes": 41}, "NodeQuotaForClusterExceeded"),
        ({"SnapshotRetentionLimit": 1}, "InvalidParameterCombination"),
        ({"CacheNodeType": "cache.x9.large"}, "InvalidParameterValue"),
        ({"CacheParameterGroupName": "default.redis7"}, "InvalidParameterCombination"),
        ({"CacheSubnetGroupName": "none"}, "CacheSubnetGroupNotFoundFault"),
        ({"NumCacheNodes": 2, "PreferredAvailabilityZones": ["us-east-1a"]}, "InvalidParameterValue"),
        ({"NotificationTopicArn": "arn:aws:sns:us-east-1:123456789012:none"}, "InvalidParameterValue"),
    ],
)
def test_what_aws_does_not_make_is_refused_by_its_code(aws: LocalAws, params: dict[str, Any], code: str) -> None:
    wanted = {"Engine": "memcached", "CacheNodeType": "cache.t3.micro", "NumCacheNodes": 1, **params}
    assert aws.refusal("create_cache_cluster", CacheClusterId="refused", **wanted)[0] == code


def test_what_aws_does_not_change_is_refused_by_its_code(aws: LocalAws, cluster: Cluster) -> None:
    cluster.make(NumCacheNodes=2, EngineVersion="1.6.12")

    def code(**params: Any) -> str:
        return str(aws.refusal("modify_cache_cluster", CacheClusterId=cluster.name, ApplyImmediately=True, **params)[0])

    assert code() == "InvalidParameterCombination"
    assert code(NumCacheNodes=1) == "InvalidParameterCombination"
    assert code(NumCacheNodes=1, CacheNodeIdsToRemove=["0009"]) == "InvalidParameterValue"
    assert code(EngineVersion="1.6.6") == "InvalidParameterCombination"
    assert code(NumCacheNodes=3, NewAvailabilityZones=["us-east-1a", "us-east-1b"]) == "InvalidParameterValue"
    assert aws.refusal("delete_cache_cluster", CacheClusterId="nobody")[:2] == ("CacheClusterNotFound", 404)
    final = {"CacheClusterId": cluster.name, "FinalSnapshotIdentifier": "last"}
    assert aws.refusal("delete_cache_cluster", **final)[0] == "SnapshotFeatureNotSupportedFault"
