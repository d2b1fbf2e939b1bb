# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A service under systemd, supervisor or a command: its state, its processes, and a restart that does not block.

One name may be several of them: the units that a glob matches (``web@*``), the programs of a group (``shop:*``).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from typing import Callable, Mapping, Protocol, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import (
    all_processes,
    family,
    in_control_group,
)

# Runs a command and returns its exit code, stdout and stderr; OSError where it cannot be started.
Run = Callable[[Sequence[str]], Tuple[int, str, str]]


# How long a command of a user's may take, in seconds.
USER_SECONDS = 30.0


class ServiceError(Exception):
    """The service cannot be looked at or restarted; the text says why and what to change."""


@dataclass(frozen=True)
class Managed:
    """A service and what manages it, as its options say. ``user`` is whose systemd it is with the scope ``user``, and
    who runs ``restart_command``.
    """

    name: str
    manager: str = "systemd"
    scope: str = "system"
    user: str = ""
    supervisorctl: tuple[str, ...] = field(default=("supervisorctl",), repr=False)
    restart_command: tuple[str, ...] = field(default=(), repr=False)
    pid_file: str = ""


@dataclass(frozen=True)
class State:
    """``word`` is the manager's own; ``generation`` has a word for each start, and ``outlived`` those of others that
    still run; ``given_up``: it stays down.

    ``units`` are the processes of each unit or program, ``instances`` what stands behind the @ of a unit's name. What
    ``starts_anew`` by itself, as a timer's service, reads its values at each start: nothing of it is restarted, and it
    need not run.
    """

    word: str
    running: bool
    given_up: bool
    generation: str
    units: tuple[frozenset[int], ...] = ()
    starts_anew: bool = False
    instances: tuple[str, ...] = ()
    outlived: frozenset[str] = frozenset()

    @property
    def pids(self) -> frozenset[int]:
        return frozenset().union(*self.units)

    def is_as_before(self, generation: str) -> bool:
        """Whether any of it has not been started since."""
        return bool({*self.generation.split(), *self.outlived} & set(generation.split()))


class Manager(Protocol):
    """What every service manager can do here."""

    def look(self) -> State:
        """The state now. Raises ServiceError where there is no such service."""

    def restart(self) -> None:
        """Begin a restart, and return before it is done."""

    def stop(self) -> bool:
        """Begin a stop, and return before it is done; false where it cannot be stopped and started by itself."""

    def how_to_see_why(self) -> str:
        """The command that shows the service's log; the log itself may hold secrets."""


# --- systemd ---

_PROPERTIES = "Id,LoadState,ActiveState,SubState,Result,MainPID,ControlGroup,InvocationID,Triggers,ConsistsOf,Wants"
_INSTANCE = re.compile(r"@(.+)\.service\Z")
# What is no service itself, and by which of its properties those are told that it stands for.
_STANDS_FOR = {".target": ("ConsistsOf", "Wants"), ".socket": ("Triggers",), ".path": ("Triggers",)}


