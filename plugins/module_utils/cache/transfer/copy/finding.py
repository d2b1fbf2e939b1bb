# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The keys of a part, in the chunks in which they are copied, so that none makes the source answer with much at once.

Texts are found by SCAN with TYPE, beside the SCAN of all keys at the same cursor: to ask for the type of each would
take the source as long as to give its value. That is a hint, of which nothing depends but speed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.ranges import Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import (
    Link,
    command,
    raw,
)

HEAVY = 16 << 20  # from here on a value is had in parts: DUMP would hold up the source for some 10 ms
_CHUNK_BYTES = 1 << 20  # in the memory of the source, about what is sent at once
_NOT_WEIGHED_KEYS = 32  # in a chunk, where the source does not weigh its keys
_AHEAD = 2  # chunks that are found before they are needed


@dataclass
class Chunk:
    """Keys, spelled, to be copied together: texts, whose values are had a piece of a bounded size at most, others, and
    ``heavy`` ones, which are not asked for in one piece. ``cursor`` where it is the last of its SCAN.
    """

    texts: list[bytes] = field(default_factory=list)
    others: list[bytes] = field(default_factory=list)
    heavy: list[bytes] = field(default_factory=list)
    cursor: int | None = None

    @property
    def count(self) -> int:
        return len(self.texts) + len(self.others) + len(self.heavy)


class Finder:
    """Finds the keys of a part, and weighs those that are no texts, a step ahead each time that it asks."""

    def __init__(self, part: Part, most_keys: int, *, finds_texts: bool) -> None:
        self._part, self._most_keys, self._finds_texts = part, most_keys, finds_texts
        self._cursor = part.cursor
        self._has_more = True
        self._found: Chunk | None = None
        self._asks_to_scan = False
        self._ready: deque[Chunk] = deque()

    def blocks(self) -> list[bytes]:
        """What is to be asked now, with whatever else is."""
        self._asks_to_scan = self._has_more and len(self._ready) < _AHEAD
        asked = [] if self._found is None else [weigh(self._found.others)]
        if self._asks_to_scan:
            words = [raw(word) for word in (b"SCAN", b"%d" % self._cursor, b"COUNT", b"%d" % self._most_keys)]
            asked.append(command(*words))
            if self._finds_texts:
                asked.append(command(*words, raw(b"TYPE"), raw(b"string")))
        return asked

    def read(self, told: list[bytes]) -> None:
        """The answers to these. Raises CacheError."""
        if self._found is not None:
            found, self._found = self._found, None
            self._ready += _chunks(found, weights(told.pop(0), len(found.others)), self._most_keys)
        if self._asks_to_scan:
            self._cursor, keys = columns.scanned(told[0])
            self._has_more = self._part.has(self._cursor)
            texts = set(columns.scanned(told[1])[1]) if self._finds_texts else set()
            self._found = Chunk(
                [key for key in keys if key in texts], [key for key in keys if key not in texts], cursor=self._cursor
            )

    def next(self, source: Link) -> Chunk | None:
        """The next keys, asked for alone where none are ready. None after the last."""
        while not self._ready and (self._has_more or self._found is not None):
            source.ask(*self.blocks())
            self.read(source.told())
        return self._ready.popleft() if self._ready else None


def weigh(keys: Sequence[bytes]) -> bytes:
    return columns.each((b"MEMORY", b"USAGE"), keys)


def weights(told: bytes, count: int) -> list[int]:
    """A key that is gone weighs -1; none where they are not told."""
    try:
        return [int(line[1:]) for line in columns.lines(told, count)]
    except ValueError:
        return []


def _chunks(found: Chunk, known: Sequence[int], most_keys: int) -> list[Chunk]:
    if found.count <= 2 * most_keys and len(known) == len(found.others) and sum(known) <= _CHUNK_BYTES:
        return [found]
    texts = [found.texts[start : start + most_keys] for start in range(0, len(found.texts), most_keys)]
    chunks = by_weight(found.others, known, most_keys)
    chunks += [Chunk() for _more in range(max(1, len(texts)) - len(chunks))]
    for chunk, some in zip(chunks, texts):
        chunk.texts = some
    chunks[-1].cursor = found.cursor
    return chunks


def by_weight(keys: Sequence[bytes], known: Sequence[int], most_keys: int) -> list[Chunk]:
    """Chunks of them, by what each weighs."""
    if not known:
        most = min(_NOT_WEIGHED_KEYS, most_keys)
        return [Chunk(others=list(keys[start : start + most])) for start in range(0, len(keys), most)]
    chunks, size = [Chunk()], 0
    for key, weight in zip(keys, known):
        chunk = chunks[-1]
        if chunk.count and (size + weight > _CHUNK_BYTES or chunk.count >= most_keys):
            chunk, size = Chunk(), 0
            chunks.append(chunk)
        size += weight
        (chunk.heavy if weight > HEAVY else chunk.others).append(key)
    return chunks
