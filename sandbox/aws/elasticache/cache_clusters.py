"""DescribeCacheClusters (the nodes of replication groups, and clusters by themselves), DescribeCacheEngineVersions."""

from __future__ import annotations

from sandbox.aws.elasticache import describe
from sandbox.aws.elasticache.catalogue import VERSIONS, default_version
from sandbox.aws.elasticache.clusters import describe as lone_clusters
from sandbox.aws.elasticache.context import Context
from sandbox.aws.wire import Params, Result, operation, page


class CacheClusters:
    def __init__(self, context: Context) -> None:
        self._account = context.account

    @operation(
        "DescribeCacheClusters",
        *("CacheClusterId", "MaxRecords", "Marker", "ShowCacheNodeInfo", "ShowCacheClustersNotInReplicationGroups"),
    )
    def describe_cache_clusters(self, params: Params) -> Result:
        with self._account.lock:
            with_nodes = params.get("ShowCacheNodeInfo", False)
            lone = sorted(self._account.cache_clusters.values(), key=lambda cluster: cluster.id)
            groups = sorted(self._account.replication_groups.values(), key=lambda group: group.id)
            found = [(group, member) for group in groups for member in group.members]
            if "CacheClusterId" in params:
                name = params["CacheClusterId"].lower()
                lone = [cluster for cluster in lone if cluster.id == name]
                found = [] if lone else [self._account.member(name)]
            elif params.get("ShowCacheClustersNotInReplicationGroups"):
                found = []
            shown = [describe.cache_cluster(self._account, group, member, with_nodes) for group, member in found]
            shown += [lone_clusters.cache_cluster(self._account, cluster, with_nodes) for cluster in lone]
            return page(shown, params, "CacheClusters")

    @operation(
        "DescribeCacheEngineVersions",
        *("Engine", "EngineVersion", "CacheParameterGroupFamily", "MaxRecords", "Marker", "DefaultOnly"),
    )
    def describe_cache_engine_versions(self, params: Params) -> Result:
        found = [
            version
            for version in VERSIONS
            if params.get("Engine", version.engine) == version.engine
            and params.get("EngineVersion", version.label) == version.label
            and params.get("CacheParameterGroupFamily", version.family) == version.family
            and (not params.get("DefaultOnly") or version == default_version(version.engine))
        ]
        return page([describe.engine_version(version) for version in found], params, "CacheEngineVersions")
