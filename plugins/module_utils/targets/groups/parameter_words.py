# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What each service calls its parameter groups. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership


@dataclass(frozen=True)
class Words:
    """A service's names for it: of our options and modules, of its calls, and of what they take and answer."""

    name_option: str
    family_option: str
    example_families: str
    used_by: str  # the module whose caches use such groups
    name: str
    family: str
    answered_name: str
    answered_family: str
    create: str
    modify: str
    reset: str
    delete: str
    what_to_reset: Callable[[Mapping[str, str]], dict[str, Any]]  # by the values that they have
    tags: ownership.TagCalls
    records_defaults: bool  # whether a value that is set, and is the family's, is told as set


def name_values(values: Mapping[str, str]) -> list[dict[str, str]]:
    """As the calls that set parameters take them."""
    return [{"ParameterName": name, "ParameterValue": value} for name, value in values.items()]


ELASTICACHE = Words(
    name_option="cache_parameter_group_name",
    family_option="cache_parameter_group_family",
    example_families="redis7 or redis6.x",
    used_by="elasticache_cluster",
    name="CacheParameterGroupName",
    family="CacheParameterGroupFamily",
    answered_name="CacheParameterGroupName",
    answered_family="CacheParameterGroupFamily",
    create="CreateCacheParameterGroup",
    modify="ModifyCacheParameterGroup",
    reset="ResetCacheParameterGroup",
    delete="DeleteCacheParameterGroup",
    what_to_reset=lambda values: {"ResetAllParameters": False, "ParameterNameValues": name_values(values)},
    tags=ownership.ELASTICACHE,
    records_defaults=True,
)
MEMORYDB = Words(
    name_option="parameter_group_name",
    family_option="family",
    example_families="memorydb_redis7 or memorydb_valkey7",
    used_by="memorydb_cluster",
    name="ParameterGroupName",
    family="Family",
    answered_name="Name",
    answered_family="Family",
    create="CreateParameterGroup",
    modify="UpdateParameterGroup",
    reset="ResetParameterGroup",
    delete="DeleteParameterGroup",
    what_to_reset=lambda values: {"AllParameters": False, "ParameterNames": list(values)},
    tags=ownership.MEMORYDB,
    records_defaults=False,
)
