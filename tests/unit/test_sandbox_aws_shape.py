"""How the local AWS makes shards of what a call says, and what it refuses of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws import slots
from sandbox.aws.elasticache import features, shape
from sandbox.aws.elasticache.catalogue import DISABLED, ENABLED, find_version
from sandbox.aws.wire import Refusal

ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]
VALKEY_9 = find_version("valkey", "9.0")
REDIS_7 = find_version("redis", "7.1")


def code_of(act: Any, *arguments: Any) -> str:
    with pytest.raises(Refusal) as refused:
        act(*arguments)
    return refused.value.code


@given(st.integers(1, 30), st.integers(0, 2))
def test_shards_have_all_slots_and_their_nodes_lie_in_different_zones(count: int, replicas: int) -> None:
    params = {"NumNodeGroups": count, "ReplicasPerNodeGroup": replicas}
    found = shape.node_groups(params, ENABLED, ZONES)
    assert [group.id for group in found] == [f"{number:04}" for number in range(1, count + 1)]
    assert sorted(s for group in found for s in slots.of_text(group.slots)) == list(range(slots.SLOTS))
    assert all(len(set(group.zones)) == replicas + 1 for group in found)


def test_stated_shards_are_as_stated() -> None:
    stated = [
        {"NodeGroupId": "2", "Slots": "8192-16383", "PrimaryAvailabilityZone": "us-east-1b"},
        {"NodeGroupId": "1", "Slots": "0-8191", "ReplicaCount": 1, "ReplicaAvailabilityZones": ["us-east-1c"]},
    ]
    first, second = shape.node_groups({"NodeGroupConfiguration": stated}, ENABLED, ZONES)
    assert (first.id, first.slots, first.zones[1]) == ("0001", "0-8191", "us-east-1c")
    assert (second.id, second.slots, second.zones) == ("0002", "8192-16383", ("us-east-1b",))


def test_several_shards_ask_for_cluster_mode_and_its_parameter_group() -> None:
    assert REDIS_7
    asked = shape.cluster_mode({"NumNodeGroups": 2})
    assert (asked, shape.default_parameter_group(asked, REDIS_7)) == (ENABLED, "default.redis7.cluster.on")
    assert shape.default_parameter_group(shape.cluster_mode({}), REDIS_7) == "default.redis7"
    assert code_of(shape.node_groups, {"NumNodeGroups": 2}, DISABLED, ZONES) == "InvalidParameterCombination"


GROUND = features.Footing(VALKEY_9, "cache.r7g.large", ENABLED, True, 1, True, False)  # type: ignore[arg-type]


@pytest.mark.parametrize("asked", ["sync", "async"])
def test_durability_stands_on_all_of_its_conditions(asked: str) -> None:
    assert features.durability(asked, GROUND) == asked


@pytest.mark.parametrize(
    "lacking",
    [
        {"version": find_version("valkey", "8.2")},
        {"node_type": "cache.t4g.medium"},
        {"node_type": "cache.m5.large"},
        {"cluster_mode": DISABLED},
        {"multi_az": False},
        {"least_replicas": 0},
        {"tls": False},
        {"tiered": True},
    ],
    ids=str,
)
def test_durability_without_one_of_them_is_refused(lacking: dict[str, Any]) -> None:
    ground = features.Footing(**{**GROUND.__dict__, **lacking})
    assert code_of(features.durability, "sync", ground) == "InvalidParameterCombination"
    assert features.durability("disabled", ground) == ""


def delivery(**other: Any) -> dict[str, Any]:
    details = {"CloudWatchLogsDetails": {"LogGroup": "/cache"}}
    whole = {"DestinationType": "cloudwatch-logs", "DestinationDetails": details, "LogFormat": "json"}
    return {"LogType": "slow-log", **whole, **other}


def test_each_log_is_delivered_and_stopped_by_itself() -> None:
    assert REDIS_7
    both = features.logs_after({}, [delivery(), delivery(LogType="engine-log")], REDIS_7)
    assert sorted(both) == ["engine-log", "slow-log"]
    assert sorted(features.logs_after(both, [{"LogType": "slow-log", "Enabled": False}], REDIS_7)) == ["engine-log"]


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ([delivery(LogType="engine-log")], "6.0"),
        ([delivery()], "5.0.6"),
        ([delivery(DestinationType="kinesis-firehose")], "7.1"),
        ([delivery(DestinationDetails={})], "7.1"),
        ([delivery(), delivery()], "7.1"),
    ],
)
def test_a_delivery_that_aws_would_not_make_is_refused(asked: list[dict[str, Any]], label: str) -> None:
    assert code_of(features.logs_after, {}, asked, find_version("redis", label)) == "InvalidParameterCombination"
