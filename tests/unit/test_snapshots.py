"""From a snapshot as it is to one as it is wanted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.kinds import (
    NODE_BASED,
    SERVERLESS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.snapshot import (
    Desired,
    Snapshot,
    node_to_copy,
    plan_absent,
    plan_present,
    predict,
    refuse_unusable,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CURRENT = Snapshot("kept", NODE_BASED, {"cache_cluster_id": "shop-002"}, OURS, arn="arn:kept")
SNAPSHOTS = st.builds(
    replace,
    st.just(CURRENT),
    cache=st.sampled_from([{"cache_cluster_id": "shop-002"}, {"replication_group_id": "shop"}, {}]),
    kms_key_id=st.sampled_from(["", "arn:aws:kms:us-east-1:123456789012:key/1234"]),
    exported=st.sampled_from([(), ("kept-0001.rdb",), ("kept.rdb", "other.rdb")]),
    status=st.sampled_from(["available", "available", "deleting"]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {}]),
)
OPTIONS = {
    "replication_group_id": st.sampled_from(["Shop", "other"]),
    "cache_cluster_id": st.sampled_from(["shop-002"]),
    "source_snapshot_name": st.sampled_from(["automatic.shop-1"]),
    "kms_key_id": st.sampled_from(["1234", "5678"]),
    "target_bucket": st.sampled_from(["kempian"]),
    "target_snapshot_name": st.sampled_from(["elsewhere"]),
    "tags": st.sampled_from([{}, {"team": "a"}, {"team": "b"}]),
    "purge_tags": st.booleans(),
    "adopt": st.booleans(),
}


def desired(**params):
    name = {} if "serverless_cache_snapshot_name" in params else {"snapshot_name": "Kept"}
    return Desired.from_params({"migration_name": "shop-prod", **name, **params})


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan_present(current, desired(**params))
    return refused.value


@given(st.one_of(st.none(), SNAPSHOTS), st.fixed_dictionaries({}, optional=OPTIONS))
def test_planning_against_the_predicted_result_of_a_plan_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        plan = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    assert bool(plan.steps) == bool(plan.diff()["after"])
    assert plan_present(predict(current, wanted), wanted).steps == ()


def test_of_a_group_without_cluster_mode_a_node_is_copied():
    (step,) = plan_present(None, desired(replication_group_id="shop"), "shop-002").steps
    assert (step.action, step.parameters["CacheClusterId"]) == ("CreateSnapshot", "shop-002")
    assert "ReplicationGroupId" not in step.parameters
    (step,) = plan_present(None, desired(replication_group_id="shop"), "").steps
    assert step.parameters["ReplicationGroupId"] == "shop"


def test_a_replica_is_copied_before_the_primary_and_a_group_with_cluster_mode_as_it_is():
    members = [
        {"CacheClusterId": "shop-001", "CurrentRole": "primary"},
        {"CacheClusterId": "shop-002", "CurrentRole": "replica"},
    ]
    group = {"MemberClusters": ["shop-001", "shop-002"], "NodeGroups": [{"NodeGroupMembers": members}]}
    assert node_to_copy(group) == "shop-002"
    assert node_to_copy({"MemberClusters": ["shop-001"]}) == "shop-001"
    assert node_to_copy({**group, "ClusterEnabled": True}) == ""
    assert node_to_copy(None) == ""


def test_the_kinds_are_made_by_calls_of_their_own():
    named = {"serverless_cache_snapshot_name": "kept"}
    made, exported = plan_present(None, desired(**named, serverless_cache_name="shop", target_bucket="b")).steps
    assert (made.action, made.parameters["ServerlessCacheName"]) == ("CreateServerlessCacheSnapshot", "shop")
    assert exported.action == "ExportServerlessCacheSnapshot"
    assert exported.parameters == {"ServerlessCacheSnapshotName": "kept", "S3BucketName": "b"}
    (copied,) = plan_present(None, desired(**named, source_serverless_cache_snapshot_name="other")).steps
    assert copied.action == "CopyServerlessCacheSnapshot"
    (gone,) = plan_absent(replace(CURRENT, kind=SERVERLESS), desired(**named)).steps
    assert (gone.action, gone.parameters) == (
        "DeleteServerlessCacheSnapshot",
        {"ServerlessCacheSnapshotName": "kept"},
    )


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"serverless_cache_name": "shop"}, "serverless_cache_name"),
        ({"snapshot_name": "automatic.shop"}, "snapshot_name"),
        ({"snapshot_name": "a--b"}, "snapshot_name"),
        ({"target_snapshot_name": "x"}, "target_snapshot_name"),
        (
            {"serverless_cache_snapshot_name": "a", "target_bucket": "b", "target_snapshot_name": "x"},
            "target_snapshot_name",
        ),
    ],
)
def test_what_cannot_be_stated_is_refused_by_its_option(params, option):
    with pytest.raises(PlanRefused) as refused:
        desired(**params)
    assert refused.value.option == option


def test_a_snapshot_of_another_cache_or_with_another_key_is_not_taken_for_it():
    assert refusal(CURRENT, replication_group_id="other").option == "replication_group_id"
    assert plan_present(CURRENT, desired(replication_group_id="shop")).steps == ()
    assert refusal(CURRENT, kms_key_id="1234").option == "kms_key_id"
    keyed = replace(CURRENT, kms_key_id="arn:aws:kms:us-east-1:123456789012:key/1234")
    assert plan_present(keyed, desired(kms_key_id="1234")).steps == ()


def test_what_is_not_ours_is_exported_and_never_tagged_or_deleted():
    theirs = replace(CURRENT, tags={}, exported=())
    assert refusal(theirs).option == "adopt"
    steps = plan_present(theirs, desired(adopt=True, target_bucket="b", tags={"a": "b"})).steps
    assert [step.action for step in steps] == ["CopySnapshot"]
    with pytest.raises(PlanRefused, match="never deleted"):
        plan_absent(theirs, desired(adopt=True))


def test_a_snapshot_that_has_failed_is_not_waited_for():
    with pytest.raises(PlanRefused, match="failed"):
        refuse_unusable(replace(CURRENT, status="failed"), desired())


def test_the_objects_of_all_shards_are_the_snapshots_and_no_others():
    wanted = desired(target_bucket="b")
    assert [key for key in ("kept.rdb", "kept-0001.rdb", "kept-1.rdb", "kept-old.rdb") if wanted.is_export(key)] == [
        "kept.rdb",
        "kept-0001.rdb",
    ]
