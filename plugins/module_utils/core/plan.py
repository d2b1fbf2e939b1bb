# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What will be done to a resource, as data: steps, or a refusal. Knows no service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

MASK = "***"

# API parameters and options whose values are never shown.
SECRETS = frozenset(("AuthToken", "Passwords", "auth_token", "passwords"))


class PlanRefused(ValueError):
    """It cannot be done as asked; nothing was touched. ``option`` is the one to change."""

    def __init__(self, message: str, option: str):
        super().__init__(message)
        self.message = message
        self.option = option


@dataclass(frozen=True)
class Step:
    """One call of an AWS API. ``disruptive`` where clients notice: a failover, closed connections, lost data."""

    action: str
    parameters: Mapping[str, Any]
    reason: str
    disruptive: bool = False

    def describe(self) -> dict[str, Any]:
        return {
            "action": self.action,
            "parameters": masked(self.parameters),
            "reason": self.reason,
            "disruptive": self.disruptive,
        }


@dataclass(frozen=True)
class Plan:
    """The steps from what is to what is wanted, in order; ``before`` and ``after`` hold only what they change.

    ``pending`` is what AWS has already queued, by option; it is not planned again.
    """

    steps: tuple[Step, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    pending: Mapping[str, Any] = field(default_factory=dict)

    def diff(self) -> dict[str, Any]:
        return {"before": masked(self.before), "after": masked(self.after)}

    def describe(self) -> list[dict[str, Any]]:
        return [step.describe() for step in self.steps]


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Sorted by name, and without secrets, those of parameters within parameters too."""
    return {name: MASK if name in SECRETS and value else _within(value) for name, value in sorted(values.items())}


def _within(value: Any) -> Any:
    return masked(value) if isinstance(value, Mapping) else value
