"""Another user than root, in whose place modules are asked to run the app's interpreter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

USER = "nobody"
PYTHON = "/usr/bin/python3"
UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="session", autouse=True)
def another_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can run a program as another user")
    if not Path(PYTHON).exists():
        pytest.skip(f"no {PYTHON}, an interpreter that users beside root can run")


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that other users may look into, as those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="cm-app-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def program(open_folder: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes an interpreter of the app that does what a script says, whatever it is asked."""

    def make(script: str) -> str:
        path = Path(tempfile.mkdtemp(dir=open_folder)) / "python"
        path.parent.chmod(0o755)
        path.write_text(script)
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture(scope="session")
def app_python(open_folder: Path) -> str:
    """The interpreter of an app's virtual environment, with its redis-py."""
    venv = open_folder / "venv"
    python = str(venv / "bin" / "python")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(venv)], check=True)
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", python, "redis==5.2.1"],
        check=True,
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
    )
    return python
