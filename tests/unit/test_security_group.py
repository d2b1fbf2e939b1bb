"""The security group of a target: who is admitted, and whose rules are whose."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.security_group import (
    Wanted,
    plan_present,
    rule_description,
    shape,
)

RULES = [
    {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": "sg-1"}]},
    {"IpProtocol": "tcp", "FromPort": 6000, "ToPort": 7000, "IpRanges": [{"CidrIp": "10.0.1.7/32"}]},
    {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": "sg-2"}]},
    {"IpProtocol": "udp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": "sg-2"}]},
    {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-3"}]},
]
OURS = [{"Key": "cache_migration:name", "Value": "shop"}]
WANTED = Wanted("shop-cache", "shop", 6379, ("sg-1", "sg-2", "sg-3", "10.0.1.7/32", "10.0.1.8/32"))


def group(rules=(), tags=OURS):
    whole = {"GroupId": "sg-9", "GroupName": "shop-cache", "IpPermissions": list(rules), "IpPermissionsEgress": []}
    return shape({**whole, "Tags": tags})


def test_a_source_that_is_admitted_already_gets_no_rule_whoever_made_the_one_that_is_there():
    assert [step.reason for step in plan_present(group(RULES), WANTED).steps] == [
        "admit sg-2 to TCP port 6379",
        "admit 10.0.1.8/32 to TCP port 6379",
    ]
    assert len(plan_present(group(), WANTED).steps) == len(WANTED.sources)


def test_a_rule_admits_a_security_group_or_an_address_range_and_says_whose_it_is():
    [permission] = plan_present(group(), Wanted("x", "shop", 6379, ("sg-1",))).steps[0].parameters["IpPermissions"]
    assert permission["UserIdGroupPairs"] == [{"GroupId": "sg-1", "Description": rule_description("shop")}]
    [permission] = (
        plan_present(group(), Wanted("x", "shop", 6379, ("10.0.1.7/32",))).steps[0].parameters["IpPermissions"]
    )
    assert permission["IpRanges"] == [{"CidrIp": "10.0.1.7/32", "Description": rule_description("shop")}]


def test_a_group_that_is_not_there_is_made_with_its_rules():
    assert len(plan_present(None, WANTED).steps) == 1 + len(WANTED.sources)


def test_rules_of_a_group_of_others_are_not_ours_to_change():
    with pytest.raises(PlanRefused, match="migration_security_group_ids"):
        plan_present(group(tags=[]), WANTED)


def test_the_reader_of_a_target_may_have_a_port_of_its_own_which_each_source_is_admitted_to_as_well():
    both = Wanted("shop-cache", "shop", 6379, ("sg-1", "10.0.1.7/32"), reader_port=6380)
    assert [step.reason for step in plan_present(group(RULES), both).steps] == [
        "admit sg-1 to TCP port 6380",
    ]
    assert len(plan_present(group(), both).steps) == 4
