# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cache cluster (Memcached, or one node of Redis OSS by itself) as it is: shaped from what AWS answers. Pure.

Its fields are named as the options of elasticache_cluster, so that current and desired compare by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, Node, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.desired import CROSS, SINGLE
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    MEMCACHED,
    PORTS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.log_delivery import LogDelivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    DEFAULT_DATABASES,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import REDIS

SERVICES = {MEMCACHED: "elasticache-memcached", REDIS: "elasticache"}
MULTIPLE = "Multiple"  # in place of a zone, where the nodes lie in several

QUEUED_OPTIONS = ("num_cache_nodes", "cache_node_type", "engine_version")

_FAILED = ("create-failed", "incompatible-network", "restore-failed")


@dataclass(frozen=True)
class CacheNode:
    """``cache_node_id`` is a number of four digits, as 0001."""

    cache_node_id: str
    status: str = ""
    availability_zone: str = ""
    address: str = ""
    port: int = 0


@dataclass(frozen=True)
class CacheCluster:
    cache_cluster_id: str
    status: str
    arn: str = ""
    engine: str = MEMCACHED
    engine_version: str = ""
    cache_node_type: str = ""
    num_cache_nodes: int = 1
    az_mode: str = SINGLE
    preferred_availability_zone: str = ""  # Multiple, where the nodes lie in several
    preferred_availability_zones: tuple[str, ...] = ()  # of its nodes, in their order
    cache_subnet_group_name: str = ""
    security_group_ids: tuple[str, ...] = ()
    cache_parameter_group_name: str = ""
    port: int = 0
    transit_encryption_enabled: bool = False
    network_type: str = "ipv4"
    ip_discovery: str = "ipv4"
    notification_topic_arn: str = ""
    notification_topic_status: str = ""
    log_delivery_configurations: tuple[LogDelivery, ...] = ()
    auto_minor_version_upgrade: bool = True
    snapshot_retention_limit: int = 0
    snapshot_window: str = ""
    preferred_maintenance_window: str = ""
    replication_group_id: str = ""
    address: str = ""
    nodes: tuple[CacheNode, ...] = ()
    unready: tuple[str, ...] = ()
    pending: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] | None = None
    databases: int = 1
    allowed_node_types: tuple[str, ...] | None = None

    @property
    def is_ready(self) -> bool:
        """Unknown statuses are not ready; the tags of a cluster that is being made cannot be read."""
        return self.status == "available" and not self.unready and self.tags is not None and bool(self.address)

    @property
    def is_going(self) -> bool:
        return self.status in ("deleting", "deleted")

    @property
    def has_failed(self) -> bool:
        return self.status in _FAILED

    @property
    def waits_for(self) -> str:
        """What is not ready, as a phrase: ``modifying``, or ``available, node 0002 creating``."""
        if self.status == "available" and not self.unready:
            return "available, its tags cannot be read yet" if self.tags is None else "available, no endpoint yet"
        return ", ".join((self.status, *self.unready)) if self.status == "available" else self.status


