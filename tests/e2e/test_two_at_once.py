"""Two runs at once: the second is told who holds the lock, since when, and how to break it; a stale lock ends."""

from __future__ import annotations

import getpass
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.moments import AtWrite, Moment
from tests.e2e import world

pytestmark = pytest.mark.long

HOSTS, CREATING_SECONDS = 2, 1
PROVISION, INGRESS, CUTOVER = "playbooks/provision.yml", "playbooks/ingress.yml", "playbooks/cutover.yml"
LOCKED_BY_THEN = "move | Move the host"
LOCK = "/cache_migration/sandbox/lock"
LOSE = f"import boto3; boto3.client('ssm').delete_parameter(Name='{LOCK}')"
FREED_SECONDS = 20
EXPIRY_SECONDS = 301


@pytest.fixture(scope="module", autouse=True)
def load(stage):
    with stage.load() as stop:
        yield
        figures = stop()
    assert figures["failed"] == 0, figures["failures"]


@contextmanager
def holder(stage) -> Iterator[dict]:
    """A run that has taken the lock and stands still; it goes on at the end, if it still lives. Yields what it is."""
    world.reset(stage)
    assert stage.play(PROVISION).code == 0
    assert stage.play(INGRESS).code == 0
    go, there, found = stage.folder / "go", stage.folder / "there", {}
    for file in (go, there):
        file.unlink(missing_ok=True)
    wait = f"touch {there}; while ! [ -e {go} ]; do sleep 0.1; done"
    moment = Moment(LOCKED_BY_THEN, command=("sh", "-c", wait))
    thread = threading.Thread(target=lambda: found.update(run=stage.play(CUTOVER, moments=[moment])))
    thread.start()
    try:
        world.until(there.exists, 200, "the first run does not take the lock")
        found["pid"] = min(stage.left_running("bin/ansible-playbook"))  # its workers came later
        yield found
    finally:
        go.touch()
        thread.join()


def is_locked(stage) -> bool:
    return LOCK in [each["Name"] for each in stage.sandbox.client("ssm").describe_parameters()["Parameters"]]


def refused(stage) -> str:
    """A second run is stopped at its beginning, and changes nothing; returns the id of the lock that it names."""
    files, run = stage.environment_files(), stage.migrate()
    assert run.code != 0
    assert run.writes == []
    assert stage.environment_files() == files
    who = f"{getpass.getuser()}@{socket.gethostname()} has been running cutover.yml (process "
    assert who in run.said()
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*, .{1,30} ago", run.said())
    assert "move | Look at every host" not in [task.short_name for task in run.tasks], "it went on to the hosts"
    told = re.search(r"the migration sandbox is locked: .*?-e migration_break_lock=(\w+)", run.said())
    print("the second run was told:", told[0])
    return told[1]


def lose(stage, pid: int) -> None:
    """The machine of a run is lost: the run, and what would let go of its lock."""
    [keeper] = stage.left_running("lock_keeper")
    for each in (keeper, pid):
        os.kill(each, signal.SIGKILL)


def test_the_second_of_two_runs_is_told_of_the_first_and_the_first_goes_on(stage):
    with holder(stage) as first:
        refused(stage)
    assert first["run"].code == 0
    world.until(lambda: not is_locked(stage), FREED_SECONDS, "the run has ended and its lock is still there")


@pytest.mark.long
def test_the_lock_of_a_run_that_is_killed_is_let_go_of(stage):
    with holder(stage) as first:
        assert is_locked(stage)
        os.kill(first["pid"], signal.SIGKILL)
        world.until(lambda: not is_locked(stage), FREED_SECONDS, "the run was killed and its lock is still there")
    assert first["run"].code == -signal.SIGKILL


def test_a_run_that_is_killed_as_it_takes_the_lock_leaves_none(stage):
    """AWS has the lock, and the run was not told."""
    world.reset(stage)
    assert stage.play(PROVISION, moments=[AtWrite(1, is_done=True)]).code == -signal.SIGKILL
    world.until(lambda: not is_locked(stage), FREED_SECONDS, "the run was killed and its lock is still there")


def test_a_run_that_has_lost_its_lock_stops_before_the_next_batch(stage):
    """As on a machine that slept for longer than a lock lasts, while somebody else did a run."""
    world.reset(stage)
    assert stage.play(PROVISION).code == 0
    assert stage.play(INGRESS).code == 0
    first, second = stage.hosts
    run = stage.play(
        CUTOVER,
        moments=[
            Moment("move | Hold the lock, and judge what was moved", occurrence=2, command=(sys.executable, "-c", LOSE))
        ],
    )
    assert run.code != 0
    assert "it does not hold the lock of the migration sandbox any more" in run.said()
    assert stage.environment_files()[first] != stage.originals[first]
    assert stage.environment_files()[second] == stage.originals[second]
    assert stage.all_healthy() and not world.ledger_of(stage, "cutover")


@pytest.mark.long
def test_a_lock_that_nobody_keeps_any_more_ends_by_itself(stage):
    with holder(stage) as first:
        lose(stage, first["pid"])
        refused(stage)
        stage.sandbox.advance_clock(EXPIRY_SECONDS)
        assert stage.play(PROVISION).code == 0


@pytest.mark.long
def test_a_lock_that_nobody_keeps_any_more_can_be_broken_by_what_the_message_says(stage):
    with holder(stage) as first:
        lose(stage, first["pid"])
        named = refused(stage)
        assert stage.play(PROVISION, migration_break_lock="0" * 8).code != 0, "another lock is not broken"
        assert stage.play(PROVISION, migration_break_lock=named).code == 0
