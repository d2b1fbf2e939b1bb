"""Which calls a policy lets through in the sandbox, and what each call asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import Names, document
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE

from sandbox.aws.asked import asked_of
from sandbox.aws.calls import Call
from sandbox.aws.policies import LONGEST, Policies, Policy

KEY = "OPERATOR"
ELASTICACHE, EC2 = "arn:aws:elasticache:us-east-1:123456789012:", "arn:aws:ec2:us-east-1:123456789012:"


def call(service: str, action: str, key: str = KEY, path: str = "", **told: Any) -> Call:
    protocol = {"ssm": "json", "secretsmanager": "json", "s3": "rest"}.get(service, "query")
    body = json.dumps(told) if protocol == "json" else "&".join(f"{name}={value}" for name, value in told.items())
    return Call(service, action, protocol, body.encode(), "127.0.0.1", key, internal=False, path=path)


def asked(*arguments: Any, **told: Any) -> list[tuple[str, str]]:
    return [(each.action, each.resource) for each in asked_of(call(*arguments, **told))]


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def held_to(*statements: dict[str, Any]) -> Policies:
    policies = Policies({"operator": KEY})
    policies.give({"key": "operator", "policy": policy(*statements)})
    return policies


def test_a_key_without_a_policy_may_do_all_and_one_with_an_empty_policy_nothing() -> None:
    assert Policies({"operator": KEY}).refusal(call("ec2", "TerminateInstances")) is None
    policies = held_to()
    assert policies.refusal(call("ec2", "DescribeInstances")) is not None
    assert policies.refusal(call("ec2", "DescribeInstances", key="ANOTHER")) is None
    assert policies.refusal(call("sts", "GetCallerIdentity")) is None, "no policy can deny it"
    policies.give({"key": "operator", "policy": None})
    assert policies.refusal(call("ec2", "DescribeInstances")) is None


@pytest.mark.parametrize(
    ("statements", "is_allowed"),
    [
        ([allow("ssm:GetParameter")], True),
        ([allow(["ssm:Put*", "SSM:get*"])], True),
        ([allow("ssm:PutParameter")], False),
        ([allow("*", "arn:aws:ssm:*:*:parameter/a/*")], True),
        ([allow("*", "arn:aws:ssm:*:*:parameter/A/*")], False),
        ([allow("*", ["arn:aws:s3:::x", "arn:aws:ssm:us-east-1:123456789012:parameter/a/?"])], True),
        ([allow("*"), allow("ssm:*", effect="Deny")], False),
    ],
)
def test_actions_have_no_case_resources_do_and_a_deny_wins(statements: list[dict[str, Any]], is_allowed: bool) -> None:
    refused = held_to(*statements).refusal(call("ssm", "GetParameter", Name="/a/b"))
    assert (refused is None) is is_allowed


@pytest.mark.parametrize(
    ("asking", "code", "status"),
    [
        (call("elasticache", "DeleteReplicationGroup", ReplicationGroupId="shop"), "AccessDenied", 403),
        (call("ec2", "StopInstances", **{"InstanceId.1": "i-1"}), "UnauthorizedOperation", 403),
        (call("ssm", "DeleteParameter", Name="/a"), "AccessDeniedException", 400),
        (call("s3", "GetObject", path="/bucket/a/b"), "AccessDenied", 403),
    ],
)
def test_a_refusal_is_told_in_the_words_of_the_service(asking: Call, code: str, status: int) -> None:
    refused = held_to().refusal(asking)
    assert refused is not None and (refused.status, refused.error) == (status, code)
    (first, *_) = asked_of(asking)
    told = refused.body.decode()
    assert "User: arn:aws:iam::123456789012:user/operator is not authorized to perform: " + first.action in told
    assert first.resource in told and refused.denied == first.action


@pytest.mark.parametrize(
    ("asking", "wanted"),
    [
        (
            ("ssm", "GetParametersByPath", {"Path": "/cache_migration/a"}),
            [("ssm:GetParametersByPath", "cache_migration/a")],
        ),
        (("ssm", "GetParameter", {"Name": "/a/b:3"}), [("ssm:GetParameter", "a/b")]),
        (
            ("ssm", "PutParameter", {"Name": "/a", "Tags": [{"Key": "k"}]}),
            [("ssm:PutParameter", "a"), ("ssm:AddTagsToResource", "a")],
        ),
    ],
)
def test_a_parameter_is_named_by_its_path_without_a_version(asking: Any, wanted: Any) -> None:
    service, action, told = asking
    prefix = "arn:aws:ssm:us-east-1:123456789012:parameter/"
    assert asked(service, action, **told) == [(name, prefix + path) for name, path in wanted]


def test_what_is_made_with_tags_asks_for_the_tags_too() -> None:
    tag = {"Tags.Tag.1.Key": "cache_migration:name"}
    assert asked("elasticache", "CreateCacheSubnetGroup", CacheSubnetGroupName="a", **tag) == [
        ("elasticache:CreateCacheSubnetGroup", ELASTICACHE + "subnetgroup:a"),
        ("elasticache:AddTagsToResource", ELASTICACHE + "subnetgroup:a"),
    ]
    assert asked("ec2", "CreateSecurityGroup", VpcId="vpc-1", **{"TagSpecification.1.Tag.1.Key": "a"}) == [
        ("ec2:CreateSecurityGroup", EC2 + "security-group/*"),
        ("ec2:CreateSecurityGroup", EC2 + "vpc/vpc-1"),
        ("ec2:CreateTags", EC2 + "security-group/*"),
    ]
    told = asked("secretsmanager", "CreateSecret", Name="a/b", Tags=[{"Key": "k", "Value": "v"}])
    assert [action for action, _ in told] == ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]


def test_a_creation_names_all_that_it_uses_and_a_deletion_the_snapshot_that_it_leaves() -> None:
    made = asked("elasticache", "CreateReplicationGroup", ReplicationGroupId="a", CacheSubnetGroupName="s")
    assert {arn.removeprefix(ELASTICACHE) for _, arn in made} == {"replicationgroup:a", "subnetgroup:s"}
    gone = asked("elasticache", "DeleteReplicationGroup", ReplicationGroupId="a", FinalSnapshotIdentifier="last")
    assert ("elasticache:CreateSnapshot", ELASTICACHE + "snapshot:last") in gone
    assert ("elasticache:DeleteReplicationGroup", ELASTICACHE + "snapshot:last") in gone


def test_a_serverless_cache_is_asked_for_with_its_users_what_it_begins_with_and_what_it_leaves() -> None:
    cache, last = f"{ELASTICACHE}serverlesscache:shop", f"{ELASTICACHE}serverlesscachesnapshot:last"
    told = {"ServerlessCacheName": "shop", "UserGroupId": "app", "SnapshotArnsToRestore.SnapshotArn.1": last}
    assert asked("elasticache", "CreateServerlessCache", **told, **{"Tags.Tag.1.Key": "a"}) == [
        *(("elasticache:CreateServerlessCache", arn) for arn in (f"{ELASTICACHE}usergroup:app", cache, last)),
        ("elasticache:AddTagsToResource", cache),
    ]
    assert asked("elasticache", "DeleteServerlessCache", ServerlessCacheName="shop", FinalSnapshotName="last") == [
        ("elasticache:DeleteServerlessCache", cache),
        ("elasticache:DeleteServerlessCache", last),
        ("elasticache:CreateServerlessCacheSnapshot", cache),
        ("elasticache:CreateServerlessCacheSnapshot", last),
    ]


SERVERLESS = {"ServerlessCacheName": "shop"}


@pytest.mark.parametrize(
    ("stage", "action", "told"),
    [
        ("provision", "DescribeServerlessCaches", SERVERLESS),
        ("provision", "ListTagsForResource", {"ResourceName": f"{ELASTICACHE}serverlesscache:shop"}),
        ("provision", "DescribeEvents", {"SourceIdentifier": "shop", "SourceType": "serverless-cache"}),
        (
            "provision",
            "CreateServerlessCache",
            {
                **SERVERLESS,
                "UserGroupId": "app",
                "Tags.Tag.1.Key": "a",
                "SnapshotArnsToRestore.SnapshotArn.1": f"{ELASTICACHE}serverlesscachesnapshot:last",
            },
        ),
        ("provision", "ModifyServerlessCache", {**SERVERLESS, "UserGroupId": "app"}),
        ("provision", "AddTagsToResource", {"ResourceName": f"{ELASTICACHE}serverlesscache:shop"}),
        ("rollback", "DeleteServerlessCache", {**SERVERLESS, "FinalSnapshotName": "last"}),
    ],
)
def test_the_policies_of_a_serverless_cache_let_its_calls_through_and_those_of_another_none_that_write(
    stage: str, action: str, told: dict[str, str]
) -> None:
    for target, is_allowed in (("shop", True), ("another", action.startswith(("Describe", "List")))):
        names = Names(name="shop", region="us-east-1", account="123456789012", target=target)
        policies = Policies({"operator": KEY})
        policies.give({"key": "operator", "policy": document(BY_SERVICE["elasticache-serverless"][stage], names)})
        assert (policies.refusal(call("elasticache", action, **told)) is None) is is_allowed, target


def test_an_object_is_told_apart_from_its_bucket() -> None:
    assert asked("s3", "HeadObject", path="/bucket/a/b") == [("s3:GetObject", "arn:aws:s3:::bucket/a/b")]
    assert asked("s3", "ListObjectsV2", path="/bucket") == [("s3:ListBucket", "arn:aws:s3:::bucket")]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"Effect": "Allow", "NotAction": "x:y", "Resource": "*"}, "does not evaluate NotAction"),
        ({"Effect": "Maybe", "Action": "x:y", "Resource": "*"}, "Effect is Allow or Deny"),
        (allow(["ssm:GetParameter"] * LONGEST), "at most 6144 characters"),
    ],
)
def test_what_aws_would_refuse_or_the_sandbox_does_not_evaluate_is_no_policy(statement: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Policy.of(policy(statement))
