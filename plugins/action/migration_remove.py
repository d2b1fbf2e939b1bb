# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Take down what a rollback was asked to: the rules that lead to the target, and the target. Never under a consumer."""

from __future__ import annotations

from collections.abc import Sequence
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
        seen = removal.taken_down(parts, lambda part: self.take_down(known, part, check_mode=True))
        if known.check_mode or not any(one.get("changed") for one in seen):
            return self.told(parts, seen, planned=known.check_mode)
        lock = {"region": known.settings["region"], "migration_name": known.name}
        held = self.do("migration_lock", lock, task_vars)
        if held.get("failed"):
            raise AnsibleActionFail(str(held["msg"]))
        done = removal.taken_down(parts, lambda part: self.take_down(known, part, check_mode=False))
        self.do("migration_lock", {**lock, "state": "released"}, task_vars)
        return self.told(parts, done, planned=False)

    def take_down(self, known: Known, part: removal.Part, *, check_mode: bool) -> dict[str, Any]:
        return self.do(part["module"], {"region": known.settings["region"], **part["args"]}, self._vars, check_mode)

    @staticmethod
    def told(parts: Sequence[removal.Part], results: Sequence[removal.Result], *, planned: bool) -> dict[str, Any]:
        say.lines(removal.lines(parts, results, planned=planned))
        failure = removal.failure(parts, results)
        result = {"changed": any(bool(one.get("changed")) for one in results)}
        return {**result, "failed": True, "msg": failure} if failure else result
