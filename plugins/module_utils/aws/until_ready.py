# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for what has a status and nothing more to it: read, plan, act, and say what it waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Generic

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import (
    Resource,
    Run,
    Watched,
    is_in_motion,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.waiting import carry_out


@dataclass(frozen=True)
class Came(Generic[Resource]):
    """What came of an invocation: as it was, as it is, and the run."""

    before: Resource | None
    after: Resource | None
    run: Run


def make_present(
    read: Callable[[], Resource | None],
    act: Callable[[Step], Outcome],
    plan_for: Callable[[Resource | None], Plan],
    shows: Callable[[Resource], bool],
    check_mode: bool,
) -> Came[Resource]:
    """``shows`` tells whether what was asked for is to be seen. Raises PlanRefused and AnsibleAWSError."""
    current = read()
    if current is not None and is_in_motion(current) and not check_mode:
        return Came(current, current, Run(waits_for=current.waits_for))
    plan = plan_for(current)
    if check_mode:
        return Came(current, current, Run(plan, performed=None))
    if current is not None and current.is_going:
        return Came(current, current, Run(waits_for="deleting; made again once it is gone"))
    watched = Watched(read, act, current)
    progress = carry_out(plan, watched.act, watched.waits_for)
    waits_for, after = progress.waits_for, watched.resource
    if progress.performed and not waits_for and after is not None and not shows(after):
        waits_for = "waiting for its changes to show"
    return Came(current, after, Run(plan, progress.performed, waits_for))


def make_absent(
    read: Callable[[], Resource | None],
    act: Callable[[Step], Outcome],
    plan_for: Callable[[Resource | None], Plan],
    check_mode: bool,
) -> Came[Resource]:
    """Raises PlanRefused and AnsibleAWSError."""
    current = read()
    plan = plan_for(current)
    if check_mode:
        return Came(current, current, Run(plan, performed=None))
    if current is not None and current.is_going:
        return Came(current, current, Run(waits_for="deleting"))
    watched = Watched(read, act, current)
    progress = carry_out(plan, watched.act, lambda: None)
    if progress.performed:
        watched.waits_for()
    waits_for = progress.waits_for or ("deleting" if watched.resource is not None else "")
    return Came(current, watched.resource, Run(plan, progress.performed, waits_for))
