# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache Serverless as a row of the table: what a cache is made of, and from which settings. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import PROTOCOLS, REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    Target,
    Traits,
    own_name,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parts import description
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import (
    SERVICE,
    ports_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    StatedLimits,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.offers import offers
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.permissions import (
    ACTIONS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.parts import OF_SERVERLESS_CACHES

MODULE = "elasticache_serverless_cache"
GB = 1000**3

# Options of the module that are stated as they are.
_PASSED_ON = (
    "serverless_cache_name",
    "adopt",
    "cache_usage_limits",
    "daily_snapshot_time",
    "engine",
    "kms_key_id",
    "major_engine_version",
    "network_type",
    "security_group_ids",
    "snapshot_retention_limit",
    "subnet_ids",
    "tags",
    "user_group_id",
    "wait_timeout",
)

# Options of the module whose setting has another name.
_RENAMED = {
    "snapshot_arns_to_restore": "snapshot_arns",
    "final_snapshot_name": "final_snapshot_identifier",
    "user_id": "username",
    "user_name": "username",
}

_TRAITS = Traits(
    engines=(VALKEY, REDIS),
    databases=PROTOCOLS[REDIS_CLUSTER].databases,
    maxmemory_policy="volatile-lru",
    reserved_percent=0,
    keeps="keeps data by copies in several zones and daily snapshots; what was written last may be lost with a node.",
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html
    # Those that a Redis of one's own or its monitoring calls by itself say nothing about the app, so they are not here.
    denied_commands=frozenset(
        (
            *("acl|setuser", "acl|deluser", "config|set", "config|rewrite", "debug", "migrate", "shutdown"),
            *("keys", "move", "swapdb", "client|kill", "client|pause", "client|unblock"),
        )
    ),
)


def _engine(settings: Settings, found: Found | None) -> str:
    return str(settings.get("engine") or (found or {}).get("engine") or _TRAITS.engines[0])


def _parts(settings: Settings, found: Found | None) -> list[Part]:
    """It has neither a subnet group nor a parameter group."""
    users = OF_SERVERLESS_CACHES.parts(settings, found)
    if users:
        settings = {**settings, "user_group_id": own_name(settings)}
    target = {
        "migration_name": settings["name"],
        "description": description(settings),
        **stated({**settings, "engine": _engine(settings, found)}, {name: name for name in _PASSED_ON}),
        **stated(settings, {"snapshot_arns_to_restore": "snapshot_arns"}),
    }
    return [*users, Part(SERVERLESS_CACHE.what(settings), MODULE, target, is_target=True)]


def _expected(settings: Settings) -> dict[str, Any]:
    engine = _engine(settings, None)
    port, reader_port = ports_of(engine)
    has_users = settings.get("user_group_id") or OF_SERVERLESS_CACHES.are_made(settings)
    return {
        "protocol": REDIS_CLUSTER,
        "port": port,
        "reader_port": reader_port,
        "tls": True,
        "auth": "rbac" if has_users else "none",
        "engine": engine,
        **stated(settings, {"engine_version": "major_engine_version"}),
    }


def _removal(settings: Settings) -> list[Part]:
    final = settings.get("final_snapshot_identifier")
    target = {
        "migration_name": settings["name"],
        "state": "absent",
        **stated(settings, {name: name for name in ("serverless_cache_name", "wait_timeout")}),
        **({"final_snapshot_name": final} if final else {"skip_final_snapshot": True}),
    }
    return [
        Part(SERVERLESS_CACHE.what(settings), MODULE, target, is_target=True),
        *OF_SERVERLESS_CACHES.removal(settings),
    ]


def _no_node_type(_node_type: str) -> int | None:
    return None


def _grows_to(settings: Settings, found: Found | None) -> int | None:
    """What is not stated stays as it is. Raises PlanRefused."""
    stated_limits = StatedLimits.from_option(settings.get("cache_usage_limits"))
    there = ((found or {}).get("cache_usage_limits") or {}).get("data_storage") or {}
    limit = (
        stated_limits.data_maximum if stated_limits and stated_limits.data_maximum is not None else there.get("maximum")
    )
    return int(limit) * GB if limit else None


SERVERLESS_CACHE = Target(
    service=SERVICE,
    title="ElastiCache Serverless",
    noun="serverless cache",
    name_option="serverless_cache_name",
    needs=("serverless_cache_name",),
    options=(*_PASSED_ON, "snapshot_arns"),
    module=MODULE,
    info_module="elasticache_serverless_cache_info",
    listed_as="serverless_caches",
    traits=_TRAITS,
    actions=ACTIONS,
    parts=_parts,
    removal=_removal,
    maxmemory=_no_node_type,
    offers=offers,
    grows_to=_grows_to,
    grows_by="data_storage of migration_cache_usage_limits",
    scales_instead="it grows and shrinks by its use, within migration_cache_usage_limits",
    expected=_expected,
    app_user=OF_SERVERLESS_CACHES.app,
    iam_login={"is_serverless": True},
    renamed=_RENAMED,
    login_by="name the app's user in migration_username, which is made, with its user group",
)
