# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module of the same name until its proof is complete or has failed, with a line at each step."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import ProgressAction


class ActionModule(ProgressAction):
    """The module keeps its own time, as its limit begins with the restart; here is only one for the worst."""

    timeout_option = ""
    default_timeout = 86400.0
    interval_option = ""
    default_interval = 0.0  # each run works for a slice of time by itself

    def next_args(self, args: Mapping[str, Any], result: dict[str, Any]) -> Mapping[str, Any]:
        return {**args, "resume": result["resume"]}