class Systemd:
    """``name`` may be a glob, which stands for the services that match it and are loaded. ``account`` is whose systemd
    that is; without, the system's. ``run`` runs commands as whoever may ask it.
    """

    def __init__(self, name: str, run: Run, account: demoted.Account | None = None) -> None:
        has_no_type = re.search(r"[*?\[]", name) and not re.search(r"\.[a-z]+\Z", name)
        self._name = f"{name}.service" if has_no_type else name
        self._run, self._account = run, account
        self._systemctl = ["systemctl"]
        if account:
            self._systemctl = ["env", f"XDG_RUNTIME_DIR={_runtime_of(account)}", "systemctl", "--user"]

    def look(self) -> State:
        units = self._shown(self._name)
        is_timer = self._name.endswith(".timer")
        states = [self._timer(unit) if is_timer else self._service(unit) for unit in units]
        return State(
            word=" and ".join(sorted({state.word for state in states})),
            running=all(state.running for state in states),
            given_up=any(state.given_up for state in states),
            generation=" ".join(state.generation for state in states),
            units=tuple(pids for state in states for pids in state.units),
            starts_anew=is_timer,
            instances=tuple(found.group(1) for unit in units if (found := _INSTANCE.search(unit.get("Id", "")))),
        )

    def _shown(self, name: str) -> list[dict[str, str]]:
        """The properties of each unit of that name, or that matches it. Raises ServiceError."""
        command = [*self._systemctl, "show", name, f"--property={_PROPERTIES}"]
        said = _said(self._run, command, "systemctl show")
        units = [
            dict(line.partition("=")[::2] for line in block.splitlines())
            for block in re.split(r"\n\s*\n", said.strip())
            if block.strip()
        ]
        loaded = [unit for unit in units if unit.get("LoadState") == "loaded"]
        if not loaded or len(loaded) < len(units):
            word = units[0].get("LoadState", "unknown") if units else "none that is loaded matches it"
            whose = f"the systemd of the user {self._account.name}" if self._account else "systemd"
            raise ServiceError(
                f"{whose} has no service {name} on this host (LoadState={word}): set its name, scope or manager "
                "(migration_services)"
            )
        for unit in loaded:
            self._refuse_what_stands_for_others(unit)
        return loaded

    @staticmethod
    def _refuse_what_stands_for_others(unit: dict[str, str]) -> None:
        name = unit.get("Id", "")
        kind = next((kind for kind in _STANDS_FOR if name.endswith(kind)), "")
        if kind:
            named = [word for of in _STANDS_FOR[kind] for word in unit.get(of, "").split()]
            others = sorted({word for word in named if word.endswith(".service")})
            raise ServiceError(
                f"{name} is no service, and restarting it would prove nothing of those that read the values: name "
                f"{', '.join(others) or 'the services that it starts'} (migration_services) in its place"
            )

    @staticmethod
    def _service(unit: dict[str, str]) -> State:
        active = unit["ActiveState"]
        reason = f", {unit['Result']}" if unit.get("Result", "success") != "success" else ""
        return State(
            word=f"{active} ({unit.get('SubState', '')}{reason})",
            running=active in ("active", "reloading"),
            given_up=active == "failed",
            generation=unit.get("InvocationID") or unit.get("MainPID", ""),
            units=(frozenset(in_control_group(unit["ControlGroup"]) if unit.get("ControlGroup") else ()),),
        )

    def _timer(self, timer: dict[str, str]) -> State:
        """With the processes of what it starts, where that runs just now."""
        started = [unit for name in timer.get("Triggers", "").split() for unit in self._shown(name)]
        if not started:
            raise ServiceError(f"{timer.get('Id')} starts no unit on this host: set name (migration_services)")
        return State(
            word=f"{timer['ActiveState']} ({timer.get('SubState', '')})",
            running=timer["ActiveState"] == "active",
            given_up=timer["ActiveState"] == "failed",
            generation="",
            units=tuple(pids for unit in started for pids in self._service(unit).units),
        )

    def restart(self) -> None:
        """systemd starts no service that has failed too often (StartLimitBurst), until it is told to forget that."""
        # Exit code 1: the unit is not in memory, so nothing is counted against it.
        _said(self._run, [*self._systemctl, "reset-failed", self._name], "systemctl reset-failed", accept=(0, 1))
        _said(self._run, [*self._systemctl, "restart", "--no-block", self._name], "systemctl restart")

    def stop(self) -> bool:
        """Instances that are stopped are forgotten, so that no glob finds them again. A timer's service reads its
        values at each start.
        """
        if self._name.endswith(".timer") or re.search(r"[*?\[]", self._name):
            return False
        _said(self._run, [*self._systemctl, "stop", "--no-block", self._name], "systemctl stop")
        return True

    def how_to_see_why(self) -> str:
        return f"journalctl {f'_UID={self._account.uid}' if self._account else f'-u {self._name}'} -n 50"


def _runtime_of(account: demoted.Account) -> str:
    """https://www.freedesktop.org/software/systemd/man/latest/user@.service.html"""
    return f"/run/user/{account.uid}"


def _systemd(managed: Managed, run: Run) -> Manager:
    if managed.scope == "system":
        return Systemd(managed.name, run)
    account = _account_of(managed, "scope: user")
    if not os.path.exists(f"{_runtime_of(account)}/systemd/private"):
        raise ServiceError(
            f"the user {account.name} has no systemd that runs on this host, so {managed.name} cannot be one of its "
            f"units: have it run without a login, by 'loginctl enable-linger {account.name}' there, or set scope "
            "(migration_services)"
        )
    return Systemd(managed.name, demoted.runner(account, USER_SECONDS), account)


