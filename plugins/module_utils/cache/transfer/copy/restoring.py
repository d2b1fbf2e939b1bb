# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys on their way into the target: RESTORE of what DUMP gave, the bytes of a reply spliced into a request.

https://redis.io/docs/latest/commands/restore/
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Argument, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link, inside, raw

_NEVER = raw(b"0")
_ELSEWHERE = ("MOVED ", "ASK ")


@dataclass
class Batch:
    """Keys, raw, with their raw values; ``expires`` are raw times in milliseconds since 1970; ``idles`` are numbers in
    the unit of the word that says so, or none at all.
    """

    keys: list[bytes] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)
    expires: list[bytes] = field(default_factory=list)
    idles: list[bytes] = field(default_factory=list)

    def of(self, places: Sequence[int]) -> Batch:
        return Batch(
            [self.keys[place] for place in places],
            [self.values[place] for place in places],
            [self.expires[place] for place in places],
            [self.idles[place] for place in places] if self.idles else [],
        )


@dataclass(frozen=True)
class Manner:
    """``idle_word``: what ``idles`` are, IDLETIME or FREQ."""

    replaces: bool
    idle_word: bytes = b""

    @property
    def last_words(self) -> tuple[bytes, ...]:
        return (b"ABSTTL", *((b"REPLACE",) if self.replaces else ()))


def expires(told: Sequence[bytes], now_ms: int = 0) -> list[bytes | None]:
    """The raw times at which keys expire, by the lines that PEXPIRETIME answers, or PTTL where ``now_ms`` is given;
    None for a key that is no more.
    """
    return [_NEVER if line == b":-1" else _time(line, now_ms) for line in told]


def _time(told: bytes, now_ms: int) -> bytes | None:
    if told == b":-2" or told[:1] != b":":  # or it is refused, and so is its value
        return None
    return raw(b"%d" % (now_ms + int(told[1:])) if now_ms else told[1:])


def requests(batch: Batch, manner: Manner) -> bytes:
    """RESTORE of all of them, put together by columns, as a loop over keys would take as long as an engine does."""
    words = [*manner.last_words, *((manner.idle_word,) if batch.idles else ())]
    head = b"*%d\r\n$7\r\nRESTORE\r\n" % (4 + len(words) + bool(batch.idles))
    row = [head, b"", b"", b"", b"".join(map(raw, words)), *((b"",) if batch.idles else ())]
    parts = row * len(batch.keys)
    parts[1 :: len(row)] = batch.keys
    parts[2 :: len(row)] = batch.expires
    parts[3 :: len(row)] = batch.values
    if batch.idles:
        parts[5 :: len(row)] = map(raw, batch.idles)
    return b"".join(parts)


class Restorer:
    """Writes a batch, whose answers are read later. Of a cluster each key goes to the engine that has its slot, and one
    whose slot was moved meanwhile is followed by itself.
    """

    def __init__(self, target: Reach, manner: Manner) -> None:
        self._target, self._manner = target, manner
        self._sent: list[tuple[Link, Batch]] = []

    def put(self, batch: Batch) -> None:
        self._sent = self._by_link(batch)
        for link, part in self._sent:
            link.send(requests(part, self._manner))

    def _by_link(self, batch: Batch) -> list[tuple[Link, Batch]]:
        links = self._target.links
        if len(links) == 1:
            return [(links[0], batch)] if batch.keys else []
        places: dict[int, list[int]] = {}
        for place, key in enumerate(batch.keys):
            places.setdefault(self._target.owners[slots.slot_of(inside(key))], []).append(place)
        return [(links[owner], batch.of(found)) for owner, found in places.items()]

    def settle(self) -> list[tuple[bytes, bytes, ServerError]]:
        """Of the last batch what was refused: key and time of expiry, raw, and why."""
        sent, self._sent = self._sent, []
        # Who follows asks on the same links, so all of them are read before.
        told = [(batch, place, error) for link, batch in sent for place, error in link.refused(len(batch.keys))]
        refused = []
        for batch, place, error in told:
            is_elsewhere = str(error).startswith(_ELSEWHERE)
            answer = self._followed(batch.of([place])) if is_elsewhere else error
            if isinstance(answer, ServerError):
                refused.append((batch.keys[place], batch.expires[place], answer))
        return refused

    def _followed(self, one: Batch) -> object:
        key = inside(one.keys[0])
        words: list[Argument] = [b"RESTORE", key, inside(one.expires[0]), inside(one.values[0])]
        words += self._manner.last_words
        words += [self._manner.idle_word, one.idles[0]] if one.idles else []
        return self._target.follow(key, words)
