"""Subnet groups, parameter groups, snapshots and tags."""

from __future__ import annotations

from typing import Any

import pytest

FAMILY = {"CacheParameterGroupFamily": "redis7", "Description": "d"}


@pytest.fixture(scope="module")
def subnets(aws: Any) -> dict[str, str]:
    return {s["AvailabilityZone"]: s["SubnetId"] for s in aws.ec2.describe_subnets()["Subnets"]}


def parameters(aws: Any, name: str, **options: Any) -> dict[str, str]:
    found = aws.elasticache.describe_cache_parameters(CacheParameterGroupName=name, **options)
    return {p["ParameterName"]: p.get("ParameterValue", "") for p in found["Parameters"]}


def set_parameters(aws: Any, name: str, **values: str) -> None:
    listed = [{"ParameterName": k.replace("_", "-"), "ParameterValue": v} for k, v in values.items()]
    aws.elasticache.modify_cache_parameter_group(CacheParameterGroupName=name, ParameterNameValues=listed)


# -- subnet groups -------------------------------------------------------------------------------------------------
def test_a_subnet_group_is_made_changed_used_and_deleted(aws: Any, subnets: dict[str, str]) -> None:
    client = aws.elasticache
    a, b = subnets["us-east-1a"], subnets["us-east-1b"]
    made = client.create_cache_subnet_group(
        CacheSubnetGroupName="Cache-Subnets", CacheSubnetGroupDescription="d", SubnetIds=[a]
    )["CacheSubnetGroup"]
    assert made["CacheSubnetGroupName"] == "cache-subnets"
    assert made["VpcId"] == aws.vpc
    assert made["ARN"] == "arn:aws:elasticache:us-east-1:123456789012:subnetgroup:cache-subnets"
    changed = client.modify_cache_subnet_group(
        CacheSubnetGroupName="cache-subnets", CacheSubnetGroupDescription="other", SubnetIds=[a, b]
    )["CacheSubnetGroup"]
    assert {s["SubnetIdentifier"] for s in changed["Subnets"]} == {a, b}
    aws.create(
        "in-subnets", CacheSubnetGroupName="cache-subnets", NumCacheClusters=1, PreferredCacheClusterAZs=["us-east-1b"]
    )
    name = {"CacheSubnetGroupName": "cache-subnets"}
    assert aws.refusal("delete_cache_subnet_group", **name)[0] == "CacheSubnetGroupInUse"
    assert aws.refusal("modify_cache_subnet_group", **name, SubnetIds=[a])[0] == "SubnetInUse"
    client.delete_replication_group(ReplicationGroupId="in-subnets")
    client.get_waiter("replication_group_deleted").wait(ReplicationGroupId="in-subnets", WaiterConfig={"Delay": 1})
    client.delete_cache_subnet_group(**name)
    assert aws.refusal("describe_cache_subnet_groups", **name)[0] == "CacheSubnetGroupNotFoundFault"


def test_a_subnet_group_of_subnets_that_are_not_there_is_refused(aws: Any) -> None:
    params = {"CacheSubnetGroupName": "nowhere", "CacheSubnetGroupDescription": "d", "SubnetIds": ["subnet-0"]}
    assert aws.refusal("create_cache_subnet_group", **params)[0] == "InvalidSubnet"


