# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A run of ansible-playbook as a process of the controller: which it is, and whether it still runs."""

from __future__ import annotations

import getpass
import os
import socket
from typing import Any

_process = 0  # of ansible-playbook itself, where that is known


def note_process() -> None:
    """For the process of the run, before it forks the worker of a task: controller.py is imported there."""
    global _process  # noqa: PLW0603 # of the process
    _process = os.getpid()


def this_run(playbooks: list[str]) -> dict[str, Any]:
    """The run that an action plugin works for: tasks are carried out in a child of ansible-playbook, which goes on as
    another's where that is killed.
    """
    pid = _process if _process not in (0, os.getpid()) else os.getppid()
    return {
        "user": _user(),
        "host": socket.gethostname(),
        "pid": pid,
        "started": started(pid),
        "what": ", ".join(os.path.basename(playbook) for playbook in playbooks) or "ansible-playbook",
    }


def is_alive(pid: int, since: str) -> bool:
    """Whether the process lives that started then: numbers of processes are given again."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return started(pid) == since


def started(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty where the system does not tell, or it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            state, *fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if state == "Z" else fields[18]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a number without a name
        return str(os.getuid())
