"""Does something at a task of one's choice, and notes every task that begins. See sandbox/moments.py for its orders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: at_task
type: aggregate
short_description: do something when a task begins
description:
  - Reads its orders from the environment variable SANDBOX_MOMENTS, and writes each task that begins to the file that
    SANDBOX_TASKS names.
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


def act(command: list[str]) -> None:
    """Run it to its end; without one, die as by `kill -9`."""
    if not command:
        os.kill(os.getpid(), signal.SIGKILL)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"at_task: `{' '.join(command)}` failed: {done.stderr.strip()}")
