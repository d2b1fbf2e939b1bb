# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look at what the controller can see, and refuse what retiring the old Redis must not be begun with."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.beginning import BeginningAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import RETIRE, Retiring


class ActionModule(BeginningAction):
    _VALID_ARGS = frozenset(())

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if left_out := self.left_out(task_vars):
            return left_out
        if not self.settings(task_vars, RETIRE.stages)["decommission"]:
            raise AnsibleActionFail(
                "This playbook retires the old Redis, and does so only when asked: -e migration_decommission=true. See "
                "what it would do first, with --check."
            )
        retiring = Retiring(self, RETIRE, self.begin(RETIRE, task_vars), task_vars)
        if len(retiring.old_hosts) > 1:
            raise AnsibleActionFail(
                f"The group old_redis has {len(retiring.old_hosts)} hosts, and this playbook retires one: give each an "
                "inventory of its own."
            )
        known = retiring.known()
        if known["target_failure"]:
            raise AnsibleActionFail(known["target_failure"])
        return {"changed": False, **known, "began": time.time()}
