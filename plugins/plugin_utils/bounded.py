# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Running a program on the controller for a bounded time, with its output in memory only, and a line while it lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, Callable, Mapping, Sequence

KEPT_BYTES = 256 * 1024
LINE_EVERY = 5.0
END_SECONDS = 5.0  # from SIGTERM to SIGKILL
_POLL = 0.1


@dataclass(frozen=True)
class Ended:
    """``output`` is what standard output and error said last, in the order in which it came."""

    rc: int
    output: str
    seconds: float
    timed_out: bool


def run(
    arguments: Sequence[str], environment: Mapping[str, str], timeout: float, say: Callable[[float], None]
) -> Ended:
    """Run it to its end, or end it and all that it started. ``say`` is called every LINE_EVERY seconds.

    Raises OSError where the program cannot be started.
    """
    began = said = time.monotonic()
    process = subprocess.Popen(
        list(arguments),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # so that it can be ended with all that it started
    )
    tail = _Tail(process.stdout)
    timed_out = False
    try:
        while process.poll() is None:
            now = time.monotonic()
            if now - began >= timeout:
                timed_out = True
                break
            if now - said >= LINE_EVERY:
                said = now
                say(now - began)
            time.sleep(_POLL)
    finally:  # also where the run is interrupted
        if process.poll() is None:
            _end(process)
    return Ended(process.returncode, tail.text(), time.monotonic() - began, timed_out)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)


class _Tail:
    """Reads a pipe to its end in the background, and keeps the last of it."""

    def __init__(self, pipe: IO[bytes] | None) -> None:
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes] | None) -> None:
        while pipe and (chunk := os.read(pipe.fileno(), 65536)):
            self._kept += chunk
            del self._kept[:-KEPT_BYTES]

    def text(self) -> str:
        """What was read. A process that the program left behind may hold the pipe open for ever."""
        self._thread.join(1.0)
        return bytes(self._kept).decode("utf-8", "replace")
