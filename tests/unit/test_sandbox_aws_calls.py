"""The log of AWS calls: what is a read, what a write, and what never gets into it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.aws.calls import Call, call_of, rest_action, without_secrets


def call(service: str, action: str) -> Call:
    return Call(service, action, "query", b"", "127.0.0.1", "KEY", internal=False)


@pytest.mark.parametrize(
    ("service", "action", "reads"),
    [
        ("ec2", "DescribeInstances", True),
        ("ec2", "RunInstances", False),
        ("ssm", "GetParametersByPath", True),
        ("sts", "GetCallerIdentity", True),
        ("sts", "AssumeRole", True),
        ("kms", "Decrypt", True),
        ("kms", "CreateKey", False),
        ("cloudwatch", "PutMetricData", False),
        ("elasticache", "ListTagsForResource", True),
        ("elasticache", "TestFailover", False),
    ],
)
def test_a_call_is_a_read_where_it_changes_nothing(service: str, action: str, reads: bool) -> None:
    assert call(service, action).is_read is reads


@pytest.mark.parametrize(
    ("service", "method", "path", "query", "action"),
    [
        ("s3", "PUT", "/bucket/some/key", "", "PutObject"),
        ("s3", "PUT", "/bucket", "tagging", "PutBucketTagging"),
        ("lambda", "GET", "/2015-03-31/functions/f/configuration", "", "GetFunctionConfiguration"),
        ("lambda", "PUT", "/2015-03-31/functions/f/configuration", "", "UpdateFunctionConfiguration"),
        ("nobody", "GET", "/x", "", "GET /x"),
    ],
)
def test_a_rest_call_is_named_by_its_request_line(
    service: str, method: str, path: str, query: str, action: str
) -> None:
    assert rest_action(service, method, path, query) == action


def test_the_service_the_client_and_the_owner_of_a_call_are_read_from_its_signature() -> None:
    environ: dict[str, Any] = {
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=OURKEY/20261124/us-east-1/ssm/aws4_request, …",
        "HTTP_X_AMZ_TARGET": "AmazonSSM.GetParameter",
        "REQUEST_METHOD": "POST",
        "REMOTE_ADDR": "172.31.1.1",
    }
    found = call_of(environ, json.dumps({"Name": "/a"}).encode(), internal_key="OURKEY")
    assert (found.service, found.action, found.client, found.key) == ("ssm", "GetParameter", "172.31.1.1", "OURKEY")
    assert found.internal
    assert not call_of(environ, b"", internal_key="ANOTHER").internal


@pytest.mark.parametrize(
    "parameters",
    [
        {"AuthToken": "x-secret"},
        {"SecretString": "x-secret"},
        {"Value": "x-secret"},
        {"UserData": "x-secret"},
        {"Parameters": [{"ParameterValue": "x-secret"}]},
        {"Environment": {"Variables": {"REDIS_URL": "redis://:x-secret@h/0"}}},
        {"Passwords.member.1": "x-secret"},
    ],
)
def test_a_secret_is_not_logged(parameters: dict[str, Any]) -> None:
    assert "x-secret" not in json.dumps(without_secrets(parameters))


def test_what_identifies_a_call_is_logged() -> None:
    assert without_secrets({"SecretId": "s", "Name": "/a", "ReplicationGroupId": "shop"}) == {
        "SecretId": "s",
        "Name": "/a",
        "ReplicationGroupId": "shop",
    }
