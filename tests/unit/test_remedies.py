"""Every error that AWS's model has for a call of a module reaches the user as a sentence that names an option of it."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import botocore.session
import pytest
import yaml
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.remedies import OF_ANYTHING, REMEDIES
from botocore.exceptions import ClientError

MODULES = Path(__file__).parents[2] / "plugins" / "modules"
MODELS = {name: botocore.session.get_session().get_service_model(name) for name in ("elasticache", "memorydb")}
ACTION = re.compile(r"C\((elasticache|memorydb):(\w+)\)")
# No option is about these: who calls, and what the account is to have once.
OF_NO_OPTION = ("ServiceLinkedRoleNotFoundFault", "InvalidCredentialsException")
# A call for tags has an error for each kind of resource there is.
OF_TAGS = (
    "AddTagsToResource",
    "RemoveTagsFromResource",
    "ListTagsForResource",
    "TagResource",
    "UntagResource",
    "ListTags",
)


def documentation(name):
    module = importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{name}")
    return yaml.safe_load(module.DOCUMENTATION)


def calls_of_modules():
    """Each module that calls one of the services, with its options and the calls that its notes name."""
    for path in sorted(MODULES.glob("*.py")):
        if not path.name.startswith(("elasticache_", "memorydb_")):
            continue
        told = documentation(path.stem)
        actions = sorted(set(ACTION.findall("\n".join(map(str, told["notes"])))))
        assert actions, f"{path.stem} names no IAM actions in its notes"
        yield path.stem, tuple(told.get("options") or ()), actions


CASES = [
    pytest.param(
        service,
        action,
        shape.metadata.get("error", {}).get("code") or shape.name,
        options,
        id=f"{name}-{action}-{shape.name}",
    )
    for name, options, actions in calls_of_modules()
    for service, action in actions
    if action in MODELS[service].operation_names  # IAM has actions that are no calls
    for shape in MODELS[service].operation_model(action).error_shapes
]


def sentence(action, code, options, message="", service="elasticache"):
    cause = ClientError({"Error": {"Code": code, "Message": message}}, action)
    return explain(AnsibleAWSError(message=f"Failed to call {action}", exception=cause), service, options)


def named(said, options):
    words = set(re.findall(r"[a-z_]+", said.split(":", 1)[1]))
    return {option for option in options if option in words and option not in ("state", "wait")}


@pytest.mark.parametrize(("service", "action", "code", "options"), CASES)
def test_an_error_of_the_model_names_an_option_of_the_module(service, action, code, options):
    said = sentence(action, code, dict.fromkeys(options, "a-value"), service=service)
    if not is_of_no_option(action, code, options):
        assert said.startswith(f"Failed to call {action}: ") and named(said, options), said


def is_of_no_option(action, code, options):
    """Where the sentence says what to do all the same, or AWS does not mean what the module is about."""
    remedy = REMEDIES.get(re.sub("(Fault|Exception)$", "", code))
    is_of_another_kind = action in OF_TAGS and not (remedy and set(remedy.options) & set(options))
    is_read_as_none = action.startswith(("Describe", "List")) and re.search("NotFound(Fault)?$", code)
    return code in OF_NO_OPTION or is_of_another_kind or is_read_as_none


@pytest.mark.parametrize("code", OF_NO_OPTION)
def test_what_is_of_no_option_is_told_with_what_to_do(code):
    assert len(sentence("CreateCluster", code, {"port": 1})) > len("Failed to call CreateCluster: ")


def test_there_are_calls_of_all_kinds():
    assert {case.values[0] for case in CASES} >= {"elasticache"}
    assert len({case.values[1] for case in CASES}) > 20


@pytest.mark.parametrize("code", OF_ANYTHING)
@pytest.mark.parametrize(
    ("message", "options", "option"),
    [
        (
            "SnapshotRetentionLimit must be between 0 and 35",
            {"snapshot_retention_limit": 40, "port": 1},
            "snapshot_retention_limit",
        ),
        ("MultiAZEnabled needs AutomaticFailoverEnabled", {"multi_az_enabled": True, "port": 1}, "multi_az_enabled"),
        (
            "SET is allowed after a ROTATE with the same token only",
            {"auth_token_update_strategy": "set", "port": 1},
            "auth_token_update_strategy",
        ),
        ("db.t9.small is unknown", {"node_type": "db.t9.small", "port": 1}, "node_type"),
        ("Invalid node type", {"node_type": "db.t9.small", "cluster_name": "a"}, "node_type"),
        ("Cannot find version 9.9", {"engine_version": "9.9", "engine": "redis"}, "engine_version"),
        ("no", {"port": 1, "cluster_name": "a", "wait": True, "tags": None}, "cluster_name, port"),
    ],
)
def test_a_code_for_anything_names_the_option_that_aws_means_or_those_that_are_stated(code, message, options, option):
    told = sentence("CreateCluster", code, options, message)
    assert f" {option}" in told and (f"change {option}: " in told or "one of the options" in told)


def test_an_option_that_is_stated_is_named_before_one_that_is_not():
    options = {
        "replication_group_id": None,
        "cache_cluster_id": "pages",
        "num_cache_clusters": None,
        "num_cache_nodes": 40,
    }
    told = sentence("CreateCacheCluster", "NodeQuotaForCustomerExceeded", options)
    assert "change num_cache_nodes: " in told and "num_cache_clusters" not in told


def test_nothing_is_made_up_of_a_code_that_nobody_knows():
    assert sentence("CreateCluster", "SomethingNewFault", {"port": 1}) == "Failed to call CreateCluster"
