# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A snapshot (an RDB file) taken apart into its keys, whose values stay the bytes that they are. Pure: takes bytes.

A value's bytes, with its type before and a version and a checksum after them, are what DUMP gives and RESTORE takes. So
nothing is decoded but keys, and of a value no more is looked at than where it ends. What has a length of its own form
(numbers, compressed text) is described at https://rdb.fnordig.de/file_format.html; newer types in rdb.h of each engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Iterable, NamedTuple, Protocol, Sequence, overload

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.crc64 import crc64_of_each

NEVER = -1  # expires never; no idle time, no frequency
STRING = 0
PAYLOAD_END = 10  # bytes of version and checksum
_MAGICS = (b"REDIS", b"VALKEY")
_HEADER_BYTES = 9  # REDIS0011, VALKEY080

_SLOT_INFO, _FUNCTION, _MODULE_AUX, _IDLE, _FREQUENCY = 244, 245, 247, 248, 249
_AUX, _SIZES, _EXPIRES_MS, _EXPIRES, _DATABASE, _END = 250, 251, 252, 253, 254, 255


class NotASnapshot(ValueError):
    """The bytes are not of a form that is known; the text is a phrase."""


class Short(Exception):
    """The bytes end before what they begin."""


class Bytes(Protocol):
    """Bytes, or what gives them out of a file."""

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> bytes: ...


class Entry(NamedTuple):
    """A key. Its value is what stands from ``start`` to ``end`` of the bytes that were parsed, without its type."""

    database: int
    key: bytes
    expires_ms: int
    idle: int
    frequency: int
    type: int
    start: int
    end: int


@dataclass
class Snapshot:
    """What was found so far, beside keys. ``sizes`` is how many keys the databases had, as far as that was said."""

    version: int = 0
    is_valkeys: bool = False
    database: int = 0
    sizes: int = 0
    aux: dict[bytes, bytes] = field(default_factory=dict)
    libraries: list[bytes] = field(default_factory=list)
    scripts: list[bytes] = field(default_factory=list)
    has_module_data: bool = False
    is_ended: bool = False

    def parse(self, data: Bytes, at: int, size: int, most: int = 1 << 30) -> tuple[list[Entry], int]:
        """Whole keys from there on, and where they end: at the first that is not whole in the ``size`` bytes that there
        are, or before the END of all. Raises NotASnapshot.
        """
        entries: list[Entry] = []
        try:
            if not self.version:
                at = self._begin(data, at)
            while not self.is_ended and len(entries) < most:
                at = self._one(data, at, size, entries)
        except (Short, IndexError):
            pass
        return entries, at

    def _begin(self, data: Bytes, at: int) -> int:
        header = _some(data, at, _HEADER_BYTES)
        magic = next((magic for magic in _MAGICS if header.startswith(magic)), None)
        if magic is None or not header[len(magic) :].isdigit():
            raise NotASnapshot(f"it begins with {header!r}")
        self.version, self.is_valkeys = int(header[len(magic) :]), magic == b"VALKEY"
        return at + _HEADER_BYTES

    def _one(self, data: Bytes, at: int, size: int, entries: list[Entry]) -> int:
        """One key with what stands before it, or what is beside keys."""
        expires, idle, frequency = NEVER, NEVER, NEVER
        while True:
            kind = data[at]
            at += 1
            if kind < _SLOT_INFO:
                break
            if kind == _EXPIRES_MS:
                expires, at = int.from_bytes(_some(data, at, 8), "little", signed=True), at + 8
            elif kind == _EXPIRES:
                expires, at = 1000 * int.from_bytes(_some(data, at, 4), "little", signed=True), at + 4
            elif kind == _IDLE:
                idle, at = length(data, at)
            elif kind == _FREQUENCY:
                frequency, at = data[at], at + 1
            else:
                return self._beside(kind, data, at)
        key, at = string(data, at)
        end = _after_string(data, at) if kind in _AS_ONE_STRING else self._after(kind, data, at)
        if end > size:
            raise Short
        entries.append(Entry(self.database, key, expires, idle, frequency, kind, at, end))
        return end

    def _after(self, kind: int, data: Bytes, at: int) -> int:
        known = _OF_VALKEY if self.is_valkeys else _OF_REDIS
        ends = known.get(kind) or _OF_BOTH.get(kind)
        if ends is None:
            raise NotASnapshot(f"it has a value of type {kind}, which is not known here")
        return ends(data, at)

    def _beside(self, kind: int, data: Bytes, at: int) -> int:
        if kind == _END:  # stays to be read: who goes on from here later comes to the same end
            self.is_ended, at = True, at - 1
        elif kind == _DATABASE:
            self.database, at = length(data, at)
        elif kind == _SIZES:
            keys, at = length(data, at)
            at = length(data, at)[1]
            self.sizes += keys
        elif kind == _AUX:
            name, at = string(data, at)
            value, at = string(data, at)
            self._learn(name, value)
        elif kind == _FUNCTION:
            code, at = string(data, at)
            self.libraries.append(code)
        elif kind == _SLOT_INFO:
            at = _after_lengths(data, at, 3)
        elif kind == _MODULE_AUX:
            at = _after_module(data, _after_lengths(data, at, 3))  # whose it is, and when it was written
            self.has_module_data = True
        else:
            raise NotASnapshot(f"it has a part of kind {kind}, which is not known here")
        return at

    def _learn(self, name: bytes, value: bytes) -> None:
        if name == b"lua":
            self.scripts.append(value)
        else:
            self.aux[name] = value


