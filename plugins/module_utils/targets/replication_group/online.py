# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Online migration: AWS makes a replication group a replica of a Redis that is not AWS's, and a primary again. Pure.

AWS's conditions of the group, and the calls from what is there to what is wanted.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/OnlineMigration.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import MIGRATING
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    DISABLED,
    ReplicationGroup,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)

PRESENT, COMPLETED, ABSENT = "present", "completed", "absent"
AVAILABLE = "available"
OLDEST = (5, 0, 6)


@dataclass(frozen=True)
class Order:
    """What is wanted. ``is_tested`` and ``seen`` are what the run before told: that AWS has tested the way, and the
    events that it told of by then.
    """

    replication_group_id: str
    migration_name: str
    state: str = PRESENT
    adopt: bool = False
    source_address: str = ""
    source_port: int = 6379
    is_tested: bool = False
    seen: tuple[str, ...] = ()

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Order:
        return cls(
            replication_group_id=params["replication_group_id"].lower(),
            migration_name=params["migration_name"],
            state=params["state"],
            adopt=params["adopt"],
            source_address=params["source_address"] or "",
            source_port=params["source_port"],
            is_tested=params["is_tested"],
            seen=tuple(params["seen"] or ()),
        )


# --- whether it can be ---


def against(group: Mapping[str, Any]) -> Iterator[str]:
    """What AWS does not take of a group, in the words of elasticache_cluster's options, each with its remedy."""
    if group.get("transit_encryption_enabled"):
        yield "the target has TLS (transit_encryption_enabled): make it without, and turn it on after the migration"
    if group.get("auth_token_enabled") or group.get("user_group_ids"):
        yield (
            "the target asks for a token or has users (auth_token, user_group_ids): make it without, and add them with "
            "TLS after the migration"
        )
    if not group.get("multi_az_enabled"):
        yield (
            "the target is not Multi-AZ: set multi_az_enabled and automatic_failover_enabled to true, with a replica "
            "at least"
        )
    if group.get("cluster_mode") not in (None, "", DISABLED) or (group.get("num_node_groups") or 1) > 1:
        yield "the target has cluster mode (cluster_mode), and one engine is followed here: choose another strategy"
    if group.get("data_tiering_enabled"):
        yield "the target has data tiering (data_tiering_enabled): take a node type without, as r7g"
    if group.get("durability") not in (None, "", "disabled", "default"):
        yield "the target is durable (durability): set it to disabled, and on again after the migration"
    if group.get("global_datastore"):
        yield "the target belongs to a global datastore: take it out of that first, or choose another strategy"
    version = version_numbers(str(group.get("engine_version") or ""))
    if version and group.get("engine", "redis") == "redis" and version < OLDEST[: len(version)]:
        yield "the target's engine is older than 5.0.6: raise engine_version"


def _refuse(group: ReplicationGroup | None, order: Order) -> ReplicationGroup:
    if group is None or group.is_going:
        raise PlanRefused(
            f"There is no replication group {order.replication_group_id} in this account and region, or it is being "
            "deleted: make it first (elasticache_cluster)",
            "replication_group_id",
        )
    what = f"The replication group {group.replication_group_id}"
    ownership.refuse_foreign(what, group.tags, order.migration_name, order.adopt)
    return group


# --- what is done ---


def plan(group: ReplicationGroup | None, order: Order) -> Plan:
    """The next calls. Raises PlanRefused."""
    there = _refuse(group, order)
    named = {"ReplicationGroupId": there.replication_group_id}
    is_migrating = there.status == MIGRATING
    if order.state == PRESENT:
        if is_migrating:
            return Plan()
        if reasons := list(against({**as_options(there), "global_datastore": there.global_datastore})):
            raise PlanRefused(f"AWS's online migration takes no such target: {'; '.join(reasons)}", "state")
        return Plan(tuple(_begin(named, order)), {"status": there.status}, {"status": MIGRATING})
    if not is_migrating:
        return Plan()
    reason = "the target follows no longer, and takes writes"
    parameters: dict[str, Any] = dict(named)
    if order.state == ABSENT:
        reason, parameters = "the target follows no longer, whatever came by then", {**named, "Force": True}
    step = Step("CompleteMigration", parameters, reason, disruptive=True)
    return Plan((step,), {"status": MIGRATING}, {"status": AVAILABLE})


def _begin(named: Mapping[str, Any], order: Order) -> Iterator[Step]:
    source = f"{order.source_address}:{order.source_port}"
    parameters = {
        **named,
        "CustomerNodeEndpointList": [{"Address": order.source_address, "Port": order.source_port}],
    }
    if not order.is_tested:
        yield Step("TestMigration", parameters, f"AWS tries whether the target reaches {source}")
    yield Step("StartMigration", parameters, f"the target follows {source}, and takes no writes", disruptive=True)


def is_so(group: ReplicationGroup | None, order: Order) -> bool:
    wanted = MIGRATING if order.state == PRESENT else AVAILABLE
    return group is not None and group.status == wanted


def is_busy(group: ReplicationGroup) -> bool:
    return group.status not in (AVAILABLE, MIGRATING)


def failure_among(messages: tuple[str, ...]) -> str:
    """What AWS says of a migration that failed, among events that are new; empty where it says no such thing."""
    of_it = [one for one in messages if "migrat" in one.lower()]
    failed = [one for one in of_it if "fail" in one.lower() or "not in sync" in one.lower()]
    return failed[-1] if failed else ""
