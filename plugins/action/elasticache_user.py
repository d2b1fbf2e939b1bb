# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module elasticache_user again until the user is as stated, with a line at each step."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import KEEP
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import Result
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.waiting_module import WaitingModuleAction


class ActionModule(WaitingModuleAction):
    def next_args(self, args: Mapping[str, Any], result: Result) -> Mapping[str, Any]:
        """Passwords are set once a task: AWS tells none, so the module itself could not know that they were."""
        return {**args, "passwords_update": KEEP} if result.get("passwords_changed") else args
