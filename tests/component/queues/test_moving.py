"""Jobs between two engines: each of them is on the other side once, wherever it was interrupted."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ConnectionLost
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.queues import moving
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

from tests.component.transfer.programs import ALL

CELERY, RQ = 1, 2
QUEUES = {CELERY: JobKeys(["celery", "unacked"]), RQ: JobKeys(["rq:queue:default"])}
PRIORITY = "celery\x06\x163"


@pytest.fixture(params=["redis 7.0", pytest.param("valkey 9", marks=pytest.mark.long)])
def pair(request: Any, start_engine: Callable[..., Any]) -> tuple[Any, Any]:
    return start_engine(), start_engine(program=ALL[request.param]())


@pytest.fixture(scope="module")
def held() -> dict[int, dict[str, Any]]:
    """What the old one has, by key."""
    return {
        CELERY: {
            "celery": [f"old {number}" for number in range(450)],
            PRIORITY: ["urgent"],
            "unacked": {f"tag {number}": f"taken {number}" for number in range(300)},
            "unacked_index": {f"tag {number}": number for number in range(300)},
        },
        RQ: {
            "rq:queue:default": ["a", "b"],
            "rq:queues": {"rq:queue:default"},
            "rq:scheduled:default": {"c": 4e9},
            "rq:job:a": {"data": "1"},
            "rq:job:b": {"data": "2"},
            "rq:job:c": {"data": "3"},
            "rq:queue:low": ["d"],
            "rq:last": "text",
        },
    }


NEW = {
    CELERY: {"celery": ["new 2", "new 1"], "unacked": {"tag n": "taken n"}, "unacked_index": {"tag n": 5}},
    RQ: {"rq:queue:default": ["n"], "rq:queues": {"rq:queue:high"}, "rq:scheduled:default": {"m": 5e9}},
}


def fill(engine: Any, databases: dict[int, dict[str, Any]]) -> None:
    for database, keys in databases.items():
        client = redis.Redis.from_url(engine.url(database=database))
        for key, value in keys.items():
            if isinstance(value, list):
                client.rpush(key, *value)
            elif isinstance(value, set):
                client.sadd(key, *value)
            elif isinstance(value, str):
                client.set(key, value)
            elif all(isinstance(one, (int, float)) for one in value.values()):
                client.zadd(key, value)
            else:
                client.hset(key, mapping=value)


def contents(engine: Any) -> dict[int, dict[str, Any]]:
    """Lists as what is in them how often."""
    found: dict[int, dict[str, Any]] = {}
    for database in (CELERY, RQ):
        client = redis.Redis.from_url(engine.url(database=database), decode_responses=True)
        read = {
            "list": lambda key, client=client: Counter(client.lrange(key, 0, -1)),
            "hash": lambda key, client=client: client.hgetall(key),
            "set": lambda key, client=client: client.smembers(key),
            "zset": lambda key, client=client: dict(client.zrange(key, 0, -1, withscores=True)),
            "string": lambda key, client=client: client.get(key),
        }
        found[database] = {key: read[client.type(key)](key) for key in client.scan_iter()}
    return found


def together(*sides: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What there is to be in the end."""
    found: dict[int, dict[str, Any]] = {CELERY: {}, RQ: {}}
    for side, database in itertools.product(sides, found):
        for key, value in side[database].items():
            there = found[database].get(key)
            if isinstance(value, list):
                found[database][key] = (there or Counter()) + Counter(value)
            elif isinstance(value, str):
                found[database][key] = value
            else:
                found[database][key] = (
                    {**(there or {}), **value} if isinstance(value, dict) else value | (there or set())
                )
    return found


def move(pair: tuple[Any, Any], seconds: float = 60.0) -> moving.Moved:
    old, new = (Side(engine.url()) for engine in pair)
    with reached(old) as source, reached(new) as target:
        return moving.move(source, target, QUEUES, time.monotonic() + seconds)


def empty(pair: tuple[Any, Any]) -> None:
    for engine in pair:
        engine.client.flushall()


def test_all_that_waits_is_there_beside_what_came_since_and_nothing_stays(pair, held):
    old, new = pair
    fill(old, held)
    fill(new, NEW)
    moved = move(pair)
    assert moved.is_done and moved.counts["celery"] == 450 and moved.counts["rq:queue:default"] == 2
    assert contents(new) == together(held, NEW)
    assert contents(old) == {CELERY: {}, RQ: {}}


def test_the_oldest_job_is_the_next_one_for_each_library(pair):
    """kombu takes from the end, RQ from the beginning."""
    old, new = pair
    fill(old, {CELERY: {"celery": ["second", "first"]}, RQ: {"rq:queue:default": ["first", "second"]}})
    fill(new, {CELERY: {"celery": ["third"]}, RQ: {"rq:queue:default": ["third"]}})
    move(pair)
    celery, rq = (redis.Redis.from_url(new.url(database=number), decode_responses=True) for number in (CELERY, RQ))
    assert [celery.rpop("celery") for _ in range(3)] == ["first", "second", "third"]
    assert [rq.lpop("rq:queue:default") for _ in range(3)] == ["first", "second", "third"]


def test_what_tells_of_a_process_and_what_is_no_queue_stays(pair):
    old, new = pair
    staying = {
        CELERY: {"unacked_mutex": "locked", "celery-task-meta-1": "{}"},
        RQ: {"rq:workers": {"w1"}, "rq:worker:w1": {"state": "idle"}, "rq:scheduler-lock:default": "w1", "other": "x"},
    }
    fill(old, staying)
    moved = move(pair)
    assert moved.is_done and not moved.counts
    assert contents(old) == staying and contents(new) == {CELERY: {}, RQ: {}}


