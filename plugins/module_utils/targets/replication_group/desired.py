# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A replication group as it is wanted: the options of elasticache_cluster, typed and validated. Pure.

None means that the option was left out, or empty, and then what is stays. A bad option is refused here by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership, windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    check_version,
)

# What a role hands in for a security group that a check-mode run could not make.
PLACEHOLDERS = ("", "after-apply")

# The strategy that changes nothing: the token is set, or being set.
KEEP = "keep"

MAX_NODES = 6  # a primary and five replicas


@dataclass(frozen=True)
class Desired:
    replication_group_id: str
    migration_name: str
    replication_group_description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    num_cache_clusters: int | None = None
    automatic_failover_enabled: bool | None = None
    multi_az_enabled: bool | None = None
    preferred_cache_cluster_azs: tuple[str, ...] | None = None
    cache_subnet_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    cache_parameter_group_name: str | None = None
    port: int | None = None
    transit_encryption_enabled: bool | None = None
    transit_encryption_mode: str | None = None
    at_rest_encryption_enabled: bool | None = None
    kms_key_id: str | None = None
    auth_token: str | None = field(default=None, repr=False)
    auth_token_update_strategy: str | None = None
    snapshot_retention_limit: int | None = None
    snapshot_window: str | None = None
    preferred_maintenance_window: str | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    apply_immediately: bool = True
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], allow_placeholders: bool = False) -> Desired:
        """Raises PlanRefused, naming the option. Placeholders for security groups pass only in check mode."""
        name = str(params["replication_group_id"]).lower()  # AWS stores it in lower case
        migration_name = ownership.check_migration_name(params["migration_name"])
        desired = cls(
            replication_group_id=name,
            migration_name=migration_name,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            security_group_ids=_security_groups(params.get("security_group_ids"), allow_placeholders),
            preferred_cache_cluster_azs=tuple(params.get("preferred_cache_cluster_azs") or ()) or None,
            snapshot_window=_lower(params.get("snapshot_window")),
            preferred_maintenance_window=_lower(params.get("preferred_maintenance_window")),
            cache_subnet_group_name=_lower(params.get("cache_subnet_group_name")),
            cache_parameter_group_name=_lower(params.get("cache_parameter_group_name")),
            auth_token=params.get("auth_token") or None,
            **{name: params[name] for name in _AS_THEY_ARE if params.get(name) not in (None, "")},
        )
        _check_alone(desired)
        _check_together(desired)
        return desired

    @property
    def token_change(self) -> str:
        """``rotate``, ``set``, or empty where the token is not to be changed."""
        strategy = self.auth_token_update_strategy or KEEP
        return "" if strategy == KEEP else strategy

    @property
    def has_placeholders(self) -> bool:
        return any(item in PLACEHOLDERS for item in self.security_group_ids or ())


@dataclass(frozen=True)
class Deletion:
    """State absent: which group, and what becomes of its data."""

    replication_group_id: str
    migration_name: str
    final_snapshot_identifier: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deletion:
        name = str(params["replication_group_id"]).lower()
        _check_id(name)
        snapshot = params.get("final_snapshot_identifier")
        if bool(snapshot) == bool(params.get("skip_final_snapshot")):
            raise PlanRefused(
                f"{name} would be deleted for good: state either final_snapshot_identifier, the name of a last "
                "snapshot, or skip_final_snapshot: true, which gives its data up",
                "final_snapshot_identifier",
            )
        if snapshot and not re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9])*", snapshot):
            raise PlanRefused(
                f"final_snapshot_identifier is {snapshot!r}: use letters, digits, single hyphens, a letter first",
                "final_snapshot_identifier",
            )
        return cls(name, ownership.check_migration_name(params["migration_name"]), snapshot or None)


_AS_THEY_ARE = (
    "replication_group_description",
    "engine",
    "engine_version",
    "cache_node_type",
    "num_cache_clusters",
    "automatic_failover_enabled",
    "multi_az_enabled",
    "port",
    "transit_encryption_enabled",
    "transit_encryption_mode",
    "at_rest_encryption_enabled",
    "kms_key_id",
    "auth_token_update_strategy",
    "snapshot_retention_limit",
    "purge_tags",
    "apply_immediately",
    "adopt",
)


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None


def _security_groups(value: list[str] | None, allow_placeholders: bool) -> tuple[str, ...] | None:
    """An empty list counts as left out: AWS has no group without a security group."""
    if not value:
        return None
    if not allow_placeholders and any(item in PLACEHOLDERS for item in value):
        raise PlanRefused(
            "security_group_ids holds a placeholder (empty, or 'after-apply'): outside of check mode every item must "
            "be the id of a security group, as sg-…",
            "security_group_ids",
        )
    return tuple(sorted(set(value)))


