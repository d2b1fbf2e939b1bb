# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A module of AWS that waits (``wait``, ``wait_timeout``, ``wait_interval``), run in the controller until done."""

from __future__ import annotations

from typing import Any, Mapping

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import waiting
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import KEEP
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import ProgressAction, Result


class WaitingModuleAction(ProgressAction, ControllerAction):
    """Base of an action plugin that has the name of its module."""

    default_timeout = float(waiting.DEFAULT_TIMEOUT)
    default_interval = float(waiting.DEFAULT_INTERVAL)

    def once(self, args: Mapping[str, Any], task_vars: Any) -> Result:
        return self.call(self._task.action.rpartition(".")[2], args)

    def wants_to_wait(self, args: Mapping[str, Any]) -> bool:
        return bool(boolean(args.get("wait", True), strict=False))  # the module refuses what is none


class PasswordsOnceAction(WaitingModuleAction):
    """Passwords are set once a task: AWS tells none, so the module itself could not know that they were."""

    def next_args(self, args: Mapping[str, Any], result: Result) -> Mapping[str, Any]:
        return {**args, "passwords_update": KEEP} if result.get("passwords_changed") else args
