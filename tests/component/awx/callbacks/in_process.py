"""Runs the modules of awx.awx in the process of the task, in a third of the time."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from typing import Any

from ansible.module_utils.testing import patch_module_args
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

MODULES = "ansible_collections.awx.awx.plugins.modules"
as_ever = ActionBase._execute_module
importlib.import_module(f"{MODULES}.job_template")  # and with it what all of them import


def execute_module(self: Any, module_name: str | None = None, module_args: Any = None, **more: Any) -> dict[str, Any]:
    name = module_name or self._task.action
    if not name.startswith("awx.awx."):
        return as_ever(self, module_name, module_args, **more)
    module = importlib.import_module(f"{MODULES}.{name.rpartition('.')[2]}")
    arguments = patch_module_args(dict(module_args or self._task.args))
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit), arguments:
        module.main()
    return json.loads(said.getvalue())


ActionBase._execute_module = execute_module


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "in_process"
