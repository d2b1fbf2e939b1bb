# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The processes of this machine as /proc shows them: parents, process groups, control groups."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Iterable, Mapping

CGROUP_ROOTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified")


@dataclass(frozen=True)
class Process:
    """``started`` is in clock ticks since the boot; with the pid it names a process for ever."""

    pid: int
    parent: int
    group: int
    started: int


def all_processes(proc: str = "/proc") -> dict[int, Process]:
    found = {}
    for name in os.listdir(proc):
        if name.isdigit():
            with contextlib.suppress(OSError):  # ended in the meantime
                with open(f"{proc}/{name}/stat", encoding="utf-8", errors="replace") as file:
                    process = parse_stat(file.read())
                found[process.pid] = process
    return found


def name_of(pid: int, proc: str = "/proc") -> str:
    """Of the program, as the kernel has it: without arguments, which may hold secrets. Empty where it has ended."""
    with contextlib.suppress(OSError), open(f"{proc}/{pid}/comm", encoding="utf-8", errors="replace") as file:
        return file.read().strip()
    return ""


def parse_stat(text: str) -> Process:
    """The second field is the program's name in brackets, and may itself hold spaces and brackets."""
    pid, _space, rest = text.partition(" ")
    fields = rest.rpartition(")")[2].split()
    return Process(pid=int(pid), parent=int(fields[1]), group=int(fields[2]), started=int(fields[19]))


def environment(pid: int, proc: str = "/proc") -> dict[str, str]:
    """With which it was started; empty where that cannot be read. It holds secrets."""
    with contextlib.suppress(OSError), open(f"{proc}/{pid}/environ", "rb") as file:
        text = file.read().decode("utf-8", "surrogateescape")
        parts = [one.partition("=") for one in reversed(text.split("\0"))]  # of two the first counts
        return {name: value for name, equals, value in parts if equals}
    return {}


def family(head: int, processes: Mapping[int, Process]) -> set[int]:
    """A process, its process group, and all descendants of these."""
    found = {pid for pid, process in processes.items() if head in (pid, process.group)}
    while True:
        children = {pid for pid, process in processes.items() if process.parent in found} - found
        if not children:
            return found
        found |= children


def in_control_group(path: str, roots: Iterable[str] = CGROUP_ROOTS, proc: str = "/proc") -> set[int]:
    """The processes of a control group and of those below it, from the cgroup tree, or else from each process."""
    if ".." in path.split("/"):  # as a user's own systemd may say
        return set()
    for root in roots:
        folder = root + path
        if path.strip("/") and os.path.isdir(folder):
            return _listed_below(folder)
    return _claimed(path, proc)


def _listed_below(folder: str) -> set[int]:
    found: set[int] = set()
    for below, _folders, _files in os.walk(folder):
        with contextlib.suppress(OSError), open(f"{below}/cgroup.procs", encoding="ascii") as file:
            found.update(int(line) for line in file)
    return found - {0}  # 0: a process that this namespace does not see


def _claimed(path: str, proc: str) -> set[int]:
    found = set()
    for name in os.listdir(proc):
        if not name.isdigit():
            continue
        with contextlib.suppress(OSError), open(f"{proc}/{name}/cgroup", encoding="utf-8") as file:
            claimed = [line.rstrip("\n").split(":", 2)[-1] for line in file]
            if path.strip("/") and any(one == path or one.startswith(path + "/") for one in claimed):
                found.add(int(name))
    return found
