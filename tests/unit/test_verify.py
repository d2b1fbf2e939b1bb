"""What a comparison of two caches is made of, as far as it is pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Connection,
    NotRedis,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.columns import (
    NOT_THERE,
    spell,
    written,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.tally import (
    CHANGING,
    DIFFERENT,
    EQUAL,
    GONE,
    MISSING,
    NAMES,
    SUSPECTS,
    UNKNOWN,
    Suspect,
    Tally,
    Verdict,
    shown,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    Unreadable,
    after,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import compare, suspects
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.hyperloglog import (
    same_counts,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.same import Rules
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.seen import Seen
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link
from hypothesis import given
from hypothesis import strategies as st

# --- answers ---

REPLIES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=40) | st.sampled_from(["OK", "none"]),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


def as_sent(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    if isinstance(reply, str):
        return f"+{reply}\r\n".encode()
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    return b"*%d\r\n" % len(reply) + b"".join(as_sent(part) for part in reply)


class InPieces:
    """A socket that gives so many bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[start : start + size] for start in range(0, len(data), size)]

    def recv(self, _most: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def setsockopt(self, *_option: int) -> None:
        return None

    def makefile(self, _mode: str) -> None:
        return None


def link_of(data: bytes, size: int) -> Link:
    return Link(Connection(InPieces(data, size)))  # type: ignore[arg-type]


@given(st.lists(REPLIES, max_size=5), st.integers(1, 50))
def test_answers_are_read_as_they_were_sent_in_whatever_pieces_they_come(replies: list[Any], size: int) -> None:
    link = link_of(b"".join(as_sent(reply) for reply in replies) + b":7\r\n", size)
    assert link.replies(len(replies)) == replies
    assert link.replies(1) == [7]


def test_a_refusal_is_the_answer_of_one_also_within_a_list() -> None:
    first, [second, third] = link_of(b"-ERR a\r\n*2\r\n-ERR b\r\n:1\r\n", 3).replies(2)
    assert [str(first), str(second), third] == ["ERR a", "ERR b", 1]
    assert isinstance(first, ServerError)


def test_a_size_that_no_redis_says_is_refused_before_anything_is_read() -> None:
    with pytest.raises(NotRedis):
        link_of(b"$99999999999\r\n", 100).replies(1)


# --- the same payload ---


def payload(kind: int, version: int, value: bytes = b"\x03foo") -> bytes:
    return spell(bytes([kind]) + value + version.to_bytes(2, "little") + bytes(8))


@pytest.mark.parametrize(
    ("ours", "theirs", "is_same"),
    [
        (payload(0, 10), payload(0, 10), True),
        (payload(0, 10), payload(0, 80), True),
        (payload(0, 10), payload(0, 10, b"\x03fop"), False),
        (payload(22, 12), payload(22, 12), True),
        (payload(22, 12), payload(22, 80), False),  # a type that Redis and Valkey mean otherwise
        (NOT_THERE, NOT_THERE, False),
        (payload(0, 10), NOT_THERE, False),
        (ServerError("NOPERM"), ServerError("NOPERM"), False),
    ],
)
def test_only_what_means_the_same_is_the_same_payload(ours: Any, theirs: Any, is_same: bool) -> None:
    assert compare._same_payload(ours, theirs) is is_same
    blocks = (written(ours), written(theirs))
    assert compare._are_payloads(*blocks, 1) is (is_same and ours == theirs)


def test_nothing_and_the_same_refusal_on_both_sides_are_not_the_same_values() -> None:
    value = written(payload(0, 10))
    for block in (
        b"",
        b"$-1\r\n" + value,
        value + b"$-1\r\n",
        value + b"-NOPERM no\r\n",
        b"-NOPERM\r\n" + value,
        value,
    ):
        assert not compare._are_payloads(block, block, 2)
    assert compare._are_payloads(2 * value, 2 * value, 2)


@pytest.mark.parametrize(
    ("ours", "theirs", "is_same"),
    [
        (b":-1", b":-1", True),
        (b":5000", b":5900", True),
        (b":5000", b":7000", False),
        (b":-1", b":5000", False),
        (b":-2", b":-2", False),
        (b"-NOPERM", b"-NOPERM", False),
    ],
)
def test_ttls_are_the_same_within_the_tolerance(ours: bytes, theirs: bytes, is_same: bool) -> None:
    assert compare._same_ends(ours, theirs, Rules(1000)) is is_same


# --- HyperLogLog ---

SPARSE = b"HYLL\x01\0\0\0" + bytes(8) + b"\x7f\xff"  # 16384 zeros
DENSE = b"HYLL\x00\0\0\0" + bytes(8) + bytes(12288)


def with_result(value: bytes) -> bytes:
    return value[:8] + b"\x01" * 8 + value[16:]


def test_the_last_result_of_a_hyperloglog_is_no_part_of_it() -> None:
    assert same_counts(SPARSE, with_result(SPARSE))
    assert same_counts(DENSE, with_result(DENSE))


@pytest.mark.parametrize(
    "other",
    [
        with_result(DENSE[:-1] + b"\x01"),
        DENSE + b"\0",
        SPARSE,
        b"HYLL\x02" + DENSE[5:],
        b"hyll" + DENSE[4:],
        b"HYLL\x00\x01\0\0" + DENSE[8:],
    ],
)
def test_anything_else_in_it_is(other: bytes) -> None:
    assert not same_counts(DENSE, other)


@pytest.mark.parametrize("runs", [b"\x7f", b"\x7f\xfe", b"\x7f\xff\x00", b"", b"\x80\x7f\xff"])
def test_a_string_that_only_begins_like_one_is_compared_as_a_string(runs: bytes) -> None:
    value = SPARSE[:16] + runs
    assert not same_counts(value, with_result(value))


# --- suspects ---

RULES = suspects.Rules(1000, settle_seconds=3.0, secret=b"x")


def looks(*of: tuple[Any, ...]) -> list[Verdict | None]:
    """What is decided at each look: at a time, with digests of both sides, and what is known of a follower."""
    one = Suspect(0, b"key", DIFFERENT)
    return [
        suspects._is_certain(one, (ours, theirs), Verdict(DIFFERENT), suspects.Moment(now, *followed), RULES)
        for now, ours, theirs, *followed in of
    ]


def test_a_difference_counts_once_both_sides_were_at_rest() -> None:
    assert looks((1, "a", "b"), (3, "a", "b"), (4, "a", "b")) == [None, None, Verdict(DIFFERENT)]


def test_a_difference_counts_only_once_a_follower_has_brought_what_was_written_before() -> None:
    behind = [(1, "a", "b", 100, 900), (5, "a", "b", 899, 990), (6, "a", "b", 900, 999)]
    assert looks(*behind) == [None, None, Verdict(DIFFERENT)]
    assert looks(*[(1.0 + second, "a", "b", 100, 900) for second in range(31)])[-1] == Verdict(CHANGING)


def test_whatever_changes_on_either_side_begins_the_wait_anew() -> None:
    assert looks((1, "a", "b"), (3, "a", "c"), (5, "d", "c"), (7, "d", "c")) == [None] * 4


def test_what_never_comes_to_rest_is_told_as_that() -> None:
    every_second = [(1.0 + second, str(second), "b") for second in range(31)]
    assert looks(*every_second) == [None] * 30 + [Verdict(CHANGING)]


# --- the tally ---


def test_two_tallies_together_are_the_sum_and_the_first_names() -> None:
    first, second = Tally(scanned=3, compared=2), Tally(scanned=4, compared=3, gone=1)
    for number in range(NAMES):
        first.judge(0, b"first:%d" % number, Verdict(MISSING))
    second.judge(0, b"second", Verdict(MISSING))
    second.suspect(1, b"\xff", Verdict(DIFFERENT, "why"))

    first.add(second)
    first.add(second)

    assert (first.scanned, first.compared, first.gone) == (11, 8, 2)
    assert first.against[MISSING] == NAMES + 2
    assert len(first.names[MISSING]) == NAMES
    assert list(first.suspects) == [(1, b"\xff")]
    assert Tally.from_dict(first.as_dict()) == first


def test_a_key_is_judged_at_once_where_too_many_are_suspected() -> None:
    tally = Tally()
    for number in range(SUSPECTS + 5):
        tally.suspect(0, b"%d" % number, Verdict(MISSING))
    assert (len(tally.suspects), tally.against[MISSING]) == (SUSPECTS, 5)


def test_a_tally_is_clean_only_without_anything_against_it() -> None:
    assert Tally().is_clean
    for word in (MISSING, DIFFERENT, CHANGING):
        tally = Tally()
        tally.judge(0, b"key", Verdict(word))
        assert not tally.is_clean
    for word in (EQUAL, GONE):
        tally.judge(0, b"key", Verdict(word))
        assert not tally.is_clean
    suspecting = Tally()
    suspecting.suspect(0, b"key", Verdict(MISSING))
    assert not suspecting.is_clean


def test_a_name_is_shown_without_anything_that_acts_on_a_terminal() -> None:
    assert shown(b"a\x1b[31m\xff") == "a?[31m\\xff"
    assert len(shown(b"x" * 1000)) == 200


# --- keys that were compared ---


def test_no_key_that_was_not_compared_is_taken_for_one_but_by_rare_chance(tmp_path: Path) -> None:
    seen = Seen(str(tmp_path / "seen"))
    keys = [b"key:%d" % number for number in range(1000)]
    seen.add(0, keys[:500])
    assert seen.without(0, keys[:500]) == []
    assert len(seen.without(0, keys[500:])) >= 499
    assert len(seen.without(1, keys[:500])) >= 499
    seen.close()
    assert Seen(str(tmp_path / "seen")).without(0, keys[:500]) == []


@given(st.integers(0, 2**63), st.integers(0, 2**64 - 1))
def test_the_id_after_another_is_the_next_that_there_can_be(milliseconds: int, number: int) -> None:
    following = tuple(int(part) for part in after(b"%d-%d" % (milliseconds, number)).split(b"-"))
    assert following == ((milliseconds, number + 1) if number < 2**64 - 1 else (milliseconds + 1, 0))


# --- types of modules ---


def answered(program: Any, *answers: Any) -> Any:
    """What a program comes to, when it is given these answers one after the other."""
    program.send(None)
    with pytest.raises(StopIteration) as end:
        for answer in answers:
            program.send(answer)
    return end.value.value


def test_a_type_of_a_module_is_not_equal_and_has_its_name() -> None:
    verdict = answered(compare._judged(b"key", Rules()), (["ReJSON-RL"], ["ReJSON-RL"]))
    assert verdict.word == UNKNOWN
    assert "ReJSON-RL" in verdict.why


def test_a_type_of_a_module_is_not_brought_and_has_its_name() -> None:
    why = answered(values._tried(b"key", None, False), (["MBbloom--"], []), ([], [0]))
    assert isinstance(why, Unreadable)
    assert "MBbloom--" in str(why)


def test_what_the_server_refuses_is_not_equal() -> None:
    refused = ServerError("NOPERM this user has no permissions")
    verdict = answered(compare._compared(b"key", Rules()), (["string"], ["string"]), ([refused], [b"x"]))
    assert verdict == Verdict(UNKNOWN, "it cannot be read: NOPERM this user has no permissions")


def test_two_types_are_two_things() -> None:
    assert answered(compare._judged(b"key", Rules()), (["set"], ["list"])).word == DIFFERENT
