# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation of an online migration: read, make the next call, and say what it waits for.

AWS tells what failed by an event alone, and goes back to the status before; so the next invocation is told which
events were there already.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.events import read_messages
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import online
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.online import Order

_CODES = acting.Codes(
    busy=("InvalidReplicationGroupState", "InvalidCacheClusterState"),
    already_so={
        "StartMigration": ("ReplicationGroupAlreadyUnderMigrationFault",),
        "TestMigration": ("ReplicationGroupAlreadyUnderMigrationFault",),
        "CompleteMigration": ("ReplicationGroupNotUnderMigrationFault",),
    },
)


def go_on(client: Any, order: Order, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    group = calls.read_replication_group(client, order.replication_group_id)
    plan = online.plan(group, order)
    if check_mode:
        steps = plan.describe()
        return {**_told(group, order), "changed": bool(steps), "plan": steps, "diff": plan.diff()}
    messages = tuple(read_messages(client, "replication-group", order.replication_group_id))
    if not order.seen:
        order = replace(order, seen=messages or ("",))
    _refuse_what_failed(order, tuple(one for one in messages if one not in order.seen))
    result = {"plan": plan.describe(), "diff": plan.diff()}
    if group is not None and online.is_busy(group):
        return {**_told(group, order), **result, "changed": False, "in_progress": True, "progress": group.waits_for}
    if not plan.steps:
        return {**_told(group, order), **result, "changed": False}
    step = plan.steps[0]
    outcome = acting.act(client, step, _CODES)
    if step.action == "TestMigration" and outcome is not acting.Outcome.BUSY:
        order = replace(order, is_tested=True)
    group = calls.read_replication_group(client, order.replication_group_id)
    is_done = online.is_so(group, order)
    return {
        **_told(group, order),
        **result,
        "changed": outcome is acting.Outcome.DONE and step.action != "TestMigration",
        "in_progress": not is_done,
        "progress": "" if is_done else _waits_for(group, step.action),
    }


def _refuse_what_failed(order: Order, new: tuple[str, ...]) -> None:
    if why := online.failure_among(new):
        raise PlanRefused(
            f"AWS could not do it with {order.replication_group_id}: {why.rstrip('.')}. See that the security group of "
            f"the old Redis at {order.source_address or 'its address'} lets in the target's, and run it again",
            "source_address",
        )


def _waits_for(group: ReplicationGroup | None, action: str) -> str:
    return f"{group.replication_group_id if group else 'gone'}: {action}, {group.status if group else 'absent'}"


def _told(group: ReplicationGroup | None, order: Order) -> dict[str, Any]:
    return {
        "status": group.status if group else "absent",
        "arn": group.arn if group else "",
        "in_progress": False,
        "progress": "",
        "is_tested": order.is_tested,
        "seen": list(order.seen),
    }
