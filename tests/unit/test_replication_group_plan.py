"""From a replication group as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    Member,
    ReplicationGroup,
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.differences import (
    differences,
    queued_against,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.plan import (
    needs_allowed_node_types,
    plan_absent,
    plan_present,
    predict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import Shard
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)
from hypothesis import event, given, settings
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
TOKEN = "a-token-of-sixteen"


def one(nodes):
    """The shards of a group without cluster mode that has so many nodes."""
    return (Shard("0001", replica_count=nodes - 1),)


CURRENT = ReplicationGroup(
    replication_group_id="shop",
    status="available",
    arn="arn:aws:elasticache:us-east-1:123456789012:replicationgroup:shop",
    replication_group_description="Cache of shop-prod",
    engine_version="7.1.0",
    cache_node_type="cache.t3.small",
    shards=one(2),
    automatic_failover_enabled=True,
    multi_az_enabled=True,
    cache_subnet_group_name="shop",
    security_group_ids=("sg-1",),
    cache_parameter_group_name="default.redis7",
    transit_encryption_enabled=True,
    transit_encryption_mode="required",
    auth_token_enabled=True,
    snapshot_retention_limit=5,
    snapshot_window="05:00-06:00",
    preferred_maintenance_window="sun:05:00-sun:06:00",
    address="master.shop.x.use1.cache.amazonaws.com",
    members=(Member("shop-001", role="primary"), Member("shop-002", role="replica")),
    tags=OURS,
)
PLAIN = replace(CURRENT, transit_encryption_enabled=False, transit_encryption_mode="", auth_token_enabled=False)


def desired(**params):
    return Desired.from_params({"replication_group_id": "shop", "migration_name": "shop-prod", **params})


def plan(current, **params):
    return plan_present(current, desired(**params))


def actions(current, **params):
    return [step.action for step in plan(current, **params).steps]


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan(current, **params)
    return refused.value


# --- the property ---

TOPIC = "arn:aws:sns:us-east-1:123456789012:caches"
SLOW = {"log_type": "slow-log", "destination_type": "cloudwatch-logs", "destination": "/shop", "log_format": "json"}
ENGINE = {**SLOW, "log_type": "engine-log", "destination_type": "kinesis-firehose", "destination": "shop"}
ONE_SHARD = [{"node_group_id": "0001", "replica_count": 2}]
TWO_SHARDS = [
    {"node_group_id": "0001", "replica_count": 1, "slots": "0-8191"},
    {"node_group_id": "0002", "slots": "8192-16383"},
]
HALVES = ("0-8191", "8192-16383")


def shards(*replicas):
    slots = HALVES if len(replicas) == 2 else [""] * len(replicas)
    return tuple(Shard(f"{n:04}", slots[n - 1], count) for n, count in enumerate(replicas, 1))


def with_mode(group, mode):
    """As AWS has it: cluster mode with failover, of a version that has it, and one shard where it is not enabled."""
    if mode == "disabled" or not group.version or (mode == "compatible" and group.version < (7, 0)):
        return group
    fits = replace(group, cluster_mode=mode, automatic_failover_enabled=True, databases=1, pending={})
    return replace(fits, multi_az_enabled=fits.multi_az_enabled and fits.replicas_per_node_group > 0)


def as_aws_has_it(group):
    """Of an engine that has its version, and with nothing queued but what changes it in place."""
    engine = "valkey" if version_numbers(group.engine_version) >= (7, 2) else "redis"
    queued = group.pending.get("engine_version", "")
    fits = not queued or ("engine" in group.pending) == (engine == "redis" and queued != "7.1")
    fits = fits and (not queued or version_numbers(queued) > version_numbers(group.engine_version)[:2])
    fits = fits and group.pending.get("automatic_failover_enabled") is not group.automatic_failover_enabled
    return replace(group, engine=engine, pending=group.pending if fits else {})


GROUPS = (
    st.builds(
        replace,
        st.just(CURRENT),
        engine_version=st.sampled_from(["5.0.5", "6.2.6", "7.0.4", "7.0.7", "7.1.0", "7.2.6", "8.0.1", "9.0.0"]),
        cache_node_type=st.sampled_from(["cache.t3.small", "cache.t3.medium"]),
        shards=st.integers(1, 6).map(one),
        automatic_failover_enabled=st.booleans(),
        multi_az_enabled=st.booleans(),
        security_group_ids=st.sampled_from([("sg-1",), ("sg-1", "sg-2")]),
        cache_parameter_group_name=st.sampled_from(["default.redis7", "default.redis6.x", "default.valkey8", "shop"]),
        at_rest_encryption_enabled=st.booleans(),
        storage_encryption_type=st.sampled_from(["", "none", "sse-elasticache", "sse-kms"]),
        snapshot_retention_limit=st.integers(0, 3),
        tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {**OURS, "team": "b", "aws:x": "y"}, {}]),
        pending=st.sampled_from(
            [
                {},
                {"cache_node_type": "cache.t3.medium"},
                {"engine_version": "7.1"},
                {"cache_node_type": "cache.t3.large"},
                {"automatic_failover_enabled": True},
                {"automatic_failover_enabled": False},
                {"engine": "valkey", "engine_version": "8.0"},
                {"engine_version": "8.1"},
            ]
        ),
    )
    .map(as_aws_has_it)
    .flatmap(
        lambda group: st.sampled_from(
            [
                group,
                replace(group, transit_encryption_mode="preferred"),
                replace(group, auth_token_enabled=False),
                replace(group, transit_encryption_enabled=False, transit_encryption_mode="", auth_token_enabled=False),
                replace(group, auth_token_enabled=False, user_group_ids=("shop",)),
                replace(group, notification_topic_arn=TOPIC, notification_topic_status="active"),
                replace(group, log_delivery_configurations=log_delivery.read([SLOW])),
                replace(group, tags={**OURS, "cache_migration:restored_from": "nightly"}),
            ]
        )
    )
)
CLUSTERED = st.builds(
    lambda group, mode, replicas: with_mode(
        replace(group, shards=shards(*(replicas[:1] if mode == "compatible" else replicas))), mode
    ),
    GROUPS,
    st.sampled_from(["compatible", "enabled", "enabled"]),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
)
OPTIONS = {
    "engine": st.sampled_from(["redis", "valkey"]),
    "engine_version": st.sampled_from(["5.0.6", "6.x", "7.0", "7.1", "7.2", "8.0", "8.1", "9.0"]),
    "cache_node_type": st.sampled_from(["cache.t3.small", "cache.t3.medium"]),
    "num_cache_clusters": st.integers(1, 6),
    "automatic_failover_enabled": st.booleans(),
    "multi_az_enabled": st.booleans(),
    "security_group_ids": st.sampled_from([[], ["sg-1"], ["sg-2", "sg-1"]]),
    "cache_parameter_group_name": st.sampled_from(["default.redis7", "default.valkey8", "shop", "shop8"]),
    "transit_encryption_enabled": st.booleans(),
    "transit_encryption_mode": st.sampled_from(["preferred", "required"]),
    "at_rest_encryption_enabled": st.booleans(),
    "auth_token": st.just(TOKEN),
    "snapshot_retention_limit": st.integers(0, 3),
    "snapshot_window": st.sampled_from(["03:00-04:00", "05:30-06:30"]),
    "preferred_maintenance_window": st.sampled_from(["mon:03:30-mon:05:00", "sun:07:00-sun:08:00"]),
    "preferred_cache_cluster_azs": st.sampled_from([["us-east-1a"], ["us-east-1a", "us-east-1b"]]),
    "replication_group_description": st.sampled_from(["one", "two", ""]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b", "stage": "prod"}]),
    "purge_tags": st.booleans(),
    "apply_immediately": st.booleans(),
    "adopt": st.booleans(),
    "auth_token_update_strategy": st.sampled_from(["rotate", "set", "delete"]),
    "user_group_ids": st.sampled_from([[], ["shop"], ["shop", "ops"]]),
    "cluster_mode": st.sampled_from(["disabled", "compatible", "enabled"]),
    "num_node_groups": st.integers(1, 4),
    "replicas_per_node_group": st.integers(0, 3),
    "node_group_configuration": st.sampled_from([ONE_SHARD, TWO_SHARDS]),
    "durability": st.sampled_from(["sync", "async", "disabled"]),
    "data_tiering_enabled": st.booleans(),
    "network_type": st.sampled_from(["ipv4", "ipv6", "dual_stack"]),
    "ip_discovery": st.sampled_from(["ipv4", "ipv6"]),
    "auto_minor_version_upgrade": st.booleans(),
    "notification_topic_arn": st.sampled_from([TOPIC, f"{TOPIC}2"]),
    "notification_topic_status": st.sampled_from(["active", "inactive"]),
    "log_delivery_configurations": st.sampled_from([[], [SLOW], [SLOW, ENGINE]]),
    "snapshot_name": st.sampled_from(["nightly", "weekly"]),
}


@given(st.one_of(st.none(), GROUPS, CLUSTERED), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        first = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message or refused.option in ("state", "replication_group_id")
        return
    after = replace(predict(current, wanted), status="available")
    # A token is changed once a task, since AWS never tells it.
    again = plan_present(after, replace(wanted, auth_token_update_strategy="keep"))
    assert again.steps == ()
    assert again.diff() == {"before": {}, "after": {}}
    assert bool(first.steps) == (first.diff()["before"] != first.diff()["after"]) or not first.steps


def a_few(names):
    return st.fixed_dictionaries({name: OPTIONS[name] for name in names})


FEW = st.lists(st.sampled_from(sorted(set(OPTIONS) - {"adopt", "auth_token"})), min_size=1, max_size=3).flatmap(a_few)


def that_aws_would_have(group):
    """Ours, and able to fail over as it says."""
    fails_over = group.automatic_failover_enabled and (group.num_cache_clusters > 1 or group.cluster_enabled)
    spread = group.multi_az_enabled and fails_over and group.replicas_per_node_group > 0
    tags = group.tags or OURS
    return replace(group, automatic_failover_enabled=fails_over, multi_az_enabled=spread, tags=tags)


@settings(max_examples=400)
@given(st.one_of(GROUPS, CLUSTERED).map(that_aws_would_have), FEW)
def test_a_change_of_few_options_converges_or_is_refused_by_the_name_of_one(current, params):
    """Each option is what is asked for in the end, or nothing was done at all."""
    try:
        wanted = desired(**params)
        first = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message or refused.option in ("state", "replication_group_id")
        return
    after = replace(predict(current, wanted), status="available")
    assert plan_present(after, replace(wanted, auth_token_update_strategy="keep")).steps == ()
    if wanted.apply_immediately:
        assert not differences(after, wanted)
    event("changes" if first.steps else "is so")
    apart = ("ClusterMode", "Durability", "AuthTokenUpdateStrategy", "UserGroupIdsToAdd", "UserGroupIdsToRemove")
    for step in first.steps:
        alone = [name for name in apart if name in step.parameters]
        assert not alone or not set(step.parameters) & {"EngineVersion", "CacheNodeType", "SnapshotWindow"}


def test_what_is_adopted_is_predicted_as_it_is():
    """Neither tags nor the description, which may differ, become ours."""
    current = replace(CURRENT, tags={"team": "a"})
    assert predict(current, desired(adopt=True, replication_group_description="ours")) == current


@given(st.one_of(GROUPS, CLUSTERED), st.fixed_dictionaries({}, optional=OPTIONS))
def test_a_plan_has_no_token_in_its_description_and_no_step_but_for_what_differs(current, params):
    try:
        made = plan(current, **params)
    except PlanRefused:
        return
    assert TOKEN not in repr(made.describe()) + repr(made.diff())
    assert bool(made.steps) == bool(made.diff()["after"])


@given(st.one_of(GROUPS, CLUSTERED))
def test_options_that_are_left_out_are_not_changed(current):
    if current.tags == {}:
        return
    try:
        steps = plan(current).steps
    except PlanRefused as refused:  # a group that AWS itself would not have
        assert refused.option in ("automatic_failover_enabled", "multi_az_enabled")
        return
    assert steps == ()


# --- what waits for the maintenance window ---

LONE = replace(CURRENT, shards=one(1), automatic_failover_enabled=False, multi_az_enabled=False)
ALONE = replace(LONE, shards=one(2))
BOTH = {"automatic_failover_enabled": True, "multi_az_enabled": True, "apply_immediately": False}


def test_failover_and_multi_az_are_queued_by_one_call_and_not_asked_for_again_while_failover_waits():
    (step,) = plan(ALONE, **BOTH).steps
    assert step.parameters == {
        "ReplicationGroupId": "shop",
        "AutomaticFailoverEnabled": True,
        "MultiAZEnabled": True,
        "ApplyImmediately": False,
    }
    waiting = replace(ALONE, pending={"automatic_failover_enabled": True})
    assert actions(waiting, **BOTH) == []
    off = {"automatic_failover_enabled": False, "multi_az_enabled": False, "apply_immediately": False}
    assert len(actions(CURRENT, **off)) == 1
    assert actions(replace(CURRENT, pending={"automatic_failover_enabled": False}), **off) == []


def test_multi_az_alone_is_not_queued_as_aws_would_never_tell_that_it_is():
    with_failover = replace(ALONE, automatic_failover_enabled=True)
    refused = refusal(with_failover, multi_az_enabled=True, apply_immediately=False)
    assert refused.option == "apply_immediately" and "multi_az_enabled" in refused.message
    assert actions(with_failover, multi_az_enabled=True) == ["ModifyReplicationGroup"]


def test_the_last_replica_stays_while_failover_waits_to_be_switched_off():
    off = {"automatic_failover_enabled": False, "multi_az_enabled": False, "num_cache_clusters": 1}
    assert refusal(CURRENT, **off, apply_immediately=False).option == "apply_immediately"
    assert actions(CURRENT, **off) == ["ModifyReplicationGroup", "DecreaseReplicaCount"]


def test_a_call_that_acts_at_once_brings_the_queued_failover_and_says_so():
    waiting = replace(ALONE, pending={"automatic_failover_enabled": True})
    (step,) = plan(waiting, snapshot_retention_limit=7).steps
    assert "automatic_failover_enabled" in step.reason
    assert predict(waiting, desired(snapshot_retention_limit=7)).automatic_failover_enabled


# --- windows ---


@pytest.mark.parametrize(
    ("daily", "weekly", "overlaps"),
    [
        ("05:00-06:00", "sun:05:30-sun:06:30", True),
        ("05:00-06:00", "sun:06:00-sun:07:00", False),
        ("05:00-06:00", "sun:04:00-sun:05:00", False),
        ("05:00-06:00", "sun:04:00-sun:05:01", True),
        ("23:30-00:30", "sun:00:00-sun:01:00", True),
        ("00:00-01:00", "sat:23:30-sun:00:30", True),
        ("23:00-00:00", "sun:00:00-sun:01:00", False),
        ("12:00-13:00", "mon:14:00-wed:01:00", True),
    ],
)
def test_a_snapshot_window_is_apart_from_the_maintenance_window(daily, weekly, overlaps):
    both = {"snapshot_window": daily, "preferred_maintenance_window": weekly}
    current = replace(CURRENT, snapshot_window=daily, preferred_maintenance_window="")
    if not overlaps:
        assert actions(None, cache_node_type="cache.t3.small", **both) == ["CreateReplicationGroup"]
        assert actions(current, preferred_maintenance_window=weekly) == ["ModifyReplicationGroup"]
        return
    assert refusal(None, cache_node_type="cache.t3.small", **both).option == "preferred_maintenance_window"
    assert refusal(current, preferred_maintenance_window=weekly).option == "preferred_maintenance_window"
    other = replace(CURRENT, snapshot_window="", preferred_maintenance_window=weekly)
    assert refusal(other, snapshot_window=daily).option == "snapshot_window"


def test_windows_of_a_group_that_nobody_changes_are_left_alone():
    odd = replace(CURRENT, snapshot_window="05:00-06:00", preferred_maintenance_window="sun:05:00-sun:06:00")
    assert actions(odd, snapshot_retention_limit=7) == ["ModifyReplicationGroup"]


# --- creation ---


def test_a_group_that_is_not_there_is_made_by_one_call_with_all_that_is_stated():
    made = plan(
        None,
        cache_node_type="cache.t3.small",
        num_cache_clusters=2,
        automatic_failover_enabled=True,
        multi_az_enabled=True,
        preferred_cache_cluster_azs=["us-east-1a", "us-east-1b"],
        at_rest_encryption_enabled=False,
        transit_encryption_enabled=True,
        auth_token=TOKEN,
        tags={"team": "kempian"},
    )
    (step,) = made.steps
    assert step.action == "CreateReplicationGroup"
    assert step.parameters["NumCacheClusters"] == 2
    assert step.parameters["PreferredCacheClusterAZs"] == ["us-east-1a", "us-east-1b"]
    assert step.parameters["AtRestEncryptionEnabled"] is False
    assert step.parameters["AuthToken"] == TOKEN
    assert step.parameters["Tags"] == [
        {"Key": "cache_migration:name", "Value": "shop-prod"},
        {"Key": "team", "Value": "kempian"},
    ]
    assert made.diff()["before"] == {}
    assert made.diff()["after"]["auth_token"] == "***"
    assert made.describe()[0]["parameters"]["AuthToken"] == "***"


def test_a_group_on_its_way_out_counts_as_absent():
    assert actions(replace(CURRENT, status="deleting"), cache_node_type="cache.t3.small") == ["CreateReplicationGroup"]


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({}, "cache_node_type"),
        ({"automatic_failover_enabled": True}, "num_cache_clusters"),
        ({"multi_az_enabled": True, "num_cache_clusters": 2}, "automatic_failover_enabled"),
        ({"auth_token": TOKEN}, "auth_token"),
        ({"transit_encryption_mode": "preferred"}, "transit_encryption_mode"),
        ({"kms_key_id": "1234"}, "kms_key_id"),
        (
            {"engine_version": "7.1", "cache_parameter_group_name": "default.redis6.x"},
            "cache_parameter_group_name",
        ),
        ({"preferred_cache_cluster_azs": ["us-east-1a", "us-east-1b"]}, "num_cache_clusters"),
        (
            {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred", "auth_token": TOKEN},
            "transit_encryption_mode",
        ),
        (
            {"transit_encryption_enabled": True, "transit_encryption_mode": "required", "engine_version": "6.2"},
            "transit_encryption_mode",
        ),
        (
            {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred", "engine_version": "5.0.6"},
            "transit_encryption_mode",
        ),
    ],
)
def test_a_creation_that_aws_would_refuse_is_refused_first(params, option):
    node_type = {} if option == "cache_node_type" else {"cache_node_type": "cache.t3.small"}
    assert refusal(None, **node_type, **params).option == option


def test_a_mode_of_tls_is_stated_where_the_version_has_one():
    preferred = {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred"}
    for version in ({}, {"engine_version": "7.0"}, {"engine_version": "7.1"}):
        assert actions(None, cache_node_type="cache.t3.small", **preferred, **version) == ["CreateReplicationGroup"]


def test_an_empty_text_counts_as_left_out():
    empty = {"replication_group_description": "", "kms_key_id": "", "engine_version": ""}
    (step,) = plan(None, cache_node_type="cache.t3.small", **empty).steps
    assert step.parameters["ReplicationGroupDescription"] == "Cache of shop-prod"
    assert not {"KmsKeyId", "EngineVersion"} & set(step.parameters)
    assert actions(CURRENT, **empty) == []


def test_before_it_is_made_the_endpoint_is_a_placeholder_with_what_is_known():
    wanted = desired(cache_node_type="cache.t3.small", transit_encryption_enabled=True, auth_token=TOKEN, port=6380)
    endpoint = endpoint_of(predict(None, wanted))
    assert (endpoint.state, endpoint.tls, endpoint.auth, endpoint.port) == ("after_apply", True, "token", 6380)


def test_a_placeholder_for_a_security_group_is_refused_where_the_group_exists():
    params = {"replication_group_id": "shop", "migration_name": "shop-prod", "security_group_ids": [""]}
    wanted = Desired.from_params(params, allow_placeholders=True)
    with pytest.raises(PlanRefused, match="placeholder"):
        plan_present(CURRENT, wanted)
    assert plan_present(None, replace(wanted, cache_node_type="cache.t3.small")).steps


# --- changes in place ---


def test_changes_come_in_the_order_that_aws_takes():
    grown = plan(
        CURRENT,
        num_cache_clusters=3,
        cache_node_type="cache.t3.medium",
        tags={"team": "a"},
        snapshot_window="03:00-04:00",
        auth_token=TOKEN,
        auth_token_update_strategy="rotate",
    )
    assert [step.action for step in grown.steps] == [
        "AddTagsToResource",
        "IncreaseReplicaCount",
        "ModifyReplicationGroup",
        "ModifyReplicationGroup",
    ]
    assert "AuthToken" in grown.steps[-1].parameters
    assert set(grown.steps[2].parameters) == {
        "ReplicationGroupId",
        "CacheNodeType",
        "SnapshotWindow",
        "ApplyImmediately",
    }
    assert actions(CURRENT, num_cache_clusters=1, automatic_failover_enabled=False, multi_az_enabled=False) == [
        "ModifyReplicationGroup",
        "DecreaseReplicaCount",
    ]


def test_replica_counts_change_at_once_whatever_apply_immediately_says():
    (step,) = plan(CURRENT, num_cache_clusters=4, apply_immediately=False).steps
    assert step.parameters == {"ReplicationGroupId": "shop", "NewReplicaCount": 3, "ApplyImmediately": True}


def test_a_replica_that_went_away_is_brought_back():
    assert actions(
        replace(CURRENT, shards=one(1), automatic_failover_enabled=False, multi_az_enabled=False),
        num_cache_clusters=2,
    ) == ["IncreaseReplicaCount"]


def test_snapshots_that_begin_name_the_replica_that_they_are_taken_of():
    (step,) = plan(replace(CURRENT, snapshot_retention_limit=0), snapshot_retention_limit=7).steps
    assert step.parameters["SnapshottingClusterId"] == "shop-002"
    (step,) = plan(CURRENT, snapshot_retention_limit=7).steps
    assert "SnapshottingClusterId" not in step.parameters


@pytest.mark.parametrize(
    ("runs", "stated", "expected"),
    [
        ("7.1.0", "7.1", []),
        ("6.2.6", "6.x", []),
        ("6.2.6", "6.2", []),
        ("5.0.6", "5.0.6", []),
        ("7.0.7", "7.1", ["ModifyReplicationGroup"]),
        ("6.2.6", "7.1", ["ModifyReplicationGroup"]),
        ("5.0.6", "6.x", ["ModifyReplicationGroup"]),
    ],
)
def test_versions_are_upgraded_in_place_and_compared_as_they_are_stated(runs, stated, expected):
    assert actions(replace(CURRENT, engine_version=runs), engine_version=stated) == expected


@pytest.mark.parametrize(("runs", "stated"), [("7.1.0", "7.0"), ("7.1.0", "6.x"), ("6.2.6", "6.0"), ("6.0.5", "5.0.6")])
def test_a_downgrade_is_refused_with_the_way_out(runs, stated):
    refused = refusal(replace(CURRENT, engine_version=runs), engine_version=stated)
    assert refused.option == "engine_version"
    assert "another replication_group_id" in refused.message


def test_an_upgrade_needs_a_parameter_group_of_the_new_family():
    custom = replace(CURRENT, engine_version="6.2.6", cache_parameter_group_name="shop6")
    assert refusal(custom, engine_version="7.1").option == "cache_parameter_group_name"
    assert actions(custom, engine_version="7.1", cache_parameter_group_name="shop7") == ["ModifyReplicationGroup"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("at_rest_encryption_enabled", True),
        ("port", 6380),
        ("cache_subnet_group_name", "other"),
        ("kms_key_id", "1234"),
    ],
)
def test_what_cannot_change_in_place_is_refused_with_the_way_out(option, value):
    refused = refusal(CURRENT, **{option: value})
    assert refused.option == option
    assert "another replication_group_id" in refused.message


def test_storage_that_is_encrypted_already_satisfies_either_statement():
    encrypted = replace(CURRENT, storage_encryption_type="sse-elasticache")
    assert actions(encrypted, at_rest_encryption_enabled=True) == []
    assert actions(encrypted, at_rest_encryption_enabled=False) == []


def test_a_kms_key_is_the_same_by_its_id_and_by_its_arn():
    arn = "arn:aws:kms:us-east-1:123456789012:key/1234"
    keyed = replace(CURRENT, at_rest_encryption_enabled=True, kms_key_id=arn)
    assert actions(keyed, kms_key_id="1234") == []
    assert actions(keyed, kms_key_id=arn) == []


def test_a_node_type_changes_only_to_one_that_aws_allows():
    allowing = replace(CURRENT, allowed_node_types=("cache.t3.medium",))
    assert actions(allowing, cache_node_type="cache.t3.medium") == ["ModifyReplicationGroup"]
    refused = refusal(allowing, cache_node_type="cache.m7g.large")
    assert refused.option == "cache_node_type"
    assert "cache.t3.medium" in refused.message


def test_allowed_node_types_are_asked_for_only_where_the_type_changes():
    assert needs_allowed_node_types(CURRENT, desired(cache_node_type="cache.t3.medium"))
    assert not needs_allowed_node_types(CURRENT, desired(cache_node_type="cache.t3.small"))
    assert not needs_allowed_node_types(CURRENT, desired())
    assert not needs_allowed_node_types(None, desired(cache_node_type="cache.t3.small"))


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"num_cache_clusters": 1}, "automatic_failover_enabled"),
        ({"automatic_failover_enabled": False}, "multi_az_enabled"),
    ],
)
def test_a_group_that_could_not_fail_over_as_it_says_is_refused(params, option):
    assert refusal(CURRENT, **params).option == option


# --- Valkey, and the move to it in place ---

TILL = replace(CURRENT, engine="valkey", engine_version="8.0.1", cache_parameter_group_name="default.valkey8")
BACK = replace(TILL, engine_version="7.2.6", cache_parameter_group_name="default.valkey7")
MOVE = {"engine": "valkey", "engine_version": "8.0"}


def test_a_new_group_has_the_engine_that_is_stated_and_else_redis_with_at_rest_encryption_as_aws_has_it():
    for stated, engine, is_encrypted in (({}, "redis", False), (MOVE, "valkey", True)):
        wanted = desired(cache_node_type="cache.t3.small", **stated)
        (step,) = plan_present(None, wanted).steps
        assert step.parameters["Engine"] == engine and "AtRestEncryptionEnabled" not in step.parameters
        made = predict(None, wanted)
        assert (made.engine, made.at_rest_encryption_enabled) == (engine, is_encrypted)
        assert endpoint_of(made).engine == engine
    keyed = {"cache_node_type": "cache.t3.small", "kms_key_id": "1234"}
    assert actions(None, **keyed, **MOVE) == ["CreateReplicationGroup"]
    assert refusal(None, **keyed, **MOVE, at_rest_encryption_enabled=False).option == "kms_key_id"
    assert refusal(None, cache_node_type="cache.t3.small", engine_version="8.0").option == "engine_version"


@pytest.mark.parametrize("stated", [{}, {"engine": "valkey"}, {"engine": "valkey", "engine_version": "8.0"}])
def test_a_group_of_valkey_keeps_its_engine_where_none_is_stated(stated):
    assert actions(TILL, **stated) == []
    assert endpoint_of(predict(TILL, desired(**stated))).engine == "valkey"


def test_redis_becomes_valkey_in_place_by_one_call_with_its_version():
    moved = plan(CURRENT, **MOVE)
    (step,) = moved.steps
    assert step.parameters == {
        "ReplicationGroupId": "shop",
        "Engine": "valkey",
        "EngineVersion": "8.0",
        "CacheParameterGroupName": "default.valkey8",
        "ApplyImmediately": True,
    }
    assert step.disruptive and "30 to 60 s" not in step.reason
    group = {"cache_parameter_group_name": "default.valkey8"}
    assert moved.diff()["after"] == {"engine": "valkey", "engine_version": "8.0", **group}
    old = replace(CURRENT, engine_version="5.0.5", cache_parameter_group_name="default.redis5.0")
    assert "30 to 60 s" in plan(old, **MOVE).steps[0].reason


def test_a_lone_node_of_redis_6_x_becomes_valkey_with_the_parameter_group_of_its_new_family_in_one_call():
    lone = replace(
        CURRENT,
        engine_version="6.2.6",
        shards=one(1),
        automatic_failover_enabled=False,
        multi_az_enabled=False,
        cache_parameter_group_name="default.redis6.x",
        members=(Member("shop-001", role="primary"),),
    )
    move = {"engine": "valkey", "engine_version": "8.2"}
    for stated in (move, {**move, "cache_parameter_group_name": "default.valkey8"}):
        [step] = plan(lone, **stated).steps
        assert step.action == "ModifyReplicationGroup" and step.parameters["Engine"] == "valkey"
        assert step.parameters["EngineVersion"] == "8.2"
        assert step.parameters["CacheParameterGroupName"] == "default.valkey8"


def test_a_cluster_becomes_valkey_with_its_version_and_is_told_so_where_only_its_group_was_stated():
    cluster = replace(
        CURRENT,
        cluster_mode="enabled",
        cache_parameter_group_name="default.redis7.cluster.on",
        auth_token_enabled=False,
        user_group_ids=("shop",),
    )
    stated = {"engine": "valkey", "cache_parameter_group_name": "default.valkey8.cluster.on"}
    assert refusal(cluster, **stated).option == "engine_version"
    [step] = plan(cluster, **stated, engine_version="8.0").steps
    assert step.parameters["Engine"] == "valkey"
    assert step.parameters["CacheParameterGroupName"] == "default.valkey8.cluster.on"


# --- a global datastore ---

MEMBER = replace(CURRENT, global_datastore="ldgnf-shop", global_role="primary")


@pytest.mark.parametrize(
    "stated, option",
    [
        ({"engine": "valkey", "engine_version": "7.2", "cache_parameter_group_name": "default.valkey7"}, "engine"),
        ({"cache_node_type": "cache.t3.medium"}, "cache_node_type"),
        ({"cache_parameter_group_name": "shop"}, "cache_parameter_group_name"),
        ({"automatic_failover_enabled": False, "multi_az_enabled": False}, "automatic_failover_enabled"),
    ],
)
def test_what_is_of_all_regions_of_a_global_datastore_is_not_changed_in_one(stated, option):
    refused = refusal(MEMBER, **stated)
    assert refused.option == option
    assert "ldgnf-shop" in str(refused) and "modify-global-replication-group" in str(refused)


def test_what_is_of_one_region_alone_is_changed_there():
    assert actions(MEMBER, snapshot_retention_limit=7) == ["ModifyReplicationGroup"]
    assert actions(MEMBER, engine="redis", engine_version="7.1", cache_node_type="cache.t3.small") == []


@pytest.mark.parametrize("tags", [OURS, {}])
def test_a_secondary_of_a_global_datastore_is_no_target_as_it_takes_no_writes(tags):
    refused = refusal(replace(MEMBER, global_role="secondary", tags=tags), adopt=True)
    assert "takes no writes" in str(refused) and refused.option == "replication_group_id"


def test_a_member_of_a_global_datastore_is_taken_out_before_it_is_deleted():
    given = {"replication_group_id": "shop", "migration_name": "shop-prod", "skip_final_snapshot": True}
    with pytest.raises(PlanRefused, match="disassociate-global-replication-group"):
        plan_absent(MEMBER, Deletion.from_params(given))


def test_valkey_7_2_and_nothing_else_becomes_redis_7_1_again():
    back = {"engine": "redis", "engine_version": "7.1"}
    (step,) = plan(BACK, **back).steps
    assert (step.parameters["Engine"], step.parameters["EngineVersion"]) == ("redis", "7.1")
    for current, version in ((TILL, "7.1"), (BACK, "7.0"), (BACK, "6.x")):
        refused = refusal(current, engine="redis", engine_version=version)
        assert refused.option == "engine" and "from Valkey 7.2 to 7.1 only" in refused.message


@pytest.mark.parametrize(
    ("current", "stated", "option"),
    [
        (CURRENT, {"engine": "valkey"}, "engine_version"),
        (CURRENT, {"engine_version": "8.0"}, "engine"),
        (BACK, {"engine": "redis"}, "engine_version"),
        (BACK, {"engine_version": "7.1"}, "engine"),
        (TILL, {"engine_version": "7.2"}, "engine_version"),
        (replace(CURRENT, cache_parameter_group_name="own"), MOVE, "cache_parameter_group_name"),
        (
            replace(CURRENT, cache_parameter_group_name="own"),
            {"engine": "valkey", "engine_version": "12.0"},  # of a family that we do not know
            "cache_parameter_group_name",
        ),
        (
            replace(BACK, cache_parameter_group_name="of-valkey7"),
            {"engine_version": "8.0"},
            "cache_parameter_group_name",
        ),
        (CURRENT, {**MOVE, "cache_parameter_group_name": "default.redis7"}, "cache_parameter_group_name"),
        (CURRENT, {**MOVE, "cache_parameter_group_name": "default.valkey7"}, "cache_parameter_group_name"),
    ],
)
def test_a_move_that_aws_would_refuse_is_refused_first_with_the_option_to_state(current, stated, option):
    refused = refusal(current, **stated)
    assert refused.option == option and option in refused.message


def test_a_move_with_a_parameter_group_of_ones_own_takes_another_one_along():
    custom = replace(CURRENT, cache_parameter_group_name="of-redis7")
    (step,) = plan(custom, **MOVE, cache_parameter_group_name="of-valkey8").steps
    assert step.parameters["CacheParameterGroupName"] == "of-valkey8"


def test_a_move_for_the_window_shows_as_its_version_and_is_not_asked_for_again():
    custom = replace(CURRENT, cache_parameter_group_name="of-redis7")
    stated = {**MOVE, "cache_parameter_group_name": "of-valkey8", "apply_immediately": False}
    assert actions(custom, **stated) == ["ModifyReplicationGroup"]
    waiting = replace(custom, pending={"engine": "valkey", "engine_version": "8.0"})
    assert actions(waiting, **stated) == []
    assert queued_against(waiting, desired(engine="redis")) != []


def test_a_call_that_acts_at_once_takes_back_a_queued_move_with_engine_and_version():
    waiting = replace(CURRENT, pending={"engine": "valkey", "engine_version": "8.0"})
    for stated in ({"engine": "redis"}, {"engine_version": "7.1"}):
        (step,) = plan(waiting, snapshot_retention_limit=7, **stated).steps
        assert (step.parameters["Engine"], step.parameters["EngineVersion"]) == ("redis", "7.1")
        assert predict(waiting, desired(snapshot_retention_limit=7, **stated)).engine == "redis"
    assert predict(waiting, desired(snapshot_retention_limit=7)).engine == "valkey"


def test_an_adopted_group_of_another_engine_differs():
    theirs = replace(CURRENT, tags={})
    assert "engine is 'redis', stated 'valkey'" in refusal(theirs, **MOVE, adopt=True).message
    assert actions(theirs, adopt=True) == []


# --- queued changes ---


def test_a_change_for_the_window_is_queued_and_not_planned_again():
    queued = plan(CURRENT, cache_node_type="cache.t3.medium", apply_immediately=False)
    assert queued.steps[0].parameters["ApplyImmediately"] is False
    assert queued.pending == {"cache_node_type": "cache.t3.medium"}
    waiting = replace(CURRENT, pending={"cache_node_type": "cache.t3.medium"})
    again = plan(waiting, cache_node_type="cache.t3.medium", apply_immediately=False)
    assert again.steps == ()
    assert again.pending == {"cache_node_type": "cache.t3.medium"}


def test_a_queued_change_is_brought_forward_by_apply_immediately():
    waiting = replace(CURRENT, pending={"cache_node_type": "cache.t3.medium"})
    (step,) = plan(waiting, cache_node_type="cache.t3.medium").steps
    assert step.parameters["ApplyImmediately"] is True


def test_a_call_that_acts_at_once_says_what_else_it_brings():
    waiting = replace(CURRENT, pending={"cache_node_type": "cache.t3.medium"})
    made = plan(waiting, snapshot_retention_limit=6)
    assert "cache_node_type cache.t3.medium" in made.steps[0].reason
    assert predict(waiting, desired(snapshot_retention_limit=6)).cache_node_type == "cache.t3.medium"


def test_a_call_that_acts_at_once_does_not_bring_what_is_stated_otherwise():
    waiting = replace(CURRENT, pending={"cache_node_type": "cache.t3.medium"})
    (step,) = plan(waiting, snapshot_retention_limit=6, cache_node_type="cache.t3.small").steps
    assert step.parameters["CacheNodeType"] == "cache.t3.small"


def test_what_is_queued_against_the_statement_is_told():
    waiting = replace(CURRENT, pending={"cache_node_type": "cache.t3.medium"})
    (warning,) = queued_against(waiting, desired(cache_node_type="cache.t3.small"))
    assert "cache.t3.medium is queued" in warning
    assert queued_against(waiting, desired(cache_node_type="cache.t3.medium")) == []


# --- TLS and tokens ---


def test_tls_comes_and_goes_through_preferred():
    def modes(current, **params):
        return [
            (step.parameters.get("TransitEncryptionEnabled"), step.parameters.get("TransitEncryptionMode"))
            for step in plan(current, **params).steps
        ]

    on = {"transit_encryption_enabled": True}
    assert modes(PLAIN, **on, transit_encryption_mode="preferred") == [(True, "preferred")]
    assert modes(PLAIN, **on, transit_encryption_mode="required") == [(True, "preferred"), (None, "required")]
    both = replace(PLAIN, transit_encryption_enabled=True, transit_encryption_mode="preferred")
    assert modes(both, transit_encryption_mode="required") == [(None, "required")]
    assert modes(both, transit_encryption_enabled=False) == [(False, None)]
    required = replace(both, transit_encryption_mode="required")
    assert modes(required, transit_encryption_enabled=False) == [(True, "preferred"), (False, None)]
    assert modes(required, **on) == []


@pytest.mark.parametrize(
    ("current", "params", "option"),
    [
        (PLAIN, {"transit_encryption_enabled": True}, "transit_encryption_mode"),
        (PLAIN, {"transit_encryption_mode": "required"}, "transit_encryption_enabled"),
        (CURRENT, {"transit_encryption_enabled": False}, "transit_encryption_enabled"),
        (
            replace(PLAIN, engine_version="7.0.4"),
            {"transit_encryption_enabled": True, "transit_encryption_mode": "preferred"},
            "transit_encryption_enabled",
        ),
        (CURRENT, {"transit_encryption_mode": "preferred", "apply_immediately": False}, "apply_immediately"),
    ],
)
def test_tls_that_would_shut_clients_out_or_that_aws_cannot_change_is_refused(current, params, option):
    assert refusal(current, **params).option == option


def test_a_token_on_a_group_that_has_one_is_taken_as_set():
    assert actions(CURRENT, auth_token=TOKEN) == []


def test_a_token_that_is_kept_is_not_changed():
    assert actions(CURRENT, auth_token=TOKEN, auth_token_update_strategy="keep") == []


@pytest.mark.parametrize("strategy", ["rotate", "set"])
def test_a_stated_strategy_changes_the_token_by_a_call_of_its_own(strategy):
    (step,) = plan(CURRENT, auth_token=TOKEN, auth_token_update_strategy=strategy).steps
    assert step.parameters == {
        "ReplicationGroupId": "shop",
        "AuthToken": TOKEN,
        "AuthTokenUpdateStrategy": strategy.upper(),
        "ApplyImmediately": True,
    }
    assert step.disruptive == (strategy == "set")


def test_a_first_token_is_added_by_rotate_and_then_set_and_never_by_accident():
    without = replace(CURRENT, auth_token_enabled=False)
    assert refusal(without, auth_token=TOKEN).option == "auth_token_update_strategy"
    assert refusal(without, auth_token=TOKEN, auth_token_update_strategy="set").option == "auth_token_update_strategy"
    (step,) = plan(without, auth_token=TOKEN, auth_token_update_strategy="rotate").steps
    assert "without a token" in step.reason


@pytest.mark.parametrize(
    ("current", "params", "option"),
    [
        (replace(CURRENT, user_group_ids=("team",), auth_token_enabled=False), {}, "auth_token"),
        (PLAIN, {"auth_token_update_strategy": "rotate"}, "transit_encryption_enabled"),
        (CURRENT, {"auth_token_update_strategy": "rotate", "apply_immediately": False}, "apply_immediately"),
    ],
)
def test_a_token_that_the_group_cannot_take_is_refused(current, params, option):
    assert refusal(current, auth_token=TOKEN, **params).option == option


# --- ownership, failure, deletion ---


def test_somebody_elses_group_is_refused_unless_it_is_adopted():
    foreign = replace(CURRENT, tags={"cache_migration:name": "another"})
    assert refusal(foreign).option == "adopt"
    assert "'another'" in refusal(foreign).message
    assert actions(foreign, adopt=True, cache_node_type="cache.t3.small", auth_token=TOKEN, tags={"team": "a"}) == []


def test_an_adopted_group_is_checked_and_never_changed():
    foreign = replace(CURRENT, tags={})
    refused = refusal(foreign, adopt=True, cache_node_type="cache.t3.medium", snapshot_retention_limit=1)
    assert "cache_node_type is 'cache.t3.small', stated 'cache.t3.medium'" in refused.message
    assert "snapshot_retention_limit is 5, stated 1" in refused.message
    assert refusal(replace(PLAIN, tags={}), adopt=True, auth_token=TOKEN).option == "auth_token"


def test_a_group_whose_creation_failed_is_refused_with_the_way_out():
    refused = refusal(replace(CURRENT, status="create-failed"))
    assert "state: absent" in refused.message and "describe-events" in refused.message


def test_a_creation_that_failed_is_told_with_what_aws_itself_says_of_it():
    failed = replace(CURRENT, status="create-failed", events="Not enough addresses in subnet-1")
    assert "Its events say: Not enough addresses in subnet-1." in refusal(failed).message


def test_tags_are_added_and_purged_only_where_asked():
    tagged = replace(CURRENT, tags={**OURS, "team": "a", "aws:cloudformation": "x"})
    assert actions(tagged, tags={"stage": "prod"}) == ["AddTagsToResource"]
    made = plan(tagged, tags={"stage": "prod"}, purge_tags=True)
    assert [step.action for step in made.steps] == ["RemoveTagsFromResource", "AddTagsToResource"]
    assert made.steps[0].parameters["TagKeys"] == ["team"]
    assert actions(tagged, purge_tags=True) == []


def deletion(**params):
    return Deletion.from_params({"replication_group_id": "shop", "migration_name": "shop-prod", **params})


def test_a_deletion_takes_the_primary_too_and_keeps_the_snapshot_that_is_named():
    (step,) = plan_absent(CURRENT, deletion(final_snapshot_identifier="last")).steps
    assert step.action == "DeleteReplicationGroup"
    assert step.parameters == {
        "ReplicationGroupId": "shop",
        "RetainPrimaryCluster": False,
        "FinalSnapshotIdentifier": "last",
    }
    assert step.disruptive


def test_what_is_gone_or_going_is_not_deleted_again():
    assert plan_absent(None, deletion(skip_final_snapshot=True)).steps == ()
    assert plan_absent(replace(CURRENT, status="deleting"), deletion(skip_final_snapshot=True)).steps == ()


def test_what_others_made_is_never_deleted():
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(replace(CURRENT, tags={}), deletion(skip_final_snapshot=True))


def test_a_group_that_was_never_made_has_no_data_to_snapshot():
    failed = replace(CURRENT, status="create-failed")
    with pytest.raises(PlanRefused, match="skip_final_snapshot"):
        plan_absent(failed, deletion(final_snapshot_identifier="last"))
    assert plan_absent(failed, deletion(skip_final_snapshot=True)).steps
