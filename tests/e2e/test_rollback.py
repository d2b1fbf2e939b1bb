"""The way back from every state: the old Redis down, a host lost, killed in the middle, the target gone."""

from __future__ import annotations

import pytest

from sandbox.moments import Moment
from tests.e2e import world

# a test is several runs, and on a busy machine each takes more than a minute
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

CUTOVER = "/cache_migration/sandbox/cutover"


@pytest.fixture(scope="module")
def before(stage):
    """What every rollback must lead back to, and what no refusal may lose; the story below goes in order."""
    return {"files": stage.environment_files(), "parameter": stage.parameter(), "data": stage.old_redis()}


@pytest.fixture(scope="module")
def load(stage, before):
    with stage.load() as stop:
        yield stop


def rollback(stage, *arguments, **more):
    return stage.play("playbooks/rollback.yml", *arguments, **more)


def is_noted(stage):
    """Whether the ledger says when the cutover was."""
    found = stage.sandbox.client("ssm").get_parameters_by_path(Path="/cache_migration/sandbox", Recursive=True)
    return CUTOVER in [parameter["Name"] for parameter in found["Parameters"]]


def changed(run):
    return sum(counts["changed"] for counts in run.recap.values())


def assert_all_is_back(stage, before):
    assert stage.environment_files() == before["files"]
    assert stage.parameter() == before["parameter"]
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()


def test_before_any_migration_there_is_nothing_to_put_back_and_nothing_is_written(stage, before):
    run = rollback(stage)
    assert run.code == 0
    assert changed(run) == 0 and run.writes == []


@pytest.fixture(scope="module")
def migrated(stage, load):
    assert stage.migrate().code == 0
    return stage


def test_with_the_old_redis_down_nothing_is_touched_and_the_reason_is_told(migrated):
    stage = migrated
    files, parameter = stage.environment_files(), stage.parameter()
    ec2 = stage.sandbox.client("ec2")
    ec2.stop_instances(InstanceIds=[world.old_instance(stage.sandbox)["InstanceId"]])
    try:
        run = rollback(stage)
        planned = rollback(stage, "--check")
    finally:
        ec2.start_instances(InstanceIds=[world.old_instance(stage.sandbox)["InstanceId"]])
    for refused in (run, planned):
        assert refused.code != 0
        assert "Nothing was touched" in refused.said() and "old-redis.internal:6379" in refused.said()
        assert changed(refused) == 0 and refused.writes == []
    assert stage.environment_files() == files and stage.parameter() == parameter
    assert stage.on_new(), stage.connections()
    assert stage.all_healthy()
    assert is_noted(stage)


def test_a_plan_says_what_stays_behind_and_changes_nothing(migrated):
    run = rollback(migrated, "--check")
    assert run.code == 0
    assert "kempian-cache holds" in run.said() and "without TTL" in run.said()
    assert "since the cutover (2" in run.said()
    assert "would be put back" in run.said()
    assert run.writes == []
    assert migrated.on_new()


def test_no_request_failed_while_rollbacks_refused_and_planned(migrated, load):
    figures = load()
    assert figures["requests_total"] > 100
    assert figures["failed"] == 0, figures["failures"]


def test_a_host_whose_app_breaks_after_the_migration_stays_on_the_target(migrated):
    """The old Redis has none of what its app wrote since, and may be retired."""
    stage, third = migrated, migrated.hosts[2]
    files = stage.environment_files()
    serve = stage.break_app(third)
    try:
        stage.sandbox.run(third, ["pkill", "-f", "[a]pp.serve"])
        run = stage.play("playbooks/cutover.yml", migration_timeout=15)
    finally:
        stage.sandbox.write(third, "/opt/shop/app/serve.py", serve)
    assert run.code != 0
    assert f"{third} failed at the step" in run.said()
    assert f"Left on the target, where their value led before this run: {third}." in run.said()
    assert "ut back to the old Redis" not in run.said()
    assert stage.environment_files() == files

    assert stage.play("playbooks/cutover.yml").code == 0
    assert stage.on_new() and stage.all_healthy()
    assert third in world.ledger_of(stage, "cutover")["hosts"]


def test_a_plan_says_what_stays_behind_also_where_the_first_host_is_out_of_reach(migrated):
    first = migrated.hosts[0]
    migrated.sandbox.drop(first)
    try:
        run = rollback(migrated, "--check")
    finally:
        migrated.sandbox.bring_back(first)
    assert f"{first}: NOT back" in run.said()
    assert "kempian-cache holds" in run.said() and "without TTL" in run.said()
    world.until(migrated.all_healthy, 20, "the host that was out of reach does not serve again")


def test_a_host_out_of_reach_is_named_with_the_command_and_the_others_are_put_back(migrated, before):
    stage, (first, second, third) = migrated, migrated.hosts
    stage.sandbox.drop(third)
    try:
        run = rollback(stage, migration_rollback_delete_target=True, migration_rollback_close_ingress=True)
    finally:
        stage.sandbox.bring_back(third)
    assert run.code != 0
    assert f"{third}: NOT back" in run.said() and "ansible-playbook playbooks/rollback.yml -i" in run.said()
    assert f"{first}: on the old Redis, put back by this run" in run.said()
    assert {host: stage.environment_files()[host] for host in (first, second)} == {
        host: before["files"][host] for host in (first, second)
    }
    assert stage.group()["Status"] == "available", "the target goes from under no host"
    assert "the target and the way to it stay" in run.said()
    # redis-py gives up a connection that was silent for 45 s, and waits up to seconds before it makes another.
    world.until(stage.all_healthy, 20, "the host that was out of reach does not serve again")


def test_a_run_that_is_killed_in_the_middle_is_finished_by_the_next(migrated, before):
    """The third host is on the target, the others and the shared value are back."""
    stage = migrated
    with stage.load() as stop:
        killed = rollback(stage, moments=[Moment("move | Move the host", after=1)])
        assert killed.code == -9
        finished = rollback(stage)
        figures = stop()
    assert finished.code == 0
    assert figures["failed"] == 0, figures["failures"]
    assert_all_is_back(stage, before)
    assert stage.old_redis() == before["data"]
    assert not is_noted(stage)


def test_a_second_rollback_changes_nothing_and_writes_nothing(migrated):
    run = rollback(migrated)
    assert run.code == 0
    assert changed(run) == 0 and run.writes == []


def test_all_is_put_back_where_the_target_was_deleted_under_the_app(migrated, before):
    stage = migrated
    assert stage.migrate().code == 0
    elasticache = stage.sandbox.client("elasticache")
    elasticache.delete_replication_group(ReplicationGroupId="kempian-cache")
    elasticache.get_waiter("replication_group_deleted").wait(
        ReplicationGroupId="kempian-cache", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    state = stage.play("playbooks/state.yml")
    assert f"rollback.yml would put back {', '.join(stage.hosts)}" in state.said()
    run = rollback(stage)
    assert run.code == 0
    assert "kempian-cache is not there" in run.said()
    assert_all_is_back(stage, before)


def test_the_hosts_are_put_back_where_elasticache_and_the_token_cannot_be_read(migrated, before):
    stage = migrated
    assert stage.migrate().code == 0
    stage.fault(
        {"action": "DescribeReplicationGroups", "how": "500", "times": 1000},
        {"action": "GetSecretValue", "how": "500", "times": 1000},
    )
    try:
        run = rollback(stage, migration_rollback_delete_target=True)
    finally:
        stage.fault()
    assert run.code == 0
    assert_all_is_back(stage, before)
    assert stage.group()["Status"] == "available"
