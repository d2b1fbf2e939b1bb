"""Strategy copy between real engines: all comes along, whatever happens meanwhile, or it is said why not."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import running, sides
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy, copying
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side

from bench import mixed
from tests.component.transfer import data
from tests.component.transfer.programs import ALL

LONG = pytest.mark.long
WAYS = [
    ("redis 6.2", "redis 7.0"),
    pytest.param("redis 7.0", "redis 7.0", marks=LONG),
    pytest.param("redis 6.2", "valkey 8.0", marks=LONG),
    ("redis 7.0", "valkey 8.0"),
    pytest.param("redis 7.0", "valkey 9", marks=LONG),
    pytest.param("valkey 8.0", "valkey 9", marks=LONG),
    ("valkey 9", "valkey 9"),
]
REFUSED_PAYLOADS = [
    ("redis 7.0", "redis 6.2"),
    pytest.param("valkey 9", "redis 7.0", marks=LONG),
    pytest.param("valkey 9", "valkey 8.0", marks=LONG),
]
# What a stream tells from Redis 7.0 on.
SINCE_7 = (b"entries-added", b"max-deleted-entry-id", b"recorded-first-entry-id", b"entries-read")
Made = Callable[..., Job]


def binary(engine: object) -> redis.Redis:
    return redis.Redis.from_url(engine.url(), socket_timeout=60)


@pytest.fixture
def job(tmp_path: Path) -> Made:
    def make(source: Any, target: Any, **options: Any) -> Job:
        given = {"strategy": "copy", "folder": str(tmp_path / "transfer"), "latency_limit_ms": 0, **options}
        return Job(Side(source.url(), tls_as_app=True), Side(target.url()), **given)

    return make


@pytest.fixture
def pair(start_engine: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    def start(source: str = "redis 7.0", target: str = "redis 7.0", *lines: str) -> tuple[Any, Any]:
        return start_engine(*debug(source), program=ALL[source]()), start_engine(
            *debug(target), *lines, program=ALL[target]()
        )

    return start


def debug(release: str) -> list[str]:
    return [] if release == "redis 6.2" else ["enable-debug-command local"]


def same(source: Any, target: Any) -> bool:
    """By the engines' own digest of all that they hold, which is quick and takes a time of expiry for any other."""
    left, right = (binary(engine).execute_command("DEBUG", "DIGEST") for engine in (source, target))
    assert left == right and int(left, 16)
    return True


def copied(job: Job) -> Progress:
    """The end of a whole run, in this process."""
    told: list[Progress] = []
    assert copy.check(job) == []
    copy.run(job, told.append)
    assert told[-1].phase == jobs.DONE
    return told[-1]


def alike(source: Any, target: Any) -> bool:
    left, right = (data.without(data.everything(binary(engine)), SINCE_7) for engine in (source, target))
    assert left.keys() == right.keys()
    assert {key for key in left if left[key] != right[key]} == set()
    return True


# --- what comes along ---


@pytest.mark.parametrize(("source", "target"), WAYS, ids=lambda name: name.replace(" ", "-"))
def test_every_type_and_encoding_of_every_database_comes_along(source, target, pair, job):
    old, new = pair(source, target)
    data.fill(binary(old))
    end = copied(job(old, new))
    assert alike(old, new)
    assert (end.keys_done, end.left_out_count) == (end.keys_total, 0)
    assert not [note for note in end.notes if "by what they hold" in note], "payloads are taken"
    if source != "redis 6.2":
        assert binary(new).execute_command("FUNCTION", "LIST") == binary(old).execute_command("FUNCTION", "LIST")


def test_texts_come_along_as_what_they_hold_whatever_that_is(pair, job):
    """Long and empty ones by their payload, as an answer of a bounded size does not tell all of them."""
    old, new = pair()
    client = binary(old)
    client.mset({f"page:{number}": b"x" * (number % 90) for number in range(5000)})
    awkward = [
        b"",
        b"\r\n$3\r\nabc",
        b"\r\n-ERR no",
        b"$-1\r\n",
        b"\r\n",
        b"17",
        *(b"y" * n for n in (16383, 16384, 16385, 70000)),
    ]
    for place, value in enumerate(awkward):
        client.set(b"\r\n$%d\r\n" % place, value, pxat=data.EVER + place)
    this = job(old, new)
    assert copy.ways_of(this, *map(sides.look, (this.source, this.target))).tells_texts
    end = copied(this)
    assert same(old, new)
    assert (end.keys_done, end.left_out_count, end.notes) == (5000 + len(awkward), 0, ())
    calls = binary(new).info("commandstats")
    assert calls["cmdstat_restore"]["calls"] < 100 < calls["cmdstat_set"]["calls"]