def shape(cluster: Mapping[str, Any], tags: Mapping[str, str] | None = None, databases: int = 0) -> CacheCluster:
    """Of DescribeCacheClusters with ShowCacheNodeInfo, and ListTagsForResource."""
    engine = str(cluster.get("Engine") or MEMCACHED).lower()
    nodes = tuple(sorted(map(_node, cluster.get("CacheNodes") or ()), key=lambda node: node.cache_node_id))
    way_in: Mapping[str, Any] = cluster.get("ConfigurationEndpoint") or {}
    if engine != MEMCACHED and nodes:
        way_in = {"Address": nodes[0].address, "Port": nodes[0].port}
    zone = cluster.get("PreferredAvailabilityZone", "")
    topic = cluster.get("NotificationConfiguration") or {}
    return CacheCluster(
        cache_cluster_id=cluster["CacheClusterId"],
        status=str(cluster.get("CacheClusterStatus", "")).lower(),
        arn=cluster.get("ARN", ""),
        engine=engine,
        engine_version=cluster.get("EngineVersion", ""),
        cache_node_type=cluster.get("CacheNodeType", ""),
        num_cache_nodes=int(cluster.get("NumCacheNodes") or len(nodes) or 1),
        az_mode=CROSS if zone == MULTIPLE else SINGLE,
        preferred_availability_zone=zone,
        preferred_availability_zones=tuple(node.availability_zone for node in nodes),
        cache_subnet_group_name=cluster.get("CacheSubnetGroupName", ""),
        security_group_ids=_security_groups(cluster),
        cache_parameter_group_name=(cluster.get("CacheParameterGroup") or {}).get("CacheParameterGroupName", ""),
        port=int(way_in.get("Port") or PORTS.get(engine, 0)),
        transit_encryption_enabled=bool(cluster.get("TransitEncryptionEnabled")),
        network_type=str(cluster.get("NetworkType") or "ipv4"),
        ip_discovery=str(cluster.get("IpDiscovery") or "ipv4"),
        notification_topic_arn=topic.get("TopicArn") or "",
        notification_topic_status=str(topic.get("TopicStatus") or "").lower(),
        log_delivery_configurations=log_delivery.shape(cluster.get("LogDeliveryConfigurations")),
        auto_minor_version_upgrade=bool(cluster.get("AutoMinorVersionUpgrade", True)),
        snapshot_retention_limit=int(cluster.get("SnapshotRetentionLimit") or 0),
        snapshot_window=str(cluster.get("SnapshotWindow") or "").lower(),
        preferred_maintenance_window=str(cluster.get("PreferredMaintenanceWindow") or "").lower(),
        replication_group_id=cluster.get("ReplicationGroupId") or "",
        address=way_in.get("Address") or "",
        nodes=nodes,
        unready=tuple(f"node {node.cache_node_id} {node.status}" for node in nodes if node.status != "available"),
        pending=_pending(cluster),
        tags=tags,
        databases=databases or (DEFAULT_DATABASES if engine == REDIS else 1),
    )


def _node(node: Mapping[str, Any]) -> CacheNode:
    endpoint = node.get("Endpoint") or {}
    return CacheNode(
        cache_node_id=str(node.get("CacheNodeId", "")),
        status=str(node.get("CacheNodeStatus", "")).lower(),
        availability_zone=node.get("CustomerAvailabilityZone") or "",
        address=endpoint.get("Address") or "",
        port=int(endpoint.get("Port") or 0),
    )


def _security_groups(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    groups = cluster.get("SecurityGroups") or ()
    return tuple(sorted(item["SecurityGroupId"] for item in groups if str(item.get("Status")).lower() != "removing"))


def _pending(cluster: Mapping[str, Any]) -> dict[str, Any]:
    """What AWS has queued, by option."""
    queued = cluster.get("PendingModifiedValues") or {}
    names = {
        "num_cache_nodes": "NumCacheNodes",
        "cache_node_type": "CacheNodeType",
        "engine_version": "EngineVersion",
        "transit_encryption_enabled": "TransitEncryptionEnabled",
    }
    found = {option: queued[name] for option, name in names.items() if queued.get(name) is not None}
    if (cluster.get("CacheParameterGroup") or {}).get("ParameterApplyStatus") == "pending-reboot":
        found["parameters"] = "pending-reboot"
    return found


def endpoint_of(cluster: CacheCluster) -> Endpoint:
    """How clients reach it: Memcached's configuration endpoint, which tells the nodes; the node of a lone Redis."""
    known: dict[str, Any] = {
        "protocol": "memcached" if cluster.engine == MEMCACHED else "redis",
        "port": cluster.port or PORTS[cluster.engine],
        "tls": cluster.transit_encryption_enabled,
        "databases": cluster.databases,
        "engine": cluster.engine,
        "engine_version": cluster.engine_version,
    }
    service = SERVICES[cluster.engine]
    if not cluster.address:
        return after_apply(service, cluster.cache_cluster_id, **known)
    nodes = tuple(Node(node.cache_node_id, node.address, node.port) for node in cluster.nodes if node.address)
    return Endpoint(service=service, name=cluster.cache_cluster_id, address=cluster.address, nodes=nodes, **known)


_NOT_OPTIONS = ("status", "arn", "address", "nodes", "unready", "pending", "databases", "allowed_node_types")


def as_options(cluster: CacheCluster) -> dict[str, Any]:
    """The cluster in the words of elasticache_cluster's options: for diffs, and for elasticache_cluster_info."""
    shown = {item.name: getattr(cluster, item.name) for item in fields(cluster) if item.name not in _NOT_OPTIONS}
    return {
        **shown,
        **{name: list(shown[name]) for name in ("preferred_availability_zones", "security_group_ids")},
        "log_delivery_configurations": [item.as_option() for item in cluster.log_delivery_configurations],
        "tags": dict(cluster.tags or {}),
    }
