"""Does something at a moment of one's choice, and notes what begins. See sandbox/moments.py for its orders."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: at_task
type: aggregate
short_description: do something when a task begins, or a module, or a call to AWS
description:
  - Reads its orders from the environment variables SANDBOX_MOMENTS and SANDBOX_KILL, and writes each task that begins,
    and each module on a host, to the file that SANDBOX_TASKS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "at_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._orders = json.loads(os.environ.get("SANDBOX_MOMENTS") or "[]")
        self._log = os.environ.get("SANDBOX_TASKS", "")
        self._begun = 0
        self._by_name: dict[str, int] = {}
        kill = json.loads(os.environ.get("SANDBOX_KILL") or '{"at_write": [], "at_module": [], "killer": ""}')
        self._killer, self._at_module = kill["killer"], kill["at_module"]
        if self._log:
            watch_modules(self._before_module)
        self._at_write = kill["at_write"]
        for order in self._at_write:
            self._have_held(order)

    # Called in ansible-playbook itself, before the task is given to any host.
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        name = task.get_name().strip()
        self._begun += 1
        self._by_name[name] = self._by_name.get(name, 0) + 1
        self._note(name=name, occurrence=self._by_name[name], time=time.time())
        for order in self._orders:
            if self._is_now(order, name):
                self._do(order)

    v2_playbook_on_handler_task_start = v2_playbook_on_task_start

    def v2_runner_on_ok(self, result: Any) -> None:
        task = getattr(result, "task", None) or result._task  # the latter before ansible-core 2.19
        if result.is_changed() and not task.check_mode:
            self._note(changed=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._note(time=time.time())  # when the last task ended
        if self._at_write:
            self._have_held(None)

    def _note(self, **found: Any) -> None:
        if self._log:
            with open(self._log, "a", encoding="utf-8") as log:
                log.write(json.dumps({"number": self._begun, **found}) + "\n")

    def _is_now(self, order: dict[str, Any], name: str) -> bool:
        if isinstance(order["task"], int):
            return bool(order["task"] == self._begun)
        # A role's task is `collection.role : name` here.
        is_named = order["task"] in (name, name.partition(" : ")[2])
        return is_named and bool(order["occurrence"] == self._by_name[name])

    def _do(self, order: dict[str, Any]) -> None:
        if order["after"]:
            later = threading.Timer(order["after"], act, [order["command"]])
            later.daemon = True  # a run that ended before is not held up
            later.start()
        else:
            act(order["command"])

    # Called in a worker, a fork of ansible-playbook: several write at once, and count what all have written.
    def _before_module(self, host: str, module: str) -> None:
        with open(self._log, "a+", encoding="utf-8") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.seek(0)
            notes = [json.loads(line) for line in log]
            number = 1 + sum("module" in note and note["host"] == host for note in notes)
            if {"host": host, "number": number} in self._at_module:
                self._killer_of_this().wait()  # it does not come back
            log.write(json.dumps({"number": self._begun, "host": host, "module": module}) + "\n")

    def _have_held(self, order: dict[str, Any] | None) -> None:
        ready = self._killer_of_this(json.dumps(order)).stdout
        assert ready.readline(), "the killer of this run does not start"

    def _killer_of_this(self, *order: str) -> Any:
        environ = {**os.environ}
        argv = [
            sys.executable,
            self._killer,
            environ.pop("SANDBOX_RUN"),
            *order,
        ]  # it has no mark: it would kill itself
        return subprocess.Popen(
            argv,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def watch_modules(before: Any) -> None:
    """Tell of each module before it begins on a host; what is delegated, as to the controller, is not on the host."""
    execute = ActionBase._execute_module

    def watched(action: Any, module_name: Any = None, module_args: Any = None, *more: Any, **named: Any) -> Any:
        if not action._task.delegate_to:
            variables = named.get("task_vars") or (more[1] if len(more) > 1 else {}) or {}
            before(variables.get("inventory_hostname", ""), module_name or action._task.action)
        return execute(action, module_name, module_args, *more, **named)

    ActionBase._execute_module = watched


def act(command: list[str]) -> None:
    """Run it to its end; without one, die as by `kill -9`."""
    if not command:
        os.kill(os.getpid(), signal.SIGKILL)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"at_task: `{' '.join(command)}` failed: {done.stderr.strip()}")
