"""What a transfer decides without an engine: its parts, how much when, and the lines that people read."""

from __future__ import annotations

import json

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import columns, guard, job
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import finding, ranges
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.restoring import (
    Batch,
    Manner,
    requests,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Progress
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import command, raw
from hypothesis import given
from hypothesis import strategies as st

# --- parts ---


def after(cursor: int, bits: int) -> int:
    """The cursor after one bucket of a table of 2**bits, as dictScan has it."""
    reversed_bits = int(format(cursor % 2**bits, f"0{bits}b")[::-1], 2) + 1
    return int(format(reversed_bits % 2**bits, f"0{bits}b")[::-1], 2)


LARGEST = 9  # bits


@given(before=st.integers(3, LARGEST), later=st.integers(3, LARGEST), resized_at=st.integers(0, 40))
def test_the_parts_of_a_table_are_all_of_its_buckets_though_it_is_resized_meanwhile(before, later, resized_at):
    seen = set()
    for part in ranges.parts_of("here", {0: 1_000_000}, one_table=True):
        cursor, step = part.cursor, 0
        while step == 0 or part.has(cursor):
            bits = before if step < resized_at else later
            seen |= {bucket for bucket in range(2**LARGEST) if bucket % 2**bits == cursor % 2**bits}
            cursor, step = after(cursor, bits), step + 1
    assert seen == set(range(2**LARGEST))


def test_each_bucket_is_in_one_part():
    ends = []
    for part in ranges.parts_of("here", {0: 1_000_000}, one_table=True):
        ends.append(part.cursor)
        cursor = after(part.cursor, 6)
        while part.has(cursor):
            ends.append(cursor)
            cursor = after(cursor, 6)
    assert sorted(ends) == list(range(64))


def test_small_databases_and_those_of_another_kind_are_one_part():
    assert len(ranges.parts_of("here", {0: 100, 3: 50_000}, one_table=True)) == 1 + 8
    assert len(ranges.parts_of("here", {0: 50_000}, one_table=False)) == 1


def test_databases_that_came_since_are_missing():
    parts = ranges.parts_of("here", {0: 10}, one_table=True)
    assert ranges.missing(parts, {"here": {0: 12, 2: 1}, "there": {0: 5}}) == {"here": {2: 1}, "there": {0: 5}}
    assert ranges.from_dicts(json.loads(json.dumps(ranges.as_dicts(parts)))) == parts


# --- how much when ---


def test_a_slow_source_is_left_alone_for_longer_each_time_and_a_fast_one_for_shorter():
    watch = guard.Guard(10)
    assert watch.measured(9.9) == 0
    slow = [watch.measured(11) for _time in range(12)]
    assert slow == sorted(slow) and slow[0] > 0 and slow[-1] == 2.0
    fast = [watch.measured(1) for _time in range(40)]
    assert fast == sorted(fast, reverse=True) and fast[-1] == 0


def test_without_a_limit_nothing_is_slow():
    assert guard.Guard(0).measured(10_000) == 0


@given(st.lists(st.integers(1, 500), min_size=2, max_size=50), st.integers(10, 100_000))
def test_a_pace_is_never_faster_than_its_rate(batches, rate):
    pace, now = guard.Pace(rate, 0.0), 0.0
    for keys in batches:
        now += pace.rest(keys, now)
    assert now >= (sum(batches) - batches[-1]) / rate * 0.999


def test_a_pace_owes_nothing_for_a_time_in_which_less_was_copied():
    pace = guard.Pace(100, 0.0)
    assert pace.rest(100, 10.0) == 0
    assert pace.rest(100, 10.0) == 1.0


def test_a_batch_is_as_small_as_the_limit_of_latency_wants():
    assert [guard.most_keys(limit) for limit in (0, 100, 1, 0.01)] == [256, 256, 100, 16]


# --- what is sent and told ---

WORDS = st.binary(max_size=9) | st.sampled_from([b"\r\n$3\r\nabc", b"$-1\r\n", b"\r\n-ERR no\r\n", b"\r\n"])
ROWS = st.lists(st.tuples(WORDS, WORDS, st.integers(0, 10**14)), max_size=5)


@given(ROWS, st.booleans())
def test_requests_by_columns_are_those_key_by_key(rows, has_idles):
    idles = [b"7"] * len(rows) if has_idles else []
    last = [b"ABSTTL", b"REPLACE", *((b"IDLETIME", b"7") if has_idles else ())]
    expected = [wanted(b"RESTORE", key, b"%d" % until, value, *last) for key, value, until in rows]
    manner = Manner(replaces=True, idle_word=b"IDLETIME")
    assert requests(batch_of(rows, idles), manner) == b"".join(expected)


@given(ROWS)
def test_texts_are_set_with_their_times(rows):
    times = [(b"PXAT", b"%d" % until) if until else () for _key, _value, until in rows]
    expected = [wanted(b"SET", key, value, *time) for (key, value, _until), time in zip(rows, times)]
    assert requests(batch_of(rows, [], are_texts=True), Manner(replaces=True)) == b"".join(expected)


def batch_of(rows, idles, are_texts=False) -> Batch:
    spelled = [(columns.spell(key), columns.spell(value), b"%d" % until) for key, value, until in rows]
    return Batch(*([row[place] for row in spelled] for place in range(3)), idles, are_texts)


def wanted(*words: bytes) -> bytes:
    return command(*map(raw, words))


@given(st.lists(WORDS, max_size=5), st.lists(WORDS, min_size=1, max_size=2), st.lists(WORDS, max_size=2))
def test_a_command_for_each_key_is_written_as_for_one(keys, first, last):
    expected = b"".join(wanted(*first, key, *last) for key in keys)
    assert columns.each(first, list(map(columns.spell, keys)), last) == expected


@given(st.lists(WORDS | st.none() | st.sampled_from(["ERR no", "WRONGTYPE Operation"]), max_size=6))
def test_what_was_told_is_parted_right_whatever_values_hold(answers):
    told = b"".join(
        b"$-1\r\n" if answer is None else raw(answer) if isinstance(answer, bytes) else b"-%b\r\n" % answer.encode()
        for answer in answers
    )
    found = columns.bulks(told, len(answers))
    told_apart = [
        str(one) if isinstance(one, ServerError) else None if one == columns.NOT_THERE else columns.word_of(one)
        for one in found
    ]
    assert told_apart == answers


@given(st.lists(WORDS, max_size=6))
def test_a_scan_is_its_cursor_and_its_keys(keys):
    told = b"*2\r\n$2\r\n17\r\n*%d\r\n" % len(keys) + b"".join(map(raw, keys))
    assert columns.scanned(told) == (17, list(map(columns.spell, keys)))


class Scanned:
    """A source that answers to SCAN alone, with these pages: cursor and keys."""

    def __init__(self, *pages: tuple[int, list[bytes]]) -> None:
        self._pages, self._asked = list(pages), ()

    def ask(self, *blocks: bytes) -> None:
        self._asked = blocks

    def told(self) -> list[bytes]:
        return [self._page() if b"SCAN" in block else b":50\r\n" * block.count(b"MEMORY") for block in self._asked]

    def _page(self) -> bytes:
        cursor, keys = self._pages.pop(0)
        return b"*2\r\n%b*%d\r\n" % (raw(b"%d" % cursor), len(keys)) + b"".join(map(raw, keys))


def test_pages_without_keys_are_no_end_and_move_the_cursor():
    source = Scanned((8, []), (16, [b"a"]), (24, []), (32, []), (40, [b"b", b"c"]), (0, []))
    finder = finding.Finder(ranges.Part("here", 0), 256, finds_texts=False)
    found = []
    while (chunk := finder.next(source)) is not None:
        found.append((chunk.cursor, list(map(columns.word_of, chunk.others))))
    assert found == [(8, []), (16, [b"a"]), (24, []), (32, []), (40, [b"b", b"c"]), (0, [])]


def test_a_chunk_has_as_many_keys_and_bytes_as_it_may():
    chunks = finding.by_weight([b"a", b"b", b"c", b"d", b"e"], [1, finding.HEAVY + 1, 2, 2, 2], 2)
    assert [(chunk.others, chunk.heavy) for chunk in chunks] == [
        ([b"a"], []),
        ([], [b"b"]),
        ([b"c", b"d"], []),
        ([b"e"], []),
    ]


# --- lines ---


def test_how_far_it_is_is_one_line():
    far = Progress(job.COPYING, keys_done=412_000, keys_total=1_000_000, rate=98_000, eta_seconds=6)
    assert job.phrase(far) == "copied 412,000 of 1,000,000 keys (41 %), 98,000/s, 6 s left"
    following = Progress(job.FOLLOWING, lag_ms=0.9)
    assert job.phrase(following).startswith("following: 0.9 ms behind, 0 bytes")
    done = Progress(job.DONE, keys_done=10, left_out_count=2, began=100, now=103)
    assert job.phrase(done) == "copied 10 keys in 3 s, 2 left out"
    slow = Progress(job.COPYING, keys_done=1, slowed_ms=40, slowed_why="the source is slow")
    assert job.phrase(slow) == "copied 1 keys; slowed by 40 ms: the source is slow"
