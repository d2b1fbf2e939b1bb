# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell the module of the same name whose run it is, and have the lock kept as long as that run lives."""

from __future__ import annotations

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.lock import SECONDS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import lock_keeper
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import this_run


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
        if not result.get("taken") or self._task.check_mode:
            return result
        order = {
            "migration_name": args["migration_name"],
            "holder": holder,
            "seconds": args.get("seconds") or SECONDS,
            "options": args,
        }
        environment = {}
        self._compute_environment_string(environment)
        environment = {name: str(value) for name, value in environment.items()}
        try:
            lock_keeper.start(order, environment, AnsibleCollectionConfig.collection_paths)
        except lock_keeper.NotKept as why:
            return self._let_go(args, holder, result["lock"], why, task_vars)
        return result

    def _let_go(self, args, holder, lock, why, task_vars):
        """Without a keeper the lock would end in the middle of the run, or outlive it. The result has no lock."""
        freed = self._execute_module(
            module_args={**args, "holder": holder, "state": "broken", "lock_id": lock["id"]}, task_vars=task_vars
        )
        left = "That lock is gone" if freed.get("changed") else f"That lock ends by itself at {lock['expires']}"
        return {
            "failed": True,
            "changed": False,
            "msg": "The process on the controller that keeps the lock of the migration as long as this run lives "
            f"cannot do so: {str(why).rstrip('.')}. {left}.",
        }
