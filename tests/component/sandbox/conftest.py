"""Sandboxes for these tests: state in a folder of their own, cached trees shared with the machine's other sandboxes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import check
from sandbox.api import Sandbox

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session", autouse=True)
def state_root() -> Iterator[Path]:
    """Short, since paths of sockets are limited to 107 characters."""
    folder = Path(tempfile.mkdtemp(prefix="cm-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANDBOX_STATE", str(folder))
        yield folder
    shutil.rmtree(folder)


def needs(kind: str) -> None:
    if found := check.usable(kind, print):
        pytest.skip(f"{kind} hosts cannot be had here: {'; '.join(found)}")


@pytest.fixture(scope="session", params=["machines", "processes"])
def sandbox(request: pytest.FixtureRequest, state_root: Path) -> Iterator[Sandbox]:
    """One that tests share: each leaves it as it found it."""
    needs(request.param)
    made = Sandbox.up(request.param, hosts=2, kind=request.param, creating_seconds=1)
    yield made
    made.down()


def command_line(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
