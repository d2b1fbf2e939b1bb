# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS refuses, or cannot do in place, with a cache cluster: refused by us first, with the way out. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import origin, windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import (
    MULTIPLE,
    CacheCluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import (
    CROSS,
    SINGLE,
    Desired,
    check_engine_options,
    check_number_of_zones,
    check_spread,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    ENGINES,
    MEMCACHED,
    SCALES_FROM,
    TLS_FROM,
    check_version,
    family_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    version_numbers,
)

_FIXED_OPTIONS = (
    *("engine", "cache_subnet_group_name", "port", "transit_encryption_enabled", "network_type"),
    "preferred_availability_zone",
)


def check_creation(desired: Desired, engine: str) -> None:
    if desired.cache_node_type is None:
        raise PlanRefused(
            f"There is no cache cluster {desired.cache_cluster_id}, and to make one its size must be stated: set "
            "cache_node_type, as cache.t3.small",
            "cache_node_type",
        )
    check_engine_options(desired, engine)
    check_number_of_zones(desired, desired.num_cache_nodes or 1)
    check_spread(desired, desired.num_cache_nodes or 1)
    if desired.engine_version:
        check_version(desired.engine_version, engine)
        _check_family(desired.cache_parameter_group_name, engine, desired.engine_version)
        if engine == MEMCACHED and desired.transit_encryption_enabled:
            _check_tls(desired.engine_version)
    windows.refuse_overlap(
        desired.snapshot_window or "", desired.preferred_maintenance_window or "", "preferred_maintenance_window"
    )


def _check_tls(version: str) -> None:
    if version_numbers(version) < TLS_FROM:
        raise PlanRefused(
            f"transit_encryption_enabled needs Memcached 1.6.12 or newer, and engine_version is {version}: state a "
            "newer one, or leave TLS out",
            "transit_encryption_enabled",
        )


def _check_family(group: str | None, engine: str, version: str) -> None:
    family = family_of(engine, version)
    if group and family and group.startswith("default.") and group != f"default.{family}":
        raise PlanRefused(
            f"cache_parameter_group_name is {group}, and engine_version {version} is of the family {family}: state "
            f"default.{family}, or a group of that family",
            "cache_parameter_group_name",
        )


# --- what is there ---


def check_kind(current: CacheCluster) -> None:
    """What is no cluster by itself: the node of a replication group."""
    if current.replication_group_id:
        raise PlanRefused(
            f"{current.cache_cluster_id} is a node of the replication group {current.replication_group_id}, and is "
            f"changed with it: state replication_group_id: {current.replication_group_id} in place of cache_cluster_id",
            "cache_cluster_id",
        )


def check_changes(current: CacheCluster, desired: Desired, changes: Mapping[str, Any]) -> None:
    check_kind(current)
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the cache cluster {current.cache_cluster_id} exists: state "
            "the ids of its security groups",
            "security_group_ids",
        )
    origin.refuse_other(
        f"The cache cluster {current.cache_cluster_id}",
        current.tags,
        desired.origin,
        "snapshot_name" if desired.snapshot_name else "snapshot_arns",
    )
    for option in _FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    check_engine_options(desired, current.engine)
    if "engine_version" in changes:
        _check_upgrade(current, desired, str(changes["engine_version"]))
    if "cache_node_type" in changes:
        _check_node_type(current, str(changes["cache_node_type"]))
    if "cache_parameter_group_name" in changes:
        version = desired.engine_version or current.engine_version
        _check_family(desired.cache_parameter_group_name, current.engine, version)
    _check_zones(current, desired, changes)
    stated = [name for name in ("snapshot_window", "preferred_maintenance_window") if name in changes]
    if stated and current.engine == REDIS:
        windows.refuse_overlap(
            desired.snapshot_window or current.snapshot_window,
            desired.preferred_maintenance_window or current.preferred_maintenance_window,
            stated[0],
        )


