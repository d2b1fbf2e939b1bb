"""A cluster of real engines: shards with replicas, slots, MOVED, and what a service of AWS does with them.

Whoever has nodes of a cluster at AWS (ElastiCache's clustered groups and serverless caches, MemoryDB) has one `Shards`:

    shards = Shards(machine, naming, look)                  # nothing runs yet
    shards.start({"0001": ["a-0001-001", "a-0001-002"]})    # first the primaries; names as `naming` knows them
    shards.add_shards / remove_shards / add_nodes / remove_nodes / fail_over / replace / admit / configure / stop

It takes addresses, announces names, opens the packet filter between its own nodes, and tells `doors` who else may come
in by `security_groups`. Every call blocks until the cluster serves again, and raises EngineFailed where it does not.

With `Naming.is_one_endpoint` it looks as a serverless cache does: one name and one address, where the primary has the
port and its replica the next one. Such a cluster has one shard of two nodes at most.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from sandbox.aws import slots as hash_slots
from sandbox.aws.access import Access
from sandbox.aws.cluster_look import Look, Naming
from sandbox.aws.cluster_node import ClusterNode, Node, introduce, until_agreed
from sandbox.aws.doors import Door
from sandbox.aws.engines import EngineFailed, EngineSettings, new_secret
from sandbox.aws.machine import Machine
from sandbox.aws.pki import Certificate

__all__ = ["Look", "Naming", "Node", "Shards"]
PASSING = "passing-"  # a shard that brings the data of a file, and then goes
Members = Mapping[str, Sequence[str]]  # shard → the names of its nodes, of a new shard the primary first


class Shards:
    def __init__(
        self, machine: Machine, naming: Naming, look: Look, security_groups: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._machine, self._naming, self.look, self._security_groups = machine, naming, look, security_groups
        self._secret = new_secret()
        self._nodes: dict[str, Node] = {}  # by name
        self._successors: list[ClusterNode] = []  # about to take a node's place
        self._leaving: list[ClusterNode] = []  # of a cluster that this one takes the place of: they must not meet
        self._certificate: Certificate | None = None
        self._front = machine.addresses.take() if naming.is_one_endpoint else ""

    # -- what is there -------------------------------------------------------------------------------------------
    @property
    def shards(self) -> list[str]:
        return sorted({node.shard for node in list(self._nodes.values())})

    def nodes_of(self, shard: str) -> list[Node]:
        return [node for node in list(self._nodes.values()) if node.shard == shard]

    def has(self, name: str) -> bool:
        return name in self._nodes

    def engine(self, name: str) -> ClusterNode:
        return self._nodes[name].engine

    def primary(self, shard: str) -> Node:
        """Who owns the shard's slots, as the engines say it."""
        running = [node for node in self.nodes_of(shard) if node.engine.is_running]
        found = [node for node in running if node.engine.is_primary]
        if not found:
            raise EngineFailed(f"shard {shard} of {self._naming.label} has no primary")
        return found[0]

    def slots(self) -> dict[str, list[int]]:
        """The slots of each shard, as the engines say it."""
        shard_of = {node.engine.id: node.shard for node in list(self._nodes.values())}
        found: dict[str, list[int]] = {shard: [] for shard in self.shards}
        for slot, owner in sorted(self._any().owners().items()):
            found[shard_of[owner]].append(slot)
        return found

    # -- coming and going ----------------------------------------------------------------------------------------
    def start(self, members: Members, slots: hash_slots.Layout | None = None, seeds: Sequence[Path] = ()) -> None:
        """Begin with these shards. Without `slots` each has as many as another.

        `seeds` are what to start from (see EngineSettings.seed), of any other layout: all keys end where they belong,
        in database 0.
        """
        layout = slots or hash_slots.even(list(members))
        passing = [f"{PASSING}{number}" for number in range(len(members), len(seeds))]
        first = {**{shard: names[0] for shard, names in members.items()}, **{name: name for name in passing}}
        primaries = {}
        for (shard, name), seed in zip_longest(first.items(), seeds):
            primaries[shard] = self._start_node(name, shard, seed)
        free = set(range(hash_slots.SLOTS)).difference(*(engine.owners() for engine in primaries.values()))
        for epoch, (shard, engine) in enumerate(primaries.items(), 1):
            engine.command("CLUSTER", "SET-CONFIG-EPOCH", epoch)
            engine.own(sorted(free & set(layout.get(shard, ()))))
        self._meet()
        self._until_serving()
        self._arrange(layout)
        self.remove_nodes(passing)
        for shard, names in members.items():
            self._add_nodes(shard, names[1:])
        self.publish()

    def add_shards(self, members: Members) -> None:
        """Start shards, and move slots to them until all have as many."""
        for shard, names in members.items():
            self._start_node(names[0], shard)
        self._meet()
        self._until_serving()  # a node that has not heard of a slot's owner yet cannot take it
        self.publish()
        self.spread(self.shards)
        for shard, names in members.items():
            self._add_nodes(shard, names[1:])
        self.publish()

    def remove_shards(self, gone: Sequence[str]) -> None:
        """Move their slots to the others with all keys, and stop their nodes."""
        self.spread([shard for shard in self.shards if shard not in gone])
        self.remove_nodes([node.name for shard in gone for node in self.nodes_of(shard)])

    def spread(self, over: Sequence[str]) -> None:
        """Move slots with their keys, so that these shards have as many each, and the others none."""
        self._move(hash_slots.moves(self.slots(), over))

    def _arrange(self, layout: hash_slots.Layout) -> None:
        self._move(hash_slots.differences(self.slots(), layout))

    def _move(self, moves: Mapping[tuple[str, str], Sequence[int]]) -> None:
        for (source, target), moved in moves.items():
            self.primary(source).engine.give(moved, self.primary(target).engine)
        self._until_serving()

    def add_nodes(self, shard: str, names: Sequence[str]) -> None:
        """Add replicas to a shard."""
        self._add_nodes(shard, names)
        self.publish()

    def _add_nodes(self, shard: str, names: Sequence[str]) -> None:
        for name in names:
            primary = self.primary(shard).engine
            engine = self._start_node(name, shard)
            self._meet()
            engine.replicate(primary)
        self._until_serving()

    def remove_nodes(self, names: Sequence[str]) -> None:
        """Stop nodes: replicas, or all of a shard that has no slots any more."""
        gone = [self._nodes.pop(name) for name in names]
        for node in gone:
            self._retire(node.engine)
        hosts = [self._naming.node(name, tls) for name in names for tls in (True, False)]
        self._machine.names.change({}, drop=hosts)
        self.publish()

    def stop(self) -> None:
        """All of it, with its data."""
        nodes = list(self._nodes.values())
        names = [self._naming.node(node.name, tls) for node in nodes for tls in (True, False)]
        names += [self._naming.configuration(tls) for tls in (True, False)]
        self._machine.names.change({}, drop=names)
        self._nodes.clear()
        for engine in [*(node.engine for node in nodes), *self._successors]:
            self._end(engine)
        self._successors.clear()
        self._machine.doors.refresh()
        self._machine.addresses.give_back(self._front)

    def kill_all(self) -> None:
        """Only the processes, as the sandbox ends."""
        for engine in self._engines():
            engine.kill()

    # -- changes -------------------------------------------------------------------------------------------------
    def fail_over(self, shard: str, pause: Callable[[], None] = lambda: None) -> None:
        """The primary dies as a machine dies, a replica takes over, and the dead node comes back without data.

        `pause` is how long nobody notices.
        """
        dead = self.primary(shard)
        heir = next(node for node in self.nodes_of(shard) if node is not dead)
        dead.engine.kill()
        pause()
        heir.engine.take_over()
        self.publish()
        self._have_forgotten(dead.engine)
        dead.engine.restart_empty()
        self._machine.doors.refresh()
        self._meet()
        for node in self.nodes_of(shard):
            if node is not heir:
                node.engine.replicate(heir.engine)
        self._until_serving()

    def make_primary(self, name: str) -> None:
        """Let a replica and its primary swap roles, without losing a write."""
        node = self._nodes[name]
        self._swap(self.primary(node.shard), node.engine, node)
        self.publish()
        self._until_serving()

    def _swap(self, old: Node, new: ClusterNode, heir: Node) -> None:
        """`new` takes over from the old primary, and the shard's nodes follow it; `heir` is whose engine it is."""
        new.take_over_from(old.engine)
        for other in self.nodes_of(old.shard):
            if other is not heir:
                other.engine.replicate(new)

    def replace(self, look: Look) -> None:
        """Another size or version: each node gets a successor that syncs, the primaries last."""
        before, self.look = self.look, look
        try:
            for shard in self.shards:
                primary = self.primary(shard)
                for node in [*(n for n in self.nodes_of(shard) if n is not primary), primary]:
                    self._replace_node(node, self.primary(shard).engine)
        except Exception:
            self.look = before
            raise

    def _replace_node(self, node: Node, primary: ClusterNode) -> None:
        old, new = node.engine, self._new_engine(node.name)
        self._successors.append(new)
        try:
            self._launch(new)
            self._meet()
            new.replicate(primary)
            self._until_serving()  # one that has not heard of the others' epochs takes over in vain
            if primary is old:
                self._swap(node, new, node)
        except Exception:
            self._successors.remove(new)
            self._retire(new)
            raise
        self._successors.remove(new)
        node.engine = new
        self.publish()
        self._retire(old)
        self._until_serving()

    def restart_from_commands(self, look: Look) -> None:
        """An older engine, which can neither follow the newer one nor read its files. Writes wait meanwhile."""
        layout, old = self.slots(), dict(self._nodes)
        primaries = {shard: self.primary(shard).engine for shard in self.shards}
        members = {shard: [node.name for node in self.nodes_of(shard)] for shard in self.shards}
        for shard, names in members.items():
            first = self.primary(shard).name
            members[shard] = [first, *(name for name in names if name != first)]
        before, self.look, self._nodes = self.look, look, {}
        self._leaving = [node.engine for node in old.values()]
        try:
            self.start(members, layout, [primaries[shard].write_commands() for shard in members])
        except Exception:
            for node in self._nodes.values():
                self._end(node.engine)
            self.look, self._nodes = before, old
            for engine in primaries.values():
                engine.release_writes()
            raise
        finally:
            self._leaving = []
            self.publish()
        for node in old.values():
            self._end(node.engine)

    def admit(self, access: Access) -> None:
        """Other tokens or users, from now on."""
        for engine in self._engines():
            engine.admit(access)
        self.look = replace(self.look, access=access)

    def configure(self, parameters: Sequence[tuple[str, str]], maxmemory: int) -> None:
        """Other parameters, at once: give only those that an engine takes while it runs."""
        for engine in self._engines():
            for name, value in parameters:
                engine.configure(name, value)
            engine.configure("maxmemory", maxmemory)
        kept = [pair for pair in self.look.parameters if pair[0] not in dict(parameters)]
        self.look = replace(self.look, parameters=[*kept, *parameters], maxmemory=maxmemory)

    def change_transit_encryption(self, mode: str) -> None:
        """Open what the new mode allows, publish, and only then close the rest. One step at a time."""
        engines = self._engines()
        for engine in engines:
            if mode and not engine.tls_port:
                engine.speak_tls(self._certified(), engine.second_address or self._machine.addresses.take())
            if mode != "required" and not engine.plain_port:
                engine.speak_plain(engine.second_address or self._machine.addresses.take())
        self.look = replace(self.look, transit_mode=mode)
        self.publish()
        for engine in engines:
            if mode == "required" and engine.plain_port:
                engine.stop_plain()
            if not mode and engine.tls_port:
                engine.stop_tls()
        self.publish()
        self._until_serving()

    def dump(self, to: Callable[[str], Path]) -> dict[str, str]:
        """A real RDB file of each shard, at `to(shard)`, from a replica where there is one; answers slots by shard."""
        for shard in self.shards:
            primary = self.primary(shard)
            source = next((node for node in self.nodes_of(shard) if node is not primary), primary)
            source.engine.dump(to(shard))
        return {shard: hash_slots.as_text(found) for shard, found in self.slots().items()}

    # -- what others see -----------------------------------------------------------------------------------------
    def publish(self) -> None:
        """Point the names at the nodes as they are now, and let in whom the security groups let in."""
        self._machine.doors.refresh()
        running = [node for node in self._nodes.values() if node.engine.is_running]
        point: dict[str, str] = {}
        for tls in self.look.protocols:
            # Nodes are reached at the ports that the cluster tells, each of which is at the engine's own address.
            point.update({self._naming.node(node.name, tls): self._front or node.engine.address for node in running})
            for node in running[:1]:
                point[self._naming.configuration(tls)] = self._front or node.engine.address_for(tls)
        closed = [tls for tls in (True, False) if tls not in self.look.protocols]
        drop = [self._naming.node(node.name, tls) for tls in closed for node in self._nodes.values()]
        self._machine.names.change(point, drop=[*drop, *(self._naming.configuration(tls) for tls in closed)])

    def doors(self) -> Iterator[Door]:
        engines = [*self._engines(), *self._leaving]
        coming_or_going = [*self._successors, *self._leaving]
        peers = tuple(engine.address for engine in engines)
        groups = tuple(self._security_groups())
        for engine in engines:
            port = (engine.port, engine.port)
            if self._front and engine in coming_or_going:  # its port leads to the node in whose place it is
                yield Door(engine.address, port, (), peers)
            elif self._front:  # the filter sees packets after they were led on, so this is the engine's own door too
                yield Door(self._front, port, groups, peers, behind=(engine.address, engine.port))
            else:
                yield from engine.doors(groups, peers)
            yield Door(engine.address, (engine.bus_port, engine.bus_port), (), peers)

    # -- engines -------------------------------------------------------------------------------------------------
    def _engines(self) -> list[ClusterNode]:
        return [*(node.engine for node in list(self._nodes.values())), *self._successors]

    def _any(self) -> ClusterNode:
        return next(engine for engine in self._engines() if engine.is_running)

    def _start_node(self, name: str, shard: str, seed: Path | None = None) -> ClusterNode:
        engine = self._new_engine(name, seed)
        self._nodes[name] = Node(name, shard, engine)
        self._launch(engine)
        return engine

    def _launch(self, engine: ClusterNode) -> None:
        engine.start()
        self._machine.doors.refresh()  # the others must let it in

    def _new_engine(self, name: str, seed: Path | None = None) -> ClusterNode:
        look, machine = self.look, self._machine
        address = machine.addresses.take()
        settings = EngineSettings(
            program=machine.binaries.find(look.engine),
            folder=machine.folder / "nodes" / address,
            address=address,
            port=look.port + (sorted({*self._nodes, name}).index(name) if self._front else 0),
            maxmemory=look.maxmemory,
            parameters=look.parameters,
            access=look.access,
            secret=self._secret,
            certificate=self._certified() if look.transit_mode else None,
            speaks_plain=look.transit_mode != "required",
            second_address=machine.addresses.take() if look.transit_mode == "preferred" else "",
            seed=seed,
        )
        return ClusterNode(settings, self._naming.node(name, True))

    def _certified(self) -> Certificate:
        """One for all names."""
        if self._certificate is None:
            self._certificate = self._machine.pki.issue(self._naming.label, *self._naming.certified)
        return self._certificate

    def _meet(self) -> None:
        introduce([engine for engine in self._engines() if engine.is_running])

    def _until_serving(self) -> None:
        until_agreed([engine for engine in self._engines() if engine.is_running], self._naming.label)

    def _retire(self, engine: ClusterNode) -> None:
        """Stop one that is no part of it any more, and have the others forget it."""
        engine.kill()
        self._have_forgotten(engine)
        self._end(engine)

    def _have_forgotten(self, engine: ClusterNode) -> None:
        for other in self._engines():
            if other is not engine and other.is_running and engine.id:
                other.forget_node(engine.id)

    def _end(self, engine: ClusterNode) -> None:
        engine.forget()
        shutil.rmtree(self._machine.folder / "nodes" / engine.address, ignore_errors=True)
        self._machine.addresses.give_back(engine.address, engine.second_address)
