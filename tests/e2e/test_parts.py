"""An app that has its host, port and password in keys of their own, beside a URL: there and back under load."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url

from sandbox.api import Sandbox

pytestmark = pytest.mark.long

HOSTS = 2
ENV = "/opt/shop/.env"
KEYS = {
    "REDIS_HOST": "host",
    "REDIS_PORT": "port",
    "REDIS_PASSWORD": "password",
    "REDIS_DB": {"form": "database", "database": 0},
    "REDIS_SSL": {"form": "tls", "on": "True", "off": "False", "added": True},
    "QUEUE": {"template": "queue={url}", "database": 1},
}
FORGOTTEN = "SESSION_URL"


def in_parts(content: bytes) -> bytes:
    """The same place, written as apps without a URL have it."""
    lines = content.decode().splitlines()
    (url,) = [line.partition("=")[2].strip("'\"") for line in lines if line.startswith("REDIS_URL=")]
    old = parse_url(url)
    parts = [
        f"REDIS_HOST={old.host}",
        f"REDIS_PORT={old.port}",
        f"REDIS_PASSWORD='{old.password}'",
        f"REDIS_DB={old.database}",
        f"QUEUE=queue={url.removesuffix('/0')}/1",
        f"{FORGOTTEN}={url}",
    ]
    kept = [line for line in lines if not line.startswith("REDIS_URL")]
    return "\n".join([*kept, *parts, ""]).encode()


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2eparts", hosts=HOSTS, creating_seconds=1)
    try:
        there = stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
        for host, content in there.environment_files().items():
            there.replace_file(host, ENV, in_parts(content))
        there.originals = there.environment_files()
        there.restart_app()
        yield there
    finally:
        sandbox.down()


def moved(stage, playbook="migrate.yml", **more):
    return stage.play(playbook, migration_values=[{"store": "dotenv", "path": ENV, "keys": KEYS}], **more)


@pytest.fixture(scope="module")
def refused(stage, load):
    return moved(stage)


@pytest.fixture(scope="module")
def migrated(stage, refused):
    return moved(stage, migration_unmoved_keys=[FORGOTTEN])


@pytest.fixture(scope="module")
def back(stage, migrated):
    return moved(stage, "playbooks/rollback.yml")


def test_a_key_that_nobody_named_is_refused_before_anything_is_touched_with_the_line_to_paste(stage, refused):
    assert refused.code != 0 and f"{FORGOTTEN}: {{form: url, database: 0}}" in refused.said()
    assert refused.writes == [] and stage.environment_files() == stage.originals


def test_the_parts_lead_to_the_target_with_tls_and_the_token(stage, migrated):
    assert migrated.code == 0
    assert stage.on_new(), stage.connections()
    for content in stage.environment_files().values():
        lines = content.decode().splitlines()
        assert f"REDIS_HOST={stage.primary_address()}" in lines and "REDIS_SSL=True" in lines
        assert any(line.startswith(("QUEUE=queue=rediss://", "QUEUE='queue=rediss://")) for line in lines)
    assert stage.token() not in migrated.text


def test_a_second_run_changes_nothing(stage, migrated):
    again = moved(stage, migration_unmoved_keys=[FORGOTTEN])
    assert again.code == 0 and again.writes == []


def test_the_app_goes_back_byte_for_byte(stage, back):
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy(), stage.connections()


def test_no_request_failed_in_all_of_it(back, load):
    figures = load()
    assert figures["requests_total"] > 50
    assert figures["failed"] == 0, figures["failures"]