class Pages:
    """Bytes of a file, a page at a time: for a value that is too large to be held. ``read(start, size)`` gives fewer at
    the end of the file.
    """

    SIZE = 1 << 18

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read = read
        self._first, self._page = 0, b""

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> bytes: ...

    def __getitem__(self, place: int | slice) -> int | bytes:
        if isinstance(place, slice):
            return self._read(place.start, place.stop - place.start)
        if not 0 <= place - self._first < len(self._page):
            self._first, self._page = place, self._read(place, self.SIZE)
        return self._page[place - self._first]


def text(data: Bytes, entry: Entry) -> bytes | None:
    """What a string holds, where that is as quickly had as its bytes; None where these are compressed."""
    if data[entry.start] == _COMPRESSED:
        return None
    return string(data, entry.start)[0]


def payloads(bodies: Sequence[bytes], version: int) -> Iterable[bytes]:
    """What RESTORE takes, of types with their values."""
    told = version.to_bytes(2, "little")
    whole = [body + told for body in bodies]
    return map(bytes.__add__, whole, crc64_of_each(whole))


def version_of(payload: bytes) -> int:
    return int.from_bytes(payload[-PAYLOAD_END : 2 - PAYLOAD_END], "little")


def needs_version(kind: int) -> int:
    """Of a payload, from which on an engine knows the type."""
    return _SINCE.get(kind, 0)


# --- where things end ---

_COMPRESSED = 0xC3
_NUMBERS = {0xC0: 1, 0xC1: 2, 0xC2: 4}  # bytes of a string that is a number


def _some(data: Bytes, at: int, size: int) -> bytes:
    found = data[at : at + size]
    if len(found) < size:
        raise Short
    return found


def length(data: Bytes, at: int) -> tuple[int, int]:
    """A number, and where it ends."""
    first = data[at]
    if first < 0x40:
        return first, at + 1
    if first < 0x80:
        return (first & 0x3F) << 8 | data[at + 1], at + 2
    if first == 0x80:
        return int.from_bytes(_some(data, at + 1, 4), "big"), at + 5
    if first == 0x81:
        return int.from_bytes(_some(data, at + 1, 8), "big"), at + 9
    raise NotASnapshot(f"a length begins with {first}")


def string(data: Bytes, at: int) -> tuple[bytes, int]:
    """A string as it is meant, and where it ends."""
    first = data[at]
    if first in _NUMBERS:
        end = at + 1 + _NUMBERS[first]
        return b"%d" % int.from_bytes(_some(data, at + 1, _NUMBERS[first]), "little", signed=True), end
    if first == _COMPRESSED:
        compressed, at = length(data, at + 1)
        size, at = length(data, at)
        return _decompressed(_some(data, at, compressed), size), at + compressed
    size, at = length(data, at)
    return _some(data, at, size), at + size


def _decompressed(data: bytes, size: int) -> bytes:
    """Of LZF: http://software.schmorp.de/pkg/liblzf.html"""
    found, at = bytearray(), 0
    while at < len(data):
        control = data[at]
        at += 1
        if control < 32:
            found += data[at : at + control + 1]
            at += control + 1
            continue
        count = control >> 5
        if count == 7:
            count += data[at]
            at += 1
        start = len(found) - ((control & 0x1F) << 8) - data[at] - 1
        at += 1
        count += 2
        while count > 0:  # what is repeated may overlap with what it makes
            part = found[start : start + count]
            found += part
            start += len(part)
            count -= len(part)
    if len(found) != size:
        raise NotASnapshot(f"a compressed string has {len(found)} bytes in place of {size}")
    return bytes(found)


