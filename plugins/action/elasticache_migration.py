# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module elasticache_migration again until the target follows, or does so no longer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import Result
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.waiting_module import WaitingModuleAction


class ActionModule(WaitingModuleAction):
    """The next run is told what the one before has seen, as AWS tells of what failed by an event alone."""

    def next_args(self, args: Mapping[str, Any], result: Result) -> Mapping[str, Any]:
        return {**args, "is_tested": result["is_tested"], "seen": result["seen"]}
