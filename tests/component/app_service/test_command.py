"""app_service on an app that a command of its own user restarts, between two real engines."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.kempian.cache_migration.plugins.modules import app_service

from tests.component.app_service import conftest
from tests.component.app_service.test_app_service import at, moving

PYTHON = "/usr/bin/python3"
USER = "nobody"
# Ends what it began before, and only then begins it anew.
ENDS_ALL = "kill $(cat pid) $(cat /proc/$(cat pid)/task/*/children)"
ENDS_ITS_FIRST = "kill $(cat pid)"
RESTART = f"""cd "$(dirname "$0")" || exit
if [ -e pid ]; then
    {{}}
    while kill -0 "$(cat pid)"; do sleep 0.02; done
    sleep 0.2
fi
{PYTHON} shop.py &
echo $! >pid
"""


@dataclass
class Commanded(conftest.App):
    @property
    def pid_file(self) -> Path:
        return self.folder / "pid"

    def order(self, restart: str = ENDS_ALL, **more: Any) -> dict[str, Any]:
        (self.folder / "restart.sh").write_text(RESTART.format(restart))
        command = ["sh", str(self.folder / "restart.sh"), "--token=hunter2"]
        whole = {"manager": "command", "restart_command": command, "pid_file": str(self.pid_file), "user": USER}
        return {**whole, **more}

    def pid(self) -> int:
        return int(self.pid_file.read_text()) if self.pid_file.exists() else 0


@pytest.fixture
def app(unused_port: Callable[[], int]) -> Iterator[Commanded]:
    if os.geteuid() != 0 or not Path(PYTHON).exists():
        pytest.skip(f"only root can run a program as another user, and that one needs {PYTHON}")
    folder = Path(tempfile.mkdtemp(prefix="cm-command-"))
    shutil.chown(folder, USER)
    folder.chmod(0o755)
    (folder / "shop.py").write_text(conftest.APP)
    yield Commanded(folder, unused_port())
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.readlink(path / "cwd") == str(folder):
                os.kill(int(path.name), signal.SIGKILL)
    shutil.rmtree(folder)


def shown(result: dict[str, Any]) -> str:
    return str({name: value for name, value in result.items() if name != "lines"})


def test_a_service_is_started_and_restarted_by_a_command_of_its_user_which_is_never_shown(
    app, prove, old, new, monkeypatch
):
    logged: list[str] = []
    told, order_of = {}, app_service.order_of
    monkeypatch.setattr(app_service, "order_of", lambda module: told.update(module=module) or order_of(module))
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _module, message: logged.append(message))
    app.set(port=old.port)
    begun = prove(**app.order(), endpoint=at(old), health_url=app.health_url)
    assert begun["restarted"] and "not running" in begun["reason"], begun
    first = app.pid()
    assert Path(f"/proc/{first}").stat().st_uid == pwd.getpwnam(USER).pw_uid
    app.set(port=new.port)
    assert prove(check_mode=True, **app.order(), **moving(app, old, new))["changed"] and app.pid() == first
    moved = prove(**app.order(), **moving(app, old, new))
    assert moved["restarted"] and moved["proof"] == "connections" and app.pid() != first, moved
    assert moved["connections"] == {"to_target": 2, "to_left": 0}
    second = app.pid()
    assert not prove(**app.order(), **moving(app, old, new))["restarted"] and app.pid() == second
    assert "hunter2" not in shown(moved) and "hunter2" not in str(told["module"].params) and logged == []


@pytest.mark.parametrize("restart", [ENDS_ITS_FIRST, "exit 3"], ids=["part", "nothing"])
@pytest.mark.long
def test_what_a_command_leaves_of_the_service_is_not_restarted(app, prove, new, restart):
    app.set(port=0, schedules=True)
    assert not prove(**app.order(), restart="auto").get("failed")
    result = prove(**app.order(restart), restart="always", timeout=5.0)
    assert result["failed"] and "has not been restarted yet" in result["msg"], result
    assert "what sh writes (restart_command" in result["msg"] and "hunter2" not in shown(result)


def test_root_does_not_run_it_and_it_needs_a_user(app, run_module):
    for user, why in (("root", "root does not run"), (None, "has manager: command and no user")):
        result = run_module(app_service.main, name="shop", **app.order(user=user))
        assert result["failed"] and why in result["msg"] and "hunter2" not in str(result)


def test_a_command_that_is_not_there_is_told_by_its_option(app, prove):
    result = prove(**app.order(restart_command=["/no/such/program", "hunter2"]))
    assert "/no/such/program cannot be run as the user nobody" in result["msg"]
    assert "restart_command" in result["msg"] and "hunter2" not in shown(result)


def test_a_file_that_holds_no_number_is_no_process_and_is_not_quoted(app, prove):
    app.pid_file.write_text("hunter2\n")
    look = prove(check_mode=True, **app.order())
    assert look["changed"] and f"no process in {app.pid_file}" in look["reason"] and "hunter2" not in shown(look)


def test_the_command_is_in_a_session_of_its_own_and_nobody_waits_for_it(app, run_module):
    """As the connection may be lost meanwhile."""
    run_module(app_service.main, name="shop", timeout=0.1, **app.order(restart_command=["sleep", "5.25"]))
    listed = subprocess.run(["ps", "-eo", "pid,sid,args"], capture_output=True, text=True, check=True).stdout
    [(pid, session)] = [line.split()[:2] for line in listed.splitlines() if line.endswith("sleep 5.25")]
    assert pid == session
    os.kill(int(pid), signal.SIGKILL)
