# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a cache cluster: read, plan, act as far as it goes, and say what it waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import (
    Run,
    Watched,
    is_in_motion,
    result_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.waiting import carry_out
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import (
    CacheCluster,
    as_options,
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.plan import (
    needs_allowed_node_types,
    plan_absent,
    plan_present,
    predict,
    queued_against,
    refuse_unusable,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cost import monthly_cost


def make_present(client: Any, desired: Desired, region: str, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    current = api.read_cache_cluster(client, desired.cache_cluster_id)
    if current is not None and needs_allowed_node_types(current, desired):
        current = api.with_node_types_of_cluster(client, current)
    if current is not None and is_in_motion(current):
        refuse_unusable(current, desired)
        if current.tags is None or not check_mode:
            run = Run(Plan(pending=current.pending), None if check_mode else (), current.waits_for)
            return _present_result(current, current, region, run)
    plan, expected = plan_present(current, desired), predict(current, desired)
    if check_mode:
        return _present_result(current, expected, region, Run(plan, performed=None))
    if current is not None and current.is_going:
        return _present_result(current, expected, region, Run(waits_for="deleting; made again once it is gone"))
    watched = _watched(client, desired.cache_cluster_id, current)
    run = _apply_present(watched, plan, desired)
    there = watched.resource
    shown = there if there is not None and not there.is_going else expected
    result = _present_result(there, shown, region, replace(run, plan=replace(plan, pending=shown.pending)))
    return {**result, "warnings": queued_against(shown, desired)}


def _apply_present(watched: Watched[CacheCluster], plan: Plan, desired: Desired) -> Run:
    progress = carry_out(plan, watched.act, watched.waits_for)
    waits_for = progress.waits_for
    if progress.performed and not waits_for and watched.resource is not None:
        waits_for = "" if _shows(watched.resource, desired) else "waiting for its changes to show"
    return Run(plan, progress.performed, waits_for)


def _shows(cluster: CacheCluster, desired: Desired) -> bool:
    """Available can be told before `modifying` appears, so what was asked for must show too."""
    try:
        return not plan_present(cluster, desired).steps
    except PlanRefused:
        return False


def make_absent(client: Any, deletion: Deletion, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    name = deletion.cache_cluster_id
    current = api.read_cache_cluster(client, name)
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


def _is_worth_waiting_for(cluster: CacheCluster, deletion: Deletion) -> bool:
    """AWS deletes only what is available, or has failed; and we only what is ours."""
    may_be_ours = cluster.tags is None or ownership.is_ours(cluster.tags, deletion.migration_name)
    return is_in_motion(cluster) and not cluster.has_failed and may_be_ours


def _watched(client: Any, name: str, cluster: CacheCluster | None) -> Watched[CacheCluster]:
    return Watched(lambda: api.read_cache_cluster(client, name), lambda step: api.act(client, step), cluster)


def _present_result(there: CacheCluster | None, shown: CacheCluster, region: str, run: Run) -> dict[str, Any]:
    """``shown`` is what its endpoint and cost are told of."""
    return {
        **result_of(shown.cache_cluster_id, there, run),
        "endpoint": endpoint_of(shown).as_dict(),
        "monthly_cost": monthly_cost(region, shown.engine, shown.cache_node_type, shown.num_cache_nodes),
        "token_changed": False,
    }


def facts(cluster: CacheCluster, migration_name: str | None) -> dict[str, Any]:
    """What elasticache_cluster_info tells of a cluster."""
    return {
        **as_options(cluster),
        "status": cluster.status,
        "arn": cluster.arn,
        "nodes": [vars(node) for node in cluster.nodes],
        "endpoint": endpoint_of(cluster).as_dict(),
        "pending": dict(cluster.pending),
        "tags": dict(cluster.tags) if cluster.tags is not None else None,
        "ours": ownership.is_ours(cluster.tags, migration_name) if migration_name else None,
    }
