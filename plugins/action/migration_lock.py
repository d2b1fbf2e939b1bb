# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell the module of the same name whose run it is, and have the lock kept as long as that run lives."""

from __future__ import annotations

from ansible import context
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.lock import SECONDS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import lock_keeper
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import this_run


class ActionModule(ControllerAction):
    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        holder = this_run(list(context.CLIARGS.get("args") or ()))
        result = self.call("migration_lock", {**args, "holder": holder})
        # Not in check mode, and not where the lock is the run's already, and so has its keeper.
        if not result.get("taken"):
            return result
        order = {
            "migration_name": args["migration_name"],
            "holder": holder,
            "seconds": args.get("seconds") or SECONDS,
            "options": args,
        }
        try:
            lock_keeper.start(order, self.environment(), AnsibleCollectionConfig.collection_paths)
        except lock_keeper.NotKept as why:
            return self._let_go(args, holder, result["lock"], why)
        return result

    def _let_go(self, args, holder, lock, why):
        """Without a keeper the lock would end in the middle of the run, or outlive it. The result has no lock."""
        freed = self.call("migration_lock", {**args, "holder": holder, "state": "broken", "lock_id": lock["id"]})
        left = "That lock is gone" if freed.get("changed") else f"That lock ends by itself at {lock['expires']}"
        return {
            "failed": True,
            "changed": False,
            "msg": "The process on the controller that keeps the lock of the migration as long as this run lives "
            f"cannot do so: {str(why).rstrip('.')}. {left}.",
        }
