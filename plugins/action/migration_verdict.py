# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Say what came of the run, record it, let go of the lock; fail where something is not as it should be."""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import record, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import BACK, RESULT, EngineAction, known_of


class ActionModule(EngineAction):
    """``turn`` is what the last turn returned, empty where there was nothing to do; ``refused`` what app_host
    found of a token that was ended, by host.
    """

    _VALID_ARGS = frozenset(("known", "plan", "turn", "made"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        args = self._task.args
        known, plan, turn = known_of(args), Plan.from_dict(args["plan"]), self.of_this_run(args.get("turn"))
        found = self.registered(task_vars, known.present, RESULT) if turn else dict.fromkeys(known.present)
        back = self.registered(task_vars, turn.get("put_back") or (), BACK)
        proof = self.registered(task_vars, [turn["prove_on"]], "__move_refused") if turn.get("prove_on") else {}
        ended = ending.of(known, plan, turn, found, back, proof)
        changed = False
        if ended.ledger and not known.check_mode:
            common = {"region": known.settings["region"], "migration_name": known.name}
            written = self.do("migration_ledger", {**common, **ended.ledger}, task_vars)
            changed = bool(written.get("changed"))
            if written.get("failed"):
                ended = ended.failing(str(written.get("msg")))
        say.lines(ended.lines)
        result = {"changed": changed, "hosts": ended.results, **self.recorded(known, ended)}
        if not known.check_mode:
            lock = {"migration_name": known.name, "region": known.settings["region"], "state": "released"}
            self.do("migration_lock", lock, task_vars)
        return {**result, "failed": True, "msg": ended.failure} if ended.failure else result

    def recorded(self, known: Known, ended: ending.Ending) -> dict[str, Any]:
        """Each stage in a file of its own and in the run's statistics."""
        seen, turn = self._task.args["known"], self._task.args.get("turn") or {}
        told: dict[str, Any] = {}
        for stage, data in ended.records.items():
            found = record.of_stage(
                stage,
                data,
                began=float(seen.get("began") or time.time()),
                check_mode=known.check_mode,
                directory=known.settings["report_dir"],
                secrets=[self.opened(sealed) for sealed in (seen.get("token"), turn.get("token")) if sealed],
            )
            told.update(found.get("ansible_stats", {}).get("data", {}))
        return {"ansible_stats": {"data": told, "per_host": False, "aggregate": True}} if told else {}
