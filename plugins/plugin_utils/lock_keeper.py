# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A process beside a run that renews its lock, and lets go of it when the run ends, however it ends.

Ansible has no place for what must happen at the end of a run also where that failed, was interrupted or killed. It is
started by the action plugin of migration_lock, which writes what it needs to its standard input.

In a container the end of the first process is the end of all, at once. So a run that ends by itself, or is asked to,
does not end before its keepers have let go. One that is killed leaves them whatever time there is.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Callable, Mapping

PAUSE = 0.5  # seconds between two looks at the run, where the system does not tell of its end
RENEWALS = 5  # in the time that the lock lasts
ATTEMPTS = 3
READY_SECONDS = 30  # for a keeper to start and to read the lock
END_SECONDS = 10  # for keepers to let go, while the run waits for its own end


class NotKept(Exception):
    """There is no keeper; the text says why, for the operator."""


@dataclass(frozen=True)
class _End:
    """The end of a run, between its process and its keepers: two pipes.

    It writes to ``tells``, which every keeper looks at and none reads; all of them hold ``done`` open until their end.
    """

    pid: int
    told: int
    tells: int
    all_done: int
    done: int


_end: _End | None = None


def await_keepers_at_the_end() -> None:
    """For the process of the run, before it forks the worker of a task: controller.py is imported there."""
    global _end  # noqa: PLW0603 # of the process
    told, tells = os.pipe()
    all_done, done = os.pipe()
    _end = _End(os.getpid(), told, tells, all_done, done)
    atexit.register(_let_keepers_end, _end)
    before = signal.getsignal(signal.SIGTERM)

    def asked_to_end(number: int, frame: Any) -> None:
        _let_keepers_end(_end)
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    if before != signal.SIG_IGN:
        with suppress(ValueError):  # imported by something else than ansible-playbook, in a thread
            signal.signal(signal.SIGTERM, asked_to_end)


def _let_keepers_end(end: _End) -> None:
    if os.getpid() != end.pid:
        return  # a worker's end is not that of the run
    with suppress(OSError):  # it was done before
        os.close(end.done)
        os.write(end.tells, b".")
        select.select([end.all_done], [], [], END_SECONDS)


def start(order: Mapping[str, Any], environment: Mapping[str, str], collections: list[str]) -> subprocess.Popen[bytes]:
    """Start a keeper, and return it when it has been able to read the lock. Raises NotKept.

    ``order`` has migration_name, holder, seconds and options, the arguments of the task; ``environment`` is the task's,
    and ``collections`` are the folders in which the run finds collections.
    """
    is_awaited = _end is not None and _end.pid == order["holder"]["pid"]
    end = {"told": _end.told, "done": _end.done} if is_awaited else {}
    try:
        process = subprocess.Popen(
            [sys.executable, __file__, order["migration_name"]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # what ends the run by its group or terminal leaves the keeper time to let go
            pass_fds=tuple(end.values()),
            env={**os.environ, **environment},
        )
    except OSError as error:
        raise NotKept(f"it cannot be started: {error}") from error
    try:
        order = {**order, "told": end.get("told"), "collections": collections}
        answer = _answer(process, json.dumps(order).encode())
    except (OSError, ValueError) as error:  # no descriptor is left, or what it said is no JSON
        answer = {"failed": str(error)}
    if answer.get("ready"):
        return process
    process.kill()
    process.wait()
    raise NotKept(str(answer.get("failed") or "it ended without a word"))


def _answer(process: subprocess.Popen[bytes], order: bytes) -> dict[str, Any]:
    """What a keeper says of its beginning; empty where it ends before."""
    with process.stdin as its_input, process.stdout as its_output:  # type: ignore[union-attr] # pipes were asked for
        with suppress(BrokenPipeError):
            its_input.write(order)
            its_input.flush()
        with suppress(BrokenPipeError):
            its_input.close()
        if not select.select([its_output], [], [], READY_SECONDS)[0]:
            return {"failed": f"it has not read the lock within {READY_SECONDS} s"}
        line = its_output.readline()
    return dict(json.loads(line)) if line else {}


def keep(
    renew: Callable[[], bool],
    release: Callable[[], None],
    has_ended: Callable[[float], bool],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Renew as long as the run lives, then release. A call that fails is tried again: the lock outlives several.

    ``has_ended`` waits for the end of the run for that many seconds.
    """
    while not has_ended(seconds / RENEWALS):
        try:
            if not renew():
                return
        except Exception:  # whatever AWS or the network says, the next turn tries again
            continue
    for _attempt in range(ATTEMPTS):
        try:
            release()
        except Exception:
            sleep(2)
        else:
            return


def end_of_run(is_alive: Callable[[], bool], pid: int, told: int | None) -> Callable[[float], bool]:
    """Waits until the run tells of its end, its process has ended, or this one is asked to end."""
    asked, asks = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_signal: os.write(asks, b".") and None)
    signs = [asked, *([told] if told is not None else [])]
    with suppress(AttributeError, OSError):  # Linux from 5.3 tells of the end of a process at once
        signs.append(os.pidfd_open(pid))

    def has_ended(seconds: float) -> bool:
        until = time.monotonic() + seconds
        while is_alive():
            left = until - time.monotonic()
            if left <= 0:
                return False
            if select.select(signs, [], [], min(PAUSE, left))[0]:
                return True
        return True

    return has_ended


def main() -> None:
    answers = os.dup(1)  # what libraries print does not get in between
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    order = json.load(sys.stdin)
    name, seconds = order["migration_name"], int(order["seconds"])
    try:
        _find_collections_in(order["collections"])
        from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import lock
        from ansible_collections.kempian.cache_migration.plugins.plugin_utils import in_process
        from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import is_alive

        ssm = in_process.client(in_process.Order("migration_lock", order["options"]), "ssm")
        holder = lock.Holder(**order["holder"])
        lock.look(ssm, name)
        # Before it says that it is there: one that is asked to end from then on lets go first.
        has_ended = end_of_run(lambda: is_alive(holder.pid, holder.started), holder.pid, order["told"])
    except Exception as error:  # whatever it is, the run is told
        _say(answers, {"failed": str(error) or type(error).__name__})
        return
    _say(answers, {"ready": True})
    keep(lambda: lock.renew(ssm, name, holder, seconds), lambda: lock.release(ssm, name, holder), has_ended, seconds)


def _find_collections_in(folders: list[str]) -> None:
    """There alone and in this order, as the run does: Python itself may know of others, of another version.

    Ansible's own loader would take as long again as all else.
    """
    collections = ModuleType("ansible_collections")
    collections.__path__ = [os.path.join(folder, "ansible_collections") for folder in folders]
    sys.modules[collections.__name__] = collections


def _say(answers: int, answer: dict[str, Any]) -> None:
    """To the run, which may have ended by now."""
    with suppress(BrokenPipeError):
        os.write(answers, json.dumps(answer).encode() + b"\n")
    os.close(answers)


if __name__ == "__main__":
    main()
    os._exit(0)  # at once: a run may be waiting for this
