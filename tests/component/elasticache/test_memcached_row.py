"""Memcached's row of the table of targets: what it is made of, under exactly what its row says that AWS asks for."""

from __future__ import annotations

import importlib
import json
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import Names, document
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import BY_SERVICE
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.target import CACHE_CLUSTER

pytestmark = pytest.mark.long


@pytest.fixture
def held_to(aws):
    """Hold the operator to the policy of a stage, without one of its actions where that is named."""

    def give(stage, target, without=""):
        names = Names("shop-prod", "us-east-1", "123456789012", target)
        permissions = [one for one in BY_SERVICE[CACHE_CLUSTER.service][stage] if one.action != without]
        order = {"key": "operator", "policy": document(permissions, names)}
        aws.ask("policy", data=json.dumps(order).encode())

    yield give
    aws.ask("policy", data=json.dumps({"key": "operator", "policy": None}).encode())


def main_of(part):
    return importlib.import_module(f"ansible_collections.kempian.cache_migration.plugins.modules.{part.module}").main


def run_parts(converge, parts):
    for part in parts:
        result = converge(main_of(part), **part.args)
        assert not result.get("failed"), f"{part.what}: {result.get('msg')}"


def test_the_target_is_made_changed_and_taken_away_with_what_its_row_asks_for(aws, run, converge, held_to):
    name = f"m{uuid.uuid4().hex[:8]}"
    settings = {
        "name": "shop-prod",
        "cache_cluster_id": name,
        "cache_node_type": "cache.t3.micro",
        "num_cache_nodes": 1,
        "subnet_ids": sorted(item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"])[:2],
        "parameters": {"max_item_size": 2097152},
        "adopt": False,
        "tags": {"team": "kempian"},
    }
    held_to("provision", name)
    run_parts(converge, CACHE_CLUSTER.parts(settings, None))
    larger = {**settings, "num_cache_nodes": 2, "cache_node_type": "cache.t3.small"}
    run_parts(converge, CACHE_CLUSTER.parts(larger, {}))
    held_to("provision", name, without="elasticache:ModifyCacheCluster")
    target = CACHE_CLUSTER.parts({**larger, "num_cache_nodes": 1}, {})[-1]
    denied = run(main_of(target), **target.args)
    assert denied["failed"] and "elasticache:ModifyCacheCluster" in denied["msg"]
    held_to("rollback", name)
    run_parts(converge, CACHE_CLUSTER.removal(settings))
