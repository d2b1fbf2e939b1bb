# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tell the module of the same name whose run it is, and have the lock kept as long as that run lives."""

from __future__ import annotations

from ansible import context
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.lock import SECONDS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import lock_keeper
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.run import is_alive, this_run


class ActionModule(ControllerAction):
    """The keeper stands before the lock does, so that there is no moment in which a run that is killed leaves one."""

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = {**self._task.args, "holder": this_run(list(context.CLIARGS.get("args") or ()))}
        is_to_hold = args.get("state", "held") == "held" and not self._task.check_mode
        # A run that holds the lock already has its keeper.
        if not is_to_hold or not self.call("migration_lock", {**args, "state": "kept"}).get("lost"):
            return self.call("migration_lock", args)
        order = {
            "migration_name": args["migration_name"],
            "holder": args["holder"],
            "seconds": args.get("seconds") or SECONDS,
            "options": self._task.args,
        }
        try:
            keeper = lock_keeper.start(order, self.environment(), AnsibleCollectionConfig.collection_paths)
        except lock_keeper.NotKept as why:
            return {
                "failed": True,
                "changed": False,
                "msg": "The process on the controller that keeps the lock of the migration as long as this run lives "
                f"cannot do so: {str(why).rstrip('.')}. The lock was not taken.",
            }
        result = self.call("migration_lock", args)
        if not result.get("taken"):
            keeper.kill()
            keeper.wait()
            return result
        why = ""
        if not is_alive(args["holder"]["pid"], args["holder"]["started"]):
            # It was killed meanwhile, and the keeper may have looked before there was a lock to let go of.
            why = "The run has ended: it was killed as it took the lock."
        elif keeper.poll() is not None:
            why = "The process on the controller that keeps the lock of the migration was ended as the run took it."
        if why:
            self.call("migration_lock", {**args, "state": "released"})
            return {"failed": True, "changed": False, "msg": why}
        return result
