# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS cannot do to a serverless cache, refused before there is a step, with the way that there is. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import (
    PUBLIC,
    ServerlessCache,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.desired import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import NO_LIMITS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.versions import (
    COMMON,
    ENGINES,
    MEMCACHED,
    check_version,
    is_newer,
)

# Only by making the cache again.
_FIXED_OPTIONS = ("subnet_ids", "kms_key_id", "network_type", "connection_type", "integrations")

_ANOTHER = "make a new cache under another serverless_cache_name and move to it"


def check_creation(desired: Desired) -> None:
    name = desired.serverless_cache_name
    if desired.engine is None:
        raise PlanRefused(
            f"There is no serverless cache {name}, and to make one its engine must be stated: set engine, as valkey",
            "engine",
        )
    version = desired.major_engine_version or ""
    if desired.cache_usage_limits:
        desired.cache_usage_limits.over(NO_LIMITS)
    for option, is_asked in (
        ("connection_type", desired.connection_type == PUBLIC),
        ("integrations", bool(desired.integrations)),
    ):
        if is_asked and not is_newer(desired.engine, version):
            raise PlanRefused(
                f"{option} asks for what serverless caches have from Valkey 9 on: state engine: valkey and "
                f"major_engine_version: '9' with it, or leave {option} out",
                option,
            )
    if desired.connection_type == PUBLIC and not desired.user_group_id:
        raise PlanRefused(
            f"connection_type: public would let anybody on the internet read and write {name}, as it has no users: "
            "state user_group_id with it, or vpc",
            "user_group_id",
        )


def check_changes(current: ServerlessCache, desired: Desired, changes: Mapping[str, Any]) -> None:
    what = f"The serverless cache {current.serverless_cache_name}"
    if desired.has_placeholders:
        raise PlanRefused(
            f"security_group_ids holds a placeholder, and the serverless cache {current.serverless_cache_name} exists: "
            "state the ids of its security groups",
            "security_group_ids",
        )
    for option in _FIXED_OPTIONS:
        if option in changes:
            _refuse_fixed(current, option, changes[option])
    if "engine" in changes or "major_engine_version" in changes:
        _check_engine(current, desired)
    if current.connection_type == PUBLIC and desired.remove_user_group:
        raise PlanRefused(
            f"{what} is reached from the internet, and remove_user_group would let anybody read and write it: leave it "
            "out",
            "remove_user_group",
        )
    if desired.user_group_id and current.engine == MEMCACHED:
        raise PlanRefused(f"{what} runs Memcached, which has no users: leave user_group_id out", "user_group_id")


def _refuse_fixed(current: ServerlessCache, option: str, wanted: Any) -> None:
    is_now = getattr(current, option)
    shown, asked = (_said(value) for value in (is_now, wanted))
    raise PlanRefused(
        f"{option} of the serverless cache {current.serverless_cache_name} is {shown}, and AWS cannot change it to "
        f"{asked} in place: {_ANOTHER}, or state {option} as it is",
        option,
    )


def _said(value: Any) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else repr(value) if value else "none"


def _check_engine(current: ServerlessCache, desired: Desired) -> None:
    """Redis OSS and Valkey go into each other where both have the version; a version goes up under Valkey alone."""
    engine, now = desired.engine or current.engine, current.major_engine_version
    what = (
        f"The serverless cache {current.serverless_cache_name} runs {ENGINES.get(current.engine, current.engine)} {now}"
    )
    if MEMCACHED in (engine, current.engine) and engine != current.engine:
        raise PlanRefused(
            f"{what}, and AWS cannot make {ENGINES[engine]} of it in place: {_ANOTHER}, or state engine: "
            f"{current.engine}",
            "engine",
        )
    version = version_after(current, desired)
    if engine == REDIS and current.engine == VALKEY and now != COMMON:
        raise PlanRefused(
            f"{what}, and AWS goes back to Redis OSS in place from Valkey 7 alone: {_ANOTHER}, or state engine: valkey",
            "engine",
        )
    check_version(version, engine)
    if engine == MEMCACHED and version != now:
        raise PlanRefused(
            f"{what}, and AWS changes the version of Memcached in place neither up nor down: {_ANOTHER}, or leave "
            "major_engine_version out",
            "major_engine_version",
        )
    if engine != MEMCACHED and now.isdigit() and int(version) < int(now):
        raise PlanRefused(
            f"{what}, and AWS cannot go back to {version} in place: {_ANOTHER}, or state a major_engine_version that "
            "is not below the one that runs",
            "major_engine_version",
        )


def version_after(current: ServerlessCache, desired: Desired) -> str:
    """An engine that comes without a version takes the one that runs."""
    return desired.major_engine_version or current.major_engine_version
