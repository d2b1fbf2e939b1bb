# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys on their way into the target: the bytes of a reply spliced into a request. What DUMP gave goes by RESTORE, and a
text by SET, as neither side need pack it and sum it up then.

https://redis.io/docs/latest/commands/restore/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Argument, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.columns import spell, word_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

NEVER = b"0"  # as RESTORE has it
_ELSEWHERE = ("MOVED ", "ASK ")


@dataclass
class Batch:
    """Keys and values, spelled, and the times at which they expire, in milliseconds since 1970; ``idles`` are numbers
    in the unit of the word that says so, or none at all. ``are_texts``: the values are what strings hold, no payloads.
    """

    keys: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    expires: list[bytes] = field(default_factory=list)
    idles: list[bytes] = field(default_factory=list)
    are_texts: bool = False

    def of(self, places: Sequence[int]) -> Batch:
        return Batch(
            [self.keys[place] for place in places],
            [self.values[place] for place in places],
            [self.expires[place] for place in places],
            [self.idles[place] for place in places] if self.idles else [],
            self.are_texts,
        )


@dataclass(frozen=True)
class Manner:
    """``idle_word``: what ``idles`` are, IDLETIME or FREQ."""

    replaces: bool
    idle_word: bytes = b""

    @property
    def last_words(self) -> tuple[bytes, ...]:
        return (b"ABSTTL", *((b"REPLACE",) if self.replaces else ()))


def expires(told: bytes, count: int, now_ms: int = 0) -> list[bytes | None]:
    """The times at which so many keys expire, by what PEXPIRETIME answers, or PTTL where ``now_ms`` is given; None for
    a key that is no more.
    """
    found = columns.lines(told, count)
    if now_ms or b":-2" in found or told[:1] == b"-" or b"\n-" in told:
        return [_time(line, now_ms) for line in found]
    return [NEVER if line == b":-1" else line[1:] for line in found]


def _time(told: bytes, now_ms: int) -> bytes | None:
    if told == b":-1":
        return NEVER
    if told == b":-2" or told[:1] != b":":  # or it is refused, and so is its value
        return None
    return b"%d" % (now_ms + int(told[1:])) if now_ms else told[1:]


def requests(batch: Batch, manner: Manner) -> bytes:
    return _sets(batch) if batch.are_texts else _restores(batch, manner)


def _sets(batch: Batch) -> bytes:
    short, long = b"*3\r\n$3\r\nSET\r\n$", b"*5\r\n$3\r\nSET\r\n$"
    heads = [short if until == NEVER else long for until in batch.expires]
    ends = [
        b"\r\n" if until == NEVER else b"\r\n$4\r\nPXAT\r\n$%d\r\n%b\r\n" % (len(until), until)
        for until in batch.expires
    ]
    return columns.rows([heads, batch.keys, b"\r\n$", batch.values, ends], len(batch.keys))


def _restores(batch: Batch, manner: Manner) -> bytes:
    words = [*manner.last_words, *((manner.idle_word,) if batch.idles else ())]
    head = b"*%d\r\n$7\r\nRESTORE\r\n$" % (4 + len(words) + bool(batch.idles))
    end = b"".join(b"\r\n$%b" % spell(word) for word in words)
    never = b"\r\n$1\r\n0\r\n$"
    until = [never if time == NEVER else b"\r\n$%d\r\n%b\r\n$" % (len(time), time) for time in batch.expires]
    idles = [b"\r\n$" + spell(idle) for idle in batch.idles] or b""
    return columns.rows([head, batch.keys, until, batch.values, end, idles, b"\r\n"], len(batch.keys))


class Restorer:
    """Writes batches, whose answers are read later. Of a cluster each key goes to the engine that has its slot, and one
    whose slot was moved meanwhile is followed by itself.
    """

    def __init__(self, target: Reach, manner: Manner) -> None:
        self._target, self._manner = target, manner
        self._sent: list[tuple[Link, Batch]] = []

    def put(self, *batches: Batch) -> None:
        self._sent = [sent for batch in batches if batch.keys for sent in self._by_link(batch)]
        by_link: dict[Link, list[bytes]] = {}
        for link, part in self._sent:
            by_link.setdefault(link, []).append(requests(part, self._manner))
        for link, asked in by_link.items():
            link.send(b"".join(asked))

    def _by_link(self, batch: Batch) -> list[tuple[Link, Batch]]:
        links = self._target.links
        if len(links) == 1:
            return [(links[0], batch)]
        places: dict[int, list[int]] = {}
        for place, key in enumerate(batch.keys):
            places.setdefault(self._target.owners[slots.slot_of(word_of(key))], []).append(place)
        return [(links[owner], batch.of(found)) for owner, found in places.items()]

    def settle(self) -> list[tuple[bytes, int | None, ServerError]]:
        """Of what was put last what was refused: key, when it expires, and why."""
        sent, self._sent = self._sent, []
        # Who follows asks on the same links, so all of them are read before.
        told = [(batch, place, error) for link, batch in sent for place, error in link.refused(len(batch.keys))]
        refused = []
        for batch, place, error in told:
            is_elsewhere = str(error).startswith(_ELSEWHERE)
            answer = self._followed(batch.of([place])) if is_elsewhere else error
            if isinstance(answer, ServerError):
                refused.append((word_of(batch.keys[place]), int(batch.expires[place]) or None, answer))
        return refused

    def _followed(self, one: Batch) -> object:
        key, value, until = word_of(one.keys[0]), word_of(one.values[0]), one.expires[0]
        if one.are_texts:
            lasts: list[Argument] = [] if until == NEVER else [b"PXAT", until]
            return self._target.follow(key, [b"SET", key, value, *lasts])
        words: list[Argument] = [b"RESTORE", key, until, value, *self._manner.last_words]
        words += [self._manner.idle_word, one.idles[0]] if one.idles else []
        return self._target.follow(key, words)
