"""A redis-server of before there were users and SCAN knew types, compiled once into the cache of the sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sandbox import packages
from sandbox.places import cache_root
from sandbox.rootfs import locked

HERE = Path(__file__).parent
COMPILER = {"gcc": "gcc", "make": "make"}


def redis5() -> str:
    """Its path."""
    folder = cache_root() / "redis5"
    with locked(cache_root() / "redis5.lock"):
        if not (folder / "redis-server").exists():
            _need_a_compiler()
            folder.mkdir(parents=True, exist_ok=True)
            _compile(folder)
    return str(folder / "redis-server")


def _need_a_compiler() -> None:
    lacking = [package for program, package in COMPILER.items() if not shutil.which(program)]
    if lacking and os.geteuid() == 0:
        packages.install([*lacking, "libc6-dev"])
    elif lacking:
        pytest.skip(f"{', '.join(lacking)} is not installed, and only root installs it")


def _compile(folder: Path) -> None:
    download = ["pip", "download", "--no-deps", "--no-binary", ":all:", "--require-hashes", "-d", str(folder)]
    _run(sys.executable, "-m", *download, "-r", str(HERE / "requirements.txt"))
    [archive] = folder.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(folder, filter="data")
    [sources_of_redis] = folder.glob("*/redis.submodule/src")
    # Since GCC 10 a variable that two files define is an error.
    _run("make", "-C", str(sources_of_redis), "-j2", "MALLOC=libc", "CFLAGS=-O1 -fcommon -w", "redis-server")
    shutil.copy(sources_of_redis / "redis-server", folder / "redis-server.made")
    shutil.rmtree(sources_of_redis.parents[1])
    archive.unlink()
    (folder / "redis-server.made").replace(folder / "redis-server")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
