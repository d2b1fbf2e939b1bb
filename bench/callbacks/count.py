"""Counts what a run does: a line in the file $BENCH_COUNTS for each task that begins, and each run of a module."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: count
type: aggregate
short_description: count tasks, and runs of modules on hosts
description:
  - Writes a line of JSON for each task that begins, and for each module that is run elsewhere than on the controller,
    to the file that the environment variable BENCH_COUNTS names.
"""


def note(**found: str) -> None:
    """One write, as the processes of several hosts write to the same file."""
    with open(os.environ["BENCH_COUNTS"], "a", encoding="utf-8") as log:
        log.write(json.dumps(found) + "\n")


def count_modules() -> None:
    """No callback is told of modules, of which an action runs none or many. The processes of tasks inherit this."""
    run = ActionBase._execute_module

    def counted(action: Any, module_name: Any = None, *args: Any, **keywords: Any) -> Any:
        host = action._task.delegate_to or (keywords.get("task_vars") or {}).get("inventory_hostname")
        if host not in C.LOCALHOST:
            note(module=module_name or action._task.action, host=str(host))
        return run(action, module_name, *args, **keywords)

    ActionBase._execute_module = counted


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "count"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        count_modules()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        note(task=task.get_name().strip())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        note(task=task.get_name().strip())
