# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The keys of a cache, some of which are looked at, and its streams. Reads only, and never for long.

Names of keys may hold personal data, so they are told as patterns: ``session:*``.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator, NamedTuple, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queue_libraries
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import Asking, fields_in, text
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import whole
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import NotRedis

SAMPLE_SECONDS = 10.0  # for all databases together
STREAM_SECONDS = 5.0
LIBRARY_SECONDS = 5.0
BATCH = 100
STREAMS_SHOWN = 100
LARGEST_SHOWN = 5

# How long keys live from now on, each up to so many seconds; those that have longer to live are told as LONGER.
LIVES = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
LONGER = "longer"

_ASKED_FOR_PAYLOAD = 3  # keys of a database, the smallest first, as one may be gone by then
_MOST_PAYLOAD = 65_536  # bytes that such a key takes at most


@dataclass(frozen=True)
class KeyGroup:
    """Sampled keys of one type in one database whose names look alike."""

    database: int
    type: str
    pattern: str
    count: int
    without_ttl: int
    bytes: int


@dataclass(frozen=True)
class LargeKey:
    database: int
    type: str
    pattern: str
    bytes: int


@dataclass(frozen=True)
class Sample:
    """Some keys of each database. ``lives`` counts those with a TTL by LIVES. ``payload`` is the version of what DUMP
    gives, None where it gave nothing. ``is_complete``: there was time for as many as were wanted.
    """

    count: int = 0
    is_complete: bool = True
    groups: tuple[KeyGroup, ...] = ()
    lives: dict[str, int] = field(default_factory=dict)
    largest: tuple[LargeKey, ...] = ()
    payload: int | None = None


class _Seen(NamedTuple):
    """One key; its bytes are 0 where they are not told, and its ``ttl`` is as PTTL has it, in milliseconds."""

    database: int
    key: bytes
    type: str
    ttl: int | None
    bytes: int


@dataclass(frozen=True)
class Stream:
    database: int
    pattern: str
    length: int
    groups: tuple[str, ...]
    pending: int


