"""The engines behind replication groups in cluster mode: what Fleet does for the others, over Shards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sandbox.aws import slots as hash_slots
from sandbox.aws.doors import Door
from sandbox.aws.elasticache import endpoint_names
from sandbox.aws.elasticache.catalogue import COMPATIBLE, MAXMEMORY
from sandbox.aws.elasticache.parameters import effective_values, engine_settings, memory_left, needs_reboot
from sandbox.aws.elasticache.state import Account, Member, ReplicationGroup
from sandbox.aws.engines import Engine
from sandbox.aws.machine import Machine
from sandbox.aws.shards import Look, Naming, Shards


class ClusteredFleet:
    def __init__(self, account: Account, machine: Machine) -> None:
        self._account, self._machine = account, machine
        self._clusters: dict[str, Shards] = {}  # by the group's id

    # -- coming and going ----------------------------------------------------------------------------------------
    def start_group(self, group: ReplicationGroup, seeds: Sequence[Path]) -> None:
        cluster = Shards(self._machine, naming_of(group), self._look(group), lambda: group.security_groups)
        self._clusters[group.id] = cluster
        layout = {shard: hash_slots.of_text(text) for shard, text in group.slots.items()}
        names = {shard: [member.name for member in group.of_shard(shard)] for shard in group.shards}
        cluster.start(names, layout, seeds)
        self._settle(group)

    def add_shards(self, group: ReplicationGroup, shards: Sequence[str]) -> None:
        """Members of these shards are in the group already, without engines."""
        self._refreshed(group).add_shards({s: [member.name for member in group.of_shard(s)] for s in shards})
        self._settle(group)

    def remove_shards(self, group: ReplicationGroup, shards: Sequence[str]) -> None:
        self._cluster(group).remove_shards(shards)
        with self._account.lock:
            group.members = [member for member in group.members if member.shard not in shards]
            for shard in shards:
                group.primaries.pop(shard, None)
        self._settle(group)

    def start_replica(self, group: ReplicationGroup, member: Member) -> None:
        self._refreshed(group).add_nodes(member.shard, [member.name])
        self._settle(group)

    def stop_member(self, group: ReplicationGroup, member: Member) -> None:
        self._cluster(group).remove_nodes([member.name])
        member.engine = None

    def stop_group(self, group: ReplicationGroup) -> None:
        cluster = self._clusters.pop(group.id, None)
        if cluster is not None:
            cluster.stop()
        drop = [name for tls in (True, False) for name in endpoint_names.every(group, tls)]
        self._machine.names.change({}, drop=drop)

    def forget_engines(self, group: ReplicationGroup, _: Sequence[Engine]) -> None:
        """The cluster that the group is no more."""
        self._clusters.pop(group.id).stop()
        self._machine.names.change({}, drop=[endpoint_names.configuration(group, tls) for tls in (True, False)])

    def stop_all(self) -> None:
        for cluster in list(self._clusters.values()):
            cluster.kill_all()

    # -- changes -------------------------------------------------------------------------------------------------
    def replace_nodes(self, group: ReplicationGroup) -> None:
        cluster, look = self._cluster(group), self._look(group)
        if cluster.look.engine == "valkey" and look.engine == "redis":
            cluster.restart_from_commands(look)
        else:
            cluster.replace(look)
        self._settle(group)

    def fail_over(self, group: ReplicationGroup, shard: str, pause: Callable[[], None]) -> None:
        self._cluster(group).fail_over(shard, pause)
        self._settle(group)

    def make_primary(self, group: ReplicationGroup, name: str) -> None:
        """Without losing a write."""
        self._cluster(group).make_primary(name)
        self._settle(group)

    def change_transit_encryption(self, group: ReplicationGroup, mode: str) -> None:
        self._cluster(group).change_transit_encryption(mode)
        with self._account.lock:
            group.transit_mode = mode
        self.publish(group)

    def apply_parameters(self, group: ReplicationGroup) -> None:
        """What needs no reboot, at once; the rest waits, and DescribeCacheClusters says `pending-reboot`."""
        wanted = self._effective(group)
        at_once = {name: value for name, value in wanted.items() if not needs_reboot(name)}
        told = [(name, value) for name, value in engine_settings(wanted) if not needs_reboot(name)]
        self._cluster(group).configure(told, self.maxmemory(group))
        for member in group.started:
            member.applied.update(at_once)

    # -- what others see -----------------------------------------------------------------------------------------
    def publish(self, group: ReplicationGroup) -> None:
        """The cluster publishes its own names; in mode compatible there are those of a primary and a reader too."""
        self._cluster(group).publish()
        if group.cluster_mode != COMPATIBLE:
            names = [f(group, tls) for f in (endpoint_names.primary, endpoint_names.reader) for tls in (True, False)]
            self._machine.names.change({}, drop=names)
            return
        point = {}
        readers = [member for member in group.replicas if member.engine is not None] or [group.primary]
        for tls in self._cluster(group).look.protocols:
            point[endpoint_names.primary(group, tls)] = group.primary.running.address_for(tls)
            point[endpoint_names.reader(group, tls)] = readers[0].running.address_for(tls)
        self._machine.names.change(point)

    def doors(self) -> Iterator[Door]:
        for cluster in list(self._clusters.values()):
            yield from cluster.doors()

    def maxmemory(self, group: ReplicationGroup) -> int:
        return memory_left(MAXMEMORY[group.node_type], self._effective(group))

    # -- within --------------------------------------------------------------------------------------------------
    def _settle(self, group: ReplicationGroup) -> None:
        """Take over into the account what the engines say: who is primary, who has which slots."""
        cluster = self._cluster(group)
        effective = self._effective(group)
        layout = {shard: hash_slots.as_text(found) for shard, found in cluster.slots().items()}
        primaries = {shard: cluster.primary(shard).name for shard in cluster.shards}
        with self._account.lock:
            group.slots, group.primaries = layout, primaries
            for member in group.members:
                engine = cluster.engine(member.name) if cluster.has(member.name) else None
                if engine is not member.engine:
                    member.engine, member.applied = engine, effective
        self.publish(group)

    def _cluster(self, group: ReplicationGroup) -> Shards:
        return self._clusters[group.id]

    def _refreshed(self, group: ReplicationGroup) -> Shards:
        """The cluster, whose nodes that come will admit whom the group admits by now."""
        cluster = self._cluster(group)
        cluster.look = self._look(group)
        return cluster

    def _look(self, group: ReplicationGroup) -> Look:
        return Look(
            engine=group.version.engine,
            port=group.port,
            maxmemory=self.maxmemory(group),
            parameters=engine_settings(self._effective(group)),
            access=group.access,
            transit_mode=group.transit_mode,
        )

    def _effective(self, group: ReplicationGroup) -> dict[str, str]:
        return effective_values(self._account.parameter_group(group.parameter_group))


def naming_of(group: ReplicationGroup) -> Naming:
    return Naming(
        label=group.id,
        node=lambda name, tls: endpoint_names.node(group, name, tls),
        configuration=lambda tls: endpoint_names.configuration(group, tls),
        certified=(f"*.{endpoint_names.tls_zone(group)}",),
    )
