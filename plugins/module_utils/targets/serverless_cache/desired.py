# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A serverless cache as it is wanted: the options of elasticache_serverless_cache, typed and validated. Pure.

None means that the option was left out, or empty, and then what is stays. A bad option is refused here by its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import common_options, ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import PUBLIC
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    StatedLimits,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.versions import (
    MEMCACHED,
    check_version,
)


@dataclass(frozen=True)
class Desired:
    serverless_cache_name: str
    migration_name: str
    description: str | None = None
    engine: str | None = None
    major_engine_version: str | None = None
    cache_usage_limits: StatedLimits | None = None
    kms_key_id: str | None = None
    security_group_ids: tuple[str, ...] | None = None
    subnet_ids: tuple[str, ...] | None = None
    user_group_id: str | None = None
    remove_user_group: bool = False
    snapshot_retention_limit: int | None = None
    daily_snapshot_time: str | None = None
    snapshot_arns_to_restore: tuple[str, ...] | None = None
    network_type: str | None = None
    connection_type: str | None = None
    accept_public_access: bool = False
    integrations: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any], allow_placeholders: bool = False) -> Desired:
        """Raises PlanRefused, naming the option. Placeholders for security groups pass only in check mode."""
        migration_name = ownership.check_migration_name(params["migration_name"])
        desired = cls(
            serverless_cache_name=check_name(str(params["serverless_cache_name"])),
            migration_name=migration_name,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            cache_usage_limits=StatedLimits.from_option(params.get("cache_usage_limits")),
            security_group_ids=common_options.security_groups(
                params.get("security_group_ids") or None, allow_placeholders
            ),
            user_group_id=(params.get("user_group_id") or "").lower() or None,
            subnet_ids=_set(params.get("subnet_ids")),
            snapshot_arns_to_restore=_set(params.get("snapshot_arns_to_restore")),
            integrations=_set(params.get("integrations")),
            **{name: params[name] for name in _AS_THEY_ARE if params.get(name) not in (None, "")},
        )
        _check(desired)
        return desired

    @property
    def has_placeholders(self) -> bool:
        return common_options.has_placeholders(self.security_group_ids)


@dataclass(frozen=True)
class Deletion:
    """State absent: which cache, and what becomes of its data."""

    serverless_cache_name: str
    migration_name: str
    final_snapshot_name: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Deletion:
        name = check_name(str(params["serverless_cache_name"]))
        snapshot = params.get("final_snapshot_name") or None
        if bool(snapshot) == bool(params.get("skip_final_snapshot")):
            raise common_options.gone_for_good(name, "final_snapshot_name")
        if snapshot and (len(snapshot) > 255 or not re.fullmatch(r"[A-Za-z](?:-?[A-Za-z0-9])*", snapshot)):
            raise PlanRefused(
                f"final_snapshot_name is {snapshot!r}: use 1 to 255 letters, digits and single hyphens, a letter first",
                "final_snapshot_name",
            )
        migration_name = ownership.check_migration_name(params["migration_name"])
        return cls(name, migration_name, snapshot.lower() if snapshot else None)


_AS_THEY_ARE = (
    "description",
    "engine",
    "major_engine_version",
    "kms_key_id",
    "remove_user_group",
    "snapshot_retention_limit",
    "daily_snapshot_time",
    "network_type",
    "connection_type",
    "accept_public_access",
    "purge_tags",
    "adopt",
)


def check_name(name: str) -> str:
    """As AWS stores it. Raises PlanRefused."""
    lower = name.lower()
    if len(lower) > 40 or not re.fullmatch(r"[a-z](?:-?[a-z0-9])*", lower):
        raise PlanRefused(
            f"serverless_cache_name is {name!r}: use 1 to 40 letters, digits and hyphens, the first a letter, without "
            "a double hyphen or one at the end",
            "serverless_cache_name",
        )
    return lower


def _set(value: list[str] | None) -> tuple[str, ...] | None:
    """An empty list counts as left out."""
    return tuple(sorted(set(value))) if value else None


def _check(desired: Desired) -> None:
    if desired.major_engine_version is not None:
        check_version(desired.major_engine_version, desired.engine)
    if len(desired.description or "") > 255:
        raise PlanRefused("description has more than 255 characters, which is as many as AWS takes", "description")
    days = desired.snapshot_retention_limit
    if days is not None and not 0 <= days <= 35:
        raise PlanRefused(
            f"snapshot_retention_limit is {days}: it is 0 to 35 (days, 0 for no snapshots)", "snapshot_retention_limit"
        )
    if desired.daily_snapshot_time and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", desired.daily_snapshot_time):
        raise PlanRefused(
            f"daily_snapshot_time is {desired.daily_snapshot_time!r}: write '05:00' (UTC, in quotes)",
            "daily_snapshot_time",
        )
    if desired.kms_key_id and "alias/" in desired.kms_key_id:
        raise PlanRefused(
            f"kms_key_id is {desired.kms_key_id!r}: give the key's id or ARN, as AWS tells the key and never its alias",
            "kms_key_id",
        )
    for arn in desired.snapshot_arns_to_restore or ():
        if not arn.startswith("arn:"):
            raise PlanRefused(
                f"snapshot_arns_to_restore has {arn!r}: give the ARN of each snapshot, as elasticache_snapshot_info "
                "tells it",
                "snapshot_arns_to_restore",
            )
    _check_users(desired)
    if desired.connection_type == PUBLIC and not desired.accept_public_access:
        raise PlanRefused(
            "connection_type: public makes a cache that anybody on the internet can connect to, whatever its security "
            "groups: state vpc, or, if that is what you want, accept_public_access: true with it",
            "accept_public_access",
        )


def _check_users(desired: Desired) -> None:
    if desired.user_group_id and desired.remove_user_group:
        raise PlanRefused(
            "user_group_id names the users of the cache, and remove_user_group takes them away: state one of them",
            "remove_user_group",
        )
    if desired.user_group_id and desired.engine == MEMCACHED:
        raise PlanRefused("user_group_id: Memcached has no users; leave it out", "user_group_id")
