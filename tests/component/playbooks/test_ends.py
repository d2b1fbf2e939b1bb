"""What a stage says that comes to its end, and cannot note it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_a_ledger_that_cannot_be_told_of_the_cutover_is_named_as_all_that_is_missing(
    tmp_path: Path, unused_port: Callable[[], int]
) -> None:
    end = {
        "ansible.builtin.include_role": {"name": "kempian.cache_migration.cutover", "tasks_from": "remember"},
        "vars": {
            "ansible_python_interpreter": sys.executable,
            "cutover_migration_name": "test",
            "cutover_region": "us-east-1",
            "cutover_endpoint": {"name": "cache", "address": "cache.internal", "port": 6379},
            "__cutover_left_by_all": [],
        },
    }
    plays = [{"name": "Play", "hosts": "localhost", "gather_facts": False, "tasks": [{"name": "End", **end}]}]
    (tmp_path / "play.yml").write_text(json.dumps(plays))
    run = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml"],
        cwd=tmp_path,
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused_port()}",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "not-a-real-key-0123",
            "AWS_MAX_ATTEMPTS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    said = re.sub(r"\s+", " ", run.stdout)
    assert run.returncode != 0
    assert "Every host is on the target, and nothing is to be put back." in said
    assert "Parameter Store could not be asked, or refused" in said
    assert "run the same command again, which finishes it" in said
