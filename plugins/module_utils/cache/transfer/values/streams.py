# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A stream: its entries in parts, and what it knows beside them: last ids, groups, consumers, what is pending.

https://redis.io/docs/latest/commands/xinfo-stream/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    Pace,
    Part,
    Value,
    after,
    told,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import Reading

Entry = Tuple[bytes, List[bytes]]


@dataclass(frozen=True)
class Group:
    """``entries_read`` is None where it is not told: before Redis 7.0, or where a server does not know it."""

    name: bytes
    last_id: bytes
    pending: int
    entries_read: int | None
    consumers: tuple[bytes, ...]


@dataclass(frozen=True)
class Stream:
    """``entries_added`` and ``max_deleted`` are None before Redis 7.0."""

    length: int
    last_id: bytes
    entries_added: int | None
    max_deleted: bytes | None
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Pending:
    """``delivered`` is when, in milliseconds of the server's clock, ``count`` how often."""

    id: bytes
    consumer: bytes
    delivered: int
    count: int


def look(key: bytes) -> Reading[Stream]:
    about, groups = told((yield [("XINFO", "STREAM", key), ("XINFO", "GROUPS", key)]))
    of_groups = [_fields(group) for group in groups]
    consumers: Any = []
    if of_groups:
        consumers = told((yield [("XINFO", "CONSUMERS", key, group["name"]) for group in of_groups]))
    stream = _fields(about)
    return Stream(
        length=stream["length"],
        last_id=stream["last-generated-id"],
        entries_added=stream.get("entries-added"),
        max_deleted=stream.get("max-deleted-entry-id"),
        groups=tuple(sorted((_group(*both) for both in zip(of_groups, consumers)), key=lambda group: group.name)),
    )


def _group(group: dict[str, Any], consumers: Sequence[Any]) -> Group:
    names = tuple(sorted(_fields(consumer)["name"] for consumer in consumers))
    return Group(group["name"], group["last-delivered-id"], group["pending"], group.get("entries-read"), names)


def _fields(answer: Sequence[Any]) -> dict[str, Any]:
    return dict(zip([name.decode() for name in answer[::2]], answer[1::2]))


class Entries(Value):
    """Its items are entries: their id, and fields and values in one list."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._from: bytes | None = b"-"

    def next(self) -> Reading[Part | None]:
        if self._from is None:
            return None
        count = self.pace.count
        [found] = told((yield [("XRANGE", self.key, self._from, "+", "COUNT", count)]))
        self._from = after(found[-1][0]) if len(found) == count else None
        self.pace.took(sum(len(word) for _id, words in found for word in words))
        return list(found)


class PendingEntries:
    """What a group has given out and nobody acknowledged, in parts."""

    def __init__(self, key: bytes, group: bytes) -> None:
        self._key, self._group = key, group
        self._pace = Pace()
        self._from: bytes | None = b"-"

    def next(self) -> Reading[list[Pending] | None]:
        if self._from is None:
            return None
        count = self._pace.count
        ask = [("TIME",), ("XPENDING", self._key, self._group, self._from, "+", count)]
        (seconds, micros), found = told((yield ask))
        now = int(seconds) * 1000 + int(micros) // 1000
        self._from = after(found[-1][0]) if len(found) == count else None
        self._pace.took(sum(len(words[0]) + len(words[1]) for words in found))
        return [Pending(entry, consumer, now - idle, times) for entry, consumer, idle, times in found]


def without_entry(key: bytes, groups: Sequence[Group]) -> Reading[list[bytes]]:
    """Ids that are pending though their entry was deleted or trimmed, in their order."""
    gone: set[bytes] = set()
    for group in groups:
        pending = PendingEntries(key, group.name)
        while (part := (yield from pending.next())) is not None:
            ids = [one.id for one in part]
            there = told((yield [("XRANGE", key, entry, entry) for entry in ids])) if ids else []
            gone.update(entry for entry, found in zip(ids, there) if not found)
    return sorted(gone, key=in_order)


def in_order(entry: bytes) -> tuple[int, int]:
    milliseconds, _dash, number = entry.partition(b"-")
    return int(milliseconds), int(number)
