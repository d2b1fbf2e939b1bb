# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stream of writes as a follower gets it, taken apart: commands in their databases, transactions whole. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import NotRedis, encode

# A key lives that much longer in the target, so that it does not expire there before a command that renews it comes
# through: the source itself has it deleted in the stream when it expires.
GRACE_MS = 1000
_CHUNK = 1 << 18
_OF_THE_LINK = (b"PING", b"REPLCONF")
_OPTIONS_FROM = {b"SET": 3, b"GETEX": 2, b"HSETEX": 2}  # the first word that may be one of _UNITS
_UNITS = (b"EX", b"PX", b"EXAT", b"PXAT")
# What says so in seconds, and what in milliseconds.
_IN_MS = {
    b"EXPIRE": b"PEXPIRE",
    b"EXPIREAT": b"PEXPIREAT",
    b"HEXPIRE": b"HPEXPIRE",
    b"HEXPIREAT": b"HPEXPIREAT",
    b"SETEX": b"PSETEX",
    b"EX": b"PX",
    b"EXAT": b"PXAT",
}
_TIMED = frozenset((*_IN_MS, *_IN_MS.values())) - set(_UNITS)


class Command(NamedTuple):
    """``raw`` are its bytes as they are sent on."""

    database: int
    words: list[bytes]
    raw: bytes

    @property
    def name(self) -> bytes:
        return self.words[0].upper()


@dataclass
class Unit:
    """What is applied as one: a command, or those of a transaction. ``end`` is the position after it, ``database`` the
    one that is selected there.
    """

    end: int
    database: int
    commands: list[Command] = field(default_factory=list)


class Script:
    """Reads a stream from a position on; ``database`` is the one that is selected there."""

    def __init__(self, position: int, database: int = 0) -> None:
        self.position, self.database = position, database
        self._open: list[Command] | None = None  # of a transaction that has begun
        self._rest = b""

    @property
    def read_to(self) -> int:
        """Of which position the next bytes are wanted."""
        return self.position + len(self._rest)

    @property
    def lacks(self) -> int:
        """How many bytes are wanted, so that what is long is not put together of ever so many parts."""
        return max(_CHUNK, len(self._rest))

    def units(self, data: bytes) -> list[Unit]:
        """What is whole with these bytes, which are the next."""
        data, at, found = self._rest + data, 0, []
        while True:
            taken = command(data, at)
            if taken is None:
                break
            words, end = taken
            unit = self._take(words, data[at:end], self.position + end)
            if unit is not None:
                found.append(unit)
            at = end
        self.position += at
        self._rest = data[at:]
        return found

    def _take(self, words: list[bytes], raw: bytes, end: int) -> Unit | None:
        name = words[0].upper() if words else b"PING"
        if name == b"SELECT":
            self.database = int(words[1])
        elif name == b"MULTI":
            self._open = []
            return None
        elif name == b"EXEC":
            whole, self._open = self._open or [], None
            return Unit(end, self.database, whole)
        elif name not in _OF_THE_LINK:
            each = _with_grace(Command(self.database, words, raw))
            if self._open is not None:
                self._open.append(each)
                return None
            return Unit(end, self.database, [each])
        return None if self._open is not None else Unit(end, self.database)


def command(data: bytes, at: int) -> tuple[list[bytes], int] | None:
    """The words of the command there, and its end; None where it is not whole."""
    stop = data.find(b"\r\n", at)
    if stop < 0:
        return None
    if data[at] != 0x2A:
        if stop == at:  # an empty line, by which a source shows that it is alive
            return [], stop + 2
        raise NotRedis(f"the stream of writes goes on with {data[at : at + 20]!r}")
    count, at = int(data[at + 1 : stop]), stop + 2
    words = []
    for _word in range(count):
        stop = data.find(b"\r\n", at)
        if stop < 0:
            return None
        end = stop + 2 + int(data[at + 1 : stop])
        if end + 2 > len(data):
            return None
        words.append(data[stop + 2 : end])
        at = end + 2
    return words, at


def _with_grace(one: Command) -> Command:
    """The same where it says no time at which a key expires. A source of before 7.0 may tell its followers how long a
    key lives in place of until when.
    """
    named, place = _expiry(one.name, one.words)
    if not place:
        return one
    unit = one.words[named].upper()
    told = int(one.words[place]) * (1000 if unit in _IN_MS else 1)
    if told <= 0:
        return one
    later = list(one.words)
    later[named], later[place] = _IN_MS.get(unit, one.words[named]), b"%d" % (told + GRACE_MS)
    return Command(one.database, later, encode(later))


def _expiry(name: bytes, words: list[bytes]) -> tuple[int, int]:
    """Which word says by its name what another, which is a time, is counted in and from; 0 where there is none."""
    if name in _TIMED:
        return 0, 2
    if name == b"RESTORE":
        return 0, 2 if words[2] != b"0" else 0
    if name in _OPTIONS_FROM:
        options = range(_OPTIONS_FROM[name], len(words) - 1)
        return next(((place, place + 1) for place in options if words[place].upper() in _UNITS), (0, 0))
    return 0, 0


# --- which keys ---

# What counts its keys, and by which word.
_COUNTED = dict.fromkeys((b"EVAL", b"EVALSHA", b"FCALL", b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"), 2)
_STORING = (b"SORT", b"GEORADIUS", b"GEORADIUSBYMEMBER")  # where an option says so


class Names:
    """Which words of a command are keys, by the engine's own answer to COMMAND."""

    def __init__(self, told: Sequence[Any]) -> None:
        self._places: dict[bytes, tuple[int, int, int]] = {}
        for each in told:
            if isinstance(each, list) and len(each) > 5:
                name = each[0] if isinstance(each[0], bytes) else str(each[0]).encode()
                self._places[name.upper()] = (each[3], each[4], each[5])

    def keys(self, one: Command) -> list[tuple[int, bytes]]:
        """With the database of each."""
        name, words = one.name, one.words
        found = [(one.database, key) for key in self._words(name, words)]
        if name == b"MOVE" and len(words) > 2:
            found.append((int(words[2]), words[1]))
        elif name == b"COPY":
            found = [*found[:1], (_other_database(words, one.database), words[2])]
        return found

    def _words(self, name: bytes, words: list[bytes]) -> list[bytes]:
        if name in _COUNTED:
            place = _COUNTED[name]
            return ([words[1]] if name.startswith(b"Z") else []) + words[place + 1 : place + 1 + int(words[place])]
        if name in _STORING:
            is_store = [word.upper() in (b"STORE", b"STOREDIST") for word in words[:-1]]
            return [words[1], *(words[place + 1] for place in range(2, len(is_store)) if is_store[place])]
        if name == b"XGROUP":
            return words[2:3]
        first, last, step = self._places.get(name, (0, 0, 0))
        if first <= 0 or step <= 0:
            return []
        last = len(words) + last if last < 0 else last
        return words[first : last + 1 : step]


def _other_database(words: list[bytes], database: int) -> int:
    upper = [word.upper() for word in words]
    return int(words[upper.index(b"DB") + 1]) if b"DB" in upper[3:] else database
