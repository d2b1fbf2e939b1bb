"""Writes come along until the last host is switched: 2,000 a second all the while, and all of them there."""

from __future__ import annotations

import json

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import WHOLE
from sandbox.moments import Moment
from tests.e2e import world
from tests.e2e.data import RATE, SLACK_MS, begin_to_write, each_key, hold_alike, old_url, target_url

pytestmark = pytest.mark.long

LIVE = {"migration_transfer": "live"}
UNTIL_THEN = "move | Judge the last batch"


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2edatalive", hosts=2, creating_seconds=1, app=WHOLE)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def migrated(stage, load):
    """With a writer beside the app, which ends when the last host is switched."""
    until = stage.folder / "until"
    writer = begin_to_write(stage, until)
    try:
        run = stage.migrate(**LIVE, moments=[Moment(UNTIL_THEN, command=("touch", str(until)))])
    finally:
        until.touch()
        said, errors = writer.communicate(timeout=60)
    assert writer.returncode == 0, errors.decode()
    return run, json.loads(said)


def test_all_that_was_written_until_the_last_host_was_switched_is_on_the_target(stage, migrated):
    run, wrote = migrated
    assert run.code == 0
    print(f"{wrote['written']} writes, {wrote['written'] / wrote['seconds']:.0f} a second")
    assert wrote["written"] / wrote["seconds"] > 0.8 * RATE
    old, new = each_key(stage, old_url(stage)), each_key(stage, target_url(stage))
    assert len(old) > 2000
    hold_alike(old, new, SLACK_MS)


def test_the_story_says_how_far_it_is_and_that_it_is_ended(stage, migrated):
    run, _wrote = migrated
    said = run.said()
    assert said.index("Copied ") < said.index("app1: restarted") < said.index("Followed to the end")
    assert world.ledger_of(stage, "transfer")["step"] == "finished"


def test_every_host_is_there_and_nobody_follows_any_more(stage, migrated):
    assert stage.on_new() and stage.all_healthy(), stage.connections()
    again = stage.migrate(**LIVE)
    assert again.code == 0 and again.writes == []


def test_no_request_failed(stage, migrated, load):
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
