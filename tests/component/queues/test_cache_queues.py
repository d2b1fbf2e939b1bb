"""The module: jobs of a transfer that was cleared are real, those that were copied alone are not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, after_apply
from ansible_collections.kempian.cache_migration.plugins.modules import cache_queues, cache_transfer, cache_verify

Run = Callable[..., dict[str, Any]]
QUEUES = [{"database": 0, "names": ["celery", "unacked"]}]


@pytest.fixture
def pair(start_engine: Callable[..., Any]) -> tuple[Any, Any]:
    old, new = start_engine(password="old-secret-0123"), start_engine(password="new-secret-0123")
    client = redis.Redis.from_url(old.url())
    client.rpush("celery", "c", "b", "a")
    client.set("other", "x")
    client.close()
    return old, new


@pytest.fixture
def run(run_module: Run, pair: tuple[Any, Any], tmp_path: Path) -> Run:
    old, new = pair
    endpoint = Endpoint("elasticache", "shop", address="127.0.0.1", port=new.port, auth="token")
    common = {
        "urls": [{"name": "REDIS_URL", "original": old.url()}],
        "migration_name": "shop",
        "state_dir": str(tmp_path / "state"),
        "endpoint": endpoint.as_dict(),
        "token": "new-secret-0123",
    }

    def once(module: Any = cache_queues, **params: Any) -> dict[str, Any]:
        params = {"queues": QUEUES, **params} if module is not cache_transfer else params
        result = run_module(module.main, **{**common, **params})
        assert "secret-0123" not in json.dumps(result)
        return result

    return once


def listed(engine: Any) -> list[bytes]:
    with redis.Redis.from_url(engine.url()) as client:
        return client.lrange("celery", 0, -1)


def place(engine: Any, *orders: str) -> None:
    with redis.Redis.from_url(engine.url()) as client:
        client.lpush("celery", *orders)


def copy(run: Run) -> None:
    for _time in range(60):
        if not run(cache_transfer, latency_limit_ms=0)["in_progress"]:
            return
    raise AssertionError


def test_a_look_tells_what_waits_and_moves_nothing(run, pair):
    look = run(check_mode=True)
    assert look["jobs"] == {"celery": 3} and look["changed"] and look["progress"] == "waiting in queues: 3 in celery"
    assert len(listed(pair[0])) == 3 and not listed(pair[1])


def test_what_was_copied_is_cleared_once_and_no_job_that_came_since(run, pair):
    old, new = pair
    copy(run)
    assert listed(new) == listed(old)
    assert run(state="cleared")["cleared"] == 1 and not listed(new)
    place(new, "n")
    again = run(state="cleared")
    assert (again["changed"], listed(new)) == (False, [b"n"]), "a host is there by now"
    moved = run(state="moved")
    assert moved["jobs"] == {"celery": 3} and listed(new) == [b"n", b"c", b"b", b"a"] and not listed(old)
    assert not run(state="moved")["changed"]


def test_back_goes_what_came_since_and_no_copy(run, pair):
    """As after hosts were put back, before all is copied anew."""
    old, new = pair
    copy(run)
    assert run(direction="back")["progress"] == "what is there was copied alone: nothing"
    assert len(listed(new)) == len(listed(old)) == 3
    run(state="cleared")
    place(new, "n")
    assert run(direction="back")["jobs"] == {"celery": 1}
    assert not listed(new) and sorted(listed(old)) == [b"a", b"b", b"c", b"n"]
    run(cache_transfer, state="absent")
    copy(run)
    assert not run(direction="back")["changed"], "these are copies again"


def test_what_follows_leaves_queues_alone_from_the_first_host_on(run, pair):
    """Else a worker of the old one would take a job from the target, and both would do the others."""
    old, new = pair
    live = {"strategy": "live", "latency_limit_ms": 0}
    until(lambda: run(cache_transfer, **live)["transfer"]["phase"] == "following")
    until(lambda: listed(new) == listed(old))
    waits = run(state="cleared")
    assert waits["in_progress"] and listed(new), "it still follows them"
    run(cache_transfer, **live, moving=True, queues=QUEUES)
    until(lambda: not run(state="cleared")["in_progress"])
    assert not listed(new)
    with redis.Redis.from_url(old.url()) as left, redis.Redis.from_url(new.url()) as moved:
        moved.lpush("celery", "n2", "n1")
        assert left.rpop("celery") == b"a", "an old worker takes one"
        left.lpush("celery", "d")
        left.pipeline().hset("unacked", "t", "taken").set("other", "y").execute()
        until(lambda: moved.get("other") == b"y")
        assert not moved.exists("unacked") and listed(new) == [b"n1", b"n2"]
    until(lambda: run(cache_transfer, **live, state="finished")["transfer"]["phase"] == "done")
    assert run(state="moved")["jobs"] == {"celery": 3, "unacked": 1}
    assert listed(new) == [b"n1", b"n2", b"d", b"c", b"b"] and not listed(old)


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_comparison_leaves_queues_out(run, pair):
    copy(run)
    run(state="cleared")
    compared = run(cache_verify, settle=0.1)
    assert compared["equal"] and compared["compared"] == 1 and compared["missing"] == 0
    assert run(cache_verify, queues=[], settle=0.1)["missing"] == 1


def test_one_run_at_a_time_moves(run, tmp_path):
    with jobs.only_one(jobs.folder_of(str(tmp_path / "state"), "shop", "queues")) as lock:
        assert lock is not None
        assert "another run moves these queues" in run()["msg"]


def test_a_target_that_is_yet_to_be_made_is_refused(run):
    assert "provision first" in run(endpoint=after_apply("elasticache", "shop").as_dict())["msg"]
