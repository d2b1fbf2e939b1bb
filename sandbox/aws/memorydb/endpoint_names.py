"""Names of endpoints as AWS makes them. Only the sandbox makes them; everybody else reads them."""

from __future__ import annotations

from sandbox.aws.memorydb.state import REGION, Cluster

DOMAIN = f"memorydb.{REGION}.amazonaws.com"


def zone(cluster: Cluster) -> str:
    return f"{cluster.id}.{cluster.network_zone}.{DOMAIN}"


def configuration(cluster: Cluster) -> str:
    return f"clustercfg.{zone(cluster)}"


def node(cluster: Cluster, name: str) -> str:
    return f"{name}.{zone(cluster)}"
