# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A serverless cache as it is: shaped from what AWS answers. Pure.

Its fields are named as the options of elasticache_serverless_cache, so that current and desired compare by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    NO_LIMITS,
    UsageLimits,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.versions import MEMCACHED

SERVICE = "elasticache-serverless"

# As every serverless cache was seen to have them; of one that is there they are read.
PORTS = {MEMCACHED: (11211, 11212)}
DEFAULT_PORTS = (6379, 6380)

VPC, PUBLIC = "vpc", "public"


@dataclass(frozen=True)
class ServerlessCache:
    serverless_cache_name: str
    status: str
    arn: str = ""
    description: str = ""
    engine: str = "valkey"
    major_engine_version: str = ""
    full_engine_version: str = ""
    cache_usage_limits: UsageLimits = NO_LIMITS
    kms_key_id: str = ""
    storage_encryption_type: str = ""
    security_group_ids: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    user_group_id: str = ""
    snapshot_retention_limit: int = 0
    daily_snapshot_time: str = ""
    network_type: str = "ipv4"
    connection_type: str = VPC
    integrations: tuple[str, ...] = ()
    address: str = ""
    port: int = 0
    reader_address: str = ""
    reader_port: int = 0
    created: str = ""
    live_migration: str = ""  # the status of a migration into it that AWS itself makes
    tags: Mapping[str, str] | None = None
    pending: Mapping[str, Any] = field(default_factory=dict)  # AWS queues nothing of a serverless cache

    @property
    def is_ready(self) -> bool:
        """AWS takes changes only while the cache is available. Unknown statuses are not ready.

        The tags of a cache that is being made cannot be read.
        """
        return self.status == "available" and self.tags is not None and bool(self.address)

    @property
    def is_going(self) -> bool:
        return self.status == "deleting"

    @property
    def has_failed(self) -> bool:
        return self.status == "create-failed"

    @property
    def waits_for(self) -> str:
        if self.status != "available":
            return self.status or "no status yet"
        return "available, its tags cannot be read yet" if self.tags is None else "available, no endpoint yet"


def shape(cache: Mapping[str, Any], tags: Mapping[str, str] | None = None) -> ServerlessCache:
    """Of DescribeServerlessCaches and ListTagsForResource. Statuses come in either case."""
    endpoint, reader = cache.get("Endpoint") or {}, cache.get("ReaderEndpoint") or {}
    return ServerlessCache(
        serverless_cache_name=cache["ServerlessCacheName"],
        status=str(cache.get("Status") or "").lower(),
        arn=cache.get("ARN") or "",
        description=cache.get("Description") or "",
        engine=str(cache.get("Engine") or "").lower(),
        major_engine_version=str(cache.get("MajorEngineVersion") or ""),
        full_engine_version=_version_in(cache.get("FullEngineVersion")),
        cache_usage_limits=UsageLimits.from_api(cache.get("CacheUsageLimits")),
        kms_key_id=cache.get("KmsKeyId") or "",
        storage_encryption_type=str(cache.get("StorageEncryptionType") or "").lower(),
        security_group_ids=tuple(sorted(cache.get("SecurityGroupIds") or ())),
        subnet_ids=tuple(sorted(cache.get("SubnetIds") or ())),
        user_group_id=cache.get("UserGroupId") or "",
        snapshot_retention_limit=int(cache.get("SnapshotRetentionLimit") or 0),
        daily_snapshot_time=cache.get("DailySnapshotTime") or "",
        network_type=str(cache.get("NetworkType") or "ipv4").lower(),
        connection_type=str(cache.get("ConnectionType") or VPC).lower(),
        integrations=_integrations(cache),
        address=endpoint.get("Address") or "",
        port=int(endpoint.get("Port") or 0),
        reader_address=reader.get("Address") or "",
        reader_port=int(reader.get("Port") or 0),
        created=str(cache.get("CreateTime") or ""),
        live_migration=str((cache.get("Migration") or {}).get("Status") or "").lower(),
        tags=tags,
    )


def _version_in(told: str | None) -> str:
    """AWS may write the engine's name before it."""
    found = re.search(r"\d+(\.\d+)*", told or "")
    return found.group() if found else ""


def _integrations(cache: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        sorted(
            str(one["IntegrationType"]).lower()
            for one in cache.get("Integrations") or ()
            if str(one.get("Status", "")).lower() in ("enabled", "enabling")
        )
    )


def ports_of(engine: str) -> tuple[int, int]:
    """Where clients write, and where they read what may be a moment old."""
    return PORTS.get(engine, DEFAULT_PORTS)


def endpoint_of(cache: ServerlessCache) -> Endpoint:
    """How clients reach the cache. It is one name with two ports, that of the reader being the second.

    Redis OSS and Valkey speak the cluster protocol there, have database 0 alone, and TLS always:
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/WhatIs.corecomponents.html
    """
    is_memcached = cache.engine == MEMCACHED
    known: dict[str, Any] = {
        "protocol": "memcached" if is_memcached else "redis-cluster",
        "port": cache.port or ports_of(cache.engine)[0],
        "tls": True,
        "auth": "rbac" if cache.user_group_id else "none",
        "databases": 1,
        "engine": cache.engine,
        "engine_version": cache.full_engine_version or cache.major_engine_version,
    }
    if not cache.address:
        return after_apply(SERVICE, cache.serverless_cache_name, **known)
    return Endpoint(
        service=SERVICE,
        name=cache.serverless_cache_name,
        address=cache.address,
        reader_address=cache.reader_address,
        reader_port=cache.reader_port,
        **known,
    )


def as_options(cache: ServerlessCache) -> dict[str, Any]:
    """The cache in the words of elasticache_serverless_cache's options: for diffs, and for its info module."""
    told = ("status", "arn", "address", "port", "reader_address", "reader_port", "created", "live_migration", "pending")
    more = ("full_engine_version", "storage_encryption_type")
    shown = {item.name: getattr(cache, item.name) for item in fields(cache) if item.name not in told + more}
    lists = ("security_group_ids", "subnet_ids", "integrations")
    return {
        **shown,
        **{name: list(shown[name]) for name in lists},
        "cache_usage_limits": cache.cache_usage_limits.as_option(),
        "tags": dict(cache.tags or {}),
    }
