"""What AWS answers to a step, and its errors as sentences. Answers come from botocore's own stub."""

from __future__ import annotations

import boto3
import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls as api
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
        (INCREASE, "NoOperationFault", "", api.Outcome.NOTHING_TO_DO),
        (
            MODIFY,
            "InvalidParameterCombination",
            "No modifications were requested",
            api.Outcome.NOTHING_TO_DO,
        ),
        (CREATE, "ReplicationGroupAlreadyExists", "", api.Outcome.NOTHING_TO_DO),
        (DELETE, "ReplicationGroupNotFoundFault", "", api.Outcome.NOTHING_TO_DO),
        (MODIFY, "InvalidReplicationGroupState", "", api.Outcome.BUSY),
    ],
)
def test_an_answer_that_is_no_failure_is_told_from_one(aws, step, code, message, outcome):
    client, stubber = aws
    refuse(stubber, xform_name(step.action), code, message)
    assert api.act(client, step) is outcome


def test_a_step_that_aws_takes_is_done(aws):
    client, stubber = aws
    stubber.add_response("delete_replication_group", {}, {"ReplicationGroupId": "shop"})
    assert api.act(client, DELETE) is api.Outcome.DONE


def explained(client, step):
    with pytest.raises(AnsibleAWSError) as failed:
        api.act(client, step)
    return api.explain(failed.value)


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


def test_tags_that_aws_does_not_tell_yet_are_unknown_and_not_empty(aws):
    client, stubber = aws
    refuse(stubber, "list_tags_for_resource", "CacheClusterNotFound", "is either not present or not available")
    assert api.read_tags(client, "arn:aws:x") is None
