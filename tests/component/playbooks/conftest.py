"""Playbooks against an empty AWS account, over app hosts that are this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
Play = Callable[..., "Run"]


class Run:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.text = done.returncode, done.stdout + done.stderr

    @property
    def said(self) -> str:
        return re.sub(r"\s+", " ", self.text)


@pytest.fixture
def play(tmp_path: Path, moto_options: dict[str, str]) -> Play:
    """Runs a playbook over app hosts, given with their variables, against an empty AWS account."""
    settings = {
        "migration_name": "test",
        "migration_region": moto_options["region"],
        "migration_transfer": "cold",
        "migration_values": [{"store": "dotenv", "path": str(tmp_path / ".env")}],
        "migration_endpoint": {"address": "127.0.0.1", "port": 1, "tls": False, "auth": "none"},
        "migration_report_dir": str(tmp_path / "report"),
        "migration_services": [{"name": "shop"}],
        "migration_state_dir": str(tmp_path / "state"),
    }
    environ = {
        "AWS_ENDPOINT_URL": moto_options["endpoint_url"],
        "AWS_ACCESS_KEY_ID": moto_options["access_key"],
        "AWS_SECRET_ACCESS_KEY": moto_options["secret_key"],
    }

    def run(
        playbook: str,
        *arguments: str,
        hosts: dict[str, Any],
        localhost: dict[str, Any] | None = HERE,
        access: bool = True,
        **variables: object,
    ) -> Run:
        """``localhost`` None: the inventory does not name it. ``access`` is to AWS, by the environment."""
        named = {} if localhost is None else {"localhost": localhost}
        inventory = {"all": {"vars": {**settings, **variables}, "hosts": named}, "app": {"hosts": hosts}}
        (tmp_path / "hosts.yml").write_text(json.dumps(inventory))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), playbook, "-i", str(tmp_path / "hosts.yml")]
        return Run(
            subprocess.run(
                [*command, *arguments],
                cwd=CHECKOUT,
                env={**os.environ, **(environ if access else {})},
                capture_output=True,
                text=True,
                check=False,
            )
        )

    return run
