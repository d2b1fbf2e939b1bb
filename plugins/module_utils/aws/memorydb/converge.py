# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a cluster of MemoryDB: its calls, and what its modules return."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import converging
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.converging import Access, Wanted
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cost import monthly_cost
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import (
    Cluster,
    as_options,
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.desired import Deletion, Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.plan import (
    needs_allowed_node_types,
    plan_absent,
    plan_present,
    predict,
    refuse_unusable,
)


def make_present(client: Any, desired: Desired, region: str, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""

    def plan_for(cluster: Cluster | None) -> Plan:
        if cluster is not None and needs_allowed_node_types(cluster, desired):
            cluster = calls.with_allowed_node_types(client, cluster)
        return plan_present(cluster, desired)

    def refuse(cluster: Cluster) -> None:
        events = calls.read_events(client, "cluster", cluster.cluster_name) if cluster.has_failed else ""
        refuse_unusable(cluster, desired, events)

    wanted = Wanted(plan_for, lambda cluster: predict(cluster, desired), refuse)
    course = converging.present(_access(client, desired.cluster_name), wanted, check_mode)
    shown = course.shown
    return {
        **course.result(),
        "endpoint": endpoint_of(shown).as_dict(),
        "monthly_cost": monthly_cost(region, shown.engine, shown.node_type, shown.nodes),
    }


def make_absent(client: Any, deletion: Deletion, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    access = _access(client, deletion.cluster_name)
    return converging.absent(
        access, lambda cluster: plan_absent(cluster, deletion), deletion.migration_name, check_mode
    )


def _access(client: Any, name: str) -> Access[Cluster]:
    return Access(name, lambda: calls.read_cluster(client, name), lambda step: calls.act(client, step))


def facts(cluster: Cluster, migration_name: str | None) -> dict[str, Any]:
    """What memorydb_cluster_info tells of a cluster."""
    return {
        **as_options(cluster),
        "status": cluster.status,
        "arn": cluster.arn,
        "engine_patch_version": cluster.engine_patch_version,
        "multi_region_cluster_name": cluster.multi_region_cluster_name,
        "tags": dict(cluster.tags) if cluster.tags is not None else None,
        "ours": ownership.is_ours(cluster.tags, migration_name) if migration_name else None,
        "members": [vars(member) for member in cluster.members],
        "endpoint": endpoint_of(cluster).as_dict(),
    }
