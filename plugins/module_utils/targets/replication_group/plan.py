# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a replication group as it is to one as it is wanted: the steps, in an order that AWS takes. Pure.

What AWS cannot change in place is refused in ``rules``, before there is a step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery, ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import (
    access,
    configuration,
    durability,
    global_datastore,
    mode,
    modify,
    rules,
    shard_steps,
    transit,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.creation import (
    created,
    plan_creation,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    COMPATIBLE,
    DEFAULT_DATABASES,
    DISABLED,
    QUEUED_OPTIONS,
    ReplicationGroup,
    as_options,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.differences import (
    differences,
    with_overrides,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import Shard

_OF_SHARDS = ("num_cache_clusters", "num_node_groups", "replicas_per_node_group", "node_group_configuration")

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
    eventually = _eventually(after, desired, changes)
    rules.check_result(eventually)
    rules.check_stated_result(eventually, changes)
    if mode.rises(current, changes):
        mode.check_rise(after)
    rules.check_windows(after, changes)
    return Plan(
        steps=tuple(_steps(current, desired, changes, after)),
        pending=after.pending,
        **_diff(current, desired, changes, after),
    )


def _diff(
    current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any], after: ReplicationGroup
) -> dict[str, Any]:
    before, will_be = as_options(current), as_options(after)
    shown = dict(changes)
    if after.tags != current.tags:
        shown["tags"] = after.tags
    if access.wants_other_users(current, desired):
        shown["user_group_ids"] = will_be["user_group_ids"]
    if access.changes_token(current, desired):
        shown["auth_token_update_strategy"] = desired.token_change
    return {
        "before": {name: before.get(name) for name in shown},
        "after": {name: log_delivery.plain(value) for name, value in shown.items()},
    }


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
            f"{what} is {current.waits_for}: AWS could not make it. {_why_it_failed(current)} If it never served, have "
            "it removed (rollback.yml with migration_rollback_delete_target: true; of this module state: absent with "
            "skip_final_snapshot: true), and run this again. If it serves, mend what they name",
            "state",
        )
    ownership.refuse_foreign(what, current.tags, desired.migration_name, desired.adopt)
    global_datastore.refuse_read_only(current)


def _why_it_failed(current: ReplicationGroup) -> str:
    if not current.events:
        return "Its events (aws elasticache describe-events) say why."
    return f"Its events say: {current.events}."


def _predict(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> ReplicationGroup:
    now = {name: value for name, value in changes.items() if name not in _OF_SHARDS}
    pending = dict(current.pending)
    if desired.apply_immediately:
        if _flushes(current, desired, changes):
            flushed = {name: pending.pop(name) for name in QUEUED_OPTIONS if name in pending}
            if flushed.get("automatic_failover_enabled") is False and desired.multi_az_enabled is None:
                flushed["multi_az_enabled"] = False  # AWS queues the one only with the other
            now = {**flushed, **with_overrides(current, desired, now)}
    else:
        pending.update({name: now.pop(name) for name in QUEUED_OPTIONS if name in now})
        now.pop("multi_az_enabled", None)
        if "engine_version" in changes:
            now.pop("cache_parameter_group_name", None)
    if now.get("transit_encryption_enabled") is False:
        now["transit_encryption_mode"] = ""
    if now.get("durability", durability.OFF) != durability.OFF:
        now["at_rest_encryption_enabled"] = True
    now.update(_by_mode(current, now))
    now.update(access.after(current, desired))
    tags = ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags)
    return replace(current, tags=tags, pending=pending, shards=desired.layout.after(current.shards), **now)


def _by_mode(current: ReplicationGroup, now: Mapping[str, Any]) -> dict[str, Any]:
    """What comes with another cluster mode."""
    wanted = now.get("cluster_mode", current.cluster_mode)
    if wanted == current.cluster_mode:
        return {}
    group = now.get("cache_parameter_group_name", current.cache_parameter_group_name)
    databases = DEFAULT_DATABASES if wanted == DISABLED else 1
    return {"cache_parameter_group_name": mode.parameter_group_after(group, wanted), "databases": databases}


def _eventually(after: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> ReplicationGroup:
    """The group once its maintenance window has passed, where the user leaves changes to that."""
    if desired.apply_immediately:
        return after
    failover = bool(after.pending.get("automatic_failover_enabled", after.automatic_failover_enabled))
    kept = after.multi_az_enabled and (failover or "automatic_failover_enabled" in changes)
    multi_az = kept if desired.multi_az_enabled is None else desired.multi_az_enabled
    return replace(after, automatic_failover_enabled=failover, multi_az_enabled=multi_az)


def _flushes(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> bool:
    """Whether there is a modify call that acts at once: it also applies what was queued before."""
    apart = ("cluster_mode", "durability")
    modifies = any(name in modify.TOGETHER or name in apart or name.startswith("transit_") for name in changes)
    of_access = access.changes_token(current, desired) or access.wants_other_users(current, desired)
    return desired.apply_immediately and (modifies or of_access)


# --- steps ---


def _steps(
    current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any], after: ReplicationGroup
) -> list[Step]:
    """The order that works: tags, shards, more replicas, one modify, TLS, users and token alone, fewer replicas.

    Durability ends before what it needs is taken away, and begins once all that it needs is there. Cluster mode
    compatible is left before anything else, as AWS changes little else in it, and entered last; where a group gets more
    shards on its way up from disabled, what makes it fit comes before, and the shards after.
    """
    name, option = current.replication_group_id, desired.replicas_option
    ends = durability.steps(current, changes) if after.durability == durability.OFF else []
    begins = durability.steps(current, changes) if after.durability != durability.OFF else []
    rises, moves = mode.rises(current, changes), mode.steps(current, desired, changes)
    leaves = moves if current.cluster_mode == COMPATIBLE else []
    grown: tuple[Shard, ...] = replace(desired.layout, shards=None).after(current.shards) if rises else after.shards
    shards = shard_steps.shard_steps(name, grown if rises else current.shards, after.shards)
    goes_along = any("CacheParameterGroupName" in step.parameters for step in moves)
    apart = ("cache_parameter_group_name",) if goes_along else ()
    together = {key: value for key, value in changes.items() if key not in apart}
    return [
        *ownership.tag_steps(current.arn, current.tags or {}, after.tags or {}),
        *leaves,
        *ends,
        *([] if rises else shards),
        *shard_steps.more_replicas(name, current.shards, grown, option),
        *modify.steps(current, desired, together, _flushes(current, desired, changes)),
        *transit.steps(current, changes),
        *access.steps(current, desired),
        *([] if leaves else moves),
        *(shards if rises else []),
        *begins,
        *shard_steps.fewer_replicas(name, current.shards, grown, option),
    ]


# --- adoption, deletion ---


def _plan_adoption(current: ReplicationGroup, desired: Desired, changes: Mapping[str, Any]) -> Plan:
    """With what is stated of shards and of who is let in, which no other change says."""
    what, told = f"The replication group {current.replication_group_id}", dict(changes)
    configuration.check(what, current.shards, desired.layout)
    if desired.auth_token and not current.auth_token_enabled:
        told["auth_token"] = "a token"
    if access.changes_token(current, desired):
        told["auth_token_update_strategy"] = desired.token_change
    if access.wants_other_users(current, desired):
        told["user_group_ids"] = list(desired.user_group_ids or ())
    return ownership.plan_adopted(what, told, {**as_options(current), "auth_token": "none"}, current.pending)


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
    global_datastore.refuse_deletion(current)
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
