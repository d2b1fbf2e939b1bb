"""The engines behind serverless caches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sandbox.aws.access import SERVERLESS_DENIED, Access
from sandbox.aws.doors import Door
from sandbox.aws.elasticache.serverless.memcached import Memcached
from sandbox.aws.elasticache.serverless.state import MEMCACHED, Serverless, ServerlessCache
from sandbox.aws.engines import EngineFailed, new_secret
from sandbox.aws.machine import Machine
from sandbox.aws.shards import Look, Naming, Shards

SHARD, NODES = "0001", ("0001-001", "0001-002")
# Of what is denied, this is answered as an unknown command, as users report it.
PARAMETERS = (("maxmemory-policy", "volatile-lru"), ("rename-command", f"keys {new_secret()}"))


class Fleet:
    """A cache of Redis OSS or Valkey is one shard with a replica: AWS shows no more of what is behind its one name."""

    def __init__(self, serverless: Serverless, machine: Machine) -> None:
        self._serverless, self._machine = serverless, machine

    def require_engine(self, engine: str) -> None:
        """Raises EngineMissing."""
        self._machine.binaries.find(engine)

    def start(self, cache: ServerlessCache, access: Access, seed: Path | None) -> None:
        if cache.version.engine == MEMCACHED:
            cache.engines = memcached = Memcached(self._machine, cache)
            memcached.start()
        else:
            self._start_shards(cache, access, seed)

    def _start_shards(self, cache: ServerlessCache, access: Access, seed: Path | None) -> None:
        naming = Naming(
            label=f"{cache.id}-serverless-{cache.created.timestamp():.0f}",
            node=lambda _node, _tls: cache.host,
            configuration=lambda _tls: cache.host,
            certified=(cache.host,),
            is_one_endpoint=True,
        )
        look = Look(
            engine=cache.version.engine,
            port=cache.port,
            maxmemory=cache.most_bytes,
            parameters=PARAMETERS,
            access=replace(access, denied=SERVERLESS_DENIED),
            transit_mode="required",
        )
        engines = Shards(self._machine, naming, look, lambda: tuple(cache.security_groups))
        cache.engines = engines
        engines.start({SHARD: list(NODES)}, seeds=[seed] if seed else ())

    def change_engine(self, cache: ServerlessCache, engine: str) -> None:
        """Clients' connections end, as each node gets a successor."""
        engines = running(cache)
        wanted = replace(engines.look, engine=engine)
        if (engines.look.engine, engine) == ("valkey", "redis"):
            engines.restart_from_commands(wanted)  # an older engine cannot follow a newer one
        else:
            engines.replace(wanted)

    def admit(self, cache: ServerlessCache, access: Access) -> None:
        running(cache).admit(replace(access, denied=SERVERLESS_DENIED))

    def apply_limits(self, cache: ServerlessCache) -> None:
        if cache.engines is not None:
            cache.engines.configure([], cache.most_bytes)

    def apply_security_groups(self) -> None:
        self._machine.doors.refresh()

    def dump(self, cache: ServerlessCache, to: Path) -> None:
        running(cache).dump(lambda _shard: to)

    def stop(self, cache: ServerlessCache) -> None:
        if cache.engines is not None:
            cache.engines.stop()
            cache.engines = None

    def stop_all(self) -> None:
        for cache in list(self._serverless.caches.values()):
            if cache.engines is not None:
                cache.engines.kill_all()

    def doors(self) -> Iterator[Door]:
        for cache in list(self._serverless.caches.values()):
            if cache.engines is not None:
                yield from cache.engines.doors()


def running(cache: ServerlessCache) -> Shards:
    if not isinstance(cache.engines, Shards):
        raise EngineFailed(f"{cache.id} has no engines with slots")
    return cache.engines
