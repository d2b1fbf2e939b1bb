"""The engines behind clusters: real ones in cluster mode, as the cluster is to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox.aws import slots as hash_slots
from sandbox.aws.access import Access
from sandbox.aws.access import User as EngineUser
from sandbox.aws.doors import Door
from sandbox.aws.machine import Machine
from sandbox.aws.memorydb import endpoint_names
from sandbox.aws.memorydb.catalogue import MAXMEMORY
from sandbox.aws.memorydb.parameters import engine_settings
from sandbox.aws.memorydb.state import OPEN_ACCESS, Account, Cluster
from sandbox.aws.shards import Look, Naming, Shards


class Fleet:
    def __init__(self, account: Account, machine: Machine) -> None:
        self._account, self._machine = account, machine

    def require_engine(self, engine: str) -> None:
        self._machine.binaries.find(engine)

    def start(self, cluster: Cluster, seeds: Mapping[str, Path], slots: Mapping[str, str]) -> None:
        """`slots`: the layout that the seeds are of, by shard; where it is another than the cluster's, keys move."""
        naming = Naming(
            label=f"memorydb-{cluster.id}",
            node=lambda name, _tls: endpoint_names.node(cluster, name),
            configuration=lambda _tls: endpoint_names.configuration(cluster),
            certified=(f"*.{endpoint_names.zone(cluster)}",),
        )
        cluster.engines = Shards(self._machine, naming, self.look(cluster), lambda: cluster.security_groups)
        members, layout = cluster.members, {shard: hash_slots.of_text(text) for shard, text in slots.items()}
        kept = layout if sorted(layout) == sorted(members) else None
        cluster.running.start(members, kept, [seeds[shard] for shard in sorted(seeds)])

    def look(self, cluster: Cluster) -> Look:
        """What the nodes are to be by what the account knows now."""
        return Look(
            engine=cluster.version.engine,
            port=cluster.port,
            maxmemory=MAXMEMORY[cluster.node_type],
            parameters=engine_settings(self._account.parameter_group(cluster.parameter_group)),
            access=self.access(cluster.acl),
            transit_mode="required" if cluster.tls else "",
        )

    def access(self, acl: str) -> Access:
        """Whom a cluster with this ACL admits. A user with IAM is admitted by nothing: tokens are not verified."""
        if acl == OPEN_ACCESS:
            return Access()
        users = [self._account.users[name] for name in self._account.acl(acl).users if name in self._account.users]
        return Access(
            is_open=False,
            users=tuple(EngineUser(u.name, u.access_string, u.digests, u.kind == "no-password") for u in users),
        )

    def apply_parameters(self, cluster: Cluster) -> None:
        settings = engine_settings(self._account.parameter_group(cluster.parameter_group))
        cluster.running.configure(settings, MAXMEMORY[cluster.node_type])

    def stop(self, cluster: Cluster) -> None:
        if cluster.engines is not None:
            cluster.engines.stop()
            cluster.engines = None

    def refresh(self) -> None:
        self._machine.doors.refresh()

    def doors(self) -> Iterator[Door]:
        with self._account.lock:
            started = [cluster.engines for cluster in self._account.clusters.values() if cluster.engines is not None]
        for engines in started:
            yield from engines.doors()

    def stop_all(self) -> None:
        for cluster in self._account.clusters.values():
            if cluster.engines is not None:
                cluster.engines.kill_all()
