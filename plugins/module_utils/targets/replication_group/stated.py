# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is wrong with the options of a replication group whatever there is: each for itself, and together. Pure.

Every function raises PlanRefused, naming the option to change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import origin, windows
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import (
    MOST_REPLICAS,
    MOST_SHARDS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    check_version,
)

if TYPE_CHECKING:
    from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
        Desired,
    )


def check(desired: Desired) -> None:
    _check_alone(desired)
    _check_nodes(desired)
    _check_cluster_mode(desired)
    _check_availability(desired)
    _check_encryption(desired)
    _check_access(desired)
    _check_origin(desired)
    _check_network(desired)


# --- each option for itself ---


def _check_alone(desired: Desired) -> None:
    check_id(desired.replication_group_id)
    if desired.engine_version is not None:
        check_version(desired.engine_version, desired.engine)
    check_token(desired.auth_token)
    if desired.snapshot_window is not None:
        windows.snapshot_window(desired.snapshot_window)
    if desired.preferred_maintenance_window is not None:
        windows.maintenance_window(desired.preferred_maintenance_window)
    if desired.cache_node_type is not None and not re.fullmatch(r"cache(\.[a-z0-9-]+){2}", desired.cache_node_type):
        raise PlanRefused(
            f"cache_node_type is {desired.cache_node_type!r}: ElastiCache's types look like cache.t3.small",
            "cache_node_type",
        )
    _check_range("num_cache_clusters", desired.num_cache_clusters, 1, MOST_REPLICAS + 1, "a primary and its replicas")
    _check_range("num_node_groups", desired.num_node_groups, 1, MOST_SHARDS, "shards")
    _check_range("replicas_per_node_group", desired.replicas_per_node_group, 0, MOST_REPLICAS, "replicas of a shard")
    _check_range("port", desired.port, 1, 65535, "a TCP port")
    _check_range("snapshot_retention_limit", desired.snapshot_retention_limit, 0, 35, "days, 0 for no snapshots")
    if desired.kms_key_id and "alias/" in desired.kms_key_id:
        raise PlanRefused(
            f"kms_key_id is {desired.kms_key_id!r}: give the key's id or ARN, as AWS tells the key and never its alias",
            "kms_key_id",
        )
    topic = desired.notification_topic_arn
    if topic and not re.fullmatch(r"arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+", topic):
        raise PlanRefused(
            f"notification_topic_arn is {topic!r}: give the ARN of a topic, as "
            "arn:aws:sns:us-east-1:123456789012:caches",
            "notification_topic_arn",
        )


def check_id(name: str) -> None:
    if len(name) > 40 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", name):
        raise PlanRefused(
            f"replication_group_id is {name!r}: use 1 to 40 letters, digits and hyphens, the first a letter, "
            "without a double hyphen or one at the end",
            "replication_group_id",
        )


def _check_range(option: str, value: int | None, least: int, most: int, meaning: str) -> None:
    if value is not None and not least <= value <= most:
        raise PlanRefused(f"{option} is {value}: it is {least} to {most} ({meaning})", option)


def check_token(token: str | None) -> None:
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


def _exclude(one: str, other: str, way: str) -> None:
    raise PlanRefused(f"{one} and {other} exclude each other: {way}", other)


def _check_nodes(desired: Desired) -> None:
    """Zero is stated too."""
    of_shards = [
        name
        for name, value in (
            ("num_node_groups", desired.num_node_groups),
            ("replicas_per_node_group", desired.replicas_per_node_group),
            ("node_group_configuration", desired.node_group_configuration or None),
        )
        if value is not None
    ]
    if desired.num_cache_clusters is not None and of_shards:
        _exclude(
            "num_cache_clusters",
            of_shards[0],
            "the first counts the nodes of a group of one shard, the other is of shards; state one of them",
        )
    configured = desired.node_group_configuration
    if configured and desired.preferred_cache_cluster_azs:
        _exclude(
            "preferred_cache_cluster_azs",
            "node_group_configuration",
            "state the zones of the nodes in node_group_configuration",
        )
    if desired.preferred_cache_cluster_azs and (
        desired.cluster_mode == "enabled" or (desired.num_node_groups or 1) > 1
    ):
        raise PlanRefused(
            "preferred_cache_cluster_azs names the zones of one shard, and cluster mode is enabled: state the zones of "
            "each shard in node_group_configuration",
            "preferred_cache_cluster_azs",
        )
    if configured and desired.num_node_groups not in (None, len(configured)):
        raise PlanRefused(
            f"num_node_groups is {desired.num_node_groups}, and node_group_configuration has {len(configured)} shards: "
            "state as many, or one of them",
            "num_node_groups",
        )
    zones, nodes = desired.preferred_cache_cluster_azs, desired.num_cache_clusters
    if zones and nodes and len(zones) != nodes:
        raise PlanRefused(
            f"preferred_cache_cluster_azs names {len(zones)} zones for {nodes} nodes: name one for each node, the "
            "primary's first",
            "preferred_cache_cluster_azs",
        )


