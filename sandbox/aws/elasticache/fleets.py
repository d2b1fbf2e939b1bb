"""Which fleet has the engines of a replication group: that of cluster mode, or that of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox.aws.doors import Door
from sandbox.aws.elasticache.catalogue import DISABLED
from sandbox.aws.elasticache.clustered_fleet import ClusteredFleet
from sandbox.aws.elasticache.fleet import Fleet
from sandbox.aws.elasticache.shape import ALL_SLOTS, FIRST_SHARD
from sandbox.aws.elasticache.state import Account, ParameterGroup, ReplicationGroup
from sandbox.aws.machine import Machine


class Fleets:
    def __init__(self, account: Account, machine: Machine) -> None:
        self._account, self._machine = account, machine
        self.others_of_parameters: list[Callable[[ParameterGroup], None]] = []  # told of each group that has changed
        self.single, self.clustered = Fleet(account, machine), ClusteredFleet(account, machine)

    def of(self, group: ReplicationGroup) -> Fleet | ClusteredFleet:
        return self.single if group.cluster_mode == DISABLED else self.clustered

    def require_engine(self, engine: str) -> None:
        """Raises EngineMissing."""
        self._machine.binaries.find(engine)

    def apply_parameter_group(self, group: ParameterGroup) -> None:
        """Tell the engines of every replication group that uses it."""
        for user in list(self._account.replication_groups.values()):
            if user.parameter_group == group.name:
                self.of(user).apply_parameters(user)
        for tell in self.others_of_parameters:
            tell(group)

    def change_cluster_mode(self, group: ReplicationGroup, mode: str) -> None:
        """Between a group of its own and a cluster of one shard the data goes by a file, as neither follows the other.

        Writes wait meanwhile.
        """
        if DISABLED not in (group.cluster_mode, mode):
            group.cluster_mode = mode  # the same engines, which lose or get the names of a primary and a reader
            self.clustered.publish(group)
            return
        file = self._machine.folder / "nodes" / f"{group.id}.rdb"
        before, engines = group.cluster_mode, {member.name: member.running for member in group.started}
        old, first = self.of(group), group.primary.running
        first.hold_writes()
        try:
            first.dump(file)
            group.cluster_mode, group.slots = mode, {} if mode == DISABLED else {FIRST_SHARD: ALL_SLOTS}
            self.of(group).start_group(group, [file])
        except Exception:
            group.cluster_mode = before
            for member in group.members:
                member.engine = engines.get(member.name)
            first.release_writes()
            raise
        finally:
            file.unlink(missing_ok=True)
        old.forget_engines(group, list(engines.values()))
        self.of(group).publish(group)

    def doors(self) -> Iterator[Door]:
        yield from self.single.doors()
        yield from self.clustered.doors()

    def stop_all(self) -> None:
        self.single.stop_all()
        self.clustered.stop_all()
