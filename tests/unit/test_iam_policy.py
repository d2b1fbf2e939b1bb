"""What the policy of each stage lets its holder do, where each resource of a call is to be allowed by some statement.

Which keys AWS knows for which action is told by its service authorization reference; here they are taken as given.
"""

from __future__ import annotations

import fnmatch
import json
import pathlib
import subprocess
import sys
from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam import denied
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import (
    LONGEST,
    Names,
    document,
    length,
    text,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE, STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import STAGES as KNOWN_STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.on_aws import STORES
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.iam_policy import policy_of, too_long
from botocore.exceptions import ClientError

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs/iam"
ACCOUNT = "111122223333"
NAMES = Names(
    name="shop-prod",
    region="us-east-1",
    account=ACCOUNT,
    target="shop-cache",
    secrets=("shop/token",),
    parameters=("/shop/REDIS_URL",),
    bucket="shop-backups",
    instance="i-1",
    keys=("key-1",),
)
POLICIES = {stage: document(needs, NAMES) for stage, needs in STAGES.items()}

OWNER = "aws:ResourceTag/cache_migration:name"
OURS, THEIRS, UNTAGGED = {OWNER: "shop-prod"}, {OWNER: "another-team"}, {}
EC2, ELASTICACHE = f"arn:aws:ec2:us-east-1:{ACCOUNT}:", f"arn:aws:elasticache:us-east-1:{ACCOUNT}:"
SSM = f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/"
GROUP = EC2 + "security-group/sg-1"
CACHE, OTHER_CACHE = ELASTICACHE + "replicationgroup:shop-cache", ELASTICACHE + "replicationgroup:others-cache"
PARAMETERS, AWS_PARAMETERS = (
    ELASTICACHE + "parametergroup:shop-prod-cache",
    ELASTICACHE + "parametergroup:default.redis7",
)
SUBNETS, SNAPSHOT = ELASTICACHE + "subnetgroup:shop-prod-cache", ELASTICACHE + "snapshot:the-last"

MATCHES = {
    "StringEquals": lambda value, wanted: value == wanted,
    "Bool": lambda value, wanted: value == wanted,
}


def allows(stage, action, resource, context=UNTAGGED):
    def meets(condition):
        return all(
            key in context and MATCHES[kind](context[key], wanted)
            for kind, keys in condition.items()
            for key, wanted in keys.items()
        )

    return any(
        action in statement["Action"]
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in statement["Resource"])
        and meets(statement.get("Condition", {}))
        for statement in POLICIES[stage]["Statement"]
    )


def actions(stage):
    return {one.action for one in STAGES[stage]}


# --- whoever has one of these policies ---


@pytest.mark.parametrize("stage", ["plan", "assess", "state", "inventory"])
def test_who_may_only_look_can_change_nothing(stage):
    reads = ("Describe", "Get", "List")
    assert {one for one in actions(stage) if not one.partition(":")[2].startswith(reads)} <= {"kms:Decrypt"}


def test_who_may_ask_where_it_stands_reads_no_token():
    assert not {one for one in actions("state") if one.startswith("secretsmanager:")}


CHANGES = [
    *(("ingress", "ec2:AuthorizeSecurityGroupIngress", GROUP), ("rollback", "ec2:RevokeSecurityGroupIngress", GROUP)),
    *(("rollback", "ec2:DeleteSecurityGroup", GROUP), ("rollback", "elasticache:DeleteReplicationGroup", CACHE)),
    *(("provision", f"elasticache:{verb}ReplicaCount", CACHE) for verb in ("Increase", "Decrease")),
    *((stage, "elasticache:ModifyReplicationGroup", CACHE) for stage in ("provision", "rotate")),
    *(("provision", "elasticache:ModifyReplicationGroupShardConfiguration", CACHE),),
    *(("provision", "elasticache:ModifyCacheParameterGroup", PARAMETERS),),
    *(("rollback", "elasticache:DeleteCacheParameterGroup", PARAMETERS),),
    *(("provision", "elasticache:ModifyCacheSubnetGroup", SUBNETS),),
    *(("rollback", "elasticache:DeleteCacheSubnetGroup", SUBNETS),),
]