def _refuse_fixed(current: CacheCluster, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    more = ""
    if option == "engine" and current.engine == REDIS:
        more = " (Redis OSS goes over to Valkey in a replication group alone)"
    if option == "preferred_availability_zone" and is_now == MULTIPLE:
        is_now = ", ".join(current.preferred_availability_zones)
    raise PlanRefused(
        f"{option} of the cache cluster {current.cache_cluster_id} is {is_now!r}, and AWS cannot change it to "
        f"{wanted!r} in place{more}: make a new cluster under another cache_cluster_id and move to it, or state "
        f"{is_now!r}",
        option,
    )


def _check_upgrade(current: CacheCluster, desired: Desired, stated: str) -> None:
    check_version(stated, current.engine)
    wanted = version_numbers(stated)
    runs = f"The cache cluster {current.cache_cluster_id} runs {ENGINES[current.engine]} {current.engine_version}"
    if wanted < version_numbers(current.engine_version)[: len(wanted)]:
        raise PlanRefused(
            f"{runs}, and AWS cannot go back to {stated} in place: make a new cluster under another cache_cluster_id, "
            "or state an engine_version that is not below the one that runs",
            "engine_version",
        )
    group = desired.cache_parameter_group_name or current.cache_parameter_group_name
    before, after = family_of(current.engine, current.engine_version), family_of(current.engine, stated)
    custom = bool(group) and not group.startswith("default.")
    if custom and before and after and before != after and group == current.cache_parameter_group_name:
        raise PlanRefused(
            f"The parameter group {group} is of the family {before} and cannot serve {ENGINES[current.engine]} "
            f"{stated}: state a cache_parameter_group_name of the family {after} with it",
            "cache_parameter_group_name",
        )
    _check_family(desired.cache_parameter_group_name, current.engine, stated)


def _check_node_type(current: CacheCluster, wanted: str) -> None:
    what = f"The cache cluster {current.cache_cluster_id}"
    if current.engine == MEMCACHED and version_numbers(current.engine_version) < SCALES_FROM:
        raise PlanRefused(
            f"{what} runs Memcached {current.engine_version}, and AWS changes cache_node_type from 1.5 on: state an "
            "engine_version of 1.5 or newer first, in a run of its own, or make a new cluster under another "
            "cache_cluster_id",
            "cache_node_type",
        )
    allowed = current.allowed_node_types
    if allowed is not None and wanted not in allowed:
        raise PlanRefused(
            f"AWS cannot change the cache cluster {current.cache_cluster_id} from {current.cache_node_type} to "
            f"{wanted} in place; it can to {', '.join(sorted(allowed)) or 'nothing'}: state one of these as "
            "cache_node_type, or make a new cluster under another cache_cluster_id",
            "cache_node_type",
        )


def _check_zones(current: CacheCluster, desired: Desired, changes: Mapping[str, Any]) -> None:
    """Nodes stay in their zones: only those that come are placed."""
    queued = current.pending.get("num_cache_nodes", current.num_cache_nodes)
    nodes = int(changes.get("num_cache_nodes", queued))
    added = nodes - current.num_cache_nodes
    check_number_of_zones(desired, nodes)
    check_spread(desired, nodes)
    if "az_mode" in changes and (desired.az_mode == SINGLE or added < 1):
        raise PlanRefused(
            f"az_mode of the cache cluster {current.cache_cluster_id} is {current.az_mode}, and its nodes stay in "
            f"their zones ({', '.join(current.preferred_availability_zones)}): "
            + (
                "raise num_cache_nodes with it, as only new nodes come to other zones, or "
                if desired.az_mode == CROSS
                else "make a new cluster under another cache_cluster_id, or "
            )
            + f"state az_mode: {current.az_mode}",
            "az_mode",
        )
    if "preferred_availability_zones" not in changes:
        return
    stay = current.preferred_availability_zones[: min(nodes, current.num_cache_nodes)]
    if Counter(stay) - Counter(changes["preferred_availability_zones"]):
        raise PlanRefused(
            f"preferred_availability_zones of the cache cluster {current.cache_cluster_id} leaves out zones of nodes "
            f"that stay where they are ({', '.join(stay)}): name these, and those of the nodes that are added",
            "preferred_availability_zones",
        )


def zones_of_added(current: CacheCluster, desired: Desired, nodes: int) -> list[str]:
    """Of the stated zones, in their order, those in which no node is yet; empty where AWS chooses."""
    if desired.preferred_availability_zone:
        return [desired.preferred_availability_zone] * (nodes - current.num_cache_nodes)
    there = Counter(current.preferred_availability_zones)
    added = []
    for zone in desired.preferred_availability_zones or ():
        if there[zone]:
            there[zone] -= 1
        else:
            added.append(zone)
    return added
