"""Whoever is the app's user writes what the app's interpreter answers: nothing of it becomes a variable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FORGED = {
    "changed": False,
    "reached": True,
    "ansible_facts": {"migration_supervisorctl": ["/tmp/evil"], "stolen": "yes"},
}


@pytest.mark.parametrize("module", ["cache_probe", "cache_assess"])
def test_a_forged_answer_sets_no_variable(tmp_path: Path, module: str) -> None:
    interpreter = tmp_path / "python"
    interpreter.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{json.dumps(FORGED)}'\n")
    interpreter.chmod(0o755)
    ask = {
        f"kempian.cache_migration.{module}": {"url": "redis://127.0.0.1:1/0"},
        "vars": {"ansible_python_interpreter": str(interpreter), "ansible_pipelining": True},
        "register": "answer",
    }
    known = ["answer.reached", "stolen is not defined", "migration_supervisorctl is not defined"]
    tasks = [ask, {"ansible.builtin.assert": {"that": known}}]
    plays = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml"],
        cwd=tmp_path,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
