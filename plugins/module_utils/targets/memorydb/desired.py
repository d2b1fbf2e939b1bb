# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster of MemoryDB as it is wanted: the options of memorydb_cluster, typed and validated. Pure.

None means that the option was left out, and then what is stays. A bad option is refused here by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import (
    common_options,
    origin,
    ownership,
    windows,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import OPEN_ACCESS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    engine_of,
)

MAX_REPLICAS = 5  # of a shard


@dataclass(frozen=True)
class Desired:
    cluster_name: str
    migration_name: str
    description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    node_type: str | None = None
    num_shards: int | None = None
    num_replicas_per_shard: int | None = None
    acl_name: str | None = None
    subnet_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    parameter_group_name: str | None = None
    port: int | None = None
    tls_enabled: bool | None = None
    kms_key_id: str | None = None
    sns_topic_arn: str | None = None  # empty: no topic
    snapshot_retention_limit: int | None = None
    snapshot_window: str | None = None
    maintenance_window: str | None = None
    auto_minor_version_upgrade: bool | None = None
    data_tiering: bool | None = None
    network_type: str | None = None
    ip_discovery: str | None = None
    snapshot_name: str | None = None
    snapshot_arns: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], allow_placeholders: bool = False) -> Desired:
        """Raises PlanRefused, naming the option. Placeholders for security groups pass only in check mode."""
        migration_name = ownership.check_migration_name(params["migration_name"])
        stated: dict[str, Any] = {
            **{name: params[name] for name in _AS_THEY_ARE if params.get(name) not in (None, "")},
            **{name: params[name] for name in _EMPTY_IS_A_VALUE if params.get(name) is not None},
            **{name: str(params[name]).lower() for name in _IN_LOWER_CASE if params.get(name)},
        }
        desired = cls(
            cluster_name=str(params["cluster_name"]).lower(),  # AWS stores it in lower case
            migration_name=migration_name,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            security_group_ids=common_options.security_groups(params.get("security_group_ids"), allow_placeholders),
            snapshot_arns=tuple(params.get("snapshot_arns") or ()) or None,
            **stated,
        )
        _check_alone(desired)
        _check_together(desired)
        return desired

    @property
    def origin(self) -> dict[str, str]:
        """The tag that says what a new one is restored from."""
        return origin.tags(self.snapshot_name, self.snapshot_arns)

    @property
    def has_placeholders(self) -> bool:
        return common_options.has_placeholders(self.security_group_ids)


@dataclass(frozen=True)
class Deletion:
    """State absent: which cluster, and what becomes of its data."""

    cluster_name: str
    migration_name: str
    final_snapshot_name: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deletion:
        """Raises PlanRefused."""
        name = str(params["cluster_name"]).lower()
        check_name("cluster_name", name, 40)
        snapshot = params.get("final_snapshot_name")
        if bool(snapshot) == bool(params.get("skip_final_snapshot")):
            raise common_options.gone_for_good(name, "final_snapshot_name")
        if snapshot:
            check_name("final_snapshot_name", snapshot, 255)
        return cls(name, ownership.check_migration_name(params["migration_name"]), snapshot or None)


_AS_THEY_ARE = (
    "engine",
    "engine_version",
    "node_type",
    "num_shards",
    "num_replicas_per_shard",
    "port",
    "tls_enabled",
    "kms_key_id",
    "snapshot_retention_limit",
    "auto_minor_version_upgrade",
    "data_tiering",
    "network_type",
    "ip_discovery",
    "snapshot_name",
    "purge_tags",
    "adopt",
)
_EMPTY_IS_A_VALUE = ("description", "sns_topic_arn")
_IN_LOWER_CASE = ("acl_name", "subnet_group_name", "parameter_group_name", "snapshot_window", "maintenance_window")


# --- each option for itself ---


def check_name(option: str, name: str, longest: int) -> None:
    """The form of all names of MemoryDB, in lower case. Raises PlanRefused."""
    if len(name) > longest or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"{option} is {name!r}: use 1 to {longest} lower-case letters, digits and hyphens, the first a letter, "
            "without a double hyphen or one at the end",
            option,
        )


