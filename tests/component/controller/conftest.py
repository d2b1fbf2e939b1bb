"""Plays on localhost whose AWS is moto's, with the results of their tasks."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NAME = "acted"
Task = dict[str, Any]
# As on a controller whose Python has no boto3, where the Python of localhost has one.
NO_BOTO3 = "raise ImportError('no boto3 here')\n"


@dataclass(frozen=True)
class Played:
    """``results`` are those of the tasks, in their order."""

    code: int
    said: str
    results: list[dict[str, Any]]


@pytest.fixture
def play(tmp_path: Path, moto_options: dict[str, str]) -> Callable[..., Played]:
    """Runs tasks, each of which may fail; with ``boto3=False`` on a controller without it."""
    (tmp_path / "shadow").mkdir()
    (tmp_path / "shadow" / "boto3.py").write_text(NO_BOTO3)
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    foreign = [name for name in os.environ if name.startswith(("AWS_", "ANSIBLE_"))]

    def run(
        tasks: list[Task],
        *arguments: str,
        boto3: bool = True,
        environ: dict[str, str] | None = None,
        options: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> Played:
        registered = [{**task, "register": f"r{at}", "ignore_errors": True} for at, task in enumerate(tasks)]
        every = ", ".join(f"r{at}" for at in range(len(tasks)))
        tell = {"ansible.builtin.debug": {"msg": f"TOLD {{{{ [{every}] | to_json | b64encode }}}}"}}
        defaults = {"group/kempian.cache_migration.cache_migration": moto_options if options is None else options}
        whole = {"hosts": "localhost", "connection": "local", "gather_facts": False, "module_defaults": defaults}
        whole |= {"vars": {"ansible_python_interpreter": sys.executable}, **keywords, "tasks": [*registered, tell]}
        if not boto3:
            whole["environment"] = {"PYTHONPATH": "", **whole.get("environment", {})}
        (tmp_path / "play.yml").write_text(json.dumps([whole]))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml", *arguments],
            cwd=tmp_path,
            env={
                **{name: value for name, value in os.environ.items() if name not in foreign},
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                **({} if boto3 else {"PYTHONPATH": str(tmp_path / "shadow")}),
                **(environ or {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        said = done.stdout + done.stderr
        told = re.search(r"TOLD ([A-Za-z0-9+/=\s]+?)\"", said)
        assert told, said
        return Played(done.returncode, said, json.loads(base64.b64decode(told[1])))

    return run


@pytest.fixture
def clean(connect: Callable[[str], Any]) -> Callable[[], None]:
    """Empties what the plays wrote."""

    def empty() -> None:
        ssm, secrets = connect("ssm"), connect("secretsmanager")
        for page in ssm.get_paginator("describe_parameters").paginate():
            for found in page["Parameters"]:
                ssm.delete_parameter(Name=found["Name"])
        for found in secrets.list_secrets()["SecretList"]:
            secrets.delete_secret(SecretId=found["Name"], ForceDeleteWithoutRecovery=True)

    empty()
    return empty
