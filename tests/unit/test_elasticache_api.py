"""What AWS answers to a step, and its errors as sentences. Answers come from botocore's own stub."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from botocore import xform_name
from botocore.stub import Stubber

MODIFY = Step("ModifyReplicationGroup", {"ReplicationGroupId": "shop", "ApplyImmediately": True}, "")
CREATE = Step("CreateReplicationGroup", {"ReplicationGroupId": "shop", "ReplicationGroupDescription": "x"}, "")
DELETE = Step("DeleteReplicationGroup", {"ReplicationGroupId": "shop"}, "")
INCREASE = Step(
    "IncreaseReplicaCount", {"ReplicationGroupId": "shop", "NewReplicaCount": 1, "ApplyImmediately": True}, ""
)


@pytest.fixture
def aws():
    client = boto3.client("elasticache", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def refuse(stubber, operation, code, message=""):
    stubber.add_client_error(operation, service_error_code=code, service_message=message)


@pytest.mark.parametrize(
    ("step", "code", "message", "outcome"),
    [
        (INCREASE, "NoOperationFault", "", Outcome.NOTHING_TO_DO),
        (
            MODIFY,
            "InvalidParameterCombination",
            "No modifications were requested",
            Outcome.NOTHING_TO_DO,
        ),
        (CREATE, "ReplicationGroupAlreadyExists", "", Outcome.NOTHING_TO_DO),
        (DELETE, "ReplicationGroupNotFoundFault", "", Outcome.NOTHING_TO_DO),
        (MODIFY, "InvalidReplicationGroupState", "", Outcome.BUSY),
    ],
)
def test_an_answer_that_is_no_failure_is_told_from_one(aws, step, code, message, outcome):
    client, stubber = aws
    refuse(stubber, xform_name(step.action), code, message)
    assert api.act(client, step) is outcome


def test_a_step_that_aws_takes_is_done(aws):
    client, stubber = aws
    stubber.add_response("delete_replication_group", {}, {"ReplicationGroupId": "shop"})
    assert api.act(client, DELETE) is Outcome.DONE


def explained(client, step, options=None):
    with pytest.raises(AnsibleAWSError) as failed:
        api.act(client, step)
    return explain(failed.value, options=options)


def test_a_denied_call_names_the_iam_action_that_is_missing(aws):
    client, stubber = aws
    refuse(stubber, "create_replication_group", "AccessDenied", "no")
    assert "elasticache:CreateReplicationGroup; add it" in explained(client, CREATE)
    told = "User: arn:x is not authorized to perform: elasticache:AddTagsToResource on resource: *"
    refuse(stubber, "create_replication_group", "AccessDenied", told)
    assert "elasticache:AddTagsToResource; add it" in explained(client, CREATE)


@pytest.mark.parametrize(
    ("code", "option"),
    [
        ("CacheSubnetGroupNotFoundFault", "cache_subnet_group_name"),
        ("CacheParameterGroupNotFound", "cache_parameter_group_name"),
        ("InsufficientCacheClusterCapacity", "cache_node_type"),
        ("InvalidVPCNetworkStateFault", "security_group_ids"),
        ("NodeQuotaForCustomerExceeded", "num_cache_clusters"),
    ],
)
def test_a_refusal_of_aws_names_the_option_to_change(aws, code, option):
    client, stubber = aws
    refuse(stubber, "create_replication_group", code)
    assert option in explained(client, CREATE)


@pytest.mark.parametrize(
    ("code", "message", "option"),
    [
        ("InvalidParameterValue", "Invalid/unrecognized Cache Node Type: cache.t3.tiny", "cache_node_type"),
        ("InvalidParameterValue", "cache.t3.tiny is not offered here", "cache_node_type"),
        ("InvalidParameterValue", "us-east-1z is not a valid availability zone.", "preferred_cache_cluster_azs"),
        ("InvalidParameterValue", "us-east-1z is unknown", "preferred_cache_cluster_azs"),
        ("InvalidParameterValue", "Some security group IDs are invalid: sg-0 does not exist", "security_group_ids"),
        ("InvalidParameterCombination", "sg-12345678 is not in the VPC", "security_group_ids"),
        ("InvalidKMSKeyFault", "", "kms_key_id"),
        ("InvalidParameterValue", "The KMS key is disabled", "kms_key_id"),
        (
            "InvalidParameterCombination",
            "Expected a parameter group of family redis7 but found one of family redis6.x",
            "cache_parameter_group_name",
        ),
        ("InvalidParameterCombination", "Cannot find version 9.9 for redis", "engine_version"),
        ("InvalidParameterCombination", "The user group g1 is of engine valkey", "engine"),
    ],
)
def test_a_refusal_under_a_code_for_anything_names_the_option_by_what_aws_says(aws, code, message, option):
    client, stubber = aws
    options = {
        "cache_node_type": "cache.t3.tiny",
        "preferred_cache_cluster_azs": ["us-east-1z"],
        "security_group_ids": ["sg-12345678"],
        "engine_version": "9.9",
        "port": 6379,
        "engine": "redis",
        "cache_parameter_group_name": None,
        "kms_key_id": None,
    }
    refuse(stubber, "create_replication_group", code, message)
    assert f"change {option}: " in explained(client, CREATE, options)


def test_a_combination_that_aws_refuses_is_a_failure(aws):
    client, stubber = aws
    refuse(stubber, "modify_replication_group", "InvalidParameterCombination", "Cannot do both")
    assert "ModifyReplicationGroup" in explained(client, MODIFY)


def test_a_throttled_read_is_tried_again(aws, monkeypatch):
    client, stubber = aws
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    refuse(stubber, "list_tags_for_resource", "Throttling")
    stubber.add_response("list_tags_for_resource", {"TagList": [{"Key": "a", "Value": "b"}]})
    assert api.read_tags(client, "arn:aws:x") == {"a": "b"}


def test_a_group_that_is_not_there_reads_as_none(aws):
    client, stubber = aws
    refuse(stubber, "describe_replication_groups", "ReplicationGroupNotFoundFault")
    assert api.read_replication_group(client, "shop") is None


def test_a_member_that_is_gone_already_is_no_failure_of_the_read(aws):
    client, stubber = aws
    group = {"ReplicationGroupId": "shop", "ARN": "arn:aws:x", "MemberClusters": ["shop-001", "shop-002"]}
    stubber.add_response("describe_replication_groups", {"ReplicationGroups": [group]})
    cluster = {"CacheClusterId": "shop-001", "ReplicationGroupId": "shop", "EngineVersion": "7.1.0"}
    stubber.add_response(
        "describe_cache_clusters",
        {"CacheClusters": [cluster]},
        {"CacheClusterId": "shop-001", "ShowCacheNodeInfo": True},
    )
    refuse(stubber, "describe_cache_clusters", "CacheClusterNotFound")
    stubber.add_response("list_tags_for_resource", {"TagList": []})
    read = api.read_replication_group(client, "shop")
    assert (read.engine_version, read.num_cache_clusters) == ("7.1.0", 2)


def test_tags_that_aws_does_not_tell_yet_are_unknown_and_not_empty(aws):
    client, stubber = aws
    refuse(stubber, "list_tags_for_resource", "CacheClusterNotFound", "is either not present or not available")
    assert api.read_tags(client, "arn:aws:x") is None
