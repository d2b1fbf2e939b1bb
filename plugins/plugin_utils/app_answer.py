# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Running a module through the app's own interpreter, whose answer is data and nothing more.

That interpreter lies in a folder of the app's user, so whoever is that user writes the answer. Ansible takes
``ansible_facts`` of any module for variables of the host, above those of the inventory: a forged answer could name the
program that the next task runs as root. Nothing of that kind is let through.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible.plugins.action import ActionBase

_ACTED_ON = ("add_host", "add_group")


def only_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without what Ansible would act on."""
    return {
        name: value
        for name, value in answer.items()
        if not name.lstrip("_").startswith("ansible_") and name not in _ACTED_ON
    }


class AppAnswerAction(ActionBase):  # type: ignore[misc]
    """Base of an action plugin that has the name of its module."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        return only_data(self._execute_module(task_vars=task_vars))