# -- parameter groups ----------------------------------------------------------------------------------------------
def test_a_parameter_reaches_running_engines_and_is_reset(aws: Any, open_group: str) -> None:
    aws.elasticache.create_cache_parameter_group(CacheParameterGroupName="tuned", **FAMILY)
    group = aws.create("tuned", CacheParameterGroupName="tuned", SecurityGroupIds=[open_group])
    set_parameters(aws, "tuned", maxmemory_policy="allkeys-lfu", reserved_memory_percent="50")
    memory = aws.ask(aws.primary(group), "INFO", "memory")["ok"]
    assert (memory["maxmemory_policy"], memory["maxmemory"]) == ("allkeys-lfu", 536870912 // 2)
    assert set(parameters(aws, "tuned", Source="user")) == {"maxmemory-policy", "reserved-memory-percent"}
    named = [{"ParameterName": "maxmemory-policy", "ParameterValue": ""}]
    aws.elasticache.reset_cache_parameter_group(CacheParameterGroupName="tuned", ParameterNameValues=named)
    assert aws.ask(aws.primary(group), "INFO", "memory")["ok"]["maxmemory_policy"] == "volatile-lru"
    aws.elasticache.reset_cache_parameter_group(CacheParameterGroupName="tuned", ResetAllParameters=True)
    assert parameters(aws, "tuned", Source="user") == {}
    code = aws.refusal("delete_cache_parameter_group", CacheParameterGroupName="tuned")[0]
    assert code == "InvalidCacheParameterGroupState"


def test_a_parameter_that_needs_a_reboot_is_pending(aws: Any, open_group: str) -> None:
    aws.elasticache.create_cache_parameter_group(CacheParameterGroupName="rebooted", **FAMILY)
    set_parameters(aws, "rebooted", databases="32")
    group = aws.create("rebooted", CacheParameterGroupName="rebooted", SecurityGroupIds=[open_group])
    assert aws.nodes("rebooted")[0]["CacheParameterGroup"]["ParameterApplyStatus"] == "in-sync"
    assert aws.ask(aws.primary(group), "SELECT", "31") == {"ok": True}
    set_parameters(aws, "rebooted", databases="64")
    assert aws.nodes("rebooted")[0]["CacheParameterGroup"]["ParameterApplyStatus"] == "pending-reboot"


def test_every_parameter_that_can_be_set_is_taken_by_the_engine(aws: Any, open_group: str) -> None:
    aws.elasticache.create_cache_parameter_group(CacheParameterGroupName="every", **FAMILY)
    aws.create("every", CacheParameterGroupName="every")
    found = aws.elasticache.describe_cache_parameters(CacheParameterGroupName="every")["Parameters"]
    settable = [p for p in found if p["IsModifiable"]]
    for first in range(0, len(settable), 20):
        listed = [
            {"ParameterName": p["ParameterName"], "ParameterValue": p.get("ParameterValue", "")}
            for p in settable[first : first + 20]
        ]
        aws.elasticache.modify_cache_parameter_group(CacheParameterGroupName="every", ParameterNameValues=listed)
    assert len(parameters(aws, "every", Source="user")) == len(settable)


@pytest.mark.parametrize(
    ("group", "values", "code"),
    [
        ("default.redis7", {"timeout": "5"}, "InvalidCacheParameterGroupState"),
        ("strict", {"no_such": "5"}, "InvalidParameterValue"),
        ("strict", {"timeout": "soon"}, "InvalidParameterValue"),
        ("strict", {"maxmemory_policy": "mine"}, "InvalidParameterValue"),
        ("strict", {"maxclients": "5"}, "InvalidParameterValue"),
        ("strict", {"activedefrag": "yes"}, "SandboxHasNoSuchParameter"),
    ],
)
def test_what_aws_refuses_about_parameters(aws: Any, group: str, values: dict[str, str], code: str) -> None:
    names = [
        g["CacheParameterGroupName"] for g in aws.elasticache.describe_cache_parameter_groups()["CacheParameterGroups"]
    ]
    if "strict" not in names:
        aws.elasticache.create_cache_parameter_group(CacheParameterGroupName="strict", **FAMILY)
    listed = [{"ParameterName": k.replace("_", "-"), "ParameterValue": v} for k, v in values.items()]
    refused = aws.refusal("modify_cache_parameter_group", CacheParameterGroupName=group, ParameterNameValues=listed)
    assert refused[0] == code


# -- snapshots -----------------------------------------------------------------------------------------------------
def test_a_snapshot_is_a_real_file_and_seeds_a_new_group(aws: Any, open_group: str, settings: Any) -> None:
    settings(modifying_seconds=1)
    group = aws.create("source", NumCacheClusters=2, SecurityGroupIds=[open_group])
    aws.write(aws.primary(group), "HSET", "cart", "apples", "3")
    begun = aws.elasticache.create_snapshot(CacheClusterId="source-002", SnapshotName="daily")["Snapshot"]
    assert begun["SnapshotStatus"] == "creating"
    assert aws.describe("source")["Status"] == "snapshotting"
    aws.wait("source")
    found = aws.elasticache.describe_snapshots(CacheClusterId="source-002")["Snapshots"]
    assert [(s["SnapshotName"], s["SnapshotStatus"], s["EngineVersion"]) for s in found] == [
        ("daily", "available", "7.1.0")
    ]
    assert (aws.state / "snapshots" / "daily-0001.rdb").read_bytes().startswith(b"REDIS")
    copy = aws.create("copy", SnapshotName="daily", SecurityGroupIds=[open_group])
    assert aws.ask(aws.primary(copy), "HGET", "cart", "apples") == {"ok": "3"}
    taken = aws.refusal("create_snapshot", CacheClusterId="source-002", SnapshotName="daily")[0]
    assert taken == "SnapshotAlreadyExistsFault"
    of_group = aws.refusal("create_snapshot", ReplicationGroupId="source", SnapshotName="other")
    assert of_group[0] == "InvalidParameterCombination" and "Please specify a cache cluster" in of_group[2]
    aws.elasticache.delete_snapshot(SnapshotName="daily")
    assert not (aws.state / "snapshots" / "daily-0001.rdb").exists()


# -- tags ----------------------------------------------------------------------------------------------------------
def listed(aws: Any, arn: str) -> dict[str, str]:
    return {t["Key"]: t["Value"] for t in aws.elasticache.list_tags_for_resource(ResourceName=arn)["TagList"]}


def test_tags_are_given_at_creation_added_and_taken_away(aws: Any, subnets: dict[str, str]) -> None:
    tags = [{"Key": "stage", "Value": "dev"}]
    made = [
        aws.create("tagged", Tags=tags)["ARN"],
        aws.elasticache.create_cache_parameter_group(CacheParameterGroupName="tagged", Tags=tags, **FAMILY)[
            "CacheParameterGroup"
        ]["ARN"],
        aws.elasticache.create_cache_subnet_group(
            CacheSubnetGroupName="tagged",
            CacheSubnetGroupDescription="d",
            SubnetIds=[subnets["us-east-1a"]],
            Tags=tags,
        )["CacheSubnetGroup"]["ARN"],
        aws.elasticache.create_snapshot(CacheClusterId="tagged-001", SnapshotName="tagged", Tags=tags)["Snapshot"][
            "ARN"
        ],
    ]
    aws.wait("tagged")
    for arn in made:
        assert listed(aws, arn) == {"stage": "dev"}, arn
        aws.elasticache.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "owner", "Value": "us"}])
        aws.elasticache.remove_tags_from_resource(ResourceName=arn, TagKeys=["stage"])
        assert listed(aws, arn) == {"owner": "us"}, arn
    assert listed(aws, aws.nodes("tagged")[0]["ARN"]) == {"owner": "us"}


def test_a_group_takes_no_tags_while_it_is_not_available(aws: Any, settings: Any) -> None:
    settings(creating_seconds=60)
    arn = aws.begin("untagged")["ARN"]
    tags = [{"Key": "a", "Value": "b"}]
    assert aws.refusal("add_tags_to_resource", ResourceName=arn, Tags=tags)[0] == "InvalidReplicationGroupState"
