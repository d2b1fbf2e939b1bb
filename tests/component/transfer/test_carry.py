"""The way back with what was written since: the old engine becomes what the new one is, while hosts stand still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    course,
    hold,
    running,
    together,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify

from tests.component.engines import releases
from tests.component.transfer import data
from tests.component.transfer.test_hold import HOSTS, Host, until


def client(engine: Any) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


def job_of(new: Any, old: Any, folder: Path) -> Job:
    return Job(Side(new.url()), Side(old.url()), "carry", str(folder / "back"), direction=jobs.BACK)


@pytest.fixture
def carried(tmp_path: Path) -> Iterator[Callable[..., course.Outcome]]:
    begun: list[Job] = []

    def carry(job: Job, hosts: list[Host], limit: float = 20.0) -> course.Outcome:
        begun.append(job)
        hold.ask(job.folder, hold.Asked("run", HOSTS, limit))
        for each in hosts:
            each.start()
        outcome = course.go_on(job, seconds=150)
        for each in hosts:
            each.join(20)
        return outcome

    yield carry
    for job in begun:
        running.stop(job.folder)


def hosts_of(job: Job, names: tuple[str, ...] = HOSTS, work: Callable[[], None] = lambda: None) -> list[Host]:
    """Their board is in the managed cache, which is the source now."""
    aside = Job(job.target, job.source, "carry", job.folder)
    return [Host(aside, name, work) for name in names]


def as_it_was_at_the_cutover(old: Any, new: Any) -> None:
    """Both hold the same; then the app writes to the new one alone."""
    for engine in (old, new):
        data.fill(client(engine))
        client(engine).mset({f"kept:{number}": number for number in range(500)})
        client(engine).mset({f"deleted:{number}": number for number in range(300)})
    written = client(new)
    written.delete(*(f"deleted:{number}" for number in range(300)))
    written.mset({f"kept:{number}": f"changed {number}" for number in range(0, 500, 3)})
    written.mset({f"new:{number}": number for number in range(200)})
    written.expire("kept:1", 1000)


def equal(job: Job, folder: Path) -> bool:
    found = verify.go_on(verify.Question(job.source, job.target, str(folder / "compared"), settle_seconds=0.3), 60)
    return found.is_equal


def test_what_was_written_deleted_and_changed_since_is_so_on_the_old_one_before_the_first_host_is_back(
    start_engine: Callable[..., Any], carried: Callable[..., course.Outcome], tmp_path: Path
) -> None:
    old, new = start_engine(), start_engine()
    as_it_was_at_the_cutover(old, new)
    job = job_of(new, old, tmp_path)
    seen: list[tuple[int, Any]] = []

    def look() -> None:
        seen.append((client(old).exists("deleted:7"), client(old).get("kept:3")))

    hosts = hosts_of(job, work=look)
    outcome = carried(job, hosts)
    assert not outcome.msg and not outcome.in_progress, outcome
    assert [host.why for host in hosts] == ["", "", ""] and all(host.is_switched and host.has_left for host in hosts)
    assert seen == [(0, b"changed 3")] * 3
    assert equal(job, tmp_path)
    assert client(old).dbsize() == client(new).dbsize() and not client(old).keys(f"{jobs.MARK}*")
    assert outcome.transfer and "300 keys went from" in outcome.transfer.notes[-1]
    assert outcome.held and outcome.held.still_ms > outcome.held.behind_ms > 0


@pytest.mark.long
def test_from_a_newer_engine_to_one_that_takes_none_of_its_payloads(
    start_engine: Callable[..., Any], carried: Callable[..., course.Outcome], tmp_path: Path
) -> None:
    old, new = start_engine(program=releases.redis_6_2()), start_engine(program=releases.valkey_9())
    client(old).mset({f"deleted:{number}": number for number in range(300)})
    client(new).mset({f"new:{number}": number for number in range(500)})
    client(new).hset("hash", mapping={"a": 1, "b": 2})
    client(new).zadd("zset", {"one": 1.5, "two": 2})
    client(new).xadd("stream", {"n": 1})
    job = job_of(new, old, tmp_path)
    outcome = carried(job, hosts_of(job))
    assert not outcome.msg and equal(job, tmp_path)
    assert client(old).dbsize() == 503


@pytest.mark.long
def test_where_somebody_writes_all_the_while_nobody_goes_back(
    start_engine: Callable[..., Any], carried: Callable[..., course.Outcome], tmp_path: Path
) -> None:
    old, new = start_engine(), start_engine()
    as_it_was_at_the_cutover(old, new)
    ended = threading.Event()

    def write() -> None:
        stranger, number = client(new), 0
        while not ended.wait(0.002):
            number += 1
            stranger.set(f"stranger:{number % 50}", number)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    job = job_of(new, old, tmp_path)
    hosts = hosts_of(job)
    outcome = carried(job, hosts)
    ended.set()
    writer.join()
    assert "somebody writes to one of them" in outcome.msg and "migration_rollback_carries: false" in outcome.msg
    assert not any(host.is_switched for host in hosts) and "somebody writes" in hosts[0].why


def test_nothing_is_touched_before_all_hosts_stand_still(
    start_engine: Callable[..., Any],
    carried: Callable[..., course.Outcome],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "READY_SECONDS", 2.0)
    old, new = start_engine(), start_engine()
    as_it_was_at_the_cutover(old, new)
    job = job_of(new, old, tmp_path)
    hosts = hosts_of(job, HOSTS[:2])
    outcome = carried(job, hosts)
    assert "app3 did not stand ready" in outcome.msg
    assert client(old).exists("deleted:7") and client(old).get("kept:3") == b"3"
    assert not any(host.has_left for host in hosts)


@pytest.mark.long
def test_a_carrier_that_is_killed_leaves_hosts_where_they_were(
    start_engine: Callable[..., Any], carried: Callable[..., course.Outcome], tmp_path: Path
) -> None:
    old, new = start_engine(), start_engine()
    as_it_was_at_the_cutover(old, new)
    job = job_of(new, old, tmp_path)
    hold.ask(job.folder, hold.Asked("run", HOSTS, 20.0))
    hosts = hosts_of(job, HOSTS[:2])
    for each in hosts:
        each.start()
    course.go_on(job, seconds=1.0)
    running.stop(job.folder)
    stopped = time.monotonic()
    until(lambda: all(host.why for host in hosts))
    assert "is gone" in hosts[0].why and time.monotonic() - stopped < 15
    assert client(old).exists("deleted:7")
