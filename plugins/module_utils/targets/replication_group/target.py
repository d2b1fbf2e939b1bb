# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache's replication groups as a row of the table: what one is made of, and from which settings. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    Target,
    Traits,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parts as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    DEFAULT_DATABASES,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.permissions import (
    ACTIONS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.sizes import RESERVED_PERCENT, maxmemory

MODULE = "elasticache_cluster"

# What a new one runs where engine_version is left out: of Valkey what AWS chooses. One that exists keeps its own.
NEW_VERSIONS = {REDIS: "7.1"}

# Options of the modules whose setting has another name.
_RENAMED = {
    "cache_parameter_group_name": "parameter_group_name",
    "cache_subnet_group_name": "subnet_group_name",
}

# Options of elasticache_cluster that are stated as they are.
_PASSED_ON = (
    "replication_group_id",
    "adopt",
    "at_rest_encryption_enabled",
    "automatic_failover_enabled",
    "cache_node_type",
    "engine",
    "engine_version",
    "kms_key_id",
    "multi_az_enabled",
    "num_cache_clusters",
    "port",
    "preferred_cache_cluster_azs",
    "preferred_maintenance_window",
    "security_group_ids",
    "snapshot_retention_limit",
    "snapshot_window",
    "tags",
    "transit_encryption_enabled",
    "wait_timeout",
)

# Settings that the groups beside it are made from.
_TRAITS = Traits(
    engines=(REDIS, VALKEY),
    databases=DEFAULT_DATABASES,
    maxmemory_policy="volatile-lru",
    reserved_percent=RESERVED_PERCENT,
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html
    # Those that a Redis of one's own or its monitoring calls by itself (CONFIG GET, PSYNC, BGSAVE by its own timer) say
    # nothing about the app, so they are not here.
    denied_commands=frozenset(
        ("acl|setuser", "acl|deluser", "config|set", "config|rewrite", "debug", "migrate", "shutdown")
    ),
)


def _parts(settings: Settings, found: Found | None) -> list[Part]:
    """What belongs to an adopted group is its owner's: it is checked where it is stated by name."""
    if not found:
        engine = settings.get("engine") or _TRAITS.engines[0]
        version = settings.get("engine_version") or NEW_VERSIONS.get(engine, "")
        settings = {**settings, "engine": engine, "engine_version": version}
    named = groups.with_groups(settings)
    return [
        *groups.OF_ELASTICACHE.parts(named, found),
        Part(
            REPLICATION_GROUP.what(named),
            MODULE,
            {
                "migration_name": named["name"],
                "replication_group_description": groups.description(named),
                **stated(named, {name: name for name in _PASSED_ON}),
                **stated(named, _RENAMED),
            },
            is_target=True,
        ),
    ]


def _expected(settings: Settings) -> dict[str, Any]:
    """With cluster mode enabled clients need another protocol, whatever the number of shards."""
    is_clustered = settings.get("cluster_mode") == "enabled" or int(settings.get("num_node_groups") or 0) > 1
    protocol = {"protocol": REDIS_CLUSTER} if is_clustered else {}
    options = {"tls": "transit_encryption_enabled", "port": "port", "engine": "engine"}
    return {**protocol, **stated(settings, options)}


def _removal(settings: Settings) -> list[Part]:
    common = {"migration_name": settings["name"], "state": "absent"}
    final = settings.get("final_snapshot_identifier")
    group = {
        **common,
        **stated(settings, {"replication_group_id": "replication_group_id", "wait_timeout": "wait_timeout"}),
        **({"final_snapshot_identifier": final} if final else {"skip_final_snapshot": True}),
    }
    own = groups.OF_ELASTICACHE.removal(settings)
    return [Part(REPLICATION_GROUP.what(settings), MODULE, group, is_target=True), *own]


def _is_durable(settings: Settings, found: Found | None) -> bool:
    """By what it will be, where that is stated: of async, the last seconds may be lost."""
    return str(settings.get("durability") or (found or {}).get("effective_durability") or "") == "sync"


REPLICATION_GROUP = Target(
    service="elasticache",
    title="ElastiCache",
    noun="replication group",
    name_option="replication_group_id",
    needs=("replication_group_id", "cache_node_type"),
    options=(*_PASSED_ON, *groups.SETTINGS),
    module=MODULE,
    info_module="elasticache_cluster_info",
    listed_as="replication_groups",
    traits=_TRAITS,
    actions=ACTIONS,
    parts=_parts,
    removal=_removal,
    maxmemory=maxmemory,
    expected=_expected,
    is_durable=_is_durable,
    renamed=_RENAMED,
)
