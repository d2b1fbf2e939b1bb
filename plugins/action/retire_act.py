# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the controller does to retire the old Redis, a step at a time. What fails ends the run, as each step rests on
those before.
"""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import failure_reason
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import course, decommission
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import record, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.retiring import TAKEN, RetireAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

Found = dict[str, Any]


class ActionModule(RetireAction):
    """``step`` is begin, prove, note, instance or end. ``begun`` is what begin returned, empty without it."""

    _VALID_ARGS = frozenset(("known", "plan", "step", "begun"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> Found:
        super().run(tmp, task_vars)
        self._plan = course.Course.from_dict(self._task.args["plan"])
        self._settings = self.known["settings"]
        return {"changed": False, **getattr(self, self._task.args["step"])()}

    def begin(self) -> Found:
        """Keep other runs out, and have what is needed for the backup."""
        self.of_migration("migration_lock")
        if self._plan.forgets_stop:
            self.ledger("decommission", None)
        if self._plan.keeps_backup:
            self.prove_the_earlier_backup()
        return {
            "changed": True,
            "run": self.known["began"],
            "asker": self._plan.asker if self._plan.wants_backup else "",
            "looks_again": self._plan.looks_again,
            "upload": self.upload() if self._plan.wants_backup else {},
        }

    def prove_the_earlier_backup(self) -> None:
        """Whoever may write the ledger can say that there is one: what the old Redis holds now counts, not what the
        ledger says of it.
        """
        forget = decommission.forget_command(self._settings["name"], "backup", self._settings["region"])
        remedy = f"Have another one taken: delete what the ledger says of this one ({forget}), and run this again."
        place = {name: self._plan.backup[name] for name in ("bucket", "key", "sha256")}
        self.verify(**place, keyspace=self._plan.redis["keyspace"], remedy=remedy)

    def upload(self) -> Found:
        """Whoever has the URL can write there."""
        signed = self.of_migration(
            "backup_upload_url",
            bucket=self._settings["backup_bucket"],
            kms_key_id=self._settings["backup_kms_key_id"],
            host_endpoint_url=self._settings["backup_endpoint_url"],
            now=self._plan.now,
        )
        of_it = {name: signed[name] for name in ("headers", "key")}
        return {**of_it, "url": seal(signed["url"]), "peer": self._plan.redis["peer"]}

    def prove(self) -> Found:
        """What was sent is what is there, an engine loads it, and the ledger says where it is."""
        asker, key = self._plan.asker, self._task.args["begun"]["upload"]["key"]
        taken = self.seen([asker], TAKEN)[asker] or {}
        if failure := failure_reason(taken):
            raise AnsibleActionFail(f"{asker}: {failure}")
        bucket = self._settings["backup_bucket"]
        proof = self.verify(bucket=bucket, key=key, sha256=taken["sha256"], keyspace=taken["keyspace"])
        entry = course.backup_entry(bucket, key, taken, proof)
        self.ledger("backup", entry)
        say.lines([f"  {decommission.where_backup_is(entry)}"])
        return {"changed": True}

    def verify(self, **what: Any) -> Found:
        return self.on_aws(
            "backup_verify",
            engine=self._settings["backup_engine"],
            load="backup_load" not in self._settings["decommission_waive"],
            load_timeout=self._settings["decommission_wait_timeout"],
            **what,
        )

    def note(self) -> Found:
        """Right before the act. No sooner: an instance that somebody stops by hand after a backup that failed was not
        stopped here.
        """
        if self._plan.wants_backup:
            raise AnsibleActionFail(
                "Somebody wrote to the old Redis after its backup was taken, and nothing was stopped. Find out who, "
                "and run this again."
            )
        if self._plan.forgets_backup:  # it would pass for one of what is retired now
            self.ledger("backup", None)
        if self._plan.is_to_note:
            self.ledger("decommission", self._plan.begun)
        return {"changed": self._plan.forgets_backup or self._plan.is_to_note}

    def instance(self) -> Found:
        if not self._plan.instance_state:
            return {}
        done = self.on_aws(
            "old_instance",
            instance_id=self._plan.instance_id,
            state=self._plan.instance_state,
            wait_timeout=self._settings["decommission_wait_timeout"],
        )
        return {"changed": bool(done.get("changed"))}

    def end(self) -> Found:
        """Note what is done, let go of the lock, and leave the record of the stage."""
        has_acted = self.has_begun(self._task.args["begun"])
        if has_acted:
            self.ledger("decommission", self._plan.done)
            say.lines([f"  {self._plan.subject} is {self._plan.done['step']}."])
            self.tried("migration_lock", migration_name=self._settings["name"], state="released")
        names = ("step", "line", "instance_id", "service", "backup")
        told = record.of_stage(
            "decommission",
            {**{name: getattr(self._plan, name) for name in names}, "waived": self._settings["decommission_waive"]},
            began=self.known["began"],
            check_mode=self._task.check_mode,
            directory=self._settings["report_dir"],
        )
        return {"changed": has_acted, **told}
