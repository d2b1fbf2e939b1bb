"""Kill a run of ansible-playbook with all that belongs to it, as a controller dies: now, or when AWS holds its call.

    python sandbox/kill_run.py RUN          # now
    python sandbox/kill_run.py RUN ORDER    # when AWS holds a call; the order is that of POST /_sandbox/hold

RUN is what the run has in its environment as SANDBOX_RUN. What runs on hosts is left, and so is what keeps the lock of
the migration: it lets go of the lock when the run is gone. Started by the callback plugin at_task, inside the run.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

SPARED = b"lock_keeper"
MARK = "SANDBOX_RUN"
CONTROL_HEADER = "X-Sandbox-Key"  # as sandbox/aws/keys.py has it


def processes(run: str) -> Iterator[int]:
    mark = f"{MARK}={run}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_of_the_run = mark in (process / "environ").read_bytes().split(b"\0")
            if is_of_the_run and SPARED not in (process / "cmdline").read_bytes():
                yield int(process.name)
        except OSError:  # ended meanwhile
            continue


def kill(run: str) -> None:
    """Until there is none: one may have been forked while the others were looked for."""
    while found := sorted(processes(run)):
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.01)


def ask(what: str, order: str | None = None) -> object:
    """A request to the sandbox's AWS, which the environment of the run leads to; with an order a POST."""
    url, key = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"]
    data = None if order is None else order.encode()
    request = urllib.request.Request(f"{url}/_sandbox/{what}", data, {CONTROL_HEADER: key})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


def kill_when_held(run: str, order: str) -> None:
    """An order of null takes back the one before, at the end of a run that did not come to it."""
    ask("hold", order)
    print("ready", flush=True)
    while order != "null" and any(True for _ in processes(run)):
        if ask("held"):
            kill(run)


def main(arguments: list[str]) -> None:
    run, *order = arguments
    if order:
        kill_when_held(run, *order)
    else:
        kill(run)


if __name__ == "__main__":
    main(sys.argv[1:])
