# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What replication groups offer: a primary with a replica, of Valkey or of Redis OSS, and the same in shards. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import (
    AS_IT_IS,
    BURSTABLE,
    CLUSTER_CLIENT,
    DURABLE,
    LOSES,
    READY_FOR_CLUSTER,
    Load,
    Offer,
    Wishes,
    against_a_cluster,
    against_modules,
    in_shards,
    node_type,
    paid,
    shards_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import NODE, Item
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    REDIS,
    VALKEY,
)

NAMES = {VALKEY: "ElastiCache for Valkey", REDIS: "ElastiCache for Redis OSS"}
CLUSTER = "ElastiCache for Valkey, cluster mode"


def offers(load: Load, wishes: Wishes) -> list[Offer]:
    return [
        _one_node_for_all_keys(VALKEY, 1, load, wishes),
        _one_node_for_all_keys(REDIS, 2, load, wishes),
        _shards(load, wishes),
    ]


def _one_node_for_all_keys(engine: str, rank: int, load: Load, wishes: Wishes) -> Offer:
    node = node_type(load, engine)
    why_not = [*against_modules(load)]
    if not node:
        why_not.append("no node has room for twice the peak: shards do")
    if wishes.must_not_lose:
        why_not.append(LOSES)
    good = ["the app stays as it is", "a replica in another zone takes over when a node fails"]
    settings: dict[str, Any] = {"migration_engine": engine, "migration_cache_node_type": node}
    if load.queues:
        good.append(f"{' and '.join(load.queues)} runs on it (with maxmemory-policy noeviction, as jobs are no cache)")
        settings["migration_parameters"] = {"maxmemory-policy": "noeviction"}
    return Offer(
        NAMES[engine],
        f"2 x {node} in two zones" if node else "no node is large enough",
        tuple(why_not),
        AS_IT_IS,
        rank,
        tuple(good),
        settings,
        paid(Item(NODE, node, engine), 2, load, wishes),
    )


def _shards(load: Load, wishes: Wishes) -> Offer:
    """Durable where nothing may be lost, which no T type can be."""
    node, count = shards_of(load, () if wishes.must_not_lose else BURSTABLE)
    durable = {"migration_engine_version": "9.0", "migration_durability": "sync"} if wishes.must_not_lose else {}
    return Offer(
        f"{CLUSTER}, durable" if durable else CLUSTER,
        in_shards(count, node),
        (*against_modules(load), *against_a_cluster(load)),
        CLUSTER_CLIENT,
        3,
        (DURABLE,) if durable else ("shards hold what no node has room for",),
        {
            "migration_engine": VALKEY,
            "migration_cluster_mode": "enabled",
            "migration_cache_node_type": node,
            "migration_num_node_groups": count,
            "migration_replicas_per_node_group": 1,
            **durable,
            **READY_FOR_CLUSTER,
        },
        paid(Item(NODE, node, VALKEY), 2 * count, load, wishes),
        ("what AWS asks for durability, if it does",) if durable else (),
    )
