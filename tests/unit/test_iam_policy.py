"""What docs/iam-policy.json lets its holder do, where each resource of a call is to be allowed by some statement.

Which keys AWS knows for which action is told by its service authorization reference; here they are taken as given.
"""

from __future__ import annotations

import fnmatch
import json
import pathlib

import pytest

TEXT = (pathlib.Path(__file__).resolve().parents[2] / "docs/iam-policy.json").read_text()
POLICY = json.loads(TEXT)

OWNER = "aws:ResourceTag/cache_migration:name"
OURS, THEIRS, UNTAGGED = {OWNER: "kempian-prod"}, {OWNER: "another-team"}, {}
GROUP = "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"
CACHE = "arn:aws:elasticache:us-east-1:111122223333:replicationgroup:kempian-cache-prod"
PARAMETERS = "arn:aws:elasticache:us-east-1:111122223333:parametergroup:default.redis7"
SUBNETS = "arn:aws:elasticache:us-east-1:111122223333:subnetgroup:kempian-prod-cache"
SNAPSHOT = "arn:aws:elasticache:us-east-1:111122223333:snapshot:the-last"

MATCHES = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": fnmatch.fnmatchcase,
    "Bool": lambda value, wanted: value == wanted,
}


def listed(value):
    return [value] if isinstance(value, str) else value


def allows(action, resource, context):
    def meets(condition):
        return all(
            key in context and any(MATCHES[kind](context[key], one) for one in listed(wanted))
            for kind, keys in condition.items()
            for key, wanted in keys.items()
        )

    return any(
        action in listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and meets(statement.get("Condition", {}))
        for statement in POLICY["Statement"]
    )


CHANGES = [
    *(("ec2:" + action, GROUP) for action in ("AuthorizeSecurityGroupIngress", "RevokeSecurityGroupIngress")),
    *(("ec2:" + action, GROUP) for action in ("CreateTags", "DeleteSecurityGroup")),
    *(("elasticache:" + action, CACHE) for action in ("ModifyReplicationGroup", "DeleteReplicationGroup")),
    *(("elasticache:" + action, CACHE) for action in ("IncreaseReplicaCount", "DecreaseReplicaCount")),
    *(("elasticache:" + action, PARAMETERS) for action in ("ModifyCacheParameterGroup", "DeleteCacheParameterGroup")),
    *(("elasticache:" + action, SUBNETS) for action in ("ModifyCacheSubnetGroup", "DeleteCacheSubnetGroup")),
]


@pytest.mark.parametrize(("action", "resource"), CHANGES)
def test_what_is_there_is_changed_only_where_it_is_a_migrations_of_that_name(action, resource):
    assert allows(action, resource, OURS)
    assert not allows(action, resource, THEIRS) and not allows(action, resource, UNTAGGED)


def test_nothing_else_that_changes_or_deletes_a_cache_or_a_way_is_granted():
    words = ("Authorize", "Revoke", "Delete", "Modify", "Increase", "Decrease", "CreateTags", "DeleteTags")
    granted = {action for statement in POLICY["Statement"] for action in listed(statement["Action"])}
    changing = {action for action in granted if action.partition(":")[2].startswith(words)}
    assert {action for action in changing if action.startswith(("ec2:", "elasticache:"))} == {
        each for each, _ in CHANGES
    }


def test_a_new_security_group_gets_its_tags_while_it_is_made_and_no_other_does():
    named = {"aws:RequestTag/cache_migration:name": "kempian-prod"}
    assert allows("ec2:CreateTags", GROUP, {**named, "ec2:CreateAction": "CreateSecurityGroup"})
    assert not allows("ec2:CreateTags", GROUP, named), "or it would be a migration's, to be opened and deleted"
    assert not allows("ec2:CreateTags", GROUP, {**named, "ec2:CreateAction": "RunInstances"})
    assert not allows("ec2:CreateTags", GROUP.replace("security-group/sg-1", "instance/i-1"), {**OURS, **named})


def test_a_cache_takes_parameters_of_others_and_leaves_a_snapshot_that_has_no_tag_yet():
    assert allows("elasticache:ModifyReplicationGroup", PARAMETERS, UNTAGGED)
    assert allows("elasticache:DeleteReplicationGroup", SNAPSHOT, UNTAGGED)


def test_it_is_as_short_as_a_managed_policy_must_be():
    assert len("".join(TEXT.split())) <= 6144
