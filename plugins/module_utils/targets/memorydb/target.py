# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Amazon MemoryDB as a row of the table: what a cluster is made of, and from which settings. Pure.

Where the app has a user (``username``) and no ACL is named, the user and an ACL with it are made as well. Its password
is the secret that a token would be elsewhere.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import PROTOCOLS, REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    Found,
    Part,
    Settings,
    Target,
    Traits,
    own_name,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parts as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import (
    OPEN_ACCESS,
    SERVICE,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.offers import offers
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.permissions import ACTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.sizes import maxmemory
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.parts import OF_MEMORYDB

MODULE = "memorydb_cluster"

_GROUPS = groups.Groups(
    subnets="memorydb_subnet_group",
    subnet_name="subnet_group_name",
    subnet_description="description",
    parameters="memorydb_parameter_group",
    parameter_name="parameter_group_name",
)

# Options of memorydb_cluster whose setting has another name.
_RENAMED = {
    "cluster_name": "memorydb_cluster_name",
    "data_tiering": "data_tiering_enabled",
    "final_snapshot_name": "final_snapshot_identifier",
    "maintenance_window": "preferred_maintenance_window",
    "sns_topic_arn": "notification_topic_arn",
    "tls_enabled": "transit_encryption_enabled",
}
_AS_THEY_ARE = (
    "acl_name",
    "adopt",
    "auto_minor_version_upgrade",
    "engine",
    "engine_version",
    "ip_discovery",
    "kms_key_id",
    "network_type",
    "node_type",
    "num_replicas_per_shard",
    "num_shards",
    "parameter_group_name",
    "port",
    "security_group_ids",
    "snapshot_arns",
    "snapshot_name",
    "snapshot_retention_limit",
    "snapshot_window",
    "subnet_group_name",
    "tags",
    "wait_timeout",
)
_OF_THE_CLUSTER = {
    **{name: name for name in _AS_THEY_ARE},
    **{option: setting for option, setting in _RENAMED.items() if option != "final_snapshot_name"},
}

_TRAITS = Traits(
    engines=(REDIS, VALKEY),
    databases=PROTOCOLS[REDIS_CLUSTER].databases,
    maxmemory_policy="noeviction",
    reserved_percent=0,
    keeps="keeps each write in the log of several zones before it is answered, beside daily snapshots.",
    # https://docs.aws.amazon.com/memorydb/latest/devguide/restrictedcommands.html
    # Those that a Redis of one's own or its monitoring calls by itself say nothing about the app, so they are not here.
    denied_commands=frozenset(
        (
            *("acl|deluser", "acl|load", "acl|save", "acl|setuser", "config|set", "config|rewrite", "debug"),
            *("migrate", "module|load", "module|unload", "shutdown"),
        )
    ),
)


def _parts(settings: Settings, found: Found | None) -> list[Part]:
    """What is an adopted cluster's is its owner's: it is checked where it is stated by name. Raises PlanRefused."""
    if not (found or settings.get("acl_name") or settings.get("username") or settings.get("adopt")):
        _refuse_without_users(settings)
    if not found and not settings.get("snapshot_name"):  # which knows its own
        settings = {**settings, "engine": settings.get("engine") or _TRAITS.engines[0]}
    named = groups.with_groups(settings)
    users = OF_MEMORYDB.parts(settings, found)
    if users:
        named["acl_name"] = own_name(settings)
    target = {
        "migration_name": named["name"],
        "description": groups.description(named),
        **stated(named, _OF_THE_CLUSTER),
    }
    return [*_GROUPS.parts(named, found), *users, Part(MEMORYDB.what(named), MODULE, target, is_target=True)]


def _refuse_without_users(settings: Settings) -> None:
    raise PlanRefused(
        f"There is no {MEMORYDB.what(settings)}, and to make one it must be said who may use it: set "
        "migration_username to the app's user, which is made, with an ACL, and has the password in the secret of "
        "migration_auth_token_secret; or migration_acl_name to an ACL of yours that has the user, or to "
        f"{OPEN_ACCESS}, which lets in without a password whoever the security groups let through",
        "username",
    )


def _expected(settings: Settings) -> dict[str, Any]:
    has_users = OF_MEMORYDB.are_made(settings) or settings.get("acl_name") not in (None, "", OPEN_ACCESS)
    return {
        "protocol": REDIS_CLUSTER,
        "engine": settings.get("engine") or _TRAITS.engines[0],
        "auth": "rbac" if has_users else "none",
        **stated(settings, {"tls": "transit_encryption_enabled", "port": "port", "engine_version": "engine_version"}),
    }


def _is_durable(_settings: Settings, _found: Found | None) -> bool:
    """Each write is in the log of several zones before it is answered."""
    return True


def _removal(settings: Settings) -> list[Part]:
    """What belongs to it can go only once the cluster is gone. What an adopted one has is somebody else's."""
    common = {"migration_name": settings["name"], "state": "absent"}
    final = settings.get("final_snapshot_identifier")
    cluster = {
        **common,
        **stated(settings, {"cluster_name": "memorydb_cluster_name", "wait_timeout": "wait_timeout"}),
        **({"final_snapshot_name": final} if final else {"skip_final_snapshot": True}),
    }
    return [
        Part(MEMORYDB.what(settings), MODULE, cluster, is_target=True),
        *OF_MEMORYDB.removal(settings),
        *_GROUPS.removal(settings),
    ]


MEMORYDB = Target(
    service=SERVICE,
    title="Amazon MemoryDB",
    noun="MemoryDB cluster",
    name_option="memorydb_cluster_name",
    needs=("memorydb_cluster_name", "node_type"),
    options=(
        *(name for name in _AS_THEY_ARE if name not in ("parameter_group_name", "subnet_group_name")),
        *(setting for setting in _RENAMED.values() if setting != "final_snapshot_identifier"),
        *groups.SETTINGS,
    ),
    module=MODULE,
    info_module="memorydb_cluster_info",
    listed_as="clusters",
    traits=_TRAITS,
    actions=ACTIONS,
    parts=_parts,
    removal=_removal,
    maxmemory=maxmemory,
    offers=offers,
    node_type_option="node_type",
    shards_option="num_shards",
    scales_instead="change migration_num_shards, migration_num_replicas_per_shard or migration_node_type, in place",
    expected=_expected,
    app_user=OF_MEMORYDB.app,
    iam_login={"service": "memorydb"},
    is_durable=_is_durable,
    durable_as="Amazon MemoryDB",
    renamed=_RENAMED,
    login_by="name the app's user in migration_username, which is made, with an ACL",
)
