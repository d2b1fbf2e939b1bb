# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run a check of the user's own on the controller, bounded in time, and tell what came of it without its secrets."""

from __future__ import annotations

import os
import shutil

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import own_check
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import bounded

DEFAULT_TIMEOUT = 600


class ActionModule(ActionBase):
    """A check that fails is a failed task; what it said is in the result. Changes nothing itself."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("command", "phase", "timeout", "variables", "secrets"))

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        args = self._task.args
        secrets = [str(secret) for secret in args.get("secrets") or []]
        phase, timeout = str(args.get("phase") or ""), self._timeout(args)
        try:
            arguments = own_check.arguments_of(args.get("command"))
        except own_check.CheckRefused as refused:
            raise AnsibleActionFail(own_check.masked(f"migration_check_command: {refused}.", secrets))
        shown = own_check.shown(arguments, secrets)
        result.update(changed=False, command=shown, phase=phase, timeout=timeout)
        if not shutil.which(arguments[0]):
            raise AnsibleActionFail(
                f"migration_check_command: the controller has no program {arguments[0]} to run, neither in PATH "
                f"nor, where it is a path, from {os.getcwd()}. Nothing was run."
            )
        if self._task.check_mode:
            return {**result, "passed": True}
        environment = {**os.environ, **{key: str(value) for key, value in (args.get("variables") or {}).items()}}
        name = f"your check {own_check.when(phase)}".rstrip()
        ended = bounded.run(
            arguments,
            environment,
            timeout,
            lambda seconds: Display().display(f"  [localhost] {name} runs, {seconds:.0f} s"),
        )
        result.update(
            rc=ended.rc,
            seconds=round(ended.seconds, 1),
            timed_out=ended.timed_out,
            output=own_check.end_of(ended.output, secrets),
        )
        if ended.rc or ended.timed_out:
            return {**result, "failed": True, "msg": own_check.failure(result)}
        return {**result, "passed": True}

    @staticmethod
    def _timeout(args):
        try:
            seconds = int(args.get("timeout") or DEFAULT_TIMEOUT)
        except (TypeError, ValueError):
            seconds = 0
        if seconds < 1:
            raise AnsibleActionFail(
                f"migration_check_timeout is {args['timeout']!r}: give a whole number of seconds, 1 or more"
            )
        return seconds
