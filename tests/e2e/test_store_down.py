"""Parameter Store fails while all is put back: the hosts are put back all the same, and what is not is named."""

from __future__ import annotations

import pytest


@pytest.mark.long
def test_a_shared_store_that_cannot_be_put_back_keeps_no_host_from_being_put_back(stage):
    files, parameter = stage.environment_files(), stage.parameter()
    third = stage.hosts[2]
    stage.break_app(third)
    # The first write of the value switches it; the second would put it back.
    stage.fault(
        {"action": "PutParameter", "naming": "/kempian/sandbox/REDIS_URL", "how": "500", "nth": 2, "times": 1000}
    )

    run = stage.migrate(migration_timeout=20)

    assert run.code != 0
    assert f"{third} failed at the step" in run.said()
    assert "shared store was NOT put back" in run.said()
    assert stage.environment_files() == files
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()
    assert stage.parameter() != parameter, "the fault was not met"

    failed = stage.play("playbooks/rollback.yml")
    assert failed.code != 0
    assert "The shared store is NOT back" in failed.said()
    assert all(f"{host}: on the old Redis" in failed.said() for host in stage.hosts), "every host was looked at"

    stage.fault()
    assert stage.play("playbooks/rollback.yml").code == 0
    assert stage.parameter() == parameter
