# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Decide over all that was seen what comes next, and say it. What stands against it ends the run, with every reason."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import course, looks
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import (
    ASKED,
    LOOK,
    NEIGHBOURS,
    RetireAction,
)


class ActionModule(RetireAction):
    """``begun`` is what retire_act returned of its step begin: what comes next was said by then."""

    _VALID_ARGS = frozenset(("known", "begun"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        settings, everyone = self.known["settings"], self.known["everyone"]
        seen, asked = self.seen(everyone, LOOK), self.seen(everyone, ASKED)
        host = task_vars["inventory_hostname"]
        old_host = looks.of_old_host(self.seen([host], NEIGHBOURS)[host])
        weighed = self.tried(
            "decommission_plan",
            migration_name=settings["name"],
            instance_id=self.known["instance_id"],
            service=settings["decommission_service"],
            hosts=looks.of_run(seen, asked),
            target_address=self.known["target_address"],
            old_host=self.known["old_host"],
            old_host_seen=old_host,
            min_age=settings["decommission_min_age"],
            hold=settings["decommission_hold"],
            terminate=settings["decommission_terminate"],
            waive=settings["decommission_waive"],
            bucket=settings["backup_bucket"],
            engine=settings["backup_engine"],
        )
        if weighed.get("failed"):
            return {"failed": True, "msg": weighed["msg"], "reasons": weighed.get("reasons") or []}
        asker = looks.asker(seen.items())
        plan = course.Course.from_dict(
            {
                **weighed,
                "instance_id": self.known["instance_id"],
                "service": settings["decommission_service"],
                "host": self.known["old_host"],
                "asker": asker,
                "redis": (asked.get(asker) or {}).get("redis") or {},
                "unit": old_host.get("unit") or {},
            }
        )
        if not self.has_begun(self._task.args["begun"]):
            say.lines(course.said(plan, settings["name"], is_plan=self._task.check_mode))
        return {
            "changed": False,
            "plan": asdict(plan),
            "lines": plan.lines,
            "acts": not plan.is_nothing and not self._task.check_mode,
            "unit": plan.retired_unit,
            "masks": bool(plan.retired_unit) and bool(plan.unit.get("can_be_masked")),
        }
