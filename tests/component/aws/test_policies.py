"""A key that is held to a policy is answered as AWS answers one that may not."""

from __future__ import annotations

import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def held_to(aws: Any) -> Iterator[Any]:
    def give(*actions: str, resource: str = "*") -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        aws.control("policy", {"key": "operator", "policy": policy})

    yield give
    aws.control("policy", {"key": "operator", "policy": None})


def refusal(client: Any, operation: str, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**asked)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.mark.parametrize(
    ("service", "call", "told"),
    [
        ("elasticache", ("describe_replication_groups", {}), ("AccessDenied", "elasticache:DescribeReplicationGroups")),
        ("ec2", ("describe_instances", {}), ("UnauthorizedOperation", "ec2:DescribeInstances")),
        ("ssm", ("get_parameter", {"Name": "/a"}), ("AccessDeniedException", "ssm:GetParameter")),
        (
            "secretsmanager",
            ("describe_secret", {"SecretId": "a"}),
            ("AccessDeniedException", "secretsmanager:DescribeS"),
        ),
        ("s3", ("list_objects_v2", {"Bucket": "a"}), ("AccessDenied", "s3:ListBucket")),
    ],
)
def test_boto3_tells_what_is_missing_as_of_aws(aws: Any, held_to: Any, service: str, call: Any, told: Any) -> None:
    held_to("sts:AssumeRole")
    operation, asked = call
    code, words = refusal(aws.client(service, key=aws.keys.operator), operation, **asked)
    assert code == told[0]
    assert f"is not authorized to perform: {told[1]}" in words
    assert aws.client("ssm", key=aws.keys.owner).describe_parameters()["Parameters"] is not None


def test_what_is_denied_is_not_done_and_the_log_says_which_permission_was_missing(aws: Any, held_to: Any) -> None:
    operator, owner = (aws.client("ssm", key=key) for key in (aws.keys.operator, aws.keys.owner))
    held_to("ssm:PutParameter", resource="arn:aws:ssm:*:*:parameter/ours/*")
    operator.put_parameter(Name="/ours/a", Value="x", Type="String")
    since = aws.control("calls")["next"]
    refusal(operator, "put_parameter", Name="/theirs/a", Value="x", Type="String")
    (call,) = aws.control(f"calls?since={since}")["calls"]
    assert (call["error"], call["denied"]) == ("AccessDeniedException", "ssm:PutParameter")
    assert [each["Name"] for each in owner.get_parameters_by_path(Path="/theirs")["Parameters"]] == []


def test_s3_says_that_an_object_is_not_there_only_to_who_may_list_its_bucket(aws: Any, held_to: Any) -> None:
    owner, operator = (aws.client("s3", key=key) for key in (aws.keys.owner, aws.keys.operator))
    owner.create_bucket(Bucket="kept")
    owner.put_object(Bucket="kept", Key="there", Body=b"x")
    held_to("s3:GetObject")
    assert operator.head_object(Bucket="kept", Key="there")["ContentLength"] == 1
    assert refusal(operator, "head_object", Bucket="kept", Key="gone")[0] == "403"
    held_to("s3:GetObject", "s3:ListBucket")
    assert refusal(operator, "head_object", Bucket="kept", Key="gone")[0] == "404"


def test_what_the_sandbox_does_not_evaluate_is_refused_as_a_policy(aws: Any) -> None:
    statement = {"Effect": "Allow", "NotAction": "ssm:*", "Resource": "*"}
    with pytest.raises(urllib.error.HTTPError) as refused:
        aws.control("policy", {"key": "operator", "policy": {"Version": "2012-10-17", "Statement": [statement]}})
    assert b"does not evaluate NotAction" in refused.value.read()
