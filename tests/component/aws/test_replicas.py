"""IncreaseReplicaCount and DecreaseReplicaCount."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def herd(aws: Any, open_group: str) -> dict[str, Any]:
    return dict(aws.create("herd", NumCacheClusters=2, AutomaticFailoverEnabled=True, SecurityGroupIds=[open_group]))


def test_replicas_come_and_go(aws: Any, herd: dict[str, Any]) -> None:
    aws.elasticache.increase_replica_count(ReplicationGroupId="herd", NewReplicaCount=3, ApplyImmediately=True)
    assert aws.wait("herd")["MemberClusters"] == ["herd-001", "herd-002", "herd-003", "herd-004"]
    assert aws.replicas(aws.primary(herd), 3)
    aws.elasticache.decrease_replica_count(
        ReplicationGroupId="herd", ReplicasToRemove=["herd-002"], ApplyImmediately=True
    )
    assert aws.wait("herd")["MemberClusters"] == ["herd-001", "herd-003", "herd-004"]
    aws.elasticache.decrease_replica_count(ReplicationGroupId="herd", NewReplicaCount=1, ApplyImmediately=True)
    assert aws.wait("herd")["MemberClusters"] == ["herd-001", "herd-003"]
    assert aws.replicas(aws.primary(herd), 1)
    assert not [name for name in aws.names() if name.startswith(("herd-002", "herd-004"))]


@pytest.mark.parametrize(
    ("operation", "options", "code"),
    [
        ("increase_replica_count", {"NewReplicaCount": 1}, "NoOperationFault"),
        ("decrease_replica_count", {"NewReplicaCount": 1}, "NoOperationFault"),
        ("increase_replica_count", {"NewReplicaCount": 6}, "InvalidParameterValue"),
        ("increase_replica_count", {"NewReplicaCount": 0}, "InvalidParameterValue"),
        ("increase_replica_count", {"NewReplicaCount": 2, "ApplyImmediately": False}, "InvalidParameterValue"),
        ("decrease_replica_count", {"NewReplicaCount": 0}, "InvalidParameterCombination"),
        ("decrease_replica_count", {"ReplicasToRemove": ["herd-001"]}, "InvalidParameterValue"),
        ("decrease_replica_count", {"ReplicasToRemove": ["herd-003"]}, "InvalidParameterCombination"),
    ],
)
def test_what_aws_refuses_about_replicas(
    aws: Any, herd: dict[str, Any], operation: str, options: dict[str, Any], code: str
) -> None:
    assert aws.refusal(operation, ReplicationGroupId="herd", **{"ApplyImmediately": True, **options})[0] == code


def test_another_primary_is_chosen_only_where_no_failover_chooses_it(aws: Any, open_group: str) -> None:
    group = aws.create("heirs", NumCacheClusters=2, AutomaticFailoverEnabled=True, SecurityGroupIds=[open_group])
    aws.ask(aws.primary(group), "SET", "kept", "yes")
    wanted = {"ReplicationGroupId": "heirs", "PrimaryClusterId": "heirs-002", "ApplyImmediately": True}
    assert aws.refusal("modify_replication_group", **wanted)[0] == "InvalidParameterCombination"
    aws.modify("heirs", AutomaticFailoverEnabled=False)
    assert aws.refusal("modify_replication_group", **{**wanted, "PrimaryClusterId": "heirs-009"})[0] == (
        "CacheClusterNotFound"
    )
    group = aws.modify("heirs", PrimaryClusterId="heirs-002")
    roles = {m["CacheClusterId"]: m["CurrentRole"] for m in group["NodeGroups"][0]["NodeGroupMembers"]}
    assert roles == {"heirs-001": "replica", "heirs-002": "primary"}
    assert aws.ask(aws.primary(group), "GET", "kept") == {"ok": "yes"}
    assert aws.replicas(aws.primary(group), 1)
