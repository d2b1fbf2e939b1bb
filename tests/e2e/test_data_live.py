"""Writes come along until the last host is switched: 2,000 a second all the while, and all of them there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import WHOLE
from sandbox.moments import Moment
from sandbox.shell import environment
from tests.e2e import world

pytestmark = pytest.mark.long

LIVE = {"migration_transfer": "live"}
RATE = 2000
WRITER = Path(__file__).with_name("programs") / "writer.py"
UNTIL_THEN = "move | Judge the last batch"
DATABASES = (0, 3)
SLACK_MS = 2000  # a key may live a little longer at the target
# Of each key its digest and when it expires.
EACH = """
import hashlib, json, redis
from sandbox.seed import raw_client, value_of
found = {}
for number in (0, 3):
    raw = raw_client(redis.Redis.from_url(url.replace(":6379/0", f":6379/{number}")))
    for key in raw.scan_iter(match="legacy:*", count=1000):
        digest = hashlib.sha256(repr((raw.type(key), value_of(raw, key))).encode()).hexdigest()
        found[f"{number} {key!r}"] = (digest, raw.execute_command("PEXPIRETIME", key))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2edatalive", hosts=2, creating_seconds=1, app=WHOLE)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


def old_url(stage) -> str:
    return re.findall(r"^REDIS_URL=(\S+)/0$", next(iter(stage.originals.values())).decode(), re.M)[0] + "/0"


def target_url(stage) -> str:
    trusted = stage.sandbox.places.ca_certificate
    return f"rediss://:{quote(stage.token(), safe='')}@{stage.primary_address()}:6379/0?ssl_ca_certs={trusted}"


def each_key(stage, url: str) -> dict[str, tuple[str, int]]:
    done = stage.sandbox.beside(stage.hosts[0], [sys.executable, "-c", f"url = input()\n{EACH}"], f"{url}\n".encode())
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def migrated(stage, load):
    """With a writer beside the app, which ends when the last host is switched."""
    until = stage.folder / "until"
    command = stage.sandbox.beside_command(stage.hosts[1], [sys.executable, str(WRITER), str(RATE), str(until)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    writer = subprocess.Popen(command, env=environment(), **pipes)
    writer.stdin.write(f"{old_url(stage)}\n".encode())
    writer.stdin.flush()
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
    assert {key: digest for key, (digest, _until) in new.items()} == {key: digest for key, (digest, _) in old.items()}
    for key, (_digest, until) in old.items():
        assert (until < 0 and new[key][1] == until) or abs(new[key][1] - until) <= SLACK_MS, key


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
