# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module old_instance again until the instance is in the wanted state, with a line at each step."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import ProgressAction, Result


class ActionModule(ProgressAction, ControllerAction):
    default_timeout = 900.0

    def once(self, args: Mapping[str, Any], task_vars: Any) -> Result:
        return self.call("old_instance", args)