OF_USERS = {f"elasticache:{verb}User{what}" for verb in ("Modify", "Delete") for what in ("", "Group")}


@pytest.mark.parametrize(("stage", "action", "resource"), CHANGES)
def test_what_is_there_is_changed_only_where_it_is_a_migrations_of_that_name(stage, action, resource):
    assert allows(stage, action, resource, OURS)
    assert not allows(stage, action, resource, THEIRS) and not allows(stage, action, resource, UNTAGGED)


def test_nothing_else_that_changes_or_deletes_a_cache_or_a_way_is_granted():
    words = ("Authorize", "Revoke", "Delete", "Modify", "Increase", "Decrease", "CreateTags", "DeleteTags")
    granted = {action for stage in STAGES for action in actions(stage)}
    changing = {action for action in granted if action.partition(":")[2].startswith(words)}
    of_these = {action for action in changing if action.startswith(("ec2:", "elasticache:"))}
    assert of_these == {action for _, action, _ in CHANGES} | {"ec2:CreateTags"} | OF_USERS


@pytest.mark.parametrize("action", ["CreateReplicationGroup", "AddTagsToResource", "ModifyReplicationGroup"])
def test_another_cache_than_the_migrations_is_neither_made_nor_tagged_nor_changed(action):
    assert not allows("provision", f"elasticache:{action}", OTHER_CACHE, {**OURS, **UNTAGGED})
    assert allows("provision", f"elasticache:{action}", CACHE, OURS)


def test_a_new_security_group_gets_its_tags_while_it_is_made_and_no_other_does():
    named = {"aws:RequestTag/cache_migration:name": "shop-prod"}
    made = {**named, "ec2:CreateAction": "CreateSecurityGroup"}
    assert allows("provision", "ec2:CreateTags", GROUP, made)
    assert not allows("provision", "ec2:CreateTags", GROUP, named), "or it would be a migration's, to be opened"
    assert not allows("provision", "ec2:CreateTags", GROUP, {**named, "ec2:CreateAction": "RunInstances"})
    assert not allows("provision", "ec2:CreateTags", EC2 + "instance/i-1", {**OURS, **made})


def test_a_cache_takes_parameters_of_others_and_leaves_a_snapshot_that_has_no_tag_yet():
    assert allows("provision", "elasticache:ModifyReplicationGroup", AWS_PARAMETERS)
    assert allows("rollback", "elasticache:DeleteReplicationGroup", SNAPSHOT)


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "inventory"])
def test_of_parameters_only_those_of_the_app_and_of_this_migration_are_reached(stage):
    for action in [one for one in actions(stage) if one.startswith("ssm:") and one != "ssm:DescribeParameters"]:
        assert not allows(stage, action, SSM + "others/REDIS_URL")
        assert not allows(stage, action, SSM + "cache_migration/others/lock")
    assert not allows(stage, "ssm:DeleteParameter", SSM + "shop/REDIS_URL")


def test_the_old_redis_is_stopped_by_decommission_alone_and_no_other_instance_is():
    assert [stage for stage in STAGES if "ec2:TerminateInstances" in actions(stage)] == ["decommission"]
    assert allows("decommission", "ec2:StopInstances", EC2 + "instance/i-1")
    assert not allows("decommission", "ec2:StopInstances", EC2 + "instance/i-2")


def test_no_other_service_than_aws_itself_is_granted_the_use_of_a_key():
    key = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/key-1"
    assert allows("provision", "kms:CreateGrant", key, {"kms:GrantIsForAWSResource": "true"})
    assert not allows("provision", "kms:CreateGrant", key)


# --- the documents ---


