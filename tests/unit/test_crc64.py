"""The checksum of a DUMP payload."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.crc64 import crc64, crc64_of_each
from hypothesis import given
from hypothesis import strategies as st


def bit_by_bit(value: bytes) -> int:
    checksum = 0
    for byte in value:
        checksum ^= byte
        for _bit in range(8):
            checksum = checksum >> 1 ^ (0x95AC9329AC4BC9B5 if checksum & 1 else 0)
    return checksum


def test_it_is_the_one_that_is_known_of_it():
    assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


@given(st.lists(st.binary(max_size=700), max_size=20))
def test_each_of_many_has_the_one_that_it_has_bit_by_bit(values):
    assert crc64_of_each(values) == [bit_by_bit(value).to_bytes(8, "little") for value in values]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_it_goes_on_where_it_was(first, rest):
    assert crc64(rest, crc64(first)) == bit_by_bit(first + rest)


def test_a_value_of_many_pieces_has_the_one_of_the_whole():
    value = bytes(range(256)) * (3 * 4096) + b"end"
    assert crc64(value) == crc64(value[5000:], crc64(value[:5000])) == crc64(value[-3:], crc64(value[:-3]))
