# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a replication group as it is to one as it is wanted: the steps, in an order that AWS takes. Pure.

What AWS cannot change in place is refused in replication_group_rules, before there is a step.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.creation import (
    created,
    plan_creation,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    QUEUED_OPTIONS,
    ReplicationGroup,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    engine_of,
    label,
    same_version,
)

# Options that go together in one ModifyReplicationGroup.
_MODIFIED_TOGETHER = {
    "replication_group_description": "ReplicationGroupDescription",
    "engine": "Engine",
    "engine_version": "EngineVersion",
    "cache_node_type": "CacheNodeType",
    "automatic_failover_enabled": "AutomaticFailoverEnabled",
    "multi_az_enabled": "MultiAZEnabled",
    "security_group_ids": "SecurityGroupIds",
    "cache_parameter_group_name": "CacheParameterGroupName",
    "snapshot_retention_limit": "SnapshotRetentionLimit",
    "snapshot_window": "SnapshotWindow",
    "preferred_maintenance_window": "PreferredMaintenanceWindow",
}

_NOTICED_BY_CLIENTS = ("engine_version", "cache_node_type")

# Redis OSS below is cut off from its clients while it becomes Valkey.
_MOVES_WITHOUT_DOWNTIME_FROM = (5, 0, 6)


# --- state present ---