@pytest.mark.parametrize("stage", STAGES)
def test_a_policy_is_one_that_aws_takes(stage):
    statements = POLICIES[stage]["Statement"]
    names = [statement["Sid"] for statement in statements]
    assert len(set(names)) == len(names) and all(name.isalnum() for name in names)
    assert all(statement["Action"] and statement["Resource"] for statement in statements)
    assert not any("{" in resource for statement in statements for resource in statement["Resource"])
    shipped = json.loads((DOCS / f"{stage}.json").read_text())
    assert length(POLICIES[stage]) <= LONGEST and length(shipped) <= LONGEST


@pytest.mark.parametrize("service", [service for service in BY_SERVICE if BY_SERVICE[service] is not STAGES])
def test_another_target_has_policies_of_its_own_that_aws_takes_and_that_grant_nothing_of_others(service):
    row = TARGETS[service]
    made = [action for other in TARGETS.values() if other is not row for action in other.actions.make]
    others = {action.action for action in made if not action.unseen}
    mine = {action.action for part in vars(row.actions).values() for action in part}
    for stage, needs in BY_SERVICE[service].items():
        assert length(document(needs, NAMES)) <= LONGEST
        assert (DOCS / service / f"{stage}.json").exists() == (needs != STAGES[stage])
        assert not {one.action for one in needs} & (others - mine)


def test_every_stage_has_a_policy_and_migrate_is_what_its_stages_need():
    assert set(STAGES) == {*KNOWN_STAGES, *GOALS, "plan", "inventory"}
    compares = {"pricing:GetProducts", "ec2:DescribeInstances", "ec2:DescribeVolumes"}  # assess.yml alone does
    assert compares < actions("assess") and not compares & actions("migrate")
    of_its_stages = {action for stage in GOALS["migrate"].stages for action in actions(stage)}
    assert actions("migrate") == of_its_stages - compares
    assert {path.stem for path in DOCS.glob("*.json")} == set(STAGES)


def test_a_permission_stands_once_in_a_stage_with_a_reason():
    for needs in STAGES.values():
        assert len({one.row for one in needs}) == len(needs)
        assert all(one.why for one in needs)


def test_what_targets_and_stores_ask_for_comes_from_their_rows_and_nothing_of_their_services_from_elsewhere():
    of_targets = {
        one.row
        for row in TARGETS.values()
        for part in ("look", "plan", "make", "token", "delete", "migrate")
        for one in getattr(row.actions, part)
    }
    of_stores = {one.row for row in STORES.values() for one in (*row.look, *row.record, *row.write)}
    asked = {one.row for stages in BY_SERVICE.values() for needs in stages.values() for one in needs}
    assert of_targets | of_stores <= asked
    assert {row for row in asked if row[0].startswith("elasticache:")} <= of_targets


def test_what_a_migration_has_not_is_granted_nowhere():
    bare = Names(name="shop-prod", region="us-east-1", account=ACCOUNT, target="shop-cache")
    for needs in STAGES.values():
        told = text(document(needs, bare))
        assert not any(service in told for service in ("secretsmanager:", "kms:", "s3:"))
    assert text(document(STAGES["cutover"], bare)).count("parameter/") == 3, "its ledger alone"


def test_users_and_a_snapshot_of_somebody_elses_making_are_granted_by_name_where_the_target_has_them():
    with_them = replace(NAMES, user_groups=("shop", "ops"), snapshot="nightly")
    made = {one["Sid"]: one for one in document(STAGES["provision"], with_them)["Statement"]}
    assert made["TargetUsers"]["Resource"] == [ELASTICACHE + "usergroup:shop", ELASTICACHE + "usergroup:ops"]
    assert made["TargetUsers"]["Action"] == ["elasticache:CreateReplicationGroup", "elasticache:ModifyReplicationGroup"]
    assert made["TargetFrom"]["Resource"] == [ELASTICACHE + "snapshot:nightly"]
    assert not {"TargetUsers", "TargetFrom"} & {one["Sid"] for one in POLICIES["provision"]["Statement"]}


