"""Where the readers that are no Python are had from: the distribution's packages, and npm's for the one that is its.

Ruby's dotenv is the 2.4 that Debian has: no newer one is in any package index that these tests use, so what 3 does
otherwise rests on its source alone. docker compose is Debian's, of the release that first had its second version.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import packages
from sandbox.places import SandboxError, cache_root
from sandbox.rootfs import locked, suite

HERE = Path(__file__).parent
PROGRAMS = {"node": "nodejs", "npm": "npm", "ruby": "ruby-dotenv", "dash": "dash", "strace": "strace"}
GEM = "/usr/share/rubygems-integration/all/gems/dotenv-*"
PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
COMPOSE = {"bookworm": ("trixie", "docker-compose"), "trixie": ("trixie", "docker-compose")}


@dataclass(frozen=True)
class Installed:
    node: str
    ruby: str
    dash: str
    compose: str
    modules: Path


def program(name: str) -> str:
    """Its path, installed by root where it is missing."""
    found = shutil.which(name)
    if found is None and os.geteuid() == 0:
        packages.install([PROGRAMS[name]])
        found = shutil.which(name)
    return found or pytest.skip(
        f"{name} is not installed, and only root installs it (apt-get install {PROGRAMS[name]})"
    )


def installed() -> Installed:
    with locked(cache_root() / "readers.lock"):
        if not glob.glob(GEM) and os.geteuid() == 0:
            packages.install([PROGRAMS["ruby"]])
        if not glob.glob(GEM):
            pytest.skip("ruby-dotenv is not installed, and only root installs it")
        return Installed(program("node"), program("ruby"), program("dash"), compose(), modules())


def modules() -> Path:
    """Node's, as the lock has them."""
    folder = cache_root() / "readers"
    lock = (HERE / "package-lock.json").read_bytes()
    if not (folder / "node_modules").exists() or (folder / "package-lock.json").read_bytes() != lock:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        command = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "node_modules"


def compose() -> str:
    """docker compose 2 as the plugin that it is, unpacked into the cache where it is not installed; empty where it is
    not to be had.
    """
    folder = cache_root() / "compose"
    for root in (Path("/"), folder):
        if (root / PLUGIN).exists():
            return str(root / PLUGIN)
    release, package = COMPOSE.get(suite(), (suite(), "docker-compose-v2"))
    with contextlib.suppress(SandboxError):
        packages.unpack_from(release, package, folder)
    return str(folder / PLUGIN) if (folder / PLUGIN).exists() else ""
