# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known of the target that an assessment weighs the old Redis against. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes

DEFAULT_DATABASES = 16  # of ElastiCache's parameter groups, as is the policy
DEFAULT_POLICY = "volatile-lru"


class AssessmentError(ValueError):
    """The description of the target cannot be read."""


@dataclass(frozen=True)
class Target:
    """What the target is or will be, as far as it is known."""

    engine_version: str = ""
    cache_node_type: str = ""
    maxmemory: int | None = None
    reserved_percent: float = sizes.RESERVED_PERCENT
    maxmemory_policy: str = DEFAULT_POLICY
    databases: int = DEFAULT_DATABASES

    @property
    def usable(self) -> int | None:
        return None if self.maxmemory is None else sizes.usable(self.maxmemory, self.reserved_percent)


def target_from(mapping: Mapping[str, Any]) -> Target:
    """Read the option ``target``; what it does not say has ElastiCache's defaults. Raises AssessmentError."""
    parameters = mapping.get("parameters") or {}
    node_type = mapping.get("cache_node_type") or ""
    clustered = mapping.get("cluster_mode") == "enabled"
    try:
        return Target(
            engine_version=str(mapping.get("engine_version") or ""),
            cache_node_type=node_type,
            maxmemory=int(mapping.get("maxmemory_bytes") or 0) or sizes.maxmemory(node_type),
            reserved_percent=float(parameters.get("reserved-memory-percent", sizes.RESERVED_PERCENT)),
            maxmemory_policy=str(
                mapping.get("maxmemory_policy") or parameters.get("maxmemory-policy") or DEFAULT_POLICY
            ),
            databases=1
            if clustered
            else int(mapping.get("databases") or parameters.get("databases") or DEFAULT_DATABASES),
        )
    except (TypeError, ValueError) as error:
        raise AssessmentError(f"target (migration_parameters) cannot be read: {error}")
