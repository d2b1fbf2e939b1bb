"""The way back asks no more than the app needs: of a replica that it reads from, and of a Redis that nobody signed."""

from __future__ import annotations

import pytest

from sandbox.api import Sandbox

pytestmark = pytest.mark.long

KINDS = {
    "replica": "a replica that the app only reads from",
    "tls-self-signed": "?ssl_cert_reqs=none to a Redis of its own",
}


@pytest.fixture(scope="module", params=KINDS, ids=KINDS.get)
def there(request, stage_of, tmp_path_factory):
    """A stage with another old Redis, and what everything was like before."""
    sandbox = Sandbox.up(f"e2eback{len(request.param)}", hosts=2, creating_seconds=1, old_redis=request.param)
    try:
        stage = stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
        yield stage, request.param
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def load(there):
    stage, _kind = there
    with stage.load() as stop:
        yield stop


@pytest.fixture(scope="module")
def migrated(there, load):
    stage, _kind = there
    return stage.migrate()


@pytest.fixture(scope="module")
def back(there, migrated):
    stage, _kind = there
    return stage.play("playbooks/rollback.yml")


def test_the_app_is_moved_to_the_target(there, migrated):
    stage, kind = there
    assert migrated.code == 0
    assert stage.primary_address() in stage.parameter()
    assert all(b"ssl_cert_reqs=none" not in content for content in stage.environment_files().values()), kind


def test_the_app_goes_back_to_the_old_redis_byte_for_byte(there, back):
    stage, _kind = there
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.parameter() == stage.original_parameter
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()


def test_what_a_rollback_would_refuse_is_refused_before_the_first_host_is_switched(there, back):
    """The old Redis is up, and takes no app any more: its password is another one by now."""
    stage, _kind = there
    files = stage.environment_files()
    wrong = {
        host: content.replace(b"REDIS_URL=redis://:", b"REDIS_URL=redis://:not-") for host, content in files.items()
    }
    wrong = {
        host: content.replace(b"REDIS_URL=rediss://:", b"REDIS_URL=rediss://:not-") for host, content in wrong.items()
    }
    for host, content in wrong.items():
        stage.replace_file(host, "/opt/shop/.env", content)
    try:
        run = stage.play("playbooks/cutover.yml")
    finally:
        for host, content in files.items():
            stage.replace_file(host, "/opt/shop/.env", content)
    assert run.code != 0
    assert "the way back must be open before the first host is moved" in run.said()
    assert run.writes == [] and stage.parameter() == stage.original_parameter
    assert stage.on_old()


def test_no_request_failed_in_all_of_it(there, back, load):
    figures = load()
    assert figures["requests_total"] > 50
    assert figures["failed"] == 0, figures["failures"]
