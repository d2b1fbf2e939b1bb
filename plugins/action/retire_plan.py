# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Decide over all that was seen what comes next, and say it. What stands against it ends the run, with every reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval, made_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import course, looks
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import approving, say
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
            self.handed_over(self.page("", (), [str(weighed["msg"])]), {})
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
        handed: dict[str, Any] = {}
        if not self.has_begun(self._task.args["begun"]):
            handed = self.approved_and_said(plan, weighed, seen)
        return {
            **handed,
            "changed": False,
            "plan": asdict(plan),
            "lines": plan.lines,
            "acts": not plan.is_nothing and not self._task.check_mode,
            "unit": plan.retired_unit,
            "masks": bool(plan.retired_unit) and bool(plan.unit.get("can_be_masked")),
        }

    def approved_and_said(
        self, plan: course.Course, weighed: Mapping[str, Any], seen: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Say it, write it where that is asked for, and refuse another plan than one that was approved."""
        ledger = {"decommission": weighed["entry"], "backup": weighed["backup"]}
        parts = made_of.of_retirement(self.known, ledger, seen)
        fingerprints = approval.fingerprints(parts)
        digest = approval.digest("decommission", fingerprints, [asdict(step) for step in plan.steps])
        say.lines(course.said(plan, self.known["settings"]["name"], digest, is_plan=self._task.check_mode))
        handed = self.handed_over(self.page(digest, plan.steps, []), parts)
        settings, is_done = self.known["settings"], not (self._task.check_mode or plan.is_nothing)
        approved = approving.Approved(settings, self._task_vars)
        why = approved.refuse_none(settings, is_done) or approved.refuse_another(digest, fingerprints, parts)
        if why:
            raise AnsibleActionFail(why)
        return handed

    def handed_over(self, page: Page, parts: approval.Parts) -> dict[str, Any]:
        return approving.handed_over(self.known["settings"], page, parts)

    def page(self, digest: str, steps: Sequence[Step], refusals: Sequence[str]) -> Page:
        playbook = playbooks.word("decommission", self._task_vars.get("playbook_dir", ""))
        return Page(
            title=course.title(self.known["settings"]["name"], is_plan=True),
            digest=digest,
            steps=steps,
            refusals=refusals,
            command=approving.command(playbook, self._task_vars, digest) if digest else "",
        )
