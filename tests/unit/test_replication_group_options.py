"""Each option of a replication group, stated otherwise than it is: it converges, or is refused before any call."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    Member,
    ReplicationGroup,
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.differences import (
    differences,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.plan import (
    plan_present,
    predict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import Shard

OURS = {"cache_migration:name": "shop-prod"}
TOKEN = "a-token-of-sixteen"
TOPIC = "arn:aws:sns:us-east-1:123456789012:caches"
SLOW = {"log_type": "slow-log", "destination_type": "cloudwatch-logs", "destination": "/shop", "log_format": "json"}
ENGINE = {**SLOW, "log_type": "engine-log", "destination_type": "kinesis-firehose", "destination": "shop"}
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def shard(number, replicas, slots=""):
    zones = ZONES[: replicas + 1]
    named = tuple((f"shop-{n:03}", zone) for n, zone in enumerate(zones[1:], 2))
    return Shard(f"{number:04}", slots, replicas, zones, named)


PLAIN = ReplicationGroup(
    replication_group_id="shop",
    status="available",
    arn="arn:aws:elasticache:us-east-1:123456789012:replicationgroup:shop",
    replication_group_description="Cache of shop-prod",
    engine_version="7.1.0",
    cache_node_type="cache.r7g.large",
    shards=(shard(1, 1),),
    automatic_failover_enabled=True,
    cache_subnet_group_name="shop",
    security_group_ids=("sg-1",),
    cache_parameter_group_name="default.redis7",
    snapshot_window="05:00-06:00",
    preferred_maintenance_window="sun:07:00-sun:08:00",
    address="shop.x.ng.0001.use1.cache.amazonaws.com",
    members=(Member("shop-001", role="primary"), Member("shop-002", role="replica")),
    tags=OURS,
)
LONE = replace(PLAIN, shards=(shard(1, 0),), automatic_failover_enabled=False)
SECURE = replace(PLAIN, transit_encryption_enabled=True, transit_encryption_mode="required")
GROUPS = {
    "plain": PLAIN,
    "alone": LONE,
    "old": replace(LONE, engine_version="5.0.6", cache_parameter_group_name="default.redis5.0"),
    "old six": replace(PLAIN, engine_version="6.2.6", cache_parameter_group_name="default.redis6.x"),
    "TLS": SECURE,
    "a token": replace(SECURE, auth_token_enabled=True),
    "users": replace(SECURE, user_group_ids=("shop",)),
    "compatible": replace(
        SECURE, cluster_mode="compatible", cache_parameter_group_name="default.redis7.cluster.on", databases=1
    ),
    "one shard": replace(SECURE, cluster_mode="enabled", databases=1),
    "two shards": replace(
        SECURE,
        engine="valkey",
        engine_version="9.0.1",
        cluster_mode="enabled",
        databases=1,
        multi_az_enabled=True,
        shards=(shard(1, 1, "0-8191"), shard(2, 1, "8192-16383")),
        cache_parameter_group_name="default.valkey9.cluster.on",
    ),
    "uneven": replace(
        SECURE,
        cluster_mode="enabled",
        databases=1,
        shards=(shard(1, 2), shard(2, 1), shard(4, 0)),
    ),
    "valkey 7.2": replace(
        SECURE, engine="valkey", engine_version="7.2.6", cache_parameter_group_name="default.valkey7"
    ),
    "tiered": replace(PLAIN, cache_node_type="cache.r6gd.xlarge", data_tiering_enabled=True),
    "dual": replace(PLAIN, network_type="dual_stack"),
    "told": replace(
        PLAIN,
        notification_topic_arn=TOPIC,
        notification_topic_status="active",
        log_delivery_configurations=log_delivery.read([SLOW, ENGINE]),
    ),
    "restored": replace(PLAIN, tags={**OURS, "cache_migration:restored_from": "nightly"}),
    "own parameters": replace(PLAIN, cache_parameter_group_name="shop"),
}
GROUPS["durable"] = replace(GROUPS["two shards"], durability="sync", at_rest_encryption_enabled=True)

TWO_SHARDS = [{"node_group_id": "0001", "replica_count": 2}, {"node_group_id": "0002", "replica_count": 1}]
VALUES = {
    "replication_group_description": ["another"],
    "engine": ["redis", "valkey"],
    "engine_version": ["5.0.6", "6.x", "6.2", "7.0", "7.1", "7.2", "8.0", "9.0"],
    "cache_node_type": ["cache.r7g.large", "cache.r7g.xlarge", "cache.t4g.small", "cache.r6gd.xlarge"],
    "num_cache_clusters": [1, 2, 3, 6],
    "num_node_groups": [1, 2, 3, 5],
    "replicas_per_node_group": [0, 1, 2, 5],
    "node_group_configuration": [TWO_SHARDS, TWO_SHARDS[:1], [{"node_group_id": "0009"}], [{"slots": "0-16383"}]],
    "cluster_mode": ["disabled", "compatible", "enabled"],
    "automatic_failover_enabled": [True, False],
    "multi_az_enabled": [True, False],
    "preferred_cache_cluster_azs": [list(ZONES[:2]), ["us-east-1c", "us-east-1d"]],
    "cache_subnet_group_name": ["shop", "other"],
    "security_group_ids": [["sg-1"], ["sg-1", "sg-2"]],
    "cache_parameter_group_name": ["default.redis7", "default.redis7.cluster.on", "shop", "other"],
    "port": [6379, 6380],
    "network_type": ["ipv4", "ipv6", "dual_stack"],
    "ip_discovery": ["ipv4", "ipv6"],
    "transit_encryption_enabled": [True, False],
    "transit_encryption_mode": ["preferred", "required"],
    "at_rest_encryption_enabled": [True, False],
    "kms_key_id": ["1234"],
    "auth_token": [TOKEN],
    "auth_token_update_strategy": ["delete", "keep"],
    "user_group_ids": [[], ["shop"], ["shop", "ops"]],
    "data_tiering_enabled": [True, False],
    "durability": ["sync", "async", "disabled"],
    "snapshot_name": ["nightly", "weekly"],
    "snapshot_arns": [["arn:aws:s3:::dumps/shop.rdb"]],
    "snapshot_retention_limit": [0, 5],
    "snapshot_window": ["01:00-02:00", "07:30-08:30"],
    "preferred_maintenance_window": ["mon:03:00-mon:04:00", "sun:05:30-sun:06:30"],
    "auto_minor_version_upgrade": [True, False],
    "notification_topic_arn": [TOPIC, f"{TOPIC}2"],
    "notification_topic_status": ["active", "inactive"],
    "log_delivery_configurations": [[], [SLOW], [ENGINE, SLOW], [{**SLOW, "destination": "/other"}]],
    "tags": [{}, {"team": "a"}],
}
# Options that go together.
TOGETHER = [
    {"engine": "valkey", "engine_version": "8.0"},
    {"engine": "redis", "engine_version": "7.1"},
    {"engine": "valkey", "engine_version": "9.0", "cache_parameter_group_name": "other"},
    {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred"},
    {"transit_encryption_enabled": True, "transit_encryption_mode": "required"},
    {"transit_encryption_enabled": True, "transit_encryption_mode": "required", "user_group_ids": ["shop"]},
    {"auth_token": TOKEN, "auth_token_update_strategy": "rotate"},
    {"auth_token": TOKEN, "auth_token_update_strategy": "set"},
    {"auth_token": TOKEN, "auth_token_update_strategy": "set", "user_group_ids": []},
    {"auth_token_update_strategy": "delete", "user_group_ids": ["shop"]},
    {"auth_token_update_strategy": "delete", "user_group_ids": ["ops"]},
    {"num_cache_clusters": 3, "preferred_cache_cluster_azs": list(ZONES)},
    {"num_cache_clusters": 1, "preferred_cache_cluster_azs": ["us-east-1a"], "automatic_failover_enabled": False},
    {"num_cache_clusters": 1, "automatic_failover_enabled": False, "multi_az_enabled": False},
    {"cluster_mode": "compatible", "automatic_failover_enabled": True, "num_cache_clusters": 2},
    {"cluster_mode": "enabled", "num_node_groups": 3, "replicas_per_node_group": 2},
    {"cluster_mode": "enabled", "cache_parameter_group_name": "other", "num_node_groups": 2},
    {"cluster_mode": "compatible", "cache_parameter_group_name": "other"},
    {"num_node_groups": 3, "replicas_per_node_group": 2},
    {"num_node_groups": 1, "replicas_per_node_group": 0, "multi_az_enabled": False, "durability": "disabled"},
    {"durability": "async", "engine": "valkey", "engine_version": "9.0", "multi_az_enabled": True},
    {"durability": "sync", "at_rest_encryption_enabled": True, "cache_node_type": "cache.m7g.large"},
    {"ip_discovery": "ipv6", "network_type": "dual_stack"},
    {"notification_topic_arn": TOPIC, "notification_topic_status": "inactive"},
    {"tags": {"team": "a"}, "purge_tags": True},
]
CASES = [{option: value} for option, values in VALUES.items() for value in values] + TOGETHER


def desired(**params):
    return Desired.from_params({"replication_group_id": "shop", "migration_name": "shop-prod", **params})


def outcome(current, params):
    """`refused` with the option, `is so`, or `changes`; that it converges is asserted on the way."""
    try:
        wanted = desired(**params)
        made = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return f"refused {refused.option}"
    after = replace(predict(current, wanted), status="available")
    again = replace(wanted, auth_token_update_strategy="keep" if wanted.auth_token else None)
    assert plan_present(after, again).steps == (), (params, plan_present(after, again).describe())
    assert not (wanted.apply_immediately and differences(after, wanted))
    assert bool(made.steps) == bool(made.diff()["after"])
    for step in made.steps:
        asks_what_aws_takes(current, step)
    return "changes" if made.steps else "is so"


ALONE = ("ClusterMode", "Durability", "AuthTokenUpdateStrategy", "UserGroupIdsToAdd", "RemoveUserGroups")
WITH_IT = {
    "ClusterMode": {"CacheParameterGroupName"},
    "AuthTokenUpdateStrategy": {"AuthToken", "UserGroupIdsToAdd", "UserGroupIdsToRemove", "RemoveUserGroups"},
    "UserGroupIdsToAdd": {"AuthTokenUpdateStrategy", "UserGroupIdsToRemove"},
    "RemoveUserGroups": {"AuthTokenUpdateStrategy", "AuthToken"},
}


def asks_what_aws_takes(current, step):
    """What must be a call of its own is one, and what has no later is done at once."""
    asked = set(step.parameters) - {"ReplicationGroupId", "ApplyImmediately"}
    for name in ALONE:
        assert name not in asked or asked <= {name, *WITH_IT.get(name, ())}
    if step.action != "ModifyReplicationGroup":
        assert step.action.endswith(("Resource",)) or step.parameters["ApplyImmediately"] is True
    assert "SnapshottingClusterId" not in asked or not current.cluster_enabled


@pytest.mark.parametrize("now", sorted(GROUPS))
@pytest.mark.parametrize("later", [False, True], ids=["at once", "in the window"])
def test_every_option_converges_or_is_refused_before_the_first_call(now, later):
    seen = [outcome(GROUPS[now], {**params, "apply_immediately": not later}) for params in CASES]
    assert {"changes", "is so"} < set(seen)


@pytest.mark.parametrize("option", sorted(VALUES))
def test_every_option_can_be_changed_somewhere_or_is_one_that_aws_fixes(option):
    seen = {outcome(group, params) for group in GROUPS.values() for params in CASES if option in params}
    fixed = {
        *("network_type", "data_tiering_enabled", "port", "cache_subnet_group_name", "kms_key_id"),
        *("snapshot_name", "snapshot_arns"),
    }
    if option in fixed:
        alone = {outcome(group, {option: value}) for group in GROUPS.values() for value in VALUES[option]}
        assert "changes" not in alone and f"refused {option}" in alone
    else:
        assert "changes" in seen


def test_no_option_of_a_group_is_forgotten_here():
    about = {"replication_group_id", "migration_name", "purge_tags", "apply_immediately", "adopt"}
    about |= {"parameters_enable_cluster"}
    assert {item.name for item in fields(Desired)} - about == set(VALUES)


def test_a_new_group_is_made_as_it_is_then_planned():
    """Of every statement that makes one, planning against what it makes yields nothing."""
    made = 0
    for params in CASES:
        for base in ({}, {"num_cache_clusters": 2, "automatic_failover_enabled": True}, {"replicas_per_node_group": 1}):
            try:
                wanted = desired(**{"cache_node_type": "cache.r7g.large", **base, **params})
                plan_present(None, wanted)
            except PlanRefused as refused:
                assert refused.option in refused.message
                continue
            after = replace(predict(None, wanted), status="available", address="shop.x", engine_version="9.0.1")
            after = replace(after, engine="valkey") if not wanted.engine_version else predict(None, wanted)
            again = replace(wanted, engine=None, engine_version=None)
            assert plan_present(replace(after, status="available"), again).steps == (), params
            made += 1
    assert made > 60


# --- what is asked for, to the letter ---


def asked(now, **params):
    return [
        {"action": step.action, **{k: v for k, v in step.parameters.items() if k not in ("ReplicationGroupId",)}}
        for step in plan_present(GROUPS[now], desired(**params)).steps
    ]


def refusal(now, **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(GROUPS[now] if now else None, desired(**params))
    return refused.value


NOW = {"ApplyImmediately": True}
MODIFY = {"action": "ModifyReplicationGroup"}


def test_shards_that_go_are_named_the_highest_first():
    """Not by counting: of 0001, 0002 and 0004 it is 0004."""
    assert asked("uneven", num_node_groups=2) == [
        {
            "action": "ModifyReplicationGroupShardConfiguration",
            "NodeGroupCount": 2,
            "NodeGroupsToRemove": ["0004"],
            **NOW,
        }
    ]


def test_shards_come_before_replicas_and_the_engine_after_both():
    steps = asked("two shards", num_node_groups=3, replicas_per_node_group=2, snapshot_retention_limit=1)
    assert [step["action"] for step in steps] == [
        "ModifyReplicationGroupShardConfiguration",
        "IncreaseReplicaCount",
        "ModifyReplicationGroup",
    ]
    assert steps[0]["NodeGroupCount"] == 3 and steps[1]["NewReplicaCount"] == 2
    moved = asked("one shard", engine="valkey", engine_version="8.0", num_node_groups=2)
    assert [step["action"] for step in moved] == ["ModifyReplicationGroupShardConfiguration", "ModifyReplicationGroup"]


def test_a_count_that_is_not_the_same_in_all_shards_is_made_so_where_it_is_not():
    more, fewer = asked("uneven", replicas_per_node_group=1)
    assert more["ReplicaConfiguration"] == [{"NodeGroupId": "0004", "NewReplicaCount": 1}]
    assert fewer["ReplicaConfiguration"] == [{"NodeGroupId": "0001", "NewReplicaCount": 1}]
    assert (more["action"], fewer["action"]) == ("IncreaseReplicaCount", "DecreaseReplicaCount")


def test_replicas_are_placed_in_the_zones_that_are_stated_and_taken_from_those_that_are_not():
    (step,) = asked("plain", num_cache_clusters=3, preferred_cache_cluster_azs=list(ZONES))
    assert step["ReplicaConfiguration"] == [
        {"NodeGroupId": "0001", "NewReplicaCount": 2, "PreferredAvailabilityZones": list(ZONES)}
    ]
    *_rest, gone = asked(
        "plain", num_cache_clusters=1, preferred_cache_cluster_azs=["us-east-1a"], automatic_failover_enabled=False
    )
    assert gone == {"action": "DecreaseReplicaCount", "ReplicasToRemove": ["shop-002"], **NOW}
    refused = refusal("plain", num_cache_clusters=2, preferred_cache_cluster_azs=["us-east-1a", "us-east-1c"])
    assert refused.option == "preferred_cache_cluster_azs" and "us-east-1a, us-east-1b" in refused.message


def test_cluster_mode_rises_by_one_step_a_call_and_gets_its_shards_at_the_end():
    steps = asked("old six", cluster_mode="enabled", engine_version="7.1", num_node_groups=2, replicas_per_node_group=2)
    assert [(step["action"], step.get("ClusterMode")) for step in steps] == [
        ("IncreaseReplicaCount", None),
        ("ModifyReplicationGroup", None),
        ("ModifyReplicationGroup", "compatible"),
        ("ModifyReplicationGroup", "enabled"),
        ("ModifyReplicationGroupShardConfiguration", None),
    ]
    assert asked("plain", cluster_mode="compatible") == [{**MODIFY, "ClusterMode": "compatible", **NOW}]
    assert asked("compatible", cluster_mode="disabled") == [{**MODIFY, "ClusterMode": "disabled", **NOW}]
    refused = refusal("two shards", cluster_mode="disabled")
    assert refused.option == "cluster_mode" and "migrate" in refused.message


def test_while_a_group_is_compatible_only_leaving_that_changes_its_nodes_or_version():
    for option, value in (("cache_node_type", "cache.r7g.xlarge"), ("num_cache_clusters", 3)):
        refused = refusal("compatible", **{option: value})
        assert refused.option == "cluster_mode" and option in refused.message
    left = asked("compatible", cluster_mode="enabled", replicas_per_node_group=2)
    assert [step.get("ClusterMode") or step["action"] for step in left] == ["enabled", "IncreaseReplicaCount"]


@pytest.mark.parametrize(
    ("now", "stated", "group"),
    [
        ("old six", {"engine_version": "7.1"}, "default.redis7"),
        ("valkey 7.2", {"engine_version": "8.0"}, "default.valkey8"),
        ("plain", {"engine": "valkey", "engine_version": "9.0"}, "default.valkey9"),
        ("a cluster", {"engine": "valkey", "engine_version": "8.0"}, "default.valkey8.cluster.on"),
        ("plain", {"engine_version": "7.1"}, None),
    ],
)
def test_the_parameter_group_of_a_new_family_is_named_in_the_call_that_moves_to_it(now, stated, group):
    """AWS refuses it otherwise: "Expected a parameter group of family valkey8 but found one of family valkey7"."""
    of_cluster = replace(GROUPS["one shard"], cache_parameter_group_name="default.redis7.cluster.on")
    current = of_cluster if now == "a cluster" else GROUPS[now]
    steps = plan_present(current, desired(**stated)).steps
    assert [step.parameters.get("CacheParameterGroupName") for step in steps] == ([group] if steps else [])
    assert [step.parameters["EngineVersion"] for step in steps] == ([stated["engine_version"]] if steps else [])


def test_cluster_mode_needs_what_aws_needs_for_it():
    assert refusal("alone", cluster_mode="compatible").option == "automatic_failover_enabled"
    assert refusal("old six", cluster_mode="compatible").option == "cluster_mode"
    assert refusal("own parameters", cluster_mode="compatible").option == "cache_parameter_group_name"
    (step,) = asked("own parameters", cluster_mode="compatible", cache_parameter_group_name="other")
    assert step == {**MODIFY, "ClusterMode": "compatible", "CacheParameterGroupName": "other", **NOW}
    assert refusal("plain", cluster_mode="compatible", apply_immediately=False).option == "apply_immediately"


def test_from_a_token_to_users_and_back_goes_by_one_call():
    assert refusal("a token", user_group_ids=["shop"]).option == "auth_token_update_strategy"
    assert asked("a token", user_group_ids=["shop"], auth_token_update_strategy="delete") == [
        {**MODIFY, "UserGroupIdsToAdd": ["shop"], "AuthTokenUpdateStrategy": "DELETE", **NOW}
    ]
    assert asked("users", user_group_ids=["shop"], auth_token_update_strategy="delete") == []
    assert asked("users", user_group_ids=[], auth_token=TOKEN, auth_token_update_strategy="set") == [
        {**MODIFY, "RemoveUserGroups": True, "AuthToken": TOKEN, "AuthTokenUpdateStrategy": "SET", **NOW}
    ]
    assert refusal("users", user_group_ids=[]).option == "user_group_ids"
    assert refusal("a token", auth_token_update_strategy="delete").option == "user_group_ids"


def test_the_nodes_of_one_shard_are_no_count_of_a_group_of_shards():
    assert refusal("two shards", num_cache_clusters=2).option == "num_cache_clusters"
    theirs = replace(GROUPS["two shards"], tags={})
    with pytest.raises(PlanRefused, match="num_cache_clusters is 4, stated 2"):
        plan_present(theirs, desired(num_cache_clusters=2, adopt=True))


def test_other_user_groups_come_and_go_in_one_call():
    assert asked("users", user_group_ids=["ops"]) == [
        {**MODIFY, "UserGroupIdsToAdd": ["ops"], "UserGroupIdsToRemove": ["shop"], **NOW}
    ]
    assert refusal("users", user_group_ids=["ops"], apply_immediately=False).option == "apply_immediately"
    refused = refusal("plain", user_group_ids=["ops"])
    assert refused.option == "transit_encryption_enabled"
    steps = asked("plain", user_group_ids=["ops"], transit_encryption_enabled=True, transit_encryption_mode="required")
    assert [sorted(set(step) - {"action", "ApplyImmediately"}) for step in steps] == [
        ["TransitEncryptionEnabled", "TransitEncryptionMode"],
        ["TransitEncryptionMode"],
        ["UserGroupIdsToAdd"],
    ]


def test_a_log_that_is_not_stated_any_more_is_sent_as_not_enabled():
    (step,) = asked("told", log_delivery_configurations=[{**SLOW, "log_format": "text"}])
    assert step["LogDeliveryConfigurations"] == [
        {
            "LogType": "slow-log",
            "DestinationType": "cloudwatch-logs",
            "DestinationDetails": {"CloudWatchLogsDetails": {"LogGroup": "/shop"}},
            "LogFormat": "text",
            "Enabled": True,
        },
        {"LogType": "engine-log", "Enabled": False},
    ]
    assert asked("told", log_delivery_configurations=[ENGINE, SLOW]) == []
    assert refusal("old", log_delivery_configurations=[SLOW]).option == "log_delivery_configurations"
    assert asked("old", engine_version="6.x", log_delivery_configurations=[SLOW, ENGINE])  # 6.x is the newest of 6


def test_a_topic_that_is_stated_is_told_unless_it_is_said_that_it_is_not():
    (step,) = asked("plain", notification_topic_arn=TOPIC)
    assert (step["NotificationTopicArn"], step["NotificationTopicStatus"]) == (TOPIC, "active")
    (step,) = asked("told", notification_topic_status="inactive")
    assert step["NotificationTopicStatus"] == "inactive" and "NotificationTopicArn" not in step
    assert asked("plain", notification_topic_status="inactive") == []
    assert refusal("plain", notification_topic_status="active").option == "notification_topic_arn"


def test_durability_is_a_call_of_its_own_with_all_that_it_lacks_told_at_once():
    assert asked("two shards", durability="sync") == [{**MODIFY, "Durability": "sync", **NOW}]
    assert predict(GROUPS["two shards"], desired(durability="async")).at_rest_encryption_enabled
    refused = refusal("plain", durability="sync")
    for option in ("engine_version", "cluster_mode", "multi_az_enabled", "transit_encryption_enabled"):
        assert option in refused.message
    for lacking, option in (({"cache_node_type": "cache.t4g.small"}, "cache_node_type"),):
        assert refusal("durable", **lacking).option == option
    steps = asked("durable", durability="disabled", multi_az_enabled=False, replicas_per_node_group=0)
    assert [step.get("Durability") or step["action"] for step in steps] == [
        "disabled",
        "ModifyReplicationGroup",
        "DecreaseReplicaCount",
    ]


def test_what_a_group_was_restored_from_is_kept_and_another_is_refused():
    assert asked("restored", snapshot_name="nightly") == []
    assert "nightly" in refusal("restored", snapshot_name="weekly").message
    assert "not restored" in refusal("plain", snapshot_name="nightly").message
    assert asked("restored", tags={"a": "b"}, purge_tags=True)[0]["action"] == "AddTagsToResource"


def test_data_tiering_and_its_node_types_go_together():
    node = {"cache_node_type": "cache.r6gd.xlarge"}
    assert refusal(None, **node).option == "data_tiering_enabled"
    assert refusal(None, cache_node_type="cache.r7g.large", data_tiering_enabled=True).option == "data_tiering_enabled"
    assert plan_present(None, desired(**node, data_tiering_enabled=True)).steps
    assert refusal(None, **node, data_tiering_enabled=True, engine_version="6.0").option == "engine_version"


@pytest.mark.parametrize(
    ("version", "option", "value", "takes"),
    [
        ("6.x", "log_delivery_configurations", [SLOW, ENGINE], True),
        ("6.0", "log_delivery_configurations", [SLOW], True),
        ("6.0", "log_delivery_configurations", [ENGINE], False),
        ("5.0.6", "log_delivery_configurations", [SLOW], False),
        ("6.x", "auto_minor_version_upgrade", False, True),
        ("5.0.6", "auto_minor_version_upgrade", False, False),
        ("7.0", "transit_encryption_mode", "required", True),
        ("6.x", "transit_encryption_mode", "required", False),
    ],
)
def test_a_version_that_is_stated_short_is_the_newest_of_its_kind(version, option, value, takes):
    tls = {"transit_encryption_enabled": True}
    stated = {"cache_node_type": "cache.r7g.large", "engine_version": version, **tls, option: value}
    if takes:
        assert plan_present(None, desired(**stated)).steps
    else:
        assert refusal(None, **stated).option == option


# --- a new group of shards ---


def created(**params):
    (step,) = plan_present(None, desired(cache_node_type="cache.r7g.large", **params)).steps
    return step.parameters


def test_a_new_group_of_shards_is_made_with_failover_and_without_replicas_where_none_are_stated():
    made = created(num_node_groups=2)
    assert (made["NumNodeGroups"], made["ReplicasPerNodeGroup"]) == (2, 0)
    assert made["AutomaticFailoverEnabled"] is True and "NumCacheClusters" not in made
    wanted = desired(cache_node_type="cache.r7g.large", num_node_groups=2, transit_encryption_enabled=True)
    endpoint = endpoint_of(predict(None, wanted))
    assert (endpoint.protocol, endpoint.databases, endpoint.state) == ("redis-cluster", 1, "after_apply")


def test_one_shard_has_cluster_mode_where_it_is_stated_or_the_parameter_group_says_so():
    one = {"num_node_groups": 1, "replicas_per_node_group": 1, "automatic_failover_enabled": True}
    protocols = {
        protocol: endpoint_of(predict(None, desired(cache_node_type="cache.r7g.large", **one, **more))).protocol
        for protocol, more in (
            ("plain", {}),
            ("stated", {"cluster_mode": "enabled"}),
            ("group", {"cache_parameter_group_name": "default.redis7.cluster.on"}),
        )
    }
    assert protocols == {"plain": "redis", "stated": "redis-cluster", "group": "redis-cluster"}
    own = replace(desired(**one, cache_parameter_group_name="own"), parameters_enable_cluster=True)
    assert endpoint_of(predict(None, own)).protocol == "redis-cluster"
    none = replace(
        desired(cache_node_type="cache.r7g.large", **one, cluster_mode="enabled"), parameters_enable_cluster=False
    )
    with pytest.raises(PlanRefused, match="cluster-enabled"):
        plan_present(None, none)


def test_before_version_7_the_parameter_group_enables_cluster_mode():
    made = created(engine_version="6.x", cluster_mode="enabled", num_node_groups=1)
    assert made["CacheParameterGroupName"] == "default.redis6.x.cluster.on" and "ClusterMode" not in made


def test_shards_are_laid_out_as_they_are_stated():
    made = created(
        node_group_configuration=[
            {
                "node_group_id": "0001",
                "replica_count": 1,
                "slots": "0-8191",
                "primary_availability_zone": "us-east-1a",
                "replica_availability_zones": ["us-east-1b"],
            },
            {"node_group_id": "0002", "slots": "8192-16383"},
        ],
        replicas_per_node_group=2,
    )
    assert made["NumNodeGroups"] == 2
    assert made["NodeGroupConfiguration"] == [
        {
            "NodeGroupId": "0001",
            "Slots": "0-8191",
            "ReplicaCount": 1,
            "PrimaryAvailabilityZone": "us-east-1a",
            "ReplicaAvailabilityZones": ["us-east-1b"],
        },
        {"NodeGroupId": "0002", "Slots": "8192-16383", "ReplicaCount": 2},
    ]


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"num_cache_clusters": 2, "replicas_per_node_group": 0}, "replicas_per_node_group"),
        ({"num_cache_clusters": 2, "num_node_groups": 1}, "num_node_groups"),
        ({"num_node_groups": 2, "cluster_mode": "disabled"}, "cluster_mode"),
        ({"num_node_groups": 2, "cluster_mode": "compatible"}, "cluster_mode"),
        ({"num_node_groups": 2, "automatic_failover_enabled": False}, "automatic_failover_enabled"),
        ({"num_node_groups": 2, "cache_parameter_group_name": "default.redis7"}, "cache_parameter_group_name"),
        ({"cluster_mode": "enabled", "cache_parameter_group_name": "default.redis7"}, "cache_parameter_group_name"),
        ({"cluster_mode": "enabled", "num_cache_clusters": 2}, "num_cache_clusters"),
        ({"num_node_groups": 2, "multi_az_enabled": True}, "multi_az_enabled"),
        ({"num_node_groups": 3, "node_group_configuration": TWO_SHARDS}, "num_node_groups"),
        ({"node_group_configuration": [{"slots": "0-16382"}]}, "node_group_configuration"),
        ({"node_group_configuration": [{"slots": "0-9000"}, {"slots": "9000-16383"}]}, "node_group_configuration"),
        ({"node_group_configuration": [{"node_group_id": "00001"}]}, "node_group_configuration"),
        ({"node_group_configuration": [{"replica_count": 6}]}, "node_group_configuration"),
        ({"node_group_configuration": TWO_SHARDS, "preferred_cache_cluster_azs": ["a"]}, "node_group_configuration"),
        ({"num_node_groups": 0}, "num_node_groups"),
        ({"replicas_per_node_group": 6}, "replicas_per_node_group"),
        ({"auth_token": TOKEN, "user_group_ids": ["shop"]}, "user_group_ids"),
        ({"user_group_ids": ["shop"]}, "user_group_ids"),
        ({"snapshot_name": "a", "snapshot_arns": ["arn:aws:s3:::dumps/a.rdb"]}, "snapshot_arns"),
        ({"snapshot_arns": ["s3://dumps/a.rdb"]}, "snapshot_arns"),
        ({"snapshot_arns": ["arn:aws:s3:::dumps/a.rdb"], "num_node_groups": 2}, "node_group_configuration"),
        ({"network_type": "ipv4", "ip_discovery": "ipv6"}, "ip_discovery"),
        ({"ip_discovery": "ipv6"}, "ip_discovery"),
        ({"notification_topic_arn": "caches"}, "notification_topic_arn"),
        ({"log_delivery_configurations": [SLOW, SLOW]}, "log_delivery_configurations"),
        ({"durability": "sync"}, "engine_version"),
        ({"durability": "sync", "at_rest_encryption_enabled": False}, "at_rest_encryption_enabled"),
        ({"engine_version": "5.0.6", "auto_minor_version_upgrade": False}, "auto_minor_version_upgrade"),
    ],
)
def test_what_aws_would_refuse_of_a_new_group_is_refused_first(params, option):
    refused = refusal(None, cache_node_type="cache.r7g.large", **params)
    assert refused.option == option and option in refused.message
