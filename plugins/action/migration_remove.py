# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Take down what a rollback was asked to: the rules that lead to the target, and the target. Never under a consumer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import removal
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction, known_of


class ActionModule(EngineAction):
    """Looked at first, so that where nothing is left to take down nothing is written, and no lock is taken."""

    _VALID_ARGS = frozenset(("known", "verdict"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        self._vars, known = task_vars, known_of(self._task.args)
        if not removal.is_asked(known.settings):
            return {"changed": False}
        stays = removal.why_it_stays(known, self._task.args["verdict"].get("hosts") or {})
        if stays:
            say.lines([stays])
            return {"changed": False}
        parts = removal.parts(known.settings)
        seen = self.taken_down(known, parts, check_mode=True)
        if known.check_mode or not any(one.get("changed") for one in seen):
            say.lines(removal.lines(parts, seen, planned=known.check_mode))
            return {"changed": any(one.get("changed") for one in seen)}
        lock = {"region": known.settings["region"], "migration_name": known.name}
        held = self.do("migration_lock", lock, task_vars)
        if held.get("failed"):
            raise AnsibleActionFail(str(held["msg"]))
        done = self.taken_down(known, parts, check_mode=False)
        say.lines(removal.lines(parts, done, planned=False))
        self.do("migration_lock", {**lock, "state": "released"}, task_vars)
        return {"changed": True}

    def taken_down(self, known: Known, parts: list[Mapping[str, Any]], *, check_mode: bool) -> list[dict[str, Any]]:
        """The result of each part. What is not ours, or still in use, stays; groups can go only once the target is
        gone.
        """
        results: list[dict[str, Any]] = []
        for part in parts:
            if part["after_target"] and any(one.get("msg") for one in results):
                results.append({"skipped": True})
                continue
            args = {"region": known.settings["region"], **part["args"]}
            result = self.do(part["module"], args, self._vars, check_mode)
            if result.get("failed") and result.get("option") != "state":
                raise AnsibleActionFail(str(result["msg"]))
            results.append(result)
        return results
