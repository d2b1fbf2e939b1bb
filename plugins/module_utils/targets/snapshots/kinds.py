# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The kinds of snapshots: ElastiCache has those of nodes and of serverless caches, and MemoryDB its own. Pure.

A call's parameters are by the option that states them, so that a plan says both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership


@dataclass(frozen=True)
class Kind:
    name_option: str
    source_option: str  # of a copy
    cache_options: tuple[str, ...]  # what one is made of
    create: str
    copy: str
    delete: str
    export: str
    parameters: Mapping[str, str]  # of create, by option
    name_of_copy: str
    source_of_copy: str
    exports_as: str  # the parameter of the snapshot's name in an export
    bucket: str  # that of the bucket
    takes_a_name_in_the_bucket: bool = True
    tags: ownership.TagCalls = ownership.ELASTICACHE


NODE_BASED = Kind(
    name_option="snapshot_name",
    source_option="source_snapshot_name",
    cache_options=("replication_group_id", "cache_cluster_id"),
    create="CreateSnapshot",
    copy="CopySnapshot",
    delete="DeleteSnapshot",
    export="CopySnapshot",
    parameters={
        "snapshot_name": "SnapshotName",
        "replication_group_id": "ReplicationGroupId",
        "cache_cluster_id": "CacheClusterId",
    },
    name_of_copy="TargetSnapshotName",
    source_of_copy="SourceSnapshotName",
    exports_as="SourceSnapshotName",
    bucket="TargetBucket",
)
SERVERLESS = Kind(
    name_option="serverless_cache_snapshot_name",
    source_option="source_serverless_cache_snapshot_name",
    cache_options=("serverless_cache_name",),
    create="CreateServerlessCacheSnapshot",
    copy="CopyServerlessCacheSnapshot",
    delete="DeleteServerlessCacheSnapshot",
    export="ExportServerlessCacheSnapshot",
    parameters={
        "serverless_cache_snapshot_name": "ServerlessCacheSnapshotName",
        "serverless_cache_name": "ServerlessCacheName",
    },
    name_of_copy="TargetServerlessCacheSnapshotName",
    source_of_copy="SourceServerlessCacheSnapshotName",
    exports_as="ServerlessCacheSnapshotName",
    bucket="S3BucketName",
    takes_a_name_in_the_bucket=False,
)
OF_ELASTICACHE = (NODE_BASED, SERVERLESS)
MEMORYDB = Kind(
    name_option="snapshot_name",
    source_option="source_snapshot_name",
    cache_options=("cluster_name",),
    create="CreateSnapshot",
    copy="CopySnapshot",
    delete="DeleteSnapshot",
    export="CopySnapshot",
    parameters={"snapshot_name": "SnapshotName", "cluster_name": "ClusterName"},
    name_of_copy="TargetSnapshotName",
    source_of_copy="SourceSnapshotName",
    exports_as="SourceSnapshotName",
    bucket="TargetBucket",
    tags=ownership.MEMORYDB,
)
