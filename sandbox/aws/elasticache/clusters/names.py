"""Names of a cache cluster's endpoints as AWS makes them."""

from __future__ import annotations

from sandbox.aws.elasticache.clusters.state import CacheCluster, Node
from sandbox.aws.elasticache.endpoint_names import DOMAIN, REGION_CODE

MOST_NODES = 40


def configuration(cluster: CacheCluster) -> str:
    return f"{cluster.id}.{cluster.network_zone}.cfg.{REGION_CODE}.{DOMAIN}"


def node(cluster: CacheCluster, of: Node) -> str:
    return _node(cluster, of.id)


def _node(cluster: CacheCluster, number: str) -> str:
    return f"{cluster.id}.{cluster.network_zone}.{number}.{REGION_CODE}.{DOMAIN}"


def every(cluster: CacheCluster) -> list[str]:
    """Those that it has, and those of nodes that may yet be added: of a certificate."""
    return [configuration(cluster), *(_node(cluster, f"{number:04}") for number in range(1, MOST_NODES + 1))]
