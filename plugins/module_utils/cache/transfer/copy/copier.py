# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One part of the keys, from the source to the target: what a copying process does all day.

The source is never idle: while it serves the values of one batch, the keys after those are found and weighed, and the
target takes the batch before. What is too heavy to be had in one piece, or what the target does not take as a payload,
goes by what it holds. A key's time of expiry is asked for after its value: a time that is renewed in between is the new
one, and what has no time any more is not lost by an old one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import payload
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import restoring
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.ranges import Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.restoring import (
    Batch,
    Manner,
    Restorer,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import Unreadable
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import (
    Link,
    command,
    inside,
    raw,
    repeated,
)

_BATCH_BYTES = 1 << 20  # in the memory of the source, about what is sent at once
HEAVY = 16 << 20  # from here on a value is had in parts: DUMP would hold up the source for some 10 ms
_NOT_WEIGHED_KEYS = 32  # in a batch, where the source does not weigh its keys
_AHEAD = 2  # batches that are found before they are needed
_IDLES = {b"IDLETIME": b"0", b"FREQ": b"5"}  # as a new key has it, for one that was gone by then


_Key = bytes


@dataclass(frozen=True)
class Ways:
    """How keys are read and written, by what both engines can do. ``idle_word`` is empty where the target would make no
    use of it; ``has_expiretime``: PEXPIRETIME, from Redis 7.0 on; ``splices``: the target takes the source's payloads.
    """

    replaces: bool
    splices: bool
    has_expiretime: bool
    most_keys: int
    idle_word: str = ""

    @property
    def manner(self) -> Manner:
        return Manner(self.replaces, self.idle_word.encode())


@dataclass
class Report:
    """What is at the target since the report before, with all before ``cursor``. ``kept`` are keys that the target had,
    ``gone`` those that the source has no more, ``out`` those left out, and why.
    """

    cursor: int | None = None
    keys: int = 0
    bytes: int = 0
    kept: int = 0
    gone: int = 0
    by_type: int = 0
    out: list[tuple[_Key, str]] = field(default_factory=list)

    def add(self, later: Report) -> None:
        """What came after it."""
        self.cursor = self.cursor if later.cursor is None else later.cursor
        self.keys += later.keys
        self.bytes += later.bytes
        self.kept += later.kept
        self.gone += later.gone
        self.by_type += later.by_type
        self.out += later.out


@dataclass
class _Chunk:
    """Keys to be copied together; ``heavy`` ones are not asked for in one piece. ``cursor`` where it is the last of its
    SCAN.
    """

    keys: list[bytes]
    heavy: list[bytes]
    cursor: int | None = None


class _Finder:
    """Finds the keys of a part, and weighs them, a step ahead each time that it asks."""

    def __init__(self, part: Part, most_keys: int) -> None:
        self._part, self._most_keys = part, most_keys
        self._cursor = part.cursor
        self._has_more = True
        self._found: list[bytes] = []
        self._asks_to_weigh = self._asks_to_scan = False
        self._weighs = True
        self._ready: deque[_Chunk] = deque()

    def request(self) -> bytes:
        """What is to be asked now, with whatever else is."""
        self._asks_to_scan = self._has_more and len(self._ready) < _AHEAD
        self._asks_to_weigh = bool(self._found) and self._weighs
        told = repeated((b"MEMORY", b"USAGE"), self._found) if self._asks_to_weigh else b""
        if self._asks_to_scan:
            words = (b"SCAN", b"%d" % self._cursor, b"COUNT", b"%d" % self._most_keys)
            told += command(*(raw(word) for word in words))
        return told

    def read(self, source: Link) -> None:
        """The answers to that. Raises CacheError."""
        if self._found:
            weights = source.lines(len(self._found)) if self._asks_to_weigh else []
            self._ready += self._chunks(self._found, _weights(weights))
            self._ready[-1].cursor = self._cursor
            self._found = []
            self._weighs = self._weighs and not (weights and weights[0][:1] == b"-")
        if self._asks_to_scan:
            told, self._found = source.scanned()
            self._cursor = int(told)
            self._has_more = self._part.has(self._cursor)

    def next(self, source: Link) -> _Chunk | None:
        """The next keys, asked for alone where none are ready. None after the last."""
        while not self._ready and (self._has_more or self._found):
            source.send(self.request())
            self.read(source)
        return self._ready.popleft() if self._ready else None

    def _chunks(self, keys: list[bytes], weights: list[int]) -> list[_Chunk]:
        if not weights:
            most = min(_NOT_WEIGHED_KEYS, self._most_keys)
            return [_Chunk(keys[start : start + most], []) for start in range(0, len(keys), most)]
        if len(keys) <= self._most_keys and sum(weights) <= _BATCH_BYTES:
            return [_Chunk(keys, [])]
        chunks, size = [_Chunk([], [])], 0
        for key, weight in zip(keys, weights):
            chunk = chunks[-1]
            if size + weight > _BATCH_BYTES or len(chunk.keys) >= self._most_keys:
                chunk, size = _Chunk([], []), 0
                chunks.append(chunk)
            size += weight
            (chunk.heavy if weight > HEAVY else chunk.keys).append(key)
        return chunks


def _weights(lines: list[bytes]) -> list[int]:
    """A key that is gone weighs -1; none where they are not told."""
    try:
        return [int(line[1:]) for line in lines]
    except ValueError:
        return []


class Copier:
    """``beside`` is another link to the source, which is asked while the first has still to answer. ``rest`` is called
    before each batch with how many keys are in it.
    """

    def __init__(self, source: Link, beside: Link, target: Reach, ways: Ways, rest: Callable[[int], None]) -> None:
        self._source, self._beside, self._target = source, beside, target
        self._ways, self._rest = ways, rest
        self._restorer = Restorer(target, ways.manner)

    def copy(self, part: Part, report: Callable[[Report], None]) -> None:
        """From where it is to its end, told after each batch. Raises CacheError, TransferRefused."""
        for link in (self._source, self._beside):
            link.execute("SELECT", part.database)
        if part.database:  # a cluster has no other than 0
            self._target.select(part.database)
        finder = _Finder(part, self._ways.most_keys)
        chunk = finder.next(self._source)
        self._ask(chunk, finder)
        before: tuple[Batch, Report] | None = None
        while chunk:
            told = Report(cursor=chunk.cursor)
            batch = self._read(chunk, told)
            finder.read(self._source)
            following = finder.next(self._source)
            self._rest(len(chunk.keys))
            self._ask(following, finder)
            self._settle(before, report)
            self._bring(chunk, told)
            self._restorer.put(batch)
            before, chunk = (batch, told), following
        self._settle(before, report)

    def _ask(self, chunk: _Chunk | None, finder: _Finder) -> None:
        if chunk:
            self._source.send(self._asked(chunk.keys) + finder.request())

    def _asked(self, keys: list[bytes]) -> bytes:
        if not (keys and self._ways.splices):
            return b""
        idle = repeated((b"OBJECT", self._ways.idle_word.encode()), keys) if self._ways.idle_word else b""
        values_of_all = repeated((b"DUMP",), keys)
        if self._ways.has_expiretime:
            return idle + values_of_all + repeated((b"PEXPIRETIME",), keys)
        return idle + values_of_all + command(raw(b"TIME")) + repeated((b"PTTL",), keys)

    def _read(self, chunk: _Chunk, told: Report) -> Batch:
        """What _asked asked for."""
        count, source = len(chunk.keys), self._source
        if not (count and self._ways.splices):
            return Batch()
        idles = source.lines(count) if self._ways.idle_word else []
        found = source.bulks(count)
        now_ms = 0 if self._ways.has_expiretime else _read_time(source)
        until = restoring.expires(source.lines(count), now_ms)
        batch = Batch(chunk.keys, found, until, self._idles(idles))  # type: ignore[arg-type]
        if set(map(type, found)) == {bytes} and None not in until:
            return batch
        for key, value in zip(chunk.keys, found):
            if isinstance(value, ServerError):
                told.out.append((inside(key), f"the source does not give it ({value})"))
        places = [place for place in range(count) if isinstance(found[place], bytes) and until[place]]
        told.gone += count - len(places) - len(told.out)
        return batch.of(places)

    def _idles(self, lines: list[bytes]) -> list[bytes]:
        new = _IDLES.get(self._ways.idle_word.encode(), b"0")
        return [line[1:] if line[:1] == b":" else new for line in lines]

    def _settle(self, sent: tuple[Batch, Report] | None, report: Callable[[Report], None]) -> None:
        """See that the batch is at the target, and tell so."""
        if sent is None:
            return
        batch, told = sent
        told.keys += len(batch.keys)
        told.bytes += sum(map(len, batch.values))
        other_way = {}
        for key, until, error in self._restorer.settle():
            told.keys -= 1
            if str(error).startswith("BUSYKEY"):
                told.kept += 1
            elif payload.is_refusal(error):
                other_way[inside(key)] = int(inside(until)) or None
            else:
                told.out.append((inside(key), _left_out(str(error))))
        if other_way:
            self._bring_keys(other_way, told)
        report(told)

    def _bring(self, chunk: _Chunk, told: Report) -> None:
        """By what they hold: the heavy ones, or all of them."""
        keys, link = [*chunk.heavy, *([] if self._ways.splices else chunk.keys)], self._beside
        if not keys:
            return
        if self._ways.has_expiretime:
            link.send(repeated((b"PEXPIRETIME",), keys))
        else:
            link.send(command(raw(b"TIME")) + repeated((b"PTTL",), keys))
        now_ms = 0 if self._ways.has_expiretime else _read_time(link)
        until = restoring.expires(link.lines(len(keys)), now_ms)
        self._bring_keys({inside(key): int(inside(end)) or None for key, end in zip(keys, until) if end}, told)

    def _bring_keys(self, keys: Mapping[bytes, int | None], told: Report) -> None:
        for key, brought in values.bring(Reach([self._beside]), self._target, keys, self._ways.replaces).items():
            if isinstance(brought, Unreadable):
                told.out.append((key, _left_out(str(brought))))
            elif brought:
                told.keys += 1
                told.by_type += 1
            elif self._ways.replaces:
                told.gone += 1
            else:
                told.kept += 1


def _read_time(source: Link) -> int:
    """The answer to TIME, in milliseconds."""
    source.lines(1)
    seconds, micros = (inside(part) for part in source.bulks(2) if isinstance(part, bytes))
    return int(seconds) * 1000 + int(micros) // 1000


# What an engine says while it is about to be another: the same is tried again.
PASSES = ("READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK ", "BUSY ")


def _left_out(said: str) -> str:
    """Why one key is left out. Raises where that is not of this key alone."""
    if said.startswith(PASSES):
        raise ServerError(said)
    if said.startswith("OOM"):
        raise TransferRefused(
            f"the target is full ({said}): give it more memory (migration_cache_node_type, or more shards), or have "
            "less to copy, and run this again, which goes on where it stopped."
        )
    if said.startswith(("NOPERM", "NOAUTH")):
        raise TransferRefused(
            f"the target does not let this user write ({said}): let it, and run this again, which goes on where it "
            "stopped."
        )
    return said
