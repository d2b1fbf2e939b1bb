# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a target costs a month. Pure; says 'unknown' rather than guess."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices


def monthly_cost(region: str, engine: str, node_type: str, nodes: int) -> dict[str, Any]:
    """``usd`` of a month of 730 hours on demand, every node counted (a replica costs as much as the primary)."""
    hourly = prices.USD_PER_NODE_HOUR.get(engine, {}).get(node_type) if region == prices.REGION else None
    cost = {"usd": None, "nodes": nodes, "usd_per_node_hour": hourly, "source": prices.SOURCE}
    if hourly is None:
        return {**cost, "note": f"unknown: no price on record for {node_type} ({engine}) in {region or 'no region'}"}
    return {
        **cost,
        "usd": round(hourly * nodes * prices.HOURS_A_MONTH, 2),
        "note": f"{nodes} x {hourly} USD an hour x {prices.HOURS_A_MONTH} h; without data transfer, backups and taxes",
    }
