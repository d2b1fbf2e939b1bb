"""What is behind a serverless cache of Memcached: one memcached that speaks TLS, at one name with two ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.aws.doors import Door
from sandbox.aws.elasticache.serverless.state import ServerlessCache
from sandbox.aws.machine import Machine
from sandbox.aws.memcached import MemcachedNode, NodeSettings

MEGABYTES = 64  # what this machine gives it, whatever its limits are


class Memcached:
    def __init__(self, machine: Machine, cache: ServerlessCache) -> None:
        self._machine, self._cache = machine, cache
        address = machine.addresses.take()
        label = f"{cache.id}-serverless-{cache.created.timestamp():.0f}"
        self._node = MemcachedNode(
            NodeSettings(
                program=machine.binaries.find("memcached"),
                folder=machine.folder / "nodes" / address,
                address=address,
                port=cache.port,
                megabytes=MEGABYTES,
                options=(),
                certificate=machine.pki.issue(label, cache.host),
            )
        )

    def start(self) -> None:
        self._node.start()
        self._machine.doors.refresh()
        self._machine.names.change({self._cache.host: self._node.address}, drop=[])

    def configure(self, _parameters: Sequence[tuple[str, str]], _maxmemory: int) -> None:
        """Its limits are AWS's own doing."""

    def stop(self) -> None:
        self._machine.names.change({}, drop=[self._cache.host])
        self._node.forget()
        self._machine.doors.refresh()
        self._machine.addresses.give_back(self._node.address)

    def kill_all(self) -> None:
        self._node.kill()

    def doors(self) -> Iterator[Door]:
        groups = tuple(self._cache.security_groups)
        node, reader = (self._node.address, self._node.port), self._cache.reader_port
        yield Door(node[0], (node[1], node[1]), groups)
        yield Door(node[0], (reader, reader), groups, behind=node)
