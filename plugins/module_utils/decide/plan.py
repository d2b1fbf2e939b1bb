# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a whole run will do: the same in check mode and in the run. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval

SHARED = ""  # the consumer of a step that all consumers share

# What a step does, by which a plan is summed up.
MAKE, CHANGE, RESTART, REMOVE, NOTE = "make", "change", "restart", "remove", "note"


@dataclass(frozen=True)
class Step:
    """One thing that is changed. ``before`` and ``after`` are masked; ``undo`` says what takes it back, where
    anything does. ``kind`` is MAKE, CHANGE, RESTART, REMOVE, or NOTE for what changes nothing
    of the user's.
    """

    consumer: str
    what: str
    before: str = ""
    after: str = ""
    reason: str = ""
    disruptive: bool = False
    undo: str = ""
    kind: str = CHANGE

    @property
    def line(self) -> str:
        who = f"{self.consumer}: " if self.consumer else ""
        change = f": {self.before or 'nothing'} -> {self.after or 'nothing'}" if self.before or self.after else ""
        why = f": {self.reason}" if self.reason else ""
        return f"{who}{self.what}{change}{why}"


@dataclass(frozen=True)
class Plan:
    """``batches`` are the consumers that are moved or proven, in order; ``refusals`` are all the reasons why
    nothing is done.

    ``notes`` are lines that need no step. ``facts["survey"]`` are the consumers that are to look closer first.
    ``made_of`` are the fingerprints of what it was made of, as decide.made_of has it.
    """

    goal: str
    batches: tuple[tuple[str, ...], ...] = ()
    steps: tuple[Step, ...] = ()
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    made_of: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        """Nothing is changed, and nobody is to be proven."""
        return not (self.steps or self.batches)

    @property
    def consumers(self) -> list[str]:
        return [consumer for batch in self.batches for consumer in batch]

    @property
    def lines(self) -> list[str]:
        return [step.line for step in self.steps]

    @property
    def digest(self) -> str:
        """Over what is done and what it was made of."""
        done = {"batches": [list(batch) for batch in self.batches], "steps": [asdict(step) for step in self.steps]}
        return approval.digest(self.goal, self.made_of, done)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values, without a secret."""
        return {
            "goal": self.goal,
            "batches": [list(batch) for batch in self.batches],
            "steps": [asdict(step) for step in self.steps],
            "refusals": list(self.refusals),
            "notes": list(self.notes),
            "made_of": dict(self.made_of),
            "facts": dict(self.facts),
            "lines": self.lines,
            "digest": self.digest,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Plan:
        return cls(
            goal=stored["goal"],
            batches=tuple(tuple(batch) for batch in stored["batches"]),
            steps=tuple(Step(**step) for step in stored["steps"]),
            refusals=tuple(stored["refusals"]),
            notes=tuple(stored["notes"]),
            made_of=stored["made_of"],
            facts=stored["facts"],
        )
