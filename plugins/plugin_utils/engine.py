# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the actions of the engine have in common: the run's options, other actions of this collection, looks and
results.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS, of_stages
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import COLLECTION, ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import unseal

LOOK, SURVEYED, RESULT, BACK = "__move_look", "__move_surveyed", "__move_result", "__move_back"
BROUGHT, FINISHED = "__move_brought", "__move_finished"
HELD, LET_GO = "__move_held", "__move_let_go"


class EngineAction(ControllerAction):
    """Base of an action that decides, or composes others. What it registers holds no secret."""

    works_on_the_controller = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        """Where the run only plans (migration_plan_out), each task is in check mode, whatever the run's is."""
        if (self._task.args.get("known") or {}).get("check_mode"):
            self._task.check_mode = True
        return dict(super().run(tmp, task_vars))

    def local_connection(self) -> Any:
        """To this very process's machine, as its user, whatever the inventory says of localhost.

        What group_vars/all says of become reaches localhost, too, and stands above the keyword of a task; and a
        localhost that the inventory names is asked by ssh where nothing says otherwise. Root has other credentials of
        AWS, and none of the environment. https://github.com/ansible/ansible/issues/12577 and 31420
        """
        local = self._shared_loader_obj.connection_loader.get(
            "ansible.builtin.local", self._play_context, new_stdin=None
        )
        local.set_options()
        local._shell.set_options()
        return local

    def do(self, name: str, args: Mapping[str, Any], task_vars: Any, check_mode: bool | None = None) -> dict[str, Any]:
        """The result of another action of this collection on the controller, in the mode of this task."""
        if self.works_on_the_controller:
            self._connection = self.local_connection()
        task = self._task.copy()
        task.action = f"{COLLECTION}.{name}"
        stated = {name: value for name, value in args.items() if value is not None}
        task.args = {**self.defaults_of(name), **stated}
        task.check_mode = self._task.check_mode if check_mode is None else check_mode
        action = self._shared_loader_obj.action_loader.get(
            task.action,
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        try:
            if action is None:
                check, self._task.check_mode = self._task.check_mode, task.check_mode
                try:
                    return dict(self._execute_module(task.action, task.args, task_vars=task_vars))
                finally:
                    self._task.check_mode = check
            return dict(action.run(task_vars=task_vars))
        except AnsibleError as error:
            return {"failed": True, "msg": error.message}

    def client(self, name: str, service: str, region: str) -> Any:
        """A client as the action ``name`` would have it. Raises AnsibleActionFail where none can be made."""
        return self.client_by({**self.defaults_of(name), "region": region}, service)

    def defaults_of(self, name: str) -> dict[str, Any]:
        """What ``module_defaults`` of the play say of an action, such as the profile of AWS, which tells the account.

        Ansible puts them among the arguments of a task's own action alone.
        """
        action, defaults = f"{COLLECTION}.{name}", {}
        for each in self._task.module_defaults or ():
            defaults.update(each)
        groups = (getattr(self._task._parent._play, "_action_groups", None) or {}).get(action, ())
        said: dict[str, Any] = {}
        for of in [*(each for each in defaults if each.removeprefix("group/") in groups), action]:
            said.update(self._templar.template(defaults.get(of) or {}))
        return said

    def settings(self, task_vars: Mapping[str, Any], stages: Iterable[str]) -> dict[str, Any]:
        """The ``migration_*`` options of these stages without their prefix, checked. What is no option is named."""
        wanted = of_stages(stages)
        stated = {
            option.full_name: self._templar.template(task_vars[option.full_name])
            for option in wanted.values()
            if task_vars.get(option.full_name) is not None
        }
        checked = ArgumentSpecValidator({option.full_name: option.spec() for option in wanted.values()}).validate(
            stated
        )
        missing = [option for name, option in wanted.items() if option.required and not stated.get(option.full_name)]
        if missing:
            raise AnsibleActionFail(
                f"{missing[0].full_name} is not set. Set it in the inventory, for all hosts (group_vars/all.yml): "
                f"{missing[0].what}"
            )
        if checked.error_messages:
            raise AnsibleActionFail("; ".join(checked.error_messages) + ". Mend that in the inventory, or after -e.")
        return {name: checked.validated_parameters[option.full_name] for name, option in wanted.items()}

    def opened(self, sealed: str) -> str:
        """A secret that an earlier task of this run has sealed."""
        secret = unseal(sealed or "")
        if secret is None:
            raise AnsibleActionFail(
                "This process cannot open what an earlier task of the run has sealed: use the strategy linear."
            )
        return secret

    @property
    def this_run(self) -> float:
        """When it began, by which what it registers is told from what another run in the same playbook has left."""
        return float(self._task.args["known"]["began"])

    def of_this_run(self, turn: Mapping[str, Any] | None) -> dict[str, Any]:
        """What the turn before returned."""
        is_ours = turn and turn.get("run") == self.this_run
        return dict(turn or {}) if is_ours else {}

    def looks(self, task_vars: Mapping[str, Any], hosts: Iterable[str], name: str = LOOK) -> dict[str, Look]:
        return {host: Look.from_dict(host, found) for host, found in self.registered(task_vars, hosts, name).items()}

    def registered(
        self, task_vars: Mapping[str, Any], hosts: Iterable[str], name: str
    ) -> dict[str, dict[str, Any] | None]:
        """What a task of this run has registered on each host; None where it has nothing, or was skipped there."""
        return {host: self._ours(task_vars["hostvars"][host].get(name)) for host in hosts}

    def _ours(self, found: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """What came to no result has no run either. A host that this befell in a run before does not come this far."""
        if not found or found.get("skipped") or found.get("run", self.this_run) != self.this_run:
            return None
        return dict(found)


def known_of(args: Mapping[str, Any]) -> Known:
    return Known.from_dict(args["known"])


def warn_of_strangers(task_vars: Mapping[str, Any]) -> None:
    """A name that is nearly an option is one that was meant to be it."""
    names = {option.full_name for option in OPTIONS.values()}
    for stated in sorted(name for name in task_vars if str(name).startswith(PREFIX) and name not in names):
        near = difflib.get_close_matches(stated, names, 1, 0.75)
        if near:
            Display().warning(f"{stated} is no option of this collection, and does nothing: did you mean {near[0]}?")
