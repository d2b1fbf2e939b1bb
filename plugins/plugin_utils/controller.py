# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Work with AWS in the controller's own process.

``ansible-playbook`` loads the class of an action before it forks the worker of a task. So what this file imports and
parses is there in every task for nothing. Clients are made in the worker, never here.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any, Mapping

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import in_process, lock_keeper, run
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.in_process import NoClient, Order, Result

COLLECTION = "kempian.cache_migration"
MODULES = (
    "aws_env_update",
    "backup_upload_url",
    "backup_verify",
    "cache_scaling",
    "cache_scaling_info",
    "cache_security_group",
    "cache_token",
    "decommission_plan",
    "elasticache_cluster",
    "elasticache_cluster_info",
    "elasticache_migration",
    "elasticache_parameter_group",
    "elasticache_parameter_group_info",
    "elasticache_serverless_cache",
    "elasticache_serverless_cache_info",
    "elasticache_snapshot",
    "elasticache_snapshot_info",
    "elasticache_subnet_group",
    "elasticache_subnet_group_info",
    "elasticache_user",
    "elasticache_user_group",
    "elasticache_user_group_info",
    "elasticache_user_info",
    "memorydb_acl",
    "memorydb_acl_info",
    "memorydb_cluster",
    "memorydb_cluster_info",
    "memorydb_parameter_group",
    "memorydb_parameter_group_info",
    "memorydb_snapshot",
    "memorydb_snapshot_info",
    "memorydb_subnet_group",
    "memorydb_subnet_group_info",
    "memorydb_user",
    "memorydb_user_info",
    "migration_ledger",
    "migration_ledger_info",
    "migration_lock",
    "old_instance",
)
# What most runs ask, whatever the target is; the others are imported where a task of theirs is.
_OFTEN = (
    "aws_env_update",
    "cache_security_group",
    "cache_token",
    "migration_ledger",
    "migration_ledger_info",
    "migration_lock",
    "elasticache_parameter_group",
    "elasticache_subnet_group",
    DEFAULT.module,
    DEFAULT.info_module,
)
_ASKED = (
    *DEFAULT.actions.look,
    *(one for store in on_aws.STORES.values() for one in store.look),
)
# Of what most runs ask. The model of ec2 takes as long as all of them, and is parsed where a security group is asked.
SERVICES = {"secretsmanager", "ssm", "sts", *(one.service for one in _ASKED if not one.unseen)} - {"ec2"}


def module_of(name: str) -> ModuleType:
    """One of MODULES, by its name."""
    return import_module(f"ansible_collections.{COLLECTION}.plugins.modules.{name}")


for each in _OFTEN:
    module_of(each)
run.note_process()
lock_keeper.await_keepers_at_the_end()  # whichever action takes the lock
in_process.parse_models(sorted(SERVICES))


class ControllerAction(ActionBase):  # type: ignore[misc]
    """Base of an action plugin that speaks to AWS."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    _task_vars: Mapping[str, Any] = {}

    def run(self, tmp: Any = None, task_vars: Any = None) -> Result:
        self._task_vars = task_vars or {}
        return dict(super().run(tmp, task_vars))

    def call(self, name: str, args: Mapping[str, Any], *, check_mode: bool | None = None) -> Result:
        """The result of this collection's AWS module ``name`` with these options, a failure too.

        ``check_mode`` is the task's where it is left out. ``in_progress`` is returned as the module tells it.
        """
        usual = self._task.check_mode
        wanted = usual if check_mode is None else check_mode
        if self.is_here:
            order = Order(f"{COLLECTION}.{name}", args, wanted, self._task.diff)
            with in_process.environment(self.environment()):
                return in_process.carry_out(module_of(name), order)
        self._task.check_mode = wanted
        try:
            return dict(self._execute_module(f"{COLLECTION}.{name}", dict(args), task_vars=self._task_vars))
        finally:
            self._task.check_mode = usual

    def client_by(self, options: Mapping[str, Any], service: str) -> Any:
        """A client of boto3 by these options, the environment of the task and its play, and amazon.aws's fallbacks.

        Raises AnsibleActionFail where none can be made.
        """
        with in_process.environment(self.environment()):
            try:
                return in_process.client(Order(self._task.action, options), service)
            except NoClient as why:
                raise AnsibleActionFail(str(why)) from None

    @property
    def is_here(self) -> bool:
        """Whether this very process is where the task runs, as its user, and can speak to AWS."""
        is_local = self._connection.transport in ("local", "ansible.builtin.local")
        return in_process.IS_POSSIBLE and is_local and not self._connection.become

    def environment(self) -> dict[str, str]:
        """What ``environment`` of the task and its play says."""
        stated: dict[str, Any] = {}
        self._compute_environment_string(stated)
        return {name: str(value) for name, value in stated.items()}


class ModuleAction(ControllerAction):
    """Base of an action plugin that has the name of its module, and does as the module does."""

    _supports_async = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> Result:
        super().run(tmp, task_vars)
        if self._task.async_val:  # what is to go on behind the play needs a process of its own
            wrap = not self._connection.has_native_async
            return dict(self._execute_module(task_vars=task_vars, wrap_async=wrap))
        return self.call(self._task.action.rpartition(".")[2], self._task.args)
