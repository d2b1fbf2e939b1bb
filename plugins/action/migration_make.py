# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Make what a plan found missing: the secret, the security group, the target. Takes the lock first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import making, token_rotation
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import contract, table
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction, known_of
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import (
    cannot_be_read,
    secret_value,
    token_in,
)


class ActionModule(EngineAction):
    """Goes through the parts in the order of the plan. A run that was killed is gone on with by the next."""

    _VALID_ARGS = frozenset(("known",))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._vars, known = task_vars, known_of(self._task.args)
        self.make("migration_lock", known)
        token, version = self.token(known) if known.course.get("secret") else ("", "")
        goal, settings = GOALS[known.goal], dict(known.settings)
        way, changed, endpoint = making.way_of(goal, settings), False, known.endpoint
        if way:
            made = self.make(way["module"], known, **way["args"])
            settings, changed = making.with_group(settings, made["group_id"]), bool(made.get("changed"))
        for part in self.parts(known, settings):
            made = self.make(part.module, known, **making.args_of(part, token, version))
            changed = changed or bool(made.get("changed"))
            endpoint = self.endpoint(made, settings) if part.is_target else endpoint
        return {"changed": changed, "endpoint": endpoint}

    @staticmethod
    def endpoint(made: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
        return contract.as_user(Endpoint.from_dict(made["endpoint"]), settings).as_dict()

    def parts(self, known: Known, settings: Mapping[str, Any]) -> list[Any]:
        is_ours = "provision" in GOALS[known.goal].stages and not settings["endpoint"]
        return table.target_of(settings).parts(settings, self._task.args["known"]["found"] or None) if is_ours else []

    def token(self, known: Known) -> tuple[str, str]:
        """With its version. Before anything that has it is made, as nothing tells afterwards which token that is. Where
        a run is killed in between, the next one finds no target, or one that is still going, and writes the ledger's
        entry anew.
        """
        secret, settings = known.course["secret"], known.settings
        gives = table.target_of(settings).gives_login(settings)
        made = self.make(
            "cache_token",
            known,
            secret=secret,
            migration_name=settings["name"],
            generate=bool(settings["auth_token_generate"]) and not settings["adopt"],
            tags=settings.get("tags") or {},
        )
        status = str((self._task.args["known"]["found"] or {}).get("status") or "absent")
        if token_rotation.is_to_be_made(status) and gives:
            entry = token_rotation.entry_of(secret, made["current_version_id"])
            self.make("migration_ledger", known, migration_name=settings["name"], entry="token", value=entry)
        value = secret_value(self, settings["region"], secret, made["current_version_id"])
        if value is None:
            raise AnsibleActionFail(f"{cannot_be_read(secret, made['current_version_id'])}.")
        return token_in(value, secret, settings), str(made["current_version_id"])

    def make(self, module: str, known: Known, /, **args: Any) -> dict[str, Any]:
        common = {"region": known.settings["region"], "migration_name": known.name}
        made = self.do(module, {**common, **args}, self._vars)
        if made.get("failed"):
            raise AnsibleActionFail(str(made["msg"]))
        return made
