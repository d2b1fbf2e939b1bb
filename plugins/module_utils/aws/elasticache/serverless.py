# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a serverless cache: its calls, and what its modules return."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import converging
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.converging import Access, Wanted
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.events import read_events
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.cost import least_cost
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import (
    ServerlessCache,
    as_options,
    endpoint_of,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.plan import (
    plan_absent,
    plan_present,
    predict,
    refuse_unusable,
    warnings,
)

_MISSING = ("ServerlessCacheNotFoundFault",)

# --- reads ---


@aws_call("describe the serverless cache {name}", none_on=_MISSING)
def _describe_cache(client: Any, name: str) -> Mapping[str, Any] | None:
    caches = client.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"]
    return caches[0] if caches else None


@aws_call("describe the serverless caches")
def _describe_caches(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_serverless_caches").paginate()
    return [cache for page in pages for cache in page["ServerlessCaches"]]


def read_serverless_cache(client: Any, name: str) -> ServerlessCache | None:
    """The cache with its tags; None where there is none."""
    cache = _describe_cache(client, name)
    return _with_tags(client, cache) if cache else None


def read_serverless_caches(client: Any) -> list[ServerlessCache]:
    return [_with_tags(client, cache) for cache in _describe_caches(client)]


def _with_tags(client: Any, cache: Mapping[str, Any]) -> ServerlessCache:
    arn = cache.get("ARN") or ""
    return shape(cache, calls.read_tags(client, arn) if arn else None)


# --- acts ---


def make_present(client: Any, desired: Desired, region: str, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""

    def refuse(cache: ServerlessCache) -> None:
        refuse_unusable(cache, desired, _events_of(client, cache) if cache.has_failed else "")

    wanted = Wanted(lambda cache: plan_present(cache, desired), lambda cache: predict(cache, desired), refuse)
    course = converging.present(_access(client, desired.serverless_cache_name), wanted, check_mode)
    return {
        **course.result(),
        "endpoint": endpoint_of(course.shown).as_dict(),
        "monthly_cost": least_cost(region, course.shown.engine, course.shown.cache_usage_limits),
        "warnings": warnings(course.shown),
    }


def _events_of(client: Any, cache: ServerlessCache) -> str:
    """That it has failed must be told also where nothing tells why."""
    try:
        return read_events(client, "serverless-cache", cache.serverless_cache_name)
    except AnsibleAWSError:
        return ""


def make_absent(client: Any, deletion: Deletion, check_mode: bool) -> dict[str, Any]:
    """The module's result. Raises PlanRefused and AnsibleAWSError."""
    access = _access(client, deletion.serverless_cache_name)
    return converging.absent(access, lambda cache: plan_absent(cache, deletion), deletion.migration_name, check_mode)


def _access(client: Any, name: str) -> Access[ServerlessCache]:
    return Access(name, lambda: read_serverless_cache(client, name), lambda step: calls.act(client, step))


def facts(cache: ServerlessCache, migration_name: str | None) -> dict[str, Any]:
    """What elasticache_serverless_cache_info tells of a cache."""
    return {
        **as_options(cache),
        "status": cache.status,
        "arn": cache.arn,
        "full_engine_version": cache.full_engine_version,
        "storage_encryption_type": cache.storage_encryption_type,
        "create_time": cache.created,
        "live_migration": cache.live_migration,
        "reader_port": cache.reader_port,
        "tags": dict(cache.tags) if cache.tags is not None else None,
        "ours": ownership.is_ours(cache.tags, migration_name) if migration_name else None,
        "endpoint": endpoint_of(cache).as_dict(),
        "pending": dict(cache.pending),
    }
