"""One engine in cluster mode: the cluster's bus, the name that it is announced by, slots that come and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import redis

from sandbox.aws.engines import Engine, EngineSettings, until
from sandbox.aws.pki import Certificate
from sandbox.aws.slots import SLOTS, spans

MISSED_AFTER = 15_000  # milliseconds; the service fails over, not the nodes among themselves
NODES = "nodes.conf"
SLOTS_AT_ONCE, SLOTS_A_CONNECTION, KEYS_AT_ONCE = 1024, 32, 100
MOVING_SECONDS = 20


def bus_port_of(port: int) -> int:
    """Beside the second protocol's, see Engine."""
    return port + 20000 if port + 20000 <= 65535 else port - 20000


class ClusterNode(Engine):
    """An engine that is part of a cluster. Its `hostname` is what clients that speak TLS are led to by MOVED.

    Where nobody speaks TLS clients are led to addresses, as at AWS, whose `cluster-preferred-endpoint-type` is
    `tls-dynamic`. With both protocols AWS does so by the client's protocol; here all are led to the name, and to the
    port at which the engine really speaks theirs.
    """

    def __init__(self, settings: EngineSettings, hostname: str) -> None:
        self.bus_port, self.hostname = bus_port_of(settings.port), hostname
        has_tls = settings.certificate is not None
        own = {
            "cluster-enabled": "yes",
            "cluster-config-file": NODES,
            "cluster-port": self.bus_port,
            "cluster-node-timeout": MISSED_AFTER,
            "cluster-replica-no-failover": "yes",
            "cluster-allow-replica-migration": "no",
            "cluster-announce-ip": settings.address,
            "cluster-announce-hostname": hostname,
            "cluster-preferred-endpoint-type": "hostname" if has_tls else "ip",
            "tls-cluster": "yes" if has_tls else "no",
            "tls-replication": "yes" if has_tls else "no",
        }
        more = [*settings.more, *((name, str(value)) for name, value in own.items())]
        super().__init__(replace(settings, more=more))
        self.id = ""

    def start(self) -> None:
        super().start()
        self.id = str(self.command("CLUSTER", "MYID"))

    def restart_empty(self) -> None:
        """As another machine at the same address: the others have to meet it."""
        (self._settings.folder / NODES).unlink(missing_ok=True)
        super().restart_empty()

    # -- the cluster as this node sees it ------------------------------------------------------------------------
    def nodes(self) -> dict[str, list[str]]:
        """The lines of CLUSTER NODES in words, by the node's id."""
        lines = str(self.command("CLUSTER", "NODES")).splitlines()
        return {words[0]: words for words in map(str.split, lines)}

    def has_met(self, ids: set[str]) -> bool:
        """Whether it knows these nodes. One that it has only heard of has an id of its own making."""
        return ids <= set(self.nodes())

    def owners(self) -> dict[int, str]:
        """The id of the primary of each slot, as this node sees it."""
        found: dict[int, str] = {}
        for low, high, primary, *_ in self.command("CLUSTER", "SLOTS"):
            found.update(dict.fromkeys(range(low, high + 1), primary[2]))
        return found

    @property
    def is_primary(self) -> bool:
        return self._is("master")

    def is_well(self) -> bool:
        return "cluster_state:ok" in str(self.command("CLUSTER", "INFO"))

    # -- coming and going ----------------------------------------------------------------------------------------
    def meet(self, other: ClusterNode) -> None:
        port = other.tls_port if other.tls_port and self.tls_port else other.plain_port
        self.command("CLUSTER", "MEET", other.address, port, other.bus_port)

    def forget_node(self, node_id: str) -> None:
        try:
            self.command("CLUSTER", "FORGET", node_id)
        except redis.ResponseError as refused:
            if "Unknown node" not in str(refused):
                raise

    def replicate(self, primary: ClusterNode) -> None:
        """Follow that node, and wait until all of its data is here."""
        until(lambda: self._accepts_primary(primary), 30, f"{self.address} does not follow {primary.address}")
        until(lambda: self.info().get("master_link_status") == "up", 60, f"{self.address} does not sync")
        until(lambda: primary.sees_online(self), 60, f"{primary.address} does not see its replica {self.address}")

    def _accepts_primary(self, primary: ClusterNode) -> bool:
        try:
            return bool(self.command("CLUSTER", "REPLICATE", primary.id))
        except redis.ResponseError:  # it has not heard of it yet, or still takes itself for a primary
            return False

    def take_over(self) -> None:
        """Become the primary of a shard whose primary is gone."""
        self.command("CLUSTER", "FAILOVER", "TAKEOVER")
        until(lambda: self.is_primary, 20, f"{self.address} does not take over")

    def take_over_from(self, primary: ClusterNode) -> None:
        """Swap roles without losing a write: writers wait until this node has everything.

        The service decides, not a vote: the nodes vote once in two timeouts about a shard, and AWS need not wait.
        """
        primary.hold_writes()
        try:
            until(lambda: self._has_all_of(primary), 20, f"{self.address} does not catch up with {primary.address}")
            self.take_over()
            until(lambda: primary.id not in primary.owners().values(), 20, f"{primary.address} does not hand over")
        finally:
            primary.release_writes()

    def _has_all_of(self, primary: ClusterNode) -> bool:
        return bool(self.info()["slave_repl_offset"] == primary.info()["master_repl_offset"])

    # -- slots ---------------------------------------------------------------------------------------------------
    def own(self, slots: Sequence[int]) -> None:
        """Take slots that nobody has. Those of the data that it started with it has taken by itself."""
        words = [word for span in spans(slots) for word in span]
        if words:
            self.command("CLUSTER", "ADDSLOTSRANGE", *words)

    def give(self, slots: Sequence[int], to: ClusterNode) -> None:
        """Hand slots over with all their keys, while clients read and write."""
        for begin in range(0, len(slots), SLOTS_AT_ONCE):
            some = slots[begin : begin + SLOTS_AT_ONCE]
            to._each("SETSLOT", some, "IMPORTING", self.id)
            self._each("SETSLOT", some, "MIGRATING", to.id)
            counts = self._each("COUNTKEYSINSLOT", some)
            for slot in (slot for slot, count in zip(some, counts) if count):
                for keys in self._keys_of(slot):
                    self._migrate(keys, to)
            to._each("SETSLOT", some, "NODE", to.id)
            self._each("SETSLOT", some, "NODE", to.id)

    def _each(self, part: str, slots: Sequence[int], *words: str) -> list[object]:
        """The command for each slot; by many connections, as Valkey answers each when the replicas have it too."""
        pieces = [slots[begin : begin + SLOTS_A_CONNECTION] for begin in range(0, len(slots), SLOTS_A_CONNECTION)]

        def ask(piece: Sequence[int]) -> list[object]:
            with self._admin.pipeline(transaction=False) as pipeline:
                for slot in piece:
                    pipeline.execute_command("CLUSTER", part, slot, *words)  # type: ignore[no-untyped-call]
                return list(pipeline.execute())

        with ThreadPoolExecutor(len(pieces)) as threads:
            return [answer for answers in threads.map(ask, pieces) for answer in answers]

    def _keys_of(self, slot: int) -> Iterator[list[bytes]]:
        """Until none is left; a key is any bytes."""
        ask = ("CLUSTER", "GETKEYSINSLOT", slot, KEYS_AT_ONCE)
        while keys := self._admin.execute_command(*ask, NEVER_DECODE=True):  # type: ignore[no-untyped-call]
            yield keys

    def _migrate(self, keys: Sequence[bytes], to: ClusterNode) -> None:
        port = to.tls_port if self.tls_port else to.plain_port
        login = ("AUTH2", "_service", self._settings.secret)
        timeout = MOVING_SECONDS * 1000
        self.hidden("migrate", to.address, port, "", 0, timeout, "REPLACE", *login, "KEYS", *keys)

    def _listen_for_tls_on(self, port: int) -> None:
        """Others and clients are told the gate's port all the same."""
        self.configure("cluster-announce-tls-port", self.tls_port)
        super()._listen_for_tls_on(port)

    # -- protocols -----------------------------------------------------------------------------------------------
    def speak_tls(self, certificate: Certificate, second_address: str) -> None:
        super().speak_tls(certificate, second_address)
        self._use_tls_inside("yes")

    def stop_tls(self) -> None:
        self._use_tls_inside("no")
        super().stop_tls()

    def _use_tls_inside(self, yes: str) -> None:
        for name in ("tls-cluster", "tls-replication"):
            self.configure(name, yes)
        self.configure("cluster-preferred-endpoint-type", "hostname" if yes == "yes" else "ip")


@dataclass
class Node:
    """A place in a cluster, which one engine after another may take."""

    name: str
    shard: str
    engine: ClusterNode


def introduce(nodes: Sequence[ClusterNode]) -> None:
    """Let all know all: what they tell each other by themselves takes seconds."""
    for number, node in enumerate(nodes):
        known = node.nodes()
        for other in nodes[number + 1 :]:
            if other.id not in known:
                node.meet(other)
    ids = {node.id for node in nodes}
    for node in nodes:
        until(partial(node.has_met, ids), 30, f"{node.address} does not meet the others")


def until_agreed(nodes: Sequence[ClusterNode], label: str) -> None:
    """Wait until every node has the same word for who has which slot, and all slots are served."""

    def agree() -> bool:
        if not all(node.is_well() for node in nodes):
            return False
        first, *others = [node.owners() for node in nodes]
        return len(first) == SLOTS and all(other == first for other in others)

    until(agree, 60, f"the nodes of {label} do not agree about the slots")
