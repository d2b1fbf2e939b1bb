# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for what AWS takes its time for: what was acted on, what came of it, and what it waits for.

There is nothing to remember between invocations: the next one reads again and goes on, also after a kill.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Generic, Protocol, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step

ABSENT = "absent"


class Waited(Protocol):
    """Something of AWS that has a status, and takes changes only while it is ready."""

    @property
    def status(self) -> str: ...

    @property
    def arn(self) -> str: ...

    @property
    def is_ready(self) -> bool: ...

    @property
    def is_going(self) -> bool:
        """Whether it is being deleted."""

    @property
    def waits_for(self) -> str:
        """What is not ready, as a phrase."""


Resource = TypeVar("Resource", bound=Waited)


def is_in_motion(resource: Waited) -> bool:
    return not resource.is_ready and not resource.is_going


class Watched(Generic[Resource]):
    """What is acted on; ``resource`` is as it was last read."""

    def __init__(
        self, read: Callable[[], Resource | None], act: Callable[[Step], Outcome], resource: Resource | None
    ) -> None:
        self._read, self._act, self.resource = read, act, resource

    def act(self, step: Step) -> bool:
        """False where AWS is busy."""
        return self._act(step) is not Outcome.BUSY

    def waits_for(self) -> str | None:
        """Read it again. None where it is ready."""
        self.resource = self._read()
        if self.resource is None:
            return "it does not show yet"
        return None if self.resource.is_ready else self.resource.waits_for


@dataclass(frozen=True)
class Run:
    """What came of an invocation. ``performed`` is None in check mode, where the plan itself is the change."""

    plan: Plan = field(default_factory=Plan)
    performed: tuple[Step, ...] | None = ()
    waits_for: str = ""


def result_of(name: str, resource: Waited | None, run: Run) -> dict[str, Any]:
    """What every module that waits returns."""
    return {
        "changed": bool(run.plan.steps if run.performed is None else run.performed),
        "diff": run.plan.diff(),
        "plan": run.plan.describe(),
        "status": resource.status if resource else ABSENT,
        "arn": resource.arn if resource else "",
        "pending": dict(run.plan.pending),
        "in_progress": bool(run.waits_for) and run.performed is not None,
        "progress": f"{name}: {run.waits_for}" if run.waits_for else "",
    }
