# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The checksum of DUMP payloads (CRC-64 of Jones), of many at once. Pure, standard library only.

It is the remainder of a polynomial over two elements, that of the value and 64 zeros, and leading zeros change nothing.
So values of about one length lie side by side in one large integer, and are folded together: what is above x^n is added
times (x^n mod P), which is a few shifts of the whole. That is several times as fast as tables, byte by byte, which do
the last 8 bytes. Bits are reflected: the lowest of a byte is that of the highest power.
"""

from __future__ import annotations

import functools
from typing import Sequence

_POLYNOMIAL = 0xAD93D23594C935A9  # without x^64
_REFLECTED = int(f"{_POLYNOMIAL:064b}"[::-1], 2)
_DEGREE = 64
SIZE = 8  # of a checksum
# Bytes to which values are filled up, and through which they are folded down: about half each time.
_LENGTHS = [16, *(16 + (8 << step) for step in range(30))]
_PIECE = 1 << 20  # of a long value
_TOGETHER = 1 << 16  # bytes: larger integers are slower, as each is memory of its own


def crc64_of_each(values: Sequence[bytes]) -> list[bytes]:
    """Of each value, as it stands at a payload's end."""
    lanes: dict[int, list[bytes]] = {}
    places: dict[int, list[int]] = {}
    for place, value in enumerate(values):
        level = _level(len(value) + SIZE)
        lanes.setdefault(level, []).append(value.rjust(_LENGTHS[level] - SIZE, b"\0") + bytes(SIZE))
        places.setdefault(level, []).append(place)
    folded: list[bytes] = []
    order: list[int] = []
    for level in range(max(lanes, default=0), -1, -1):
        folded += lanes.get(level, [])
        order += places.get(level, [])
        if level and folded:
            folded = _fold(folded, level)
    found = [bytes(SIZE)] * len(values)
    tables = _tables()
    for place, lane in zip(order, folded):
        checksum = int.from_bytes(lane[SIZE:], "little")
        for table, byte in zip(tables, lane):
            checksum ^= table[byte]
        found[place] = checksum.to_bytes(SIZE, "little")
    return found


def crc64(value: bytes, before: int = 0) -> int:
    """Of a value; ``before`` is that of what stands before it."""
    for start in range(0, len(value), _PIECE):
        piece = value[start : start + _PIECE].ljust(SIZE, b"\0")
        # What was before goes on as the next 64 bits; where these are fewer, the rest of it stays.
        head = (int.from_bytes(piece[:SIZE], "little") ^ before).to_bytes(SIZE, "little")
        length = len(value) - start
        if length < SIZE:
            rest = int.from_bytes(head[length:], "little")
            return int.from_bytes(crc64_of_each([head[:length]])[0], "little") ^ rest
        before = int.from_bytes(crc64_of_each([head + piece[SIZE:]])[0], "little")
    return before


def _level(length: int) -> int:
    return next(level for level, most in enumerate(_LENGTHS) if length <= most)


def _fold(lanes: list[bytes], level: int) -> list[bytes]:
    """All lanes of one length, made those of the next shorter one."""
    length = _LENGTHS[level]
    gone = length - _LENGTHS[level - 1]
    shifts = _shifts(level)
    together = max(1, _TOGETHER // length)
    found: list[bytes] = []
    for first in range(0, len(lanes), together):
        some = lanes[first : first + together]
        whole = int.from_bytes(b"".join(some), "little")
        above = whole & int.from_bytes((b"\xff" * gone + bytes(length - gone)) * len(some), "little")
        for shift in shifts:
            whole ^= above << shift
        data = whole.to_bytes(length * len(some), "little")
        found += [data[start + gone : start + length] for start in range(0, len(data), length)]
    return found


@functools.lru_cache(maxsize=None)
def _shifts(level: int) -> tuple[int, ...]:
    """How far what is above x^n goes, to be added there: for the n whose remainder has the fewest terms."""
    shorter = 8 * _LENGTHS[level - 1]
    gone = 8 * _LENGTHS[level] - shorter
    first = gone + _DEGREE - 1
    remainder, best = _power(first), (_DEGREE + 1, 0, 0)
    for n in range(first, shorter + 1):
        best = min(best, (bin(remainder).count("1"), n, remainder))
        remainder = _times_x(remainder)
    _terms, n, remainder = best
    return tuple(n - power for power in range(_DEGREE) if remainder >> power & 1)


@functools.lru_cache(maxsize=None)
def _tables() -> list[list[int]]:
    """For each of 8 bytes, what it adds to the 64 bits after them."""
    tables = [[_of_byte(byte) for byte in range(256)]]
    for _place in range(SIZE - 1):
        tables.insert(0, [tables[-1][value & 0xFF] ^ value >> 8 for value in tables[0]])
    return tables


def _of_byte(byte: int) -> int:
    for _bit in range(8):
        byte = byte >> 1 ^ (_REFLECTED if byte & 1 else 0)
    return byte


def _power(n: int) -> int:
    """x^n mod P."""
    found = 1
    for bit in bin(n)[2:]:
        found = _product(found, found)
        if bit == "1":
            found = _times_x(found)
    return found


def _product(one: int, other: int) -> int:
    found = 0
    for power in range(_DEGREE - 1, -1, -1):
        found = _times_x(found)
        if other >> power & 1:
            found ^= one
    return found


def _times_x(one: int) -> int:
    one <<= 1
    return one ^ (1 << _DEGREE | _POLYNOMIAL) if one >> _DEGREE else one
