# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The shards (node groups) of a replication group: how many, with which replicas, where. Pure.

A group whose cluster mode is disabled has one shard. Shards and replicas change at once, whatever apply_immediately
says: AWS has no later for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Iterable, Sequence

MOST_REPLICAS = 5
MOST_SHARDS = 500  # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html


@dataclass(frozen=True)
class Shard:
    """One that is there, or will be. ``zones`` has the zone of each node, and is empty where one is not known."""

    node_group_id: str = ""  # empty until AWS has given one
    slots: str = ""
    replica_count: int = 0
    zones: tuple[str, ...] = ()
    replicas: tuple[tuple[str, str], ...] = ()  # each replica's id with its zone

    def as_option(self) -> dict[str, Any]:
        return {
            "node_group_id": self.node_group_id,
            "slots": self.slots,
            "replica_count": self.replica_count,
            "availability_zones": list(self.zones),
        }


@dataclass(frozen=True)
class WantedShard:
    """An entry of node_group_configuration; None and empty where something is left out."""

    node_group_id: str | None = None
    slots: str | None = None
    replica_count: int | None = None
    zones: tuple[str, ...] = ()  # the primary's first

    def as_api(self, replicas: int | None) -> dict[str, Any]:
        count = self.replica_count if self.replica_count is not None else replicas
        stated: dict[str, Any] = {
            "NodeGroupId": self.node_group_id,
            "Slots": self.slots,
            "ReplicaCount": count,
            "PrimaryAvailabilityZone": self.zones[0] if self.zones else None,
            "ReplicaAvailabilityZones": list(self.zones[1:]) or None,
        }
        return {name: value for name, value in stated.items() if value is not None}


@dataclass(frozen=True)
class Layout:
    """What is stated of shards and replicas, by whichever options."""

    shards: int | None = None
    replicas: int | None = None  # of each shard
    configuration: tuple[WantedShard, ...] = ()
    zones: tuple[str, ...] = ()  # of the one shard of a group without cluster mode

    def of_new(self) -> tuple[Shard, ...]:
        """The shards of a group that is made so."""
        if self.configuration:
            wanted = sorted(self.configuration, key=lambda item: item.node_group_id or "")
            return tuple(
                Shard(item.node_group_id or f"{number:04}", item.slots or "", self._count(item) or 0, item.zones)
                for number, item in enumerate(wanted, 1)
            )
        return tuple(
            Shard(f"{number:04}", "", self.replicas or 0, self.zones) for number in range(1, (self.shards or 1) + 1)
        )

    def after(self, current: Sequence[Shard]) -> tuple[Shard, ...]:
        """The shards of a group that is there, once it is as stated."""
        ordered = in_order(current)
        count = len(ordered) if self.shards is None else self.shards
        # A shard that is added has as many replicas as the shard that has fewest:
        # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/redis-cluster-resharding-online.html
        fewest = min((shard.replica_count for shard in ordered), default=0)
        kept = (*ordered[:count], *(Shard(replica_count=fewest) for _new in range(count - len(ordered))))
        return tuple(self._grown(shard, number) for number, shard in enumerate(kept))

    def _grown(self, shard: Shard, number: int) -> Shard:
        wanted = self.replicas_of(shard, number)
        if wanted is None or wanted == shard.replica_count:
            return shard
        zones = self.zones_of(shard, number)
        return replace(shard, replica_count=wanted, zones=zones if len(zones) == wanted + 1 else (), replicas=())

    def replicas_of(self, shard: Shard, number: int) -> int | None:
        """How many replicas are stated for a shard, the one of that number in the order of ids."""
        found = self._entry(shard, number)
        return self._count(found) if found else self.replicas

    def zones_of(self, shard: Shard, number: int) -> tuple[str, ...]:
        found = self._entry(shard, number)
        return found.zones if found else self.zones

    def _entry(self, shard: Shard, number: int) -> WantedShard | None:
        """By its id, or where none are stated by its place."""
        if any(item.node_group_id for item in self.configuration):
            return next((item for item in self.configuration if item.node_group_id == shard.node_group_id), None)
        return self.configuration[number] if number < len(self.configuration) else None

    def _count(self, item: WantedShard) -> int | None:
        return self.replicas if item.replica_count is None else item.replica_count


def in_order(shards: Iterable[Shard]) -> tuple[Shard, ...]:
    return tuple(sorted(shards, key=lambda shard: shard.node_group_id))


def nodes(shards: Iterable[Shard]) -> int:
    return sum(shard.replica_count + 1 for shard in shards)
