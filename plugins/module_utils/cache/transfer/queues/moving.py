# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What waits in the queues of one side goes to the other: nothing of it is lost or there twice, wherever a kill falls.

A key is first given a name under which no worker knows it. By that name it is copied as a whole, and compared. Then it
is deleted where it was, and only after that what was copied is added to what the other side has by now under the first
name. So what a copy is of and what counts of it are never there at the same time, and what a killed run leaves says by
itself how to go on: a key of that name at the source is copied once more, and one at the target alone is added.

Before a job can be taken all is there that belongs to it: lists, from which workers take, go last, and those with a
time before them.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import read_clients
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import pattern_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import users
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.queues.adding import Adding
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import (
    Answer,
    Command,
    Reach,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import GONE
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    LIST,
    NONE,
    ZSET,
    Unreadable,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import compare
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import command, inside, raw

ASIDE = b"cache_migration:queued:"  # before the name of a key that is on its way

Queues = Mapping[int, JobKeys]  # by the number of their database

_TOGETHER = 100  # keys
_COUNT = b"512"
_TOLERANCE_MS = 2000
_REPLICA_MS = 5000  # that a replica of the target has to confirm what it got
_ORDER = ((), (ZSET,), (LIST,))  # the types that go in each round; in the first all others
_COUNTED = {LIST: "LLEN", ZSET: "ZCARD"}
_NO_SUCH_KEY = "no such key"


@dataclass
class Moved:
    """How many jobs went, by the pattern of their keys; a key that is no queue counts as one. ``is_done``: there are no
    more.
    """

    counts: Counter[str] = field(default_factory=Counter)
    is_done: bool = False


def clear(side: Reach, queues: Queues) -> int:
    """Take away what was copied of queues while it was worked off, where nobody works yet. How many keys that were."""
    _refuse_clusters(side)
    _refuse_users(side)
    count = 0
    for database, keys in sorted(queues.items()):
        side.select(database)
        for found in _scanned(side):
            wanted = [key for key in found if keys.has(key)]
            _told(side.ask([(key, ("DEL", key)) for key in wanted]))
            count += len(wanted)
    return count


def waiting(side: Reach, queues: Queues) -> Counter[str]:
    """What is there, by the pattern of the keys."""
    _refuse_clusters(side)
    counts: Counter[str] = Counter()
    for database, keys in sorted(queues.items()):
        side.select(database)
        for found in _scanned(side):
            wanted = [key for key in found if keys.moves(key) or key.startswith(ASIDE)]
            counts += _counts(side, _types(side, wanted), len(ASIDE))
    return counts


def move(source: Reach, target: Reach, queues: Queues, until: float) -> Moved:
    """For about as long, by time.monotonic(), and on from there the next time. Raises TransferRefused, CacheError."""
    _refuse_clusters(source)
    _refuse_clusters(target)
    _refuse_workers(source, queues)
    moved = Moved()
    for database, keys in sorted(queues.items()):
        source.select(database)
        target.select(database)
        if not _Move(source, target, keys, moved.counts, until).is_done():
            return moved
    moved.is_done = True
    return moved


class _Move:
    """Of one database, which is selected on both sides."""

    def __init__(self, source: Reach, target: Reach, keys: JobKeys, counts: Counter[str], until: float) -> None:
        self._source, self._target, self._keys = source, target, keys
        self._counts, self._until = counts, until
        self._adding = Adding(target)

    def is_done(self) -> bool:
        """After all that there is time for, but never after nothing."""
        self._go_on_with_what_was_begun()
        while True:
            count = 0
            for types in _ORDER:
                for found in _scanned(self._source):
                    count += self._taken([key for key in found if self._keys.moves(key)], types)
                    if count and time.monotonic() > self._until:
                        return False
            if not count:
                return True

    def _go_on_with_what_was_begun(self) -> None:
        for found in _scanned(self._source):
            self._bring([key for key in found if key.startswith(ASIDE)])
        left = [key for found in _scanned(self._target) for key in found if key.startswith(ASIDE)]
        types = _types(self._target, left)
        for each in _ORDER:
            self._adding.add({key: key[len(ASIDE) :] for key, kind in types.items() if _is_of(kind, each)})

    def _taken(self, keys: Sequence[bytes], types: Sequence[str]) -> int:
        """How many of those keys that are of these types went."""
        wanted = [key for key, kind in _types(self._source, keys).items() if _is_of(kind, types)]
        for start in range(0, len(wanted), _TOGETHER):
            self._take(wanted[start : start + _TOGETHER])
        return len(wanted)

    def _take(self, keys: Sequence[bytes]) -> None:
        answers = self._source.ask([(key, ("RENAMENX", key, ASIDE + key)) for key in keys])
        for key, answer in zip(keys, answers):
            if isinstance(answer, ServerError) and _NO_SUCH_KEY not in str(answer):
                raise TransferRefused(
                    f"the jobs in {_shown(key)} cannot be taken out of the queue ({answer}): let the user of the app's "
                    "URL rename and delete keys (ACL SETUSER <name> +rename +renamenx +del), and run this again."
                )
        self._bring([ASIDE + key for key, answer in zip(keys, answers) if answer == 1])

    def _bring(self, asides: Sequence[bytes]) -> None:
        if not asides:
            return
        counts = _counts(self._source, _types(self._source, asides), len(ASIDE))
        ends = _ends(self._source, asides)
        brought = values.bring(self._source, self._target, ends, replace=True)
        self._refuse_what_cannot_go(brought)
        self._refuse_what_differs(list(ends))
        _refuse_what_no_replica_has(self._target)
        _told(self._source.ask([(key, ("DEL", key)) for key in asides]))
        self._adding.add({key: key[len(ASIDE) :] for key in ends})
        self._counts.update(counts)

    def _refuse_what_cannot_go(self, brought: Mapping[bytes, object]) -> None:
        """It gets its own name again: here it can be worked off."""
        refused = {key: why for key, why in brought.items() if isinstance(why, Unreadable)}
        if refused:
            self._source.ask([(key, ("RENAMENX", key, key[len(ASIDE) :])) for key in refused])
            key, why = next(iter(refused.items()))
            raise TransferRefused(f"the jobs in {_shown(key[len(ASIDE) :])} cannot go to the target: {why}.")

    def _refuse_what_differs(self, asides: Sequence[bytes]) -> None:
        rules = compare.rules_for(self._source, self._target, _TOLERANCE_MS)
        compared = compare.compare([raw(key) for key in asides], self._source, self._target, rules)
        for key, verdict in compared.others:
            if verdict.word != GONE:
                raise TransferRefused(
                    f"the jobs in {_shown(key[len(ASIDE) :])} are not the same after they were copied ({verdict.word}"
                    f"{f': {verdict.why}' if verdict.why else ''}). They lie at the source as {_shown(key)}: run this "
                    "again, which copies them anew."
                )


# --- what stands against it ---


def _refuse_clusters(side: Reach) -> None:
    if len(side.links) != 1:
        raise TransferRefused(
            "queues are moved between two engines, and one side is a cluster, on which neither Celery, RQ nor Sidekiq "
            "run: let the workers do what is there, and take queues out of migration_services."
        )


def _refuse_users(side: Reach) -> None:
    """What is there may be their jobs, and not what was copied."""
    try:
        others = users.seen([side.links[0].connection])
    except ServerError as error:
        raise TransferRefused(
            f"who uses it is not told to this user (CLIENT LIST: {error}), so the jobs there are not known to be "
            "copies alone, and are not taken away: let this user ask (ACL SETUSER <name> +client)."
        )
    if others:
        raise TransferRefused(
            f"it is in use from {', '.join(sorted(others))}, so the jobs there may be their own, and are not taken "
            "away: put these back first (playbooks/rollback.yml)."
        )


def _refuse_workers(source: Reach, queues: Queues) -> None:
    """Whoever waits for jobs there would go on to take what is not moved yet."""
    try:
        clients = read_clients(source.links[0].connection)
    except ServerError:  # then only those are known to be gone that were proven to be
        return
    waiting = sorted({one.address for one in clients if one.blocking and set(one.databases) & set(queues)})
    if waiting:
        raise TransferRefused(
            f"somebody still takes jobs there: {', '.join(waiting)} waits for what comes into the queues. Stop these "
            "workers, or name them in migration_services, and run the same command again."
        )


def _refuse_what_no_replica_has(target: Reach) -> None:
    """What the source is about to lose would be lost by a failover of the target."""
    for link in target.links:
        info = parse_info(link.connection.ask("INFO", "replication"))
        if info.get("role") != "master" or not info.get("connected_slaves"):
            continue
        with contextlib.suppress(ServerError):  # nobody lets us ask
            if link.execute("WAIT", 1, _REPLICA_MS) == 0:
                raise TransferRefused(
                    f"no replica of the target has confirmed what was copied within {_REPLICA_MS / 1000:.0f} s, so the "
                    "jobs stay where they are: see that its replicas follow it, and run this again."
                )


# --- reading ---


def _scanned(side: Reach) -> Iterator[list[bytes]]:
    """The keys of the database, some at a time."""
    link, cursor = side.links[0], b"0"
    while True:
        link.send(command(raw(b"SCAN"), raw(cursor), raw(b"COUNT"), raw(_COUNT)))
        cursor, keys = link.scanned()
        yield [inside(key) for key in dict.fromkeys(keys)]
        if cursor == b"0":
            return


def _types(side: Reach, keys: Sequence[bytes]) -> dict[bytes, str]:
    """Of those that are there."""
    answers = _told(side.ask([(key, ("TYPE", key)) for key in keys]))
    kinds = {key: answer.decode() if isinstance(answer, bytes) else str(answer) for key, answer in zip(keys, answers)}
    return {key: kind for key, kind in kinds.items() if kind != NONE}


def _is_of(kind: str, types: Sequence[str]) -> bool:
    return kind in types if types else kind not in (ZSET, LIST)


def _counts(side: Reach, types: Mapping[bytes, str], skipped: int) -> Counter[str]:
    """How many jobs are in each, by the pattern of its name without what is ``skipped`` of an ASIDE."""
    asked: list[tuple[bytes, Command]] = [(key, (_COUNTED.get(kind, "EXISTS"), key)) for key, kind in types.items()]
    counts: Counter[str] = Counter()
    for key, answer in zip(types, side.ask(asked)):
        name = key[skipped:] if key.startswith(ASIDE) else key
        counts[_shown(name)] += answer if isinstance(answer, int) else 0
    return counts


def _ends(side: Reach, keys: Sequence[bytes]) -> dict[bytes, int | None]:
    """When each expires, in ms since 1970, or None. One that is gone is left out."""
    [clock, *left] = _told(side.ask([(b"", ("TIME",)), *((key, ("PTTL", key)) for key in keys)]))
    seconds, micros = (int(part) for part in clock)  # type: ignore[union-attr]
    now = seconds * 1000 + micros // 1000
    there = {key: ttl for key, ttl in zip(keys, left) if isinstance(ttl, int) and ttl != -2}
    return {key: now + ttl if ttl >= 0 else None for key, ttl in there.items()}


def _told(answers: Sequence[Answer]) -> Sequence[Answer]:
    for answer in answers:
        if isinstance(answer, ServerError):
            raise answer
    return answers


def _shown(key: bytes) -> str:
    return pattern_of(key)
