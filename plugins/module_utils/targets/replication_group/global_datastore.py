# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A group that belongs to a global datastore, of several regions: what is not changed in one region alone. Pure.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Redis-Global-Datastore.html
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)

SECONDARY = "secondary"

# What ModifyGlobalReplicationGroup and its siblings for shards change, in all regions together.
_OF_THE_WHOLE = (
    *("engine", "engine_version", "cache_parameter_group_name", "cache_node_type", "automatic_failover_enabled"),
    *("num_node_groups", "node_group_configuration"),
)


def refuse_read_only(current: ReplicationGroup) -> None:
    """Of a secondary one nothing that an app writes is taken. Raises PlanRefused."""
    if current.global_role == SECONDARY:
        raise PlanRefused(
            f"{_what(current)} as its secondary, which takes no writes: name the group of the primary region, or have "
            "this one promoted first (aws elasticache failover-global-replication-group)",
            "replication_group_id",
        )


def check_changes(current: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """Raises PlanRefused for what AWS changes in all regions together."""
    option = next((name for name in _OF_THE_WHOLE if name in changes), "")
    if current.global_datastore and option:
        raise PlanRefused(
            f"{_what(current)}, whose {option} is changed in all regions together: change it there (aws elasticache "
            f"modify-global-replication-group, with the parameter group of the new family where engine or version "
            f"change; increase- and decrease-node-groups-in-global-replication-group for shards), or leave {option} as "
            "it is",
            option,
        )


def refuse_deletion(current: ReplicationGroup) -> None:
    """Raises PlanRefused."""
    if current.global_datastore:
        raise PlanRefused(
            f"{_what(current)}, and AWS deletes no member of one: take it out first (aws elasticache "
            "disassociate-global-replication-group), or delete the global datastore",
            "state",
        )


def _what(current: ReplicationGroup) -> str:
    return (
        f"The replication group {current.replication_group_id} belongs to the global datastore "
        f"{current.global_datastore}"
    )
