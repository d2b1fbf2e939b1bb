# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look at what the controller can see, and refuse what a run must not be begun with. Changes nothing."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.beginning import BeginningAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import Looking


class ActionModule(BeginningAction):
    _VALID_ARGS = frozenset(("goal", "began"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        if left_out := self.left_out(task_vars):
            return left_out
        goal = GOALS[self._task.args["goal"]]
        settings = self.begin(goal, task_vars)
        known = Looking(self, goal, settings, task_vars).known()
        return {"changed": False, **known, "began": float(self._task.args.get("began") or time.time())}
