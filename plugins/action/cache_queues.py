# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module cache_queues again until nothing is left to be moved."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import ProgressAction


class ActionModule(ProgressAction):
    default_timeout = 86400.0
    interval_option = ""
    default_interval = 0.0
