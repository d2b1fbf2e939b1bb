# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Running a module through the app's own interpreter, whose answer is data and nothing more.

That interpreter lies in a folder of the app's user, so whoever is that user writes the answer. Ansible takes
``ansible_facts`` of any module for variables of the host, above those of the inventory: a forged answer could name the
program that the next task runs as root. Nothing of that kind is let through. And an honest module masks its secrets,
where a forged answer need not: what the task gave away must not come back in what is shown and recorded.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Mapping, Sequence

from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.own_check import masked

_ACTED_ON = ("add_host", "add_group")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def only_data(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer without what Ansible would act on."""
    return {
        name: value
        for name, value in answer.items()
        if not name.lstrip("_").startswith("ansible_") and name not in _ACTED_ON
    }


def secrets_of(args: Mapping[str, Any]) -> list[str]:
    """What the task gives the interpreter that nobody else is to see."""
    secrets = [args.get("auth_token")]
    with contextlib.suppress(EndpointError):
        secrets.append(parse_url(args["url"]).password if args.get("url") else None)
    return [secret for secret in secrets if secret]


def without(secrets: Sequence[str], value: Any) -> Any:
    """Nor what would act on a terminal."""
    if isinstance(value, str):
        return _CONTROL.sub("?", masked(value, secrets))
    if isinstance(value, Mapping):
        return {without(secrets, name): without(secrets, part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without(secrets, part) for part in value]
    return value


class AppAnswerAction(ActionBase):  # type: ignore[misc]
    """Base of an action plugin that has the name of its module."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        answer = only_data(self._execute_module(task_vars=task_vars))
        return dict(without(secrets_of(self._task.args), answer))
