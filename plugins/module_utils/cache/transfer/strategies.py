# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How data may come along: a row for each strategy, all under one contract."""

from __future__ import annotations

from typing import Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import carry, cold, managed, seed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import Strategy
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import live

STRATEGIES: Mapping[str, Strategy] = {
    "cold": cold,
    "copy": copy,
    "live": live,
    "managed": managed,
    "seed": seed,
    "carry": carry,
}
