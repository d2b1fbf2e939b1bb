"""What breaks in the middle of a cutover ends with all put back: an app, a disk, a check, the target, a host."""

from __future__ import annotations

import re
import shlex
import sys
import time
from contextlib import contextmanager

import pytest

from sandbox.moments import Moment
from tests.e2e import world

CUTOVER = "playbooks/cutover.yml"
FAIL_OVER = (
    "import boto3; boto3.client('elasticache').test_failover(ReplicationGroupId='kempian-cache', NodeGroupId='0001')"
)


@pytest.fixture(scope="module")
def provisioned(stage):
    """A target that is there and open to the app, while every host is still on the old Redis."""
    assert stage.play("playbooks/provision.yml").code == 0
    assert stage.play("playbooks/ingress.yml").code == 0
    stage.original_parameter, stage.data = stage.parameter(), stage.old_redis()
    return stage


@contextmanager
def broken(stage, what, *may_fail):
    """While something is broken: users are served by every host that is not itself, and afterwards all is put back."""
    with stage.load() as stop:
        yield
        assert_all_is_put_back(stage)
        figures = stop()
    failed = {
        host: figures["hosts"][f"http://{address}:8000"]["failed"] for host, address in stage.sandbox.hosts.items()
    }
    print(f"{what}: {figures['requests_total']} requests, failed by host: {failed}")
    assert {host for host, count in failed.items() if count} <= set(may_fail), figures["failures"]


def assert_all_is_put_back(stage):
    assert stage.environment_files() == stage.originals
    assert stage.parameter() == stage.original_parameter
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()
    assert not world.ledger_of(stage, "cutover")


def test_an_app_that_does_not_come_back_on_the_second_host(provisioned):
    first, second, third = provisioned.hosts
    serve = provisioned.break_app(second)
    provisioned.limit_starts(second)
    with broken(provisioned, "the app of one host"):
        run = provisioned.play(CUTOVER, migration_timeout=20)
    provisioned.sandbox.write(second, "/opt/shop/app/serve.py", serve)
    assert run.code != 0
    assert f"{second} failed at the step 'Restart where needed and prove the connections'" in run.said()
    assert f"Put back to the old Redis, restarted and healthy: {first}, {second}." in run.said()
    assert f"Never touched by this run: {third}." in run.said()
    assert "No host is left changed" in run.said()


def test_a_full_disk_on_the_second_host(provisioned):
    first, second, third = provisioned.hosts
    provisioned.sandbox.fill_disk(second, "/opt/shop")
    try:
        with broken(provisioned, "a full disk"):
            run = provisioned.play(CUTOVER)
    finally:
        provisioned.sandbox.free_disk(second, "/opt/shop")
    assert run.code != 0
    assert f"{second} failed at the step 'Change the value': there is no space beside /opt/shop/.env" in run.said()
    assert f"Put back to the old Redis, restarted and healthy: {first}." in run.said()
    assert f"Never touched by this run: {second}, {third}." in run.said()


def test_the_users_own_check_that_fails_after_the_last_batch(provisioned, tmp_path):
    token = provisioned.token()
    check, told = tmp_path / "integration-tests", tmp_path / "told"
    check.write_text(
        f"#!/bin/sh\necho $MIGRATION_PHASE $MIGRATION_HOSTS $MIGRATION_ADDRESSES >>{told}\n"
        f"echo 'logged in with {token}'\n"
        "[ $MIGRATION_PHASE = canary ] || { echo '1 of 9 tests failed'; exit 3; }\n"
    )
    check.chmod(0o700)
    with broken(provisioned, "the user's own check"):
        run = provisioned.play(CUTOVER, "-vvvv", migration_check_command=str(check))
    assert run.code != 0
    hosts, addresses = provisioned.hosts, list(provisioned.sandbox.hosts.values())
    assert told.read_text().splitlines() == [
        f"canary {hosts[0]} {addresses[0]}",
        f"all {','.join(hosts)} {','.join(addresses)}",
    ]
    assert f"{check}` (migration_check_command) failed after the last batch: it ended with 3" in run.said()
    assert "1 of 9 tests failed" in run.text
    assert "logged in with ***" in run.text
    assert token not in run.text
    assert f"Put back to the old Redis, restarted and healthy: {', '.join(provisioned.hosts)}." in run.said()


