# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS refuses, or cannot do in place, with a replication group: refused by us first, with the way out. Pure.

Questions that are large have a room of their own: ``mode``, ``transit``, ``access``, ``durability``, ``upgrade``,
``configuration``.
"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import origin, windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import (
    access,
    configuration,
    durability,
    global_datastore,
    mode,
    transit,
    upgrade,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ENABLED,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
    check_version,
    is_before,
)

# Only by making the group again.
_FIXED_OPTIONS = (
    *("at_rest_encryption_enabled", "kms_key_id", "cache_subnet_group_name", "port"),
    *("data_tiering_enabled", "network_type"),
)

_TIERED = "r6gd"  # the family of nodes whose data is tiered, always
_TIERED_FROM = (6, 2)
_LOGS_FROM = {"slow-log": (6, 0), "engine-log": (6, 2)}
_MINOR_UPGRADES_FROM = (6, 0)


# --- a new group ---


def check_creation(desired: Desired) -> None:
    if desired.cache_node_type is None:
        raise PlanRefused(
            f"There is no replication group {desired.replication_group_id}, and to make one its size must be stated: "
            "set cache_node_type, as cache.t3.small",
            "cache_node_type",
        )
    _check_new_nodes(desired)
    _check_new_mode(desired)
    _check_new_topic(desired)
    transit.check_new(desired)
    windows.refuse_overlap(
        desired.snapshot_window or "", desired.preferred_maintenance_window or "", "preferred_maintenance_window"
    )
    if desired.kms_key_id and not encrypts_at_rest(desired):
        raise PlanRefused(
            "kms_key_id encrypts data at rest: set at_rest_encryption_enabled: true, or leave the key out", "kms_key_id"
        )
    if desired.engine_version:
        check_version(desired.engine_version, desired.engine)
        upgrade.check_family(desired.cache_parameter_group_name, desired.engine or REDIS, desired.engine_version)


def encrypts_at_rest(desired: Desired) -> bool:
    """Of a new group: where it is not stated, the engine decides, and durability does."""
    stated = desired.at_rest_encryption_enabled
    return desired.engine == VALKEY or desired.durability in ("sync", "async") if stated is None else stated


