# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run does of a decision, and what it notes of that in the ledger. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import tally
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import (
    CHANGE,
    MAKE,
    NOTE,
    REMOVE,
    SHARED,
    Step,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire.decommission import (
    NOTHING,
    RETIRE,
    STOP,
    STOPPED,
    STOPPING,
    TERMINATE,
    TERMINATED,
)

# Where old_instance brings the instance.
_STATES = {STOP: "stopped", TERMINATE: "terminated"}


@dataclass(frozen=True)
class Course:
    """``step``, ``line``, ``backup``, ``entry`` and what becomes of a backup are those of decommission_plan.

    ``asker`` is the host that the old Redis answered alone, ``redis`` what it heard; ``unit`` is what old_host_info
    told of the service that is retired, empty where it is the instance.
    """

    step: str
    line: str
    instance_id: str = ""
    service: str = ""
    host: str = ""
    wants_backup: bool = False
    keeps_backup: bool = False
    forgets_backup: bool = False
    backup: Mapping[str, Any] = field(default_factory=dict)
    entry: Mapping[str, Any] = field(default_factory=dict)
    now: str = ""
    asker: str = ""
    redis: Mapping[str, Any] = field(default_factory=dict)
    unit: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Course:
        return cls(**{item.name: stored[item.name] for item in fields(cls) if item.name in stored})

    @property
    def is_nothing(self) -> bool:
        return self.step == NOTHING

    @property
    def lines(self) -> list[str]:
        """For a person."""
        backup = ["take a backup, and prove it"] * self.wants_backup
        return [*backup, *["prove the earlier backup again"] * self.keeps_backup, self.line]

    @property
    def steps(self) -> list[Step]:
        """The same, each with its kind; none where nothing is to be done."""
        kinds = {STOP: CHANGE, RETIRE: CHANGE, TERMINATE: REMOVE}
        *backup, last = self.lines
        told = [Step(SHARED, line, kind=MAKE if self.wants_backup else NOTE) for line in backup]
        return [] if self.is_nothing else [*told, Step(SHARED, last, disruptive=True, kind=kinds[self.step])]

    @property
    def looks_again(self) -> bool:
        """A backup takes its time, and what was true before it need not be so any more."""
        return self.wants_backup or self.keeps_backup

    @property
    def forgets_stop(self) -> bool:
        """Whether somebody has started it since: were it to end again before this run has stopped it, the old note
        would pass for that stop. Of a service it still knows whether it was enabled.
        """
        return self.looks_again and self.step == STOP and "step" in self.entry

    @property
    def instance_state(self) -> str:
        """Where the instance is brought; empty where it is left alone."""
        return _STATES.get(self.step, "")

    @property
    def retired_unit(self) -> str:
        """The service that is stopped, disabled and masked; empty where none is."""
        return self.service if self.step == RETIRE else ""

    @property
    def subject(self) -> str:
        return self.service or self.instance_id

    @property
    def is_to_note(self) -> bool:
        """Whether the ledger does not say yet what is begun. The end of an instance is not begun: it was stopped."""
        return self.step in (STOP, RETIRE) and self.entry.get("step") != STOPPING

    @property
    def begun(self) -> dict[str, Any]:
        """The ledger's entry right before the act, so that a run that is killed in between is known for what it was."""
        return {"step": STOPPING, **self._what}

    @property
    def done(self) -> dict[str, Any]:
        """The ledger's entry after it."""
        return {"step": TERMINATED if self.step == TERMINATE else STOPPED, **self._what}

    @property
    def _what(self) -> dict[str, Any]:
        if not self.service:
            return {"instance_id": self.instance_id}
        was_enabled = self.entry.get("was_enabled", self.unit.get("enabled"))
        return {"service": self.service, "host": self.host, "was_enabled": was_enabled}


def said(course: Course, name: str, digest: str, *, is_plan: bool) -> list[str]:
    """What comes next, for a person."""
    if course.is_nothing:
        return [title(name, is_plan=is_plan), f"  {course.line}"]
    lines = [title(name, is_plan=is_plan), *(f"- {line}" for line in course.lines), f"  {tally(course.steps)}"]
    return [*lines, f"  To have exactly this done: -e migration_approve={digest}"] if is_plan else lines


def title(name: str, *, is_plan: bool) -> str:
    what = f"Retire the old Redis of {name}"
    return f"{what}: the plan; nothing is changed" if is_plan else what


def backup_entry(bucket: str, key: str, taken: Mapping[str, Any], proof: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger says of a backup, of what cache_backup and backup_verify returned."""
    of_it = {name: taken[name] for name in ("sha256", "size", "keyspace", "writes", "source")}
    return {"bucket": bucket, "key": key, **of_it, **{name: proof[name] for name in ("loaded", "encryption")}}
