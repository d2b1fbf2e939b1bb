"""Faults on purpose: a host that drops out of the network, a full disk, a run that is killed at a task."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import moments
from sandbox.api import Sandbox
from sandbox.moments import Moment
from sandbox.places import SandboxError

pytestmark = pytest.mark.long  # each scenario rests on it

CHECKOUT = Path(__file__).resolve().parents[3]
PLAYBOOK = """
- hosts: app
  gather_facts: false
  tasks:
    - name: play | One
      ansible.builtin.command: touch /var/lib/one
    - name: play | Two
      ansible.builtin.command: touch /var/lib/two
    - name: play | Two
      ansible.builtin.command: touch /var/lib/three
    - name: play | Leave nothing
      ansible.builtin.command: rm -f /var/lib/one /var/lib/two /var/lib/three
"""


def answers(sandbox: Sandbox, host: str) -> bool:
    ask = f"import urllib.request as u; u.urlopen('http://{sandbox.hosts[host]}:8000/healthz', timeout=2)"
    return sandbox.control([sys.executable, "-c", ask]).returncode == 0


def play(sandbox: Sandbox, folder: Path, *ordered: Moment) -> subprocess.CompletedProcess[str]:
    playbook, inventory = folder / "play.yml", CHECKOUT / "inventories/sandbox"
    playbook.write_text(PLAYBOOK)
    environ = {**os.environ, **sandbox.env, **moments.environment(ordered, folder / "tasks.json")}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), "-i", str(inventory)]
    return subprocess.run(command, env=environ, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def there(sandbox: Sandbox, *names: str) -> list[str]:
    found = sandbox.run("app1", ["sh", "-c", "ls /var/lib"]).stdout.decode().split()
    return [name for name in names if name in found]


def test_a_host_that_is_dropped_answers_nobody_until_it_is_brought_back(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.drop("app2")
    try:
        assert not answers(sandbox, "app2")
        assert answers(sandbox, "app1")
        run = play(sandbox, tmp_path)
    finally:
        sandbox.bring_back("app2")
    assert "app2 cannot be reached" in run.stdout
    assert answers(sandbox, "app2")
    assert play(sandbox, tmp_path).returncode == 0


def test_a_disk_that_is_full_takes_no_byte_and_keeps_what_was_in_it_until_it_is_freed(sandbox: Sandbox) -> None:
    before, folder = sandbox.read("app1", "/opt/shop/.env"), "/opt/shop"
    mode = sandbox.run("app1", ["stat", "-c", "%a %U", folder]).stdout
    sandbox.fill_disk("app1", folder)
    with pytest.raises(OSError):
        sandbox.write("app1", f"{folder}/more", b"a byte")
    assert sandbox.read("app1", "/opt/shop/.env") == before
    assert sandbox.run("app1", ["stat", "-c", "%a %U", folder]).stdout == mode
    sandbox.free_disk("app1", folder)
    sandbox.write("app1", f"{folder}/more", b"a byte")
    assert sandbox.run("app1", ["rm", f"{folder}/more"]).returncode == 0
    sandbox.write("app2", f"{folder}/more", b"the disk of another host")
    assert sandbox.run("app2", ["rm", f"{folder}/more"]).returncode == 0


def test_only_what_was_filled_can_be_freed_and_only_a_folder_be_filled(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxError, match="is not full"):
        sandbox.free_disk("app2", "/opt/shop")
    with pytest.raises(SandboxError, match="there is no folder /nowhere"):
        sandbox.fill_disk("app2", "/nowhere")


def test_a_run_is_killed_when_the_task_begins_that_its_number_names(sandbox: Sandbox, tmp_path: Path) -> None:
    run = play(sandbox, tmp_path, Moment(2))
    assert run.returncode == -signal.SIGKILL
    assert there(sandbox, "one", "two") == ["one"]
    assert [task.name for task in moments.tasks(tmp_path / "tasks.json")] == ["play | One", "play | Two"]


def test_a_command_is_run_before_the_second_task_of_a_name(sandbox: Sandbox, tmp_path: Path) -> None:
    note = tmp_path / "note"
    run = play(sandbox, tmp_path, Moment("play | Two", occurrence=2, command=("touch", str(note))), Moment(4))
    assert run.returncode == -signal.SIGKILL
    assert note.exists()
    assert there(sandbox, "two", "three") == ["two", "three"]
    assert play(sandbox, tmp_path).returncode == 0
