"""Removing all that a sandbox owns, also what a crash left. Only ever its own.

What it owns is found by what cannot be lost: the namespaces that its processes are in, and the mark in their
environment. Pid files would be wrong after a crash, and a process's number may be another's by then.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from sandbox.machines import CGROUPS
from sandbox.places import Places, SandboxError
from sandbox.shell import run


def clear(places: Places) -> None:
    namespaces = _namespaces(places)
    deadline = time.monotonic() + 10
    killed: set[int] = set()
    while pids := {*_marked(places), *_inside(namespaces), *_ending(killed)} - {os.getpid()}:
        if time.monotonic() > deadline:
            raise SandboxError(f"sandbox {places.name}: processes {sorted(pids)} do not end")
        # Those inside pid namespaces first: what put them there then collects them, which init may do late.
        for pid in [pid for pid in pids if _is_inside_pid_namespace(pid)] or pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= pids
        time.sleep(0.02)
    for namespace in namespaces:
        run(["ip", "netns", "del", namespace])
    for hierarchy in CGROUPS:
        for cgroup in hierarchy.glob(f"{places.id}-*"):
            _remove_cgroup(cgroup)
    if places.root.exists():
        shutil.rmtree(places.root)


def is_running(places: Places) -> bool:
    return any(True for _ in _marked(places)) or bool(_inside(_namespaces(places)))


def _namespaces(places: Places) -> list[str]:
    folder = Path("/run/netns")
    return sorted(path.name for path in folder.glob(f"{places.id}-*")) if folder.exists() else []


def _inside(namespaces: list[str]) -> set[int]:
    """Processes in its network namespaces: hosts, engines (which overwrite their environment), ssh masters."""
    return {int(pid) for name in namespaces for pid in run(["ip", "netns", "pids", name]).stdout.split()}


def _marked(places: Places) -> Iterator[int]:
    """Processes that were started for this sandbox. A zombie has no environment, so it is not among them."""
    mark = places.mark.encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)
        except OSError:  # ended meanwhile, or another user's
            continue


def _ending(killed: set[int]) -> Iterator[int]:
    """Those whose namespaces are still being taken apart: they have lost their environment, and still hold things."""
    for pid in killed:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            if state not in "ZX":
                yield pid


def _is_inside_pid_namespace(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    numbers = next((line.split()[1:] for line in status.splitlines() if line.startswith("NSpid:")), [])
    return len(numbers) > 1


def _remove_cgroup(cgroup: Path) -> None:
    """Groups are removed from the leaves up; one is busy for a moment after its last process ended."""
    folders = sorted((path for path in cgroup.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
    for folder in [*folders, cgroup]:
        for _ in range(50):
            try:
                folder.rmdir()
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)
