# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a target costs a month. Pure; says 'unknown' rather than guess."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import price_list, prices

# The engine that AWS asks less for, and that serves the same clients.
_CHEAPER = {"redis": "valkey"}


def monthly_cost(region: str, engine: str, node_type: str, nodes: int) -> dict[str, Any]:
    """``usd`` of a month of 730 hours on demand, every node counted (a replica costs as much as the primary).

    ``instead`` is what the same nodes cost with a cheaper engine, or None.
    """
    hourly = _hourly(region, engine, node_type)
    cost = {"usd": None, "nodes": nodes, "usd_per_node_hour": hourly, "source": prices.SOURCE, "instead": None}
    if hourly is None:
        return {**cost, "note": f"unknown: no price on record for {node_type} ({engine}) in {region or 'no region'}"}
    other = _CHEAPER.get(engine, "")
    others = _hourly(region, other, node_type)
    return {
        **cost,
        "usd": _month(hourly, nodes),
        "note": f"{nodes} x {hourly} USD an hour x {prices.HOURS_A_MONTH} h; without data transfer, backups and taxes",
        "instead": None if others is None else {"engine": other, "usd": _month(others, nodes)},
    }


def instead_line(cost: Mapping[str, Any]) -> str:
    """That another engine would cost less, for a plan; empty where none would."""
    instead = cost.get("instead")
    if not instead:
        return ""
    return (
        f"The same nodes with {instead['engine'].capitalize()} would cost {instead['usd']:.2f} USD a month, "
        f"{cost['usd'] - instead['usd']:.2f} less (migration_engine: {instead['engine']})"
    )


def _hourly(region: str, engine: str, node_type: str) -> float | None:
    return price_list.shipped(price_list.Item(price_list.NODE, node_type, engine), region)


def _month(hourly: float, nodes: int) -> float:
    return round(hourly * nodes * prices.HOURS_A_MONTH, 2)