def _check_new_nodes(desired: Desired) -> None:
    zones, nodes = desired.preferred_cache_cluster_azs, (desired.layout.replicas or 0) + 1
    if zones and len(zones) != nodes:
        raise PlanRefused(
            f"preferred_cache_cluster_azs names {len(zones)} zones, and num_cache_clusters makes {nodes} node: "
            f"set it to {len(zones)}",
            "num_cache_clusters",
        )
    if desired.new_cluster_mode != ENABLED and desired.automatic_failover_enabled and nodes < 2:
        raise PlanRefused(
            f"automatic_failover_enabled needs a replica to fail over to: set {_more_nodes(desired)}",
            desired.replicas_option if desired.layout.replicas is not None else "num_cache_clusters",
        )
    if desired.multi_az_enabled and not desired.automatic_failover_enabled and desired.new_cluster_mode != ENABLED:
        raise PlanRefused(
            "multi_az_enabled needs automatic failover: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    if desired.snapshot_arns and desired.new_cluster_mode == ENABLED:
        slots = [item.slots for item in desired.node_group_configuration]
        if not slots or not all(slots):
            raise PlanRefused(
                "snapshot_arns fill the shards of a group with cluster mode enabled by their slots: state "
                "node_group_configuration with the slots of each shard",
                "node_group_configuration",
            )


def _check_new_topic(desired: Desired) -> None:
    topic, status = desired.notification_topic_arn, desired.notification_topic_status
    if status == "active" and not topic:
        raise PlanRefused(
            "notification_topic_status: active says nothing without a topic: state notification_topic_arn",
            "notification_topic_arn",
        )
    if status == "inactive" and topic:
        raise PlanRefused(
            "notification_topic_status is inactive, and AWS makes a group with a topic that is told, or with none: "
            "leave notification_topic_arn out until the group is there",
            "notification_topic_status",
        )


def _more_nodes(desired: Desired) -> str:
    if desired.layout.replicas is None or desired.replicas_option == "num_cache_clusters":
        return "num_cache_clusters to 2 or more"
    return f"{desired.replicas_option} to 1 or more"


def _check_new_mode(desired: Desired) -> None:
    if desired.cluster_mode == ENABLED and desired.parameters_enable_cluster is False:
        raise PlanRefused(
            f"cluster_mode is enabled, and the parameter cluster-enabled of {desired.cache_parameter_group_name} is "
            "no: state a cache_parameter_group_name that has cluster-enabled: yes, or leave it out",
            "cache_parameter_group_name",
        )
    if desired.new_cluster_mode == ENABLED and desired.num_cache_clusters is not None:
        raise PlanRefused(
            f"{desired.cache_parameter_group_name} enables cluster mode, and num_cache_clusters counts nodes where it "
            "is not enabled: state num_node_groups and replicas_per_node_group instead",
            "num_cache_clusters",
        )


# --- a group that is there ---


def check_changes(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> None:
    what = f"The replication group {current.replication_group_id}"
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the replication group {current.replication_group_id} exists: "
            "state the ids of its security groups",
            "security_group_ids",
        )
    origin.refuse_other(
        what, current.tags, desired.origin, "snapshot_name" if desired.snapshot_name else "snapshot_arns"
    )
    for option in _FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    global_datastore.check_changes(current, changes)
    if "engine" in changes or "engine_version" in changes:
        upgrade.check_engine(current, desired)
        upgrade.check_upgrade(current, desired)
    mode.check(current, desired, changes)
    configuration.check(what, current.shards, desired.layout)
    if "cache_node_type" in changes:
        _check_node_type(current, changes["cache_node_type"])
    if not desired.apply_immediately:
        _check_queueing(current, changes)
    durability.check_queueing(what, desired.apply_immediately, changes)
    transit.check(current, desired, changes)
    access.check(current, desired)
    _check_topic(what, current, desired)


def _check_queueing(current: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """What goes wrong between a call that queues and the maintenance window."""
    what = f"of the replication group {current.replication_group_id}"
    if "multi_az_enabled" in changes and changes["multi_az_enabled"] != changes.get("automatic_failover_enabled"):
        raise PlanRefused(
            f"AWS does not tell whether a change of multi_az_enabled {what} is queued, so that every run would ask for "
            "it again: set apply_immediately: true, or leave multi_az_enabled as it is",
            "apply_immediately",
        )
    leaves_none = changes.get("num_cache_clusters") == 1 or changes.get("replicas_per_node_group") == 0
    if leaves_none and current.automatic_failover_enabled and not current.cluster_enabled:
        raise PlanRefused(
            f"Automatic failover {what} goes with its maintenance window at the earliest, and needs a replica until "
            "then: set apply_immediately: true, or keep num_cache_clusters at 2 or more",
            "apply_immediately",
        )


def _check_topic(what: str, current: ReplicationGroup, desired: Desired) -> None:
    topic = desired.notification_topic_arn or current.notification_topic_arn
    if desired.notification_topic_status == "active" and not topic:
        raise PlanRefused(
            f"{what} has no topic, so notification_topic_status: active says nothing: state notification_topic_arn",
            "notification_topic_arn",
        )


def _refuse_fixed(current: ReplicationGroup, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    raise PlanRefused(
        f"{option} of the replication group {current.replication_group_id} is {is_now!r}, and AWS cannot change it to "
        f"{wanted!r} in place: make a new group under another replication_group_id and move to it, or state {is_now!r}",
        option,
    )


def _check_node_type(current: ReplicationGroup, wanted: str) -> None:
    allowed = current.allowed_node_types
    if allowed is not None and wanted not in allowed:
        raise PlanRefused(
            f"AWS cannot change the replication group {current.replication_group_id} from {current.cache_node_type} to "
            f"{wanted} in place; it can to {', '.join(sorted(allowed)) or 'nothing'}: state one of these as "
            "cache_node_type, or make a new group under another replication_group_id",
            "cache_node_type",
        )


# --- what must be so afterwards ---


def check_result(after: ReplicationGroup) -> None:
    """What a group must be after all changes, also queued ones; the options that were left out count as they are."""
    mode.check_result(after)
    _check_failover(after)
    durability.check_result(after)
    _check_tiering(after)
    if after.network_type not in (after.ip_discovery, "dual_stack"):
        raise PlanRefused(
            f"{after.replication_group_id} would tell its nodes by {after.ip_discovery}, and its network_type is "
            f"{after.network_type}: state ip_discovery: {after.network_type}",
            "ip_discovery",
        )


def _check_failover(after: ReplicationGroup) -> None:
    name = after.replication_group_id
    if after.automatic_failover_enabled and not after.cluster_enabled and after.num_cache_clusters < 2:
        raise PlanRefused(
            f"{name} would have automatic failover and {after.num_cache_clusters} node, which leaves nothing to fail "
            "over to: set num_cache_clusters to 2 or more, or automatic_failover_enabled: false",
            "automatic_failover_enabled",
        )
    if after.multi_az_enabled and not after.automatic_failover_enabled:
        raise PlanRefused(
            f"{name} would be Multi-AZ without automatic failover, which AWS does not have: set both "
            "automatic_failover_enabled and multi_az_enabled to true, or multi_az_enabled to false",
            "multi_az_enabled",
        )
    if after.multi_az_enabled and after.replicas_per_node_group < 1:
        raise PlanRefused(
            f"{name} would be Multi-AZ without a replica in every shard, which AWS does not have: set "
            "replicas_per_node_group to 1 or more, or multi_az_enabled to false",
            "multi_az_enabled",
        )


def _check_tiering(after: ReplicationGroup) -> None:
    name, node_type = after.replication_group_id, after.cache_node_type
    is_tiered = node_type.startswith(f"cache.{_TIERED}.")
    if is_tiered != after.data_tiering_enabled:
        other = "has no disk for it" if after.data_tiering_enabled else "has it always"
        raise PlanRefused(
            f"{name} would be of {node_type} with data_tiering_enabled: {str(after.data_tiering_enabled).lower()}, and "
            f"such a node {other}: data tiering and the node types {_TIERED} go together, from the making on",
            "data_tiering_enabled",
        )
    if is_tiered and is_before(after.engine_version, _TIERED_FROM):
        raise PlanRefused(
            f"{name} would tier its data at {after.engine_version}, and AWS does from Redis OSS 6.2 on: state a newer "
            "engine_version",
            "engine_version",
        )


def check_stated_result(after: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """What a version does not have, where it is what is asked for."""
    name, version = after.replication_group_id, after.engine_version
    early = [
        delivery.log_type
        for delivery in changes.get("log_delivery_configurations") or ()
        if is_before(version, _LOGS_FROM[delivery.log_type])
    ]
    if early:
        raise PlanRefused(
            f"{name} runs {after.engine_version}, which delivers no {' and no '.join(early)}: AWS does from Redis OSS "
            "6.0 (slow-log) and 6.2 (engine-log) on. Change log_delivery_configurations",
            "log_delivery_configurations",
        )
    if changes.get("auto_minor_version_upgrade") is False and is_before(version, _MINOR_UPGRADES_FROM):
        raise PlanRefused(
            f"{name} runs {after.engine_version}, and AWS knows auto_minor_version_upgrade from 6.0 on: leave it out",
            "auto_minor_version_upgrade",
        )


def check_windows(after: ReplicationGroup, changes: Mapping[str, Any]) -> None:
    """Whoever changes one of them meets the other as it is."""
    stated = [name for name in ("snapshot_window", "preferred_maintenance_window") if name in changes]
    if stated:
        windows.refuse_overlap(after.snapshot_window, after.preferred_maintenance_window, stated[0])
