"""What ansible-core masks after a module was given secrets, with whatever release of it runs the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

URL = "redis://10.0.0.5:6379/0"


def test_words_of_a_secret_option_are_no_secrets_to_what_is_said_later(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("FLAG=1\nREDIS_URL=redis://old:6379/0\n")
    where = {"path": str(file), "state_dir": str(tmp_path / "state"), "migration_name": "test"}
    values = {"FLAG": "0", "REDIS_URL": URL}
    look = {"values": [{"store": "dotenv", "path": str(file), "keys": values}], **where}
    look.pop("path")
    tasks = [
        {"kempian.cache_migration.env_update": {"store": "dotenv", "values": values, **where}},
        {"kempian.cache_migration.app_host_info": look},
        {"ansible.builtin.debug": {"msg": f"0 hosts are on {URL}, by {file}"}},
    ]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
    (tmp_path / "play.yml").write_text(json.dumps([play]))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", "play.yml"]
    run = subprocess.run(
        [*command, "-e", f"ansible_python_interpreter={sys.executable}"],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    assert f"0 hosts are on {URL}, by {file}" in run.stdout
    assert "changed=1 " in run.stdout and "failed=0 " in run.stdout
