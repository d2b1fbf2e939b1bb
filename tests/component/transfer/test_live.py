"""Strategy live against real engines, with an app that writes all the while."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ConnectionLost
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import course, running
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import live, spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify

from tests.component.transfer import data
from tests.component.transfer.programs import ALL, OTHERS
from tests.component.transfer.proxy import Proxy
from tests.component.transfer.writer import stop, writing


def binary(engine: Any) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


class Transfer:
    """A job whose worker is a process, as the module has it."""

    def __init__(self, source: Any, target: Any, folder: Path, **options: Any) -> None:
        given = {"latency_limit_ms": 0, **options}  # whoever tests on a busy machine is not to wait for it
        self.job = Job(Side(source.url()), Side(target.url()), "live", str(folder), **given)

    def start(self) -> None:
        outcome = course.go_on(self.job, seconds=0.0)
        assert not outcome.msg, outcome

    @property
    def progress(self) -> Progress:
        return jobs.progress_of(self.job.folder) or Progress()

    def until(self, phase: str, seconds: float = 150) -> Progress:
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


# Where a worker is killed, and at which time it comes there: with the act done, and without it.
POINTS = [
    ("spool.Spool.begin", 1),
    ("spool.Spool.add_to_snapshot", 2),
    ("spool.Spool.end_snapshot", 1),
    ("load.Load._send", 1),
    ("load.Load._send", 2),
    ("load.Load._settle", 3),
    ("apply.Target.apply", 1),
    ("apply.Target.apply", 2),
    ("apply.Target.apply", 40),
    ("spool.Spool.forget_snapshot", 1),
    ("spool.Spool.add", 20),
    ("follow.Stretch.move", 1),
    ("follow.Following._put", 3),
]
AT_THE_END_OF_THE_SNAPSHOT = ("apply.Target.apply", 1)
LIVE = "ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live."


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(
            (*point, is_done),
            marks=[] if point == AT_THE_END_OF_THE_SNAPSHOT else pytest.mark.long,
            id=f"{'after' if is_done else 'before'} {point[0]} {point[1]}",
        )
        for point in POINTS
        for is_done in (False, True)
    ],
)
def test_a_worker_that_is_killed_at_a_certain_moment_goes_on_where_it_was(
    source: Any,
    target: Any,
    transfer: Callable[..., Transfer],
    monkeypatch: pytest.MonkeyPatch,
    moment: tuple[str, int, bool],
) -> None:
    fill_with_sessions(binary(source), 20000)
    with writing(source.url(), rate=300) as app:
        killed = transfer(source, target)
        with monkeypatch.context() as patched:
            dies_at(patched, *moment)
            killed.start()
            wait_for(lambda: not jobs.is_running(killed.job.folder))
            assert killed.progress.phase not in jobs.ENDED
        followed(killed)
        stop(app)
    assert settled(killed) == []


def test_who_is_killed_at_its_end_has_come_to_it(
    source: Any, target: Any, transfer: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is begun anew, under hosts that write to the target by then."""
    killed = transfer(source, target, is_moving=True)
    with monkeypatch.context() as patched:
        dies_at(patched, "apply.Target.remove_mark", 1, True)
        followed(killed)
        course.finish(killed.job, seconds=0.0)
        wait_for(lambda: not jobs.is_running(killed.job.folder))
        assert killed.progress.phase == jobs.FOLLOWING
    killed.finish()
    assert binary(source).info("stats")["sync_full"] == 1
    assert os.listdir(killed.job.folder).count("spool.json") == 0


def dies_at(monkeypatch: pytest.MonkeyPatch, name: str, time: int, is_done: bool) -> None:
    """The worker is a fork of this process, and so has what is patched here."""
    module, of, method = name.split(".")
    owner = getattr(importlib.import_module(LIVE + module), of)
    act, left = getattr(owner, method), itertools.count(time, -1)

    def dying(*given: Any, **named: Any) -> Any:
        is_now = next(left) == 1
        found = act(*given, **named) if is_done or not is_now else None
        if is_now:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    monkeypatch.setattr(owner, method, dying)


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
    small = start_engine("maxmemory-policy noeviction")
    filled = followed(transfer(source, small))
    binary(small).config_set("maxmemory", binary(small).info("memory")["used_memory"] + (1 << 20))
    for number in range(40):
        binary(source).set(f"more:{number}", os.urandom(100000))
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


@pytest.mark.long
def test_keys_that_are_read_again_may_expire_while_they_are(
    target: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer]
) -> None:
    """A Redis 6.2 tells then that it is in the middle of the transaction in which it takes them away."""
    old = start_engine("repl-diskless-sync-delay 0", program=OTHERS["redis 6.2"]())
    client = binary(old)
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    fill_with_sessions(client, 20000)
    following = transfer(old, target)
    following.start()
    for number in range(500):  # while the snapshot is taken: so they are read again
        client.set(f"short:{number}", "x", px=50 + number)
        client.set(f"long:{number}", "x", ex=3600)
    following.until(jobs.FOLLOWING)
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    assert settled(following) == []
    assert binary(target).dbsize() == client.dbsize() == 20000 + 500


