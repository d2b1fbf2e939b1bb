"""Runs that are killed at a call to AWS, or between two modules on a host: nothing of them goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox import kill_run, moments
from sandbox.moments import AtModule, AtWrite, Module

PUT = "import boto3, sys; boto3.client('ssm').put_parameter(Name=sys.argv[1], Value='x', Type='String', Overwrite=True)"
PLAYBOOK = [
    {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [
            {"name": f"put {name}", "ansible.builtin.command": {"argv": [sys.executable, "-c", PUT, f"/killed/{name}"]}}
            for name in ("one", "two", "three")
        ],
    },
    {
        "hosts": "hosts",
        "gather_facts": False,
        "tasks": [
            {"name": "first", "ansible.builtin.command": "true"},
            {"name": "elsewhere", "ansible.builtin.command": "true", "delegate_to": "localhost"},
            {"name": "several in one", "several": {"folder": "{{ playbook_dir }}/{{ inventory_hostname }}"}},
        ],
    },
]
# An action that runs three modules: what a task does, several times.
SEVERAL = """
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        for number in (1, 2, 3):
            folder = {"path": f"{self._task.args['folder']}-{number}", "state": "directory"}
            self._execute_module("ansible.builtin.file", folder, task_vars=task_vars)
        return result
"""


def play(aws: Any, folder: Path, *ordered: AtWrite | AtModule) -> subprocess.CompletedProcess[str]:
    (folder / "action_plugins").mkdir(exist_ok=True)
    (folder / "action_plugins/several.py").write_text(SEVERAL)
    (folder / "play.yml").write_text(json.dumps(PLAYBOOK))
    local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    (folder / "hosts").write_text(f"localhost {local}\n[hosts]\nhost1 {local}\nhost2 {local}\n")
    environ = {
        **os.environ,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{aws.port}",
        "AWS_ACCESS_KEY_ID": aws.keys.operator.id,
        "AWS_SECRET_ACCESS_KEY": aws.keys.operator.secret,
        "AWS_DEFAULT_REGION": "us-east-1",
        **moments.environment(ordered, folder / "tasks.json"),
    }
    environ.pop("ANSIBLE_CONFIG", None)
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", "-i", "hosts"]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    end = time.monotonic() + 10  # what was killed need not be gone at once
    while left := list(kill_run.processes(environ["SANDBOX_RUN"])):
        assert time.monotonic() < end, f"the run has left something running: {left}"
        time.sleep(0.1)
    return done


def made(aws: Any, folder: Path) -> list[str]:
    """The parameters and the folders that runs have made; they are taken away again."""
    ssm = aws.client("ssm")
    names = [p["Name"] for p in ssm.get_parameters_by_path(Path="/killed")["Parameters"]]
    for name in names:
        ssm.delete_parameter(Name=name)
    folders = sorted(path.name for path in folder.glob("host[12]-*"))
    for name in folders:
        (folder / name).rmdir()
    return [*(name.rpartition("/")[2] for name in sorted(names)), *folders]


@pytest.mark.long
def test_a_run_notes_the_modules_that_it_runs_on_each_host(aws: Any, tmp_path: Path) -> None:
    done = play(aws, tmp_path)
    assert done.returncode == 0, done.stdout
    assert len(made(aws, tmp_path)) == 9
    found = moments.modules(tmp_path / "tasks.json")
    assert [module for module in found if module.host == "host1"] == [
        Module("host1", 1, "ansible.legacy.command", 4),
        *(Module("host1", number, "ansible.builtin.file", 6) for number in (2, 3, 4)),
    ]
    assert len([module for module in found if module.host == "localhost"]) == 3


@pytest.mark.parametrize(("is_done", "left"), [(False, ["one"]), (True, ["one", "two"])])
@pytest.mark.long
def test_a_run_is_killed_at_a_call_that_writes_before_or_after_it_is_done(
    aws: Any, tmp_path: Path, is_done: bool, left: list[str]
) -> None:
    done = play(aws, tmp_path, AtWrite(2, is_done))
    assert done.returncode == -signal.SIGKILL
    time.sleep(0.5)  # nobody tries again
    assert sorted(made(aws, tmp_path)) == left
    assert play(aws, tmp_path).returncode == 0
    assert len(made(aws, tmp_path)) == 9


@pytest.mark.long
def test_a_run_with_fewer_calls_goes_its_way_and_holds_nobody_up(aws: Any, tmp_path: Path) -> None:
    assert play(aws, tmp_path, AtWrite(4)).returncode == 0
    began = time.monotonic()
    assert len(made(aws, tmp_path)) == 9
    assert time.monotonic() - began < 3


@pytest.mark.long
def test_a_run_is_killed_between_two_modules_of_one_task_on_one_host(aws: Any, tmp_path: Path) -> None:
    done = play(aws, tmp_path, AtModule("host2", 3))
    assert done.returncode == -signal.SIGKILL
    left = made(aws, tmp_path)
    assert "host2-1" in left
    assert "host2-2" not in left
    of_host2 = [module for module in moments.modules(tmp_path / "tasks.json") if module.host == "host2"]
    assert [module.number for module in of_host2] == [1, 2]
