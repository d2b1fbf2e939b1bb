# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known before the old Redis is looked at, to retire it or to bring it back, and the results of that look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, NONE, Goal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import approving
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import Looking
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

Found = dict[str, Any]

# A target that is not there is a reason among others, or holds no way back up: neither ends the look.
RETIRE = Goal("decommission", NONE, ("decommission",), goes_on=True)
UNDO = GOALS["rollback"]

# What is registered on each host.
LOOK, ASKED, NEIGHBOURS, TAKEN = "__retire_look", "__retire_asked", "__retire_neighbours", "__retire_taken"
SERVICE, ANSWER = "__retire_service", "__retire_answer"


class Retiring:
    """``known()`` goes from task to task; what is secret in it is sealed."""

    def __init__(self, action: EngineAction, goal: Goal, settings: Mapping[str, Any], task_vars: Any) -> None:
        self.action, self.settings, self.vars = action, settings, task_vars
        self.looking = Looking(action, goal, settings, task_vars)
        self.old_hosts = list(task_vars["groups"].get("old_redis") or ())

    def known(self) -> Found:
        _found, endpoint, failure = self.looking.target()
        present = list(self.vars["ansible_play_hosts_all"])
        return {
            "settings": dict(self.settings),
            "everyone": list(self.vars["groups"].get("app") or present),
            "target_address": endpoint.address if endpoint.is_known else "",
            "target_failure": failure,
            "old_host": next(iter(self.old_hosts), ""),
            "version": approving.version(),
            "account": self.looking.account(),
            "check_mode": bool(self.action._task.check_mode),
            "instance_id": instance_of(self.settings, self.vars["hostvars"], self.old_hosts),
            "urls": [] if self.looking.migration.own else [self.urls(value) for value in self.looking.migration.shared],
        }

    def urls(self, value: Value) -> Found:
        """What hosts share, which only the controller can read, before the migration and now.

        A value that is what it was is the old one only where it does not lead to the target: that is told on hosts.
        """
        row = on_aws.STORES[value.store]
        original = row.original(self.looking.client, self.settings["name"], value.address)
        current = row.current(self.looking.client, value.address) or ""
        return {
            "name": value.address,
            "original": seal(original if original != current else ""),
            "current": seal(current),
        }


def instance_of(settings: Mapping[str, Any], hostvars: Mapping[str, Any], old_hosts: list[str]) -> str:
    """The instance of the old Redis, as the inventory knows it; empty where it does not."""
    ids = (settings["old_instance_id"], *(hostvars[host].get("instance_id") for host in old_hosts[:1]))
    return next((str(found) for found in ids if found), "")


class RetireAction(EngineAction):
    """Base of an action that goes on with what Retiring has found, ``known`` among its arguments."""

    known: Mapping[str, Any] = {}

    def run(self, tmp: Any = None, task_vars: Any = None) -> Found:
        self.known = self._task.args.get("known") or {}
        return dict(super().run(tmp, task_vars))

    def on_aws(self, module: str, **args: Any) -> Found:
        """The result of an action on the controller. What fails ends the run."""
        answer = self.tried(module, **args)
        if answer.get("failed"):
            raise AnsibleActionFail(str(answer.get("msg") or f"{module} failed, and does not say why"))
        return answer

    def tried(self, module: str, **args: Any) -> Found:
        return self.do(module, {"region": self.known["settings"]["region"], **args}, self._task_vars)

    def ledger(self, entry: str, value: Mapping[str, Any] | None) -> Found:
        """Write an entry; None deletes it."""
        state = "absent" if value is None else "present"
        return self.of_migration("migration_ledger", entry=entry, value=value, state=state)

    def of_migration(self, module: str, **args: Any) -> Found:
        return self.on_aws(module, migration_name=self.known["settings"]["name"], **args)

    def seen(self, hosts: Iterable[str], name: str) -> dict[str, Found | None]:
        """What a step of retire_host has found on each host; None where it was not for that host."""
        found = self.registered(self._task_vars, hosts, name)
        return {host: dict(one.get("seen", one)) if one else None for host, one in found.items()}

    def has_begun(self, begun: Mapping[str, Any] | None) -> bool:
        """Whether a step of this very run returned this; an earlier run in the same playbook has left its own."""
        return bool(self.of_this_run(begun))
