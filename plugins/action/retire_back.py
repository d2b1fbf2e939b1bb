# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Bring the old Redis back that was retired, up to the end of its instance: for the beginning of a rollback."""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import (
    ANSWER,
    SERVICE,
    UNDO,
    RetireAction,
    Retiring,
)

Found = dict[str, Any]

# Seconds beside the wait itself, which looks at its own time between two looks only.
_SPARE = 120


class ActionModule(RetireAction):
    """``step`` is start, or judge, with what start returned as ``known``."""

    _VALID_ARGS = frozenset(("known", "step"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> Found:
        super().run(tmp, task_vars)
        return {"start": self.start, "judge": self.judge}[self._task.args["step"]]()

    def start(self) -> Found:
        """The instance, where that was stopped; what is to be done with a service is in the result."""
        settings = self.settings(self._task_vars, UNDO.stages)
        retiring = Retiring(self, UNDO, settings, self._task_vars)
        ledger = retiring.looking.do("migration_ledger_info", migration_name=settings["name"])
        entries = (
            ledger.get("entries") or {}
        )  # without Parameter Store the app goes back as far as the old Redis answers
        entry = entries.get("decommission")
        if entry is None:
            return {"changed": False, "retired": False, "service": ""}
        self.known = {**retiring.known(), "entry": entry, "backup": entries.get("backup") or {}}
        self.of_migration("migration_lock")
        wrong = decommission.wrong_entry(
            entry, retiring.old_hosts, self.known["instance_id"], settings["name"], settings["region"]
        )
        if wrong:
            raise AnsibleActionFail(wrong)
        if not self._task.check_mode:  # the plan says it
            say.lines([decommission.brings_back(entry)])
        return {
            **self.known,
            "began": time.time(),
            "changed": self.start_instance(),
            "retired": True,
            "service": entry.get("service") or "",
            "host": entry.get("host") or "",
            "was_enabled": bool(entry.get("was_enabled")),
            "seconds": int(settings["decommission_wait_timeout"]) + _SPARE,
        }

    def start_instance(self) -> bool:
        settings, entry = self.known["settings"], self.known["entry"]
        if "instance_id" not in entry:
            return False
        started = self.tried(
            "old_instance",
            instance_id=entry["instance_id"],
            state="running",
            wait_timeout=settings["decommission_wait_timeout"],
        )
        if started.get("failed"):
            raise AnsibleActionFail(
                decommission.not_started(self.known["backup"], entry, started, settings["name"], settings["region"])
            )
        return bool(started.get("changed"))

    def judge(self) -> Found:
        """See that it answers and that its data is there; then forget that it was retired.

        Last, so that a run that is killed before begins with this again. The backup itself stays in S3.
        """
        if self._task.check_mode:
            return {"changed": False}
        looks = self.seen(self._task_vars["ansible_play_hosts_all"], ANSWER)
        lack = decommission.service_not_back(
            self.known["entry"], self._task_vars.get(SERVICE) or {}
        ) or decommission.not_back(
            {host: look or {} for host, look in looks.items()},
            self.known["backup"],
            self.known["settings"]["decommission_waive"],
        )
        if lack:
            raise AnsibleActionFail(lack)
        for entry in ("backup", "decommission"):
            self.ledger(entry, None)
        say.lines(["  It answers, and its data is there."])
        return {"changed": True}
