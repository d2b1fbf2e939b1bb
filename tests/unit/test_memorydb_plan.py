"""From a cluster of MemoryDB as it is to one as it is wanted."""

from __future__ import annotations

import contextlib
from dataclasses import fields, replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import (
    Cluster,
    Member,
    endpoint_of,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.desired import Deletion, Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.plan import (
    plan_absent,
    plan_present,
    predict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    engine_of,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CURRENT = Cluster(
    cluster_name="shop",
    status="available",
    arn="arn:aws:memorydb:us-east-1:123456789012:cluster/shop",
    description="Cache of shop-prod",
    engine_version="7.1",
    node_type="db.t4g.small",
    num_shards=2,
    num_replicas_per_shard=1,
    acl_name="shop",
    subnet_group_name="shop",
    security_group_ids=("sg-1",),
    parameter_group_name="default.memorydb-redis7",
    tls_enabled=True,
    snapshot_window="05:00-06:00",
    maintenance_window="sun:07:00-sun:08:00",
    address="clustercfg.shop.x.memorydb.us-east-1.amazonaws.com",
    members=(
        Member("shop-0001-001", "0001", address="shop-0001-001.shop.x.memorydb.us-east-1.amazonaws.com", port=6379),
    ),
    tags=OURS,
)
STATED_ANEW = {
    "acl_name": "other",
    "auto_minor_version_upgrade": False,
    "data_tiering": True,
    "description": "another",
    "engine_version": "6.2",
    "ip_discovery": "ipv6",
    "kms_key_id": "key-1",
    "maintenance_window": "mon:07:00-mon:08:00",
    "network_type": "ipv6",
    "node_type": "db.t4g.medium",
    "num_replicas_per_shard": 2,
    "num_shards": 3,
    "parameter_group_name": "shop",
    "port": 6380,
    "security_group_ids": ["sg-1", "sg-2"],
    "snapshot_retention_limit": 7,
    "snapshot_window": "09:00-10:00",
    "sns_topic_arn": "arn:aws:sns:us-east-1:123456789012:caches",
    "subnet_group_name": "other",
    "tls_enabled": False,
}
REFUSED = (
    *("auto_minor_version_upgrade", "data_tiering", "engine_version", "ip_discovery", "kms_key_id", "network_type"),
    *("port", "subnet_group_name", "tls_enabled"),
)


def desired(**params):
    return Desired.from_params({"cluster_name": "shop", "migration_name": "shop-prod", **params})


def plan(current, **params):
    return plan_present(current, desired(**params))


def calls(current, **params):
    return [(step.action, step.parameters) for step in plan(current, **params).steps]


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan(current, **params)
    return refused.value


# --- properties ---

CLUSTERS = st.builds(
    replace,
    st.just(CURRENT),
    description=st.sampled_from(["", "one"]),
    engine_version=st.sampled_from(["6.2", "7.0", "7.1", "7.2", "7.3"]),
    node_type=st.sampled_from(["db.t4g.small", "db.r7g.large", "db.r6gd.xlarge"]),
    num_shards=st.integers(1, 4),
    num_replicas_per_shard=st.integers(0, 5),
    acl_name=st.sampled_from(["open-access", "shop", "other"]),
    security_group_ids=st.sampled_from([(), ("sg-1",), ("sg-1", "sg-2")]),
    parameter_group_name=st.sampled_from(["default.memorydb-redis7", "shop"]),
    tls_enabled=st.booleans(),
    sns_topic_arn=st.sampled_from(["", "arn:one"]),
    snapshot_retention_limit=st.integers(0, 2),
    network_type=st.sampled_from(["ipv4", "dual_stack"]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {**OURS, "aws:x": "y"}, {}]),
    allowed_node_types=st.sampled_from([None, ("db.t4g.medium",), ("db.r7g.large",)]),
).map(lambda cluster: replace(cluster, engine=engine_of(cluster.engine_version)))
OPTIONS = {
    "acl_name": st.sampled_from(["open-access", "shop", "other"]),
    "adopt": st.booleans(),
    "auto_minor_version_upgrade": st.just(True),
    "description": st.sampled_from(["", "two"]),
    "engine": st.sampled_from(["redis", "valkey"]),
    "engine_version": st.sampled_from(["6.2", "7.1", "7.2", "7.3"]),
    "ip_discovery": st.sampled_from(["ipv4", "ipv6"]),
    "maintenance_window": st.sampled_from(["sun:05:30-sun:07:00", "mon:01:00-mon:02:00"]),
    "node_type": st.sampled_from(["db.t4g.small", "db.t4g.medium", "db.r7g.large"]),
    "num_replicas_per_shard": st.integers(0, 5),
    "num_shards": st.integers(1, 4),
    "parameter_group_name": st.sampled_from(["default.memorydb-valkey7", "shop"]),
    "port": st.sampled_from([6379, 6380]),
    "purge_tags": st.booleans(),
    "security_group_ids": st.sampled_from([[], ["sg-1"], ["sg-2"]]),
    "snapshot_name": st.just("before"),
    "snapshot_retention_limit": st.integers(0, 2),
    "snapshot_window": st.sampled_from(["05:00-06:00", "01:00-02:00"]),
    "sns_topic_arn": st.sampled_from(["", "arn:one", "arn:two"]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "tls_enabled": st.booleans(),
}


@given(st.one_of(st.none(), CLUSTERS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in {*OPTIONS, "adopt", "cluster_name"}
        return
    after = replace(predict(current, wanted), status="available", address=CURRENT.address)
    assert plan_present(after, wanted).steps == ()


@given(CLUSTERS, st.fixed_dictionaries({}, optional=OPTIONS))
def test_a_cluster_of_others_is_never_changed(current, params):
    with contextlib.suppress(PlanRefused):
        assert plan_present(replace(current, tags={"team": "a"}), desired(**params)).steps == ()


def test_each_option_is_tried_in_the_tests_of_single_changes():
    of_creation_alone = {"cluster_name", "migration_name", "engine", "snapshot_name", "snapshot_arns"}
    of_tags = {"tags", "purge_tags", "adopt"}
    assert set(STATED_ANEW) == {item.name for item in fields(Desired)} - of_creation_alone - of_tags


@pytest.mark.parametrize("option", STATED_ANEW)
def test_a_change_of_a_single_option_converges_or_is_refused_by_its_name(option):
    current = replace(CURRENT, acl_name="open-access") if option == "tls_enabled" else CURRENT
    stated = {option: STATED_ANEW[option]}
    if option in REFUSED:
        refused = refusal(current, **stated)
        assert refused.option == option
        assert option in refused.message
        return
    steps = plan(current, **stated).steps
    assert [step.action for step in steps] == ["UpdateCluster"]
    assert option in steps[0].reason
    assert plan_present(predict(current, desired(**stated)), desired(**stated)).steps == ()


@pytest.mark.parametrize("option", sorted(set(REFUSED) - {"engine_version", "ip_discovery"}))
def test_what_only_a_new_cluster_can_have_is_refused_with_the_way_there(option):
    current = replace(CURRENT, acl_name="open-access")
    assert (
        "make a new cluster under another cluster_name and move to it"
        in refusal(current, **{option: STATED_ANEW[option]}).message
    )


# --- the order ---


def test_tags_shards_more_replicas_the_node_type_and_the_rest_are_calls_of_their_own_in_that_order():
    made = calls(
        CURRENT, num_shards=3, num_replicas_per_shard=2, description="x", node_type="db.t4g.medium", tags={"a": "b"}
    )
    assert made == [
        ("TagResource", {"ResourceArn": CURRENT.arn, "Tags": [{"Key": "a", "Value": "b"}]}),
        ("UpdateCluster", {"ClusterName": "shop", "ShardConfiguration": {"ShardCount": 3}}),
        ("UpdateCluster", {"ClusterName": "shop", "ReplicaConfiguration": {"ReplicaCount": 2}}),
        ("UpdateCluster", {"ClusterName": "shop", "NodeType": "db.t4g.medium"}),
        ("UpdateCluster", {"ClusterName": "shop", "Description": "x"}),
    ]


def test_replicas_go_last():
    made = calls(CURRENT, num_replicas_per_shard=0, description="x")
    assert [sorted(parameters)[-1] for _action, parameters in made] == ["Description", "ReplicaConfiguration"]


def test_a_replica_that_goes_and_an_acl_that_changes_are_noticed():
    noticed = [step.disruptive for step in plan(CURRENT, num_replicas_per_shard=0, acl_name="other").steps]
    assert noticed == [True, True]
    assert [step.disruptive for step in plan(CURRENT, num_shards=3, snapshot_retention_limit=3).steps] == [False, False]


# --- engines and versions ---


def test_redis_becomes_valkey_in_place_with_its_version():
    made = calls(CURRENT, engine="valkey", engine_version="7.3")
    assert made == [("UpdateCluster", {"ClusterName": "shop", "Engine": "valkey", "EngineVersion": "7.3"})]


def test_valkey_wants_its_version_stated():
    assert refusal(CURRENT, engine="valkey").option == "engine_version"


def test_valkey_does_not_become_redis_again():
    valkey = replace(CURRENT, engine="valkey", engine_version="7.2")
    assert refusal(valkey, engine="redis", engine_version="7.1").option == "engine"


def test_a_version_of_another_engine_asks_for_the_engine():
    assert refusal(CURRENT, engine_version="7.2").option == "engine"


def test_a_parameter_group_of_ones_own_must_be_of_the_new_family():
    own = replace(CURRENT, parameter_group_name="shop")
    assert refusal(own, engine="valkey", engine_version="7.2").option == "parameter_group_name"
    assert calls(own, engine="valkey", engine_version="7.2", parameter_group_name="shop-valkey")


def test_a_node_type_is_one_that_aws_allows_from_here():
    current = replace(CURRENT, allowed_node_types=("db.r6g.large", "db.t4g.medium"))
    refused = refusal(current, node_type="db.t4g.micro")
    assert refused.option == "node_type"
    assert "db.r6g.large, db.t4g.medium" in refused.message
    assert calls(current, node_type="db.t4g.medium")


# --- users, TLS, security groups, topics ---


def test_users_need_tls():
    assert refusal(None, node_type="db.t4g.small", acl_name="shop", tls_enabled=False).option == "tls_enabled"
    plain = replace(CURRENT, tls_enabled=False, acl_name="open-access")
    assert refusal(plain, acl_name="shop").option == "acl_name"


def test_security_groups_cannot_all_be_taken_away():
    assert refusal(CURRENT, security_group_ids=[]).option == "security_group_ids"
    assert calls(replace(CURRENT, security_group_ids=()), security_group_ids=[]) == []


def test_a_topic_is_switched_off_by_an_empty_one():
    notified = replace(CURRENT, sns_topic_arn="arn:one")
    assert calls(notified, sns_topic_arn="") == [
        ("UpdateCluster", {"ClusterName": "shop", "SnsTopicArn": "", "SnsTopicStatus": "inactive"})
    ]
    assert calls(notified) == []


def test_disks_for_data_and_data_tiering_go_together():
    assert refusal(None, node_type="db.r6gd.xlarge", acl_name="shop").option == "data_tiering"
    assert refusal(None, node_type="db.r7g.large", acl_name="shop", data_tiering=True).option == "data_tiering"
    assert calls(None, node_type="db.r6gd.xlarge", acl_name="shop", data_tiering=True)


def test_windows_do_not_overlap_also_with_the_one_that_is_not_stated():
    assert refusal(CURRENT, snapshot_window="07:30-09:00").option == "snapshot_window"


# --- making, adopting, removing ---


def test_a_new_cluster_says_what_was_stated_and_leaves_the_rest_to_aws():
    [(action, parameters)] = calls(None, node_type="db.t4g.small", acl_name="open-access", num_replicas_per_shard=0)
    assert action == "CreateCluster"
    assert parameters == {
        "ClusterName": "shop",
        "Description": "Cache of shop-prod",
        "NodeType": "db.t4g.small",
        "NumReplicasPerShard": 0,
        "ACLName": "open-access",
        "Tags": [{"Key": "cache_migration:name", "Value": "shop-prod"}],
    }


@pytest.mark.parametrize("option", ["node_type", "acl_name"])
def test_a_new_cluster_needs_its_size_and_who_may_use_it(option):
    stated = {"node_type": "db.t4g.small", "acl_name": "shop"}
    del stated[option]
    assert refusal(None, **stated).option == option


def test_what_a_cluster_was_restored_from_is_kept_in_a_tag_and_another_origin_is_refused():
    stated = {"node_type": "db.t4g.small", "acl_name": "shop", "snapshot_name": "last"}
    [(_action, parameters)] = calls(None, **stated)
    assert parameters["SnapshotName"] == "last"
    assert {"Key": "cache_migration:restored_from", "Value": "last"} in parameters["Tags"]
    restored = replace(CURRENT, tags={**OURS, "cache_migration:restored_from": "last"})
    assert calls(restored, snapshot_name="last", tags={}, purge_tags=True) == []
    assert refusal(restored, snapshot_name="first").option == "snapshot_name"
    assert refusal(CURRENT, snapshot_arns=["arn:aws:s3:::bucket/dump.rdb"]).option == "snapshot_arns"
    assert refusal(None, snapshot_arns=["s3://bucket/dump.rdb"]).option == "snapshot_arns"


def test_one_that_is_going_is_made_again():
    assert (
        calls(replace(CURRENT, status="deleting"), node_type="db.t4g.small", acl_name="shop")[0][0] == "CreateCluster"
    )


def test_one_of_others_is_used_as_it_is_or_not_at_all():
    foreign = replace(CURRENT, tags={})
    assert refusal(foreign).option == "adopt"
    assert calls(foreign, adopt=True, num_shards=2) == []
    assert refusal(foreign, adopt=True, num_shards=3).option == "num_shards"


def test_one_of_a_multi_region_cluster_is_not_touched():
    current = replace(CURRENT, multi_region_cluster_name="abcd-shop")
    assert "multi-Region" in refusal(current, num_shards=3).message


def test_a_creation_that_failed_is_told_with_the_way_out():
    failed = replace(CURRENT, status="create-failed")
    assert refusal(failed).option == "state"
    with pytest.raises(PlanRefused) as refused:
        plan_absent(failed, Deletion("shop", "shop-prod", "last"))
    assert refused.value.option == "skip_final_snapshot"


def test_only_ours_is_deleted_and_its_data_is_spoken_of():
    assert plan_absent(None, Deletion("shop", "shop-prod")).steps == ()
    [step] = plan_absent(CURRENT, Deletion("shop", "shop-prod", "last")).steps
    assert (step.action, step.parameters) == ("DeleteCluster", {"ClusterName": "shop", "FinalSnapshotName": "last"})
    with pytest.raises(PlanRefused):
        plan_absent(replace(CURRENT, tags={}), Deletion("shop", "shop-prod"))
    for stated in ({}, {"final_snapshot_name": "last", "skip_final_snapshot": True}):
        with pytest.raises(PlanRefused) as refused:
            Deletion.from_params({"cluster_name": "shop", "migration_name": "shop-prod", **stated})
        assert refused.value.option == "final_snapshot_name"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("cluster_name", "1shop"),
        ("cluster_name", "sh--op"),
        ("cluster_name", "s" * 41),
        ("acl_name", "shop_users"),
        ("engine_version", "7"),
        ("engine_version", "7.1.0"),
        ("node_type", "cache.t4g.small"),
        ("num_shards", 0),
        ("num_replicas_per_shard", 6),
        ("port", 0),
        ("snapshot_retention_limit", 36),
        ("snapshot_window", "05:00"),
        ("maintenance_window", "sunday"),
        ("kms_key_id", "alias/shop"),
        ("security_group_ids", ["after-apply"]),
        ("tags", {"cache_migration:name": "another"}),
    ],
)
def test_a_bad_option_is_refused_by_its_name(option, value):
    refused = refusal(None, **{option: value})
    assert refused.option == option
    assert option in refused.message


# --- what AWS answers ---

ANSWER = {
    "Name": "shop",
    "Description": "",
    "Status": "Available",
    "NumberOfShards": 1,
    "Shards": [
        {
            "Name": "0001",
            "Status": "available",
            "Slots": "0-16383",
            "NumberOfNodes": 2,
            "Nodes": [
                {
                    "Name": "shop-0001-001",
                    "Status": "available",
                    "AvailabilityZone": "us-east-1a",
                    "Endpoint": {"Address": "shop-0001-001.shop.x.memorydb.us-east-1.amazonaws.com", "Port": 6379},
                },
                {"Name": "shop-0001-002", "Status": "available", "AvailabilityZone": "us-east-1b"},
            ],
        }
    ],
    "ClusterEndpoint": {"Address": "clustercfg.shop.x.memorydb.us-east-1.amazonaws.com", "Port": 6379},
    "NodeType": "db.t4g.small",
    "Engine": "Redis",
    "EngineVersion": "7.1",
    "EnginePatchVersion": "7.1.1",
    "ParameterGroupName": "default.memorydb-redis7",
    "ParameterGroupStatus": "in-sync",
    "SecurityGroups": [{"SecurityGroupId": "sg-1", "Status": "active"}],
    "SubnetGroupName": "shop",
    "TLSEnabled": True,
    "ARN": CURRENT.arn,
    "SnsTopicArn": "arn:one",
    "SnsTopicStatus": "INACTIVE",
    "SnapshotRetentionLimit": 0,
    "MaintenanceWindow": "sun:07:00-sun:08:00",
    "SnapshotWindow": "05:00-06:00",
    "ACLName": "open-access",
    "AutoMinorVersionUpgrade": True,
    "DataTiering": "false",
    "NetworkType": "dual-stack",
    "IpDiscovery": "ipv4",
}


def test_what_aws_answers_is_read_in_the_words_of_the_options():
    cluster = shape(ANSWER, OURS)
    assert cluster.is_ready
    assert (cluster.num_shards, cluster.num_replicas_per_shard, cluster.nodes) == (1, 1, 2)
    assert (cluster.engine, cluster.network_type, cluster.sns_topic_arn, cluster.data_tiering) == (
        *("redis", "dual_stack", "", False),
    )


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"Status": "updating"}, "updating"),
        ({"Status": "a new word"}, "a new word"),
        ({"ParameterGroupStatus": "applying"}, "parameter group applying"),
        ({"SecurityGroups": [{"SecurityGroupId": "sg-1", "Status": "adding"}]}, "sg-1 adding"),
        ({"PendingUpdates": {"Resharding": {"SlotMigration": {"ProgressPercentage": 42.0}}}}, "42 %"),
        ({"PendingUpdates": {"ACLs": {"ACLToApply": "shop"}}}, "ACL shop being applied"),
        ({"ClusterEndpoint": {}}, "no endpoint yet"),
    ],
)
def test_a_cluster_that_something_is_under_way_in_is_not_ready_and_says_what(change, phrase):
    cluster = shape({**ANSWER, **change}, OURS)
    assert not cluster.is_ready
    assert phrase in cluster.waits_for


def test_a_cluster_whose_tags_cannot_be_read_is_not_ready():
    assert not shape(ANSWER, None).is_ready


def test_its_endpoint_speaks_the_cluster_protocol_and_says_how_clients_log_in():
    endpoint = endpoint_of(shape(ANSWER, OURS))
    assert (endpoint.service, endpoint.protocol, endpoint.databases) == ("memorydb", "redis-cluster", 1)
    assert (endpoint.address, endpoint.tls, endpoint.auth) == (ANSWER["ClusterEndpoint"]["Address"], True, "none")
    assert [node.name for node in endpoint.nodes] == ["shop-0001-001"]
    assert endpoint_of(shape({**ANSWER, "ACLName": "shop"})).auth == "rbac"
    assert endpoint_of(predict(None, desired(node_type="db.t4g.small", acl_name="shop"))).state == "after_apply"