def _account_of(managed: Managed, needed_by: str) -> demoted.Account:
    """The user of a service."""
    if not managed.user:
        raise ServiceError(
            f"{managed.name} has {needed_by} and no user: set user (migration_services), or migration_app_user"
        )
    try:
        return demoted.account_of(managed.user)
    except demoted.CannotRun as error:
        raise ServiceError(f"{managed.name} has {needed_by}, and {error}: set user (migration_services)")


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
            units=tuple(frozenset(family(head, processes)) for head in heads),
        )

    def restart(self) -> None:
        """supervisorctl waits until the program has stopped and run for startsecs, so it is left to itself."""
        self._begin("restart")

    def stop(self) -> bool:
        self._begin("stop")
        return True

    def _begin(self, what: str) -> None:
        command = ["sh", "-c", _LEFT_TO_ITSELF, "sh", *self._command, what, self._name]
        _said(self._run, command, f"{self._command[0]} {what}")

    def how_to_see_why(self) -> str:
        with_options = " with the options of supervisorctl (migration_services)" if self._command[1:] else ""
        return f"{self._command[0]} tail {self._name} stderr{with_options}"


# --- a command ---


class Command:
    """``restart`` is a command of the user's in ``account``, and ``pid_file`` has the first process of the service.

    What manages the others is not known, so all that belonged to the service must have ended before it counts as
    restarted.
    """

    def __init__(self, restart: Sequence[str], pid_file: str, account: demoted.Account) -> None:
        self._restart, self._pid_file, self._account = list(restart), pid_file, account

    def look(self) -> State:
        head = self._head()
        processes = all_processes()
        named = {pid: f"{pid}.{process.started}" for pid, process in processes.items()}
        if head not in processes:
            word = f"no process {head}, which {self._pid_file} has" if head else f"no process in {self._pid_file}"
            return State(word, False, False, "", outlived=frozenset(named.values()))
        members = frozenset(family(head, processes))
        return State(
            word=f"process {head}",
            running=True,
            given_up=False,
            generation=" ".join(named[pid] for pid in sorted(members)),
            units=(members,),
            outlived=frozenset(named.values()),
        )

    def _head(self) -> int:
        """0 where there is none. What is in the file is quoted nowhere, as it may be any file, and a pipe is not waited
        for. A process of somebody else is none of the service's.
        """
        try:
            descriptor = os.open(self._pid_file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with open(descriptor, encoding="ascii") as file:
                head = int(file.read(32)) if stat.S_ISREG(os.fstat(descriptor).st_mode) else 0
            owner = os.stat(f"/proc/{head}").st_uid if head > 0 else self._account.uid
        except (FileNotFoundError, ValueError):
            return 0
        except OSError as error:
            raise ServiceError(f"{self._pid_file} cannot be read ({error.strerror}): set pid_file (migration_services)")
        if owner != self._account.uid:
            raise ServiceError(
                f"{self._pid_file} has the process {head}, which is none of the user {self._account.name}: set "
                "pid_file or user (migration_services)"
            )
        return max(head, 0)

    def restart(self) -> None:
        try:
            demoted.leave_to_itself(self._restart, self._account)
        except demoted.CannotRun as error:
            raise ServiceError(f"{error}: set restart_command (migration_services)")

    def stop(self) -> bool:
        return False

    def how_to_see_why(self) -> str:
        return f"what {self._restart[0]} writes (restart_command of migration_services)"


def _command(managed: Managed, _run: Run) -> Manager:
    for option, stated in (("restart_command", managed.restart_command), ("pid_file", managed.pid_file)):
        if not stated:
            raise ServiceError(f"{managed.name} has manager: command and no {option}: set it (migration_services)")
    return Command(managed.restart_command, managed.pid_file, _account_of(managed, "manager: command"))


def manager_of(managed: Managed, run: Run) -> Manager:
    """Raises ServiceError for what cannot be asked, and for a command that would show a password to all users."""
    return MANAGERS[managed.manager](managed, run)


def _supervisor(managed: Managed, run: Run) -> Manager:
    refuse_password(managed.supervisorctl)
    return Supervisor(managed.name, managed.supervisorctl, run)


# By the word that the option ``manager`` has for each.
MANAGERS: Mapping[str, Callable[[Managed, Run], Manager]] = {
    "systemd": _systemd,
    "supervisor": _supervisor,
    "command": _command,
}


def _said(run: Run, command: Sequence[str], shown: str, accept: Sequence[int] = (0,)) -> str:
    """What a command said; ``shown`` is the command as messages show it."""
    try:
        code, out, err = run(command)
    except OSError as error:
        raise ServiceError(
            f"{command[0]} cannot be run ({error.strerror}): set manager (migration_services) or supervisorctl "
            "(migration_services)"
        )
    except demoted.CannotRun as error:
        raise ServiceError(f"{error}: set user (migration_services)")
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
