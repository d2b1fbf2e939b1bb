# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a replication group: read, plan, act as far as it goes, and say what it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.events import read_events
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import (
    Run,
    Watched,
    is_in_motion,
    result_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.waiting import carry_out
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cost import monthly_cost
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import access
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.creation import restored
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
    as_options,
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    KEEP,
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.differences import (
    queued_against,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.plan import (
    needs_allowed_node_types,
    plan_absent,
    plan_present,
    predict,
    refuse_unusable,
)


def make_present(client: Any, desired: Desired, region: str, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    current = api.read_replication_group(client, desired.replication_group_id)
    if current is None or current.is_going:
        desired = _for_a_new_one(client, desired)
    if current is not None and current.has_failed:
        current = replace(current, events=read_events(client, "replication-group", current.replication_group_id))
    if current is not None and needs_allowed_node_types(current, desired):
        current = api.with_allowed_node_types(client, current)
    if current is not None and is_in_motion(current):
        refuse_unusable(current, desired)
        if current.tags is None or not check_mode:
            run = Run(Plan(pending=current.pending), None if check_mode else (), current.waits_for)
            return _present_result(current, current, region, run)
    phrase = _access_in_motion(current, desired) if current is not None else ""
    if current is not None and phrase:
        run = Run(Plan(pending=current.pending), None if check_mode else (), phrase)
        return _present_result(current, current, region, run)
    plan, expected = plan_present(current, desired), predict(current, desired)
    if check_mode:
        return _present_result(current, expected, region, Run(plan, performed=None))
    if current is not None and current.is_going:
        return _present_result(current, expected, region, Run(waits_for="deleting; made again once it is gone"))
    watched = _watched(client, desired.replication_group_id, current)
    run = _apply_present(watched, plan, desired)
    there = watched.resource
    shown = there if there is not None and not there.is_going else expected
    result = _present_result(there, shown, region, replace(run, plan=replace(plan, pending=shown.pending)))
    return {**result, "warnings": [*queued_against(shown, desired), *_undelivered(shown)]}


def _for_a_new_one(client: Any, desired: Desired) -> Desired:
    """With what AWS knows of what it is made from: a snapshot, a parameter group."""
    if desired.snapshot_name:
        desired = restored(desired, api.read_snapshot(client, desired.snapshot_name))
    if desired.cache_parameter_group_name is None:
        return desired
    enables = api.enables_cluster(client, desired.cache_parameter_group_name)
    return replace(desired, parameters_enable_cluster=enables)


def _access_in_motion(group: ReplicationGroup, desired: Desired) -> str:
    """A token that is being set may not show at once, nor users that come and go. Empty where there is no such."""
    if group.is_going:
        return ""
    if "user_group_ids" in group.pending and access.wants_other_users(group, desired):
        return "its users are being changed"
    takes_the_place_of_users = desired.user_group_ids == ()
    keeps = desired.auth_token_update_strategy == KEEP and not group.auth_token_enabled
    return "its token does not show yet" if keeps and (takes_the_place_of_users or not group.user_group_ids) else ""


def _apply_present(watched: Watched[ReplicationGroup], plan: Plan, desired: Desired) -> Run:
    progress = carry_out(plan, watched.act, watched.waits_for)
    waits_for = progress.waits_for
    if progress.performed and not waits_for and watched.resource is not None:
        waits_for = "" if _shows(watched.resource, desired) else "waiting for its changes to show"
        if any("AuthToken" in step.parameters for step in progress.performed):
            waits_for = waits_for or "its token is being changed"  # nothing but a later look can tell
    return Run(plan, progress.performed, waits_for)


def _shows(group: ReplicationGroup, desired: Desired) -> bool:
    """Available can be told before `modifying` appears, so what was asked for must show too."""
    try:
        return not plan_present(group, replace(desired, auth_token_update_strategy=KEEP)).steps
    except PlanRefused:
        return False


def make_absent(client: Any, deletion: Deletion, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    name = deletion.replication_group_id
    current = api.read_replication_group(client, name)
    if current is not None and not check_mode and _is_worth_waiting_for(current, deletion):
        return result_of(name, current, Run(waits_for=current.waits_for))
    plan = plan_absent(current, deletion)
    if check_mode:
        return result_of(name, current, Run(plan, performed=None))
    watched = _watched(client, name, current)
    progress = carry_out(plan, watched.act, lambda: None)
    if progress.performed:
        watched.waits_for()
    waits_for = progress.waits_for or ("deleting" if watched.resource is not None else "")
    return result_of(name, watched.resource, Run(plan, progress.performed, waits_for))


def _is_worth_waiting_for(group: ReplicationGroup, deletion: Deletion) -> bool:
    """AWS deletes only what is available, or has failed; and we only what is ours."""
    may_be_ours = group.tags is None or ownership.is_ours(group.tags, deletion.migration_name)
    return is_in_motion(group) and not group.has_failed and may_be_ours


def _watched(client: Any, name: str, group: ReplicationGroup | None) -> Watched[ReplicationGroup]:
    return Watched(lambda: api.read_replication_group(client, name), lambda step: api.act(client, step), group)


# --- results ---


def _undelivered(group: ReplicationGroup) -> list[str]:
    return [f"AWS does not deliver a log of {group.replication_group_id}: {phrase}" for phrase in group.log_failures]


def _present_result(group: ReplicationGroup | None, shown: ReplicationGroup, region: str, run: Run) -> dict[str, Any]:
    """``group`` is what is there; ``shown`` is what its endpoint and cost are told of."""
    return {
        **result_of(shown.replication_group_id, group, run),
        "endpoint": endpoint_of(shown).as_dict(),
        "monthly_cost": monthly_cost(region, shown.engine, shown.cache_node_type, shown.num_cache_clusters),
        "token_changed": any("AuthToken" in step.parameters for step in run.performed or ()),
    }


def facts(group: ReplicationGroup, migration_name: str | None) -> dict[str, Any]:
    """What elasticache_cluster_info tells of a group."""
    return {
        **as_options(group),
        "status": group.status,
        "arn": group.arn,
        "cluster_enabled": group.cluster_enabled,
        "at_rest_encryption_enabled": group.is_encrypted_at_rest,
        "endpoint": endpoint_of(group).as_dict(),
        "pending": dict(group.pending),
        "tags": dict(group.tags) if group.tags is not None else None,
        "ours": ownership.ours_or_unknown(group.tags, migration_name),
        "members": [vars(member) for member in group.members],
    }
