"""What was reported of other tools that bring data, as small inputs: https://github.com/tair-opensource/RedisShake,
https://github.com/redis/riot and https://github.com/redis/redis, by the number of the report.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import course, running
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Side

from tests.component.redis5.server import redis5
from tests.component.transfer.programs import ALL
from tests.component.transfer.test_live import binary, differences

STRATEGIES = ["copy", "live"]
RENAMED = [f'rename-command {name} ""' for name in ("CONFIG", "KEYS", "FLUSHALL", "DEBUG", "MEMORY")]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Callable[..., Job]]:
    made: list[Job] = []

    def make(strategy: str, source: str, target: Any) -> Job:
        made.append(Job(Side(source), Side(target.url()), strategy, str(tmp_path / "job"), latency_limit_ms=0))
        return made[-1]

    yield make
    for each in made:
        running.stop(each.folder)


def brought(job: Job) -> None:
    """Copied, or followed from now on."""
    outcome = course.go_on(job, seconds=180.0)
    assert not outcome.msg and not outcome.in_progress, outcome


def ended(job: Job) -> None:
    outcome = course.finish(job, seconds=180.0)
    assert not outcome.msg and not outcome.in_progress, outcome


@contextmanager
def meanwhile(act: Callable[[], Any], every: float) -> Iterator[None]:
    is_over = threading.Event()

    def often() -> None:
        while not is_over.wait(every):
            act()

    thread = threading.Thread(target=often)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.long
def test_hashes_of_an_old_redis_all_come_along_and_it_is_left(start_engine, job, tmp_path, strategy):
    """RedisShake 27: a tenth of the keys was missing, all of them hashes with a TTL, and no tool said so."""
    source, target = start_engine(program=redis5()), start_engine()
    old = redis.Redis(port=source.port, protocol=2)
    for number in range(1500):
        old.hset(f"uc_basic_{number}", mapping={f"f{field}": "v" * field for field in range(60)})
        old.expire(f"uc_basic_{number}", 596_453)
    transfer = job(strategy, source.url(), target)
    brought(transfer)
    if strategy == "live":
        old.eval("redis.call('incr', KEYS[1]); redis.call('expire', KEYS[1], 500)", 1, "counter")
        ended(transfer)
    assert differences(transfer, tmp_path / "compared") == []
    assert binary(target).dbsize() == old.dbsize() == 1500 + (strategy == "live")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_user_who_may_not_ask_for_info_is_told_what_to_allow(start_engine, job, strategy):
    """RedisShake 314: what a user may not do was a panic with the server's words."""
    source, target = start_engine(), start_engine()
    binary(source).execute_command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", "-@dangerous")
    binary(source).set("a", 1)
    with pytest.raises(ServerError, match=rf"may not ask 127\.0\.0\.1:{source.port} .* \+info"):
        course.go_on(job(strategy, f"redis://app:secret@127.0.0.1:{source.port}/0", target), seconds=20.0)
    assert binary(target).dbsize() == 0


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_commands_that_were_renamed_are_not_needed(start_engine, job, tmp_path, strategy):
    source, target = start_engine(*RENAMED), start_engine()
    binary(source).rpush("list", *range(5000))
    binary(source).mset({f"k{number}": "x" * 100 for number in range(500)})
    transfer = job(strategy, source.url(), target)
    brought(transfer)
    if strategy == "live":
        ended(transfer)
    assert differences(transfer, tmp_path / "compared") == []


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["redis 6.2", "redis 7.0", "valkey 9"])
def test_a_consumer_that_takes_without_acknowledging_is_there(start_engine, job, tmp_path, name):
    """redis 7140: a replica was not told of it."""
    source, target = start_engine(program=ALL[name]()), start_engine(program=ALL["valkey 9"]())
    old = binary(source)
    old.xgroup_create("stream", "group", mkstream=True)
    transfer = job("live", source.url(), target)
    brought(transfer)
    for number in range(5):
        old.xadd("stream", {"field": number})
    old.xreadgroup("group", "first", {"stream": ">"}, noack=True, count=2)
    old.xreadgroup("group", "second", {"stream": ">"}, count=1)
    ended(transfer)
    assert differences(transfer, tmp_path / "compared") == []
    assert {one["name"] for one in binary(target).xinfo_consumers("stream", "group")} == {b"first", b"second"}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_source_that_evicts_all_the_while_is_followed_and_left(start_engine, job, tmp_path):
    source, target = start_engine("maxmemory 20mb", "maxmemory-policy allkeys-lru"), start_engine()
    old, numbers = binary(source), iter(range(10_000_000))

    def write(count: int = 10) -> None:
        for _ in range(count):
            old.set(f"k{next(numbers)}", "x" * 1000, ex=1000)

    write(20_000)
    transfer = job("live", source.url(), target)
    with meanwhile(write, every=0.05):
        brought(transfer)
        time.sleep(3)
    assert old.info("stats")["evicted_keys"]
    old.config_set("maxmemory", 0)  # else it evicts for the memory of those who compare, too
    ended(transfer)
    assert differences(transfer, tmp_path / "compared") == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_ttl_that_is_renewed_while_all_is_loaded_is_not_run_out(start_engine, job):
    """RedisShake 244 and 981: the key expired at the target before the command that renewed it came through."""
    source, target = start_engine(), start_engine()
    old, new = binary(source), binary(target)
    sessions = [f"session:{number}" for number in range(20)]
    for number in range(100):
        old.mset({f"k{number}:{each}": "x" * 400 for each in range(1000)})
    for session in sessions:
        old.set(session, "value", ex=2)
    transfer = job("live", source.url(), target)
    with meanwhile(lambda: [old.expire(session, 2) for session in sessions], every=0.4):
        brought(transfer)
        for _ in range(20):
            time.sleep(0.2)
            assert new.exists(*sessions) == len(sessions)
    assert jobs.progress_of(transfer.folder).left_out_count == 0
