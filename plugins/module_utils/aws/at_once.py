# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for what AWS changes at once: read, plan, act, read again."""

from __future__ import annotations

from typing import Callable, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.acting import Outcome
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, Step

Resource = TypeVar("Resource")
Act = Callable[[Step], Outcome]


def converge(
    read: Callable[[], Resource | None],
    plan_for: Callable[[Resource | None], Plan],
    act: Act,
    check_mode: bool,
) -> tuple[Plan, Resource | None]:
    """The plan, and the resource as it is afterwards. Raises PlanRefused and AnsibleAWSError."""
    current = read()
    plan = plan_for(current)
    if check_mode or not plan.steps:
        return plan, current
    if not _act_all(plan, act):
        # Somebody else was faster, and may have made it: what is there decides, or is refused.
        _act_all(plan_for(read()), act)
    after = read()
    plan_for(after)
    return plan, after


def _act_all(plan: Plan, act: Act) -> bool:
    return all(act(step) is Outcome.DONE for step in plan.steps)
