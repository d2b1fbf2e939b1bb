# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell the module of the same name whose run it is, and have the lock kept as long as that run lives."""

from __future__ import annotations

from ansible import context
from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.module_utils.lock import SECONDS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import lock_keeper
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import this_run

CONNECTION = (
    "profile",
    "region",
    "access_key",
    "secret_key",
    "session_token",
    "endpoint_url",
    "validate_certs",
    "aws_ca_bundle",
)


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        holder = this_run(list(context.CLIARGS.get("args") or ()))
        result = self._execute_module(module_args={**args, "holder": holder}, task_vars=task_vars)
        # A lock that is the run's already has its keeper.
        if result.get("taken") and not self._task.check_mode:
            lock_keeper.start(
                {
                    "migration_name": args["migration_name"],
                    "holder": holder,
                    "seconds": args.get("seconds") or SECONDS,
                    "aws": {name: args[name] for name in CONNECTION if args.get(name) is not None},
                }
            )
        return result
