"""Jobs of Celery and RQ through a cutover: those that wait, those under way, those that are due later, and those that
come meanwhile. Each is done once.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from sandbox.api import Sandbox
from sandbox.host_app import QUEUES
from tests.e2e import world

pytestmark = pytest.mark.long

SETTINGS = Path(__file__).resolve().parents[2] / "inventories/sandbox-whole/group_vars/all.yml"
PYTHON = "/opt/shop/venv/bin/python"
RECEIPTS, LETTERS = "/var/lib/shop/receipts", "/var/lib/shop/letters"
# What becomes of the jobs that wait when the last workers are to leave.
WAYS = {
    "drained": {"migration_transfer": "copy", "migration_queues_timeout": 240},
    "brought": {"migration_transfer": "copy", "migration_queues_timeout": 0, "migration_queues_left": "bring"},
    "live": {"migration_transfer": "live"},
}
WAITING = {"drained": 30, "brought": 300, "live": 300}
LATER_SECONDS = {"drained": 300, "brought": 240, "live": 300}
PLACE = """
from app.jobs import send_receipt
from app.letters import order_letter
for order in {orders}:
    send_receipt.apply_async((order,), task_id=order, countdown={later} or None)
    order_letter(order, {later})
"""


@pytest.fixture(scope="module", params=list(WAYS))
def way(request):
    return request.param


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory, way):
    sandbox = Sandbox.up(f"e2equeue{way}", hosts=2, creating_seconds=1, app=QUEUES)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def stated(stage, way):
    """Web first, the workers last, each with its queues."""
    settings = yaml.safe_load(SETTINGS.read_text())
    values = settings["migration_values"]
    values[0]["keys"]["RQ_URL"] = {"form": "url", "database": 4}
    of_rq = {**settings["shop_worker"], "name": "shop-rq", "queues": {"RQ_URL": ["rq:queue:default", "rq:wip:default"]}}
    beat = "([shop_beat] if inventory_hostname == 'app1' else [])"
    services = f"{{{{ [shop_web] + {beat} + [shop_worker, shop_rq] }}}}"
    return {"migration_values": values, "migration_services": services, "shop_rq": of_rq, **WAYS[way]}


def place(stage, orders, later=0):
    script = PLACE.format(orders=list(orders), later=later)
    done = stage.sandbox.run(stage.hosts[0], ["sh", "-c", f"cd /opt/shop && exec {PYTHON} -"], input=script.encode())
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def placed(stage, load, way):
    """Those of one moment that wait, and those that are due when the cutover is over."""
    waiting = [f"w{number}" for number in range(WAITING[way])]
    later = [f"l{number}" for number in range(10)]
    place(stage, later, LATER_SECONDS[way])
    due = time.monotonic() + LATER_SECONDS[way]
    place(stage, waiting)
    return waiting, later, due


@pytest.fixture(scope="module")
def migrated(stage, stated, placed):
    return stage.migrate(**stated)


def done_by(stage, path: str) -> Counter[str]:
    there = [stage.sandbox.run(host, ["cat", path]).stdout.decode().split() for host in stage.hosts]
    return Counter(order for of_host in there for order in of_host)


def test_the_plan_says_that_jobs_are_moved_after_the_last_host(migrated, way):
    assert migrated.code == 0
    moves = [line for line in migrated.lines if "move what waits in queues" in line]
    assert len(moves) == 1 and "celery" in moves[0] and "rq:queue:default" in moves[0]
    _before, moved, told = migrated.said().partition("Moved what waited in queues: ")
    assert moved and "app2: restarted" in _before
    print(told[:300])
    assert "in rq:scheduled:default" in told[:300] and ("in celery" in told[:300]) >= (way != "drained")


def test_every_worker_is_on_the_target_and_the_old_one_has_no_job_left(stage, migrated):
    assert stage.on_new() and stage.all_healthy(), stage.connections()
    left = "print([k for n in (1, 4) for k in (r.select(n), list(r.scan_iter()))[1]])"
    keys = eval(stage.old_redis(left))
    jobs = [key for key in keys if not key.startswith((b"_kombu", b"rq:worker", b"rq:scheduler", b"rq:clean"))]
    assert not jobs, jobs


def test_what_is_due_later_is_not_done_before(stage, migrated, placed):
    _waiting, later, due = placed
    if time.monotonic() < due - 5:
        for path in (RECEIPTS, LETTERS):
            assert not set(later) & set(done_by(stage, path)), "too early"


def test_each_job_is_done_once(stage, migrated, placed, load):
    waiting, later, due = placed
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
    assert len(figures["orders"]) > 20
    taken = Counter([*figures["orders"], *waiting, *later])
    time.sleep(max(0.0, due - time.monotonic()))
    for path in (RECEIPTS, LETTERS):
        world.until(lambda path=path: not taken - done_by(stage, path), 300, f"lost: {taken - done_by(stage, path)}")
    time.sleep(3)
    for path in (RECEIPTS, LETTERS):
        assert done_by(stage, path) == taken
    print(f"{len(taken)} jobs of Celery and as many of RQ, {len(later)} of each due later: each done once")


def test_a_second_run_changes_nothing(stage, migrated, stated):
    again = stage.migrate(**stated)
    assert again.code == 0 and again.writes == []