class Keys:
    """``database`` is the one that the conversation is at."""

    def __init__(self, asking: Asking, database: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._asking = asking
        self._database = database
        self._clock = clock

    def sample(self, databases: Sequence[int], most: int) -> Sample:
        """Of ``most`` keys of each database at most."""
        deadline = self._clock() + SAMPLE_SECONDS
        seen: list[_Seen] = []
        payload = None
        for database in databases:
            keys: list[bytes] = []
            for some in self._scan(database, deadline, "COUNT", str(BATCH)):
                keys += some
                if len(keys) >= most:
                    break
            keys = list(dict.fromkeys(keys))[:most]
            found = [one for start in range(0, len(keys), BATCH) for one in self._look_at(database, keys, start)]
            payload = payload or self._payload(found)
            seen += found
        return Sample(len(seen), self._clock() <= deadline, _grouped(seen), _lives(seen), _largest(seen), payload)

    def streams(self, databases: Sequence[int], by_type: bool) -> tuple[tuple[Stream, ...], bool]:
        """The first streams of each database, and whether there was time to look for all. ``by_type``: SCAN knows
        types, as it does from Redis 6.0 on.
        """
        deadline = self._clock() + STREAM_SECONDS
        found: list[Stream] = []
        for database in databases:
            keys: dict[bytes, None] = {}
            of_type = ("TYPE", "stream") if by_type else ()
            for some in self._scan(database, deadline, "COUNT", "1000", *of_type):
                keys.update(dict.fromkeys(some if by_type else self._streams_among(some)))
                if len(keys) >= STREAMS_SHOWN:
                    break
            found += [stream for key in list(keys)[:STREAMS_SHOWN] if (stream := self._stream(database, key))]
        return tuple(found), self._clock() <= deadline

    def queue_libraries(self, databases: Sequence[int]) -> tuple[tuple[str, ...], bool]:
        """Those of queue_libraries.LIBRARIES that have keys here, and whether there was time to look for all."""
        deadline = self._clock() + LIBRARY_SECONDS
        found: set[str] = set()
        for database in databases:
            found.update(self._libraries_by_name(database))
        for library, patterns in queue_libraries.PATTERNS.items():
            if library not in found and any(
                self._has_like(database, pattern, deadline) for database in databases for pattern in patterns
            ):
                found.add(library)
        return tuple(sorted(found)), self._clock() <= deadline

    def _libraries_by_name(self, database: int) -> Iterator[str]:
        if not self._is_at(database):
            return
        names = [(library, *key) for library, keys in queue_libraries.KEYS.items() for key in keys.items()]
        kinds = self._asking.ask_all([["TYPE", name] for _library, name, _kind in names])
        yield from (library for (library, _name, kind), there in zip(names, kinds) if there == kind)

    def _has_like(self, database: int, pattern: str, deadline: float) -> bool:
        return any(self._scan(database, deadline, "MATCH", pattern, "COUNT", "1000"))

    def _is_at(self, database: int) -> bool:
        """Whether the conversation is at this database, which the server may refuse."""
        if database != self._database:
            if self._asking.ask("SELECT", database) is None:
                return False
            self._database = database
        return True

    def _scan(self, database: int, deadline: float, *options: str) -> Iterator[list[bytes]]:
        """Until the time is up, or the server refuses. Raises NotRedis."""
        if not self._is_at(database):
            return
        cursor = "0"
        while self._clock() <= deadline:
            reply = self._asking.ask("SCAN", cursor, *options)
            if reply is None:
                return
            cursor, keys = _scanned(reply)
            yield keys
            if cursor == "0":
                return

    def _look_at(self, database: int, keys: Sequence[bytes], start: int) -> Iterator[_Seen]:
        """Those of a batch."""
        some = keys[start : start + BATCH]
        replies = self._asking.ask_all(
            [[*command, key] for key in some for command in (["TYPE"], ["PTTL"], ["MEMORY", "USAGE"])]
        )
        for place, key in enumerate(some):
            kind, ttl, size = replies[3 * place : 3 * place + 3]
            if kind not in (None, "none"):  # not told, or gone in the meantime
                lives = ttl if isinstance(ttl, int) else None
                yield _Seen(database, key, text(kind), lives, size if isinstance(size, int) else 0)

    def _payload(self, seen: Sequence[_Seen]) -> int | None:
        """The version of a real one, of keys of the database that the conversation is at."""
        # What a module imports on a host is compiled anew in each of its runs, and not every look has use for it.
        from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb

        small = sorted((one for one in seen if 0 < one.bytes <= _MOST_PAYLOAD), key=lambda one: one.bytes)
        for one in small[:_ASKED_FOR_PAYLOAD]:
            dumped = self._asking.ask("DUMP", one.key)
            if isinstance(dumped, bytes) and len(dumped) >= rdb.PAYLOAD_END:
                return rdb.version_of(dumped)
        return None

    def _streams_among(self, keys: Sequence[bytes]) -> list[bytes]:
        kinds = self._asking.ask_all([["TYPE", key] for key in keys])
        return [key for key, kind in zip(keys, kinds) if kind == "stream"]

    def _stream(self, database: int, key: bytes) -> Stream | None:
        length, groups = self._asking.ask_all([["XLEN", key], ["XINFO", "GROUPS", key]])
        if not isinstance(length, int):
            return None
        names, pending = [], 0
        for group in groups if isinstance(groups, list) else []:
            fields = fields_in(group)
            names.append(text(fields.get("name", "")))
            pending += whole(text(fields.get("pending", "")), "pending of a group")
        return Stream(database, pattern_of(key), length, tuple(names), pending)


def _scanned(reply: object) -> tuple[str, list[bytes]]:
    if isinstance(reply, list) and len(reply) == 2 and isinstance(reply[1], list):
        cursor, keys = text(reply[0]), reply[1]
        if all(isinstance(key, bytes) for key in keys):
            return cursor, keys
    raise NotRedis("its answer to SCAN is no list of keys")


def pattern_of(key: bytes) -> str:
    """``session:8f3a91:cart`` as ``session:*:cart``: parts that tell one key from another are left out."""
    text = key.decode("utf-8", "backslashreplace")
    parts = re.split(r"([:/|.])", text)
    shown = "".join("*" if re.search(r"[\d\\@]", part) or len(part) > 24 else part for part in parts)
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _grouped(seen: Iterable[_Seen]) -> tuple[KeyGroup, ...]:
    keys: Counter[tuple[int, str, str]] = Counter()
    without_ttl: Counter[tuple[int, str, str]] = Counter()
    size: Counter[tuple[int, str, str]] = Counter()
    for one in seen:
        group = (one.database, one.type, pattern_of(one.key))
        keys[group] += 1
        without_ttl[group] += one.ttl == -1
        size[group] += one.bytes
    return tuple(KeyGroup(*group, keys[group], without_ttl[group], size[group]) for group, _n in keys.most_common())


def _lives(seen: Iterable[_Seen]) -> dict[str, int]:
    seconds = [one.ttl / 1000 for one in seen if one.ttl is not None and one.ttl >= 0]
    return dict(Counter(next((name for name, most in LIVES.items() if each <= most), LONGER) for each in seconds))


def _largest(seen: Iterable[_Seen]) -> tuple[LargeKey, ...]:
    return largest(LargeKey(one.database, one.type, pattern_of(one.key), one.bytes) for one in seen if one.bytes)


def largest(keys: Iterable[LargeKey]) -> tuple[LargeKey, ...]:
    """The first of them, the largest first."""
    return tuple(sorted(keys, key=lambda one: -one.bytes)[:LARGEST_SHOWN])
