# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Cluster mode: from disabled by compatible to enabled, a call for each. Pure.

With the mode goes no other change but the parameter group; while it is compatible, AWS takes neither another size nor
another version; from enabled there is no way back.
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/modify-cluster-mode.html
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    COMPATIBLE,
    DISABLED,
    ENABLED,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    is_before,
)

_MODES = (DISABLED, COMPATIBLE, ENABLED)
_FROM = (7, 0)
_OF_CLUSTER = ".cluster.on"

_NOT_WHILE_COMPATIBLE = (
    *("engine", "engine_version", "cache_node_type"),
    *("num_cache_clusters", "num_node_groups", "replicas_per_node_group", "node_group_configuration"),
)


def check(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    what = f"The replication group {current.replication_group_id}"
    wanted = changes.get("cluster_mode", current.cluster_mode)
    if current.cluster_mode == ENABLED and wanted != ENABLED:
        raise PlanRefused(
            f"{what} has cluster mode enabled, from which AWS has no way back: make a new group with cluster_mode: "
            f"{wanted} under another replication_group_id beside it and migrate",
            "cluster_mode",
        )
    if wanted != ENABLED and desired.num_node_groups is not None and desired.num_node_groups > 1:
        raise PlanRefused(
            f"{what} has cluster mode {wanted}, and so one shard: state cluster_mode: enabled with num_node_groups, "
            "once its clients are cluster-aware",
            "cluster_mode",
        )
    if wanted == ENABLED and desired.num_cache_clusters is not None:
        raise PlanRefused(
            f"{what} has cluster mode enabled, and num_cache_clusters counts nodes where it is not: state "
            "num_node_groups and replicas_per_node_group instead",
            "num_cache_clusters",
        )
    if current.cluster_mode == COMPATIBLE == wanted:
        _check_while_compatible(what, changes)
    if "cluster_mode" in changes:
        _check_change(what, current, desired, changes)


def _check_while_compatible(what: str, changes: Mapping[str, Any]) -> None:
    meanwhile = [name for name in _NOT_WHILE_COMPATIBLE if name in changes]
    if meanwhile:
        raise PlanRefused(
            f"{what} has cluster mode compatible, in which AWS changes no {' and no '.join(meanwhile)}: state "
            "cluster_mode: enabled with it, once all clients are cluster-aware, or disabled",
            "cluster_mode",
        )


def _check_change(what: str, current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    if not desired.apply_immediately:
        raise PlanRefused(
            f"{what} changes its cluster mode at once, by a call of its own: set apply_immediately: true",
            "apply_immediately",
        )
    if current.cluster_mode == COMPATIBLE:
        return
    named, is_now = desired.cache_parameter_group_name, current.cache_parameter_group_name
    if named is None and is_now and not is_now.startswith("default."):
        raise PlanRefused(
            f"{what} has the parameter group {is_now}, which has cluster mode disabled: state with cluster_mode a "
            "cache_parameter_group_name whose parameter cluster-enabled is yes",
            "cache_parameter_group_name",
        )
    if named and "cache_parameter_group_name" in changes and "engine_version" in changes:
        raise PlanRefused(
            f"{what} takes one parameter group with another engine_version, and another one with another cluster_mode: "
            "change engine_version first, in a task of its own",
            "cluster_mode",
        )


def check_result(after: ReplicationGroup) -> None:
    """What a group must be that has cluster mode compatible or enabled."""
    if after.cluster_mode == DISABLED:
        return
    what = f"{after.replication_group_id} would have cluster mode {after.cluster_mode}"
    if not after.automatic_failover_enabled:
        raise PlanRefused(
            f"{what} without automatic failover, which AWS does not have: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    if after.cluster_mode == COMPATIBLE and is_before(after.engine_version, _FROM):
        raise PlanRefused(
            f"{what} at {after.engine_version}, and it can be so from Redis OSS 7.0 and Valkey 7.2 on: state a newer "
            "engine_version, or leave cluster_mode out",
            "cluster_mode",
        )


def check_rise(after: ReplicationGroup) -> None:
    """What a group must be before its cluster mode leaves disabled."""
    what = f"{after.replication_group_id} leaves cluster mode disabled"
    if is_before(after.engine_version, _FROM):
        raise PlanRefused(
            f"{what} from Redis OSS 7.0 and Valkey 7.2 on, and runs {after.engine_version}: state a newer "
            "engine_version with cluster_mode",
            "cluster_mode",
        )
    if after.replicas_per_node_group < 1:
        raise PlanRefused(
            f"{what} with a replica at least: state replicas_per_node_group: 1 with cluster_mode",
            "replicas_per_node_group",
        )


def rises(current: ReplicationGroup, changes: Mapping[str, Any]) -> bool:
    return current.cluster_mode == DISABLED and changes.get("cluster_mode") in (COMPATIBLE, ENABLED)


def steps(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> list[Step]:
    """Upwards by compatible, and from that back down. A parameter group that is stated goes along."""
    wanted = changes.get("cluster_mode", current.cluster_mode)
    if wanted == current.cluster_mode:
        return []
    group = changes.get("cache_parameter_group_name") if desired.cache_parameter_group_name else None
    if wanted == DISABLED:
        return [_step(current, DISABLED, group)]
    first = _MODES.index(current.cluster_mode) + 1
    return [_step(current, mode, group) for mode in _MODES[first : _MODES.index(wanted) + 1]]


def parameter_group_after(group: str, mode: str) -> str:
    """AWS's own groups come in pairs, and it takes the other one by itself."""
    if not group.startswith("default."):
        return group
    plain = group[: -len(_OF_CLUSTER)] if group.endswith(_OF_CLUSTER) else group
    return plain if mode == DISABLED else plain + _OF_CLUSTER


def _step(current: ReplicationGroup, mode: str, group: str | None) -> Step:
    parameters: dict[str, Any] = {"ReplicationGroupId": current.replication_group_id, "ClusterMode": mode}
    if group and mode != ENABLED:
        parameters["CacheParameterGroupName"] = group
    reasons = {
        DISABLED: "disabled; cluster-aware clients are refused from here on",
        COMPATIBLE: "compatible; plain and cluster-aware clients are served, with database 0 alone",
        ENABLED: "enabled; clients that are not cluster-aware are refused from here on, and there is no way back",
    }
    return Step(
        "ModifyReplicationGroup", {**parameters, "ApplyImmediately": True}, f"cluster_mode: {reasons[mode]}", True
    )
