# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run the module cache_contents, and take its answer for data alone: the names of keys are whatever the app wrote."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.app_answer import AppAnswerAction


class ActionModule(AppAnswerAction):
    pass
