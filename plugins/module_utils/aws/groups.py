# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a subnet group or a parameter group, of whichever service.

All raise PlanRefused and AnsibleAWSError.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.at_once import Act, converge
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import (
    parameter_group,
    subnet_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter import Parameter
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_group import (
    ParameterGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.subnet_group import SubnetGroup

PRESENT = "present"


@dataclass(frozen=True)
class Came:
    """What came of it. ``shown`` is the group, in check mode as it would be; None where there is to be none."""

    plan: Plan
    shown: SubnetGroup | ParameterGroup | None
    warnings: tuple[str, ...] = ()

    def result(self, called: str) -> dict[str, Any]:
        """What the module returns, the group under the name ``called``."""
        facts = {called: self.shown.facts()} if self.shown else {}
        plan = self.plan
        return {"changed": bool(plan.steps), "diff": plan.diff(), "plan": plan.describe(), **facts}


@dataclass(frozen=True)
class ParameterReads:
    """How a service is asked for its parameter groups, and for the parameters of a family (none where there is no such
    family) and the family of an engine's version (empty where nobody tells).
    """

    group: Callable[[str], ParameterGroup | None]
    family: Callable[[str], Mapping[str, Parameter]]
    family_of: Callable[[str, str], str]


def tell(
    name: str | None,
    migration_name: str | None,
    read: Callable[[str], SubnetGroup | ParameterGroup | None],
    read_all: Callable[[], Sequence[SubnetGroup | ParameterGroup]],
) -> list[dict[str, Any]]:
    """What an info module tells: of one, or of all of the region where no name is given. ``ours`` is None where no
    migration is named.
    """
    found = [read(name.lower())] if name else read_all()
    return [
        {**group.facts(), "ours": ownership.is_ours(group.tags, migration_name) if migration_name else None}
        for group in found
        if group is not None
    ]


def converge_subnet_group(
    desired: subnet_group.Desired, state: str, read: Callable[[str], SubnetGroup | None], act: Act, check_mode: bool
) -> Came:
    present = state == PRESENT
    make_plan = subnet_group.plan_present if present else subnet_group.plan_absent
    plan, after = converge(lambda: read(desired.name), lambda current: make_plan(current, desired), act, check_mode)
    if not present:
        return Came(plan, None)
    return Came(plan, subnet_group.predict(after, desired) if check_mode else after)


def converge_parameter_group(
    desired: parameter_group.Desired, state: str, reads: ParameterReads, act: Act, check_mode: bool
) -> Came:
    present = state == PRESENT
    if desired.engine and present:
        desired = replace(desired, family=reads.family_of(desired.engine, desired.engine_version))

    def known(current: ParameterGroup | None) -> Mapping[str, Parameter]:
        if current is not None:
            return current.parameters
        return reads.family(desired.family) if desired.family else {}

    def make_plan(current: ParameterGroup | None) -> Plan:
        if present:
            return parameter_group.plan_present(current, desired, known(current))
        return parameter_group.plan_absent(current, desired)

    plan, after = converge(lambda: reads.group(desired.name), make_plan, act, check_mode)
    if not present:
        return Came(plan, None)
    shown = parameter_group.predict(after, desired, known(after)) if check_mode else after
    return Came(plan, shown, tuple(parameter_group.kept(after, desired)))
