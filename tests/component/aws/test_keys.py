"""Everybody on the machine reaches the listener: only who has a key is answered."""

from __future__ import annotations

import urllib.error
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.keys import AccessKey

STRANGER = AccessKey.new()
UNKNOWN = "InvalidClientTokenId"


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("elasticache", "describe_replication_groups", UNKNOWN),
        ("ec2", "describe_instances", UNKNOWN),
        ("sts", "get_caller_identity", UNKNOWN),
        ("s3", "list_buckets", UNKNOWN),
        ("ssm", "describe_parameters", "UnrecognizedClientException"),
        ("secretsmanager", "list_secrets", "UnrecognizedClientException"),
    ],
)
def test_a_call_with_an_unknown_key_is_refused_as_aws_refuses_it(
    aws: Any, service: str, operation: str, code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, key=STRANGER), operation)()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_an_instance_that_a_stranger_asks_for_is_not_made_and_its_user_data_does_not_run(aws: Any) -> None:
    trace = aws.state / "was-run"
    asked = {
        "ImageId": "ami-12c6146b",
        "MinCount": 1,
        "MaxCount": 1,
        "UserData": f"#!/bin/sh\ntouch {trace}\nsleep 9\n",
    }

    def instances() -> int:
        return sum(len(r["Instances"]) for r in aws.ec2.describe_instances()["Reservations"])

    before = instances()
    with pytest.raises(ClientError, match=UNKNOWN):
        aws.client("ec2", key=STRANGER).run_instances(**asked)
    assert instances() == before
    made = aws.ec2.run_instances(**asked)["Instances"]  # what is asked for would run
    aws.wait_until(trace.exists, "user data does not run")
    aws.ec2.terminate_instances(InstanceIds=[instance["InstanceId"] for instance in made])


@pytest.mark.parametrize(("path", "body"), [("calls", None), ("clock", None), ("maintenance", {}), ("faults", [])])
def test_the_doors_of_the_sandbox_itself_are_closed_without_a_key(aws: Any, path: str, body: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        aws.control(path, body, key=STRANGER)
    assert refused.value.code == 403
    assert b"X-Sandbox-Key" in refused.value.read()


def test_a_refused_call_is_in_the_log_without_the_key_that_it_tried(aws: Any) -> None:
    since = aws.control("calls")["next"]
    with pytest.raises(ClientError):
        aws.client("ssm", key=STRANGER).put_parameter(Name="/a/stranger", Value="x", Type="String")
    (call,) = aws.control(f"calls?since={since}")["calls"]
    assert (call["action"], call["status"], call["error"]) == ("PutParameter", 403, "UnrecognizedClientException")
    assert STRANGER.id not in str(call)


def test_the_key_of_the_app_is_admitted(aws: Any) -> None:
    assert aws.client("ssm", key=aws.keys.app).describe_parameters()["Parameters"] is not None