@pytest.mark.parametrize(("source", "target"), REFUSED_PAYLOADS, ids=lambda name: name.replace(" ", "-"))
def test_where_the_target_refuses_the_payloads_keys_go_by_what_they_hold(source, target, pair, job):
    old, new = pair(source, target)
    data.fill(binary(old))
    if target == "redis 6.2":
        binary(old).execute_command("FUNCTION", "FLUSH")
    told: list[Progress] = []
    assert copy.check(job(old, new)) == []
    copy.run(job(old, new), told.append)
    with_field_times = [entry["key"] for entry in told[-1].left_out]
    assert {name.partition(":")[2].partition(":")[0] for name in with_field_times} <= {"fields"}
    for name in with_field_times:
        binary(old).delete(name)
    assert any("by what they hold" in note for note in told[-1].notes)
    assert alike(old, new)


@LONG
def test_a_large_value_goes_in_parts_and_alone(pair, job, monkeypatch):
    old, new = pair()
    pipeline = binary(old).pipeline(transaction=False)
    for start in range(0, 1_000_000, 5000):
        pipeline.sadd("members", *range(start, start + 5000))
    pipeline.execute()
    binary(old).set("small", "x")
    end = copied(job(old, new))
    assert any("1 keys went by what they hold" in note for note in end.notes)
    assert binary(new).scard("members") == 1_000_000
    assert alike(old, new)


def test_absolute_times_and_idle_times_come_along(pair, job):
    old, new = pair("redis 7.0", "redis 7.0", "maxmemory 100mb", "maxmemory-policy volatile-lru")
    client = binary(old)
    client.set("until", "x", pxat=data.EVER + 7)
    client.mset({f"ever:{number}": "x" for number in range(30)})
    time.sleep(3.1)
    copied(job(old, new))
    assert binary(new).pexpiretime("until") == data.EVER + 7
    assert binary(new).pexpiretime("ever:1") == -1
    idle = [binary(new).object("idletime", f"ever:{number}") for number in range(30)]
    assert sum(seconds >= 2 for seconds in idle) > 25, "all but those by which the form of payloads was seen"


def test_how_often_a_key_is_used_comes_along_where_both_evict_by_that(start_engine, job):
    rule = ("maxmemory 100mb", "maxmemory-policy allkeys-lfu", "lfu-log-factor 0")
    old, new = start_engine(*rule), start_engine(*rule)
    binary(old).set("often", "x")
    for _time in range(40):
        binary(old).get("often")
    copied(job(old, new))
    assert binary(new).object("freq", "often") > 30


@LONG
def test_times_of_a_source_that_tells_none_but_what_is_left_are_right_to_some_milliseconds(pair, job):
    old, new = pair("redis 6.2", "redis 7.0")
    binary(old).set("session", "x", px=60_000)
    before = time.time() * 1000 + binary(old).pttl("session")
    copied(job(old, new))
    assert abs(binary(new).pexpiretime("session") - before) < 50


def test_all_of_many_keys_come_along_in_parts_side_by_side(pair, job):
    old, new = pair()
    mixed.fill(old.port, 30_000)
    end = copied(job(old, new, processes=3))
    assert same(old, new)
    assert binary(new).dbsize() <= end.keys_done < 1.1 * end.keys_total
    assert {part["of"] for part in jobs.read(job(old, new).folder, copying.STATE)["parts"]} == {8}


