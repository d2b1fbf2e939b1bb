# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module cache_scaling_info in the controller's own process."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ModuleAction


class ActionModule(ModuleAction):
    """As the module does."""
