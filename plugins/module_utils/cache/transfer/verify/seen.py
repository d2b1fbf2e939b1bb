# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which keys were compared, as far as some megabytes can hold: of those that were, it never says that they were not.

Two names may share a place: of a million keys that were compared, one in a hundred of those made meanwhile is taken for
one of them.
"""

from __future__ import annotations

import mmap
import os
import zlib
from typing import Iterable

_BITS = 27
_MASK = (1 << _BITS) - 1
BYTES = 1 << (_BITS - 3)


class Seen:
    """A file that several processes write. Where two write beside each other at once, a key may be forgotten, and is
    compared once more.
    """

    def __init__(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, BYTES)
            self._bits = mmap.mmap(descriptor, BYTES)
        finally:
            os.close(descriptor)

    def add(self, database: int, keys: Iterable[bytes]) -> None:
        bits = self._bits
        for key in keys:
            place = zlib.crc32(key, database) & _MASK
            bits[place >> 3] |= 1 << (place & 7)

    def without(self, database: int, keys: Iterable[bytes]) -> list[bytes]:
        """Those that were not compared."""
        bits, crc32 = self._bits, zlib.crc32
        places = ((key, crc32(key, database) & _MASK) for key in keys)
        return [key for key, place in places if not bits[place >> 3] >> (place & 7) & 1]

    def close(self) -> None:
        self._bits.close()
