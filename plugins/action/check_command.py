# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run a check of the user's own on the controller, bounded in time, and tell what came of it without its secrets."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.checks import run_check


class ActionModule(ActionBase):
    """A check that fails is a failed task; what it said is in the result. Changes nothing itself."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("command", "phase", "timeout", "variables", "secrets"))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        args = self._task.args
        variables = {key: str(value) for key, value in (args.get("variables") or {}).items()}
        secrets = [str(secret) for secret in args.get("secrets") or []]
        check = run_check(
            args.get("command"),
            str(args.get("phase") or ""),
            args.get("timeout"),
            variables,
            secrets,
            is_look=bool(self._task.check_mode),
        )
        return {**result, "changed": False, **check, **({} if check["passed"] else {"failed": True})}
