# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a write is kept before it is answered (sync), soon after (async), or in memory alone (disabled). Pure.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Durability.ChangingDurability.html
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    VALKEY,
)

OFF = "disabled"
FAMILIES = ("r6g", "r7g", "r8g", "m6g", "m7g", "m8g", "c7gn", "c8gn")
_FROM = (9, 0)


def check_result(after: ReplicationGroup) -> None:
    """The conditions of AWS, all that are not met at once; the first names the option."""
    if after.durability == OFF:
        return
    lacks = [(option, what) for is_met, option, what in _conditions(after) if not is_met]
    if lacks:
        raise PlanRefused(
            f"{after.replication_group_id} would have durability {after.durability}, for which it needs "
            f"{', '.join(f'{what} ({option})' for option, what in lacks)}: state it so, or durability: {OFF}",
            lacks[0][0],
        )


def _conditions(group: ReplicationGroup) -> list[tuple[bool, str, str]]:
    family = group.cache_node_type.split(".")[1] if group.cache_node_type.count(".") == 2 else ""
    newest = group.engine == VALKEY and group.version[:2] >= _FROM
    return [
        (newest, "engine_version", "Valkey 9.0 or newer, stated"),
        (group.cluster_enabled, "cluster_mode", "cluster mode enabled"),
        (group.multi_az_enabled, "multi_az_enabled", "Multi-AZ"),
        (group.replicas_per_node_group >= 1, "replicas_per_node_group", "a replica in every shard"),
        (group.transit_encryption_enabled, "transit_encryption_enabled", "TLS"),
        (family in FAMILIES, "cache_node_type", f"nodes of {', '.join(FAMILIES)}"),
        (not group.data_tiering_enabled, "data_tiering_enabled", "no data tiering"),
    ]


def steps(current: ReplicationGroup, changes: Mapping[str, Any]) -> list[Step]:
    """A call of its own, at once."""
    wanted = changes.get("durability", current.durability)
    if wanted == current.durability:
        return []
    reasons = {
        "sync": "each write is kept before it is answered, and takes longer",
        "async": "writes are kept soon after they are answered; a failure may lose up to 10 s of them",
        OFF: "a failure may lose what only memory holds",
    }
    parameters = {
        "ReplicationGroupId": current.replication_group_id,
        "Durability": wanted,
        "ApplyImmediately": True,
    }
    reason = f"durability: {current.durability} -> {wanted}; {reasons[wanted]}"
    return [Step("ModifyReplicationGroup", parameters, reason, disruptive=wanted == OFF)]


def check_queueing(what: str, apply_immediately: bool, changes: Mapping[str, Any]) -> None:
    if "durability" in changes and not apply_immediately:
        raise PlanRefused(
            f"{what} changes its durability at once, by a call of its own: set apply_immediately: true",
            "apply_immediately",
        )
