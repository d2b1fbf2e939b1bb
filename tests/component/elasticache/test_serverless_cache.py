"""elasticache_serverless_cache against the local AWS: made, converged one option a call, adopted, taken away."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_serverless_cache,
    elasticache_serverless_cache_info,
)

MAIN = elasticache_serverless_cache.main
LIMITS = {"data_storage": {"maximum": 10}, "ecpu_per_second": {"maximum": 5000}}


@pytest.fixture
def cache(converge):
    """The name of a serverless cache, which is taken away afterwards."""
    name = f"s{uuid.uuid4().hex[:8]}"
    yield {"serverless_cache_name": name}
    converge(MAIN, serverless_cache_name=name, state="absent", skip_final_snapshot=True)


KEPT = {"serverless_cache_name": "kept"}


@pytest.fixture
def kept(converge):
    """One that several tests look at and change, made by the first of them; it ends with the local AWS."""
    converge(MAIN, **KEPT, engine="valkey", major_engine_version="8", cache_usage_limits=LIMITS)
    return KEPT


@pytest.fixture
def faults(aws):
    """Calls that fail on order."""
    yield lambda *orders: aws.ask("faults", data=json.dumps(list(orders)).encode())
    aws.ask("faults", data=b"[]")


def told(run, cache):
    return run(elasticache_serverless_cache_info.main, **cache)["serverless_caches"][0]


def test_it_is_made_as_planned_and_a_second_run_changes_nothing(aws, run, converge, cache):
    stated = {**cache, "engine": "valkey", "major_engine_version": "8", "cache_usage_limits": LIMITS}
    mark = aws.mark
    planned = run(MAIN, check_mode=True, **stated, security_group_ids=["after-apply"])
    assert planned["changed"] and planned["endpoint"]["state"] == "after_apply"
    assert aws.writes_since(mark) == []
    made = converge(MAIN, **stated)
    assert made["endpoint"] == {
        "service": "elasticache-serverless",
        "name": cache["serverless_cache_name"],
        "protocol": "redis-cluster",
        "address": made["endpoint"]["address"],
        "port": 6379,
        "reader_address": made["endpoint"]["address"],
        "reader_port": 6380,
        "nodes": [],
        "tls": True,
        "auth": "none",
        "username": "",
        "databases": 1,
        "engine": "valkey",
        "engine_version": "8.2",
        "state": "known",
    }
    assert aws.writes_since(mark) == ["CreateServerlessCache"]
    assert made["monthly_cost"]["usd"] == 6.13
    seen = told(run, cache)
    assert (seen["status"], seen["ours"], seen["full_engine_version"]) == ("available", True, "8.2")
    assert seen["cache_usage_limits"] == {
        "data_storage": {"maximum": 10, "unit": "GB"},
        "ecpu_per_second": {"maximum": 5000},
    }
    mark = aws.mark
    assert run(MAIN, **stated)["changed"] is False
    assert run(MAIN, **cache)["changed"] is False
    assert aws.writes_since(mark) == []


CHANGES = {
    "description": "Another",
    "daily_snapshot_time": "06:00",
    "snapshot_retention_limit": 2,
    "cache_usage_limits": {"data_storage": {"maximum": 20}, "ecpu_per_second": {"maximum": 0}},
    "tags": {"team": "a"},
}


@pytest.fixture
def app_users(aws):
    """A security group and a user group."""
    ec2, elasticache = aws.client("ec2"), aws.client("elasticache")
    name = f"g{uuid.uuid4().hex[:8]}"
    group = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
    login = {"Engine": "valkey", "AccessString": "off -@all", "Passwords": ["a-password-of-nobody"]}
    elasticache.create_user(UserId=name, UserName="default", **login)
    elasticache.create_user_group(UserGroupId=name, Engine="valkey", UserIds=[name])
    is_active = lambda: elasticache.describe_user_groups(UserGroupId=name)["UserGroups"][0]["Status"] == "active"  # noqa: E731
    end = time.monotonic() + 20
    while not is_active():
        assert time.monotonic() < end, "the user group is not active"
        time.sleep(0.1)
    return group, name


@pytest.mark.long
def test_who_reaches_it_and_who_logs_in_converge_and_go_again(aws, run, converge, kept, app_users):
    security_group, user_group = app_users
    for stated in ({"security_group_ids": [security_group]}, {"user_group_id": user_group}):
        done = converge(MAIN, **kept, **stated)
        assert [step["action"] for step in done["plan"]] == ["ModifyServerlessCache"]
        assert run(MAIN, **kept, **stated)["changed"] is False
    assert (done["endpoint"]["auth"], told(run, kept)["user_group_id"]) == ("rbac", user_group)
    assert converge(MAIN, **kept, snapshot_retention_limit=0, description="With users")["changed"]  # one field a call
    open_again = converge(MAIN, **kept, remove_user_group=True)
    assert open_again["endpoint"]["auth"] == "none"
    assert run(MAIN, **kept, remove_user_group=True)["changed"] is False


@pytest.mark.long
def test_each_option_converges_by_a_call_of_its_own_and_then_stays(aws, run, converge, kept):
    for option, wanted in CHANGES.items():
        planned = run(MAIN, check_mode=True, **kept, **{option: wanted})
        mark = aws.mark
        done = converge(MAIN, **kept, **{option: wanted})
        assert done["changed"] and done["plan"] == planned["plan"] and len(done["plan"]) == 1, option
        assert aws.writes_since(mark) == [done["plan"][0]["action"]], option
        assert run(MAIN, **kept, **{option: wanted})["changed"] is False, option
    mark = aws.mark
    back = {"description": "Again", "daily_snapshot_time": "07:00", "snapshot_retention_limit": 0}
    converge(MAIN, **kept, **back, tags={}, purge_tags=True)
    assert aws.writes_since(mark) == ["RemoveTagsFromResource", *["ModifyServerlessCache"] * 3]


REFUSED = {
    "engine": "memcached",
    "major_engine_version": "7",
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "kms_key_id": "0000-1111",
    "network_type": "dual_stack",
    "integrations": ["dynamodb"],
}


def test_what_only_a_new_cache_can_have_is_refused_before_any_write(aws, run, kept):
    created = told(run, kept)["create_time"]
    mark = aws.mark
    for option, wanted in REFUSED.items():
        refused = run(MAIN, **kept, **{option: wanted})
        assert refused["option"] == option and "another serverless_cache_name" in refused["msg"], option
    public = run(MAIN, **kept, connection_type="public", accept_public_access=True)
    assert public["option"] == "connection_type"
    assert aws.writes_since(mark) == []
    assert told(run, kept)["create_time"] == created


def test_what_aws_refuses_is_told_with_the_option(run, cache):
    refused = run(MAIN, **cache, engine="valkey", user_group_id="nobody")
    assert refused["failed"] and "user_group_id" in refused["msg"]
    refused = run(MAIN, **cache, engine="valkey", security_group_ids=["sg-0123456789abcdef0"])
    assert refused["failed"] and "security_group_ids" in refused["msg"]
    refused = run(MAIN, **cache, engine="valkey", subnet_ids=["subnet-0123456789abcdef0"])
    assert refused["failed"] and "subnet_ids" in refused["msg"]
    refused = run(MAIN, **cache, engine="valkey", kms_key_id="00000000-1111-2222-3333-444444444444")
    assert refused["failed"] and "kms_key_id" in refused["msg"]
    arn = "arn:aws:elasticache:us-east-1:123456789012:serverlesscachesnapshot:gone"
    refused = run(MAIN, **cache, engine="valkey", snapshot_arns_to_restore=[arn])
    assert refused["failed"] and "snapshot_arns_to_restore" in refused["msg"]


@pytest.mark.long
@pytest.mark.parametrize("how", ["cut-after", "cut-before", "throttle", "500"])
def test_a_creation_whose_answer_was_lost_is_found_and_not_made_twice(aws, converge, cache, faults, how):
    mark = aws.mark
    faults({"action": "CreateServerlessCache", "how": how})
    made = converge(MAIN, **cache, engine="valkey")
    assert made["changed"] and made["status"] == "available"
    found = aws.client("elasticache").describe_serverless_caches()["ServerlessCaches"]
    assert [one["ServerlessCacheName"] for one in found].count(cache["serverless_cache_name"]) == 1
    assert set(aws.writes_since(mark)) == {"CreateServerlessCache"}


@pytest.mark.long
def test_a_change_that_aws_has_no_time_for_waits_and_goes_on(aws, run, converge, kept, settings):
    settings(modifying_seconds=3)
    aws.client("elasticache").modify_serverless_cache(
        ServerlessCacheName=kept["serverless_cache_name"], Description="by somebody else"
    )
    busy = run(MAIN, **kept, snapshot_retention_limit=3)
    assert busy["in_progress"] and "modifying" in busy["progress"] and not busy["changed"]
    assert converge(MAIN, **kept, snapshot_retention_limit=3)["changed"]


def test_one_that_could_not_be_made_says_so_and_can_be_taken_away(run, converge, cache, settings):
    settings(failing_creations=1)
    run(MAIN, **cache, engine="valkey")
    refused = converge(MAIN, **cache, engine="valkey")
    assert refused["failed"] and refused["option"] == "state" and "create-failed" in refused["msg"]
    assert "ordered by failing_creations" in refused["msg"]  # as its events say


def test_somebody_elses_is_used_as_it_is_and_never_changed_or_deleted(aws, run, kept):
    theirs = {**kept, "migration_name": "another"}
    mark = aws.mark
    assert run(MAIN, **theirs)["option"] == "adopt"
    adopted = run(MAIN, **theirs, adopt=True, engine="valkey")
    assert adopted["changed"] is False and adopted["endpoint"]["state"] == "known"
    assert run(MAIN, **theirs, adopt=True, snapshot_retention_limit=9)["option"] == "snapshot_retention_limit"
    assert run(MAIN, **theirs, state="absent", skip_final_snapshot=True)["option"] == "state"
    assert aws.writes_since(mark) == []


@pytest.mark.long
def test_it_goes_with_a_last_snapshot_from_which_another_begins(aws, run, converge, cache):
    converge(MAIN, **cache, engine="valkey", major_engine_version="8")
    gone = {**cache, "state": "absent"}
    assert run(MAIN, **gone)["option"] == "final_snapshot_name"
    last = f"{cache['serverless_cache_name']}-last"
    planned = run(MAIN, check_mode=True, **gone, final_snapshot_name=last)
    done = converge(MAIN, **gone, final_snapshot_name=last)
    assert done["plan"] == planned["plan"] and done["status"] == "absent" and done["changed"]
    assert run(MAIN, **gone, final_snapshot_name=last)["changed"] is False
    found = aws.client("elasticache").describe_serverless_cache_snapshots(ServerlessCacheSnapshotName=last)
    arn = found["ServerlessCacheSnapshots"][0]["ARN"]
    stated = {**cache, "engine": "valkey", "major_engine_version": "8", "snapshot_arns_to_restore": [arn]}
    again = converge(MAIN, **stated)
    assert again["plan"][0]["parameters"]["SnapshotArnsToRestore"] == [arn] and again["status"] == "available"
    assert run(MAIN, **stated)["changed"] is False
    aws.client("elasticache").delete_serverless_cache_snapshot(ServerlessCacheSnapshotName=last)


@pytest.mark.long
def test_redis_oss_becomes_valkey_in_place_goes_up_and_comes_back_from_the_first_version(run, converge, cache):
    made = converge(MAIN, **cache, engine="redis")
    moved = converge(MAIN, **cache, engine="valkey")
    assert moved["arn"] == made["arn"] and moved["endpoint"]["address"] == made["endpoint"]["address"]
    assert (moved["endpoint"]["engine"], moved["endpoint"]["engine_version"]) == ("valkey", "7.2")
    back = converge(MAIN, **cache, engine="redis")
    assert (back["endpoint"]["engine"], back["endpoint"]["engine_version"]) == ("redis", "7.1")
    up = converge(MAIN, **cache, engine="valkey", major_engine_version="8")
    assert up["endpoint"]["engine_version"] == "8.2" and len(up["plan"]) == 1
    assert run(MAIN, **cache, engine="redis")["option"] == "engine"
    assert told(run, cache)["create_time"] and told(run, cache)["arn"] == made["arn"]
