"""What AWS shows of serverless caches and their snapshots, in the shapes of botocore's model."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache.serverless.state import ServerlessCache, ServerlessSnapshot, major_of
from sandbox.aws.elasticache.state import AVAILABLE

MOST = {"DataStorage": {"Maximum": 5000, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 15_000_000}}


def serverless_cache(cache: ServerlessCache) -> dict[str, Any]:
    endpoints = {
        "Endpoint": {"Address": cache.host, "Port": cache.port},
        "ReaderEndpoint": {"Address": cache.host, "Port": cache.reader_port},
    }
    shown = {
        "ServerlessCacheName": cache.id,
        "Description": cache.description,
        "CreateTime": cache.created,
        "Status": cache.status,
        "Engine": cache.version.engine,
        "MajorEngineVersion": cache.major,
        "FullEngineVersion": cache.version.label,
        "CacheUsageLimits": limits(cache),
        "KmsKeyId": cache.kms_key or None,
        "StorageEncryptionType": "sse-kms" if cache.kms_key else "sse-elasticache",
        "SecurityGroupIds": list(cache.security_groups),
        **(endpoints if cache.is_serving else {}),
        "ARN": cache.arn,
        "UserGroupId": cache.user_group or None,
        "SubnetIds": list(cache.subnets),
        "SnapshotRetentionLimit": cache.retention,
        "DailySnapshotTime": cache.snapshot_time,
        "NetworkType": "ipv4",
        "ConnectionType": "vpc",
    }
    return {name: value for name, value in shown.items() if value is not None}


def limits(cache: ServerlessCache) -> dict[str, Any]:
    """Where none was stated, the most that there is."""
    return {part: {**most, **cache.limits.get(part, {})} for part, most in MOST.items()}


def snapshot(found: ServerlessSnapshot) -> dict[str, Any]:
    size = {"BytesUsedForCache": str(found.file.stat().st_size)} if found.file.exists() else {}
    return {
        "ServerlessCacheSnapshotName": found.id,
        "ARN": found.arn,
        **({"KmsKeyId": found.kms_key} if found.kms_key else {}),
        "SnapshotType": found.kind,
        "Status": found.status,
        "CreateTime": found.created,
        **(size if found.status == AVAILABLE else {}),
        "ServerlessCacheConfiguration": {
            "ServerlessCacheName": found.cache,
            "Engine": found.version.engine,
            "MajorEngineVersion": major_of(found.version),
        },
    }