def test_what_is_renewed_or_goes_while_it_is_copied_is_not_there_half(pair, job):
    """A value has the time that its key had then or later, and what is gone at the source is gone at the target."""
    old, new = pair()
    client = binary(old)
    pipeline = client.pipeline(transaction=False)
    for number in range(20_000):
        pipeline.set(f"session:{number}", "x", px=600_000)
    for number in range(2000):
        pipeline.set(f"short:{number}", "x", px=300 + number % 700)
    pipeline.execute()
    stop = threading.Event()

    def renew() -> None:
        with binary(old) as other:
            for number in itertools.cycle(range(20_000)):
                other.persist(f"session:{number}")
                if stop.is_set():
                    return

    writer = threading.Thread(target=renew)
    writer.start()
    try:
        copied(job(old, new, rate=30_000))
    finally:
        stop.set()
        writer.join()
    time.sleep(1.1)
    assert {int(key.rpartition(b":")[2]) for key in binary(new).scan_iter("session:*", count=5000)} == set(
        range(20_000)
    )
    assert list(binary(new).scan_iter("short:*", count=5000)) == []


# --- keys that the target has ---


def test_a_target_with_keys_is_refused_with_the_option_that_says_what_to_do(pair, job):
    old, new = pair()
    binary(old).set("a", "new")
    binary(new).set("a", "old")
    [reason] = copy.check(job(old, new))
    assert "holds 1 keys already" in reason and "migration_transfer_target_keys" in reason
    assert binary(new).get("a") == b"old"


@pytest.mark.parametrize(("target_keys", "found"), [("keep", b"old"), ("replace", b"new")])
def test_told_so_they_stay_or_are_overwritten_and_others_stay(target_keys, found, pair, job):
    old, new = pair()
    binary(old).mset({"a": "new", "b": "new"})
    binary(new).mset({"a": "old", "c": "old"})
    end = copied(job(old, new, target_keys=target_keys))
    assert binary(new).mget("a", "b", "c") == [found, b"new", b"old"]
    assert any("1 keys at most stayed" in note for note in end.notes) == (target_keys == "keep")


def test_the_same_engine_on_both_sides_is_refused(start_engine, job):
    one = start_engine()
    assert "the same engine" in copy.check(job(one, one))[0]


def test_databases_that_the_target_does_not_serve_are_refused_with_their_keys(pair, job):
    old, new = pair("redis 7.0", "redis 7.0", "databases 2")
    binary(old).execute_command("MSET", "a", "1")
    redis.Redis.from_url(old.url(database=9)).set("b", "2")
    [reason] = copy.check(job(old, new))
    assert "9 (1 keys)" in reason


# --- a target without room ---


def test_a_target_with_too_little_memory_is_refused_before_anything_is_written(pair, job):
    old, new = pair("redis 7.0", "redis 7.0", "maxmemory 5mb")
    mixed.fill(old.port, 30_000)
    [reason] = copy.check(job(old, new))
    assert "has 5 MiB" in reason and "migration_cache_node_type" in reason
    assert binary(new).dbsize() == 0


def test_one_that_is_full_meanwhile_ends_it_and_it_goes_on_when_there_is_room(pair, job):
    old, new = pair("redis 7.0", "redis 7.0", "maxmemory 5mb")
    mixed.fill(old.port, 30_000)
    with pytest.raises(TransferRefused, match="the target is full"):
        copy.run(job(old, new), lambda _progress: None)
    binary(new).config_set("maxmemory", 0)
    copied(job(old, new))
    assert same(old, new)


@LONG
def test_one_that_evicts_what_was_copied_is_never_done(pair, job):
    old, new = pair("redis 7.0", "redis 7.0", "maxmemory 5mb", "maxmemory-policy allkeys-lru")
    mixed.fill(old.port, 30_000)
    with pytest.raises(TransferRefused, match="evicted"):
        copy.run(job(old, new), lambda _progress: None)


# --- what happens meanwhile ---


def test_killed_at_random_points_it_goes_on_and_all_is_there(pair, job):
    old, new = pair()
    mixed.fill(old.port, 20_000)
    this, rng, keys = job(old, new, rate=20_000), random.Random(7), [0]
    for number in range(6):
        assert running.start(this, copy.run)
        if number % 2:  # else it may not even have looked at both sides
            wait_for(lambda: known_keys(this) > keys[-1])
        time.sleep(rng.uniform(0, 0.1))
        kill(this.folder)
        keys.append(known_keys(this))
    end = ended(this)
    assert same(old, new)
    assert end.restarts >= 6
    assert end.keys_done < 1.5 * end.keys_total, "what was copied is not copied again"
    assert keys == sorted(keys)


