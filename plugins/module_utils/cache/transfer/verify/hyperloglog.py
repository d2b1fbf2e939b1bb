# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strings that are a HyperLogLog. Pure.

Whoever counts one has the engine keep the result in it, eight bytes that are no part of what it counts; so a PFCOUNT at
one side makes two strings differ. https://github.com/redis/redis/blob/7.0/src/hyperloglog.c tells the layout.
"""

from __future__ import annotations

_HEADER = 16
_RESULT = slice(8, 16)
_REGISTERS = 16384
_DENSE_BYTES = _HEADER + _REGISTERS * 6 // 8
_DENSE, _SPARSE = 0, 1


def same_counts(ours: bytes, theirs: bytes) -> bool:
    """Whether both are one, and count the same in the same form."""
    return _is_one(ours) and _is_one(theirs) and _counted(ours) == _counted(theirs)


def _counted(value: bytes) -> bytes:
    return value[: _RESULT.start] + value[_RESULT.stop :]


def _is_one(value: bytes) -> bool:
    if len(value) < _HEADER or value[:4] != b"HYLL" or any(value[5:8]):
        return False
    if value[4] == _DENSE:
        return len(value) == _DENSE_BYTES
    return value[4] == _SPARSE and _registers(value[_HEADER:]) == _REGISTERS


def _registers(runs: bytes) -> int:
    """How many its runs stand for: zeros in one byte or in two, or a value."""
    count = place = 0
    while place < len(runs):
        head = runs[place]
        if head & 0x80:  # a value, some times
            count += (head & 0x3) + 1
        elif head & 0x40:  # many zeros
            if place + 1 == len(runs):
                return -1
            count += ((head & 0x3F) << 8 | runs[place + 1]) + 1
            place += 1
        else:
            count += (head & 0x3F) + 1
        place += 1
    return count
