"""The data comes along as a copy, while a whole app works: web, a worker and a beat of Celery; and the way back."""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from sandbox.api import Sandbox
from sandbox.host_app import WHOLE
from tests.e2e import world

pytestmark = pytest.mark.long  # what fits in a minute is in molecule/transfer

RECEIPTS = "/var/lib/shop/receipts"
COPY = {"migration_transfer": "copy"}
# What nobody writes while it is copied: `legacy:` of the database of the URL, and as much in the one of the sessions.
MORE = "from sandbox import seed; r.select(3); seed.seed(r)"
# The digest is taken over connections of its own, which a SELECT on this one does not reach.
DIGEST = "from sandbox import seed; r.connection_pool.connection_kwargs['db'] = {}; print(seed.digest(r, 'legacy:*'))"
DATABASES = (0, 3)


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2edatacopy", hosts=2, creating_seconds=1, app=WHOLE)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def held(stage):
    """The digest of each database of the old Redis, as far as the app leaves it alone."""
    stage.old_redis(MORE)
    return {number: stage.old_redis(DIGEST.format(number)) for number in DATABASES}


@pytest.fixture(scope="module")
def planned(stage, held, load):
    return stage.migrate("--check", **COPY)


@pytest.fixture(scope="module")
def migrated(stage, planned):
    return stage.migrate(**COPY)


def digests_of_target(stage) -> dict[int, str]:
    query = f"?ssl_ca_certs={stage.sandbox.places.ca_certificate}"
    url = f"rediss://:{stage.token()}@{stage.primary_address()}:6379/0{query}\n".encode()
    found = {}
    for number in DATABASES:
        code = f"import redis; r = redis.Redis.from_url(input())\n{DIGEST.format(number)}"
        done = stage.sandbox.beside(next(iter(stage.sandbox.hosts)), [sys.executable, "-c", code], input=url)
        assert done.returncode == 0, done.stderr.decode()
        found[number] = done.stdout.decode().strip()
    return found


def test_the_plan_says_what_is_copied_by_whom_and_the_run_says_the_same(stage, planned, migrated):
    assert planned.code == 0 and planned.writes == []
    (line,) = [line for line in planned.lines if line.startswith("data: ")]
    assert "copy what old-redis.internal:6379 holds, by app1" in line and "compare every key" in line
    assert planned.lines == migrated.lines


def test_all_of_it_is_on_the_target_before_the_first_host_is(stage, held, migrated):
    assert migrated.code == 0
    assert digests_of_target(stage) == held
    said = migrated.said()
    assert said.index("Copied ") < said.index("Compared ") < said.index("app1: restarted")
    entry = world.ledger_of(stage, "transfer")
    assert entry["step"] == "finished" and entry["host"] == "app1" and entry["compared"]["compared"] > 1000


def test_every_host_is_on_the_target_and_a_second_run_copies_nothing_over_it(stage, migrated):
    assert stage.on_new() and stage.all_healthy(), stage.connections()
    again = stage.migrate(**COPY)
    assert again.code == 0 and again.writes == [] and "Copied" not in again.said()


def test_the_old_one_is_as_it_was_and_takes_the_hosts_back(stage, held, migrated):
    back = stage.play("playbooks/rollback.yml", **COPY)
    assert back.code == 0 and stage.on_old() and stage.all_healthy(), stage.connections()
    assert {number: stage.old_redis(DIGEST.format(number)) for number in DATABASES} == held


def test_no_request_failed_and_no_job_was_lost(stage, migrated, load):
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
    assert len(figures["orders"]) > 20
    taken = Counter(figures["orders"])
    world.until(lambda: not set(taken) - set(receipts(stage)), 30, "a job was lost")
    twice = sum((receipts(stage) - taken).values())
    print(f"{len(taken)} jobs, {twice} of them twice, as they waited in the queue while it was copied")


def receipts(stage) -> Counter[str]:
    there = [stage.sandbox.read(host, RECEIPTS).decode().split() for host in stage.sandbox.hosts]
    return Counter(order for of_host in there for order in of_host)


def test_after_a_rollback_the_data_is_copied_anew(stage, held, load):
    stage.old_redis("r.set('legacy:since', 'the rollback')")
    fresh = stage.old_redis(DIGEST.format(0))
    assert fresh != held[0]
    run = stage.migrate(**COPY)
    assert run.code == 0 and "copy anew" in run.said()
    assert digests_of_target(stage) == {**held, 0: fresh}
