# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What Application Auto Scaling scales of ElastiCache, and of which caches. Pure.

https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoScaling.html. MemoryDB is not among the services that it
knows, and serverless caches scale by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)

NODE_GROUPS, REPLICAS, NODES = "NodeGroups", "Replicas", "Nodes"
METRICS: tuple[str, ...] = tuple(OPTIONS["scaling"].options["predefined_metric_type"]["choices"])
SIZES = ("large", "xlarge", "2xlarge")
OLDEST = {"redis": (6, 0), "valkey": (7, 2)}


@dataclass(frozen=True)
class Dimension:
    api: str  # ScalableDimension
    noun: str  # what is added and removed
    resource: str  # what ResourceId begins with
    option: str  # that names the cache
    metric: str  # that a policy follows where none is stated; empty where it must be
    least: int
    most: int | None = None


DIMENSIONS: Mapping[str, Dimension] = {
    NODE_GROUPS: Dimension(
        "elasticache:replication-group:NodeGroups",
        "shards",
        "replication-group",
        "replication_group_id",
        "ElastiCachePrimaryEngineCPUUtilization",
        1,
    ),
    REPLICAS: Dimension(
        "elasticache:replication-group:Replicas",
        "replicas",
        "replication-group",
        "replication_group_id",
        "ElastiCacheReplicaEngineCPUUtilization",
        1,
        5,
    ),
    NODES: Dimension("elasticache:cache-cluster:Nodes", "nodes", "cache-cluster", "cache_cluster_id", "", 1),
}


@dataclass(frozen=True)
class Cache:
    """What is to be scaled, as far as it decides whether it can be."""

    name: str
    engine: str
    engine_version: str
    node_type: str
    is_clustered: bool  # with cluster mode enabled
    tags: Mapping[str, str] | None

    @classmethod
    def that_will_be(cls, name: str, becomes: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> Cache:
        """Of the option will_be of cache_scaling."""
        return cls(
            name,
            str(becomes.get("engine") or ""),
            str(becomes.get("engine_version") or ""),
            str(becomes.get("cache_node_type") or ""),
            bool(becomes.get("cluster_enabled")),
            tags,
        )


def refuse_unscalable(cache: Cache, word: str) -> None:
    """What Application Auto Scaling does not take. Raises PlanRefused."""
    what = f"{DIMENSIONS[word].option} is {cache.name}, and AWS does not scale"
    if word == NODES:
        if cache.engine != "memcached":
            raise PlanRefused(
                f"{what} the nodes of a cache cluster of {cache.engine}, which has one: state replication_group_id, of "
                "one with cluster mode enabled",
                "cache_cluster_id",
            )
        return
    if not cache.is_clustered:
        raise PlanRefused(
            f"{what} replication groups by itself that have cluster mode disabled: change num_cache_clusters or "
            "cache_node_type yourself (elasticache_cluster), or make it one with cluster_mode enabled",
            "replication_group_id",
        )
    if cache.node_type.rpartition(".")[2] not in SIZES:
        raise PlanRefused(
            f"{what} nodes of type {cache.node_type} by itself, only those of the sizes {', '.join(SIZES)}: change "
            "cache_node_type (elasticache_cluster) first",
            "replication_group_id",
        )
    oldest, numbers = OLDEST.get(cache.engine), version_numbers(cache.engine_version)
    if oldest and numbers and (*numbers, 0)[:2] < oldest:
        raise PlanRefused(
            f"{what} {cache.engine} {cache.engine_version} by itself, only from {oldest[0]}.{oldest[1]} on: change "
            "engine_version (elasticache_cluster) first",
            "replication_group_id",
        )
