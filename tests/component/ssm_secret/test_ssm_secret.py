"""The lookup of a parameter, by ansible itself, against moto's Parameter Store over HTTP."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME, VALUE = "/kempian/test/REDIS_URL", "redis://:Passw0rd-of-a-test@cache.example.com:6379/0"


@pytest.fixture
def look_up(connect_ssm: Callable[[], Any], moto_options: dict[str, str]) -> Callable[..., tuple[int, str, bool]]:
    """Returns the exit status, all that was printed at -vvvv, and whether the value was the one that is stored."""
    connect_ssm().put_parameter(Name=NAME, Value=VALUE, Type="SecureString", Overwrite=True)
    options = ", ".join(f"{name}='{value}'" for name, value in moto_options.items())

    def run(name: str, expected: str, more: str = "") -> tuple[int, str, bool]:
        lookup = f"lookup('kempian.cache_migration.ssm_secret', '{name}', {options}{more})"
        command = [str(Path(sys.executable).with_name("ansible")), "localhost", "-vvvv", "-m", "ansible.builtin.debug"]
        told = ["-a", f"msg={{{{ {lookup} | hash('sha256') }}}}"]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run([*command, *told], capture_output=True, text=True, env=environment, check=False)
        said = done.stdout + done.stderr
        return done.returncode, said, hashlib.sha256(expected.encode()).hexdigest() in said

    return run


def test_it_gives_the_value_and_prints_it_at_no_verbosity(look_up: Callable[..., tuple[int, str, bool]]) -> None:
    code, said, is_it = look_up(NAME, VALUE)
    assert code == 0 and is_it
    assert "Passw0rd-of-a-test" not in said


def test_a_parameter_that_is_missing_is_named_or_empty_as_asked(
    look_up: Callable[..., tuple[int, str, bool]],
) -> None:
    code, said, _ = look_up("/kempian/test/MISSING", "")
    assert code != 0 and "SSM has no parameter /kempian/test/MISSING" in said
    assert look_up("/kempian/test/MISSING", "", ", on_missing='skip'")[2]
