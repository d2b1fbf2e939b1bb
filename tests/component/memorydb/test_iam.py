"""What the row says that AWS asks for is what AWS asks for: the target is made, changed and taken away under it."""

from __future__ import annotations

import importlib
import json
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import Names, document
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.making import args_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.target import MEMORYDB

pytestmark = pytest.mark.long

PASSWORD = "a-password-of-sixteen"


@pytest.fixture
def held_to(aws):
    """Hold the operator to a policy, with other statements than these left out."""

    def give(stage, target, without=""):
        names = Names("shop-prod", "us-east-1", "123456789012", target)
        permissions = [one for one in BY_SERVICE["memorydb"][stage] if one.action != without]
        order = {"key": "operator", "policy": document(permissions, names)}
        aws.ask("policy", data=json.dumps(order).encode())

    yield give
    aws.ask("policy", data=json.dumps({"key": "operator", "policy": None}).encode())


@pytest.fixture
def settings(aws):
    subnets = sorted(item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"])[:2]
    return {
        "name": "shop-prod",
        "memorydb_cluster_name": f"i{uuid.uuid4().hex[:6]}",
        "node_type": "db.t4g.small",
        "num_replicas_per_shard": 0,
        "engine_version": "7.1",
        "subnet_ids": subnets,
        "parameters": {"timeout": 60},
        "username": "shop-app",
        "adopt": False,
        "tags": {"team": "kempian"},
        "final_snapshot_identifier": f"last-{uuid.uuid4().hex[:6]}",
    }


def run_parts(converge, parts):
    for part in parts:
        module = importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{part.module}")
        result = converge(module.main, **args_of(part, PASSWORD))
        assert not result.get("failed"), f"{part.what}: {result.get('msg')}"


def test_the_target_is_made_changed_and_taken_away_with_what_its_row_asks_for(aws, run, converge, held_to, settings):
    name = settings["memorydb_cluster_name"]
    held_to("provision", name)
    run_parts(converge, MEMORYDB.parts(settings, None))
    run_parts(converge, MEMORYDB.parts({**settings, "snapshot_retention_limit": 3, "parameters": {"timeout": 90}}, {}))
    held_to("provision", name, without="memorydb:UpdateCluster")
    cluster = MEMORYDB.parts({**settings, "snapshot_retention_limit": 4}, {})[-1]
    module = importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{cluster.module}")
    denied = run(module.main, **cluster.args)
    assert denied["failed"] and "memorydb:UpdateCluster" in denied["msg"]
    held_to("rollback", name)
    run_parts(converge, MEMORYDB.removal(settings))