def check_version(version: str, engine: str | None) -> None:
    """``engine`` is None where none is stated. Raises PlanRefused."""
    if not re.fullmatch(r"\d+\.\d+", version):
        raise PlanRefused(
            f"engine_version is {version!r}: write it as AWS does, '7.1' (in quotes, or YAML makes a number of it)",
            "engine_version",
        )
    if engine is not None and engine_of(version) != engine:
        ends = "ends with 7.1" if engine == REDIS else "begins with 7.2"
        raise PlanRefused(
            f"engine_version is {version}, and MemoryDB's {engine} {ends}: state engine: {engine_of(version)} with it, "
            "or another version",
            "engine_version",
        )


def _check_alone(desired: Desired) -> None:
    check_name("cluster_name", desired.cluster_name, 40)
    if desired.acl_name:
        check_name("acl_name", desired.acl_name, 40)
    if desired.engine_version:
        check_version(desired.engine_version, desired.engine)
    if desired.node_type and not re.fullmatch(r"db(\.[a-z0-9-]+){2}", desired.node_type):
        raise PlanRefused(f"node_type is {desired.node_type!r}: MemoryDB's types look like db.t4g.small", "node_type")
    if desired.snapshot_window:
        windows.snapshot_window(desired.snapshot_window)
    if desired.maintenance_window:
        windows.maintenance_window(desired.maintenance_window, "maintenance_window")
    _check_range("num_shards", desired.num_shards, 1, 500, "500 is AWS's most, and a quota may be lower")
    _check_range("num_replicas_per_shard", desired.num_replicas_per_shard, 0, MAX_REPLICAS, "beside the primary")
    _check_range("port", desired.port, 1, 65535, "a TCP port")
    _check_range("snapshot_retention_limit", desired.snapshot_retention_limit, 0, 35, "days, 0 for no snapshots")
    if "alias/" in (desired.kms_key_id or ""):
        raise PlanRefused(
            f"kms_key_id is {desired.kms_key_id!r}: give the key's id or ARN, as AWS tells the key and never its alias",
            "kms_key_id",
        )


def _check_range(option: str, value: int | None, least: int, most: int, meaning: str) -> None:
    if value is not None and not least <= value <= most:
        raise PlanRefused(f"{option} is {value}: it is {least} to {most} ({meaning})", option)


# --- options against each other ---


def _check_together(desired: Desired) -> None:
    if desired.snapshot_name and desired.snapshot_arns:
        raise PlanRefused(
            "snapshot_name and snapshot_arns both say what a new cluster is restored from: state one", "snapshot_arns"
        )
    origin.check_arns(desired.snapshot_arns)
    if desired.tls_enabled is False and desired.acl_name not in (None, OPEN_ACCESS):
        raise PlanRefused(
            f"acl_name is {desired.acl_name}, and MemoryDB has users with TLS only: leave tls_enabled out, or state "
            f"acl_name: {OPEN_ACCESS}",
            "tls_enabled",
        )
    check_tiering(desired.node_type, desired.data_tiering)
    if desired.network_type in ("ipv4", "ipv6") and desired.ip_discovery not in (None, desired.network_type):
        raise PlanRefused(
            f"ip_discovery is {desired.ip_discovery}, and the cluster has {desired.network_type} alone: state "
            f"network_type: dual_stack, or ip_discovery: {desired.network_type}",
            "ip_discovery",
        )


def check_tiering(node_type: str | None, data_tiering: bool | None) -> None:
    """None of either is left out. Raises PlanRefused."""
    if not node_type or data_tiering is None:
        return
    has_disk = bool(re.match(r"db\.\w+gd\.", node_type))
    if data_tiering and not has_disk:
        raise PlanRefused(
            f"data_tiering keeps data on the node's own disk too, which node_type {node_type} does not have: state one "
            "that has, as db.r6gd.xlarge, or leave data_tiering out",
            "data_tiering",
        )
    if has_disk and not data_tiering:
        raise PlanRefused(
            f"node_type {node_type} has a disk for data, and MemoryDB has it with data tiering only: state "
            "data_tiering: true, or another node_type",
            "data_tiering",
        )
