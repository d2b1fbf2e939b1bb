"""Serverless caches of ElastiCache."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_serverless_cache,
    elasticache_serverless_cache_info,
)

from tests.component.local_aws import Aws
from tests.component.peers.services.contract import Service, own_tags_left_out, until
from tests.component.peers.services.users import user_group


def _described(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        return dict(client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"][0])
    except client.exceptions.ServerlessCacheNotFoundFault:
        return None


def _read(aws: Aws, name: str) -> dict[str, Any] | None:
    cache, client = _described(aws, name), aws.client("elasticache")
    if cache is None:
        return None
    limits = cache.get("CacheUsageLimits") or {}
    return {
        "identity": cache["CreateTime"],
        "arn": cache["ARN"],
        "status": cache["Status"],
        "create_time": cache["CreateTime"],
        "engine": cache["Engine"],
        "major_engine_version": cache["MajorEngineVersion"],
        "full_engine_version": cache["FullEngineVersion"],
        "description": cache.get("Description"),
        "endpoint": (cache.get("Endpoint") or {}).get("Address"),
        "reader_endpoint": (cache.get("ReaderEndpoint") or {}).get("Address"),
        "subnet_ids": cache.get("SubnetIds"),
        "security_group_ids": cache.get("SecurityGroupIds", []),
        "kms_key_id": cache.get("KmsKeyId"),
        "user_group_id": cache.get("UserGroupId"),
        "daily_snapshot_time": cache.get("DailySnapshotTime"),
        "snapshot_retention_limit": cache.get("SnapshotRetentionLimit"),
        "cache_usage_limits": {
            word: {key.lower(): value for key, value in limits[name].items()}
            for word, name in (("data_storage", "DataStorage"), ("ecpu_per_second", "ECPUPerSecond"))
            if limits.get(name)
        },
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=cache["ARN"])["TagList"]),
    }


def _status(aws: Aws, name: str) -> str:
    return str((_described(aws, name) or {"Status": "gone"})["Status"]).lower()


def _delete(aws: Aws, name: str) -> None:
    until(lambda: _status(aws, name) in ("available", "create-failed", "gone"), f"{name} may be deleted")
    if _status(aws, name) != "gone":
        aws.client("elasticache").delete_serverless_cache(ServerlessCacheName=name)
        until(lambda: _status(aws, name) == "gone", f"{name} is gone")


SERVERLESS_CACHE = Service(
    main=elasticache_serverless_cache.main,
    name_option="serverless_cache_name",
    read=_read,
    delete=_delete,
    always={"purge_tags": True},
    deletion=lambda stated: {"skip_final_snapshot": True},
    makers={"user-group": user_group},
    info=elasticache_serverless_cache_info.main,
    told="serverless_caches",
)
