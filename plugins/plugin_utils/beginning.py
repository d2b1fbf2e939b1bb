# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run must not be begun with, whatever it is for."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import Goal
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction, warn_of_strangers

OUR_GROUP = "group/kempian.cache_migration.cache_migration"

# What each of them puts where everybody reads, and how it is switched off.
_SHOWS_SECRETS = {
    "DISPLAY_ARGS_TO_STDOUT": (
        "ANSIBLE_DISPLAY_ARGS_TO_STDOUT (display_args_to_stdout in ansible.cfg) prints the arguments of every task, "
        "the token among them"
    ),
    "DEFAULT_KEEP_REMOTE_FILES": (
        "ANSIBLE_KEEP_REMOTE_FILES (keep_remote_files in ansible.cfg) leaves the modules of every task on the "
        "hosts, the token in them"
    ),
    "DEFAULT_DEBUG": (
        "ANSIBLE_DEBUG (debug in ansible.cfg) prints the arguments of every module, the token among them"
    ),
}


class BeginningAction(EngineAction):
    """Base of the first action of a run. Its task has the tag always, so that one which leaves out all else is told."""

    def left_out(self, task_vars: Any) -> dict[str, Any] | None:
        """The result where --tags or --skip-tags leave out the tasks that follow: it ends well, and did nothing.

        Tags of an include_role are not those of its tasks: https://github.com/ansible/ansible/issues/49732
        """
        play, task = self._task._parent._play, self._task.copy()
        inherited = self._task._get_parent_attribute("tags", omit=True)  # from the role, its play and what imports it
        task.tags = list(inherited) if isinstance(inherited, (list, tuple)) else []
        if task.evaluate_tags(play.only_tags, play.skip_tags, task_vars):
            return None
        nothing = "--tags or --skip-tags of this run leave out the tasks of this migration: nothing of it was done"
        if playbooks.is_ours(task_vars.get("playbook_dir", "")):
            raise AnsibleActionFail(f"{nothing}. Its tasks are of one piece, and have no tags: run it without.")
        if not task.tags:  # else they are the user's own, who left them out
            Display().warning(
                f"{nothing}. Where that is not meant, give the tag to the role under roles or to import_role; an "
                "include_role hands it on by apply alone."
            )
        return {"changed": False, "skipped": True, "skip_reason": nothing}

    def begin(self, goal: Goal, task_vars: Any) -> dict[str, Any]:
        """The options of this goal; what must not be is refused before anything is looked at."""
        refuse_what_shows_secrets()
        self.refuse_another_order(task_vars)
        warn_of_strangers(task_vars)
        self.warn_of_defaults_that_do_not_reach()
        settings = self.settings(task_vars, goal.stages)
        if settings.get("plan_out"):
            self._task.check_mode = True
        self.refuse_an_interpreter_without_its_user(goal, task_vars)
        self.stop_where_another_run_is(goal, settings, task_vars)
        return settings

    @staticmethod
    def refuse_an_interpreter_without_its_user(goal: Goal, task_vars: Any) -> None:
        """Nothing holds the way back up: it does without that interpreter then."""
        known = {host: task_vars["hostvars"][host] for host in task_vars["ansible_play_hosts_all"]}
        without = [
            host for host, of in known.items() if of.get("migration_app_python") and not of.get("migration_app_user")
        ]
        if without and not goal.goes_on:
            raise AnsibleActionFail(
                f"migration_app_python is set and migration_app_user is not, of {', '.join(without)}: root would "
                "run an interpreter that the app's user may be able to write. Set migration_app_user to the user "
                "that the app runs as, or leave migration_app_python out."
            )

    def refuse_another_order(self, task_vars: Any) -> None:
        """One decision follows each batch of the engine's own, over all hosts at once."""
        play = getattr(getattr(self._task, "_parent", None), "_play", None)
        strategy = str(getattr(play, "strategy", "linear") or "linear").rpartition(".")[2]
        # A host that failed earlier in the play is not in the batch either, and serial alone makes parts.
        is_part = list(task_vars["ansible_play_batch"]) != list(task_vars["ansible_play_hosts_all"])
        in_parts = is_part and bool(getattr(play, "serial", None))
        if in_parts or strategy not in ("linear", "debug"):
            raise AnsibleActionFail(
                f"This play has {'serial' if in_parts else f'strategy: {strategy}'}, and the roles of this "
                "collection decide over all hosts at once: leave it out, and set migration_canary and "
                "migration_batch_size instead."
            )

    def warn_of_defaults_that_do_not_reach(self) -> None:
        """They are of amazon.aws's own modules, and say which account for all that a playbook does, as it seems."""
        stated = {name for each in self._task.module_defaults or () for name in each}
        if stated & {"group/aws", "group/amazon.aws.aws"} and OUR_GROUP not in stated:
            Display().warning(
                "module_defaults of group/aws do not reach this collection, which asks AWS by the environment of the "
                f"run. Say it of {OUR_GROUP} as well, where a profile or an account is meant."
            )

    def stop_where_another_run_is(self, goal: Goal, settings: dict[str, Any], task_vars: Any) -> None:
        if goal.name == "state":
            return
        lock = {"migration_name": settings["name"], "region": settings["region"]}
        if settings["break_lock"]:
            ask = {**lock, "state": "broken", "lock_id": settings["break_lock"]}
            broken = self.do("migration_lock", ask, task_vars)
            if broken.get("failed"):
                raise AnsibleActionFail(broken["msg"])
        free = self.do("migration_lock", {**lock, "state": "free"}, task_vars)
        if free.get("failed") and ("lock" in free or not goal.goes_on):
            raise AnsibleActionFail(free["msg"])


def refuse_what_shows_secrets() -> None:
    for name, what in _SHOWS_SECRETS.items():
        if constants.config.get_config_value(name):
            raise AnsibleActionFail(f"{what}. Switch it off for this run.")
