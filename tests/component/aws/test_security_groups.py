"""Security groups as packet filters: who is not admitted meets a timeout."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="module")
def guarded(aws: Any) -> dict[str, Any]:
    group = aws.security_group("guarded")
    made = aws.create("guarded", SecurityGroupIds=[group])
    return {"name": aws.primary(made), "group": group}


def rule(source: dict[str, Any], low: int = 6379, high: int = 6379) -> list[dict[str, Any]]:
    return [{"IpProtocol": "tcp", "FromPort": low, "ToPort": high, **source}]


def test_a_missing_rule_is_a_timeout(aws: Any, guarded: dict[str, Any]) -> None:
    answer = aws.ask(guarded["name"], "PING")
    assert "TimeoutError" in answer["error"]
    assert answer["seconds"] > 0.5


def test_a_rule_admits_its_source_alone_and_ends_with_it(aws: Any, guarded: dict[str, Any]) -> None:
    permissions = rule({"IpRanges": [{"CidrIp": "172.31.1.1/32"}]})
    aws.ec2.authorize_security_group_ingress(GroupId=guarded["group"], IpPermissions=permissions)
    assert aws.ask(guarded["name"], "PING", source="172.31.1.1") == {"ok": True}
    assert "TimeoutError" in aws.ask(guarded["name"], "PING", source="172.31.1.2")["error"]
    aws.ec2.revoke_security_group_ingress(GroupId=guarded["group"], IpPermissions=permissions)
    assert "TimeoutError" in aws.ask(guarded["name"], "PING", source="172.31.1.1")["error"]


def test_an_established_connection_outlives_its_rule(aws: Any, guarded: dict[str, Any]) -> None:
    permissions = rule({"IpRanges": [{"CidrIp": "172.31.1.1/32"}]})
    aws.ec2.authorize_security_group_ingress(GroupId=guarded["group"], IpPermissions=permissions)
    assert aws.ask(guarded["name"], "PING", hold="established") == {"ok": True}
    aws.ec2.revoke_security_group_ingress(GroupId=guarded["group"], IpPermissions=permissions)
    assert aws.ask(guarded["name"], "PING", hold="established") == {"ok": True}
    assert "TimeoutError" in aws.ask(guarded["name"], "PING")["error"]


def test_a_group_as_source_admits_the_instances_that_wear_it(aws: Any, guarded: dict[str, Any]) -> None:
    app = aws.security_group("app")
    permissions = rule({"UserIdGroupPairs": [{"GroupId": app}]})
    aws.ec2.authorize_security_group_ingress(GroupId=guarded["group"], IpPermissions=permissions)
    assert "TimeoutError" in aws.ask(guarded["name"], "PING")["error"]
    subnet = next(s["SubnetId"] for s in aws.ec2.describe_subnets()["Subnets"] if s["CidrBlock"] == "172.31.0.0/20")
    aws.ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        PrivateIpAddress="172.31.1.1",
        SecurityGroupIds=[app],
    )
    assert aws.ask(guarded["name"], "PING", source="172.31.1.1") == {"ok": True}
    assert "TimeoutError" in aws.ask(guarded["name"], "PING", source="172.31.1.2")["error"]


def test_changing_a_groups_security_groups_changes_who_is_admitted(aws: Any, open_group: str) -> None:
    closed = aws.security_group("closed")
    made = aws.create("moves", SecurityGroupIds=[closed])
    assert "TimeoutError" in aws.ask(aws.primary(made), "PING")["error"]
    aws.modify("moves", SecurityGroupIds=[open_group], ApplyImmediately=False)
    assert aws.ask(aws.primary(made), "PING") == {"ok": True}
    assert aws.nodes("moves")[0]["SecurityGroups"][0]["SecurityGroupId"] == open_group
