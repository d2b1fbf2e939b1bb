"""An API that holds what it is given, and the playbook that puts the definitions into it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.component.awx import controller

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
PLAYBOOK = "extensions/patterns/migration/playbooks/configure.yml"


def configure(url: str, *arguments: str, quickly: bool = True) -> str:
    """The output of the playbook, as a person starts it; ``quickly`` with its modules in the process of each task."""
    callbacks = {"ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callbacks"), "ANSIBLE_CALLBACKS_ENABLED": "in_process"}
    environment = {
        **os.environ,
        **(callbacks if quickly else {}),
        **({"CONTROLLER_HOST": url, "CONTROLLER_OAUTH_TOKEN": controller.TOKEN} if url else {}),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "NO_COLOR": "1",
    }
    command = [Path(sys.executable).parent / "ansible-playbook", PLAYBOOK, *arguments]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def changed(output: str) -> int:
    return int(re.search(r"changed=(\d+)", output)[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with controller.Server() as started:
        yield started


@pytest.fixture
def awx() -> Any:
    return controller.Controller()
