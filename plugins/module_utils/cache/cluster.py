# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A cluster as a whole, by our own client: who owns which slots, and a command for a key where that key is.

https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

import re
from typing import Callable, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Connection,
    NotRedis,
    Reply,
    ServerError,
    code_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import names_a_host

_REDIRECTIONS = 8  # each may be older than the next

Place = Tuple[str, int]


class Cluster:
    """``entry`` is a connection to any node, at the address ``name``. ``connect`` makes one to another, logged in; it
    and what is asked here may raise ProbeFailed and CacheError.
    """

    def __init__(self, entry: Connection, name: str, connect: Callable[[Place], Connection]) -> None:
        self._entry, self._name, self._connect = entry, name, connect
        self._connections: dict[Place, Connection] = {}
        self._moved: dict[int, Place] = {}
        self.shards: tuple[slots.Shard, ...] = ()

    def look(self) -> tuple[slots.Shard, ...]:
        """The shards as they are now. Raises NotRedis where that is not told in a way that can be read."""
        try:
            self.shards = slots.read(self._entry.execute("CLUSTER", "SLOTS"), self._name)
        except slots.NotASlotMap as error:
            raise NotRedis(f"it does not tell its slots ({error})")
        self._moved.clear()
        return self.shards

    def at(self, place: Place) -> Connection:
        """Which the cluster keeps."""
        if place not in self._connections:
            self._connections[place] = self._connect(place)
        return self._connections[place]

    def execute(self, key: str | bytes, *command: Argument) -> Reply:
        """The answer of the node that has the key, wherever the first that is asked sends us."""
        slot = slots.slot_of(key)
        place, is_asking = self._owner(slot), False
        for _redirection in range(_REDIRECTIONS):
            try:
                if is_asking:  # for the next command alone: the slot is on its way there
                    self.at(place).execute("ASKING")
                return self.at(place).execute(*command)
            except ServerError as error:
                word = code_of(str(error))
                _slot, _space, told = str(error).partition(f"{word} ")[2].partition(" ")
                if word not in ("MOVED", "ASK") or not told:
                    raise
                place, is_asking = _place(told, place[0]), word == "ASK"
                if word == "MOVED":
                    self._moved[slot] = place
        raise ServerError(f"CLUSTERDOWN more than {_REDIRECTIONS} redirections for one key")

    def _owner(self, slot: int) -> Place:
        if slot in self._moved:
            return self._moved[slot]
        owner = next((shard.primary for shard in self.shards if shard.has(slot)), None)
        if owner is None:
            raise ServerError("CLUSTERDOWN Hash slot not served")
        return owner.place

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()


class OwnClusterClient:
    """The verbs of app_library over it."""

    name = "own client"

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def set(self, key: str, value: str, seconds: int) -> None:
        self._cluster.execute(key, "SET", key, value, "EX", seconds)

    def get(self, key: str) -> str:
        reply = self._cluster.execute(key, "GET", key)
        return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else str(reply)

    def delete(self, key: str) -> None:
        self._cluster.execute(key, "DEL", key)

    def close(self) -> None:
        """The cluster belongs to the caller."""


def _place(told: str, host: str) -> Place:
    """``host:port``, or ``:port`` on the host that says it."""
    name, _colon, port = told.rpartition(":")
    name = name.strip("[]") or host
    if not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65536 and names_a_host(name)):
        raise NotRedis(f"it sends us to {told[:60]!r}")
    return name, int(port)
