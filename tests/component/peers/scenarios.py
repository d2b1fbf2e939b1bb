"""The peer's scenarios as they stand in scenarios.yml, and which of them do not apply here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
EXPECTED = ("created", "unchanged", "updated_in_place", "recreated", "error", "deleted")


@dataclass(frozen=True)
class Step:
    """What is stated, and what comes of it: ``desired`` is a full first state, ``change`` is on top of the last."""

    expected: str
    desired: Mapping[str, Any] | None = None
    change: Mapping[str, Any] = field(default_factory=dict)
    omit: tuple[str, ...] = ()
    given: str = ""
    error: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    plan_only: bool = False
    id_check: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        assert self.expected in EXPECTED, self.expected

    def stated(self, before: Mapping[str, Any]) -> dict[str, Any]:
        if self.desired is not None:
            return dict(self.desired)
        return {name: value for name, value in {**before, **self.change}.items() if name not in self.omit}


@dataclass(frozen=True)
class Scenario:
    id: str
    service: str
    steps: tuple[Step, ...]
    reread: Any = False
    note: str = ""

    @property
    def not_read_again(self) -> tuple[str, ...]:
        return tuple(self.reread.get("extra_except", ())) if isinstance(self.reread, Mapping) else ()


def _file(name: str) -> Any:
    return yaml.safe_load((HERE / name).read_text())


_FACTS = _file("scenarios.yml")
RULES: Mapping[str, Any] = _FACTS["rules"]
OTHERWISE: Mapping[str, Mapping[int, Mapping[str, Any]]] = _file("otherwise.yml")


def _scenario(item: Mapping[str, Any]) -> Scenario:
    ours = OTHERWISE.get(item["id"], {})
    steps = [Step(**step) for step in item["steps"]]
    for number, step in ours.items():
        theirs = steps[number - 1]
        steps[number - 1] = replace(theirs, **{name: value for name, value in step.items() if name != "reason"})
        assert step["reason"] and steps[number - 1] != theirs, f"{item['id']}, step {number}"
    return Scenario(**{**item, "steps": tuple(steps)})


SCENARIOS = tuple(_scenario(item) for item in _FACTS["scenarios"])
NOT_APPLICABLE: Mapping[str, str] = _file("not_applicable.yml")  # a scenario, and why it has nothing to show here
APPLICABLE = tuple(scenario for scenario in SCENARIOS if scenario.id not in NOT_APPLICABLE)
