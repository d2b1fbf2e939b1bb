"""DescribeCacheClusters (the nodes of replication groups) and DescribeCacheEngineVersions."""

from __future__ import annotations

from sandbox.aws.elasticache import describe
from sandbox.aws.elasticache.catalogue import VERSIONS, default_version
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
            if "CacheClusterId" in params:
                found = [self._account.member(params["CacheClusterId"])]
            elif params.get("ShowCacheClustersNotInReplicationGroups"):
                found = []  # there are none: this sandbox makes replication groups alone
            else:
                groups = sorted(self._account.replication_groups.values(), key=lambda group: group.id)
                found = [(group, member) for group in groups for member in group.members]
            with_nodes = params.get("ShowCacheNodeInfo", False)
            shown = [describe.cache_cluster(self._account, group, member, with_nodes) for group, member in found]
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
