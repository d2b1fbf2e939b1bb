"""The programs a sandbox needs, from the distribution's packages.

Root has apt install them; a plain user has apt download them into the cache, where they are unpacked. Either way no
service is ever started: packages with a daemon are unpacked for root too.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from sandbox.places import SandboxError, cache_root
from sandbox.rootfs import locked
from sandbox.shell import SYSTEM_PATH, environment, run, tools_bin

PROGRAMS = {
    "common": {
        "ip": "iproute2",
        "nft": "nftables",
        "dnsmasq": "dnsmasq-base",  # not `dnsmasq`, which starts a service
        "nsenter": "util-linux",
        "openssl": "openssl",
    },
    "machines": {"systemd-nspawn": "systemd-container", "mmdebstrap": "mmdebstrap", "ssh": "openssh-client"},
    "processes": {},
}


def missing(kind: str) -> list[str]:
    """The packages that this kind of sandbox lacks here."""
    wanted = {**PROGRAMS["common"], **PROGRAMS[kind]}
    path = environment()["PATH"]
    lacking = [package for program, package in wanted.items() if not shutil.which(program, path=path)]
    redis = shutil.which("redis-server", path=path) or _redis_check_server()
    return sorted({*lacking, *([] if redis else ["redis-server"])})


def ensure(kind: str, say: Callable[[str], None]) -> None:
    with locked(cache_root() / "tools.lock"):
        if not shutil.which("redis-server", path=environment()["PATH"]) and (server := _redis_check_server()):
            tools_bin().mkdir(parents=True, exist_ok=True)
            (tools_bin() / "redis-server").symlink_to(server)
        lacking = missing(kind)
        if not lacking:
            return
        if not shutil.which("apt-get"):
            raise SandboxError(f"missing here: {', '.join(lacking)}, and there is no apt-get to get them with")
        install = [package for package in lacking if package != "redis-server"] if os.geteuid() == 0 else []
        if install:
            say(f"installing {', '.join(install)} (apt-get)")
            _install(install)
        if unpack := [package for package in lacking if package not in install]:
            say(f"unpacking {', '.join(unpack)} into {cache_root()}")
            _unpack(unpack)
        if still := missing(kind):
            raise SandboxError(f"still missing after their packages came: {', '.join(still)}")


def _redis_check_server() -> str | None:
    """Up to Debian 12, redis-tools has the server: its redis-check-rdb acts as one where it is called redis-server."""
    check = shutil.which("redis-check-rdb", path=SYSTEM_PATH)
    if not check:
        return None
    said = subprocess.run(["redis-server", "--version"], executable=check, capture_output=True, text=True, check=False)
    return check if said.stdout.startswith("Redis server") else None


def _install(packages: Iterable[str]) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    argv = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages]
    if run(argv, check=False, env=environ).returncode:  # lists may be absent, as in an image, or too old
        run(["apt-get", "update", "-qq"], env=environ)
        run(argv, env=environ)


def _unpack(packages: Iterable[str]) -> None:
    """Download the packages and what they need that is not installed, and make their programs callable."""
    apt = cache_root() / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    options = [f"Dir::State::lists={apt}/lists", f"Dir::Cache={apt}/cache", "APT::Sandbox::User=", "Debug::NoLocking=1"]
    apt_get = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    run([*apt_get, "update"], env=os.environ)
    closure = [*apt_get, "install", "-y", "--no-install-recommends", "--download-only", *packages]
    run(closure, env=os.environ)
    tree = cache_root() / "tools" / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    for archive in sorted((apt / "cache" / "archives").glob("*.deb")):
        run(["dpkg", "-x", str(archive), str(tree)])
    shutil.rmtree(apt)  # the lists are large, and stale the next time
    _provide_programs(tree)


def _provide_programs(tree: Path) -> None:
    """A wrapper for each unpacked program, since its libraries are unpacked beside it."""
    triplet = f"{platform.machine()}-linux-gnu"
    libraries = ":".join(str(tree / folder / triplet) for folder in ("usr/lib", "lib"))
    tools_bin().mkdir(parents=True, exist_ok=True)
    for folder in ("bin", "sbin", "usr/bin", "usr/sbin"):
        for program in (tree / folder).glob("*"):
            if program.is_file() and program.stat().st_mode & stat.S_IXUSR:
                _wrap(program, libraries)


def _wrap(program: Path, libraries: str) -> None:
    wrapper = tools_bin() / program.name
    wrapper.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={shlex.quote(libraries)} exec {shlex.quote(str(program))} "$@"\n')
    wrapper.chmod(0o755)
