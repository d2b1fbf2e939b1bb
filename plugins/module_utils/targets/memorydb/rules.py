# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS refuses, or cannot do in place, with a cluster of MemoryDB: refused by us first, with the way out. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import origin, windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import (
    OPEN_ACCESS,
    Cluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.desired import (
    Desired,
    check_tiering,
    check_version,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    ENGINES,
    REDIS,
    engine_of,
    version_numbers,
)

# Only by making the cluster again: UpdateCluster has no such parameter.
FIXED_OPTIONS = (
    "auto_minor_version_upgrade",
    "data_tiering",
    "kms_key_id",
    "network_type",
    "port",
    "subnet_group_name",
    "tls_enabled",
)


def check_creation(desired: Desired) -> None:
    what = f"There is no MemoryDB cluster {desired.cluster_name}, and to make one"
    if desired.node_type is None:
        raise PlanRefused(f"{what} its size must be stated: set node_type, as db.t4g.small", "node_type")
    if desired.acl_name is None:
        raise PlanRefused(
            f"{what} it must be said who may use it: set acl_name, to an ACL of yours (memorydb_acl), or to "
            f"{OPEN_ACCESS}, which lets in without a password whoever the security groups let through",
            "acl_name",
        )
    check_tiering(desired.node_type, bool(desired.data_tiering))
    windows.refuse_overlap(
        desired.snapshot_window or "", desired.maintenance_window or "", "maintenance_window", "maintenance_window"
    )
    if desired.engine_version:
        check_version(desired.engine_version, desired.engine or REDIS)


def check_kind(current: Cluster) -> None:
    """What this module can handle at all."""
    if current.multi_region_cluster_name:
        raise PlanRefused(
            f"The MemoryDB cluster {current.cluster_name} is part of the multi-Region cluster "
            f"{current.multi_region_cluster_name}, and those are not handled here: choose another cluster_name",
            "cluster_name",
        )


def check_changes(current: Cluster, desired: Desired, changes: Mapping[str, Any]) -> None:
    check_kind(current)
    _check_security_groups(current, desired)
    origin.refuse_other(
        f"The MemoryDB cluster {current.cluster_name}",
        current.tags,
        desired.origin,
        "snapshot_name" if desired.snapshot_name else "snapshot_arns",
    )
    for option in FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    if "engine" in changes or "engine_version" in changes:
        _check_engine(current, desired)
        _check_upgrade(current, desired)
    if "node_type" in changes:
        _check_node_type(current, changes["node_type"])
    if not current.tls_enabled and changes.get("acl_name", OPEN_ACCESS) != OPEN_ACCESS:
        raise PlanRefused(
            f"The MemoryDB cluster {current.cluster_name} speaks no TLS, and so has no users: leave acl_name out, or "
            "make a new cluster with TLS under another cluster_name and move to it",
            "acl_name",
        )
    network = current.network_type
    if changes.get("ip_discovery", network) != network and network != "dual_stack":
        raise PlanRefused(
            f"ip_discovery is {changes['ip_discovery']}, and the MemoryDB cluster {current.cluster_name} has {network} "
            "alone: leave it out",
            "ip_discovery",
        )


def check_windows(after: Cluster, changes: Mapping[str, Any]) -> None:
    """Whoever changes one of them meets the other as it is."""
    stated = [name for name in ("snapshot_window", "maintenance_window") if name in changes]
    if stated:
        windows.refuse_overlap(after.snapshot_window, after.maintenance_window, stated[0], "maintenance_window")


def _check_security_groups(current: Cluster, desired: Desired) -> None:
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the MemoryDB cluster {current.cluster_name} exists: state "
            "the ids of its security groups",
            "security_group_ids",
        )
    if desired.security_group_ids == () and current.security_group_ids:
        raise PlanRefused(
            f"The MemoryDB cluster {current.cluster_name} has security groups, and AWS takes an empty list for no "
            "change: state at least one in security_group_ids, or leave it out",
            "security_group_ids",
        )


def _refuse_fixed(current: Cluster, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    raise PlanRefused(
        f"{option} of the MemoryDB cluster {current.cluster_name} is {is_now!r}, and AWS cannot change it to "
        f"{wanted!r} in place: make a new cluster under another cluster_name and move to it, or state {is_now!r}",
        option,
    )


def _check_engine(current: Cluster, desired: Desired) -> None:
    """An engine that is not stated is kept; Valkey comes in place, with its version, and there is no way back."""
    what = f"The MemoryDB cluster {current.cluster_name} runs {ENGINES.get(current.engine, current.engine)}"
    version, engine = desired.engine_version, desired.engine or current.engine
    if engine != current.engine and engine == REDIS:
        raise PlanRefused(
            f"{what} {current.engine_version}, and MemoryDB does not go back to Redis OSS in place: make a new cluster "
            "under another cluster_name and move to it, or state engine: valkey",
            "engine",
        )
    if version and engine_of(version) != engine:
        other = engine_of(version)
        raise PlanRefused(
            f"{what}, and engine_version {version} is one of {ENGINES[other]}: state engine: {other} with it to move "
            "in place, or leave engine_version out",
            "engine",
        )
    if engine != current.engine and not version:
        raise PlanRefused(
            f"{what}, and moves to {ENGINES[engine]} in place to a version that is stated only: state engine_version, "
            "as 7.2",
            "engine_version",
        )


def _check_upgrade(current: Cluster, desired: Desired) -> None:
    stated, engine = desired.engine_version or "", desired.engine or current.engine
    if engine == current.engine and version_numbers(stated) < current.version[:2]:
        raise PlanRefused(
            f"The MemoryDB cluster {current.cluster_name} runs {current.engine_version}, and AWS cannot go back to "
            f"{stated} in place: make a new cluster under another cluster_name and move to it, or state an "
            "engine_version that is not below the one that runs",
            "engine_version",
        )
    group = desired.parameter_group_name or current.parameter_group_name
    is_custom = bool(group) and not group.startswith("default.")
    differs = engine != current.engine or version_numbers(stated)[:1] != current.version[:1]
    if is_custom and differs and group == current.parameter_group_name:
        raise PlanRefused(
            f"The parameter group {group} is of the family of {ENGINES[current.engine]} {current.engine_version} and "
            f"cannot serve {ENGINES[engine]} {stated}: state a parameter_group_name of that family with it",
            "parameter_group_name",
        )


def _check_node_type(current: Cluster, wanted: str) -> None:
    allowed = current.allowed_node_types
    check_tiering(wanted, current.data_tiering)
    if allowed is not None and wanted not in allowed:
        raise PlanRefused(
            f"AWS cannot change the MemoryDB cluster {current.cluster_name} from {current.node_type} to {wanted} in "
            f"place; it can to {', '.join(sorted(allowed)) or 'nothing'}: state one of these as node_type, or make a "
            "new cluster under another cluster_name and move to it",
            "node_type",
        )
