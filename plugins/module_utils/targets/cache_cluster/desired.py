# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cache cluster as it is wanted: the options of elasticache_cluster, typed and validated. Pure.

None means that the option was left out, or empty, and then what is stays. A bad option is refused here by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import (
    common_options,
    log_delivery,
    origin,
    ownership,
    windows,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    MEMCACHED,
    check_version,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import REDIS

SINGLE, CROSS = "single-az", "cross-az"

# Options of the module that say nothing of a cache cluster, each with what to do in its place.
_OF_GROUPS = {
    "at_rest_encryption_enabled": "AWS encrypts the storage of replication groups alone",
    "auth_token": "a token is of replication groups alone",
    "auth_token_update_strategy": "a token is of replication groups alone",
    "automatic_failover_enabled": "a cache cluster has no replicas",
    "cluster_mode": "cluster mode is of replication groups alone",
    "data_tiering_enabled": "data tiering is of replication groups alone",
    "durability": "durability is of replication groups alone",
    "kms_key_id": "AWS encrypts the storage of replication groups alone",
    "multi_az_enabled": "a cache cluster has no replicas; the zones of its nodes are az_mode",
    "node_group_configuration": "shards are of replication groups alone",
    "num_cache_clusters": "the nodes of a cache cluster are num_cache_nodes",
    "num_node_groups": "shards are of replication groups alone",
    "preferred_cache_cluster_azs": "the zones of a cache cluster's nodes are preferred_availability_zones",
    "replicas_per_node_group": "a cache cluster has no replicas",
    "replication_group_description": "a cache cluster has no description; use a tag",
    "transit_encryption_mode": "TLS of a cache cluster is on or off, and fixed when it is made",
    "user_group_ids": "user groups are of replication groups alone",
}

_OF_MEMCACHED = {
    "az_mode": "one node lies in one zone: state preferred_availability_zone",
    "preferred_availability_zones": "one node lies in one zone: state preferred_availability_zone",
    "scale_config": "it says how Memcached goes over to another node type",
}
_OF_REDIS = {
    "final_snapshot_identifier": "Memcached has no snapshots",
    "log_delivery_configurations": "Memcached delivers no logs",
    "snapshot_arns": "Memcached has no snapshots",
    "snapshot_name": "Memcached has no snapshots",
    "snapshot_retention_limit": "Memcached has no snapshots",
    "snapshot_window": "Memcached has no snapshots",
}


_OF_CLUSTERS_ALONE = (
    *("num_cache_nodes", "az_mode", "preferred_availability_zone", "preferred_availability_zones", "scale_config"),
)


@dataclass(frozen=True)
class Desired:
    cache_cluster_id: str
    migration_name: str
    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    num_cache_nodes: int | None = None
    az_mode: str | None = None
    preferred_availability_zone: str | None = None
    preferred_availability_zones: tuple[str, ...] | None = None  # one for each node
    scale_config: Mapping[str, int] | None = None
    cache_subnet_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    cache_parameter_group_name: str | None = None
    port: int | None = None
    transit_encryption_enabled: bool | None = None
    network_type: str | None = None
    ip_discovery: str | None = None
    notification_topic_arn: str | None = None
    notification_topic_status: str | None = None
    log_delivery_configurations: tuple[log_delivery.LogDelivery, ...] | None = None
    auto_minor_version_upgrade: bool | None = None
    snapshot_name: str | None = None
    snapshot_arns: tuple[str, ...] | None = None
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
        _refuse_options_of_groups(params)
        migration_name = ownership.check_migration_name(params["migration_name"])
        desired = cls(
            cache_cluster_id=str(params["cache_cluster_id"]).lower(),  # AWS stores it in lower case
            migration_name=migration_name,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            security_group_ids=common_options.security_groups(
                params.get("security_group_ids") or None, allow_placeholders
            ),
            preferred_availability_zones=tuple(params.get("preferred_availability_zones") or ()) or None,
            snapshot_arns=tuple(params.get("snapshot_arns") or ()) or None,
            log_delivery_configurations=log_delivery.read(params.get("log_delivery_configurations")),
            scale_config=_scale_config(params.get("scale_config")),
            snapshot_window=_lower(params.get("snapshot_window")),
            preferred_maintenance_window=_lower(params.get("preferred_maintenance_window")),
            cache_subnet_group_name=_lower(params.get("cache_subnet_group_name")),
            cache_parameter_group_name=_lower(params.get("cache_parameter_group_name")),
            **{name: params[name] for name in _AS_THEY_ARE if params.get(name) not in (None, "")},
        )
        _check_alone(desired)
        _check_zones(desired)
        if desired.engine:
            check_engine_options(desired, desired.engine)
            if desired.engine_version:
                check_version(desired.engine_version, desired.engine)
        if desired.engine == MEMCACHED and params.get("final_snapshot_identifier"):
            raise PlanRefused(
                "final_snapshot_identifier is stated for a cache cluster of memcached: "
                f"{_OF_REDIS['final_snapshot_identifier']}",
                "final_snapshot_identifier",
            )
        return desired

    @property
    def origin(self) -> dict[str, str]:
        """The tag that keeps what it is restored from."""
        return origin.tags(self.snapshot_name, self.snapshot_arns)

    @property
    def has_placeholders(self) -> bool:
        return common_options.has_placeholders(self.security_group_ids)


@dataclass(frozen=True)
class Deletion:
    """State absent: which cluster, and what becomes of its data; Memcached has none that could be kept."""

    cache_cluster_id: str
    migration_name: str
    final_snapshot_identifier: str | None = None
    skip_final_snapshot: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deletion:
        name = str(params["cache_cluster_id"]).lower()
        check_id(name)
        snapshot = params.get("final_snapshot_identifier")
        skip = bool(params.get("skip_final_snapshot"))
        if snapshot and skip:
            raise PlanRefused(
                "final_snapshot_identifier keeps the data and skip_final_snapshot gives it up: state one of them",
                "final_snapshot_identifier",
            )
        if snapshot and not re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9])*", snapshot):
            raise PlanRefused(
                f"final_snapshot_identifier is {snapshot!r}: use letters, digits, single hyphens, a letter first",
                "final_snapshot_identifier",
            )
        return cls(name, ownership.check_migration_name(params["migration_name"]), snapshot or None, skip)


