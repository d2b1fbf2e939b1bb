"""Two caches compared: what is the same is equal whatever its form, and nothing else ever is."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import tally
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import batches, verify

from tests.component.transfer import data
from tests.component.transfer.programs import ALL
from tests.component.transfer.test_values import WAYS, bring_all

# A writer of a test is a thread, and processes are forked beside it, which have no use for it.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")


def binary(engine: Any) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., verify.Found]:
    """Compare two engines to the end, a short run after the other."""

    def until_done(source: Any, target: Any, seconds: float = 30.0, **more: Any) -> verify.Found:
        more = {"settle_seconds": 0.3, "latency_limit_ms": 0.0, **more}
        question = verify.Question(Side(source.url()), Side(target.url()), str(tmp_path / "state"), **more)
        while not (found := verify.go_on(question, seconds)).is_done:
            assert not found.is_equal and not found.is_complete
        return found

    return until_done


def against(found: verify.Found) -> dict[str, int]:
    return {word: count for word, count in found.state.tally.against.items() if count}


@pytest.fixture
def source(start_engine: Callable[..., Any]) -> Any:
    return start_engine()


@pytest.fixture
def target(start_engine: Callable[..., Any]) -> Any:
    return start_engine()


def restored(source: Any, target: Any) -> None:
    """All of it, by payloads."""
    ours, theirs = binary(source), binary(target)
    for number in range(16):
        ours.execute_command("SELECT", number)
        theirs.execute_command("SELECT", number)
        for key in ours.scan_iter(count=1000):
            ends = max(0, ours.pexpiretime(key))
            theirs.restore(key, ends, ours.dump(key), replace=True, absttl=True)
    data.functions(theirs)


# --- the same ---


def test_a_copy_by_payloads_is_equal(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    data.fill(binary(source))
    restored(source, target)

    found = compare(source, target)

    assert (found.is_equal, found.is_complete, against(found)) == (True, True, {})
    assert found.state.tally.compared == found.state.keys[0] == found.state.keys[1] > 60


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]} to {way[1]}")
def test_the_same_values_are_equal_in_whatever_release_and_encoding(
    way: tuple[str, str], start_engine: Callable[..., Any], compare: Callable[..., verify.Found]
) -> None:
    source = start_engine(program=ALL[way[0]]())
    small = ["hash-max-ziplist-entries 1", "zset-max-ziplist-entries 1", "set-max-intset-entries 1"]
    target = start_engine(*small, "list-max-ziplist-size 1", program=ALL[way[1]]())
    data.fill(binary(source))
    bring_all(source, target)
    data.functions(binary(target))

    found = compare(source, target)

    assert against(found) == {}
    assert found.is_complete
    assert dict(found.libraries) == ({"ours": "is not at the source"} if way[0] == "redis 6.2" else {}) or (
        "redis 6.2" in way
    )


def test_two_empty_caches_are_equal(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    assert compare(source, target).is_equal


def test_a_hyperloglog_that_was_counted_on_one_side_is_equal(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    for client in (binary(source), binary(target)):
        client.pfadd("few", *range(10))
        client.pfadd("many", *range(20000))
    binary(source).pfcount("few")
    binary(source).pfcount("many")

    assert binary(source).get("few") != binary(target).get("few")
    assert compare(source, target).is_equal


# --- not the same ---

Break = Callable[[redis.Redis, str], Any]


def flip(client: redis.Redis, key: str, bit: int) -> None:
    client.setbit(key, bit, 1 - client.getbit(key, bit))


def claim(*how: Any) -> Break:
    return lambda client, key: client.execute_command("XCLAIM", key, "readers", "one", 0, "10-0", *how)


# By what is broken: the key whose copy is, and how.
BREAKS: dict[str, tuple[str, Break]] = {
    "one bit of a short string": ("plain", lambda client, key: flip(client, key, 7)),
    "the last bit of a long string": ("noise:70000", lambda client, key: flip(client, key, 70000 * 8 - 1)),
    "a byte more": ("noise:16384", lambda client, key: client.append(key, "\0")),
    "an empty string that is none": ("empty", lambda client, key: client.set(key, " ")),
    "a number's form": ("number:007", lambda client, key: client.set(key, "7")),
    "one bit of a bitmap": ("bits", lambda client, key: client.setbit(key, 70000, 1)),
    "many registers": ("counted:many", lambda client, key: client.pfadd(key, *range(-9000, 0))),
    "a register": ("counted:few", lambda client, key: client.pfadd(key, "another")),
    "the type": ("list:1", lambda client, key: (client.delete(key), client.sadd(key, "0:"))),
    "the order of a list": ("list:3000", lambda client, key: client.lmove(key, key, "LEFT", "RIGHT")),
    "an element of a list": ("list:3000", lambda client, key: client.lset(key, 2999, "x")),
    "the length of a list": ("list:3", lambda client, key: client.rpush(key, "")),
    "a member of a small set": ("set:3", lambda client, key: (client.srem(key, "0:"), client.sadd(key, "x"))),
    "a member of a set": ("set:3000", lambda client, key: (client.srem(key, "0:"), client.sadd(key, "x"))),
    "a whole number": ("whole:3000", lambda client, key: (client.srem(key, 0), client.sadd(key, 1))),
    "a member too many": ("set:200", lambda client, key: client.sadd(key, "x")),
    "a score": ("zset:3000", lambda client, key: client.zincrby(key, 1e-9, "0:")),
    "an infinite score": ("zset:ends", lambda client, key: client.zadd(key, {"most": 1.7e308})),
    "a member of a sorted set": ("zset:3000", lambda client, key: (client.zrem(key, "0:"), client.zadd(key, {"x": 0}))),
    "a value of a hash": ("hash:3000", lambda client, key: client.hset(key, "0:", "x")),
    "a value of a small hash": ("hash:empty", lambda client, key: client.hset(key, "a", "x")),
    "a field of a hash": ("hash:3000", lambda client, key: (client.hdel(key, "0:"), client.hset(key, "x", ":0"))),
    "an entry": ("stream", lambda client, key: client.xdel(key, "250-0")),
    "the last id": ("stream", lambda client, key: client.execute_command("XSETID", key, "501-0")),
    "the count of entries": (
        "stream",
        lambda client, key: client.execute_command("XSETID", key, "500-2", "ENTRIESADDED", 999, "MAXDELETEDID", "5-1"),
    ),
    "a group more": ("stream", lambda client, key: client.xgroup_create(key, "other", id="$")),
    "a group's position": ("stream", lambda client, key: client.xgroup_setid(key, "idle", "499-0")),
    "a consumer": ("stream", lambda client, key: client.xgroup_createconsumer(key, "idle", "somebody")),
    "a pending entry": ("stream", lambda client, key: client.xack(key, "readers", "10-0")),
    "whose a pending entry is": (
        "stream",
        lambda client, key: client.execute_command("XCLAIM", key, "readers", "two", 0, "10-0", "RETRYCOUNT", 1),
    ),
    "how often one was delivered": ("stream", claim("RETRYCOUNT", 5)),
    "when one was delivered": ("stream", claim("IDLE", 3600000, "RETRYCOUNT", 1)),
    "that it expires": ("plain", lambda client, key: client.pexpireat(key, data.EVER)),
    "that it lasts": ("until", lambda client, key: client.persist(key)),
    "when it expires": ("until", lambda client, key: client.pexpireat(key, data.EVER + 123 + 2000)),
    "when a hash expires": ("hash:until", lambda client, key: client.pexpireat(key, data.EVER - 2000)),
}


def test_nothing_that_was_broken_is_equal(
    source: Any, target: Any, compare: Callable[..., verify.Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tally, "NAMES", 1000)
    data.fill(binary(source))
    for what, (key, _break_it) in BREAKS.items():
        assert binary(source).copy(key, what)
    restored(source, target)
    for what, (_key, break_it) in BREAKS.items():
        break_it(binary(target), what)

    found = compare(source, target)

    assert not found.is_equal
    assert found.is_complete
    named = {one["key"] for one in found.state.tally.names["different"]}
    assert set(BREAKS) - named == set()
    assert against(found) == {"different": len(BREAKS)}


def test_a_ttl_within_the_tolerance_is_equal(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    binary(source).set("key", "x", pxat=data.EVER)
    binary(target).set("key", "x", pxat=data.EVER + 2000)

    assert against(compare(source, target, ttl_tolerance_ms=1000)) == {"different": 1}
    assert compare(source, target, ttl_tolerance_ms=3000).is_equal


def test_ttls_of_hash_fields_are_compared(
    start_engine: Callable[..., Any], compare: Callable[..., verify.Found]
) -> None:
    source, target = (start_engine(program=ALL["valkey 9"]()) for _side in range(2))
    for client in (binary(source), binary(target)):
        data.fields_with_ttl(client)
    assert compare(source, target).is_equal

    binary(target).execute_command("HPEXPIREAT", "hash:fields:2", data.EVER + 5000, "FIELDS", 1, "f1")
    binary(target).execute_command("HPEXPIREAT", "hash:fields:900", data.EVER, "FIELDS", 1, "f899")

    assert against(compare(source, target)) == {"different": 2}


def test_what_one_side_lacks_is_named_in_both_directions(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    for number in range(300):
        binary(source).set(f"key:{number}", number)
        binary(target).set(f"key:{number + 1}", number + 1)
    binary(target).execute_command("SET", b"\xff\x00", "x")

    found = compare(source, target)

    assert against(found) == {"missing": 1, "extra": 2}
    names = found.state.tally.names
    assert [one["key"] for one in names["missing"]] == ["key:0"]
    assert sorted(one["key"] for one in names["extra"]) == ["\\xff?", "key:300"]


def test_all_databases_are_compared(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    binary(source).execute_command("SELECT", 0)
    for engine in (source, target):
        redis.Redis.from_url(engine.url(database=9)).set("key", "x")
    redis.Redis.from_url(source.url(database=5)).set("only", "here")
    redis.Redis.from_url(target.url(database=3)).set("only", "there")

    found = compare(source, target)

    assert against(found) == {"missing": 1, "extra": 1}
    assert [one["database"] for word in ("missing", "extra") for one in found.state.tally.names[word]] == [5, 3]


def test_a_database_that_the_target_does_not_serve_is_missing(
    source: Any, start_engine: Callable[..., Any], compare: Callable[..., verify.Found]
) -> None:
    target = start_engine("databases 2")
    redis.Redis.from_url(source.url(database=9)).set("key", "x")

    found = compare(source, target)

    assert against(found) == {"missing": 1}
    assert "database 9 is not served" in found.state.tally.names["missing"][0]["why"]


def test_functions_are_compared(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    data.functions(binary(source))
    assert dict(compare(source, target).libraries) == {"ours": "is missing"}

    code = "#!lua name=ours\nredis.register_function('one', function() return 2 end)"
    binary(target).execute_command("FUNCTION", "LOAD", code)
    found = compare(source, target)
    assert (found.is_equal, dict(found.libraries)) == (False, {"ours": "has other code"})


def test_what_may_not_be_read_is_not_equal(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    for engine in (source, target):
        client = binary(engine)
        client.mset({"open:1": "x", "closed:1": "x"})
        client.execute_command("ACL", "SETUSER", "default", "resetkeys", "~open:*")

    found = compare(source, target)

    assert (found.is_equal, found.is_complete) == (False, False)
    assert against(found) == {"unknown": 1}


def test_without_payloads_and_sizes_it_compares_all_the_same(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    data.fill(binary(source))
    restored(source, target)
    binary(target).append("plain", "x")
    for engine in (source, target):
        binary(engine).execute_command("ACL", "SETUSER", "default", "-dump", "-memory|usage")

    assert against(compare(source, target)) == {"different": 1}
    assert compare(target, target).is_equal


def test_a_sample_is_never_complete(source: Any, target: Any, compare: Callable[..., verify.Found]) -> None:
    for engine in (source, target):
        binary(engine).mset({f"key:{number}": number for number in range(3000)})

    found = compare(source, target, sample=500)

    assert (found.is_equal, found.is_complete, found.state.sample) == (True, False, 500)
    assert 0 < found.state.tally.compared <= 500
    assert compare(source, target, sample=3000).is_complete
    binary(target).flushall()
    assert not compare(source, target, sample=500).is_equal


# --- while things change ---


@pytest.fixture
def writing() -> Iterator[Callable[..., None]]:
    """Does something again and again beside the test, until its end."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def begin(write: Callable[[int], Any], pause: float = 0.002) -> None:
        def go_on() -> None:
            for number in itertools.count():
                if over.wait(pause):
                    return
                write(number)

        threads.append(threading.Thread(target=go_on))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