def test_the_apps_user_is_made_and_changed_by_name_where_there_is_one():
    of_the_app = {ELASTICACHE + name for name in ("usergroup:shop-prod-cache", "user:shop", "user:shop-prod-default")}
    of_users = ("CreateUser", "ModifyUser", "DeleteUser")
    for stage in ("provision", "migrate", "rotate", "rollback"):
        needs = document(STAGES[stage], replace(NAMES, username="shop"))
        assert length(needs) <= LONGEST or stage == "migrate"
        places = [one for one in needs["Statement"] if any(f"elasticache:{word}" in one["Action"] for word in of_users)]
        assert places and {arn for one in places for arn in one["Resource"]} == of_the_app
        changing = [one for one in places if "elasticache:CreateUser" not in one["Action"]]
        assert all(OURS.items() <= one["Condition"]["StringEquals"].items() for one in changing)
        without = document(STAGES[stage], NAMES)["Statement"]
        assert not any(f"elasticache:{word}" in one["Action"] for one in without for word in of_users)


def test_a_policy_is_printed_for_a_migration_with_names_of_its_own():
    stated = ["--name", "shop-prod", "--account", ACCOUNT, "--region", "us-east-1", "--target", "shop-cache"]
    more = ["--secret", "shop/token", "--parameter", "/shop/REDIS_URL", "--key", "key-1", "--key", "key-2"]
    told = json.loads(policy_of(["cutover", *stated, *more]))
    statements = {statement["Sid"]: statement["Resource"] for statement in told["Statement"]}
    assert statements["Values"] == [SSM + "shop/REDIS_URL"]
    assert [arn.rpartition("/")[2] for arn in statements["Key"]] == ["key-1", "key-2"]
    other = policy_of(["cutover", *stated, "--partition", "aws-cn"])
    assert "arn:aws-cn:ssm" in other and "arn:aws:" not in other


def test_a_policy_that_is_longer_than_aws_takes_is_said_to_be_so_with_what_to_give_in_its_place():
    needs = document(STAGES["migrate"], replace(NAMES, username="shop"))
    assert length(needs) > LONGEST
    assert "give the policies of assess, provision, ingress, " in too_long("migrate", text(needs))
    assert too_long("migrate", text(POLICIES["migrate"])) == ""


def test_the_program_runs_by_its_path_whatever_is_installed_there():
    """Without the packages of its Python, where the package ansible would bring another ansible_collections."""
    program = DOCS.parents[1] / "plugins/plugin_utils/iam_policy.py"
    stated = ["--name", "shop-prod", "--account", ACCOUNT, "--region", "us-east-1", "--target", "shop-cache"]
    run = subprocess.run([sys.executable, "-I", "-S", str(program), "state", *stated], capture_output=True, check=True)
    assert run.stdout.decode() == policy_of(["state", *stated])


# --- what a refusal says ---


def refusal(message, operation="CreateReplicationGroup", code="AccessDenied"):
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def test_a_refusal_names_the_action_that_aws_names_what_it_is_on_and_the_policies_that_have_it():
    aws_says = (
        "User: arn:aws:iam::1:user/x is not authorized to perform: elasticache:AddTagsToResource on resource: "
        "arn:aws:elasticache:r:1:subnetgroup:shop because no identity-based policy allows the action"
    )
    assert denied.lack(refusal(aws_says), "elasticache") == (
        "the identity that runs this lacks the IAM action elasticache:AddTagsToResource on "
        "arn:aws:elasticache:r:1:subnetgroup:shop; add it to its policy, as docs/iam/provision.json and "
        "docs/iam/migrate.json have it"
    )


def test_where_aws_names_nothing_the_action_is_that_of_the_call():
    told = denied.lack(refusal("Forbidden", "HeadObject", "403"), "ec2")
    assert "IAM action s3:GetObject on it, or s3:ListBucket on its bucket; add it to its policy, as docs/iam/de" in told
    assert "docs/iam has it" in denied.lack(refusal("", "GetParameter"), "ssm")
    assert denied.lack(refusal("", "DeleteParameters"), "ssm").endswith("ssm:DeleteParameters; add it to its policy")
    assert denied.is_denied(refusal("", code="UnauthorizedOperation"))
    assert not denied.is_denied(refusal("", code="Throttling"))