def test_a_time_to_live_comes_along(pair):
    old, new = pair
    there = redis.Redis.from_url(old.url(database=RQ))
    there.hset("rq:job:a", "data", "1")
    there.expire("rq:job:a", 1000)
    move(pair)
    assert 990 < redis.Redis.from_url(new.url(database=RQ)).ttl("rq:job:a") <= 1000


class Interrupted:
    """The connection is lost at one of all that is sent, before or after the engine got it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count, self.at, self.is_sent = 0, -1, False
        send = Link.send

        def sent(link: Link, data: bytes) -> None:
            self.count += 1
            if self.count != self.at:
                send(link, data)
                return
            if self.is_sent:
                send(link, data)
                time.sleep(0.005)
            raise ConnectionLost("cut on purpose")

        monkeypatch.setattr(Link, "send", sent)

    def begin(self, at: int, is_sent: bool) -> None:
        self.count, self.at, self.is_sent = 0, at, is_sent


@pytest.mark.parametrize(
    "is_sent",
    [pytest.param(False, marks=pytest.mark.long, id="before it is sent"), pytest.param(True, id="after it is sent")],
)
@pytest.mark.long
def test_each_job_is_there_once_wherever_it_was_interrupted(pair, held, monkeypatch, is_sent):
    """And gone on with by running it again."""
    old, new = pair
    small = {
        CELERY: {
            **held[CELERY],
            "celery": ["old 1", "old 2", "old 3"],
            "unacked": {"t": "x"},
            "unacked_index": {"t": 1},
        },
        RQ: held[RQ],
    }
    expected, interrupted = together(small, NEW), Interrupted(monkeypatch)
    for at in itertools.count(1):
        empty(pair)
        fill(old, small)
        fill(new, NEW)
        interrupted.begin(at, is_sent)
        try:
            move(pair)
        except ConnectionLost:
            pass
        else:
            break
        there = contents(new)
        for key, jobs in expected[CELERY].items():
            if isinstance(jobs, Counter):
                assert not Counter(there[CELERY].get(key)) - jobs, f"twice after {at}"
        interrupted.begin(-1, is_sent)
        assert move(pair).is_done
        assert contents(new) == expected, f"interrupted at {at}"
        assert contents(old) == {CELERY: {}, RQ: {}}
    print(f"interrupted at each of {at - 1} commands")
    assert at > 50


def test_what_comes_while_it_is_moved_comes_along(pair, monkeypatch):
    """A web service that has not moved yet places jobs."""
    old, new = pair
    fill(old, {CELERY: {"celery": ["1"]}, RQ: {}})
    late = redis.Redis.from_url(old.url(database=CELERY))
    placed: Iterator[int] = iter(range(2, 5))
    take = moving._Move._take

    def taken(self: Any, keys: Any) -> None:
        take(self, keys)
        for number in itertools.islice(placed, 1):
            late.lpush("celery", str(number))

    monkeypatch.setattr(moving._Move, "_take", taken)
    assert move(pair).is_done
    assert contents(new)[CELERY] == {"celery": Counter(["1", "2", "3", "4"])}


def test_a_run_ends_when_its_time_is_over_and_the_next_one_goes_on(pair, held):
    fill(pair[0], held)
    runs = 0
    while not move(pair, seconds=0.0).is_done:
        runs += 1
        assert runs < 50
    assert runs > 1 and contents(pair[1]) == together(held)


def test_nothing_is_moved_while_a_worker_waits_for_jobs(pair, held):
    old, _new = pair
    fill(old, held)
    worker = redis.Redis.from_url(old.url(database=CELERY))
    worker.brpop("elsewhere", 1)
    with pytest.raises(TransferRefused, match=r"still takes jobs there: 127\.0\.0\.1"):
        move(pair)
    worker.close()
    worker.connection_pool.disconnect()
    assert contents(old) == {number: together(held)[number] for number in (CELERY, RQ)}
    assert move(pair).is_done


def test_what_the_target_has_under_that_name_and_is_no_queue_is_not_touched(pair):
    old, new = pair
    fill(old, {CELERY: {"celery": ["1"]}, RQ: {}})
    fill(new, {CELERY: {"celery": "of somebody else"}, RQ: {}})
    for _time in range(2):
        with pytest.raises(TransferRefused, match="has a string under the name celery"):
            move(pair)
    redis.Redis.from_url(new.url(database=CELERY)).delete("celery")
    assert move(pair).is_done and contents(new)[CELERY] == {"celery": Counter(["1"])}


def test_what_was_copied_is_cleared_where_nobody_works(pair, held):
    _old, new = pair
    fill(new, held)
    fill(new, {CELERY: {"unacked_mutex": "m", "celery-task-meta-1": "{}"}, RQ: {"other": "x"}})
    user = redis.Redis.from_url(new.url(database=0))
    user.ping()
    with reached(Side(new.url())) as target:
        with pytest.raises(TransferRefused, match=r"in use from 127\.0\.0\.1"):
            moving.clear(target, QUEUES)
        kill_others(target)
        assert moving.clear(target, QUEUES) == 13
    assert contents(new) == {CELERY: {"celery-task-meta-1": "{}"}, RQ: {"other": "x"}}


def kill_others(target: Any) -> None:
    """Connections of pools of the test itself."""
    target.links[0].connection.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def test_names_of_keys_are_patterns(pair):
    fill(pair[0], {CELERY: {}, RQ: {"rq:job:3f1e9f5e-aaaa-bbbb": {"data": "1"}}})
    assert "3f1e9f5e" not in json.dumps(dict(move(pair).counts))
