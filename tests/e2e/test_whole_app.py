"""A whole app under load, there and back: web, a worker and a beat of Celery, three URLs, parts, and a parameter."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from sandbox.api import Sandbox
from sandbox.host_app import WHOLE

CHECKOUT = Path(__file__).resolve().parents[2]
ENV, RECEIPTS = "/opt/shop/.env", "/var/lib/shop/receipts"
FORGOTTEN = "FLAGS_URL"
SETTINGS = CHECKOUT / "inventories/sandbox-whole/group_vars/all.yml"
PYTHON = "/opt/shop/venv/bin/python"

# Each client as the app makes it, asked for an answer: `{name: "ok" or what went wrong}`.
ASK_EACH = """
import json, traceback
from dotenv import load_dotenv
load_dotenv(".env")
import redis
from app import cache, jobs, parameters
def broker():
    with jobs.jobs.connection_for_write() as connection:
        connection.default_channel.client.ping()
clients = {
    "cache": cache.redis_client.ping,
    "sessions": cache.session_client.ping,
    "parameter": lambda: redis.from_url(parameters.url_of_parameter("STOCK_URL_PARAMETER")).ping(),
    "result backend": jobs.jobs.backend.client.ping,
    "broker": broker,
}
def answer(ask):
    try:
        ask()
    except Exception:
        return traceback.format_exc()
    return "ok"
print(json.dumps({name: answer(ask) for name, ask in clients.items()}))
"""

PLACE = """
from app.jobs import send_receipt
def place(orders):
    for order in orders:
        send_receipt.apply_async((order,), task_id=order)
"""


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2ewholeapp", hosts=2, creating_seconds=1, app=WHOLE)
    try:
        there = stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
        for host, content in there.environment_files().items():
            (url,) = re.findall(rb"^REDIS_URL=(\S+)/0$", content, re.M)
            there.replace_file(host, ENV, content + f"{FORGOTTEN}=".encode() + url + b"/4\n")
        there.originals = there.environment_files()
        yield there
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def parameter(stage):
    return stage.parameter()


@pytest.fixture(scope="module")
def refused(stage, load, parameter):
    return stage.migrate()


@pytest.fixture(scope="module")
def values(refused):
    """The settings with the line pasted that the refusal shows."""
    stated = yaml.safe_load(SETTINGS.read_text())["migration_values"]
    (line,) = re.findall(rf"{FORGOTTEN}: \{{.*?\}}", refused.said())
    stated[0]["keys"].update(yaml.safe_load(line))
    return stated


@pytest.fixture(scope="module")
def waiting(stage):
    """Orders of one moment, for whose receipts the workers need much longer than a web service for its restart."""
    orders = [f"w{number}" for number in range(80)]
    done = run(stage, next(iter(stage.sandbox.hosts)), PLACE + f"place({orders})")
    assert done.returncode == 0, done.stderr.decode()
    return orders


@pytest.fixture(scope="module")
def migrated(stage, values, waiting):
    return stage.migrate(migration_values=values)


@pytest.fixture(scope="module")
def back(stage, migrated, values):
    return stage.play("playbooks/rollback.yml", migration_values=values)


def test_a_key_that_nobody_named_is_refused_before_anything_is_touched_with_the_line_to_paste(stage, refused):
    assert refused.code != 0 and f"{FORGOTTEN}: {{form: url, database: 4}}" in refused.said()
    assert refused.writes == [] and stage.environment_files() == stage.originals


def test_every_client_is_on_the_target_and_verifies_its_certificate(stage, migrated):
    assert migrated.code == 0
    assert stage.on_new() and stage.all_healthy(), stage.connections()
    for host in stage.sandbox.hosts:
        trusting = asked(stage, host)
        assert trusting == dict.fromkeys(trusting, "ok"), "with the authorities of the host"
        doubting = asked(stage, host, "SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/nonexistent")
        assert len(doubting) == 5 and all("CERTIFICATE_VERIFY_FAILED" in answer for answer in doubting.values())


def run(stage, host, script, *environment):
    """In the app's folder, by its Python."""
    command = f"cd /opt/shop && exec env {' '.join(environment)} {PYTHON} -"
    return stage.sandbox.run(host, ["sh", "-c", command], input=script.encode())


def asked(stage, host, *environment) -> dict[str, str]:
    done = run(stage, host, ASK_EACH, *environment)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_no_job_stayed_behind_in_the_cache_that_was_left(stage, migrated, waiting):
    done_all(stage, Counter(waiting))


def done_all(stage, orders):
    """Their receipts are written, in the time that the workers have for what came last."""
    end = time.monotonic() + 30
    while orders - receipts(stage) and time.monotonic() < end:
        time.sleep(0.2)
    assert not orders - receipts(stage)


def test_a_second_run_changes_nothing(stage, migrated, values):
    again = stage.migrate(migration_values=values)
    assert again.code == 0 and again.writes == []


def test_all_of_it_goes_back_byte_for_byte(stage, back, parameter):
    assert back.code == 0
    assert stage.environment_files() == stage.originals and stage.parameter() == parameter
    assert stage.on_old() and stage.all_healthy(), stage.connections()


def test_no_request_failed_and_no_job_was_lost_or_run_twice(stage, back, load, waiting):
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
    assert len(figures["orders"]) > 50
    taken = Counter([*figures["orders"], *waiting])
    done_all(stage, taken)
    assert receipts(stage) == taken


def receipts(stage) -> Counter[str]:
    """How often each order's job was run, on any of the hosts."""
    there = [stage.sandbox.read(host, RECEIPTS).decode().split() for host in stage.sandbox.hosts]
    return Counter(order for of_host in there for order in of_host)
