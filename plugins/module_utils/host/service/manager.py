# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A service under systemd or supervisor: its state, its processes, and a restart that does not block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Protocol, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import (
    all_processes,
    family,
    in_control_group,
)

# Runs a command and returns its exit code, stdout and stderr; OSError where it cannot be started.
Run = Callable[[Sequence[str]], Tuple[int, str, str]]


class ServiceError(Exception):
    """The service cannot be looked at or restarted; the text says why and what to change."""


@dataclass(frozen=True)
class State:
    """``word`` is the manager's own; ``generation`` differs after each start; ``given_up``: it stays down."""

    word: str
    running: bool
    given_up: bool
    generation: str
    pids: frozenset[int]


class Manager(Protocol):
    """What every service manager can do here."""

    def look(self) -> State:
        """The state now. Raises ServiceError where there is no such service."""

    def restart(self) -> None:
        """Begin a restart, and return before it is done."""

    def how_to_see_why(self) -> str:
        """The command that shows the service's log; the log itself may hold secrets."""


# --- systemd ---

_PROPERTIES = "LoadState,ActiveState,SubState,Result,MainPID,ControlGroup,InvocationID"


class Systemd:
    def __init__(self, name: str, run: Run) -> None:
        self._name = name
        self._run = run

    def look(self) -> State:
        command = ["systemctl", "show", self._name, f"--property={_PROPERTIES}"]
        shown = _said(self._run, command, "systemctl show")
        values = dict(line.partition("=")[::2] for line in shown.splitlines())
        if values.get("LoadState") != "loaded":
            raise ServiceError(
                f"systemd has no service {self._name} on this host (LoadState={values.get('LoadState', 'unknown')}): "
                "set name (migration_services), or manager: supervisor (migration_services)"
            )
        active = values["ActiveState"]
        reason = f", {values['Result']}" if values.get("Result", "success") != "success" else ""
        return State(
            word=f"{active} ({values.get('SubState', '')}{reason})",
            running=active in ("active", "reloading"),
            given_up=active == "failed",
            generation=values.get("InvocationID") or values.get("MainPID", ""),
            pids=frozenset(in_control_group(values["ControlGroup"]) if values.get("ControlGroup") else ()),
        )

    def restart(self) -> None:
        """systemd starts no service that has failed too often (StartLimitBurst), until it is told to forget that."""
        # Exit code 1: the unit is not in memory, so nothing is counted against it.
        _said(self._run, ["systemctl", "reset-failed", self._name], "systemctl reset-failed", accept=(0, 1))
        _said(self._run, ["systemctl", "restart", "--no-block", self._name], "systemctl restart")

    def how_to_see_why(self) -> str:
        return f"journalctl -u {self._name} -n 50"


# --- supervisor ---

_STATES = "STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN"
_STATUS = re.compile(rf"\S+\s+(?P<state>{_STATES})\b(?:.*?\bpid (?P<pid>\d+))?")

# Outlives this run of the module and the terminal that Ansible may have given it.
_LEFT_TO_ITSELF = 'trap "" HUP; "$@" </dev/null >/dev/null 2>&1 &'


class Supervisor:
    """``command`` is supervisorctl with its options, as a list. Messages leave the options out: one is a password."""

    def __init__(self, name: str, command: Sequence[str], run: Run) -> None:
        self._name = name
        self._command = list(command)
        self._run = run

    def look(self) -> State:
        # supervisorctl status ends with 3 where a program is not running, and with 4 where there is none.
        command = [*self._command, "status", self._name]
        said = _said(self._run, command, f"{self._command[0]} status", accept=(0, 3, 4))
        found = [match for match in (_STATUS.match(line) for line in said.splitlines()) if match]
        if not found:
            raise ServiceError(
                f"supervisor has no program {self._name} on this host ({_quoted(said, command)[:200]}): set name "
                "(migration_services) or supervisorctl (migration_services)"
            )
        states = [match["state"] for match in found]
        heads = [int(match["pid"]) for match in found if match["pid"]]
        processes = all_processes()
        born = [f"{pid}.{processes[pid].started}" for pid in heads if pid in processes]
        return State(
            word=" and ".join(sorted(set(states))),
            running=set(states) == {"RUNNING"},
            given_up=bool({"FATAL", "EXITED"} & set(states)),
            generation=" ".join(born),
            pids=frozenset(pid for head in heads for pid in family(head, processes)),
        )

    def restart(self) -> None:
        """supervisorctl waits until the program has stopped and run for startsecs, so it is left to itself."""
        command = ["sh", "-c", _LEFT_TO_ITSELF, "sh", *self._command, "restart", self._name]
        _said(self._run, command, f"{self._command[0]} restart")

    def how_to_see_why(self) -> str:
        with_options = " with the options of supervisorctl (migration_services)" if self._command[1:] else ""
        return f"{self._command[0]} tail {self._name} stderr{with_options}"


def manager_of(kind: str, name: str, supervisorctl: Sequence[str], run: Run) -> Manager:
    """Raises ServiceError for a command that would show a password to all users of the host."""
    if kind == "systemd":
        return Systemd(name, run)
    refuse_password(supervisorctl)
    return Supervisor(name, supervisorctl, run)


def _said(run: Run, command: Sequence[str], shown: str, accept: Sequence[int] = (0,)) -> str:
    """What a command said; ``shown`` is the command as messages show it."""
    try:
        code, out, err = run(command)
    except OSError as error:
        raise ServiceError(
            f"{command[0]} cannot be run ({error.strerror}): set manager (migration_services) or supervisorctl "
            "(migration_services)"
        )
    if code not in accept:
        raise ServiceError(f"'{shown}' failed: {_quoted(err + out, command)[:300]}")
    return out + err


# Short options may stand in one word, and long ones may be shortened.
_PASSWORD_OPTION = re.compile(r"-[hi?]*p.*|--p[a-z]*(?:=.*)?|.*://[^/]*@.*", re.DOTALL)


def refuse_password(command: Sequence[str]) -> None:
    """Whatever stands before supervisorctl itself is a program with options of its own."""
    programs = [word.rpartition("/")[2].endswith("supervisorctl") for word in command]
    options = command[programs.index(True) + 1 :] if True in programs else command[1:]
    if any(_PASSWORD_OPTION.fullmatch(word) for word in options):
        raise ServiceError(
            "supervisorctl (migration_services) has a password among its options (-p, --password, or a URL with "
            "one), where all users of the host see it in the list of processes. Put it into a file that root alone may "
            "read, as password (and username) of its section [supervisorctl], and name that file by -c; and give "
            "supervisor another password"
        )


_PASSWORD_FOLLOWS = re.compile(r"-p|--p[a-z]*")
_PASSWORD_WITHIN = re.compile(r"(?:-p|--p[a-z]*=)(.+)")


def _quoted(said: str, command: Sequence[str]) -> str:
    """On one line, without a password of supervisorctl's options, or a URL with one, which it quotes."""
    for before, word in zip(["", *command], command):
        within = _PASSWORD_WITHIN.fullmatch(word)
        if word and (_PASSWORD_FOLLOWS.fullmatch(before) or ("://" in word and "@" in word)):
            said = said.replace(word, "***")
        elif within:
            said = said.replace(within.group(1), "***")
    return " ".join(said.split())
