"""EC2 instances whose user data is a service: what the instance does, the process does."""

from __future__ import annotations

from typing import Any

import pytest

ADDRESS = "172.31.3.1"


@pytest.fixture(scope="module")
def old_redis(aws: Any) -> str:
    folder = aws.state / "old"
    folder.mkdir()
    script = f"#!/bin/sh\ncd {folder} && exec redis-server --bind $PRIVATE_IP --protected-mode no --save 3600 1\n"
    subnet = next(s["SubnetId"] for s in aws.ec2.describe_subnets()["Subnets"] if s["CidrBlock"] == "172.31.0.0/20")
    made = aws.ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        PrivateIpAddress=ADDRESS,
        UserData=script,
        SecurityGroupIds=[aws.security_group("old", "172.31.1.0/24")],
    )
    return str(made["Instances"][0]["InstanceId"])


def until_served(aws: Any, *command: str) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for _ in range(100):
        answers = dict(aws.ask(ADDRESS, *command))
        if "ok" in answers:
            break
    return answers


def test_stopping_the_instance_stops_its_redis_and_starting_it_brings_the_data_back(aws: Any, old_redis: str) -> None:
    assert until_served(aws, "SET", "order", "paid") == {"ok": True}
    aws.ec2.stop_instances(InstanceIds=[old_redis])
    assert "TimeoutError" in aws.ask(ADDRESS, "PING")["error"]
    aws.ec2.start_instances(InstanceIds=[old_redis])
    assert until_served(aws, "GET", "order") == {"ok": "paid"}


def test_its_security_group_decides_who_reaches_it(aws: Any, old_redis: str) -> None:
    found = aws.ec2.describe_instances(InstanceIds=[old_redis])["Reservations"][0]["Instances"][0]
    group = found["SecurityGroups"][0]["GroupId"]
    rules = aws.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert until_served(aws, "PING") == {"ok": True}
    aws.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert "TimeoutError" in aws.ask(ADDRESS, "PING")["error"]
    aws.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    assert aws.ask(ADDRESS, "PING") == {"ok": True}


def test_an_instance_has_its_private_name(aws: Any, old_redis: str) -> None:
    assert until_served(aws, "PING") == {"ok": True}
    assert aws.names()["ip-172-31-3-1.ec2.internal"] == ADDRESS
