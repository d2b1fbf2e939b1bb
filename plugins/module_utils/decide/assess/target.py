# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known of the target that an assessment weighs the old Redis against. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, REDIS
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import contract, sizes, table


class AssessmentError(ValueError):
    """The description of the target cannot be read."""


@dataclass(frozen=True)
class Target:
    """What the target is or will be, as far as it is known; ``service`` is its row, for what all of its kind do."""

    engine_version: str = ""
    node_type: str = ""
    maxmemory: int | None = None  # bytes of a node
    reserved_percent: float = table.DEFAULT.traits.reserved_percent
    maxmemory_policy: str = table.DEFAULT.traits.maxmemory_policy
    databases: int = table.DEFAULT.traits.databases
    service: contract.Target = table.DEFAULT
    engine: str = table.DEFAULT.traits.engines[0]
    keyspace_events: str = ""
    protocol: str = REDIS
    auth: str = "none"
    is_durable: bool = False
    shards: int = 1
    most_shards: int = 0  # up to how many AWS adds by itself; 0 where it adds none
    grows_to: int | None = None  # bytes, of one that grows by itself; None without a limit

    @property
    def grows(self) -> bool:
        return self.service.grows_to is not None

    def by_parameter(self, stated: str, otherwise: str) -> str:
        """The one where the service has parameters of Redis, the other where it has none."""
        return stated if "parameters" in self.service.options and self.protocol != MEMCACHED else otherwise

    @property
    def usable(self) -> int | None:
        """Bytes for data, of all shards together."""
        return None if self.maxmemory is None else self.shards * sizes.usable(self.maxmemory, self.reserved_percent)


def target_from(mapping: Mapping[str, Any]) -> Target:
    """Of service, engine, engine_version, node_type, shards, most_shards, grows_to, parameters, protocol, auth,
    databases and is_durable.

    What is left out is as the service has it.

    Raises AssessmentError.
    """
    parameters = mapping.get("parameters") or {}
    node_type = mapping.get("node_type") or ""
    try:
        service = table.by_service(mapping.get("service") or table.DEFAULT.service)
        usual = service.traits
        return Target(
            service=service,
            engine=str(mapping.get("engine") or usual.engines[0]),
            engine_version=str(mapping.get("engine_version") or ""),
            node_type=node_type,
            shards=int(mapping.get("shards") or 1),
            most_shards=int(mapping.get("most_shards") or 0),
            maxmemory=service.maxmemory(node_type),
            grows_to=mapping.get("grows_to"),
            reserved_percent=float(parameters.get("reserved-memory-percent", usual.reserved_percent)),
            maxmemory_policy=str(parameters.get("maxmemory-policy") or usual.maxmemory_policy),
            databases=int(mapping.get("databases") or parameters.get("databases") or usual.databases),
            protocol=str(mapping.get("protocol") or REDIS),
            auth=str(mapping.get("auth") or "none"),
            is_durable=bool(mapping.get("is_durable")),
            keyspace_events=str(parameters.get("notify-keyspace-events") or ""),
        )
    except PlanRefused as refused:
        raise AssessmentError(refused.message)
    except (TypeError, ValueError) as error:
        raise AssessmentError(f"migration_parameters cannot be read: {error}")