def test_a_snapshot_that_is_not_what_was_sent_is_taken_anew(
    source: Any, target: Any, transfer: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    binary(source).set("noted", "what the old Redis holds")
    first, keep = iter([True]), spool.Spool.add_to_snapshot

    def spoil(self: spool.Spool, content: bytes) -> int:
        is_first = b"what the old" in content and next(first, False)
        return keep(self, content.replace(b"what the old", b"what no old!") if is_first else content)

    monkeypatch.setattr(spool.Spool, "add_to_snapshot", spoil)
    following = followed(transfer(source, target))
    assert settled(following) == []
    assert binary(source).info("stats")["sync_full"] == 2


@pytest.mark.long
def test_a_target_that_always_fails_again_is_not_tried_for_ever(
    source: Any, target: Any, transfer: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    following = followed(transfer(source, target))
    kill(following)
    binary(source).set("more", "x")
    binary(target).config_set("min-replicas-to-write", 1)
    monkeypatch.setattr(live, "AWAY_SECONDS", 1.5)
    following.start()
    wait_for(lambda: following.progress.phase == jobs.FAILED)
    assert "has taken nothing for" in following.progress.why and "NOREPLICAS" in following.progress.why
    binary(target).config_set("min-replicas-to-write", 0)
    assert settled(followed(following)) == []


def test_a_source_whose_snapshots_always_break_is_not_asked_for_ever(
    source: Any, target: Any, transfer: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(self: spool.Spool, content: bytes) -> int:
        raise ConnectionLost("the server closed the connection")

    monkeypatch.setattr(spool.Spool, "add_to_snapshot", cut)
    following = transfer(source, target)
    following.start()
    wait_for(lambda: following.progress.phase == jobs.FAILED)
    assert "5 snapshots of the old Redis in a row did not come to their end" in following.progress.why
    assert "client-output-buffer-limit" in following.progress.why
    assert binary(source).info("stats")["sync_full"] <= 6


def test_a_snapshot_for_which_the_disk_has_no_room_is_refused(
    source: Any, target: Any, transfer: Callable[..., Transfer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool.Spool, "has_room", lambda self: False)
    following = transfer(source, target)
    following.start()
    wait_for(lambda: following.progress.phase == jobs.FAILED)
    assert "does not fit on the disk of this host" in following.progress.why


@pytest.mark.long
def test_the_rate_that_was_set_holds_for_the_snapshot(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    fill_with_sessions(binary(source), 6000)
    following, began = transfer(source, target, rate=3000), time.monotonic()
    following.start()
    wait_for(lambda: following.progress.slowed_why != "")
    assert "migration_transfer_rate" in following.progress.slowed_why
    following.until(jobs.FOLLOWING)
    assert time.monotonic() - began > 1.8
    assert settled(following) == []


@pytest.mark.long
def test_it_goes_slower_while_the_source_is_slow(source: Any, target: Any, transfer: Callable[..., Transfer]) -> None:
    fill_with_sessions(binary(source), 20000)
    binary(source).config_set("rdb-key-save-delay", 50)
    following = transfer(source, target, latency_limit_ms=5)
    following.start()
    while "migration_transfer_latency_limit" not in following.progress.slowed_why:
        assert following.progress.phase in (jobs.CHECKING, jobs.COPYING)
        binary(source).eval("local x = 0; for i = 1, 5000000 do x = x + i end", 0)
    assert settled(followed(following)) == []


def test_keys_that_expire_do_not_hold_up_its_end(source: Any, target: Any, transfer: Callable[..., Transfer]) -> None:
    client = binary(source)
    pipe = client.pipeline(transaction=False)
    for number in range(5000):
        pipe.set(f"session:{number}", "x", px=4000 + 2 * number)
    pipe.execute()
    following = followed(transfer(source, target))
    following.finish()
    assert client.exists("session:4999"), "too late to show it"


def test_it_ends_only_once_nobody_writes_to_the_old_one_any_more(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    following = followed(transfer(source, target))
    with writing(source.url(), rate=50) as app:
        assert course.finish(following.job, seconds=3).in_progress
        assert "once nobody writes" in following.progress.notes[0]
        stop(app)
    assert settled(following) == []
    assert not [name for name in os.listdir(following.job.folder) if name.startswith(("snapshot", "stream"))]
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
    followed(following)
    [done] = course.abort(following.job, seconds=5).done
    assert done.endswith(f"keys were taken away at 127.0.0.1:{target.port}, which was empty before.")
    assert binary(target).info("keyspace") == {} and binary(target).function_list() == []
    assert binary(source).info("stats")["sync_full"] == 1
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


@pytest.mark.long
def test_once_hosts_write_to_the_target_nothing_that_is_read_again_overwrites_them(
    source: Any, target: Any, transfer: Callable[..., Transfer]
) -> None:
    """What is late is applied in its order, as it was written; keys that expired before they were renewed come back."""
    old, new = binary(source), binary(target)
    old.set("visits", 5)
    following = followed(transfer(source, target))
    old.set("session", "x", px=3000)
    wait_for(lambda: new.exists("session") == 1)
    kill(following)
    old.incr("visits")
    assert old.persist("session")
    following.job = replace(following.job, is_moving=True)
    new.incrby("visits", 100)
    wait_for(lambda: new.exists("session") == 0)
    following.start()
    following.until(jobs.FOLLOWING)
    wait_for(lambda: new.exists("session") == 1)
    assert new.get("visits") == b"106"


def refusals(source: Any, target: Any, transfer: Callable[..., Transfer], **options: Any) -> list[str]:
    return course.look(transfer(source, target, **options).job, "present").refusals


def test_what_is_against_it_is_found_before_anything_is_written(
    source: Any, target: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer]
) -> None:
    assert refusals(source, target, transfer) == []
    assert refusals(source, target, transfer, target_keys=jobs.KEEP)[0].startswith(
        "What the target holds cannot be kept"
    )
    assert refusals(source, source, transfer)[0].startswith("Source and target are the same engine")
    denied = start_engine('rename-command PSYNC ""')
    assert "lets the user of the app's URL not follow it" in refusals(denied, target, transfer)[0]
    few = start_engine("databases 4")
    assert "databases that the target does not serve: 9 (1 keys)" in refusals(source, few, transfer)[0]
    small = start_engine("maxmemory 1mb")
    assert "give it more memory" in refusals(source, small, transfer)[0]
    binary(target).set("whose", "?")
    assert "holds 1 keys already" in refusals(source, target, transfer)[0]
    assert refusals(source, target, transfer, target_keys=jobs.REPLACE) == []
    assert not (Path(transfer(source, target).job.folder)).exists()


def test_an_older_target_is_refused_by_the_forms_of_values(
    source: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer]
) -> None:
    old = start_engine(program=OTHERS["redis 6.2"]())
    assert "forms that are newer than the target's engine" in refusals(source, old, transfer)[0]
    binary(source).flushall()
    binary(source).function_flush()
    assert refusals(source, old, transfer) == []
    filled = transfer(source, old)
    filled.start()
    wait_for(lambda: filled.progress.phase == jobs.FAILED)
    assert "forms that are newer than the target's engine" in filled.progress.why


@pytest.mark.parametrize("release", ["redis 7.0", "redis 6.2"])
def test_who_may_not_follow_is_told_so(
    target: Any, start_engine: Callable[..., Any], transfer: Callable[..., Transfer], release: str
) -> None:
    """A Redis 6.2 tells it only to whoever does."""
    old = start_engine(program=ALL[release]())
    binary(old).acl_setuser(
        "app", enabled=True, passwords=["+secret"], categories=["+@all"], commands=["-psync"], keys=["*"]
    )
    old.url = lambda: f"redis://app:secret@127.0.0.1:{old.port}/0"
    if release == "redis 7.0":
        assert "+psync +replconf" in refusals(old, target, transfer)[0]
        return
    denied = transfer(old, target)
    denied.start()
    wait_for(lambda: denied.progress.phase == jobs.FAILED)
    assert "lets nobody follow it" in denied.progress.why and "+psync +replconf" in denied.progress.why


def test_a_target_that_evicts_keys_fails_for_good(source: Any, target: Any, transfer: Callable[..., Transfer]) -> None:
    following = followed(transfer(source, target))
    binary(target).config_set("maxmemory-policy", "allkeys-random")
    binary(target).config_set("maxmemory", "1mb")
    binary(source).set("more", "x")
    wait_for(lambda: following.progress.phase == jobs.FAILED)
    assert "evicted" in following.progress.why
    binary(target).config_set("maxmemory", 0)
    binary(target).config_resetstat()
    following.start()
    wait_for(lambda: not jobs.is_running(following.job.folder))
    assert "evicted" in following.progress.why and "state: absent" in following.progress.why


@pytest.mark.long
def test_a_comparison_while_it_follows_finds_nothing(
    source: Any, target: Any, transfer: Callable[..., Transfer], tmp_path: Path
) -> None:
    """Neither the key by which it is known how far the target is, nor the grace that keys have there."""
    binary(source).set("session", "x", px=60000)
    following = followed(transfer(source, target))
    assert binary(target).exists(jobs.MARK)
    assert differences(following.job, tmp_path / "compared") == []


@pytest.mark.long
def test_a_comparison_while_it_is_far_behind_calls_nothing_different(
    source: Any, target: Any, transfer: Callable[..., Transfer], tmp_path: Path
) -> None:
    with writing(source.url(), rate=300) as app:
        following = followed(transfer(source, target))
        group = int((Path(following.job.folder) / jobs.LOCK).read_text())
        os.killpg(group, signal.SIGSTOP)
        threading.Timer(6, os.killpg, (group, signal.SIGCONT)).start()
        question = verify.Question(following.job.source, following.job.target, str(tmp_path / "compared"), 0, 1500, 1.0)
        found = verify.go_on(question, 120)
        stop(app)
    against = found.state.tally.against
    assert found.is_done and {word for word, count in against.items() if count} <= {"changing"}, found