def follow(source: Any, target: Any) -> None:
    binary(target).replicaof("127.0.0.1", source.port)
    deadline = time.monotonic() + 20
    while binary(target).info("replication")["master_link_status"] != "up":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_is_written_while_its_writes_follow_is_equal(
    source: Any, target: Any, compare: Callable[..., verify.Found], writing: Callable[..., None]
) -> None:
    client = binary(source)
    client.mset({f"key:{number}": number for number in range(3000)})
    follow(source, target)
    writing(lambda number: client.mset({f"key:{number % 3000}": f"new {number}", f"more:{number}": number}))

    found = compare(source, target)

    assert (against(found), found.is_equal) == ({}, True)
    assert found.state.tally.compared >= 3000


def test_a_key_that_never_comes_to_rest_is_told_as_that(
    source: Any, target: Any, compare: Callable[..., verify.Found], writing: Callable[..., None]
) -> None:
    binary(target).set("key", "old")
    client = binary(source)
    client.set("key", "x")
    writing(lambda number: client.set("key", number))

    found = compare(source, target, settle_seconds=0.2)

    assert (found.is_equal, found.is_complete, against(found)) == (False, False, {"changing": 1})


def test_a_key_that_differs_for_a_moment_is_equal(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    for engine in (source, target):
        binary(engine).set("key", "x")
    binary(source).set("key", "new")
    late = threading.Timer(0.8, lambda: binary(target).set("key", "new"))
    late.start()

    assert compare(source, target, settle_seconds=5.0).is_equal
    late.join()


def test_keys_that_expire_meanwhile_count_for_nothing(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    for number in range(200):
        binary(source).set(f"short:{number}", "x", px=400 + number)
    binary(source).set("key", "x")
    binary(target).set("key", "x")

    found = compare(source, target, settle_seconds=2.0)

    assert (found.is_equal, against(found)) == (True, {})


# --- going on ---


def question_of(source: Any, target: Any, folder: Path, **more: Any) -> verify.Question:
    common = {"settle_seconds": 0.2, "latency_limit_ms": 0.0, "processes": 1}
    return verify.Question(Side(source.url()), Side(target.url()), str(folder), **{**common, **more})


def test_a_comparison_that_is_killed_goes_on_and_misses_nothing(source: Any, target: Any, tmp_path: Path) -> None:
    for engine in (source, target):
        binary(engine).mset({f"key:{number}": number for number in range(20000)})
    binary(target).set("key:777", "other")
    question = question_of(source, target, tmp_path / "state", rate=40000)
    kills = 0
    for seconds in (0.3, 0.4, 0.5):
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            verify.go_on(question, 60)
            os._exit(0)
        time.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        kills += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
        while jobs.is_running(question.folder):  # what it had forked ends by itself
            time.sleep(0.01)

    before = json.loads((tmp_path / "state" / verify.STATE).read_text())
    while not (found := verify.go_on(question, 60)).is_done:
        pass

    assert kills
    assert found.state.began == before["began"]
    assert (found.is_equal, found.is_complete, against(found)) == (False, True, {"different": 1})
    assert found.state.tally.compared == 20000


def wait_for(engine: Any) -> None:
    deadline = time.monotonic() + 20
    while True:
        with contextlib.suppress(redis.ConnectionError, redis.BusyLoadingError):
            if binary(engine).ping():
                return
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_engine_that_was_started_anew_has_it_begin_anew(
    source: Any, target: Any, start_engine: Callable[..., Any], tmp_path: Path
) -> None:
    for engine in (source, target):
        binary(engine).mset({f"key:{number}": number for number in range(5000)})
    question = question_of(source, target, tmp_path / "state")
    begun = verify.go_on(question, 0.0)
    assert 0 < begun.state.tally.scanned < 5000

    binary(source).save()
    source.stop()
    subprocess.run(["sed", "-i", f"s/^port .*/port {source.port}/", source.folder / "redis.conf"], check=True)
    again = subprocess.Popen(["redis-server", source.folder / "redis.conf"], stdout=subprocess.DEVNULL)
    try:
        wait_for(source)
        found = verify.go_on(question, 60)
        assert found.state.restarts == 1
        assert found.state.tally.compared == 5000
        assert found.is_equal
    finally:
        again.kill()
        again.wait()


def test_what_was_left_long_ago_is_begun_anew(source: Any, target: Any, tmp_path: Path) -> None:
    for engine in (source, target):
        binary(engine).mset({f"key:{number}": number for number in range(5000)})
    question = question_of(source, target, tmp_path / "state")
    began = verify.go_on(question, 0.0).state.began

    state = tmp_path / "state" / verify.STATE
    state.write_text(json.dumps({**json.loads(state.read_text()), "saved": time.time() - verify.OLDEST_STATE - 1}))

    assert verify.go_on(question, 60).state.began > began


def test_two_at_once_are_refused(source: Any, target: Any, tmp_path: Path) -> None:
    question = question_of(source, target, tmp_path / "state")
    with jobs.only_one(question.folder), pytest.raises(verify.NotCompared):
        verify.go_on(question, 1)


def test_keys_that_scan_does_not_give_are_counted(
    source: Any, target: Any, compare: Callable[..., verify.Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    for engine in (source, target):
        binary(engine).mset({f"key:{number}": number for number in range(3000)})
    scanned = batches._Worker._scanned

    def all_but_one(*of: Any) -> tuple[list[bytes], bytes]:
        keys, after = scanned(*of)
        return keys[1:], after

    monkeypatch.setattr(batches._Worker, "_scanned", all_but_one)

    found = compare(source, target)

    assert (found.is_equal, found.is_complete) == (False, False)
    assert found.unseen > 2
    assert against(found) == {}


@pytest.mark.long
def test_a_set_of_a_million_members_takes_little_memory(
    source: Any, target: Any, compare: Callable[..., verify.Found]
) -> None:
    for engine in (source, target):
        for start in range(0, 1_000_000, 50_000):
            binary(engine).sadd("set", *(b"member:%d" % number for number in range(start, start + 50_000)))
    assert compare(source, target).is_equal
    binary(target).srem("set", "member:999999")
    binary(target).sadd("set", "member:1000000")
    assert against(compare(source, target)) == {"different": 1}
    for engine in (source, target):
        assert binary(engine).info("clients")["client_recent_max_output_buffer"] < 4_000_000
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 200_000  # with all that a test has loaded
