"""The stream of writes taken apart, and which keys are read again. Pure."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import encode
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import (
    Command,
    Names,
    Script,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.follow import Round
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.stream import Place

TOLD = [
    [b"set", -3, [], 1, 1, 1],
    [b"del", -2, [], 1, -1, 1],
    [b"rename", 3, [], 1, 2, 1],
    [b"move", 3, [], 1, 1, 1],
    [b"copy", -3, [], 1, 2, 1],
    [b"publish", 3, [], 0, 0, 0],
]


def stream(*commands: list[object]) -> bytes:
    return b"".join(encode([str(word) for word in command]) for command in commands)


def applied(script: Script, data: bytes) -> list[list[tuple[int, bytes]]]:
    """Database and name of each command, by unit."""
    return [[(one.database, one.name) for one in unit.commands] for unit in script.units(data)]


def test_a_transaction_is_one_unit_and_databases_are_those_selected():
    data = stream(["SELECT", 3], ["SET", "a", 1], ["MULTI"], ["INCR", "a"], ["SELECT", 0], ["INCR", "b"], ["EXEC"])
    assert applied(Script(100), data) == [[], [(3, b"SET")], [(3, b"INCR"), (0, b"INCR")]]


def test_positions_are_those_after_each_unit_however_the_bytes_come():
    data = stream(
        ["SELECT", 3], ["PING"], ["MULTI"], ["INCR", "a"], ["EXEC"], ["REPLCONF", "GETACK", "*"], ["SET", 1, 2]
    )
    whole = Script(1000).units(data)
    script, pieces = Script(1000), []
    for place in range(len(data)):
        pieces += script.units(data[place : place + 1])
    assert [unit.end for unit in pieces] == [unit.end for unit in whole]
    assert pieces == whole
    assert whole[-1].end == script.position == script.read_to == 1000 + len(data)
    assert whole[-1].database == 3


def test_what_says_when_a_key_expires_says_a_second_later():
    def sent(*words: object) -> list[bytes]:
        [unit] = Script(0).units(stream(list(words)))
        [one] = unit.commands
        assert one.raw == encode(one.words)
        return one.words

    assert sent("PEXPIREAT", "k", 5000)[2] == b"6000"
    assert sent("SET", "k", "PXAT", "PXAT", 5000) == [b"SET", b"k", b"PXAT", b"PXAT", b"6000"]
    assert sent("SET", "k", "PXAT") == [b"SET", b"k", b"PXAT"]
    assert sent("RESTORE", "k", 5000, "x", "ABSTTL")[2] == b"6000"
    assert sent("RESTORE", "k", 5000, "x")[2] == b"6000"  # how long it lives, of a source of before 7.0
    assert sent("RESTORE", "k", 0, "x", "ABSTTL")[2] == b"0"
    assert sent("HPEXPIREAT", "k", 5000, "FIELDS", 1, "f")[2] == b"6000"


def test_the_keys_of_a_command_are_told_with_their_databases():
    def keys(*words: bytes, database: int = 2) -> list[tuple[int, bytes]]:
        return Names(TOLD).keys(Command(database, list(words), b""))

    assert keys(b"DEL", b"a", b"b") == [(2, b"a"), (2, b"b")]
    assert keys(b"move", b"a", b"5") == [(2, b"a"), (5, b"a")]
    assert keys(b"COPY", b"a", b"b", b"DB", b"4") == [(2, b"a"), (4, b"b")]
    assert keys(b"EVAL", b"code", b"1", b"a", b"argument") == [(2, b"a")]
    assert keys(b"ZUNIONSTORE", b"to", b"2", b"a", b"b", b"WEIGHTS", b"1", b"2") == [(2, b"to"), (2, b"a"), (2, b"b")]
    assert keys(b"SORT", b"a", b"STORE", b"to") == [(2, b"a"), (2, b"to")]
    assert keys(b"PUBLISH", b"channel", b"text") == []


def test_each_key_of_a_round_is_read_once_and_what_is_put_together_with_one_as_well():
    once = Round(iter([([(0, b"a"), (0, b"b")], Place(1, 0)), ([(0, b"a")], Place(2, 0))]))
    assert once.next(1) == [(0, b"a")]
    once.heed([(0, b"c"), (0, b"d")])  # neither is wrong
    once.heed([(0, b"b"), (0, b"c")])
    once.heed([(0, b"c"), (0, b"e")])  # c is by now
    assert once.next(9) == [(0, b"b"), (0, b"c"), (0, b"e")]
    assert once.next(9) == []
    assert once.rest is None
