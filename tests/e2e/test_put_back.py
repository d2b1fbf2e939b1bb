"""An app that does not come back on the second host: all is put back, and every app is healthy."""

from __future__ import annotations


def test_all_is_put_back_where_the_app_does_not_come_back_on_the_second_host(stage):
    files, parameter = stage.environment_files(), stage.parameter()
    second = stage.hosts[1]
    serve = stage.break_app(second)
    stage.limit_starts(second)

    with stage.load() as stop:
        run = stage.migrate(migration_timeout=20)
        figures = stop()

    assert run.code != 0
    assert f"{second} failed at the step" in run.said()
    assert f"Put back to the old Redis, restarted and healthy: {stage.hosts[0]}, {second}." in run.said()
    assert stage.environment_files() == files
    assert stage.parameter() == parameter
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()
    assert figures["failed"] == 0, figures["failures"]

    stage.sandbox.write(second, "/opt/shop/app/serve.py", serve)
    assert stage.migrate().code == 0, "after the cause is mended the same command goes on"
    assert stage.on_new()
