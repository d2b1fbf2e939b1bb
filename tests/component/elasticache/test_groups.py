"""Subnet groups and parameter groups against the local AWS."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_parameter_group,
    elasticache_parameter_group_info,
    elasticache_subnet_group,
    elasticache_subnet_group_info,
)


@pytest.fixture(scope="session")
def subnets(aws):
    return sorted(item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"])[:2]


def test_a_subnet_group_is_made_once_changed_and_removed(aws, run, subnets):
    stated = {"cache_subnet_group_name": "nets", "subnet_ids": subnets, "tags": {"team": "kempian"}}
    made = run(elasticache_subnet_group.main, **stated)
    assert made["changed"] and made["cache_subnet_group"]["subnet_ids"] == subnets
    assert made["cache_subnet_group"]["tags"] == {"cache_migration:name": "shop-prod", "team": "kempian"}
    mark = aws.mark
    assert not run(elasticache_subnet_group.main, **stated)["changed"]
    assert aws.writes_since(mark) == []
    fewer = run(elasticache_subnet_group.main, cache_subnet_group_name="nets", subnet_ids=subnets[:1])
    assert fewer["changed"] and fewer["cache_subnet_group"]["subnet_ids"] == subnets[:1]
    assert run(elasticache_subnet_group.main, cache_subnet_group_name="nets", state="absent")["changed"]
    assert not run(elasticache_subnet_group.main, cache_subnet_group_name="nets", state="absent")["changed"]


def test_check_mode_tells_the_group_that_would_be_and_writes_nothing(aws, run, subnets):
    mark = aws.mark
    told = run(elasticache_subnet_group.main, check_mode=True, cache_subnet_group_name="planned", subnet_ids=subnets)
    assert told["changed"] and told["plan"][0]["action"] == "CreateCacheSubnetGroup"
    assert told["cache_subnet_group"]["subnet_ids"] == subnets
    assert aws.writes_since(mark) == []


def test_a_subnet_that_does_not_exist_is_told_by_the_option_to_change(run):
    failed = run(elasticache_subnet_group.main, cache_subnet_group_name="nowhere", subnet_ids=["subnet-00000000"])
    assert failed["failed"] and "subnet_ids" in failed["msg"]


def test_a_parameter_group_is_made_with_its_values_converged_purged_and_removed(aws, run):
    stated = {
        "cache_parameter_group_name": "tuned",
        "cache_parameter_group_family": "redis7",
        "parameters": {"maxmemory-policy": "allkeys-lru", "databases": 32},
    }
    made = run(elasticache_parameter_group.main, **stated)
    assert "msg" not in made, made
    assert [step["action"] for step in made["plan"]] == ["CreateCacheParameterGroup", "ModifyCacheParameterGroup"]
    assert made["cache_parameter_group"]["parameters"] == {"databases": "32", "maxmemory-policy": "allkeys-lru"}
    mark = aws.mark
    assert not run(elasticache_parameter_group.main, **stated)["changed"]
    less = {**stated, "parameters": {"databases": 32}}
    assert not run(elasticache_parameter_group.main, **less)["changed"]
    assert aws.writes_since(mark) == []
    purged = run(elasticache_parameter_group.main, **less, purge_parameters=True)
    assert purged["cache_parameter_group"]["parameters"] == {"databases": "32"}
    assert run(elasticache_parameter_group.main, cache_parameter_group_name="tuned", state="absent")["changed"]


def test_in_check_mode_a_parameter_that_the_family_has_not_is_refused_too(aws, run):
    mark = aws.mark
    refused = run(
        elasticache_parameter_group.main,
        check_mode=True,
        cache_parameter_group_name="planned",
        cache_parameter_group_family="redis7",
        parameters={"maxmemory_policy": "allkeys-lru"},
    )
    assert refused["failed"] and "maxmemory-policy" in refused["msg"] and refused["option"] == "parameters"
    assert aws.writes_since(mark) == []


def test_a_group_that_somebody_else_made_is_refused_used_and_left_alone(aws, run):
    aws.client("elasticache").create_cache_parameter_group(
        CacheParameterGroupName="theirs", CacheParameterGroupFamily="redis7", Description="theirs"
    )
    stated = {"cache_parameter_group_name": "theirs"}
    assert run(elasticache_parameter_group.main, **stated)["option"] == "adopt"
    assert not run(elasticache_parameter_group.main, **stated, adopt=True)["changed"]
    assert "never deleted" in run(elasticache_parameter_group.main, **stated, adopt=True, state="absent")["msg"]


def test_a_value_that_is_no_number_is_refused_before_anything_is_made(aws, run):
    mark = aws.mark
    stated = {"cache_parameter_group_name": "odd", "cache_parameter_group_family": "redis7"}
    refused = run(elasticache_parameter_group.main, **stated, parameters={"timeout": "abc"})
    assert refused["failed"] and refused["option"] == "parameters" and "timeout: 'abc'" in refused["msg"]
    assert aws.writes_since(mark) == []


def test_reserved_memory_that_is_dropped_fails_no_run_and_stays(aws, run):
    group = {"cache_parameter_group_name": "reserving", "cache_parameter_group_family": "redis7"}
    run(elasticache_parameter_group.main, **group, parameters={"reserved-memory": 0, "tcp-keepalive": 360})
    less = {**group, "parameters": {"tcp-keepalive": 360}, "purge_parameters": True}
    for _again in range(2):
        mark = aws.mark
        dropped = run(elasticache_parameter_group.main, **less)
        assert (dropped["changed"], aws.writes_since(mark)) == (False, [])
    run(elasticache_parameter_group.main, cache_parameter_group_name="reserving", state="absent")


def test_groups_are_told_by_name_or_all_of_the_region_and_none_where_there_is_none(run, subnets):
    run(elasticache_subnet_group.main, cache_subnet_group_name="told", subnet_ids=subnets)
    run(
        elasticache_parameter_group.main,
        cache_parameter_group_name="told",
        cache_parameter_group_family="redis7",
        parameters={"timeout": 300},
    )
    for kind, main in (
        ("subnet", elasticache_subnet_group_info.main),
        ("parameter", elasticache_parameter_group_info.main),
    ):
        option, key = f"cache_{kind}_group_name", f"cache_{kind}_groups"
        (one,) = run(main, **{option: "TOLD"})[key]
        assert (one[option], one["ours"]) == ("told", True)
        everything = run(main, migration_name=None)[key]
        assert {**one, "ours": None} in everything and len(everything) >= 1
        assert run(main, **{option: "nowhere"})[key] == []
    assert one["parameters"] == {"timeout": "300"}
    assert any(group["cache_parameter_group_name"] == "default.redis7" for group in everything)
    run(elasticache_subnet_group.main, cache_subnet_group_name="told", state="absent")
    run(elasticache_parameter_group.main, cache_parameter_group_name="told", state="absent")
