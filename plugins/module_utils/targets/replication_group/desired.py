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
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import (
    common_options,
    log_delivery,
    origin,
    ownership,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import (
    configuration,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shards import (
    Layout,
    WantedShard,
)

# The strategy that changes nothing: the token is set, or being set.
KEEP = "keep"


@dataclass(frozen=True)
class Desired:
    replication_group_id: str
    migration_name: str
    replication_group_description: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    cache_node_type: str | None = None
    num_cache_clusters: int | None = None
    num_node_groups: int | None = None
    replicas_per_node_group: int | None = None
    node_group_configuration: tuple[WantedShard, ...] = ()
    cluster_mode: str | None = None
    automatic_failover_enabled: bool | None = None
    multi_az_enabled: bool | None = None
    preferred_cache_cluster_azs: tuple[str, ...] | None = None
    cache_subnet_group_name: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    cache_parameter_group_name: str | None = None
    port: int | None = None
    network_type: str | None = None
    ip_discovery: str | None = None
    transit_encryption_enabled: bool | None = None
    transit_encryption_mode: str | None = None
    at_rest_encryption_enabled: bool | None = None
    kms_key_id: str | None = None
    auth_token: str | None = field(default=None, repr=False)
    auth_token_update_strategy: str | None = None
    user_group_ids: tuple[str, ...] | None = None
    data_tiering_enabled: bool | None = None
    durability: str | None = None
    snapshot_name: str | None = None
    snapshot_arns: tuple[str, ...] | None = None
    snapshot_retention_limit: int | None = None
    snapshot_window: str | None = None
    preferred_maintenance_window: str | None = None
    auto_minor_version_upgrade: bool | None = None
    notification_topic_arn: str | None = None
    notification_topic_status: str | None = None
    log_delivery_configurations: tuple[log_delivery.LogDelivery, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    apply_immediately: bool = True
    adopt: bool = False
    parameters_enable_cluster: bool | None = None  # of the parameter group that is named, as AWS tells it

    @classmethod
    def from_params(cls, params: Mapping[str, Any], allow_placeholders: bool = False) -> Desired:
        """Raises PlanRefused, naming the option. Placeholders for security groups pass only in check mode."""
        name = str(params["replication_group_id"]).lower()  # AWS stores it in lower case
        migration_name = ownership.check_migration_name(params["migration_name"])
        topic = params.get("notification_topic_arn") or None
        desired = cls(
            replication_group_id=name,
            migration_name=migration_name,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            security_group_ids=common_options.security_groups(
                params.get("security_group_ids") or None, allow_placeholders
            ),
            user_group_ids=_sorted(params.get("user_group_ids")),
            node_group_configuration=configuration.read_configuration(params.get("node_group_configuration")),
            log_delivery_configurations=log_delivery.read(params.get("log_delivery_configurations")),
            notification_topic_arn=topic,
            # A topic that is stated is meant to be told.
            notification_topic_status=params.get("notification_topic_status") or ("active" if topic else None),
            preferred_cache_cluster_azs=tuple(params.get("preferred_cache_cluster_azs") or ()) or None,
            snapshot_arns=tuple(params.get("snapshot_arns") or ()) or None,
            snapshot_window=_lower(params.get("snapshot_window")),
            preferred_maintenance_window=_lower(params.get("preferred_maintenance_window")),
            cache_subnet_group_name=_lower(params.get("cache_subnet_group_name")),
            cache_parameter_group_name=_lower(params.get("cache_parameter_group_name")),
            auth_token=params.get("auth_token") or None,
            **{name: params[name] for name in _AS_THEY_ARE if params.get(name) not in (None, "")},
        )
        stated.check(desired)
        return desired

    @property
    def token_change(self) -> str:
        """``rotate``, ``set`` or ``delete``, or empty where the token is not to be changed."""
        strategy = self.auth_token_update_strategy or KEEP
        return "" if strategy == KEEP else strategy

    @property
    def has_placeholders(self) -> bool:
        return common_options.has_placeholders(self.security_group_ids)

    @property
    def layout(self) -> Layout:
        """What is stated of shards and replicas. num_cache_clusters counts the nodes of a group of one shard."""
        nodes = self.num_cache_clusters
        return Layout(
            shards=self.num_node_groups or len(self.node_group_configuration) or None,
            replicas=self.replicas_per_node_group if nodes is None else nodes - 1,
            configuration=self.node_group_configuration,
            zones=self.preferred_cache_cluster_azs or (),
        )

    @property
    def replicas_option(self) -> str:
        """The option by which the replicas are stated."""
        if self.num_cache_clusters is not None:
            return "num_cache_clusters"
        return "node_group_configuration" if self.node_group_configuration else "replicas_per_node_group"

    @property
    def new_cluster_mode(self) -> str:
        """That of a group that is made: AWS enables it for more than one shard, and by the parameter group."""
        by_group = (self.cache_parameter_group_name or "").endswith(".cluster.on") or self.parameters_enable_cluster
        return self.cluster_mode or ("enabled" if (self.layout.shards or 1) > 1 or by_group else "disabled")

    @property
    def origin(self) -> dict[str, str]:
        """The tag that keeps what it is restored from."""
        return origin.tags(self.snapshot_name, self.snapshot_arns)


@dataclass(frozen=True)
class Deletion:
    """State absent: which group, and what becomes of its data."""

    replication_group_id: str
    migration_name: str
    final_snapshot_identifier: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deletion:
        name = str(params["replication_group_id"]).lower()
        stated.check_id(name)
        snapshot = params.get("final_snapshot_identifier")
        if bool(snapshot) == bool(params.get("skip_final_snapshot")):
            raise common_options.gone_for_good(name, "final_snapshot_identifier")
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
    "num_node_groups",
    "replicas_per_node_group",
    "cluster_mode",
    "automatic_failover_enabled",
    "multi_az_enabled",
    "port",
    "network_type",
    "ip_discovery",
    "transit_encryption_enabled",
    "transit_encryption_mode",
    "at_rest_encryption_enabled",
    "kms_key_id",
    "auth_token_update_strategy",
    "data_tiering_enabled",
    "durability",
    "snapshot_name",
    "snapshot_retention_limit",
    "auto_minor_version_upgrade",
    "purge_tags",
    "apply_immediately",
    "adopt",
)


def _lower(value: str | None) -> str | None:
    return value.lower() if value else None


def _sorted(value: list[str] | None) -> tuple[str, ...] | None:
    """An empty list is stated: none of them."""
    return None if value is None else tuple(sorted({item.lower() for item in value}))