@pytest.mark.long
def test_the_users_own_check_that_fails_after_the_canary(provisioned, tmp_path):
    first, *others = provisioned.hosts
    check, told = tmp_path / "integration-tests", tmp_path / "told"
    check.write_text(
        f"#!/bin/sh\necho $MIGRATION_PHASE $MIGRATION_HOSTS >>{told}\n[ $MIGRATION_PHASE != canary ] || exit 3\n"
    )
    check.chmod(0o700)
    with broken(provisioned, "the user's own check of the canary"):
        run = provisioned.play(CUTOVER, migration_check_command=str(check))
    assert run.code != 0
    assert told.read_text().splitlines() == [f"canary {first}"]
    assert f"{check}` (migration_check_command) failed after the canary: it ended with 3" in run.said()
    assert f"Put back to the old Redis, restarted and healthy: {first}." in run.said()
    assert f"Never touched by this run: {', '.join(others)}." in run.said()
    assert "No host is left changed" in run.said()


@pytest.mark.long
def test_a_target_that_fails_over_in_the_second_batch(provisioned):
    """A failover that a proof does not survive puts all back. Meanwhile hosts on the target have no cache at all."""
    first, second, _third = provisioned.hosts
    provisioned.sandbox.settings(failing_over_seconds=15)
    fail_over = Moment("move | Move the host", occurrence=2, command=(sys.executable, "-c", FAIL_OVER))
    with broken(provisioned, "the target", first):
        run = provisioned.play(CUTOVER, moments=[fail_over])
    assert run.code != 0
    assert f"{second} failed at the step 'Probe the target'" in run.said()
    assert f"Put back to the old Redis, restarted and healthy: {first}." in run.said()
    end = time.monotonic() + 60
    while provisioned.group()["Status"] != "available":
        assert time.monotonic() < end
        time.sleep(0.5)


@pytest.mark.long
def test_a_host_that_becomes_unreachable_in_the_second_batch(provisioned):
    """In the middle of a task, while it waits for its app. It is named with the command that puts it back; and the next
    run finishes what it missed."""
    first, second, third = provisioned.hosts
    sandbox = provisioned.sandbox
    drop = (sys.executable, "-m", "sandbox", "drop", sandbox.name, second)
    restart = "move | Move the host"
    serve = provisioned.break_app(second, "time.sleep(3600)")
    with broken(provisioned, "a host's network", second):
        try:
            run = provisioned.play(CUTOVER, moments=[Moment(restart, occurrence=2, after=8, command=drop)])
        finally:
            sandbox.bring_back(second)
            sandbox.write(second, "/opt/shop/app/serve.py", serve)
        assert run.code != 0
        assert f"{second} failed at the step" in run.said()
        assert f"Put back to the old Redis, restarted and healthy: {first}." in run.said()
        assert f"NOT put back: {second}: the host cannot be reached" in run.said()
        assert f"Never touched by this run: {third}." in run.said()

        next_run = provisioned.play(CUTOVER)
        assert next_run.code == 0
        assert provisioned.on_new(), provisioned.connections()
        assert all(host in world.ledger_of(provisioned, "cutover")["hosts"] for host in provisioned.hosts)

        [command] = set(re.findall(r"ansible-playbook playbooks/rollback\.yml -i \S+", run.said()))
        words = shlex.split(command)
        assert words[3].endswith("/inventories/sandbox")
        assert provisioned.play(words[1], *words[4:]).code == 0


def test_the_data_of_the_old_redis_is_what_it_was(provisioned):
    assert provisioned.old_redis() == provisioned.data
