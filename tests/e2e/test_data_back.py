"""What the app wrote to the target comes back with a rollback: every key of it, and none that was deleted there."""

from __future__ import annotations

import json
import re
import sys

import pytest

from sandbox.api import Sandbox
from tests.e2e.data import each_key, hold_alike, old_url, target_url

pytestmark = pytest.mark.long

# What all hosts share cannot go back in the same turn.
VALUES = {"migration_values": [{"store": "dotenv", "path": "/opt/shop/.env", "keys": {"REDIS_URL": "url"}}]}
CARRIES = {"migration_rollback_carries": True, **VALUES}
STOOD_STILL = re.compile(r"stood still for ([\d.,]+) s, ([\d.,]+) s of it for that")
WRITE = """
import redis
r = redis.Redis.from_url(input())
keys = list(r.scan_iter(match="legacy:*", count=1000))
gone = sorted(keys)[:200]
r.delete(*gone)
r.mset({f"legacy:since:{n}": n for n in range(1000)})
for n in range(300):
    r.hset(f"legacy:since:hash:{n % 30}", f"field-{n}", n)
r.expire("legacy:since:1", 5000)
print(len(gone))
"""


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2edataback", hosts=2, creating_seconds=1)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def carried(stage):
    assert stage.migrate(migration_transfer="copy", **VALUES).code == 0
    url = f"{target_url(stage)}\n".encode()
    wrote = stage.sandbox.beside(stage.hosts[0], [sys.executable, "-c", WRITE], url)
    assert wrote.stdout.strip() == b"200", wrote.stderr.decode()
    before = each_key(stage, target_url(stage))
    return before, stage.play("playbooks/rollback.yml", **CARRIES)


def test_the_old_redis_is_what_the_target_was(stage, carried):
    before, run = carried
    assert run.code == 0 and stage.on_old() and stage.all_healthy()
    after = each_key(stage, old_url(stage))
    hold_alike(before, after, 1000)


def test_for_how_long_the_app_stood_still_is_said_and_recorded(stage, carried):
    _before, run = carried
    still, of_it = (float(figure.replace(",", "")) for figure in STOOD_STILL.search(run.said()).groups())
    print(f"services stood still for {still} s, {of_it} s of it to carry and compare")
    assert 0 < of_it < still
    record = json.loads((stage.folder / "report" / "rollback.json").read_text())
    assert '"still_ms"' in json.dumps(record)
    assert "carry back what kempian-cache holds" in run.said() and "nothing is copied" not in run.said()


def test_the_same_again_has_nothing_to_do(stage, carried):
    again = stage.play("playbooks/rollback.yml", **CARRIES)
    assert again.code == 0 and stage.on_old()
