"""The record of a stage, as a play leaves it with whatever ansible-core runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOKEN = "the-token-that-nobody-may-see"
DATA = {
    "url": "redis://:hunter2@old:6379/0",
    "plain": "redis://old:6379/0",
    "auth_token": "hunter2",
    "said": f"AUTH {TOKEN} was refused",
    "port": 6379,
    "tls": True,
    "hosts": {"app1": "6379"},
}
KEPT = {
    **DATA,
    "url": "redis://:***@old:6379/0",
    "auth_token": "***",
    "said": "AUTH *** was refused",
}


def play(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    task = {"stage": "cutover", "directory": str(folder / "report"), "started": 1, **options}
    tasks = [{"name": "Record", "kempian.cache_migration.stage_record": task}]
    (folder / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local"]
    return subprocess.run(
        [*command, *arguments, "play.yml"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_SHOW_CUSTOM_STATS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The file's data, and what was printed."""
    folder = tmp_path_factory.mktemp("record")
    run = play(folder, "-vvvv", data=DATA, secrets=[TOKEN, "6379"])
    assert run.returncode == 0, run.stdout
    return json.loads((folder / "report/cutover.json").read_text()), run.stdout


def test_the_record_holds_its_data_without_secrets(recorded: tuple[dict[str, Any], str]) -> None:
    record, _printed = recorded
    assert {name: record[name] for name in DATA} == KEPT
    assert {"stage": "cutover", "check_mode": False}.items() <= record.items()


def test_the_statistics_of_the_run_are_the_same_as_the_record(recorded: tuple[dict[str, Any], str]) -> None:
    record, printed = recorded
    _before, _heading, told = printed.partition("CUSTOM STATS:")
    told = told.partition("RUN:")[2]
    assert json.loads(told)["cache_migration_cutover"] == record
    assert TOKEN not in printed
    assert "hunter2" not in printed


def test_in_check_mode_the_run_has_statistics_and_no_file(tmp_path: Path) -> None:
    run = play(tmp_path, "--check", data=DATA)
    assert '"check_mode": true' in run.stdout
    assert not (tmp_path / "report").exists()


def test_what_cannot_be_written_is_a_warning_that_names_the_option(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("a file in the way")
    run = play(tmp_path, data=DATA)
    assert run.returncode == 0
    assert "The record of the stage cutover is not written" in run.stderr
    assert "migration_report_dir" in run.stderr