_AS_THEY_ARE = (
    *("engine", "engine_version", "cache_node_type", "num_cache_nodes", "az_mode", "preferred_availability_zone"),
    *("port", "transit_encryption_enabled", "network_type", "ip_discovery", "notification_topic_arn"),
    *("notification_topic_status", "auto_minor_version_upgrade", "snapshot_name", "snapshot_retention_limit"),
    *("purge_tags", "apply_immediately", "adopt"),
)


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None


def _refuse_options_of_groups(params: Mapping[str, Any]) -> None:
    for option, why in _OF_GROUPS.items():
        if params.get(option) not in (None, "", [], {}):
            raise PlanRefused(f"{option} is stated with cache_cluster_id: {why}. Leave it out", option)


def refuse_with_a_group(params: Mapping[str, Any]) -> None:
    """Options of cache clusters that are stated for a replication group. Raises PlanRefused."""
    for option in _OF_CLUSTERS_ALONE:
        if params.get(option) not in (None, "", [], {}):
            raise PlanRefused(
                f"{option} is stated with replication_group_id, and is of cache clusters alone: leave it out, or state "
                "cache_cluster_id",
                option,
            )
    if params.get("engine") == MEMCACHED:
        raise PlanRefused(
            "engine: memcached is stated with replication_group_id, and Memcached has no replication: state "
            "cache_cluster_id in its place",
            "engine",
        )


