"""What AWS shows of a cache cluster: plain mappings in the shapes of botocore's model."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache.clusters import names
from sandbox.aws.elasticache.clusters.state import CacheCluster, Node
from sandbox.aws.elasticache.parameters import effective_values, waits_for_reboot
from sandbox.aws.elasticache.state import CREATING, Account

SHOWN_PENDING = ("NumCacheNodes", "CacheNodeIdsToRemove", "CacheNodeType", "EngineVersion", "ScaleConfig")


def cache_cluster(account: Account, cluster: CacheCluster, with_nodes: bool) -> dict[str, Any]:
    serving, memcached = cluster.is_serving, cluster.is_memcached
    way_in = {"Address": names.configuration(cluster), "Port": cluster.port}
    shown = {
        "CacheClusterId": cluster.id,
        "ConfigurationEndpoint": way_in if memcached and serving else None,
        "CacheNodeType": cluster.node_type,
        "Engine": cluster.version.engine,
        "EngineVersion": cluster.version.full,
        "CacheClusterStatus": cluster.status,
        "NumCacheNodes": len(cluster.nodes),
        "PreferredAvailabilityZone": "Multiple" if len(set(cluster.zones)) > 1 else cluster.zones[0],
        "CacheClusterCreateTime": cluster.created,
        "PreferredMaintenanceWindow": cluster.maintenance_window,
        "PendingModifiedValues": {k: cluster.pending[k] for k in SHOWN_PENDING if k in cluster.pending},
        "NotificationConfiguration": {"TopicArn": cluster.topic, "TopicStatus": cluster.topic_status}
        if cluster.topic
        else None,
        "CacheSecurityGroups": [],
        "CacheParameterGroup": _parameter_group(account, cluster),
        "CacheSubnetGroupName": cluster.subnet_group,
        "CacheNodes": [_node(account, cluster, node) for node in cluster.nodes] if with_nodes and serving else None,
        "AutoMinorVersionUpgrade": cluster.auto_minor_version_upgrade,
        "SecurityGroups": [{"SecurityGroupId": name, "Status": "active"} for name in cluster.security_groups],
        "SnapshotRetentionLimit": None if memcached else cluster.retention,
        "SnapshotWindow": None if memcached else cluster.snapshot_window,
        "AuthTokenEnabled": False,
        "TransitEncryptionEnabled": cluster.tls,
        "TransitEncryptionMode": "required" if cluster.tls else None,
        "AtRestEncryptionEnabled": False,
        "ARN": cluster.arn,
        "ReplicationGroupLogDeliveryEnabled": False,
        "LogDeliveryConfigurations": list(cluster.logs.values()),
        "NetworkType": cluster.network_type,
        "IpDiscovery": cluster.ip_discovery,
    }
    return {k: v for k, v in shown.items() if v is not None}


def _node(account: Account, cluster: CacheCluster, node: Node) -> dict[str, Any]:
    return {
        "CacheNodeId": node.id,
        "CacheNodeStatus": cluster.status if node.engine is not None else CREATING,
        "CacheNodeCreateTime": node.created,
        "Endpoint": {"Address": names.node(cluster, node), "Port": cluster.port},
        "ParameterGroupStatus": "pending-reboot" if _waits(account, cluster, node) else "in-sync",
        "CustomerAvailabilityZone": node.zone,
    }


def _parameter_group(account: Account, cluster: CacheCluster) -> dict[str, Any]:
    waiting = [node.id for node in cluster.nodes if _waits(account, cluster, node)]
    return {
        "CacheParameterGroupName": cluster.parameter_group,
        "ParameterApplyStatus": "pending-reboot" if waiting else "in-sync",
        "CacheNodeIdsToReboot": waiting,
    }


def _waits(account: Account, cluster: CacheCluster, node: Node) -> bool:
    wanted = effective_values(account.parameter_group(cluster.parameter_group))
    return bool(node.applied) and waits_for_reboot(node.applied, wanted)
