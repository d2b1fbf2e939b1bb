# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A redis-server or valkey-server of our own, for as long as it takes to load an RDB file and count its keys.

It listens on a unix socket in a folder of this user alone, reads the file through a link to its open descriptor, and
saves nothing, so that no copy of the data is left whatever happens.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from typing import Any, BinaryIO, Callable

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import keyspace, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError, Connection

PROGRAMS = ("redis-server", "valkey-server")
_PR_SET_PDEATHSIG = 1


class LoadFailed(Exception):
    """The file was not loaded; the text is a sentence for the operator."""


def find_engine(stated: str = "") -> str:
    """The path of the program that is stated, or else of the first that there is; empty where there is none."""
    names = (stated,) if stated else PROGRAMS
    return next(filter(None, map(shutil.which, names)), "")


def count_keys(
    engine: str,
    file: BinaryIO,
    *,
    databases: int,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, dict[str, int]]:
    """The keys of each database of the RDB file. Raises LoadFailed."""
    folder = tempfile.mkdtemp(prefix="cache_migration-")
    try:
        os.symlink(f"/proc/{os.getpid()}/fd/{file.fileno()}", os.path.join(folder, "dump.rdb"))
        process = _start(engine, folder, databases)
        try:
            return _until_loaded(process, folder, seconds, clock, sleep)
        finally:
            process.kill()
            process.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(engine: str, folder: str, databases: int) -> subprocess.Popen[bytes]:
    options = {
        "port": "0",
        "unixsocket": os.path.join(folder, "socket"),
        "unixsocketperm": "700",
        "dir": folder,
        "dbfilename": "dump.rdb",
        "save": "",
        "appendonly": "no",
        "databases": str(max(16, databases)),
        "logfile": os.path.join(folder, "log"),
    }
    if _checks_what_it_loads(engine):
        options["sanitize-dump-payload"] = "yes"
    command = [engine, *(part for name, value in options.items() for part in (f"--{name}", value))]
    die = ctypes.CDLL(None).prctl
    # Not run_command, which waits for the end: the engine is asked while it runs.
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LC_ALL": "C"},  # others wrote the data: none of the controller's secrets beside it
        preexec_fn=lambda: die(_PR_SET_PDEATHSIG, signal.SIGKILL),  # noqa: PLW1509 - this process has one thread
    )


def _checks_what_it_loads(engine: str) -> bool:
    """Whether it can be told to look at every value of a file that others made: since Redis 6.2, in every Valkey."""
    said = subprocess.run(  # pylint: disable=ansible-bad-function
        [engine, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30
    )
    version = re.search(r"v=(\d+)\.(\d+)", said.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= (6, 2)


def _until_loaded(
    process: subprocess.Popen[bytes],
    folder: str,
    seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> dict[str, dict[str, int]]:
    deadline = clock() + seconds
    while clock() < deadline:
        if process.poll() is not None:
            raise LoadFailed(f"the engine ended while it loaded it: {_last_words(folder)}")
        with contextlib.suppress(OSError, CacheError):
            info = _info(os.path.join(folder, "socket"))
            if info.get("loading") == 0:
                return {str(number): counts for number, counts in keyspace(info).items()}
        sleep(0.1)
    raise LoadFailed(f"the engine did not load it within {seconds:.0f} s: {_last_words(folder)}")


def _info(path: str) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(path)
        with contextlib.closing(Connection(sock)) as connection:
            return parse_info(connection.ask("INFO"))


def _last_words(folder: str) -> str:
    with contextlib.suppress(OSError), open(os.path.join(folder, "log"), encoding="utf-8", errors="replace") as log:
        said = [line.strip() for line in log if line.strip()]
        return " | ".join(said[-3:]) or "it said nothing"
    return "it said nothing"
