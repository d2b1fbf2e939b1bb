# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A canonical digest of a key: the same for the same value, whatever its encoding and the order it is kept in.

What expires is not in it, as two engines may be some milliseconds apart. It is made with a key of its own, so that it
tells nothing of the value to whoever has it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import streams
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    HASH,
    KINDS,
    NONE,
    SET,
    STREAM,
    VALUES,
    ZSET,
    Item,
    Unreadable,
    told,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.rounds import Reading

_BYTES = 16
_MODULUS = 1 << (8 * _BYTES)


def of(key: bytes, secret: bytes) -> Reading[str]:
    """Empty where the key is not there, or cannot be read."""
    try:
        [kind] = told((yield [("TYPE", key)]))
        if kind not in KINDS:
            return "" if kind == NONE else str(kind)
        made = yield from (_of_stream(key, secret) if kind == STREAM else _of_parts(kind, key, secret))
    except Unreadable:
        return ""
    return f"{kind}:{made}"


def _of_parts(kind: str, key: bytes, secret: bytes) -> Reading[str]:
    value = VALUES[kind](key)
    if kind in (SET, ZSET, HASH):
        total = 0  # of the digests of the items, which comes out the same in whatever order
        while (part := (yield from value.next())) is not None:
            total += sum(int.from_bytes(_digest(secret, _canonical(kind, item)), "big") for item in part)
        return f"{total % _MODULUS:x}"
    whole = hashlib.blake2b(key=secret, digest_size=_BYTES)
    while (part := (yield from value.next())) is not None:
        for item in part:
            whole.update(item[0] if kind == "string" else _words(item))
    return whole.hexdigest()


def _canonical(kind: str, item: Item) -> bytes:
    """Servers write the same score with more digits or with fewer."""
    return _words((item[0], repr(float(item[1]) + 0.0).encode())) if kind == ZSET else _words(item)


def _of_stream(key: bytes, secret: bytes) -> Reading[str]:
    stream = yield from streams.look(key)
    whole = hashlib.blake2b(repr(stream).encode(), key=secret, digest_size=_BYTES)
    entries = streams.Entries(key)
    while (part := (yield from entries.next())) is not None:
        for entry, words in part:
            whole.update(_words((entry, *words)))
    for group in stream.groups:
        pending = streams.PendingEntries(key, group.name)
        while (some := (yield from pending.next())) is not None:
            for one in some:
                whole.update(_words((one.id, one.consumer, b"%d" % one.count)))
    return whole.hexdigest()


def _words(words: Any) -> bytes:
    return b"".join(b"%d:%b" % (len(word), word) for word in words)


def _digest(secret: bytes, data: bytes) -> bytes:
    return hashlib.blake2b(data, key=secret, digest_size=_BYTES).digest()
