# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module memorydb_snapshot again until the snapshot is available, or gone, with a line at each step."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.waiting_module import WaitingModuleAction


class ActionModule(WaitingModuleAction):
    """As the module does, until it is done."""
