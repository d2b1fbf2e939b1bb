# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What ElastiCache Serverless offers, which is paid for by what lies in it and by what is asked of it. Pure."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import (
    CLUSTER_CLIENT,
    LOSES,
    READY_FOR_CLUSTER,
    Load,
    Offer,
    Wishes,
    against_a_cluster,
    against_modules,
    backups,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    SERVERLESS_ECPU,
    SERVERLESS_GB,
    Item,
)

NAME = "ElastiCache Serverless, Valkey"
_ENGINE = "valkey"
_GB = 1000**3


def offers(load: Load, wishes: Wishes) -> list[Offer]:
    held, rate = max(load.used / _GB, prices.SERVERLESS_LEAST_GB[_ENGINE]), ecpu_per_second(load)
    items = [(Item(SERVERLESS_GB, engine=_ENGINE), held * prices.HOURS_A_MONTH)]
    if rate is not None:
        items.append((Item(SERVERLESS_ECPU, engine=_ENGINE), rate * prices.SECONDS_A_MONTH / 1e6))
    lost = [LOSES] if wishes.must_not_lose else []
    return [
        Offer(
            NAME,
            f"{held:.1f} GB" + ("" if rate is None else f" and {rate:.0f} ECPU a second, as measured"),
            (*against_modules(load), *against_a_cluster(load), *lost),
            CLUSTER_CLIENT,
            4,
            settings={"migration_serverless_cache_name": "…", "migration_engine": _ENGINE, **READY_FOR_CLUSTER},
            items=(*items, *backups(load, wishes)),
            not_measured=() if rate is not None else ("its requests, whose rate was not told",),
        )
    ]


def ecpu_per_second(load: Load) -> float | None:
    """One for a command, or for each KB that it takes or gives, whichever is more:
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/WhatIs.corecomponents.html
    """
    if load.commands_per_second is None or load.net_per_second is None:
        return None
    return max(load.commands_per_second, load.net_per_second / 1024)
