"""The engines behind replication groups: starting, following, handing over, publishing names and doors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sandbox.aws.doors import Door
from sandbox.aws.elasticache import endpoint_names
from sandbox.aws.elasticache.catalogue import DISABLED, MAXMEMORY
from sandbox.aws.elasticache.parameters import effective_values, engine_settings, memory_left, needs_reboot
from sandbox.aws.elasticache.state import Account, Member, ReplicationGroup
from sandbox.aws.engines import Engine, EngineSettings
from sandbox.aws.machine import Machine
from sandbox.aws.pki import Certificate


class Fleet:
    def __init__(self, account: Account, machine: Machine) -> None:
        self._account, self._folder = account, machine.folder / "nodes"
        self._binaries, self._pki, self._names, self._doors = (
            machine.binaries,
            machine.pki,
            machine.names,
            machine.doors,
        )
        self._addresses = machine.addresses
        self._certificates: dict[str, Certificate] = {}  # by the group's id

    # -- nodes ---------------------------------------------------------------------------------------------------
    def start_group(self, group: ReplicationGroup, seeds: Sequence[Path]) -> None:
        primary = group.primary
        seed = seeds[0] if seeds else None
        primary.engine, primary.applied = self._new_engine(group, seed), self._effective(group)
        for member in group.replicas:
            self.start_replica(group, member)
        self.publish(group)

    def start_replica(self, group: ReplicationGroup, member: Member) -> None:
        member.engine, member.applied = self._new_engine(group), self._effective(group)
        self._doors.refresh()  # the primary must let its new replica in
        member.engine.follow(group.primary.running)

    def stop_member(self, group: ReplicationGroup, member: Member) -> None:
        if member.engine is not None:
            self._retire(member.engine)
            member.engine = None
        self._names.change({}, drop=[endpoint_names.node(group, member.name, tls) for tls in (True, False)])

    def replace_nodes(self, group: ReplicationGroup) -> None:
        """Scale or upgrade online: each node gets a successor that syncs, the primary last."""
        if group.primary.running.is_valkey and group.version.engine == "redis":
            self._replace_by_commands(group)
            return
        for member in [*group.replicas, group.primary]:
            old = member.running
            new = self._successor(group)
            try:
                new.follow(group.primary.running)
                if member is group.primary:
                    old.hand_over_to(new)
                    for replica in group.replicas:
                        replica.running.follow(new)
            except Exception:
                group.successors.remove(new)
                self._retire(new)
                raise
            group.successors.remove(new)
            member.engine = new
            member.applied = self._effective(group)
            self.publish(group)
            self._retire(old)

    def _replace_by_commands(self, group: ReplicationGroup) -> None:
        """From Valkey back to Redis, which cannot follow as its RDB is older. Writes wait while the data is carried."""
        old = {member.name: member.running for member in group.members}
        try:
            primary = self._successor(group, group.primary.running.write_commands())
            new = {group.primary.name: primary}
            for member in group.replicas:
                new[member.name] = self._successor(group)
                new[member.name].follow(primary)
        except Exception:
            group.primary.running.release_writes()
            for engine in group.successors:
                self._retire(engine)
            group.successors.clear()
            raise
        with self._account.lock:
            group.successors.clear()
            for member in group.members:
                member.engine, member.applied = new[member.name], self._effective(group)
        self.publish(group)
        for engine in old.values():
            self._retire(engine)

    def _successor(self, group: ReplicationGroup, seed: Path | None = None) -> Engine:
        """An engine that is to take a member's place, and may speak to the members already."""
        new = self._new_engine(group, seed)
        group.successors.append(new)
        self._doors.refresh()
        return new

    def fail_over(self, group: ReplicationGroup, shard: str, pause: Callable[[], None]) -> None:
        """The primary dies as a machine dies, a replica takes over, and the dead node comes back without data.

        `pause` is how long nobody notices.
        """
        dead, heir = group.primary, group.replicas[0]
        dead.running.kill()
        pause()
        heir.running.promote()
        with self._account.lock:
            group.primaries[shard] = heir.name
        self.publish(group)
        for member in group.replicas:
            if member is not dead:
                member.running.follow(heir.running)
        dead.running.restart_empty()
        dead.running.follow(heir.running)
        self.publish(group)

    def make_primary(self, group: ReplicationGroup, name: str) -> None:
        """Without losing a write."""
        old, new = group.primary.running, next(member for member in group.members if member.name == name)
        old.hand_over_to(new.running)
        with self._account.lock:
            group.primaries[new.shard] = name
        self.publish(group)
        for replica in group.replicas:
            replica.running.follow(new.running)

    def stop_group(self, group: ReplicationGroup) -> None:
        self._names.change({}, drop=[name for tls in (True, False) for name in endpoint_names.every(group, tls)])
        for member in group.members:
            self.stop_member(group, member)
        self._doors.refresh()

    def stop_all(self) -> None:
        for group in self._own():
            for member in group.started:
                member.running.kill()

    def forget_engines(self, _: ReplicationGroup, engines: Sequence[Engine]) -> None:
        """Of a group that has others now."""
        for engine in engines:
            self._retire(engine)

    def _own(self) -> list[ReplicationGroup]:
        return [group for group in list(self._account.replication_groups.values()) if group.cluster_mode == DISABLED]

    # -- transit encryption --------------------------------------------------------------------------------------
    def change_transit_encryption(self, group: ReplicationGroup, mode: str) -> None:
        """Open what the new mode allows, move the replicas over, publish, and only then close the rest."""
        engines = [member.running for member in group.started]
        for engine in engines:
            if mode and not engine.tls_port:
                engine.speak_tls(self._certificate(group), engine.second_address or self._addresses.take())
            if mode != "required" and not engine.plain_port:
                engine.speak_plain(engine.second_address or self._addresses.take())
        with self._account.lock:
            group.transit_mode = mode
        self.publish(group)
        for engine in engines:
            if mode == "required" and engine.plain_port:
                engine.stop_plain()
            if not mode and engine.tls_port:
                engine.stop_tls()
        self._doors.refresh()
        for member in group.replicas:
            member.running.follow(group.primary.running)

    # -- parameters ----------------------------------------------------------------------------------------------
    def apply_parameters(self, group: ReplicationGroup) -> None:
        """What needs no reboot, at once; the rest waits, and DescribeCacheClusters says `pending-reboot`."""
        wanted = self._effective(group)
        settings = [(name, value) for name, value in engine_settings(wanted) if not needs_reboot(name)]
        for member in group.started:
            for name, value in settings:
                member.running.configure(name, value)
            member.running.configure("maxmemory", self.maxmemory(group))
            member.applied.update({name: value for name, value in wanted.items() if not needs_reboot(name)})

    # -- what others see -----------------------------------------------------------------------------------------
    def publish(self, group: ReplicationGroup) -> None:
        """Point the names at the nodes as they are now, and let the nodes admit whom the security groups admit."""
        self._doors.refresh()
        readers = [member for member in group.replicas if member.engine is not None]
        reader = (readers or [group.primary])[0].running
        point: dict[str, str] = {}
        for tls in protocols(group):
            point[endpoint_names.primary(group, tls)] = group.primary.running.address_for(tls)
            point[endpoint_names.reader(group, tls)] = reader.address_for(tls)
            point.update({endpoint_names.node(group, m.name, tls): m.running.address_for(tls) for m in group.started})
        closed = [tls for tls in (True, False) if tls not in protocols(group)]
        self._names.change(point, drop=[name for tls in closed for name in endpoint_names.every(group, tls)])

    def doors(self) -> Iterator[Door]:
        with self._account.lock:
            for group in self._own():
                engines = [*(member.running for member in group.started), *group.successors]
                addresses = tuple(engine.address for engine in engines)
                for engine in engines:
                    yield from engine.doors(tuple(group.security_groups), addresses)

    # -- engines -------------------------------------------------------------------------------------------------
    def _new_engine(self, group: ReplicationGroup, seed: Path | None = None) -> Engine:
        address = self._addresses.take()
        engine = Engine(
            EngineSettings(
                program=self._binaries.find(group.version.engine),
                folder=self._folder / address,
                address=address,
                port=group.port,
                maxmemory=self.maxmemory(group),
                parameters=engine_settings(self._effective(group)),
                access=group.access,
                secret=group.secret,
                certificate=self._certificate(group) if group.transit_mode else None,
                speaks_plain=group.transit_mode != "required",
                second_address=self._addresses.take() if group.transit_mode == "preferred" else "",
                seed=seed,
            )
        )
        engine.start()
        return engine

    def maxmemory(self, group: ReplicationGroup) -> int:
        return memory_left(MAXMEMORY[group.node_type], self._effective(group))

    def _effective(self, group: ReplicationGroup) -> dict[str, str]:
        return effective_values(self._account.parameter_group(group.parameter_group))

    def _certificate(self, group: ReplicationGroup) -> Certificate:
        """One for all names of the group; a name of a node is as good as the primary's."""
        if group.id not in self._certificates:
            self._certificates[group.id] = self._pki.issue(group.id, f"*.{endpoint_names.tls_zone(group)}")
        return self._certificates[group.id]

    def _retire(self, engine: Engine) -> None:
        engine.forget()
        shutil.rmtree(self._folder / engine.address, ignore_errors=True)
        self._addresses.give_back(engine.address, engine.second_address)


def protocols(group: ReplicationGroup) -> list[bool]:
    """Whether TLS, for each protocol that clients may speak; both where transit encryption is preferred."""
    return {"": [False], "preferred": [False, True], "required": [True]}[group.transit_mode]
