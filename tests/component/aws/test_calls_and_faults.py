"""The log of calls, and faults on order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError


@pytest.fixture
def faults(aws: Any) -> Iterator[Any]:
    yield lambda *orders: aws.control("faults", list(orders))
    aws.control("faults", [])


def test_every_call_is_logged_as_read_or_write_without_its_secrets(aws: Any) -> None:
    since = aws.control("calls")["next"]
    aws.client("ssm").put_parameter(Name="/a/b", Value="very-secret", Type="SecureString")
    aws.client("ssm").get_parameter(Name="/a/b", WithDecryption=True)
    aws.client("secretsmanager").create_secret(Name="s", SecretString="very-secret")
    aws.client("s3").create_bucket(Bucket="logged")
    aws.client("s3").list_objects_v2(Bucket="logged")
    with pytest.raises(ClientError):
        aws.describe("nobody")
    log = aws.control(f"calls?since={since}")
    calls = [c for c in log["calls"] if not c.get("internal")]
    assert [(c["service"], c["action"], c["access"], c["status"]) for c in calls] == [
        ("ssm", "PutParameter", "write", 200),
        ("ssm", "GetParameter", "read", 200),
        ("secretsmanager", "CreateSecret", "write", 200),
        ("s3", "CreateBucket", "write", 200),
        ("s3", "ListObjectsV2", "read", 200),
        ("elasticache", "DescribeReplicationGroups", "read", 404),
    ]
    assert calls[0]["request_summary"]["Name"] == "/a/b"
    assert calls[-1]["error"] == "ReplicationGroupNotFoundFault"
    assert calls[0]["client"] == "127.0.0.1"
    assert "very-secret" not in json.dumps(log)
    on_disk = [json.loads(line) for line in (aws.state / "calls.jsonl").read_text().splitlines()]
    assert on_disk[since : log["next"]] == log["calls"]


def test_objects_go_through_whole(aws: Any) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="whole")
    s3.put_object(Bucket="whole", Key="a/b", Body=b"x" * 1000)
    assert s3.head_object(Bucket="whole", Key="a/b")["ContentLength"] == 1000
    assert s3.get_object(Bucket="whole", Key="a/b")["Body"].read() == b"x" * 1000


def test_the_sandboxs_own_calls_are_marked(aws: Any) -> None:
    assert aws.vpc  # asked for once
    since = aws.control("calls")["next"]
    aws.security_group("marked", "10.0.0.0/8")
    calls = aws.control(f"calls?since={since}")["calls"]
    assert [c["action"] for c in calls if not c.get("internal")] == [
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
    ]
    assert any(c.get("internal") for c in calls)


@pytest.mark.parametrize(("how", "code"), [("throttle", "Throttling"), ("500", "InternalFailure")])
def test_the_nth_call_of_an_action_fails_as_ordered(aws: Any, faults: Any, how: str, code: str) -> None:
    faults({"action": "DescribeReplicationGroups", "nth": 2, "how": how})
    aws.elasticache.describe_replication_groups()
    assert aws.refusal("describe_replication_groups")[0] == code
    aws.elasticache.describe_replication_groups()


def test_a_client_that_retries_gets_over_a_throttled_call(aws: Any, faults: Any) -> None:
    faults({"action": "DescribeVpcs", "how": "throttle"})
    answer = aws.client("ec2", attempts=3).describe_vpcs()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1


@pytest.mark.parametrize(("how", "made"), [("cut-before", False), ("cut-after", True)])
def test_a_cut_call_gives_no_answer(aws: Any, faults: Any, how: str, made: bool) -> None:
    faults({"action": "CreateReplicationGroup", "how": how})
    with pytest.raises(ConnectionClosedError):
        aws.begin(how)
    groups = aws.elasticache.describe_replication_groups()["ReplicationGroups"]
    assert (how in [g["ReplicationGroupId"] for g in groups]) is made


def test_a_fault_may_be_for_the_calls_with_one_parameter_alone(aws: Any, faults: Any) -> None:
    faults({"action": "GetParameter", "naming": "/mine", "how": "500"})
    ssm = aws.client("ssm")
    assert code_of(lambda: ssm.get_parameter(Name="/other")) == "ParameterNotFound"
    assert code_of(lambda: ssm.get_parameter(Name="/mine")) == "InternalServerError"
    assert code_of(lambda: ssm.get_parameter(Name="/mine")) == "ParameterNotFound"


def test_a_fault_may_be_for_the_calls_of_one_service_alone(aws: Any, faults: Any) -> None:
    faults({"action": "ListTagsForResource", "service": "ssm", "how": "500"})
    arn = "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:none"
    assert code_of(lambda: aws.elasticache.list_tags_for_resource(ResourceName=arn)) != "InternalFailure"
    ssm = aws.client("ssm")
    ask = {"ResourceType": "Parameter", "ResourceId": "/mine"}
    assert code_of(lambda: ssm.list_tags_for_resource(**ask)) == "InternalServerError"


def code_of(call: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return str(refused.value.response["Error"]["Code"])


def test_a_fault_that_does_not_exist_is_refused(aws: Any) -> None:
    with pytest.raises(Exception, match="400"):
        aws.control("faults", [{"action": "DescribeVpcs", "how": "sometimes"}])
