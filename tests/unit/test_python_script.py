"""scripts/python, by which setup and other releases of ansible-core find an interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/python"
OURS = "{}.{}".format(*sys.version_info[:2])


def find(*versions: str, path: str = os.environ["PATH"], **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path, **environ}
    return subprocess.run([SCRIPT, *versions], env=env, capture_output=True, text=True, check=False)


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_first_version_that_is_here_is_found_as_the_base_of_what_is_on_the_path(tmp_path):
    program(tmp_path / f"python{OURS}", f'exec {sys.executable} "$@"')
    found = find("3.99", OURS, path=f"{tmp_path}:/usr/bin:/bin")
    assert found.stdout.strip() == getattr(sys, "_base_executable", sys.executable)


def test_a_shim_that_fails_is_passed_over_for_what_its_version_manager_has(tmp_path):
    program(tmp_path / f"shims/python{OURS}", "exit 127")
    program(tmp_path / f"versions/{OURS}.7/bin/python3", f'exec {sys.executable} "$@"')
    assert find(OURS, path=f"{tmp_path}/shims:/bin:/usr/bin").returncode == 0


def test_the_one_that_the_caller_names_goes_before_all_others(tmp_path):
    program(tmp_path / "mine", f'echo "$0"; exec {sys.executable} "$@"')
    assert find("3.99", OURS, PYTHON=str(tmp_path / "mine")).stdout.startswith(f"{tmp_path}/mine")


def test_none_of_these_versions_is_no_success():
    found = find("3.98", "3.99")
    assert (found.returncode, found.stdout) == (1, "")