# --- each option for itself ---


def _check_alone(desired: Desired) -> None:
    _check_id(desired.replication_group_id)
    if desired.engine_version is not None:
        check_version(desired.engine_version, desired.engine)
    _check_token(desired.auth_token)
    if desired.snapshot_window is not None:
        windows.snapshot_window(desired.snapshot_window)
    if desired.preferred_maintenance_window is not None:
        windows.maintenance_window(desired.preferred_maintenance_window)
    if desired.cache_node_type is not None and not re.fullmatch(r"cache(\.[a-z0-9-]+){2}", desired.cache_node_type):
        raise PlanRefused(
            f"cache_node_type is {desired.cache_node_type!r}: ElastiCache's types look like cache.t3.small",
            "cache_node_type",
        )
    _check_range("num_cache_clusters", desired.num_cache_clusters, 1, MAX_NODES, "a primary and up to five replicas")
    _check_range("port", desired.port, 1, 65535, "a TCP port")
    _check_range("snapshot_retention_limit", desired.snapshot_retention_limit, 0, 35, "days, 0 for no snapshots")
    if desired.kms_key_id and "alias/" in desired.kms_key_id:
        raise PlanRefused(
            f"kms_key_id is {desired.kms_key_id!r}: give the key's id or ARN, as AWS tells the key and never its alias",
            "kms_key_id",
        )
    if desired.cache_parameter_group_name and desired.cache_parameter_group_name.endswith(".cluster.on"):
        raise PlanRefused(
            f"cache_parameter_group_name is {desired.cache_parameter_group_name!r}, which enables cluster mode, and "
            "this module makes groups with cluster mode disabled only: choose one without .cluster.on",
            "cache_parameter_group_name",
        )


def _check_id(name: str) -> None:
    if len(name) > 40 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"replication_group_id is {name!r}: use 1 to 40 letters, digits and hyphens, the first a letter, "
            "without a double hyphen or one at the end",
            "replication_group_id",
        )


def _check_range(option: str, value: int | None, least: int, most: int, meaning: str) -> None:
    if value is not None and not least <= value <= most:
        raise PlanRefused(f"{option} is {value}: it is {least} to {most} ({meaning})", option)


def _check_token(token: str | None) -> None:
    if token is None:
        return
    wrong = [f"has {len(token)} characters"] if not 16 <= len(token) <= 128 else []
    wrong += ["has characters that it may not have"] if re.search(r"[^A-Za-z0-9!&#$^<>-]", token) else []
    if wrong:
        raise PlanRefused(
            f"auth_token is not one that AWS takes, as it {' and '.join(wrong)}: 16 to 128 letters and digits, of "
            "other characters only ! & # $ ^ < > -",
            "auth_token",
        )


# --- options against each other ---


def _check_together(desired: Desired) -> None:
    _check_availability(desired)
    _check_encryption(desired)


def _check_availability(desired: Desired) -> None:
    zones, nodes = desired.preferred_cache_cluster_azs, desired.num_cache_clusters
    if zones and nodes and len(zones) != nodes:
        raise PlanRefused(
            f"preferred_cache_cluster_azs names {len(zones)} zones for {nodes} nodes: name one for each node, the "
            "primary's first",
            "preferred_cache_cluster_azs",
        )
    if desired.multi_az_enabled and desired.automatic_failover_enabled is False:
        raise PlanRefused(
            "multi_az_enabled needs automatic failover: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    if desired.automatic_failover_enabled and nodes == 1:
        raise PlanRefused(
            "automatic_failover_enabled needs a replica to fail over to: set num_cache_clusters to 2 or more",
            "num_cache_clusters",
        )


def _check_encryption(desired: Desired) -> None:
    if desired.transit_encryption_enabled is False and desired.auth_token:
        raise PlanRefused(
            "auth_token needs TLS: set transit_encryption_enabled: true, or leave the token out", "auth_token"
        )
    if desired.transit_encryption_enabled is False and desired.transit_encryption_mode:
        raise PlanRefused(
            "transit_encryption_mode says how TLS is spoken, and transit_encryption_enabled is false: leave it out",
            "transit_encryption_mode",
        )
    if desired.auth_token_update_strategy and not desired.auth_token:
        raise PlanRefused(
            "auth_token_update_strategy says how a token is changed: give auth_token with it",
            "auth_token",
        )
    if desired.kms_key_id and desired.at_rest_encryption_enabled is False:
        raise PlanRefused(
            "kms_key_id encrypts data at rest: set at_rest_encryption_enabled: true, or leave the key out", "kms_key_id"
        )
