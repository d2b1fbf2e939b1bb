# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a cache cluster as it is to one as it is wanted: the steps, in an order that AWS takes. Pure.

What AWS cannot change in place is refused in ``rules``, before there is a step.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import (
    common_options,
    log_delivery,
    ownership,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster import rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.creation import (
    created,
    plan_creation,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import (
    MULTIPLE,
    QUEUED_OPTIONS,
    CacheCluster,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import (
    CROSS,
    SINGLE,
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    MEMCACHED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    same_version,
)

_MODIFIED_TOGETHER = {
    "num_cache_nodes": "NumCacheNodes",
    "az_mode": "AZMode",
    "cache_node_type": "CacheNodeType",
    "engine_version": "EngineVersion",
    "security_group_ids": "SecurityGroupIds",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
    "notification_topic_arn": "NotificationTopicArn",
    "notification_topic_status": "NotificationTopicStatus",
    "ip_discovery": "IpDiscovery",
    "auto_minor_version_upgrade": "AutoMinorVersionUpgrade",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "log_delivery_configurations": "LogDeliveryConfigurations",
}
# Of Memcached each of these takes data away: nodes that go, and nodes that come anew.
_NOTICED_BY_CLIENTS = ("cache_node_type", "engine_version", "num_cache_nodes")


def plan_present(current: CacheCluster | None, desired: Desired) -> Plan:
    """Raises PlanRefused. ``current`` is None where there is no cluster, or is on its way out."""
    if current is None or current.is_going:
        return plan_creation(desired)
    refuse_unusable(current, desired)
    changes = differences(current, desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        what = f"The cache cluster {current.cache_cluster_id}"
        return ownership.plan_adopted(what, changes, as_options(current), current.pending)
    rules.check_changes(current, desired, changes)
    after = _predict(current, desired, changes)
    before = as_options(current)
    if "num_cache_nodes" in current.pending:
        before["num_cache_nodes"] = f"{current.num_cache_nodes}, and {current.pending['num_cache_nodes']} queued"
    shown = {**changes, **({"tags": after.tags} if after.tags != current.tags else {})}
    return Plan(
        steps=(
            *ownership.tag_steps(current.arn, current.tags or {}, after.tags or {}),
            *_modify_steps(current, desired, changes),
        ),
        before={name: before.get(name) for name in shown},
        after={name: log_delivery.plain(value) for name, value in shown.items()},
        pending=after.pending,
    )


def predict(current: CacheCluster | None, desired: Desired) -> CacheCluster:
    """The cluster that the plan leads to, for its endpoint and its cost before it is there."""
    if current is None or current.is_going:
        return created(desired)
    if current.tags is not None and not ownership.is_ours(current.tags, desired.migration_name):
        return current  # adopted, and so left as it is
    return _predict(current, desired, differences(current, desired))


def needs_allowed_node_types(current: CacheCluster | None, desired: Desired) -> bool:
    """Only a change of the node type asks AWS for the types that it may change to."""
    return current is not None and current.is_ready and "cache_node_type" in differences(current, desired)


def refuse_unusable(current: CacheCluster, desired: Desired, events: str = "") -> None:
    """A cluster that waiting does not mend: somebody else's, a group's node, or one whose creation failed, with what
    AWS says of it.
    """
    what = f"The cache cluster {current.cache_cluster_id}"
    rules.check_kind(current)
    if current.has_failed:
        said = f" ({events})" if events else ""
        raise PlanRefused(
            f"{what} is {current.status}: AWS could not make it{said}. If it never served, remove it (state: absent "
            "with skip_final_snapshot: true), mend what its events name (aws elasticache describe-events), and run "
            "this again",
            "state",
        )
    ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)


def differences(current: CacheCluster, desired: Desired) -> dict[str, Any]:
    """Stated options that are not so, nor queued to become so where the user leaves it to the window."""
    found: dict[str, Any] = {}
    for item in fields(current):
        wanted = getattr(desired, item.name, None)
        if wanted is None or item.name in ("cache_cluster_id", "tags"):
            continue
        if item.name == "num_cache_nodes" and "num_cache_nodes" in current.pending:
            if desired.apply_immediately or current.pending["num_cache_nodes"] != wanted:
                found[item.name] = wanted  # the number that runs cancels what is queued
            continue
        queued = not desired.apply_immediately and _is_queued(item.name, current.pending, wanted)
        if not _is_so(item.name, current, wanted) and not queued:
            found[item.name] = wanted
    return found


def _is_so(option: str, current: CacheCluster, wanted: Any) -> bool:
    if option == "engine_version":
        return same_version(current.engine_version, wanted)
    if option == "preferred_availability_zones":  # AWS places nodes in any order
        return Counter(current.preferred_availability_zones) == Counter(wanted)
    return bool(getattr(current, option) == wanted)


def _is_queued(option: str, pending: Mapping[str, Any], wanted: Any) -> bool:
    """A parameter group is queued by the call that queues the version that it belongs to, and zones with the nodes."""
    if option == "cache_parameter_group_name":
        return "engine_version" in pending
    if option in ("az_mode", "preferred_availability_zones"):
        return "num_cache_nodes" in pending
    if option == "engine_version" and option in pending:
        return same_version(pending[option], wanted)
    return option in pending and bool(pending[option] == wanted)


def _predict(current: CacheCluster, desired: Desired, changes: Mapping[str, Any]) -> CacheCluster:
    now, pending = dict(changes), dict(current.pending)
    if "num_cache_nodes" in changes:
        pending.pop("num_cache_nodes", None)
    if desired.apply_immediately:
        if changes:
            flushed = {name: pending.pop(name) for name in QUEUED_OPTIONS if name in pending}
            now = {**flushed, **_overrides(current, desired), **changes}
    else:
        queued = [name for name in QUEUED_OPTIONS if name in now and getattr(current, name) != now[name]]
        pending.update({name: now.pop(name) for name in queued})
        if "num_cache_nodes" in queued:
            now.pop("az_mode", None)
            now.pop("preferred_availability_zones", None)
        if "engine_version" in changes:
            now.pop("cache_parameter_group_name", None)
    tags = ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags)
    return _with_nodes(replace(current, tags=tags, pending=pending, **now), current)


def _with_nodes(after: CacheCluster, current: CacheCluster) -> CacheCluster:
    """In which zones its nodes will lie, as far as it is known: AWS chooses those of new ones that are not stated."""
    zones = after.preferred_availability_zones[: after.num_cache_nodes]
    if len(set(zones)) > 1:
        return replace(after, preferred_availability_zones=zones, az_mode=CROSS, preferred_availability_zone=MULTIPLE)
    if after.num_cache_nodes < current.num_cache_nodes:
        zone = zones[0] if zones else after.preferred_availability_zone
        return replace(after, preferred_availability_zones=zones, az_mode=SINGLE, preferred_availability_zone=zone)
    if after.az_mode == CROSS:
        return replace(after, preferred_availability_zones=zones, preferred_availability_zone=MULTIPLE)
    return replace(after, preferred_availability_zones=zones)


def _overrides(current: CacheCluster, desired: Desired) -> dict[str, Any]:
    """What is stated against something queued, which a call that acts at once would bring."""
    return {
        name: getattr(desired, name)
        for name in QUEUED_OPTIONS
        if name in current.pending
        and getattr(desired, name) is not None
        and not _is_queued(name, current.pending, getattr(desired, name))
    }


def queued_against(cluster: CacheCluster, desired: Desired) -> list[str]:
    """Sentences on what the maintenance window will change although it is stated otherwise."""
    return [
        f"{name} of {cluster.cache_cluster_id} is stated as {wanted}, but {cluster.pending[name]} is queued and comes "
        "with its maintenance window"
        for name, wanted in _overrides(cluster, desired).items()
    ]


# --- the steps ---


def _modify_steps(current: CacheCluster, desired: Desired, changes: Mapping[str, Any]) -> list[Step]:
    """One call with all of it. A queued number of nodes is cancelled first, as AWS counts new ones beside it."""
    if not changes:
        return []
    together, reasons = dict(changes), [_reason(current, name, value) for name, value in changes.items()]
    if desired.apply_immediately:
        for name, value in _overrides(current, desired).items():
            if name not in together:
                together[name] = value
                reasons.append(f"{name}: stays {value}, and not {current.pending[name]} as queued")
        reasons += [
            f"what was queued goes with it: {name} {value}"
            for name, value in current.pending.items()
            if name in QUEUED_OPTIONS and name not in together
        ]
    steps = []
    nodes = together.get("num_cache_nodes")
    if "num_cache_nodes" in current.pending and nodes not in (None, current.num_cache_nodes):
        steps.append(_cancelling(current, desired))
    parameters: dict[str, Any] = {"CacheClusterId": current.cache_cluster_id}
    for name, api_name in _MODIFIED_TOGETHER.items():
        if name in together:
            value = together[name]
            parameters[api_name] = list(value) if isinstance(value, tuple) else value
    parameters.update(_of_nodes(current, desired, nodes))
    if "log_delivery_configurations" in together:
        parameters["LogDeliveryConfigurations"] = log_delivery.changes(
            current.log_delivery_configurations, together["log_delivery_configurations"]
        )
    if "cache_node_type" in together and desired.scale_config and current.engine == MEMCACHED:
        parameters["ScaleConfig"] = as_scale_config(desired.scale_config)
    parameters["ApplyImmediately"] = desired.apply_immediately
    noticed = any(name in _NOTICED_BY_CLIENTS for name in together)
    return [*steps, Step("ModifyCacheCluster", parameters, "; ".join(reasons), noticed)]


def _cancelling(current: CacheCluster, desired: Desired) -> Step:
    return Step(
        "ModifyCacheCluster",
        {
            "CacheClusterId": current.cache_cluster_id,
            "NumCacheNodes": current.num_cache_nodes,
            "ApplyImmediately": desired.apply_immediately,
        },
        f"num_cache_nodes: the queued {current.pending['num_cache_nodes']} is cancelled",
    )


def _of_nodes(current: CacheCluster, desired: Desired, nodes: int | None) -> dict[str, Any]:
    """Which nodes go, the highest numbers first, or where those lie that come."""
    if nodes is None:
        return {}
    if nodes < current.num_cache_nodes:
        numbers = sorted((node.cache_node_id for node in current.nodes), reverse=True)
        return {"CacheNodeIdsToRemove": numbers[: current.num_cache_nodes - nodes]}
    zones = rules.zones_of_added(current, desired, nodes)
    if nodes == current.num_cache_nodes or not zones:
        return {}
    spread = len({*zones, *current.preferred_availability_zones}) > 1
    return {"NewAvailabilityZones": zones, **({"AZMode": CROSS} if spread else {})}


def as_scale_config(stated: Mapping[str, int]) -> dict[str, int]:
    names = {"scale_percentage": "ScalePercentage", "scale_interval_minutes": "ScaleIntervalMinutes"}
    return {api_name: stated[name] for name, api_name in names.items() if name in stated}


def _reason(current: CacheCluster, name: str, value: Any) -> str:
    if name == "num_cache_nodes" and value == current.num_cache_nodes:
        return f"num_cache_nodes: stays {value}, and the queued {current.pending[name]} is cancelled"
    words = f"{name}: {_said(getattr(current, name))} -> {_said(value)}"
    if current.engine == REDIS:
        return words
    if name == "num_cache_nodes":
        return f"{words}; keys are spread anew over the nodes, so that many are missed at first"
    if name in ("cache_node_type", "engine_version"):
        return f"{words}; each node comes anew, and empty"
    return words


def _said(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(str(item) for item in value) or "none"
    return str(value) if value not in ("", None) else "none"


# --- deletion ---


def plan_absent(current: CacheCluster | None, deletion: Deletion) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None or current.is_going:
        return Plan()
    what = f"The cache cluster {current.cache_cluster_id}"
    rules.check_kind(current)
    if not ownership.is_ours(current.tags, deletion.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, deletion.migration_name)
    parameters: dict[str, Any] = {"CacheClusterId": current.cache_cluster_id}
    data = "its data is given up (skip_final_snapshot)"
    if current.engine == MEMCACHED:
        if deletion.final_snapshot_identifier:
            raise PlanRefused(
                f"{what} is of Memcached, which has no snapshots: leave final_snapshot_identifier out, and its data is "
                "given up",
                "final_snapshot_identifier",
            )
        data = "its data is given up, as Memcached has no snapshots"
    elif deletion.final_snapshot_identifier:
        parameters["FinalSnapshotIdentifier"] = deletion.final_snapshot_identifier
        data = f"its data is kept in the snapshot {deletion.final_snapshot_identifier}"
    elif not deletion.skip_final_snapshot:
        raise common_options.gone_for_good(what, "final_snapshot_identifier")
    if current.has_failed and deletion.final_snapshot_identifier:
        raise PlanRefused(
            f"{what} is {current.status} and has no data to snapshot: set skip_final_snapshot: true instead of "
            "final_snapshot_identifier",
            "skip_final_snapshot",
        )
    step = Step("DeleteCacheCluster", parameters, f"state: absent; {data}", disruptive=True)
    return Plan(steps=(step,), before=as_options(current), after={})
