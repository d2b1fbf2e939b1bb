"""Replication groups against the local AWS: what is planned is what is done, and once done nothing is planned."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import elasticache_cluster, elasticache_cluster_info

MAIN = elasticache_cluster.main
TOKEN = "a-token-of-sixteen"
SMALL = {"cache_node_type": "cache.t3.micro", "engine_version": "7.1"}


@pytest.fixture
def name(aws):
    """A name of its own for each test, taken away afterwards."""
    made = f"t{uuid.uuid4().hex[:8]}"
    yield made
    client = aws.client("elasticache")
    groups = client.describe_replication_groups()["ReplicationGroups"]
    if any(group["ReplicationGroupId"] == made and group["Status"] == "available" for group in groups):
        client.delete_replication_group(ReplicationGroupId=made)


def actions(result):
    assert "msg" not in result, result["msg"]
    return [step["action"] for step in result["plan"]]


def test_check_mode_on_an_empty_account_tells_all_and_writes_nothing(aws, run, name):
    mark = aws.mark
    told = run(
        MAIN,
        check_mode=True,
        replication_group_id=name,
        cache_node_type="cache.t3.small",
        num_cache_clusters=2,
        transit_encryption_enabled=True,
        auth_token=TOKEN,
        security_group_ids=["after-apply"],
    )
    assert actions(told) == ["CreateReplicationGroup"]
    assert (told["changed"], told["in_progress"], told["status"]) == (True, False, "absent")
    assert (told["endpoint"]["state"], told["endpoint"]["tls"], told["endpoint"]["auth"]) == (
        "after_apply",
        True,
        "token",
    )
    assert told["monthly_cost"]["usd"] == 49.64
    assert TOKEN not in repr(told["plan"]) + repr(told["diff"])
    assert aws.writes_since(mark) == []


def test_what_check_mode_plans_is_what_is_then_done(aws, run, converge, name):
    stated = {"replication_group_id": name, **SMALL, "num_cache_clusters": 2, "tags": {"team": "kempian"}}
    planned = run(MAIN, check_mode=True, **stated)
    mark = aws.mark
    made = converge(MAIN, **stated)
    assert made["plan"] == planned["plan"]
    assert made["diff"] == planned["diff"]
    assert aws.writes_since(mark) == ["CreateReplicationGroup"]


@pytest.mark.usefixtures("slow_creation")
def test_a_group_is_made_without_waiting_in_silence_and_a_second_run_changes_nothing(aws, run, converge, name):
    stated = {
        "replication_group_id": name,
        **SMALL,
        "num_cache_clusters": 2,
        "automatic_failover_enabled": True,
        "multi_az_enabled": True,
        "transit_encryption_enabled": True,
        "at_rest_encryption_enabled": True,
        "auth_token": TOKEN,
        "snapshot_retention_limit": 3,
        "snapshot_window": "03:00-04:00",
        "preferred_maintenance_window": "sun:05:00-sun:06:00",
        "tags": {"team": "kempian"},
    }
    first = run(MAIN, **stated)
    assert (first["changed"], first["in_progress"], first["progress"]) == (True, True, f"{name}: creating")
    assert first["endpoint"]["state"] == "after_apply"
    done = converge(MAIN, **stated)
    assert (done["changed"], done["in_progress"], done["status"]) == (False, False, "available")
    endpoint = done["endpoint"]
    assert (endpoint["state"], endpoint["tls"], endpoint["auth"], endpoint["port"]) == ("known", True, "token", 6379)
    assert endpoint["address"].startswith("master.") and endpoint["reader_address"].startswith("replica.")
    mark = aws.mark
    again = run(MAIN, **stated)
    assert (again["changed"], actions(again), again["diff"]) == (False, [], {"before": {}, "after": {}})
    assert run(MAIN, check_mode=True, **stated)["changed"] is False
    assert aws.writes_since(mark) == []
    (told,) = run(elasticache_cluster_info.main, replication_group_id=name)["replication_groups"]
    assert (told["ours"], told["endpoint"], told["num_cache_clusters"]) == (True, endpoint, 2)


def test_changes_are_made_in_order_while_the_group_becomes_available_in_between(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, **SMALL)
    changed = {
        "replication_group_id": name,
        "cache_node_type": "cache.t3.small",
        "num_cache_clusters": 3,
        "automatic_failover_enabled": True,
        "snapshot_retention_limit": 2,
        "tags": {"team": "kempian"},
    }
    mark = aws.mark
    result = converge(MAIN, **changed)
    assert actions(result) == ["AddTagsToResource", "IncreaseReplicaCount", "ModifyReplicationGroup"]
    assert result["status"] == "available"
    assert [action for action in aws.writes_since(mark) if action] == actions(result)
    assert run(MAIN, **changed)["changed"] is False
    back = converge(MAIN, replication_group_id=name, num_cache_clusters=1, automatic_failover_enabled=False)
    assert actions(back) == ["ModifyReplicationGroup", "DecreaseReplicaCount"]
    assert len(back["endpoint"]["nodes"]) == 1


def test_a_look_at_a_group_reads_its_own_members_and_no_other_cache_of_the_account(aws, run, converge, name):
    converge(MAIN, replication_group_id=f"{name}x", **SMALL)  # another cache of the account
    converge(MAIN, replication_group_id=name, **SMALL, num_cache_clusters=2)
    mark = aws.mark
    run(MAIN, replication_group_id=name)
    asked = [(call["action"], call["request_summary"].get("CacheClusterId")) for call in aws.calls_since(mark)]
    assert asked == [
        ("DescribeReplicationGroups", None),
        ("DescribeCacheClusters", f"{name}-001"),
        ("DescribeCacheClusters", f"{name}-002"),
        ("ListTagsForResource", None),
    ]
    converge(MAIN, replication_group_id=f"{name}x", state="absent", skip_final_snapshot=True)


def test_a_change_for_the_window_is_pending_and_not_planned_again(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, **SMALL)
    queued = {"replication_group_id": name, "cache_node_type": "cache.t3.small", "apply_immediately": False}
    first = converge(MAIN, **queued)
    assert (first["changed"], first["pending"]) == (True, {"cache_node_type": "cache.t3.small"})
    mark = aws.mark
    again = run(MAIN, **queued)
    assert (again["changed"], again["pending"]) == (False, {"cache_node_type": "cache.t3.small"})
    assert aws.writes_since(mark) == []


def test_failover_and_multi_az_for_the_window_are_asked_for_once_and_come_with_it(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, **SMALL, num_cache_clusters=2)
    queued = {
        "replication_group_id": name,
        "automatic_failover_enabled": True,
        "multi_az_enabled": True,
        "apply_immediately": False,
    }
    mark = aws.mark
    first = converge(MAIN, **queued)
    assert (first["changed"], first["pending"]) == (True, {"automatic_failover_enabled": True})
    again = run(MAIN, **queued)
    assert (again["changed"], again["in_progress"], again["pending"]) == (False, False, first["pending"])
    assert aws.writes_since(mark) == ["ModifyReplicationGroup"]
    aws.ask("maintenance", data=b"{}")
    assert converge(MAIN, **queued)["pending"] == {}
    (told,) = run(elasticache_cluster_info.main, replication_group_id=name)["replication_groups"]
    assert told["automatic_failover_enabled"] and told["multi_az_enabled"]


def test_an_empty_description_makes_one_call(aws, converge, name):
    mark = aws.mark
    converge(MAIN, replication_group_id=name, **SMALL, replication_group_description="")
    assert aws.writes_since(mark) == ["CreateReplicationGroup"]


def test_an_upgrade_is_made_in_place_and_a_downgrade_refused_with_nothing_touched(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, cache_node_type="cache.t3.micro", engine_version="7.0")
    upgraded = converge(MAIN, replication_group_id=name, engine_version="7.1")
    assert (actions(upgraded), upgraded["endpoint"]["engine_version"]) == (["ModifyReplicationGroup"], "7.1.0")
    mark = aws.mark
    refused = run(MAIN, replication_group_id=name, engine_version="6.2", num_cache_clusters=2, tags={"a": "b"})
    assert refused["failed"] and refused["option"] == "engine_version"
    assert aws.writes_since(mark) == []


def test_tls_is_brought_to_a_group_in_place_and_then_a_token_by_rotate_and_set(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, **SMALL)
    tls = {"replication_group_id": name, "transit_encryption_enabled": True}
    both = converge(MAIN, **tls, transit_encryption_mode="required")
    assert actions(both) == ["ModifyReplicationGroup", "ModifyReplicationGroup"]
    assert both["endpoint"]["tls"]
    assert run(MAIN, **tls, auth_token=TOKEN)["option"] == "auth_token_update_strategy"
    rotated = converge(MAIN, **tls, auth_token=TOKEN, auth_token_update_strategy="rotate")
    assert (rotated["token_changed"], rotated["endpoint"]["auth"]) == (True, "token")
    mark = aws.mark
    assert actions(converge(MAIN, **tls, auth_token=TOKEN, auth_token_update_strategy="set")) == [
        "ModifyReplicationGroup"
    ]
    assert aws.writes_since(mark) == ["ModifyReplicationGroup"]
    assert run(MAIN, **tls, auth_token=TOKEN)["changed"] is False


@pytest.mark.usefixtures("slow_creation")
def test_a_group_that_is_still_being_made_is_waited_for_and_not_made_twice(aws, run, converge, name):
    stated = {"replication_group_id": name, **SMALL}
    run(MAIN, **stated)  # and then the run was killed
    mark = aws.mark
    assert run(MAIN, **stated)["progress"] == f"{name}: creating"
    assert converge(MAIN, **stated)["endpoint"]["state"] == "known"
    assert aws.writes_since(mark) == []


def test_a_create_that_was_cut_off_after_the_act_is_gone_on_with(aws, run, converge, name, monkeypatch):
    """AWS made it, and the answer was lost: the retry meets ReplicationGroupAlreadyExists."""
    stated = {"replication_group_id": name, **SMALL}
    run(MAIN, **stated)
    from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import (
        calls,
    )

    read = calls.read_replication_group
    answers = iter([None])  # as it was before the act
    monkeypatch.setattr(calls, "read_replication_group", lambda *args: next(answers, read(*args)))
    assert actions(run(MAIN, **stated)) == ["CreateReplicationGroup"]
    assert converge(MAIN, **stated)["status"] == "available"


def test_a_creation_that_failed_is_told_with_aws_own_words_and_a_way_out_which_works(aws, converge, settings, name):
    settings(failing_creations=1)
    stated = {"replication_group_id": name, **SMALL}
    failed = converge(MAIN, **stated)
    assert failed["failed"] and "create-failed" in failed["msg"] and "state: absent" in failed["msg"]
    (event,) = aws.client("elasticache").describe_events(SourceType="replication-group", SourceIdentifier=name)[
        "Events"
    ]
    assert f"Its events say: {event['Message'].rstrip('.')}." in failed["msg"]
    assert converge(MAIN, replication_group_id=name, state="absent", skip_final_snapshot=True)["status"] == "absent"
    assert converge(MAIN, **stated)["status"] == "available"


def test_a_change_that_does_not_show_at_once_is_waited_for(aws, run, converge, settings, name):
    converge(MAIN, replication_group_id=name, **SMALL, transit_encryption_enabled=True)
    settings(unnoticed_seconds=2)
    grown = {"replication_group_id": name, "num_cache_clusters": 2, "snapshot_retention_limit": 3}
    result = converge(MAIN, **grown)
    assert (actions(result), len(result["endpoint"]["nodes"])) == (
        ["IncreaseReplicaCount", "ModifyReplicationGroup"],
        2,
    )
    assert run(MAIN, **grown)["changed"] is False
    mark = aws.mark
    first = converge(MAIN, replication_group_id=name, auth_token=TOKEN, auth_token_update_strategy="rotate")
    assert (first["token_changed"], first["endpoint"]["auth"]) == (True, "token")
    assert aws.writes_since(mark) == ["ModifyReplicationGroup"]


def test_somebody_elses_group_is_refused_used_and_left_alone(aws, run, name):
    client = aws.client("elasticache")
    client.create_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription="theirs",
        CacheNodeType="cache.t3.micro",
        NumCacheClusters=1,
    )
    client.get_waiter("replication_group_available").wait(ReplicationGroupId=name, WaiterConfig={"Delay": 1})
    assert run(MAIN, replication_group_id=name)["option"] == "adopt"
    mark = aws.mark
    used = run(MAIN, replication_group_id=name, adopt=True, cache_node_type="cache.t3.micro", tags={"a": "b"})
    assert (used["changed"], used["endpoint"]["state"]) == (False, "known")
    differs = run(MAIN, replication_group_id=name, adopt=True, cache_node_type="cache.t3.small")
    assert "cache.t3.micro" in differs["msg"] and differs["option"] == "cache_node_type"
    kept = run(MAIN, replication_group_id=name, adopt=True, state="absent", skip_final_snapshot=True)
    assert "never deleted" in kept["msg"]
    assert aws.writes_since(mark) == []


def test_a_group_of_ours_is_deleted_with_its_last_snapshot_and_waited_for(aws, run, converge, name):
    converge(MAIN, replication_group_id=name, **SMALL)
    gone = {"replication_group_id": name, "state": "absent", "final_snapshot_identifier": f"{name}-last"}
    assert run(MAIN, replication_group_id=name, state="absent")["option"] == "final_snapshot_identifier"
    planned = run(MAIN, check_mode=True, **gone)
    result = converge(MAIN, **gone)
    assert actions(result) == actions(planned) == ["DeleteReplicationGroup"]
    assert result["status"] == "absent"
    snapshots = aws.client("elasticache").describe_snapshots(SnapshotName=f"{name}-last")["Snapshots"]
    assert len(snapshots) == 1
    assert run(MAIN, **gone)["changed"] is False


def test_a_refusal_of_aws_names_the_option_to_change(run, name):
    failed = run(MAIN, replication_group_id=name, **SMALL, cache_subnet_group_name="nowhere")
    assert failed["failed"] and "cache_subnet_group_name" in failed["msg"]


@pytest.mark.parametrize(
    ("stated", "option"),
    [
        ({"cache_node_type": "cache.t3.tiny"}, "cache_node_type"),
        ({"preferred_cache_cluster_azs": ["us-east-1z"]}, "preferred_cache_cluster_azs"),
        ({"security_group_ids": ["sg-00000000"]}, "security_group_ids"),
        ({"at_rest_encryption_enabled": True, "kms_key_id": "1234abcd-0000-0000-0000-000000000000"}, "kms_key_id"),
        ({"cache_parameter_group_name": "of-redis6"}, "cache_parameter_group_name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_aws_does_not_know_is_told_by_the_option_with_a_remedy(aws, run, name, stated, option):
    client = aws.client("elasticache")
    if option == "cache_parameter_group_name":
        client.create_cache_parameter_group(
            CacheParameterGroupName="of-redis6", CacheParameterGroupFamily="redis6.x", Description="x"
        )
    failed = run(MAIN, replication_group_id=name, **{**SMALL, **stated})
    assert failed["failed"] and f"change {option}: " in failed["msg"]
    assert run(elasticache_cluster_info.main, replication_group_id=name)["replication_groups"] == []
    if option == "cache_parameter_group_name":
        client.delete_cache_parameter_group(CacheParameterGroupName="of-redis6")


def test_an_unreachable_aws_is_told_plainly(run_module, aws):
    options = {**aws.options, "endpoint_url": "http://127.0.0.1:1"}
    failed = run_module(MAIN, **options, replication_group_id="x", migration_name="shop-prod", **SMALL)
    assert failed["failed"] and "127.0.0.1:1" in failed["msg"]