def _scale_config(value: Mapping[str, Any] | None) -> dict[str, int] | None:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling-self-designed.mem-heading.html has the ranges."""
    stated = {name: int(number) for name, number in (value or {}).items() if number is not None}
    for name, least, most in (("scale_percentage", 10, 100), ("scale_interval_minutes", 2, 30)):
        if name in stated and not least <= stated[name] <= most:
            raise PlanRefused(f"scale_config.{name} is {stated[name]}: AWS takes {least} to {most}", "scale_config")
    return stated or None


def _check_alone(desired: Desired) -> None:
    check_id(desired.cache_cluster_id)
    if desired.cache_node_type is not None and not re.fullmatch(r"cache(\.[a-z0-9-]+){2}", desired.cache_node_type):
        raise PlanRefused(
            f"cache_node_type is {desired.cache_node_type!r}: ElastiCache's types look like cache.t3.small",
            "cache_node_type",
        )
    if desired.num_cache_nodes is not None and desired.num_cache_nodes < 1:  # the most is a quota of the account
        raise PlanRefused(f"num_cache_nodes is {desired.num_cache_nodes}: a cluster has 1 or more", "num_cache_nodes")
    _check_range("port", desired.port, 1, 65535, "a TCP port")
    _check_range("snapshot_retention_limit", desired.snapshot_retention_limit, 0, 35, "days, 0 for no snapshots")
    if desired.snapshot_window is not None:
        windows.snapshot_window(desired.snapshot_window)
    if desired.preferred_maintenance_window is not None:
        windows.maintenance_window(desired.preferred_maintenance_window)
    if desired.engine not in (None, MEMCACHED, REDIS):
        raise PlanRefused(
            f"engine is {desired.engine}, and a cache cluster runs memcached or redis: for Valkey state "
            "replication_group_id in place of cache_cluster_id, as AWS has it in replication groups alone",
            "engine",
        )


def check_id(name: str) -> None:
    if len(name) > 50 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"cache_cluster_id is {name!r}: use 1 to 50 letters, digits and hyphens, the first a letter, "
            "without a double hyphen or one at the end",
            "cache_cluster_id",
        )


def _check_range(option: str, value: int | None, least: int, most: int, meaning: str) -> None:
    if value is not None and not least <= value <= most:
        raise PlanRefused(f"{option} is {value}: it is {least} to {most} ({meaning})", option)


def _check_zones(desired: Desired) -> None:
    zones, nodes = desired.preferred_availability_zones, desired.num_cache_nodes
    if zones and desired.preferred_availability_zone:
        raise PlanRefused(
            "preferred_availability_zone is of all nodes, and preferred_availability_zones of each: state one of them",
            "preferred_availability_zone",
        )
    if nodes:
        check_number_of_zones(desired, nodes)
        check_spread(desired, nodes)
    if desired.az_mode == CROSS and desired.preferred_availability_zone:
        raise PlanRefused(
            "az_mode: cross-az spreads nodes over zones, and preferred_availability_zone is one for all: name the "
            "zones in preferred_availability_zones, or leave them to AWS",
            "preferred_availability_zone",
        )
    if zones and desired.az_mode and (desired.az_mode == CROSS) != (len(set(zones)) > 1):
        raise PlanRefused(
            f"az_mode is {desired.az_mode}, and preferred_availability_zones names {', '.join(sorted(set(zones)))}: "
            "state what fits together",
            "az_mode",
        )


def check_spread(desired: Desired, nodes: int) -> None:
    """``nodes`` is what is stated, or there. Raises PlanRefused."""
    if desired.az_mode == CROSS and nodes < 2:
        raise PlanRefused(
            f"az_mode: cross-az needs more than one node, and {desired.cache_cluster_id} has one: set num_cache_nodes "
            "to 2 or more, or az_mode: single-az",
            "az_mode",
        )


def check_number_of_zones(desired: Desired, nodes: int) -> None:
    """One for each node; ``nodes`` is what is stated, or there. Raises PlanRefused."""
    zones = desired.preferred_availability_zones
    if zones and len(zones) != nodes:
        raise PlanRefused(
            f"preferred_availability_zones names {len(zones)} zones, and num_cache_nodes is {nodes}: name one for each "
            "node",
            "preferred_availability_zones",
        )


def check_engine_options(desired: Desired, engine: str) -> None:
    """What the engine, which may be that of a cluster that is there, does not have. Raises PlanRefused."""
    for option, why in (_OF_REDIS if engine == MEMCACHED else _OF_MEMCACHED).items():
        if getattr(desired, option, None) not in (None, ()):
            raise PlanRefused(f"{option} is stated for a cache cluster of {engine}: {why}", option)
    if engine == REDIS and (desired.num_cache_nodes or 1) != 1:
        raise PlanRefused(
            f"num_cache_nodes is {desired.num_cache_nodes}, and a cache cluster of Redis OSS has one node: state 1, or "
            "state replication_group_id and num_cache_clusters, which has replicas",
            "num_cache_nodes",
        )
    if engine == REDIS and desired.transit_encryption_enabled:
        raise PlanRefused(
            "transit_encryption_enabled is stated for a lone node of Redis OSS, and AWS encrypts Redis OSS in "
            "replication groups alone: state replication_group_id, or leave it out",
            "transit_encryption_enabled",
        )
