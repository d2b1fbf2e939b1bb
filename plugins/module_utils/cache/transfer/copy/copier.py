# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One part of the keys, from the source to the target: what a copying process does all day.

The source is never idle: while it serves the values of one chunk, the keys after those are found and weighed, and the
target takes the batch before. A text is asked for as what it holds, up to a bounded size; anything else, once it was
weighed, as a payload; what is too heavy to be had in one piece, or what the target does not take as a payload, goes by
its type in parts. A key's time of expiry is asked for after its value: a time that is renewed in between is the new
one, and what has no time any more is not lost by an old one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns, payload
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.columns import word_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import restoring
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.finding import (
    Chunk,
    Finder,
    by_weight,
    weigh,
    weights,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.ranges import Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.restoring import (
    Batch,
    Manner,
    Restorer,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import Unreadable
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link, command, raw

_TEXT_BYTES = 1 << 14  # a text of less goes as such; a chunk of 256 is 4 MiB at most
# How the values begin that are no such text: one that may be longer, and an empty one, as which one that is gone reads.
_NO_TEXTS = (b"%d\r\n" % _TEXT_BYTES, b"0\r\n")
# Where none of these stands in an answer, all in it are such texts.
_SIGNS = (b"\r\n-", *(b"$" + begin for begin in _NO_TEXTS))
_IDLES = {b"IDLETIME": b"0", b"FREQ": b"5"}  # as a new key has it, for one that was gone by then


_Key = bytes


@dataclass(frozen=True)
class Ways:
    """How keys are read and written, by what both engines can do. ``idle_word`` is empty where the target would make no
    use of it; ``has_expiretime``: PEXPIRETIME, from Redis 7.0 on; ``splices``: the target takes the source's payloads;
    ``tells_texts``: strings may go as what they hold.
    """

    replaces: bool
    splices: bool
    has_expiretime: bool
    tells_texts: bool
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
        finder = Finder(part, self._ways.most_keys, finds_texts=self._ways.tells_texts)
        chunk = finder.next(self._source)
        self._ask(chunk, finder)
        before: tuple[Sequence[Batch], Report] | None = None
        while chunk is not None:
            answers = self._source.told()
            finder.read(answers[self._blocks :])
            following = finder.next(self._source)
            self._rest(chunk.count)
            self._ask(following, finder)
            told = Report(cursor=chunk.cursor)
            texts, again = self._texts(chunk.texts, answers, told)
            batch = self._payloads(chunk.others, answers, told)
            self._settle(before, report)
            self._bring_heavy(chunk, told)
            self._bring_again(again, told)
            self._restorer.put(texts, batch)
            before, chunk = ([texts, batch], told), following
        self._settle(before, report)

    # --- what is asked of the source, in blocks ---

    def _ask(self, chunk: Chunk | None, finder: Finder) -> None:
        if chunk is not None:
            self._source.ask(*self._asked(chunk.texts, chunk.others), *finder.blocks())

    def _asked(self, texts: Sequence[bytes], others: Sequence[bytes]) -> list[bytes]:
        """A block for each of what _texts and _payloads read."""
        if not self._ways.splices:
            return []
        idle = columns.each((b"OBJECT", self._ways.idle_word.encode()), others) if self._ways.idle_word else b""
        return [
            columns.each((b"GETRANGE",), texts, (b"0", b"%d" % (_TEXT_BYTES - 1))),
            self._times(texts),
            idle,
            columns.each((b"DUMP",), others),
            self._times(others),
        ]

    @property
    def _blocks(self) -> int:
        return 5 if self._ways.splices else 0

    def _times(self, keys: Sequence[bytes]) -> bytes:
        if self._ways.has_expiretime or not keys:
            return columns.each((b"PEXPIRETIME",), keys)
        return command(raw(b"TIME")) + columns.each((b"PTTL",), keys)

    def _expires(self, told: bytes, count: int) -> list[bytes | None]:
        if self._ways.has_expiretime or not count:
            return restoring.expires(told, count)
        if told[:1] == b"-":
            raise columns.refusal(told.partition(b"\r\n")[0])
        _two, _size, seconds, _length, micros, left = told.split(b"\r\n", 5)
        return restoring.expires(left, count, int(seconds) * 1000 + int(micros) // 1000)

    def _texts(self, keys: list[bytes], answers: Sequence[bytes], told: Report) -> tuple[Batch, list[bytes]]:
        """And the keys that turn out to be no such texts."""
        if not keys:
            return Batch(), []
        found = columns.bulks(answers[0], len(keys))
        until = self._expires(answers[1], len(keys))
        batch = Batch(keys, found, until, are_texts=True)  # type: ignore[arg-type]
        if None not in until and not any(sign in answers[0] for sign in _SIGNS):
            return batch, []
        others = {place for place, value in enumerate(found) if not _is_text(value)}
        told.gone += until.count(None)
        again = [keys[place] for place in sorted(others) if until[place]]
        return batch.of([place for place in range(len(keys)) if until[place] and place not in others]), again

    def _payloads(self, keys: list[bytes], answers: Sequence[bytes], told: Report) -> Batch:
        if not (keys and self._ways.splices):
            return Batch()
        _texts, _times, idle, dumped, times = answers[: self._blocks]
        idles = columns.lines(idle, len(keys)) if self._ways.idle_word else []
        found = columns.bulks(dumped, len(keys))
        until = self._expires(times, len(keys))
        batch = Batch(keys, found, until, self._idles(idles))  # type: ignore[arg-type]
        if set(map(type, found)) == {bytes} and columns.NOT_THERE not in found and None not in until:
            return batch
        refused = {place: value for place, value in enumerate(found) if isinstance(value, ServerError)}
        for place, value in refused.items():
            if str(value).startswith(PASSES):
                raise value
            told.out.append((word_of(keys[place]), f"the source does not give it ({value})"))
        is_there = [until[place] and found[place] != columns.NOT_THERE for place in range(len(keys))]
        places = [place for place in range(len(keys)) if is_there[place] and place not in refused]
        told.gone += len(keys) - len(places) - len(refused)
        return batch.of(places)

    def _idles(self, lines: list[bytes]) -> list[bytes]:
        new = _IDLES.get(self._ways.idle_word.encode(), b"0")
        return [line[1:] if line[:1] == b":" else new for line in lines]

    # --- what is written to the target ---

    def _settle(self, sent: tuple[Sequence[Batch], Report] | None, report: Callable[[Report], None]) -> None:
        """See that they are at the target, and tell so."""
        if sent is None:
            return
        batches, told = sent
        for batch in batches:
            told.keys += len(batch.keys)
            told.bytes += sum(map(len, batch.values))
        other_way = {}
        for key, until, error in self._restorer.settle():
            told.keys -= 1
            if str(error).startswith("BUSYKEY"):
                told.kept += 1
            elif payload.is_refusal(error):
                other_way[key] = until
            else:
                told.out.append((key, _left_out(str(error))))
        if other_way:
            self._bring_keys(other_way, told)
        report(told)

    def _bring_heavy(self, chunk: Chunk, told: Report) -> None:
        """By what they hold: the heavy ones, or all of them."""
        keys = [*chunk.heavy, *([] if self._ways.splices else chunk.others)]
        if not keys:
            return
        self._beside.ask(self._times(keys))
        until = self._expires(self._beside.told()[0], len(keys))
        self._bring_keys({word_of(key): int(end) or None for key, end in zip(keys, until) if end}, told)

    def _bring_again(self, keys: Sequence[bytes], told: Report) -> None:
        """Those that are no short texts, weighed, and one chunk after the other."""
        if not keys:
            return
        self._beside.ask(weigh(keys))
        for chunk in by_weight(keys, weights(self._beside.told()[0], len(keys)), self._ways.most_keys):
            self._bring_heavy(chunk, told)
            self._beside.ask(*self._asked([], chunk.others))
            batch = self._payloads(chunk.others, self._beside.told(), told)
            self._restorer.put(batch)
            self._settle(([batch], told), lambda _report: None)

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


def _is_text(value: object) -> bool:
    return isinstance(value, bytes) and not value.startswith(_NO_TEXTS)


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
