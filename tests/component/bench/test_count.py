"""How the bench counts what a run does, without a change of what it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.counts import counted, counting

TWICE = """
from ansible.plugins.action import ActionBase
class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        for _ in range(2):
            result = self._execute_module(module_name="ansible.builtin.ping", module_args={}, task_vars=task_vars)
        return result
"""


@pytest.mark.long
def test_tasks_and_the_runs_of_modules_on_hosts_are_counted(tmp_path: Path) -> None:
    ping = {"name": "Ping", "ansible.builtin.ping": {}}
    tasks = [
        ping,  # on 2 hosts
        {"name": "Twice", "twice": {}, "when": "inventory_hostname == 'app1'"},
        {**ping, "when": False},  # begins, and runs nowhere
        {**ping, "delegate_to": "localhost", "run_once": True},  # on the controller
        {"name": "Say", "ansible.builtin.debug": {}, "changed_when": True, "notify": "Handle"},
    ]
    play = {"hosts": "app1,app2", "gather_facts": False, "tasks": tasks, "handlers": [{**ping, "name": "Handle"}]}
    on_controller = {"hosts": "localhost", "gather_facts": False, "tasks": [ping]}
    (tmp_path / "play.yml").write_text(json.dumps([play, on_controller]))
    for folder, code in (("action_plugins", TWICE), ("library", "")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "twice.py").write_text(code)
    counts = tmp_path / "counts"
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "app1,app2,", "-c", "local", "play.yml"],
        cwd=tmp_path,
        env={**os.environ, **counting(counts), "ANSIBLE_PYTHON_INTERPRETER": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    begun, runs = counted(counts)
    assert begun == ["Ping", "Twice", "Ping", "Ping", "Say", "Handle", "Ping"]
    assert sorted(runs) == [("ansible.builtin.ping", host) for host in ["app1"] * 4 + ["app2"] * 2]