def plan_present(current: ReplicationGroup | None, desired: Desired) -> Plan:
    """Raises PlanRefused. ``current`` is None where there is no group, or is on its way out."""
    if current is None or current.is_going:
        return plan_creation(desired)
    refuse_unusable(current, desired)
    changes = differences(current, desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        return _plan_adoption(current, desired, changes)
    rules.check_changes(current, desired, changes)
    after = _predict(current, desired, changes)
    rules.check_result(_eventually(after, desired, changes))
    rules.check_windows(after, changes)
    before = as_options(current)
    shown = {**changes, **({"tags": after.tags} if after.tags != current.tags else {})}
    if desired.token_change:
        shown["auth_token_update_strategy"] = desired.token_change
    return Plan(
        steps=tuple(_steps(current, desired, changes, after)),
        before={name: before.get(name) for name in shown},
        after={name: list(value) if isinstance(value, tuple) else value for name, value in shown.items()},
        pending=after.pending,
    )


def predict(current: ReplicationGroup | None, desired: Desired) -> ReplicationGroup:
    """The group that the plan leads to, for its endpoint and its cost before it is there."""
    if current is None or current.is_going:
        return created(desired)
    if current.tags is not None and not ownership.is_ours(current.tags, desired.migration_name):
        return current  # adopted, and so left as it is
    return _predict(current, desired, differences(current, desired))


def needs_allowed_node_types(current: ReplicationGroup | None, desired: Desired) -> bool:
    """Only a change of the node type asks AWS for the types that it may change to."""
    return current is not None and current.is_ready and "cache_node_type" in differences(current, desired)


def refuse_unusable(current: ReplicationGroup, desired: Desired) -> None:
    """A group that waiting does not mend: somebody else's, or one whose creation failed."""
    what = f"The replication group {current.replication_group_id}"
    if current.has_failed:
        raise PlanRefused(
            f"{what} is {current.waits_for}: AWS could not make it. Its events (aws elasticache describe-events) say "
            "why. If it never served, have it removed (rollback.yml with migration_rollback_delete_target: true; of "
            "this module state: absent with skip_final_snapshot: true), and run this again. If it serves, mend what "
            "they name",
            "state",
        )
    if current.tags is not None and not ownership.is_ours(current.tags, desired.migration_name) and not desired.adopt:
        ownership.refuse_foreign(what, current.tags, desired.migration_name)


def differences(current: ReplicationGroup, desired: Desired) -> dict[str, Any]:
    """Stated options that are not so, nor queued to become so where the user leaves it to the window."""
    found: dict[str, Any] = {}
    for item in fields(current):
        wanted = getattr(desired, item.name, None)
        if wanted is None or item.name in ("replication_group_id", "tags"):
            continue
        queued = not desired.apply_immediately and _is_queued(item.name, current.pending, desired)
        if _is_so(item.name, current, wanted) or queued:
            continue
        found[item.name] = wanted
    return _with_its_engine(current, found)


def _with_its_engine(current: ReplicationGroup, values: dict[str, Any]) -> dict[str, Any]:
    """A version that is stated beside a queued move to another engine says of which engine it is."""
    if "engine_version" not in values or "engine" not in current.pending:
        return values
    return {**values, "engine": engine_of(values["engine_version"])}


def _is_so(option: str, current: ReplicationGroup, wanted: Any) -> bool:
    if option == "engine_version":
        return same_version(current.engine_version, wanted)
    if option == "at_rest_encryption_enabled":
        return current.is_encrypted_at_rest if wanted else not current.at_rest_encryption_enabled
    if option == "kms_key_id":
        return bool(current.kms_key_id == wanted or current.kms_key_id.endswith(f"/{wanted}"))
    return bool(getattr(current, option) == wanted)


def _is_queued(option: str, pending: Mapping[str, Any], desired: Desired) -> bool:
    """Two that AWS does not show are queued by the call that queues what they belong to."""
    if option == "multi_az_enabled":
        return pending.get("automatic_failover_enabled") is desired.multi_az_enabled
    if option == "cache_parameter_group_name":
        option = "engine_version"
    wanted = getattr(desired, option)
    if option not in pending or wanted is None:
        return False
    if option == "engine_version":
        return same_version(pending[option], wanted)
    return bool(pending[option] == wanted)


def _predict(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> ReplicationGroup:
    now = dict(changes)
    pending = dict(current.pending)
    if desired.apply_immediately:
        if _flushes(desired, changes):
            flushed = {name: pending.pop(name) for name in QUEUED_OPTIONS if name in pending}
            if flushed.get("automatic_failover_enabled") is False and desired.multi_az_enabled is None:
                flushed["multi_az_enabled"] = False  # AWS queues the one only with the other
            now = {**flushed, **_with_overrides(current, desired, changes)}
    else:
        pending.update({name: now.pop(name) for name in QUEUED_OPTIONS if name in now})
        now.pop("multi_az_enabled", None)
        if "engine_version" in changes:
            now.pop("cache_parameter_group_name", None)
    if now.get("transit_encryption_enabled") is False:
        now["transit_encryption_mode"] = ""
    if desired.token_change:
        now["auth_token_enabled"] = True
    tags = ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags)
    return replace(current, tags=tags, pending=pending, **now)


def _eventually(after: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> ReplicationGroup:
    """The group once its maintenance window has passed, where the user leaves changes to that."""
    if desired.apply_immediately:
        return after
    failover = bool(after.pending.get("automatic_failover_enabled", after.automatic_failover_enabled))
    kept = after.multi_az_enabled and (failover or "automatic_failover_enabled" in changes)
    multi_az = kept if desired.multi_az_enabled is None else desired.multi_az_enabled
    return replace(after, automatic_failover_enabled=failover, multi_az_enabled=multi_az)


def _flushes(desired: Desired, changes: Mapping[str, Any]) -> bool:
    """Whether there is a modify call that acts at once: it also applies what was queued before."""
    modifies = any(name in _MODIFIED_TOGETHER or name.startswith("transit_") for name in changes)
    return desired.apply_immediately and (modifies or bool(desired.token_change))


def _with_overrides(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The changes, and what is stated against something queued that this call would flush."""
    against = {name: getattr(desired, name) for name in _queued_otherwise(current, desired)}
    if "engine" in against:
        against.setdefault("engine_version", label(current.engine_version))
    return {**_with_its_engine(current, against), **changes}


def _queued_otherwise(group: ReplicationGroup, desired: Desired) -> list[str]:
    return [
        name
        for name in QUEUED_OPTIONS
        if name in group.pending and getattr(desired, name) is not None and not _is_queued(name, group.pending, desired)
    ]


def queued_against(group: ReplicationGroup, desired: Desired) -> list[str]:
    """Sentences on what the maintenance window will change although it is stated otherwise."""
    return [
        f"{name} of {group.replication_group_id} is stated as {getattr(desired, name)}, but {group.pending[name]} is "
        "queued and comes with its maintenance window"
        for name in _queued_otherwise(group, desired)
    ]


# --- steps ---


def _steps(
    current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any], after: ReplicationGroup
) -> list[Step]:
    """The order that works: tags, more replicas, one modify, TLS, the token alone, fewer replicas."""
    nodes = changes.get("num_cache_clusters", current.num_cache_clusters)
    return [
        *ownership.tag_steps(current.arn, current.tags or {}, after.tags or {}),
        *([_replicas("IncreaseReplicaCount", current, nodes)] if nodes > current.num_cache_clusters else []),
        *_modify_steps(current, desired, changes),
        *_transit_steps(current, changes),
        *_token_steps(current, desired),
        *([_replicas("DecreaseReplicaCount", current, nodes)] if nodes < current.num_cache_clusters else []),
    ]


def _replicas(action: str, current: ReplicationGroup, nodes: int) -> Step:
    return Step(
        action,
        {
            "ReplicationGroupId": current.replication_group_id,
            "NewReplicaCount": nodes - 1,
            "ApplyImmediately": True,  # AWS has no later for this
        },
        f"num_cache_clusters: {current.num_cache_clusters} -> {nodes}",
        disruptive=action == "DecreaseReplicaCount",
    )


def _modify_steps(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> list[Step]:
    together = {name: value for name, value in changes.items() if name in _MODIFIED_TOGETHER}
    reasons = [f"{name}: {_said(getattr(current, name))} -> {_said(value)}" for name, value in together.items()]
    if _flushes(desired, changes):
        for name, value in _with_overrides(current, desired, {}).items():
            if name not in together:
                reasons.append(f"{name}: stays {value}, and not {current.pending[name]} as queued")
                together[name] = value
        reasons += [
            f"what was queued goes with it: {name} {value}"
            for name, value in current.pending.items()
            if name in QUEUED_OPTIONS and name not in together
        ]
    if not together:
        return []
    if "engine" in changes and current.version < _MOVES_WITHOUT_DOWNTIME_FROM:
        reasons.append("clients are cut off for 30 to 60 s, as below Redis OSS 5.0.6")
    parameters = {
        "ReplicationGroupId": current.replication_group_id,
        **{_MODIFIED_TOGETHER[name]: list(v) if isinstance(v, tuple) else v for name, v in together.items()},
        **_snapshot_source(current, together),
        "ApplyImmediately": desired.apply_immediately,
    }
    noticed = any(name in _NOTICED_BY_CLIENTS for name in together)
    return [Step("ModifyReplicationGroup", parameters, "; ".join(reasons), noticed)]


def _snapshot_source(current: ReplicationGroup, together: Mapping[str, Any]) -> dict[str, str]:
    """Snapshots that begin name the node they are taken of: a replica, where there is one."""
    if not together.get("snapshot_retention_limit") or current.snapshot_retention_limit:
        return {}
    source = next(iter([*current.replica_members(), *current.members]), None)
    return {"SnapshottingClusterId": source.cache_cluster_id} if source else {}


def _transit_steps(current: ReplicationGroup, changes: Mapping[str, Any]) -> list[Step]:
    """TLS goes through ``preferred`` (both are spoken) on its way in and out."""
    enabled = changes.get("transit_encryption_enabled", current.transit_encryption_enabled)
    mode = changes.get("transit_encryption_mode", current.transit_encryption_mode) if enabled else ""
    if (enabled, mode) == (current.transit_encryption_enabled, current.transit_encryption_mode):
        return []
    steps = []
    if current.transit_encryption_mode != "preferred":
        steps.append(_transit(current, {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"}, False))
    if not enabled:
        steps.append(_transit(current, {"TransitEncryptionEnabled": False}, True))
    elif mode == "required":
        steps.append(_transit(current, {"TransitEncryptionMode": "required"}, True))
    return steps


def _transit(current: ReplicationGroup, parameters: Mapping[str, Any], disruptive: bool) -> Step:
    if parameters.get("TransitEncryptionEnabled") is False:
        reason = "transit_encryption_enabled: clients that speak TLS are refused from here on"
    elif parameters["TransitEncryptionMode"] == "required":
        reason = "transit_encryption_mode: required; clients without TLS are refused from here on"
    else:
        reason = "transit_encryption_mode: preferred; clients with and without TLS are served"
    return Step(
        "ModifyReplicationGroup",
        {"ReplicationGroupId": current.replication_group_id, **parameters, "ApplyImmediately": True},
        reason,
        disruptive,
    )


def _token_steps(current: ReplicationGroup, desired: Desired) -> list[Step]:
    """A call of its own, at once. AWS never gives a token back, so only the user can say that it is another one."""
    strategy = desired.token_change.upper()
    if not strategy:
        return []
    reasons = {
        "ROTATE": "auth_token_update_strategy: rotate; the old token and the new one are both valid",
        "SET": "auth_token_update_strategy: set; the new token alone is valid",
    }
    if strategy == "ROTATE" and not current.auth_token_enabled:
        reasons["ROTATE"] = (
            "auth_token_update_strategy: rotate; clients with and without a token are served until it is set"
        )
    parameters = {
        "ReplicationGroupId": current.replication_group_id,
        "AuthToken": desired.auth_token,
        "AuthTokenUpdateStrategy": strategy,
        "ApplyImmediately": True,
    }
    return [Step("ModifyReplicationGroup", parameters, reasons[strategy], disruptive=strategy == "SET")]


def _said(value: Any) -> str:
    return ", ".join(value) if isinstance(value, (tuple, list)) else str(value) if value not in ("", None) else "none"


# --- adoption, deletion ---


def _plan_adoption(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> Plan:
    """Somebody else's group is used as it is: nothing is changed, and a difference is refused."""
    rules.check_kind(current)
    told = {name: value for name, value in changes.items() if name != "replication_group_description"}
    if desired.auth_token and not current.auth_token_enabled:
        told["auth_token"] = "a token"
    if desired.token_change:
        told["auth_token_update_strategy"] = desired.token_change
    if told:
        what = f"The replication group {current.replication_group_id}"
        ownership.refuse_differences(what, told, {**as_options(current), "auth_token": "none"})
    return Plan(pending=current.pending)


def plan_absent(current: ReplicationGroup | None, deletion: Deletion) -> Plan:
    """Raises PlanRefused for what is not ours."""
    if current is None or current.is_going:
        return Plan()
    what = f"The replication group {current.replication_group_id}"
    if not ownership.is_ours(current.tags, deletion.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, deletion.migration_name)
    if current.has_failed and deletion.final_snapshot_identifier:
        raise PlanRefused(
            f"{what} is {current.waits_for} and has no data to snapshot: set skip_final_snapshot: true instead of "
            "final_snapshot_identifier",
            "skip_final_snapshot",
        )
    parameters: dict[str, Any] = {
        "ReplicationGroupId": current.replication_group_id,
        "RetainPrimaryCluster": False,  # a primary left over would run on, and cost, outside of any group
    }
    data = "its data is given up (skip_final_snapshot)"
    if deletion.final_snapshot_identifier:
        parameters["FinalSnapshotIdentifier"] = deletion.final_snapshot_identifier
        data = f"its data is kept in the snapshot {deletion.final_snapshot_identifier}"
    step = Step("DeleteReplicationGroup", parameters, f"state: absent; {data}", disruptive=True)
    return Plan(steps=(step,), before=as_options(current), after={})
