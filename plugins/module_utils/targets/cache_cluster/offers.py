# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What ElastiCache for Memcached offers: plain values, spread over nodes that keep nothing. Pure."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import (
    Load,
    Offer,
    Wishes,
    against_modules,
    node_type,
    paid,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import NODE, Item

NAME = "ElastiCache for Memcached"
_NODES = 2
_CLIENT = "another client (pymemcache), and other code wherever more than GET, SET and DEL is asked"


def offers(load: Load, wishes: Wishes) -> list[Offer]:
    node = node_type(load, "memcached", burstable=("t3",))
    richer = [name for name in load.types if name != "string"]
    why_not = [*against_modules(load)]
    if richer:
        why_not.append(f"it has plain values alone, and the old Redis holds {', '.join(richer)}")
    if load.queues:
        why_not.append(f"{', '.join(load.queues)} does not run on it")
    if load.other_databases:
        why_not.append(f"it has no databases, and {load.other_databases}")
    if wishes.must_not_lose:
        why_not.append("it keeps nothing when a node fails: it has neither replicas nor backups")
    return [
        Offer(
            NAME,
            f"{_NODES} x {node} in two zones" if node else "no node type of it is known that is large enough",
            tuple(why_not),
            _CLIENT,
            6,
            settings={
                "migration_cache_cluster_id": "…",
                "migration_cache_node_type": node,
                "migration_num_cache_nodes": _NODES,
                "migration_app_ready_for": MEMCACHED,
            },
            items=paid(Item(NODE, node, "memcached"), _NODES, load, replace(wishes, backup_days=0)),
        )
    ]
