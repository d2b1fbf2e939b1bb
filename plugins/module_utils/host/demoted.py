# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Running a program that is not trusted: as the user whose it is, for a bounded time, with a bounded answer.

Root must not run what another user can write. The program gets nothing of ours but what it is fed: no environment, no
open file, no terminal, no group. What it answers is data.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import resource
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

MOST_BYTES = 32 * 1024**2  # of an answer
_KEPT_OF_ERRORS = 4096
_POLL = 0.02  # seconds between two looks at whether it has ended
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where OpenSSL looks for CAs, which a task may state for the app (its keyword environment).
_PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR")


class CannotRun(Exception):
    """It cannot be run, or not as that user; the text is a sentence for the operator, without its full stop."""


@dataclass(frozen=True)
class Account:
    """Whom to become: a user with all of his groups, and no other. ``is_us``: who we are already."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str
    is_us: bool


@dataclass(frozen=True)
class Ended:
    """``errors`` is the end of what it wrote to its standard error; ``why`` says how it was ended, or is empty."""

    output: bytes
    errors: str
    status: int
    why: str = ""


def account_of(name: str) -> Account:
    """The account of a user; an empty name means who we are. Raises CannotRun where we cannot be that user.

    Who is root but in a user namespace that has no other user, as rootless containers are made, is nobody else.
    """
    us = os.geteuid()
    try:
        known = pwd.getpwnam(name) if name else pwd.getpwuid(us)
    except KeyError:
        raise CannotRun(f"this host has no user {name or us}")
    is_us = known.pw_uid == us
    if us == 0 and is_us and not _is_alone():
        raise CannotRun("root does not run what the app's user may be able to write")
    if us and not is_us:
        raise CannotRun(f"only root can run it as the user {name}, and this is {_name_of(us)}")
    groups = tuple(os.getgrouplist(known.pw_name, known.pw_gid))
    return Account(known.pw_name, known.pw_uid, known.pw_gid, groups, known.pw_dir, is_us)


def _is_alone() -> bool:
    """https://man7.org/linux/man-pages/man7/user_namespaces.7.html: a line is first inside, first outside, how many."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            return sum(int(line.split()[2]) for line in file) == 1
    except OSError:
        return False


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def run(command: Sequence[str], account: Account, feed: bytes, seconds: float, most: int = MOST_BYTES) -> Ended:
    """Run it to its end, or end it with all of its process group. ``most`` bounds its answer, in bytes.

    Raises CannotRun where it cannot be started.
    """
    with _started(command, account, subprocess.PIPE) as process:
        try:
            return _talk(process, feed, time.monotonic() + seconds, most)
        finally:
            _end(process)


def runner(account: Account, seconds: float) -> Callable[[Sequence[str]], tuple[int, str, str]]:
    """Runs a command, each for a bounded time, and returns its exit code, stdout and stderr. Raises CannotRun."""

    def run_one(command: Sequence[str]) -> tuple[int, str, str]:
        ended = run(command, account, b"", seconds)
        return ended.status, ended.output.decode("utf-8", "replace"), f"{ended.errors}{ended.why}"

    return run_one


def leave_to_itself(command: Sequence[str], account: Account) -> None:
    """Start it, in a session of its own, for as long as it takes. Nobody hears what it says.

    Raises CannotRun where it cannot be started.
    """
    _started(command, account, subprocess.DEVNULL)


def _started(command: Sequence[str], account: Account, pipes: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(command),
            stdin=pipes,
            stdout=pipes,
            stderr=pipes,
            cwd="/",
            env=_environment(account),
            close_fds=True,
            start_new_session=True,
            preexec_fn=lambda: _become(account),  # noqa: PLW1509 (Popen's own user= is of Python 3.9)
        )
    except OSError as error:
        raise CannotRun(f"{command[0]} cannot be run as the user {account.name} ({error.strerror})")
    except subprocess.SubprocessError:
        raise CannotRun(f"{command[0]} cannot be run: becoming the user {account.name} was refused")


def _environment(account: Account) -> Mapping[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
    }


def _become(account: Account) -> None:
    """In the child, before the program is loaded. A core would hold what it is fed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    if account.is_us:
        return
    os.setgroups(account.groups)
    os.setgid(account.gid)
    os.setuid(account.uid)


def _talk(process: subprocess.Popen[bytes], feed: bytes, deadline: float, most: int) -> Ended:
    conversation = _Conversation(process, feed)
    with contextlib.closing(conversation):
        while True:
            has_ended = _has_ended(process)
            is_over = conversation.go_on(0 if has_ended else min(_POLL, max(0.0, deadline - time.monotonic())))
            if len(conversation.output) > most:
                why = f"it wrote more than {most} bytes"
            elif is_over and has_ended:
                why = ""
            elif time.monotonic() >= deadline:
                why = "its time was up"
            else:
                continue
            _end(process)
            errors = bytes(conversation.errors).decode("utf-8", "replace")
            return Ended(bytes(conversation.output[:most]), errors, process.returncode, why)


class _Conversation:
    """Feeds and reads without ever waiting for it: it may read nothing, and what it started may hold the pipes."""

    def __init__(self, process: subprocess.Popen[bytes], feed: bytes) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("only for a process with pipes")
        self.output, self.errors = bytearray(), bytearray()
        self._left = memoryview(feed)
        self._selector = selectors.DefaultSelector()
        self._stdin, self._stdout = process.stdin, process.stdout
        for pipe in (process.stdin, process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(process.stdin, selectors.EVENT_WRITE)
        self._selector.register(process.stdout, selectors.EVENT_READ)
        self._selector.register(process.stderr, selectors.EVENT_READ)

    def go_on(self, seconds: float) -> bool:
        """Whether nothing came, and nothing could be fed, within that time."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return True
        ready = self._selector.select(seconds)
        for key, _events in ready:
            if key.fileobj is self._stdin:
                self._feed()
            else:
                self._read(key.fileobj, self.output if key.fileobj is self._stdout else self.errors)
        return not ready

    def _feed(self) -> None:
        try:
            self._left = self._left[os.write(self._stdin.fileno(), self._left[:65536]) :]
        except BlockingIOError:
            return
        except OSError:  # it does not want to hear more
            self._left = self._left[:0]
        if not self._left:
            self._drop(self._stdin)

    def _read(self, pipe: Any, into: bytearray) -> None:
        try:
            chunk = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return
        if not chunk:
            self._drop(pipe)
        into += chunk
        if into is self.errors:
            del into[:-_KEPT_OF_ERRORS]

    def _drop(self, pipe: Any) -> None:
        self._selector.unregister(pipe)
        with contextlib.suppress(OSError):
            pipe.close()

    def close(self) -> None:
        self._selector.close()


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Without taking its end from it: until then its number, which is its group's, is given to nobody else."""
    if process.returncode is not None:
        return True
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Also what it left behind in its group."""
    if process.returncode is None:
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
