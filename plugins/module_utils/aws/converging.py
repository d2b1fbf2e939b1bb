# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""State present and state absent of what AWS takes its time for: read, plan, act as far as it goes.

All raise PlanRefused and AnsibleAWSError. The plans are pure, and are made anew of what was read.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Generic, Mapping, Protocol, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import (
    Run,
    Waited,
    Watched,
    is_in_motion,
    result_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.waiting import carry_out
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership


class Owned(Waited, Protocol):
    """Something that is somebody's. ``tags`` is None while AWS tells none, ``pending`` what it has queued."""

    @property
    def tags(self) -> Mapping[str, str] | None: ...

    @property
    def pending(self) -> Mapping[str, Any]: ...

    @property
    def has_failed(self) -> bool:
        """Whether its creation failed, which no waiting mends."""


Resource = TypeVar("Resource", bound=Owned)


@dataclass(frozen=True)
class Access(Generic[Resource]):
    """How one resource, called ``name``, is read and acted on."""

    name: str
    read: Callable[[], Resource | None]
    act: Callable[[Step], Outcome]

    def watch(self, resource: Resource | None) -> Watched[Resource]:
        return Watched(self.read, self.act, resource)


@dataclass(frozen=True)
class Wanted(Generic[Resource]):
    """What is wanted of a resource, as pure functions of what is there: the steps to it and what they lead to, and a
    refusal of what waiting does not mend, because it is somebody else's or has failed.
    """

    plan: Callable[[Resource | None], Plan]
    predict: Callable[[Resource | None], Resource]
    refuse_unusable: Callable[[Resource], None]


@dataclass(frozen=True)
class Course(Generic[Resource]):
    """What came of an invocation. ``there`` is what is there; ``shown`` is what people are told of: where there is
    nothing yet, and in check mode, what the plan leads to.
    """

    name: str
    there: Resource | None
    shown: Resource
    run: Run = field(default_factory=Run)

    def result(self) -> dict[str, Any]:
        return result_of(self.name, self.there, self.run)


def present(access: Access[Resource], wanted: Wanted[Resource], check_mode: bool) -> Course[Resource]:
    current = access.read()
    if current is not None and is_in_motion(current):
        wanted.refuse_unusable(current)
        if current.tags is None or not check_mode:
            run = Run(Plan(pending=current.pending), None if check_mode else (), current.waits_for)
            return Course(access.name, current, current, run)
    plan, expected = wanted.plan(current), wanted.predict(current)
    if check_mode:
        return Course(access.name, current, expected, Run(plan, performed=None))
    if current is not None and current.is_going:
        return Course(access.name, current, expected, Run(waits_for="deleting; made again once it is gone"))
    watched = access.watch(current)
    progress = carry_out(plan, watched.act, watched.waits_for)
    there, waits_for = watched.resource, progress.waits_for
    if progress.performed and not waits_for and there is not None and not _shows(there, wanted.plan):
        waits_for = "waiting for its changes to show"
    shown = there if there is not None and not there.is_going else expected
    return Course(access.name, there, shown, Run(replace(plan, pending=shown.pending), progress.performed, waits_for))


def _shows(resource: Resource, plan_for: Callable[[Resource | None], Plan]) -> bool:
    """Available can be told before `modifying` appears, so what was asked for must show too."""
    try:
        return not plan_for(resource).steps
    except PlanRefused:
        return False


def absent(
    access: Access[Resource], plan_for: Callable[[Resource | None], Plan], migration_name: str, check_mode: bool
) -> dict[str, Any]:
    """The module's result. ``plan_for`` refuses what is not this migration's."""
    current = access.read()
    if current is not None and not check_mode and _is_worth_waiting_for(current, migration_name):
        return result_of(access.name, current, Run(waits_for=current.waits_for))
    plan = plan_for(current)
    if check_mode:
        return result_of(access.name, current, Run(plan, performed=None))
    watched = access.watch(current)
    progress = carry_out(plan, watched.act, lambda: None)
    if progress.performed:
        watched.waits_for()
    waits_for = progress.waits_for or ("deleting" if watched.resource is not None else "")
    return result_of(access.name, watched.resource, Run(plan, progress.performed, waits_for))


def _is_worth_waiting_for(resource: Owned, migration_name: str) -> bool:
    """AWS deletes only what is available, or has failed; and we only what is ours."""
    may_be_ours = resource.tags is None or ownership.is_ours(resource.tags, migration_name)
    return is_in_motion(resource) and not resource.has_failed and may_be_ours
