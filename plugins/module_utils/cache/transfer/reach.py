# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One side as a whole, by links to all engines that have keys there: commands by the key that they are for, in bulk."""

from __future__ import annotations

import contextlib
from typing import Callable, Iterable, Iterator, Mapping, Sequence, Tuple, TypeVar, Union

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import cluster_probe, slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster import Cluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import keyspace, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    Reply,
    ServerError,
    encode,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import (
    Link,
    Raw,
    inside,
    repeated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

Command = Sequence[Argument]
Answer = Union[Reply, ServerError]
Request = Tuple[bytes, Command]  # with the key that it is for
S = TypeVar("S")
T = TypeVar("T")

_ELSEWHERE = ("MOVED ", "ASK ", "TRYAGAIN ")


class Reach:
    """``cluster`` is None where there is one engine, that of the only link."""

    def __init__(self, links: Sequence[Link], cluster: Cluster | None = None) -> None:
        self.links = links
        self._cluster = cluster
        self.owners = owners(cluster) if cluster else []

    def select(self, database: int) -> None:
        """Raises ServerError where that is not served."""
        for link in self.links:
            link.execute("SELECT", database)

    def identity(self) -> list[str]:
        """Which run of each engine this is, and who has which slots now: cursors of other ones mean nothing."""
        infos = [parse_info(link.connection.ask("INFO", "server")) for link in self.links]
        shards = self._cluster.look() if self._cluster else ()
        owned = [f"{shard.primary.address}:{shard.primary.port} {shard.ranges}" for shard in shards]
        return [*(str(info.get("run_id", "")) for info in infos), *owned]

    def keys(self) -> list[dict[int, int]]:
        """How many each engine has in each database that has some."""
        infos = [parse_info(link.connection.ask("INFO", "keyspace")) for link in self.links]
        return [{number: counts["count"] for number, counts in keyspace(info).items()} for info in infos]

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers in the order of the requests, which are sent together."""
        found = self._spread(
            requests,
            lambda request: request[0],
            lambda link, places: _asked(link, [requests[place][1] for place in places]),
        )
        for place, answer in enumerate(found):
            if isinstance(answer, ServerError) and self._cluster and str(answer).startswith(_ELSEWHERE):
                found[place] = self.follow(*requests[place])
        return found

    def bulks(self, words: Sequence[bytes], raws: Sequence[bytes]) -> list[Raw]:
        """The raw answers to the same command for each key, which is raw itself."""
        return self._spread(raws, inside, lambda link, places: _bulks(link, words, [raws[place] for place in places]))

    def lines(self, words: Sequence[bytes], raws: Sequence[bytes]) -> list[bytes]:
        """The answers to the same command for each key, each of one line."""
        return self._spread(raws, inside, lambda link, places: _lines(link, words, [raws[place] for place in places]))

    def places(self, raws: Sequence[bytes]) -> Mapping[int, Sequence[int]]:
        """Which of the keys, which are raw, each of the links is to be asked for."""
        return {0: range(len(raws))} if len(self.links) == 1 else self._places(map(inside, raws))

    def _places(self, keys: Iterable[bytes]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place, key in enumerate(keys):
            found.setdefault(self.owners[slots.slot_of(key)], []).append(place)
        return found

    def _spread(
        self, asked: Sequence[S], key_of: Callable[[S], bytes], ask: Callable[[Link, Sequence[int]], Sequence[T]]
    ) -> list[T]:
        """Asks each link for the places of its keys, and puts the answers back where these are."""
        if not asked:
            return []
        if len(self.links) == 1:
            return list(ask(self.links[0], range(len(asked))))
        found: dict[int, T] = {}
        for link, of_link in self._places(map(key_of, asked)).items():
            found.update(zip(of_link, ask(self.links[link], of_link)))
        return [found[place] for place in range(len(asked))]

    def follow(self, key: bytes, command: Command) -> Answer:
        """A slot that has moved since: whoever has it now is asked by itself."""
        try:
            return self._cluster.execute(key, *command) if self._cluster else None
        except ServerError as error:
            return error


@contextlib.contextmanager
def reached(side: Side) -> Iterator[Reach]:
    """Raises ProbeFailed, CacheError, EndpointError."""
    if side.protocol != REDIS_CLUSTER:
        with session(side.question()) as connection:
            yield Reach([Link(connection)])
        return
    with cluster_probe.session(side.question()) as cluster:
        yield Reach([Link(cluster.at(shard.primary.place)) for shard in cluster.shards], cluster)


def owners(cluster: Cluster) -> list[int]:
    """The number of its shard for each slot."""
    found = [0] * slots.COUNT
    for number, shard in enumerate(cluster.shards):
        for first, last in shard.ranges:
            found[first : last + 1] = [number] * (last + 1 - first)
    return found


def _asked(link: Link, commands: Sequence[Command]) -> list[Answer]:
    link.send(b"".join(encode(command) for command in commands))
    return link.replies(len(commands))


def _bulks(link: Link, words: Sequence[bytes], raws: Sequence[bytes]) -> list[Raw]:
    link.send(repeated(words, raws))
    return link.bulks(len(raws))


def _lines(link: Link, words: Sequence[bytes], raws: Sequence[bytes]) -> list[bytes]:
    link.send(repeated(words, raws))
    return link.lines(len(raws))
