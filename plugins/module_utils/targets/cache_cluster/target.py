# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache for Memcached as a row of the table: what one is made of, and from which settings. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, PROTOCOLS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import SERVICES
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.offers import offers
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.permissions import ACTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    Target,
    Traits,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parts as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import NODES
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.sizes import maxmemory

MODULE = "elasticache_cluster"
MEBIBYTE = 1 << 20
OVERHEAD = 100  # MiB kept for connections: the default of memcached_connections_overhead

_RENAMED = {
    "cache_parameter_group_name": "parameter_group_name",
    "cache_subnet_group_name": "subnet_group_name",
}

_PASSED_ON = (
    "cache_cluster_id",
    "adopt",
    "az_mode",
    "cache_node_type",
    "engine_version",
    "num_cache_nodes",
    "port",
    "preferred_availability_zones",
    "preferred_maintenance_window",
    "security_group_ids",
    "tags",
    "transit_encryption_enabled",
    "wait_timeout",
)

_TRAITS = Traits(
    engines=(MEMCACHED,),
    databases=PROTOCOLS[MEMCACHED].databases,
    maxmemory_policy="allkeys-lru",  # it always evicts what was used least of late
    reserved_percent=0,
    keeps="keeps nothing: what is on a node is lost with it, and so it is where the node is replaced.",
    denied_commands=frozenset(),  # what of Redis's commands it lacks, decide/assess/ knows by its protocol
)


def _maxmemory(node_type: str) -> int | None:
    """max_cache_memory of a type, which is Redis's maxmemory in whole MiB, less what connections take."""
    total = maxmemory(node_type)
    return None if total is None else (total // MEBIBYTE - OVERHEAD) * MEBIBYTE


def _parts(settings: Settings, found: Found | None) -> list[Part]:
    settings = scaling.counted(CACHE_CLUSTER, settings, found)
    named = {**groups.with_groups(settings), "engine": MEMCACHED}
    target = {
        "migration_name": named["name"],
        "engine": MEMCACHED,
        **stated(named, {name: name for name in _PASSED_ON}),
        **stated(named, _RENAMED),
    }
    return [
        *scaling.before(CACHE_CLUSTER, settings),
        *groups.OF_ELASTICACHE.parts(named, found),
        Part(CACHE_CLUSTER.what(named), MODULE, target, is_target=True),
        *scaling.after(CACHE_CLUSTER, settings, found),
    ]


def _becomes(settings: Settings, _found: Found | None) -> dict[str, Any]:
    return {"engine": MEMCACHED, **stated(settings, {"cache_node_type": "cache_node_type"})}


def _expected(settings: Settings) -> dict[str, Any]:
    return {
        "protocol": MEMCACHED,
        "engine": MEMCACHED,
        **stated(settings, {"tls": "transit_encryption_enabled", "port": "port", "engine_version": "engine_version"}),
    }


def _removal(settings: Settings) -> list[Part]:
    """Nothing of its data can be kept."""
    target = {
        "migration_name": settings["name"],
        "state": "absent",
        **stated(settings, {"cache_cluster_id": "cache_cluster_id", "wait_timeout": "wait_timeout"}),
    }
    own = groups.OF_ELASTICACHE.removal(settings)
    part = Part(CACHE_CLUSTER.what(settings), MODULE, target, is_target=True)
    return [*scaling.removal(CACHE_CLUSTER, settings), part, *own]


CACHE_CLUSTER = Target(
    service=SERVICES[MEMCACHED],
    title="ElastiCache for Memcached",
    noun="Memcached cluster",
    name_option="cache_cluster_id",
    needs=("cache_cluster_id", "cache_node_type"),
    options=(*_PASSED_ON, *groups.SETTINGS),
    module=MODULE,
    info_module="elasticache_cluster_info",
    listed_as="cache_clusters",
    traits=_TRAITS,
    actions=ACTIONS,
    parts=_parts,
    removal=_removal,
    maxmemory=_maxmemory,
    offers=offers,
    shards_option="num_cache_nodes",
    expected=_expected,
    scales={NODES: ("num_cache_nodes", "preferred_availability_zones")},
    becomes=_becomes,
    renamed={**_RENAMED, **scaling.RENAMED},
)
