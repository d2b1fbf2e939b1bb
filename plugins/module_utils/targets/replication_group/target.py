# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache's replication groups as a row of the table: what one is made of, and from which settings. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    AUTH_TOKEN,
    MIGRATING,
    Found,
    Part,
    Settings,
    Target,
    Traits,
    own_name,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parts as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    DEFAULT_DATABASES,
    ENABLED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.offers import offers
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.online import against
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.permissions import (
    ACTIONS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import (
    NODE_GROUPS,
    REPLICAS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.sizes import RESERVED_PERCENT, maxmemory
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.parts import OF_REPLICATION_GROUPS

MODULE = "elasticache_cluster"

# What a new one runs where engine_version is left out: of Valkey what AWS chooses. One that exists keeps its own.
NEW_VERSIONS = {REDIS: "7.1"}

# Of a parameter group of one's own it says whether the groups that use it are of shards.
_OF_CLUSTER = {"cluster-enabled": "yes"}

# Options of the modules whose setting has another name.
_RENAMED = {
    "cache_parameter_group_name": "parameter_group_name",
    "cache_subnet_group_name": "subnet_group_name",
}
_OF_USERS = {"user_id": "username", "user_name": "username"}

# By what AWS scales, the setting that is its count, and what else of a group changes with it.
_SCALES = {
    NODE_GROUPS: ("num_node_groups", "num_cache_clusters", "node_group_configuration"),
    REPLICAS: ("replicas_per_node_group", "num_cache_clusters", "node_group_configuration"),
}

# Options of elasticache_cluster that are stated as they are.
_PASSED_ON = (
    "replication_group_id",
    "adopt",
    "at_rest_encryption_enabled",
    "auto_minor_version_upgrade",
    "automatic_failover_enabled",
    "cache_node_type",
    "cluster_mode",
    "data_tiering_enabled",
    "durability",
    "engine",
    "engine_version",
    "ip_discovery",
    "kms_key_id",
    "log_delivery_configurations",
    "multi_az_enabled",
    "network_type",
    "node_group_configuration",
    "notification_topic_arn",
    "num_cache_clusters",
    "num_node_groups",
    "port",
    "preferred_cache_cluster_azs",
    "preferred_maintenance_window",
    "replicas_per_node_group",
    "security_group_ids",
    "snapshot_arns",
    "snapshot_name",
    "snapshot_retention_limit",
    "snapshot_window",
    "tags",
    "transit_encryption_enabled",
    "transit_encryption_mode",
    "user_group_ids",
    "wait_timeout",
)

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
    settings = scaling.counted(REPLICATION_GROUP, settings, found)
    if not found:
        settings = {**settings, **_of_a_new_one(settings)}
    named = groups.with_groups(settings)
    if settings.get("parameters"):
        named["parameters"] = {**_for_its_mode(settings, found), **settings["parameters"]}
    if OF_REPLICATION_GROUPS.are_made(settings):
        named["user_group_ids"] = [own_name(settings)]
    return [
        *scaling.before(REPLICATION_GROUP, settings),
        *groups.OF_ELASTICACHE.parts(named, found),
        *OF_REPLICATION_GROUPS.parts(settings, found),
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
            takes="" if settings.get("username") else AUTH_TOKEN,  # a user's password is no token
        ),
        *scaling.after(REPLICATION_GROUP, settings, found),
    ]


def _of_a_new_one(settings: Settings) -> dict[str, Any]:
    """What one is made with where it is not stated: an engine and its version, and a replica to fail over to.

    A snapshot knows its own engine, version and shards.
    """
    made: dict[str, Any] = {}
    if not settings.get("snapshot_name"):
        made["engine"] = settings.get("engine") or _TRAITS.engines[0]
        made["engine_version"] = settings.get("engine_version") or NEW_VERSIONS.get(made["engine"], "")
    if settings.get("num_cache_clusters") is not None or settings.get("replicas_per_node_group") is not None:
        return made
    if _is_of_shards(settings) or settings.get("snapshot_name"):
        return {**made, "replicas_per_node_group": 1}
    return {**made, "num_cache_clusters": 2}


def _is_of_shards(settings: Settings) -> bool:
    shards = settings.get("num_node_groups") is not None or settings.get("node_group_configuration")
    return settings.get("cluster_mode") == ENABLED or bool(shards)


def _is_clustered(settings: Settings) -> bool:
    """Whether one that is made by these settings has cluster mode enabled, whatever the number of shards."""
    shards = settings.get("num_node_groups") or len(settings.get("node_group_configuration") or ()) or 1
    by_group = str(settings.get("parameter_group_name") or "").endswith(".cluster.on")
    return settings.get("cluster_mode") == ENABLED or shards != 1 or by_group


def _expected(settings: Settings) -> dict[str, Any]:
    """With cluster mode enabled clients need another protocol, and have one database; users take a token's place."""
    settings = scaling.counted(REPLICATION_GROUP, settings, None)
    protocol = {"protocol": REDIS_CLUSTER, "databases": 1} if _is_clustered(settings) else {}
    has_users = settings.get("user_group_ids") or OF_REPLICATION_GROUPS.are_made(settings)
    users = {"auth": "rbac"} if has_users else {}
    options = {"tls": "transit_encryption_enabled", "port": "port", "engine": "engine"}
    return {**protocol, **users, **stated(settings, options)}


def _for_its_mode(settings: Settings, found: Found | None) -> dict[str, str]:
    """What a parameter group of one's own needs for a target with cluster mode, which is and stays what it is."""
    return _OF_CLUSTER if _is_clustered(_as_stated(settings, found)) else {}


def _as_stated(settings: Settings, found: Found | None) -> Settings:
    """What decides its mode, once it is as stated."""
    modes = {"cluster_mode": "cluster_mode", "num_node_groups": "num_node_groups"}
    return {**found, **stated(settings, modes)} if found else settings


def _becomes(settings: Settings, found: Found | None) -> dict[str, Any]:
    """A move to another engine is to a version that is stated, or that AWS chooses."""
    counted = scaling.counted(REPLICATION_GROUP, settings, found)
    new = {} if found else _of_a_new_one(counted)
    decides = {name: name for name in ("engine", "engine_version", "cache_node_type")}
    runs = {**(found or {}), **new, **stated(settings, decides)}
    if found and runs["engine"] != found.get("engine") and not settings.get("engine_version"):
        runs["engine_version"] = ""
    return {**stated(runs, decides), "cluster_enabled": _is_clustered(_as_stated(counted, found))}


def _removal(settings: Settings) -> list[Part]:
    common = {"migration_name": settings["name"], "state": "absent"}
    final = settings.get("final_snapshot_identifier")
    group = {
        **common,
        **stated(settings, {"replication_group_id": "replication_group_id", "wait_timeout": "wait_timeout"}),
        **({"final_snapshot_identifier": final} if final else {"skip_final_snapshot": True}),
    }
    own = [*OF_REPLICATION_GROUPS.removal(settings), *groups.OF_ELASTICACHE.removal(settings)]
    target = Part(REPLICATION_GROUP.what(settings), MODULE, group, is_target=True)
    return [*scaling.removal(REPLICATION_GROUP, settings), target, *own]


def _is_durable(settings: Settings, found: Found | None) -> bool:
    """By what it will be, where that is stated: of async, the last seconds may be lost."""
    return str(settings.get("durability") or (found or {}).get("durability") or "") == "sync"


def _against_managed(settings: Settings, found: Found | None) -> list[str]:
    """Of what it will be. A token is not of the settings of the group, and is only by its secret."""
    if found and found.get("status") == MIGRATING:
        return []  # AWS has it follow already
    names = {name: name for name in _PASSED_ON}
    will_be = {**(found or _of_a_new_one(settings)), **stated(settings, names)}
    if _is_clustered(_as_stated(settings, found)):
        will_be["cluster_mode"] = ENABLED
    if settings.get("auth_token_secret") or OF_REPLICATION_GROUPS.are_made(settings):
        will_be["auth_token_enabled"] = True
    begins = "AWS's online migration (migration_transfer: managed) is not to be had"
    return [f"{begins}: {why}." for why in against(will_be)]


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
    offers=offers,
    expected=_expected,
    is_durable=_is_durable,
    against_managed=_against_managed,
    migration_module="elasticache_migration",
    durable_as="a replication group of Valkey 9 with migration_cluster_mode: enabled and migration_durability: sync",
    shards_option="num_node_groups",
    scales=_SCALES,
    becomes=_becomes,
    app_user=OF_REPLICATION_GROUPS.app,
    renamed={**_RENAMED, **_OF_USERS, **scaling.RENAMED},
    login_by="name the app's user in migration_username, which is made, with its user group",
)
