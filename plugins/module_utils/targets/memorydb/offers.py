# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What Amazon MemoryDB offers: shards that keep each write in several zones before they answer. Pure."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import (
    CLUSTER_CLIENT,
    DURABLE,
    READY_FOR_CLUSTER,
    Load,
    Offer,
    Wishes,
    against_a_cluster,
    against_modules,
    in_shards,
    paid,
    shards_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import MEMORYDB, Item

NAME = "Amazon MemoryDB, Valkey"


def offers(load: Load, wishes: Wishes) -> list[Offer]:
    # Neither t4g.micro nor m7g: https://docs.aws.amazon.com/memorydb/latest/devguide/nodes.supportedtypes.html
    like, count = shards_of(load, steady=("r7g",), smallest="small")
    node = like.replace("cache.", "db.", 1)
    return [
        Offer(
            NAME,
            in_shards(count, node),
            (*against_modules(load), *against_a_cluster(load)),
            CLUSTER_CLIENT,
            0 if wishes.must_not_lose else 5,
            (DURABLE,) if wishes.must_not_lose else (),
            {
                "migration_memorydb_cluster_name": "…",
                "migration_engine": "valkey",
                "migration_node_type": node,
                "migration_num_shards": count,
                **READY_FOR_CLUSTER,
            },
            paid(Item(MEMORYDB, node, "valkey"), 2 * count, load, wishes),
            ("the data that is written, which MemoryDB is paid for too",),
        )
    ]