def _check_cluster_mode(desired: Desired) -> None:
    mode, shards = desired.cluster_mode, desired.layout.shards or 1
    if mode in ("disabled", "compatible") and shards > 1:
        raise PlanRefused(
            f"cluster_mode is {mode}, and {shards} shards are stated: a group has more than one where cluster mode is "
            "enabled only",
            "cluster_mode",
        )
    if mode == "enabled" and desired.num_cache_clusters is not None:
        raise PlanRefused(
            "num_cache_clusters counts the nodes where cluster mode is not enabled, and cluster_mode is enabled: state "
            "num_node_groups and replicas_per_node_group instead",
            "num_cache_clusters",
        )
    if (mode == "enabled" or shards > 1) and desired.automatic_failover_enabled is False:
        raise PlanRefused(
            "automatic_failover_enabled is false, and AWS has cluster mode enabled with automatic failover only: leave "
            "it out, or set it to true",
            "automatic_failover_enabled",
        )
    group = desired.cache_parameter_group_name or ""
    if not group.startswith("default."):
        return
    by_group = "enabled" if group.endswith(".cluster.on") else "disabled"
    if mode and (mode == "disabled") != (by_group == "disabled"):
        raise PlanRefused(
            f"cache_parameter_group_name is {group}, which is of cluster mode {by_group}, and cluster_mode is {mode}: "
            "leave the parameter group out, and AWS takes the one that fits",
            "cache_parameter_group_name",
        )
    if shards > 1 and by_group == "disabled":
        raise PlanRefused(
            f"cache_parameter_group_name is {group}, which has no cluster mode, and {shards} shards are stated: state "
            f"{group}.cluster.on, or leave it out",
            "cache_parameter_group_name",
        )


def _check_availability(desired: Desired) -> None:
    if desired.multi_az_enabled and desired.automatic_failover_enabled is False:
        raise PlanRefused(
            "multi_az_enabled needs automatic failover: set automatic_failover_enabled: true",
            "automatic_failover_enabled",
        )
    if desired.automatic_failover_enabled and desired.num_cache_clusters == 1:
        raise PlanRefused(
            "automatic_failover_enabled needs a replica to fail over to: set num_cache_clusters to 2 or more",
            "num_cache_clusters",
        )


def _check_encryption(desired: Desired) -> None:
    if desired.transit_encryption_enabled is False and desired.transit_encryption_mode:
        raise PlanRefused(
            "transit_encryption_mode says how TLS is spoken, and transit_encryption_enabled is false: leave it out",
            "transit_encryption_mode",
        )
    if desired.kms_key_id and desired.at_rest_encryption_enabled is False:
        raise PlanRefused(
            "kms_key_id encrypts data at rest: set at_rest_encryption_enabled: true, or leave the key out", "kms_key_id"
        )
    if desired.durability in ("sync", "async") and desired.at_rest_encryption_enabled is False:
        raise PlanRefused(
            f"durability {desired.durability} encrypts data at rest, and at_rest_encryption_enabled is false: leave it "
            "out, or set it to true",
            "at_rest_encryption_enabled",
        )


def _check_access(desired: Desired) -> None:
    """A token, or users: both need TLS."""
    strategy = desired.auth_token_update_strategy
    without_tls = desired.transit_encryption_enabled is False
    if without_tls and desired.auth_token:
        raise PlanRefused(
            "auth_token needs TLS: set transit_encryption_enabled: true, or leave the token out", "auth_token"
        )
    if without_tls and desired.user_group_ids:
        raise PlanRefused(
            "user_group_ids needs TLS: set transit_encryption_enabled: true, or leave them out", "user_group_ids"
        )
    if desired.auth_token and desired.user_group_ids:
        _exclude("auth_token", "user_group_ids", "a group has a token or users. State one of them")
    if strategy == "delete" and desired.auth_token:
        raise PlanRefused(
            "auth_token_update_strategy: delete takes the token away, so leave auth_token out", "auth_token"
        )
    if strategy == "delete" and desired.user_group_ids == ():
        raise PlanRefused(
            "auth_token_update_strategy: delete leaves the group to its users, and user_group_ids is empty: state them",
            "user_group_ids",
        )
    if strategy not in (None, "delete") and not desired.auth_token:
        raise PlanRefused(
            "auth_token_update_strategy says how a token is changed: give auth_token with it",
            "auth_token",
        )


def _check_origin(desired: Desired) -> None:
    origin.check_arns(desired.snapshot_arns)
    if desired.snapshot_name and desired.snapshot_arns:
        _exclude("snapshot_name", "snapshot_arns", "a group is restored from one of them")


def _check_network(desired: Desired) -> None:
    network, discovery = desired.network_type, desired.ip_discovery
    if network in ("ipv4", "ipv6") and discovery not in (None, network):
        raise PlanRefused(
            f"ip_discovery is {discovery}, and network_type {network} has no such addresses: state {network}, or "
            "network_type: dual_stack",
            "ip_discovery",
        )