def known_keys(this: Job) -> int:
    return (jobs.progress_of(this.folder) or Progress()).keys_done


def kill(folder: str) -> None:
    with open(os.path.join(folder, jobs.LOCK), encoding="ascii") as file:
        group = int(file.read())
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    wait_for(lambda: not jobs.is_running(folder))


def ended(this: Job) -> Progress:
    running.start(this, copy.run)
    wait_for(lambda: not jobs.is_running(this.folder))
    found = jobs.progress_of(this.folder)
    assert found and found.phase == jobs.DONE, found
    return found


def wait_for(condition: Callable[[], bool], seconds: float = 100) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@LONG
def test_when_the_one_that_watches_is_killed_those_that_copy_end_too(pair, job):
    old, new = pair()
    mixed.fill(old.port, 40_000)
    this = job(old, new, rate=10_000)
    running.start(this, copy.run)
    wait_for(lambda: known_keys(this) > 0)
    [watcher] = [pid for pid in processes_of(this.folder) if parent_of(pid) not in processes_of(this.folder)]
    os.kill(watcher, signal.SIGKILL)
    wait_for(lambda: not jobs.is_running(this.folder), 30)
    assert jobs.progress_of(this.folder).phase == jobs.COPYING


def processes_of(folder: str) -> list[int]:
    with open(os.path.join(folder, jobs.LOCK), encoding="ascii") as file:
        group = int(file.read())
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.getpgid(int(name)) == group:
                found.append(int(name))
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@LONG
def test_a_source_that_is_started_anew_is_copied_anew_as_its_cursors_are_others(pair, job):
    old, new = pair()
    mixed.fill(old.port, 20_000)
    binary(old).save()
    this = job(old, new, rate=10_000)
    running.start(this, copy.run)
    wait_for(lambda: known_keys(this) > 2000)
    old.stop()
    again = subprocess.Popen(["redis-server", str(old.folder / "redis.conf")], stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: not jobs.is_running(this.folder))
        end = jobs.progress_of(this.folder)
        assert end and end.phase == jobs.DONE, end
        assert any("copied anew 1 times" in note for note in end.notes)
        assert same(old, new)
    finally:
        again.kill()
        again.wait(10)


# --- how fast ---


def test_a_rate_is_kept(pair, job):
    old, new = pair()
    mixed.fill(old.port, 4000)
    began = time.monotonic()
    end = copied(job(old, new, rate=4000))
    assert time.monotonic() - began > 0.7
    assert end.slowed_ms > 300


def test_it_slows_down_while_the_source_is_slow_and_says_so(pair, job):
    old, new = pair()
    mixed.fill(old.port, 20_000)
    told: list[Progress] = []

    def be_slow() -> None:
        for _time in range(20):
            binary(old).execute_command("DEBUG", "SLEEP", "0.05")

    slow = threading.Thread(target=be_slow)
    slow.start()
    copy.run(job(old, new, latency_limit_ms=25, rate=20_000), told.append)
    slow.join()
    assert any("migration_transfer_latency_limit" in progress.slowed_why for progress in told)
    assert told[-1].slowed_ms > 0
    assert same(old, new)


# --- taking it back ---


def test_what_was_copied_is_taken_away_where_the_target_was_empty_before(pair, job):
    old, new = pair()
    data.fill(binary(old))
    this = job(old, new)
    end = copied(this)
    [said] = copy.abort(this)
    assert f"{end.keys_done:,} keys were taken away" in said
    assert data.everything(binary(new)) == {}
    assert binary(new).execute_command("FUNCTION", "LIST") == []


def test_nothing_is_taken_away_where_the_target_had_keys_before(pair, job):
    old, new = pair()
    binary(old).set("a", "new")
    binary(new).set("b", "old")
    this = job(old, new, target_keys="replace")
    copied(this)
    [said] = copy.abort(this)
    assert "held keys before" in said
    assert binary(new).dbsize() == 2


def test_nothing_is_taken_away_while_somebody_uses_the_target(pair, job):
    old, new = pair()
    binary(old).set("a", "new")
    this = job(old, new)
    copied(this)
    with binary(new).client() as user:
        user.ping()
        with pytest.raises(TransferRefused, match=r"in use from 127\.0\.0\.1"):
            copy.abort(this)
        assert user.dbsize() == 1
