# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A value in bounded parts, by its type: read without an answer that grows with it. Streams are in streams.py.

What is written while it is read may be in it or not, as with SCAN; what is there all the while is.
"""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Answer, Command
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import (
    Answers,
    Reading,
)

STRING, LIST, SET, ZSET, HASH, STREAM = "string", "list", "set", "zset", "hash", "stream"
KINDS = (STRING, LIST, SET, ZSET, HASH, STREAM)
NONE = "none"  # what TYPE says of a key that is not there

PART = 1 << 18  # bytes, about
_FIRST, _MOST = 16, 4096  # items

Item = Tuple[Any, ...]  # (element), (member), (score, member) or (field, value)
Part = List[Item]


class Unreadable(Exception):
    """A value cannot be read or written; the text is a phrase."""


def told(answers: Answers) -> list[Any]:
    """The answers, where the server refused none. Raises Unreadable."""
    for answer in answers:
        if isinstance(answer, ServerError):
            raise Unreadable(str(answer))
    return list(answers)


class Pace:
    """How many items are asked for at once: few at first, as nobody knows how large they are."""

    def __init__(self) -> None:
        self.count = _FIRST

    def took(self, size: int) -> None:
        if size < PART // 2:
            self.count = min(_MOST, self.count * 2)
        elif size > PART * 2:
            self.count = max(1, self.count // 4)


class Value:
    """One key's value. ``next`` is a part of it, or None after the last."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.pace = Pace()
        self.size = 0  # in bytes, of what was read

    def next(self) -> Reading[Part | None]:
        raise NotImplementedError


class _ByPlace(Value):
    """What has an order of its own."""

    width = 1  # of an item, in an answer

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._at: int | None = 0

    def command(self, first: int, last: int) -> Command:
        raise NotImplementedError

    def next(self) -> Reading[Part | None]:
        if self._at is None:
            return None
        count = self.pace.count
        [found] = told((yield [self.command(self._at, self._at + count - 1)]))
        part = in_items(found, self.width)
        self._at = self._at + count if len(part) == count else None
        self.pace.took(size_of(part))
        self.size += size_of(part)
        return part


class _String(_ByPlace):
    def command(self, first: int, last: int) -> Command:
        return "GETRANGE", self.key, first, last

    def next(self) -> Reading[Part | None]:
        if self._at is None:
            return None
        [found] = told((yield [self.command(self._at, self._at + PART - 1)]))
        self._at = self._at + PART if len(found) == PART else None
        self.size += len(found)
        return [(found,)]


class _List(_ByPlace):
    def command(self, first: int, last: int) -> Command:
        return "LRANGE", self.key, first, last


class _Scanned(Value):
    """What has none. An item may come twice."""

    scan = ""
    width = 1

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self._cursor: bytes | None = b"0"

    def next(self) -> Reading[Part | None]:
        if self._cursor is None:
            return None
        [answer] = told((yield [(self.scan, self.key, self._cursor, "COUNT", self.pace.count)]))
        cursor, found = answer
        part = in_items(found, self.width)
        self._cursor = None if cursor == b"0" else cursor
        self.pace.took(size_of(part))
        self.size += size_of(part)
        return part


class _Set(_Scanned):
    scan = "SSCAN"


class _Zset(_Scanned):
    scan, width = "ZSCAN", 2


class _Hash(_Scanned):
    scan, width = "HSCAN", 2


VALUES: Mapping[str, type[Value]] = {STRING: _String, LIST: _List, SET: _Set, ZSET: _Zset, HASH: _Hash}


def in_items(found: Sequence[Answer], width: int) -> Part:
    return list(zip(*[iter(found)] * width))


def size_of(part: Part) -> int:
    return sum(len(word) for item in part for word in item)


def after(entry: bytes) -> bytes:
    """The next id that a stream may have; a range that begins with "(" is known from Redis 6.2 on alone."""
    milliseconds, _dash, number = entry.partition(b"-")
    return (
        b"%b-%d" % (milliseconds, int(number) + 1) if int(number) < (1 << 64) - 1 else b"%d-0" % (int(milliseconds) + 1)
    )