def _after_string(data: Bytes, at: int) -> int:
    first = data[at]
    if first < 0x40:
        return at + 1 + first
    if first < 0x80:
        return at + 2 + ((first & 0x3F) << 8 | data[at + 1])
    if first in _NUMBERS:
        return at + 1 + _NUMBERS[first]
    if first == _COMPRESSED:
        size, at = length(data, at + 1)
        return length(data, at)[1] + size
    size, at = length(data, at)
    return at + size


def _after_lengths(data: Bytes, at: int, count: int) -> int:
    for _number in range(count):
        at = length(data, at)[1]
    return at


def _strings(each: int, fixed: int = 0) -> Callable[[Bytes, int], int]:
    """A count, and so many times ``each`` strings and ``fixed`` bytes."""

    def ends(data: Bytes, at: int) -> int:
        count, at = length(data, at)
        for _item in range(count):
            for _string in range(each):
                at = _after_string(data, at)
            at += fixed
        return at

    return ends


def _old_scores(data: Bytes, at: int) -> int:
    count, at = length(data, at)
    for _member in range(count):
        at = _after_string(data, at)
        at += 1 + (data[at] if data[at] < 253 else 0)  # infinities and what is no number have no digits
    return at


def _nodes(data: Bytes, at: int) -> int:
    """A list in nodes, each with the form that it has."""
    count, at = length(data, at)
    for _node in range(count):
        at = _after_string(data, length(data, at)[1])
    return at


def _stream(of: int) -> Callable[[Bytes, int], int]:
    """The first, second or third form of a stream."""

    def ends(data: Bytes, at: int) -> int:
        at = _strings(2)(data, at)
        at = _after_lengths(data, at, 3 if of == 1 else 8)
        groups, at = length(data, at)
        for _group in range(groups):
            at = _after_group(data, at, of)
        return at

    return ends


def _after_group(data: Bytes, at: int, of: int) -> int:
    at = _after_lengths(data, _after_string(data, at), 2 if of == 1 else 3)
    pending, at = length(data, at)
    for _message in range(pending):  # its id, when it was given out, how often
        at = length(data, at + 16 + 8)[1]
    consumers, at = length(data, at)
    for _consumer in range(consumers):
        at = _after_string(data, at) + (16 if of == 3 else 8)
        pending, at = length(data, at)
        at += 16 * pending
    return at


def _after_module(data: Bytes, at: int) -> int:
    """What a module wrote says itself of what kind each part is."""
    while True:
        kind, at = length(data, at)
        if kind == 0:
            return at
        if kind in (1, 2):
            at = length(data, at)[1]
        elif kind in (3, 4):
            at += 4 if kind == 3 else 8
        elif kind == 5:
            at = _after_string(data, at)
        else:
            raise NotASnapshot(f"a module's data has a part of kind {kind}")


def _module(data: Bytes, at: int) -> int:
    return _after_module(data, length(data, at)[1])


def _fields_with_ttl(data: Bytes, at: int) -> int:
    count, at = length(data, at + 8)  # after the first time at which one expires
    for _field in range(count):
        at = _after_string(data, _after_string(data, length(data, at)[1]))
    return at


_AS_ONE_STRING = frozenset((STRING, 9, 10, 11, 12, 13, 16, 17, 20))
_OF_BOTH: dict[int, Callable[[Bytes, int], int]] = {
    1: _strings(1),
    2: _strings(1),
    3: _old_scores,
    4: _strings(2),
    5: _strings(1, 8),
    7: _module,
    14: _strings(1),
    15: _stream(1),
    18: _nodes,
    19: _stream(2),
    21: _stream(3),
}
_OF_REDIS: dict[int, Callable[[Bytes, int], int]] = {
    24: _fields_with_ttl,
    25: lambda data, at: _after_string(data, at + 8),
}
_OF_VALKEY: dict[int, Callable[[Bytes, int], int]] = {22: _strings(2, 8)}  # fields with a TTL
_SINCE = {14: 7, 5: 8, 7: 8, 15: 9, 16: 10, 17: 10, 18: 10, 19: 10, 20: 11, 21: 11, 22: 80, 24: 12, 25: 12}
