"""Strategy live against real engines, with an app that writes all the while."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import course, running
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify

from tests.component.transfer import data
from tests.component.transfer.proxy import Proxy
from tests.component.transfer.writer import stop, writing


def binary(engine: Any) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


class Transfer:
    """A job whose worker is a process, as the module has it."""

    def __init__(self, source: Any, target: Any, folder: Path, **options: Any) -> None:
        self.job = Job(Side(source.url()), Side(target.url()), "live", str(folder), **options)

    def start(self) -> None:
        outcome = course.go_on(self.job, seconds=0.0)
        assert not outcome.msg, outcome

    @property
    def progress(self) -> Progress:
        return jobs.progress_of(self.job.folder) or Progress()

    def until(self, phase: str, seconds: float = 60) -> Progress:
        deadline = time.monotonic() + seconds
        while self.progress.phase != phase:
            assert self.progress.phase != jobs.FAILED, self.progress.why
            assert time.monotonic() < deadline, self.progress
            time.sleep(0.05)
        return self.progress

    def finish(self) -> Progress:
        outcome = course.finish(self.job, seconds=60)
        assert not outcome.in_progress and not outcome.msg, outcome
        return self.progress


@pytest.fixture
def transfer(tmp_path: Path) -> Iterator[Callable[..., Transfer]]:
    made: list[Transfer] = []

    def make(source: Any, target: Any, **options: Any) -> Transfer:
        made.append(Transfer(source, target, tmp_path / f"job{len(made)}", **options))
        return made[-1]

    yield make
    for each in made:
        running.stop(each.job.folder)


@pytest.fixture
def source(start_engine: Callable[..., Any]) -> Any:
    engine = start_engine("repl-diskless-sync-delay 0")
    data.fill(binary(engine))
    return engine


@pytest.fixture
def target(start_engine: Callable[..., Any]) -> Any:
    return start_engine()


def differences(job: Job, folder: Path) -> list[str]:
    """What is not the same on both sides, by the digest of each key, its expiry within the grace."""
    question = verify.Question(job.source, job.target, str(folder), ttl_tolerance_ms=1500, settle_seconds=1.0)
    found = verify.go_on(question, 120)
    assert found.is_done
    names = [f"{word}: {name}" for word, each in found.state.tally.names.items() for name in each]
    return [] if found.is_equal else names or [str(found)]


def test_what_is_there_and_what_is_written_meanwhile_is_there_in_the_end(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    with writing(source.url(), rate=1000) as app:
        following = transfer(source, target)
        following.start()
        following.until(jobs.FOLLOWING)
        time.sleep(3)
        written = stop(app)
    assert written > 1000
    assert settled(following) == []
    assert following.progress.left_out_count == 0, following.progress.left_out


def followed(transfer: Transfer) -> Transfer:
    transfer.start()
    transfer.until(jobs.FOLLOWING)
    return transfer


def settled(transfer: Transfer) -> list[str]:
    """What differs once the app is still and the transfer has ended."""
    transfer.finish()
    return differences(transfer.job, Path(transfer.job.folder).with_name("compared"))


def kill(transfer: Transfer) -> None:
    """As kill -9 does."""
    group = int((Path(transfer.job.folder) / jobs.LOCK).read_text())
    os.killpg(group, signal.SIGKILL)
    while jobs.is_running(transfer.job.folder):
        time.sleep(0.01)


@pytest.mark.long
def test_a_worker_that_is_killed_at_any_moment_goes_on_where_it_was(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    dice = random.Random(5)
    fill_with_sessions(binary(source), 20000)
    with writing(source.url(), rate=1000) as app:
        killed = transfer(source, target)
        for _time in range(8):
            killed.start()
            time.sleep(dice.choice((0.05, 0.2, 0.5, 1, 1.5)))
            kill(killed)
        followed(killed)
        stop(app)
    assert settled(killed) == []
    assert binary(source).info("stats")["sync_full"] <= 3  # as the first were killed before the snapshot was whole


def fill_with_sessions(client: redis.Redis, count: int) -> None:
    pipe = client.pipeline(transaction=False)
    for number in range(count):
        pipe.hset(f"session:{number}", mapping={"user": number, "text": "x" * 50})
    pipe.execute()


@pytest.mark.long
def test_a_link_that_breaks_is_taken_up_where_it_was(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    with writing(source.url(), rate=1000) as app:
        following = followed(transfer(source, target))
        for _time in range(3):
            time.sleep(0.5)
            binary(source).client_kill_filter(_type="replica")
        time.sleep(1)
        following.until(jobs.FOLLOWING)
        stop(app)
    assert settled(following) == []
    assert binary(source).info("stats")["sync_full"] == 1
    assert binary(source).info("stats")["sync_partial_ok"] >= 3


@pytest.mark.long
@pytest.mark.parametrize("saves", [True, False], ids=["and kept its data", "and lost what it had not saved"])
def test_a_source_that_was_restarted_is_followed_again(
    source: Any, target: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer], saves: bool
) -> None:
    with writing(source.url(), rate=500) as app:
        following = followed(transfer(source, target))
        if not saves:
            binary(source).save()
            time.sleep(0.5)
            source.stop()
        else:
            with contextlib.suppress(redis.ConnectionError):
                binary(source).shutdown(save=True)
            source.process.wait(10)
        restart(source)
        time.sleep(1)
        following.until(jobs.FOLLOWING)
        stop(app)
    assert settled(following) == []


def restart(engine: Any) -> None:
    with (engine.folder / "log").open("ab") as log:
        engine.process = subprocess.Popen(
            ["redis-server", str(engine.folder / "redis.conf")], executable=shutil.which("redis-server"), stdout=log
        )


@pytest.fixture
def proxy() -> Iterator[Callable[[Any], Proxy]]:
    made: list[Proxy] = []

    def make(engine: Any) -> Proxy:
        made.append(Proxy(engine.port))
        made[-1].start()
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.mark.parametrize(
    "seconds", [1, pytest.param(10, marks=pytest.mark.long), pytest.param(60, marks=pytest.mark.long)]
)
def test_a_cut_of_the_network_loses_nothing(
    source: Any, target: Any, proxy: Callable[[Any], Proxy], transfer: Callable[..., Transfer], seconds: int
) -> None:
    way = proxy(source)
    with writing(source.url(), rate=1000) as app:
        following = followed(transfer(way, target))
        way.is_cut = True
        time.sleep(seconds)
        way.is_cut = False
        time.sleep(1)
        following.until(jobs.FOLLOWING)
        stop(app)
    assert settled(following) == []
    assert binary(source).info("stats")["sync_full"] == 1


@pytest.mark.long
def test_a_target_that_fails_over_gets_what_its_replica_lacked(
    source: Any, start_engine: Callable[..., Any], proxy: Callable[[Any], Proxy], transfer: Callable[..., Transfer]
) -> None:
    primary = start_engine("repl-diskless-sync-delay 0")
    replica = start_engine(f"replicaof 127.0.0.1 {primary.port}")
    way, between = proxy(primary), binary(replica)
    with writing(source.url(), rate=1000) as app:
        following = followed(transfer(source, way))
        wait_for(lambda: between.info("replication")["master_link_status"] == "up")
        between.execute_command("CLIENT", "KILL", "TYPE", "master")  # what it lacks when it takes over
        os.kill(replica.process.pid, signal.SIGSTOP)
        time.sleep(1)
        primary.stop()
        os.kill(replica.process.pid, signal.SIGCONT)
        between.execute_command("REPLICAOF", "NO", "ONE")
        way.lead_to(replica.port)
        time.sleep(2)
        following.until(jobs.FOLLOWING)
        stop(app)
    assert settled(following) == []
    assert binary(source).info("stats")["sync_full"] == 1


def wait_for(truth: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.long
def test_a_target_that_is_full_says_so_and_is_gone_on_with(
    source: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer]
) -> None:
    small = start_engine("maxmemory 2mb", "maxmemory-policy noeviction")
    filled = transfer(source, small)
    filled.start()
    wait_for(lambda: filled.progress.phase == jobs.FAILED)
    assert "the target is full (OOM" in filled.progress.why
    assert "migration_cache_node_type" in filled.progress.why
    binary(small).config_set("maxmemory", 0)
    assert settled(followed(filled)) == []


@pytest.mark.long
def test_large_values_and_a_large_source_take_little_memory(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    client = binary(source)
    client.set("large", random.Random(1).randbytes(40 << 20))
    client.set("large:alike", b"a" * (40 << 20), px=600000)
    for part in range(30):
        client.sadd("large:set", *(f"member:{part}:{number}" for number in range(20000)))
    following = followed(transfer(source, target))
    assert peak_memory(following) < 100 << 20
    assert settled(following) == []


def peak_memory(transfer: Transfer) -> int:
    """In bytes, of the process that is at it."""
    group = (Path(transfer.job.folder) / jobs.LOCK).read_text()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if stat.read_text().rpartition(")")[2].split()[2] == group:
                lines = stat.with_name("status").read_text().splitlines()
                return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
    raise AssertionError("nobody is at it")


def test_it_ends_only_once_nobody_writes_to_the_old_one_any_more(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    following = followed(transfer(source, target))
    with writing(source.url(), rate=50) as app:
        assert course.finish(following.job, seconds=3).in_progress
        assert "once nobody writes" in following.progress.notes[0]
        stop(app)
    assert settled(following) == []
    assert os.listdir(following.job.folder).count("snapshot.rdb") == 0
    assert not [name for name in os.listdir(following.job.folder) if name.startswith("stream")]
    assert not binary(target).exists("cache_migration:transfer:mark")


def test_what_was_brought_is_taken_away_where_the_target_was_empty(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    following = followed(transfer(source, target))
    with binary(target) as user:
        assert user.dbsize() > 50
        with pytest.raises(TransferRefused, match=r"in use from 127\.0\.0\.1"):
            course.abort(following.job, seconds=5)
        assert user.dbsize() > 50
        user.connection_pool.disconnect()
    outcome = course.abort(following.job, seconds=5)
    assert outcome.done == [f"The target at 127.0.0.1:{target.port}, which was empty before, is empty again."]
    assert binary(target).info("keyspace") == {}
    assert not [name for name in os.listdir(following.job.folder) if name != jobs.LOCK]


def test_once_hosts_write_to_the_target_no_new_snapshot_overwrites_them(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    following = followed(transfer(source, target))
    following.job = replace(following.job, is_moving=True)
    following.start()
    binary(target).set("plain", "of a host that moved")
    source.stop()
    restart(source)
    wait_for(lambda: following.progress.phase == jobs.FAILED)
    assert "hosts write to the target already" in following.progress.why
    assert binary(target).get("plain") == b"of a host that moved"


def refusals(source: Any, target: Any, transfer: Callable[..., Transfer], **options: Any) -> list[str]:
    return course.look(transfer(source, target, **options).job, "present").refusals


def test_what_is_against_it_is_found_before_anything_is_written(
    source: Any, target: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer]
) -> None:
    assert refusals(source, target, transfer) == []
    assert refusals(source, target, transfer, target_keys=jobs.KEEP)[0].startswith(
        "What the target holds cannot be kept"
    )
    denied = start_engine('rename-command PSYNC ""')
    assert "lets nobody follow it (ERR unknown command" in refusals(denied, target, transfer)[0]
    binary(target).set("whose", "?")
    assert "holds 1 keys already" in refusals(source, target, transfer)[0]
    assert refusals(source, target, transfer, target_keys=jobs.REPLACE) == []
    assert not (Path(transfer(source, target).job.folder)).exists()


@pytest.mark.long
def test_a_comparison_while_it_follows_finds_nothing(
    source: Any, target: Any, transfer: Callable[..., Transfer], tmp_path: Path
) -> None:
    """Neither the key by which it is known how far the target is, nor the grace that keys have there."""
    binary(source).set("session", "x", px=60000)
    following = followed(transfer(source, target))
    assert binary(target).exists(jobs.MARK)
    assert differences(following.job, tmp_path / "compared") == []
