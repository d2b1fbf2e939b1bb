"""The check of the user's own, run as a play runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "the-token-that-nobody-may-see"
PASSES = "echo $MIGRATION_PHASE $MORE"
FAILS = f"echo AUTH {TOKEN}; echo redis://:hunter2@old:6379/0; exit 4"


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def play(folder: Path, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    task = {"name": "Check", "kempian.cache_migration.check_command": {"secrets": [TOKEN], **options}, "register": "it"}
    told = {"name": "Tell", "ansible.builtin.debug": {"var": "it"}}
    plays = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [task, told]}]
    (folder / "play.yml").write_text(json.dumps(plays))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local"]
    return subprocess.run(
        [*command, "-vvvv", *arguments, "play.yml"],
        cwd=folder,
        env={**os.environ, "MORE": "of the controller"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_check_that_passes_has_its_variables_and_those_of_the_controller(tmp_path: Path) -> None:
    run = play(tmp_path, command=shell(PASSES), variables={"MIGRATION_PHASE": "canary"})
    assert run.returncode == 0, run.stdout
    assert '"output": "canary of the controller"' in run.stdout
    assert '"changed": false' in run.stdout


def test_a_check_that_fails_shows_its_end_without_secrets_at_any_verbosity(tmp_path: Path) -> None:
    run = play(tmp_path, command=shell(FAILS), phase="all")
    assert run.returncode != 0
    assert "failed after the last batch: it ended with 4" in run.stdout
    assert "AUTH ***" in run.stdout
    assert TOKEN not in run.stdout + run.stderr
    assert "hunter2" not in run.stdout + run.stderr


def test_a_check_that_takes_too_long_is_ended_and_the_option_named(tmp_path: Path) -> None:
    run = play(tmp_path, command="sleep 60", timeout=1)
    assert run.returncode != 0
    assert "it still ran after 1 s (migration_check_timeout), and was ended" in run.stdout


def test_in_check_mode_nothing_is_run(tmp_path: Path) -> None:
    run = play(tmp_path, "--check", command=["touch", "made"])
    assert run.returncode == 0, run.stdout
    assert '"command": "touch made"' in run.stdout
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"command": "no-such-program --fast"}, "has no program no-such-program to run"),
        ({"command": "make 'it"}, "cannot be split into words"),
        ({"command": "true", "timeout": "soon"}, "migration_check_timeout is 'soon'"),
    ],
)
def test_what_cannot_be_run_is_known_before_also_in_check_mode(tmp_path: Path, options: dict, told: str) -> None:
    run = play(tmp_path, "--check", **options)
    assert run.returncode != 0
    assert told in run.stdout + run.stderr
