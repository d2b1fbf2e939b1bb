"""The engines behind cache clusters: starting, restarting, stopping, publishing names and doors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sandbox.aws.access import Access
from sandbox.aws.doors import Door
from sandbox.aws.elasticache.catalogue import MAXMEMORY
from sandbox.aws.elasticache.clusters import names
from sandbox.aws.elasticache.clusters.state import CacheCluster, Node
from sandbox.aws.elasticache.parameters import (
    effective_values,
    engine_settings,
    memcached_options,
    memory_left,
    needs_reboot,
)
from sandbox.aws.elasticache.state import Account, ParameterGroup
from sandbox.aws.engines import Engine, EngineSettings, new_secret
from sandbox.aws.machine import Machine
from sandbox.aws.memcached import Front, MemcachedNode, NodeSettings, Told, speaks_tls
from sandbox.aws.pki import Certificate

MEGABYTE = 1 << 20


class Fleet:
    def __init__(self, account: Account, machine: Machine) -> None:
        self._account, self._machine = account, machine
        self._certificates: dict[str, Certificate] = {}  # by the cluster's ARN and when it was made

    def require_engine(self, engine: str) -> None:
        """Raises EngineMissing."""
        self._machine.binaries.find(engine)

    def can_speak_tls(self) -> bool:
        return speaks_tls(self._machine.binaries.find("memcached"))

    # -- life ----------------------------------------------------------------------------------------------------
    def start(self, cluster: CacheCluster, nodes: Iterable[Node], seed: Path | None = None) -> None:
        for node in nodes:
            node.engine = self._memcached(cluster) if cluster.is_memcached else self._redis(cluster, seed)
            node.applied = self._effective(cluster)
        if cluster.is_memcached and cluster.front is None:
            address = self._machine.addresses.take()
            cluster.front = Front(address, cluster.port, self._certificate(cluster), self._told_of(cluster))
        self.publish(cluster)

    def restart(self, cluster: CacheCluster, nodes: Iterable[Node]) -> None:
        """Nodes come back with what the cluster is now: its type, its version, its parameters; and empty."""
        for node in nodes:
            engine = node.running
            if isinstance(engine, MemcachedNode):
                engine.restart(self._megabytes(cluster), self._options(cluster))
            else:
                engine.kill()
                engine.restart_empty()
            node.applied = self._effective(cluster)
        self.publish(cluster)

    def replace_keeping_data(self, cluster: CacheCluster) -> None:
        """A node of Redis OSS of another type or version: its data comes along, as AWS copies it."""
        (node,) = cluster.nodes
        engine = node.running
        assert isinstance(engine, Engine)
        seed = self._machine.folder / f"{cluster.id}.rdb"
        engine.dump(seed)
        node.engine = self._redis(cluster, seed)
        node.applied = self._effective(cluster)
        seed.unlink()
        self.publish(cluster)
        self._retire(engine)

    def stop(self, cluster: CacheCluster, nodes: Iterable[Node]) -> None:
        for node in nodes:
            if node.engine is not None:
                self._retire(node.engine)
                node.engine = None
        self.publish(cluster)

    def end(self, cluster: CacheCluster) -> None:
        if cluster.front is not None:
            cluster.front.stop()
            self._machine.addresses.give_back(cluster.front.address)
            cluster.front = None
        self.stop(cluster, cluster.nodes)
        self._machine.names.change({}, drop=names.every(cluster))
        self._machine.doors.refresh()

    def stop_all(self) -> None:
        for cluster in self._account.cache_clusters.values():
            for node in cluster.started:
                node.running.kill()

    def apply_parameter_group(self, group: ParameterGroup) -> None:
        """Tell the engines of every cluster that uses it."""
        for cluster in list(self._account.cache_clusters.values()):
            if cluster.parameter_group == group.name:
                self.apply_parameters(cluster)

    def apply_parameters(self, cluster: CacheCluster) -> None:
        """Of Redis OSS what needs no reboot, at once. Memcached takes all of its parameters when it starts."""
        wanted = self._effective(cluster)
        at_once = {name: value for name, value in wanted.items() if not needs_reboot(name)}
        for node in cluster.started:
            if isinstance(node.engine, Engine):
                for name, value in engine_settings(wanted):
                    if not needs_reboot(name):
                        node.engine.configure(name, value)
                node.applied.update(at_once)

    # -- what others see -----------------------------------------------------------------------------------------
    def publish(self, cluster: CacheCluster) -> None:
        self._machine.doors.refresh()
        point = {names.node(cluster, node): node.running.address for node in cluster.started}
        if cluster.front is not None:
            point[names.configuration(cluster)] = cluster.front.address
        gone = [name for name in names.every(cluster) if name not in point]
        self._machine.names.change(point, drop=gone)

    def doors(self) -> Iterator[Door]:
        with self._account.lock:
            clusters = list(self._account.cache_clusters.values())
            for cluster in clusters:
                ports, groups = (cluster.port, cluster.port), tuple(cluster.security_groups)
                front = (cluster.front.address,) if cluster.front is not None else ()
                for node in cluster.started:
                    yield Door(node.running.address, ports, groups, front)
                for address in front:
                    yield Door(address, ports, groups)

    def _told_of(self, cluster: CacheCluster) -> Callable[[], list[Told]]:
        def told() -> list[Told]:
            with self._account.lock:
                return [Told(names.node(cluster, n), n.running.address, cluster.port) for n in cluster.started]

        return told

    # -- engines -------------------------------------------------------------------------------------------------
    def _memcached(self, cluster: CacheCluster) -> MemcachedNode:
        address = self._machine.addresses.take()
        node = MemcachedNode(
            NodeSettings(
                program=self._machine.binaries.find("memcached"),
                folder=self._machine.folder / "nodes" / address,
                address=address,
                port=cluster.port,
                megabytes=self._megabytes(cluster),
                options=self._options(cluster),
                certificate=self._certificate(cluster),
            )
        )
        node.start()
        return node

    def _redis(self, cluster: CacheCluster, seed: Path | None) -> Engine:
        address, values = self._machine.addresses.take(), self._effective(cluster)
        engine = Engine(
            EngineSettings(
                program=self._machine.binaries.find(cluster.version.engine),
                folder=self._machine.folder / "nodes" / address,
                address=address,
                port=cluster.port,
                maxmemory=memory_left(MAXMEMORY[cluster.node_type], values),
                parameters=engine_settings(values),
                access=Access(),
                secret=new_secret(),
                seed=seed,
            )
        )
        engine.start()
        return engine

    def _retire(self, engine: MemcachedNode | Engine) -> None:
        engine.forget()
        self._machine.addresses.give_back(engine.address)

    def _megabytes(self, cluster: CacheCluster) -> int:
        """max_cache_memory of the type, less what is kept for connections."""
        overhead = int(self._effective(cluster)["memcached_connections_overhead"])
        return max(64, MAXMEMORY[cluster.node_type] // MEGABYTE - overhead)

    def _options(self, cluster: CacheCluster) -> list[str]:
        return memcached_options(self._effective(cluster))

    def _effective(self, cluster: CacheCluster) -> dict[str, str]:
        return effective_values(self._account.parameter_group(cluster.parameter_group))

    def _certificate(self, cluster: CacheCluster) -> Certificate | None:
        if not cluster.tls:
            return None
        key = f"{cluster.id}-{cluster.created.timestamp():.0f}"
        if key not in self._certificates:
            self._certificates[key] = self._machine.pki.issue(key, *names.every(cluster))
        return self._certificates[key]
