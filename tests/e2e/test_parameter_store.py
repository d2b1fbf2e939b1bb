"""An app that reads its URL from SSM Parameter Store alone: the shared value is written once, and restored."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.ssm import journal_name

pytestmark = pytest.mark.long

NAME = "/kempian/sandbox/REDIS_URL"
SHARED_ALONE = [{"store": "ssm", "parameter": NAME}]


def test_an_app_that_reads_its_url_from_ssm_is_moved_and_moved_back(stage):
    for host in stage.sandbox.hosts:
        content = stage.sandbox.read(host, "/opt/shop/.env")
        stage.sandbox.write(host, "/opt/shop/.env", content + f"REDIS_URL_PARAMETER={NAME}\n".encode())
    stage.restart_app()
    original, files = stage.parameter(), stage.environment_files()

    run = stage.migrate(migration_values=SHARED_ALONE)
    assert run.code == 0
    assert written(run, NAME) == 1
    assert written(run, journal_name("sandbox", NAME)) == 1, "its original in the ledger"
    assert written(run, "/cache_migration/sandbox/cutover") == 1
    assert stage.on_new()
    assert stage.environment_files() == files

    again = stage.migrate(migration_values=SHARED_ALONE)
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    assert again.writes == []

    assert stage.play("playbooks/rollback.yml", migration_values=SHARED_ALONE).code == 0
    assert stage.parameter() == original
    assert stage.on_old()
    assert stage.all_healthy()


def written(run, name):
    calls = [call["request_summary"] for call in run.calls if call["action"] == "PutParameter"]
    return sum(call["Name"] == name for call in calls)
