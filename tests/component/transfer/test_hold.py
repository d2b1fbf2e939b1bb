"""Writes on the source held while hosts switch in one turn, against real engines."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    board,
    course,
    hold,
    pause,
    running,
    together,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Side

from tests.component.engines import releases

HOSTS = ("app1", "app2", "app3")


def client(engine: Any, **options: Any) -> redis.Redis:
    return redis.Redis.from_url(engine.url(), **options)


@pytest.fixture
def source(start_engine: Callable[..., Any]) -> Any:
    return start_engine("repl-diskless-sync-delay 0")


@pytest.fixture
def target(start_engine: Callable[..., Any]) -> Any:
    return start_engine()


@pytest.fixture
def following(source: Any, target: Any, tmp_path: Path) -> Iterator[Job]:
    job = Job(Side(source.url()), Side(target.url()), "live", str(tmp_path / "job"), is_strict=True)
    assert not course.go_on(job, seconds=0.0).msg
    until(lambda: (jobs.progress_of(job.folder) or jobs.Progress()).phase == jobs.FOLLOWING)
    yield job
    running.stop(job.folder)


def until(truth: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def asked(name: str = "run", hosts: tuple[str, ...] = HOSTS, limit: float = 10.0) -> hold.Asked:
    return hold.Asked(name, hosts, limit)


def held(job: Job, wanted: hold.Asked, seconds: float = 60) -> hold.Held:
    outcome = course.hold_writes(job, wanted, seconds)
    assert outcome.held and not outcome.in_progress, outcome
    return outcome.held


class Host(threading.Thread):
    """One that switches, doing ``work`` in its turn."""

    def __init__(self, job: Job, name: str, work: Callable[[], None] = lambda: None, hold_name: str = "run") -> None:
        super().__init__(daemon=True)
        self.job, self.host, self.work, self.hold_name = job, name, work, hold_name
        self.is_alone, self.why, self.is_switched, self.has_left = False, "", False, False

    def leave(self) -> None:
        self.has_left = True

    def run(self) -> None:
        try:
            with board.in_turn(self.job.target, self.hold_name, self.host, lambda: self.is_alone, self.leave):
                self.work()
                self.is_switched = True
        except (board.NotHeld, ValueError) as error:
            self.why = str(error)


def ready(job: Job, *works: Callable[[], None]) -> list[Host]:
    hosts = [Host(job, name, *work) for name, work in zip(HOSTS, [(each,) for each in works] or [()] * len(HOSTS))]
    for each in hosts:
        each.start()
    return hosts


def takes_writes(engine: Any, seconds: float = 0.2) -> bool:
    try:
        return bool(client(engine, socket_timeout=seconds).set("probe", 1))
    except redis.TimeoutError:
        return False


def test_no_write_comes_between_the_target_having_all_and_the_last_host_having_switched(
    source: Any, target: Any, following: Job
) -> None:
    seen: list[tuple[bool, int | None, int | None]] = []

    def look() -> None:
        value = client(source).get("n"), client(target).get("n")
        seen.append((takes_writes(source), *(int(each or 0) for each in value)))

    ended = threading.Event()
    written = [0]

    def app() -> None:
        connection = client(source, socket_timeout=20)
        while not ended.is_set():
            written[0] = connection.incr("n")

    writer = threading.Thread(target=app, daemon=True)
    writer.start()
    hosts = ready(following, look, look, look)
    told = held(following, asked())
    ended.set()
    writer.join()
    assert [host.why for host in hosts] == ["", "", ""] and all(host.is_switched for host in hosts)
    assert len(seen) == 3 and {takes for takes, _old, _new in seen} == {False}
    assert {old for _takes, old, _new in seen} == {new for _takes, _old, new in seen} and seen[0][1] > 0
    print(f"held {told.held_ms} ms, {told.behind_ms} of it until the target had all")
    assert told.still_ms > told.held_ms - 100 and all(host.has_left for host in hosts)
    assert told.why == "" and 200 < told.held_ms < 3000 and 0 < told.behind_ms < told.held_ms
    # The app did not leave: what it was told to write waited, and went to the old one.
    assert told.late_writes and told.left == ("127.0.0.1",)
    until(lambda: client(target).get("n") == str(written[0]).encode())


def test_where_nobody_writes_any_more_that_is_known(source: Any, following: Job) -> None:
    ready(following)
    told = held(following, asked())
    assert told.late_writes == 0 and told.why == "" and told.held_ms < 1000
    assert takes_writes(source)
    assert held(following, asked()) == told  # once for each name


def test_what_is_on_the_board_goes_when_it_is_over(target: Any, following: Job) -> None:
    ready(following)
    held(following, asked())
    until(lambda: client(target).keys(f"{jobs.MARK}:hold*") == [] or not client(target).exists(f"{jobs.MARK}:hold"))


def test_a_host_that_cannot_be_switched_ends_it_for_all_of_them(source: Any, following: Job) -> None:
    def fail() -> None:
        raise ValueError("the service does not start")

    hosts = ready(following, fail, lambda: None, lambda: time.sleep(0.2))
    told = held(following, asked())
    assert told.why == "app1: the service does not start" and told.held_ms > 0
    assert hosts[0].why == "the service does not start" and takes_writes(source)


@pytest.mark.parametrize("gone", [pytest.param("is missing", marks=pytest.mark.long), "is left alone"])
def test_nothing_is_held_where_a_host_does_not_stand_ready(
    source: Any, target: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(together, "READY_SECONDS", 2.0)  # of the worker, which is forked
    job = Job(Side(source.url()), Side(target.url()), "live", str(tmp_path / "job"))
    assert not course.go_on(job, seconds=0.0).msg
    hosts = [Host(job, name) for name in HOSTS[:2]]
    for each in hosts:
        each.start()
    if gone == "is left alone":
        hosts[1].is_alone = True
    try:
        told = held(job, asked())
        for each in hosts:
            each.join(10)
    finally:
        running.stop(job.folder)
    assert told.held_ms == 0 and told.late_writes is None
    expected = "app3 did not stand ready" if gone == "is missing" else "app2: its connection to the controller was lost"
    assert expected in told.why and told.why in hosts[0].why
    assert not any(host.is_switched or host.has_left for host in hosts)


@pytest.mark.long
def test_writes_are_let_go_after_the_limit_whoever_is_switched_by_then(source: Any, following: Job) -> None:
    ended = threading.Event()
    ready(following, lambda: None, lambda: None, lambda: bool(ended.wait(30)) and None)
    told = held(following, asked(limit=3.0))
    assert told.why == "after 3 s (migration_hold_limit) app3 had not switched" and 3000 <= told.held_ms < 4500
    assert takes_writes(source) and told.late_writes == 0
    ended.set()


@pytest.mark.long
def test_writes_are_let_go_by_themselves_where_who_holds_them_is_killed(source: Any, following: Job) -> None:
    ended = threading.Event()
    hosts = ready(following, lambda: None, lambda: None, lambda: bool(ended.wait(30)) and None)
    assert course.hold_writes(following, asked(), 0.0).in_progress
    until(lambda: hosts[0].is_switched)
    time.sleep(1)
    assert not takes_writes(source)
    os.killpg(int((Path(following.folder) / jobs.LOCK).read_text()), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: takes_writes(source))
    print(f"let go {time.monotonic() - killed:.1f} s after the kill")
    assert time.monotonic() - killed < pause.PAUSE_MS / 1000 + 1
    told = held(following, asked())  # a new worker follows, and does not begin it again
    assert "ended" in told.why and told.late_writes is None
    ended.set()


@pytest.mark.long
def test_hosts_that_wait_when_who_holds_is_killed_change_nothing(following: Job) -> None:
    hosts = [Host(following, name) for name in HOSTS[:2]]
    for each in hosts:
        each.start()
    course.hold_writes(following, asked(), 1.5)
    os.killpg(int((Path(following.folder) / jobs.LOCK).read_text()), signal.SIGKILL)
    for each in hosts:
        each.join(20)
        assert "is gone" in each.why and not each.is_switched


def test_what_does_not_follow_holds_nothing(source: Any, target: Any, tmp_path: Path) -> None:
    job = Job(Side(source.url()), Side(target.url()), "live", str(tmp_path / "job"))
    with pytest.raises(TransferRefused, match="nothing follows the source"):
        course.hold_writes(job, asked(), 0.0)


# --- whether it can be ---


def test_it_can_be_asked_without_holding_anything(source: Any) -> None:
    assert pause.against(Side(source.url())) == [] and takes_writes(source)


def test_redis_6_2_can(start_engine: Callable[..., Any]) -> None:
    assert pause.against(Side(start_engine(program=releases.redis_6_2()).url())) == []


def test_a_user_who_may_not_is_told_what_to_allow(source: Any) -> None:
    client(source).acl_setuser("app", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-client|pause"])
    [why] = pause.against(Side(f"redis://app:pw@127.0.0.1:{source.port}/0"))
    assert "+client|pause" in why and "migration_consistency" in why


def test_a_cluster_cannot(source: Any) -> None:
    [why] = pause.against(Side(source.url(), "redis-cluster"))
    assert "the old one is a cluster" in why
