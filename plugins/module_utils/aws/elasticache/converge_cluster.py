# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""State present and state absent of a cache cluster. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from functools import partial
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import converging
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.converging import Access, Wanted
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.events import read_events
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
    """The module's result."""
    name = desired.cache_cluster_id
    told = partial(read_events, client, "cache-cluster", name)
    wanted: Wanted[CacheCluster] = Wanted(
        plan=lambda current: plan_present(_allowing(client, current, desired), desired),
        predict=lambda current: predict(current, desired),
        refuse_unusable=lambda current: refuse_unusable(current, desired, told() if current.has_failed else ""),
    )
    course = converging.present(_access(client, name), wanted, check_mode)
    shown = course.shown
    return {
        **course.result(),
        "endpoint": endpoint_of(shown).as_dict(),
        "monthly_cost": monthly_cost(region, shown.engine, shown.cache_node_type, shown.num_cache_nodes),
        "token_changed": False,
        "warnings": queued_against(shown, desired),
    }


def _allowing(client: Any, current: CacheCluster | None, desired: Desired) -> CacheCluster | None:
    """With the node types that AWS allows, where another one is wanted."""
    if current is not None and needs_allowed_node_types(current, desired):
        return api.with_node_types_of_cluster(client, current)
    return current


def make_absent(client: Any, deletion: Deletion, check_mode: bool) -> dict[str, Any]:
    """The module's result."""
    access = _access(client, deletion.cache_cluster_id)
    plan_for = partial(plan_absent, deletion=deletion)
    return converging.absent(access, plan_for, deletion.migration_name, check_mode)


def _access(client: Any, name: str) -> Access[CacheCluster]:
    return Access(name, lambda: api.read_cache_cluster(client, name), lambda step: api.act(client, step))


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
