# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a serverless cache costs a month, by what is in it and what is asked of it. Pure; says 'unknown' rather than
guess.

https://aws.amazon.com/elasticache/pricing/: data by the GB and hour, as it lies there on average, a floor at the least;
requests by the ElastiCache Processing Unit (ECPU): one for a command, or for each KB that it takes or gives. Minimum
limits are paid for where less is used.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    NO_LIMITS,
    UsageLimits,
)


def monthly_cost(
    region: str, engine: str, gigabytes: float, ecpu_per_second: float, limits: UsageLimits | None = None
) -> dict[str, Any]:
    """``usd`` of a month of 730 hours, with ``usd_data`` and ``usd_requests``; None where no price is on record.

    ``gigabytes`` is the mean of what lies there, of 1000**3 bytes; ``ecpu_per_second`` the mean of what is asked.
    """
    floor = prices.SERVERLESS_LEAST_GB.get(engine)
    of_data, of_requests = prices.USD_PER_SERVERLESS_GB_HOUR.get(engine), prices.USD_PER_MILLION_ECPU.get(engine)
    told: dict[str, Any] = {
        "usd": None,
        "usd_data": None,
        "usd_requests": None,
        "usd_per_gb_hour": of_data,
        "usd_per_million_ecpu": of_requests,
        "source": prices.SOURCE,
        "instead": None,
    }
    if region != prices.REGION or floor is None or of_data is None or of_requests is None:
        unknown = f"unknown: no price on record for a serverless cache ({engine}) in {region or 'no region'}"
        return {**told, "usd_per_gb_hour": None, "usd_per_million_ecpu": None, "note": unknown}
    kept = limits or NO_LIMITS
    paid_gigabytes = max(gigabytes, floor, kept.data_minimum)
    paid_ecpu = max(ecpu_per_second, kept.ecpu_minimum)
    data = paid_gigabytes * of_data * prices.HOURS_A_MONTH
    requests = paid_ecpu * prices.SECONDS_A_MONTH / 1_000_000 * of_requests
    return {
        **told,
        "usd": round(data + requests, 2),
        "usd_data": round(data, 2),
        "usd_requests": round(requests, 2),
        "note": f"{paid_gigabytes:g} GB x {of_data} USD an hour x {prices.HOURS_A_MONTH} h, and {paid_ecpu:g} ECPU a "
        f"second x {of_requests} USD a million; without data transfer, backups and taxes",
    }


def least_cost(region: str, engine: str, limits: UsageLimits) -> dict[str, Any]:
    """Of one whose use is not known: what is paid whether it is used or not."""
    cost = monthly_cost(region, engine, 0, 0, limits)
    if cost["usd"] is None:
        return cost
    return {**cost, "note": f"at the least, as it is paid by use: {cost['note']}"}
