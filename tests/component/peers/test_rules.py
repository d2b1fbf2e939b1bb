"""The rules at the top of the scenarios, each made into cases: the scenarios show a part of what follows of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.component.local_aws import Aws
from tests.component.peers.basics import BASICS, made
from tests.component.peers.scenarios import RULES, Step
from tests.component.peers.services.table import SERVICES
from tests.component.peers.story import Story

Run = Callable[..., dict[str, Any]]
REPLACED = RULES["force_replacement"]

# What no module takes, and why; and names, by which another resource would be meant.
NO_OPTION = {
    "cache_security_group_names": "security groups of EC2-Classic, which is gone",
    "global_replication_group_id": "a migration has one region",
    "outpost_mode": "the local AWS is no Outpost",
    "preferred_outpost_arn": "the local AWS is no Outpost",
    "replication_group_id": "names another group",
    "cache_cluster_id": "names another cluster",
    "serverless_cache_name": "names another cache",
    "cluster_name": "names another cluster",
    "cache_subnet_group_name": "names another subnet group",
    "cache_parameter_group_name": "names another parameter group",
    "user_id": "names another user",
}
NAMES = ("subnet_group", "parameter_group")  # of which a name is what is made

REDIS6 = {"cache_node_type": "cache.t3.small", "engine": "redis", "engine_version": "6.2", "num_cache_clusters": 1}
SHARDED = {
    **BASICS["elasticache_replication_group"],
    "cluster_mode": "enabled",
    "automatic_failover_enabled": True,
    "num_node_groups": 2,
    "replicas_per_node_group": 0,
}
REDIS_NODE = {"engine": "redis", "cache_node_type": "cache.t3.small", "engine_version": "7.0"}

# By service and what is there: options with a value that only another one could have.
OTHER_VALUES: Mapping[str, tuple[tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]], ...]] = {
    "elasticache_replication_group": (
        (
            BASICS["elasticache_replication_group"],
            {
                "at_rest_encryption_enabled": {"at_rest_encryption_enabled": False},
                "cache_subnet_group_name": {"cache_subnet_group_name": "<subnet-group>"},
                "data_tiering_enabled": {"data_tiering_enabled": True},
                "kms_key_id": {"kms_key_id": "<kms-key arn>"},
                "network_type": {"network_type": "dual_stack"},
                "port": {"port": 6380},
                "snapshot_arns": {"snapshot_arns": ["arn:aws:s3:::bucket/dump.rdb"]},
                "snapshot_name": {"snapshot_name": "another"},
                "engine": {"engine": "redis", "engine_version": "7.1"},
                "engine_version": {"engine_version": "7.2"},
            },
        ),
        (REDIS6, {"transit_encryption_enabled": {"transit_encryption_enabled": True}}),
        (
            SHARDED,
            {
                "node_group_configuration": {
                    "node_group_configuration": [
                        {"node_group_id": "0001", "slots": "0-99", "replica_count": 0},
                        {"node_group_id": "0002", "slots": "100-16383", "replica_count": 0},
                    ]
                }
            },
        ),
    ),
    "elasticache_cache_cluster": (
        (
            {**BASICS["elasticache_cache_cluster"], "engine_version": "1.6.12"},
            {
                "cache_subnet_group_name": {"cache_subnet_group_name": "<subnet-group>"},
                "engine": {"engine": "redis", "engine_version": "7.0"},
                "engine_version": {"engine_version": "1.6.6"},
                "network_type": {"network_type": "dual_stack"},
                "port": {"port": 11212},
                "preferred_availability_zone": {"preferred_availability_zone": "<az-2>"},
                "transit_encryption_enabled": {"transit_encryption_enabled": True},
            },
        ),
        (
            REDIS_NODE,
            {
                "snapshot_arns": {"snapshot_arns": ["arn:aws:s3:::bucket/dump.rdb"]},
                "snapshot_name": {"snapshot_name": "another"},
            },
        ),
    ),
    "elasticache_serverless_cache": (
        (
            BASICS["elasticache_serverless_cache"],
            {
                "kms_key_id": {"kms_key_id": "<kms-key arn>"},
                "snapshot_arns_to_restore": {
                    "snapshot_arns_to_restore": ["arn:aws:elasticache:us-east-1:123456789012:snapshot:another"]
                },
                "subnet_ids": {"subnet_ids": ["<subnet-1>"]},
                "engine": {"engine": "memcached", "major_engine_version": "1.6"},
                "major_engine_version": {"major_engine_version": "7"},
            },
        ),
    ),
    "elasticache_parameter_group": (
        (
            BASICS["elasticache_parameter_group"],
            {
                "cache_parameter_group_family": {"cache_parameter_group_family": "redis7"},
                "description": {"description": "another text"},
            },
        ),
    ),
    "elasticache_user": ((BASICS["elasticache_user"], {"user_name": {"user_name": "username2"}}),),
    "memorydb_cluster": (
        (
            BASICS["memorydb_cluster"],
            {
                "auto_minor_version_upgrade": {"auto_minor_version_upgrade": False},
                "data_tiering": {"data_tiering": True},
                "kms_key_id": {"kms_key_id": "<kms-key arn>"},
                "port": {"port": 6380},
                "snapshot_arns": {"snapshot_arns": ["arn:aws:s3:::bucket/dump.rdb"]},
                "snapshot_name": {"snapshot_name": "another"},
                "subnet_group_name": {"subnet_group_name": "<subnet-group>"},
                "tls_enabled": {"tls_enabled": False},
            },
        ),
    ),
}


def test_every_option_that_only_another_resource_could_have_has_its_case_or_a_reason() -> None:
    words = {"replication_group", "cache_cluster", "serverless_cache", "subnet_group", "parameter_group", "user"}
    for service, rules in REPLACED.items():
        kind = f"elasticache_{service}" if service in words else service
        told = {*rules["always"], *(name for name in rules if name not in ("always", "in_place", "unset_port"))}
        cases = {option for _base, others in OTHER_VALUES.get(kind, ()) for option in others}
        named = {name for name in told if name in NO_OPTION and (name not in cases)}
        in_place = {"cache_node_type"} if kind == "elasticache_cache_cluster" else set()  # see otherwise.yml
        joined = {"replication_group_id"} if kind == "elasticache_cache_cluster" else set()
        assert told - named - in_place - joined == cases, kind


@pytest.mark.long
@pytest.mark.parametrize(
    ("service", "there"),
    [
        pytest.param(service, (base, others), id=f"{service}-{number}")
        for service, bases in OTHER_VALUES.items()
        for number, (base, others) in enumerate(bases, 1)
    ],
)
def test_what_only_another_resource_could_have_is_refused_by_the_option_with_the_way_and_nothing_is_touched(
    service: str, there: tuple[Mapping[str, Any], Mapping[str, Any]], aws: Aws, run: Run, settings: Any
) -> None:
    base, others = there
    settings(creating_seconds=0, modifying_seconds=0)
    steps = [Step("recreated", change=change, plan_only=True) for change in others.values()]
    story = Story(aws, run, SERVICES[service], made(service, base, *steps))
    try:
        story.play()
    finally:
        story.clean_up()


# --- validation, which is before any call ---

GROUP, CLUSTER, CACHE, MEMORYDB = (
    "elasticache_replication_group",
    "elasticache_cache_cluster",
    "elasticache_serverless_cache",
    "memorydb_cluster",
)
TOKEN = {"transit_encryption_enabled": True, "auth_token": "<token-1>"}
LOG = {"log_type": "slow-log", "destination_type": "cloudwatch-logs", "log_format": "text", "destination": "logs"}
LIMITS = {"ecpu_per_second": {"maximum": 999}}

REFUSED = [
    (GROUP, {"engine": "redis", "engine_version": "5.0"}, "engine_version"),
    (GROUP, {"engine": "redis", "engine_version": "6.2.6"}, "engine_version"),
    (GROUP, {"engine": "redis", "engine_version": "7"}, "engine_version"),
    (GROUP, {"engine": "valkey", "engine_version": "7.2.6"}, "engine_version"),
    (CLUSTER, {"engine": "memcached", "engine_version": "1.6"}, "engine_version"),
    *(
        (GROUP, {"replication_group_id": name}, "replication_group_id")
        for name in ("1a", "a--b", "a-", "a_b", "a" * 41)
    ),
    *((CLUSTER, {"cache_cluster_id": name}, "cache_cluster_id") for name in ("1a", "a--b", "a-", "a_b", "a" * 51)),
    (GROUP, {"num_cache_clusters": 2, "num_node_groups": 2}, "num_cache_clusters"),
    (GROUP, {"num_cache_clusters": 2, "replicas_per_node_group": 1}, "num_cache_clusters"),
    (GROUP, {**TOKEN, "user_group_ids": ["group"]}, "auth_token"),
    (
        GROUP,
        {"preferred_cache_cluster_azs": ["<az-1>"], "node_group_configuration": [{"node_group_id": "0001"}]},
        "node_group_configuration",
    ),
    (GROUP, {"transit_encryption_enabled": True, "auth_token_update_strategy": "SET"}, "auth_token"),
    (GROUP, {**TOKEN, "auth_token_update_strategy": "DELETE"}, "auth_token"),
    (
        GROUP,
        {"num_cache_clusters": 2, "multi_az_enabled": True, "automatic_failover_enabled": False},
        "multi_az_enabled",
    ),
    (GROUP, {"num_cache_clusters": 1, "automatic_failover_enabled": True}, "num_cache_clusters"),
    (GROUP, {"snapshot_retention_limit": 36}, "snapshot_retention_limit"),
    (
        GROUP,
        {"log_delivery_configurations": [LOG, {**LOG, "log_type": "engine-log"}, LOG]},
        "log_delivery_configurations",
    ),
    (CLUSTER, {"az_mode": "cross-az", "num_cache_nodes": 1}, "az_mode"),
    (CLUSTER, {"num_cache_nodes": 2, "preferred_availability_zones": ["<az-1>"]}, "preferred_availability_zones"),
    (CACHE, {"cache_usage_limits": LIMITS}, "cache_usage_limits"),
    (CACHE, {"cache_usage_limits": {"ecpu_per_second": {"maximum": 15_000_001}}}, "cache_usage_limits"),
    (CACHE, {"snapshot_retention_limit": 36}, "snapshot_retention_limit"),
    (MEMORYDB, {"num_replicas_per_shard": 6}, "num_replicas_per_shard"),
    (MEMORYDB, {"snapshot_retention_limit": 36}, "snapshot_retention_limit"),
    (MEMORYDB, {"tls_enabled": False, "acl_name": "users"}, "tls_enabled"),
]

FIRST = [next(case for case in REFUSED if case[0] == service) for service in (GROUP, CLUSTER, CACHE, MEMORYDB)]


@pytest.mark.parametrize(
    ("service", "change", "option"),
    [
        pytest.param(*case, id=f"{case[0]}-{number}", marks=() if case in FIRST else pytest.mark.long)
        for number, case in enumerate(REFUSED, 1)
    ],
)
def test_what_cannot_be_is_refused_by_the_option_before_any_call(
    service: str, change: Mapping[str, Any], option: str, aws: Aws, run: Run
) -> None:
    refusal = Step("error", desired={**BASICS[service], **change}, error=option)
    base = made(service)
    Story(aws, run, SERVICES[service], type(base)(base.id, service, (refusal,))).play()


# --- the order of calls ---

ONE_CALL = "ModifyReplicationGroup"
ORDERS: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any], list[str]], ...] = (
    (
        GROUP,
        {**SHARDED, **TOKEN},
        {
            "num_node_groups": 1,
            "replicas_per_node_group": 1,
            "snapshot_retention_limit": 2,
            "auth_token": "<token-2>",
            "auth_token_update_strategy": "ROTATE",
            "tags": {"key": "value"},
        },
        [
            "AddTagsToResource",
            "ModifyReplicationGroupShardConfiguration",
            "IncreaseReplicaCount",
            ONE_CALL,
            ONE_CALL,
        ],
    ),
    (
        GROUP,
        {**BASICS[GROUP], **TOKEN, "num_cache_clusters": 1},
        {
            "num_cache_clusters": 2,
            "preferred_maintenance_window": "wed:03:00-wed:04:00",
            "snapshot_retention_limit": 2,
            "auth_token": "<token-2>",
            "auth_token_update_strategy": "ROTATE",
            "tags": {"key": "value"},
        },
        ["AddTagsToResource", "IncreaseReplicaCount", ONE_CALL, ONE_CALL],
    ),
    (
        GROUP,
        {**BASICS[GROUP], "num_cache_clusters": 2},
        {"num_cache_clusters": 1, "snapshot_retention_limit": 2},
        [ONE_CALL, "DecreaseReplicaCount"],
    ),
    (
        CLUSTER,
        {**BASICS[CLUSTER], "tags": {"old": "one"}},
        {
            "num_cache_nodes": 2,
            "preferred_maintenance_window": "wed:03:00-wed:04:00",
            "auto_minor_version_upgrade": False,
            "tags": {"new": "one"},
        },
        ["RemoveTagsFromResource", "AddTagsToResource", "ModifyCacheCluster"],
    ),
    (
        CACHE,
        BASICS[CACHE],
        {
            "description": "two",
            "daily_snapshot_time": "09:00",
            "snapshot_retention_limit": 2,
            "cache_usage_limits": {"data_storage": {"maximum": 10, "unit": "GB"}, "ecpu_per_second": {"maximum": 5000}},
            "security_group_ids": ["<sg>"],
            "tags": {"key": "value"},
        },
        [
            "AddTagsToResource",
            *(
                f"ModifyServerlessCache {name}"
                for name in (
                    "Description",
                    "DailySnapshotTime",
                    "SnapshotRetentionLimit",
                    "CacheUsageLimits",
                    "SecurityGroupIds",
                )
            ),
        ],
    ),
    (
        "elasticache_parameter_group",
        {**BASICS["elasticache_parameter_group"], "parameters": {"timeout": "20"}},
        {"parameters": {"tcp-keepalive": "360"}, "tags": {"key": "value"}},
        ["AddTagsToResource", "ResetCacheParameterGroup", "ModifyCacheParameterGroup"],
    ),
    (
        MEMORYDB,
        {**BASICS[MEMORYDB], "num_shards": 1},
        {"num_shards": 2, "num_replicas_per_shard": 1, "description": "two", "tags": {"key": "value"}},
        ["TagResource", "UpdateCluster", "UpdateCluster", "UpdateCluster"],
    ),
)


@pytest.fixture
def story(aws: Aws, run: Run, settings: Any, request: pytest.FixtureRequest) -> Iterator[Story]:
    settings(creating_seconds=0, modifying_seconds=0)
    service, base, change, _calls = request.param
    told = Story(aws, run, SERVICES[service], made(service, base, Step("updated_in_place", change=change)))
    yield told
    told.clean_up()


@pytest.mark.long
@pytest.mark.parametrize(
    ("story", "calls"),
    [pytest.param(case, case[3], id=f"{case[0]}-{number}") for number, case in enumerate(ORDERS, 1)],
    indirect=["story"],
)
def test_changes_are_made_in_the_order_that_aws_takes(story: Story, calls: list[str]) -> None:
    story.play()
    assert [_said(call) for call in story.plans[1]] == calls


def _said(call: Mapping[str, Any]) -> str:
    """The call, and what it carries where that is one option a call."""
    if call["action"] != "ModifyServerlessCache":
        return str(call["action"])
    return " ".join([call["action"], *sorted(set(call["parameters"]) - {"ServerlessCacheName"})])
