"""Cache clusters of ElastiCache that are no replication group's."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import elasticache_cluster, elasticache_cluster_info

from tests.component.local_aws import Aws
from tests.component.peers.services.contract import Service, own_tags_left_out, until
from tests.component.peers.services.replication_group import log_delivery


def _described(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        return dict(client.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"][0])
    except client.exceptions.CacheClusterNotFoundFault:
        return None


def read(aws: Aws, name: str) -> dict[str, Any] | None:
    cluster, client = _described(aws, name), aws.client("elasticache")
    if cluster is None:
        return None
    nodes = cluster.get("CacheNodes", [])
    configuration = cluster.get("ConfigurationEndpoint") or {}
    zones = {node["CustomerAvailabilityZone"] for node in nodes}
    topic = cluster.get("NotificationConfiguration") or {}
    return {
        "identity": cluster["CacheClusterCreateTime"],
        "engine": cluster["Engine"],
        "engine_version": cluster["EngineVersion"],
        "engine_version_actual": cluster["EngineVersion"],
        "cache_node_type": cluster["CacheNodeType"],
        "num_cache_nodes": cluster["NumCacheNodes"],
        "cache_node_ids": [node["CacheNodeId"] for node in nodes],
        "configuration_endpoint": configuration.get("Address"),
        "port": configuration.get("Port") or (nodes[0]["Endpoint"]["Port"] if nodes else None),
        "az_mode": "cross-az" if len(zones) > 1 else "single-az",
        "auto_minor_version_upgrade": cluster["AutoMinorVersionUpgrade"],
        "ip_discovery": cluster.get("IpDiscovery"),
        "network_type": cluster.get("NetworkType"),
        "preferred_outpost_arn": cluster.get("PreferredOutpostArn"),
        "replication_group_id": cluster.get("ReplicationGroupId"),
        "notification_topic_status": topic.get("TopicStatus"),
        "transit_encryption_enabled": cluster["TransitEncryptionEnabled"],
        "log_delivery_configurations": [log_delivery(each) for each in cluster.get("LogDeliveryConfigurations", [])],
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=cluster["ARN"])["TagList"]),
    }


def _status(aws: Aws, name: str) -> str:
    return str((_described(aws, name) or {"CacheClusterStatus": "gone"})["CacheClusterStatus"])


def delete(aws: Aws, name: str) -> None:
    until(lambda: _status(aws, name) in ("available", "create-failed", "gone"), f"{name} may be deleted")
    if _status(aws, name) != "gone":
        aws.client("elasticache").delete_cache_cluster(CacheClusterId=name)
        until(lambda: _status(aws, name) == "gone", f"{name} is gone")


def _deletion(stated: dict[str, Any]) -> dict[str, Any]:
    """The peer states the last snapshot beside what the cluster is; here it goes with the deletion."""
    snapshot = stated.get("final_snapshot_identifier")
    return {"final_snapshot_identifier": snapshot} if snapshot else {"skip_final_snapshot": True}


CACHE_CLUSTER = Service(
    main=elasticache_cluster.main,
    name_option="cache_cluster_id",
    read=read,
    delete=delete,
    always={"purge_tags": True},
    deletion=_deletion,
    info=elasticache_cluster_info.main,
    told="cache_clusters",
    unread=("apply_immediately", "final_snapshot_identifier"),
)
