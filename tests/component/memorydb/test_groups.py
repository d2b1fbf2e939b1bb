"""Subnet groups and parameter groups of MemoryDB against the local AWS."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    memorydb_parameter_group,
    memorydb_parameter_group_info,
    memorydb_subnet_group,
    memorydb_subnet_group_info,
)


@pytest.fixture(scope="session")
def subnets(aws):
    return sorted(item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"])[:2]


def test_a_subnet_group_is_made_once_told_changed_and_removed(aws, run, subnets):
    stated = {"subnet_group_name": "nets", "subnet_ids": subnets, "tags": {"team": "kempian"}}
    planned = run(memorydb_subnet_group.main, check_mode=True, **stated)
    mark = aws.mark
    made = run(memorydb_subnet_group.main, **stated)
    assert made["changed"] and made["plan"] == planned["plan"]
    assert made["subnet_group"]["subnet_ids"] == subnets
    assert aws.writes_since(mark) == ["CreateSubnetGroup"]
    mark = aws.mark
    assert not run(memorydb_subnet_group.main, **stated)["changed"]
    [told] = run(memorydb_subnet_group_info.main, subnet_group_name="nets")["subnet_groups"]
    assert told == {**made["subnet_group"], "ours": True}
    assert aws.writes_since(mark) == []
    fewer = {"subnet_group_name": "nets", "subnet_ids": subnets[:1], "tags": {}, "purge_tags": True}
    changed = run(memorydb_subnet_group.main, **fewer)
    assert changed["subnet_group"]["subnet_ids"] == subnets[:1]
    assert changed["subnet_group"]["tags"] == {"cache_migration:name": "shop-prod"}
    assert run(memorydb_subnet_group.main, subnet_group_name="nets", state="absent")["changed"]
    assert not run(memorydb_subnet_group.main, subnet_group_name="nets", state="absent")["changed"]


def test_a_subnet_that_does_not_exist_is_told_by_the_option_to_change(run):
    failed = run(memorydb_subnet_group.main, subnet_group_name="nowhere", subnet_ids=["subnet-00000000"])
    assert failed["failed"] and "subnet_ids" in failed["msg"]


def test_a_parameter_group_is_made_with_its_values_converged_purged_and_removed(aws, run):
    stated = {
        "parameter_group_name": "tuned",
        "family": "memorydb_valkey7",
        "parameters": {"maxmemory-policy": "allkeys-lru", "timeout": 20},
    }
    made = run(memorydb_parameter_group.main, **stated)
    assert "msg" not in made, made
    assert [step["action"] for step in made["plan"]] == ["CreateParameterGroup", "UpdateParameterGroup"]
    assert made["parameter_group"]["parameters"] == {"maxmemory-policy": "allkeys-lru", "timeout": "20"}
    mark = aws.mark
    assert not run(memorydb_parameter_group.main, **stated)["changed"]
    less = {**stated, "parameters": {"timeout": 20}}
    assert not run(memorydb_parameter_group.main, **less)["changed"]
    assert aws.writes_since(mark) == []
    purged = run(memorydb_parameter_group.main, **less, purge_parameters=True)
    assert [step["action"] for step in purged["plan"]] == ["ResetParameterGroup"]
    assert purged["parameter_group"]["parameters"] == {"timeout": "20"}
    told = run(memorydb_parameter_group_info.main)["parameter_groups"]
    assert {group["parameter_group_name"]: group["ours"] for group in told if group["ours"]} == {"tuned": True}
    assert run(memorydb_parameter_group.main, parameter_group_name="tuned", state="absent")["changed"]


def test_the_family_is_that_of_the_version_where_the_engine_is_stated(run):
    stated = {"parameter_group_name": "planned", "engine": "redis", "engine_version": "6.2"}
    told = run(memorydb_parameter_group.main, check_mode=True, **stated)
    assert told["parameter_group"]["family"] == "memorydb_redis6"
    refused = run(memorydb_parameter_group.main, check_mode=True, **{**stated, "engine_version": "5.0"})
    assert refused["option"] == "engine_version"


@pytest.mark.parametrize(
    ("stated", "option"),
    [
        ({"family": "redis7"}, "family"),
        ({"family": "memorydb_redis7", "parameters": {"databases": 32}}, "parameters"),
        ({"family": "memorydb_redis7", "parameters": {"maxmemory-policy": "oldest"}}, "parameters"),
        ({"parameter_group_name": "default.memorydb-redis7"}, "parameter_group_name"),
    ],
)
def test_what_aws_would_refuse_of_a_parameter_group_is_refused_before_any_call_that_writes(aws, run, stated, option):
    mark = aws.mark
    assert run(memorydb_parameter_group.main, **{"parameter_group_name": "bad", **stated})["option"] == option
    assert aws.writes_since(mark) == []
