# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host does to retire the old Redis: look at it, take its backup, wait until it answers again.

A host that fails or is lost stays in the play: what its module returned is in the result as ``seen``, failures too.
Composes the modules old_redis_info, old_host_info and cache_backup.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import failure_reason
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import looks
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import progress, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.on_host import HostAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import LOOK, SERVICE, RetireAction

PAUSE = 5.0

Found = dict[str, Any]


class ActionModule(HostAction, RetireAction):
    """``step`` is look, ask, neighbours (on the host of the old Redis), backup or wait. ``begun`` is what retire_act
    returned of its step begin.
    """

    _VALID_ARGS = frozenset(("known", "step", "begun"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> Found:
        super().run(tmp, task_vars)
        self._host = task_vars["inventory_hostname"]
        self.be_ready()
        step = self._task.args["step"]
        seen = getattr(self, step)()
        if seen is None:
            return {"changed": False, "skipped": True}
        told = {name: value for name, value in seen.items() if name not in ("invocation", "ansible_facts")}
        if told.get("failed"):
            told = {"failed": True, "msg": failure_reason(seen)}
        return {"changed": step == "backup" and not failure_reason(seen), "seen": told, "run": self.this_run}

    @property
    def goes_on(self) -> bool:
        return bool(self._task.args["step"] == "wait")

    def look(self) -> Found:
        """Every host asks, so that it is known whom the old Redis answers."""
        return self.module("old_redis_info", {**self.place(), "ask": True})

    def ask(self) -> Found | None:
        """One host alone, since those that ask at the same time are clients to each other."""
        every = ((host, self.seen([host], LOOK)[host]) for host in self.known["everyone"])
        return self.look() if looks.asker(every) == self._host else None

    def neighbours(self) -> Found | None:
        """Not where the old Redis does not answer, as on an instance that was stopped: nobody would there."""
        service = self.known["settings"]["decommission_service"]
        every = ((host, self.seen([host], LOOK)[host]) for host in self.known["everyone"])
        return self.module("old_host_info", {"unit": service}) if service or looks.asker(every) else None

    def backup(self) -> Found:
        upload = self._task.args["begun"]["upload"]
        order = {
            **self.place(),
            "peer": upload["peer"],
            "upload_url": self.opened(upload["url"]),
            "upload_headers": upload["headers"],
        }
        return self.module("cache_backup", order)

    def wait(self) -> Found:
        """Until it answers. What keeps its service from that is told in its place."""
        failure = failure_reason(self._task_vars.get(SERVICE) or {})
        if failure:
            return {"failed": True, "msg": failure}
        timeout = self.known["settings"]["decommission_wait_timeout"]
        order = {**self.place(), "ask": True, "wait": not self._task.check_mode, "wait_timeout": timeout}
        return progress.run_until_done(
            lambda args: self.module("old_redis_info", dict(args)),
            order,
            timeout=timeout,
            interval=PAUSE,
            say=lambda line: say.lines([f"  [{self._host}] {line}"]),
            timeout_option="migration_decommission_wait_timeout",
        )

    def place(self) -> Found:
        """How a module finds the old Redis: by the host's own values, or by what all share."""
        settings = self.settings(self._task_vars, ("decommission",))
        values = [
            {
                "path": value.address,
                "keys": list(value.keys),
                "forms": {name: form.as_dict() for name, form in value.forms.items()},
            }
            for value in Migration.from_settings(settings).own
        ]
        urls = [
            {**url, "original": self.opened(url["original"]), "current": self.opened(url["current"])}
            for url in self.known["urls"]
        ]
        return {
            "values": values,
            "urls": urls,
            "migration_name": self.known["settings"]["name"],
            "state_dir": settings["state_dir"],
            "target_address": self.known["target_address"],
        }
