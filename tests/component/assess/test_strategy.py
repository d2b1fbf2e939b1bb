"""What is read of real engines that a strategy rests on, and which one that makes of a cache, sessions, a queue."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import strategy
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Circumstances
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import target_from
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_info

from tests.component.engines.releases import redis_6_2, valkey_9

WATCH = 0.3


@pytest.fixture
def look(run_module):
    def run(url, watch=0.0):
        result = run_module(app_host_info.main, migration_name="test", old={"url": url}, survey={"watch": watch})
        assert not result.get("failed") and not result["changed"], result
        return result["survey"]

    return run


@pytest.fixture
def recommend(look):
    def run(url, watch=WATCH):
        target = target_from({"node_type": "cache.t3.small", "engine_version": "7.1"})
        return strategy.recommend(Source.from_dict(look(url, watch)), 1, target, Circumstances())

    return run


@pytest.fixture
def old(start_engine):
    return start_engine()


@contextlib.contextmanager
def working(engine, work):
    """Somebody does it all the time, as with a client of his own."""
    is_over = threading.Event()

    def go_on():
        with contextlib.closing(redis.Redis.from_url(engine.url())) as client:
            while not is_over.wait(0.002):
                work(client)

    worker = threading.Thread(target=go_on)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()


def filled(engine, prefix, lasting=False):
    for number in range(200):
        engine.client.set(f"{prefix}:{number}", "x" * 50, ex=None if lasting else 1800)
    engine.client.config_resetstat()


def test_what_is_looked_up_and_written_is_measured_without_our_own_look(look, old):
    filled(old, "page")
    quiet = look(old.url(), WATCH)["now"]
    assert (quiet["hits"], quiet["misses"], quiet["writes"]) == (0.0, 0.0, 0.0) and quiet["seconds"] >= WATCH

    def work(client):
        client.get("page:1")
        client.get("none")
        client.set("page:2", "y", ex=100)

    with working(old, work):
        busy = look(old.url(), WATCH)["now"]
    assert min(busy["hits"], busy["misses"], busy["writes"]) > 5
    assert abs(busy["hits"] - busy["writes"]) <= 2 / WATCH
    assert look(old.url())["now"] is None


def test_how_long_keys_live_which_are_the_largest_and_the_version_of_a_payload_are_read(look, old):
    old.client.set("flash:1", "x", ex=30)
    old.client.set("page:1", "x" * 10_000, ex=3000)
    old.client.set("token:1", "x", ex=2_000_000)
    old.client.set("forever", "x")
    seen = look(old.url())
    assert seen["lives"] == {"minute": 1, "hour": 1, "longer": 1}
    assert seen["largest"][0]["pattern"] == "page:*" and seen["largest"][0]["bytes"] > 10_000
    assert seen["payload"] == int.from_bytes(old.client.dump("forever")[-10:-8], "little")


def test_what_was_seen_is_the_same_after_json(look, old):
    filled(old, "page")
    seen = look(old.url(), WATCH)
    assert Source.from_dict(Source.from_dict(seen).as_dict()) == Source.from_dict(seen)


def test_a_payload_that_no_redis_takes_is_known_by_a_real_one(recommend, start_engine):
    engine = start_engine(program=valkey_9())
    filled(engine, "cart", lasting=True)
    made = recommend(engine.url())
    assert "in version 80" in made.payload and "anew by their types" in made.payload


def test_of_channels_is_told_what_their_names_have_in_common(look, old):
    with old.client.pubsub() as listening:
        listening.subscribe("news", "user:17", "user:18")
        listening.psubscribe("events:*")
        for _each in range(4):
            listening.get_message(timeout=2)
        seen = look(old.url())
    assert (seen["subscribed"], seen["subscribed_patterns"], seen["channels"]) == (3, 1, ("news", "user:*"))


@pytest.mark.parametrize(
    ("lines", "may"),
    [
        ((), "yes"),
        (('rename-command PSYNC ""',), "no"),
        (('rename-command REPLCONF ""',), "no"),
        (("user app on >word ~* +@all -psync",), "no"),
        (("user app on >word ~* +@all -replconf",), "no"),
        (("user app on >word ~* +@all -acl",), "unknown"),
        (("user app on >word ~* +@all",), "yes"),
    ],
)
def test_whether_it_may_be_followed_is_known_without_doing_so(look, start_engine, lines, may):
    engine = start_engine(*lines)
    url = f"redis://app:word@127.0.0.1:{engine.port}/0" if "user" in "".join(lines) else engine.url()
    assert look(url)["may_follow"] == may
    assert engine.client.info("replication")["connected_slaves"] == 0
    assert engine.client.info("commandstats").get("cmdstat_psync") is None


@pytest.mark.parametrize(("rights", "may"), [("+@all", "yes"), ("+@all -psync", "unknown"), ("+@all -acl", "unknown")])
def test_of_a_redis_that_tries_nothing_out_a_yes_is_one_of_all_commands(look, start_engine, rights, may):
    engine = start_engine(f"user app on >word ~* {rights}", program=redis_6_2())
    assert look(f"redis://app:word@127.0.0.1:{engine.port}/0")["may_follow"] == may


def test_a_small_cache_sessions_and_a_queue_have_each_their_own(recommend, start_engine):
    cache, sessions, jobs = start_engine(), start_engine(), start_engine()
    filled(cache, "page")
    assert recommend(cache.url()).strategy == "cold"

    filled(sessions, "session")
    assert recommend(sessions.url()).strategy == "copy"
    with working(sessions, lambda client: client.expire("session:1", 1800)):
        made = recommend(sessions.url())
    assert made.strategy == "live" and "writes a second go on" in made.why

    jobs.client.lpush("celery", "{}")
    jobs.client.config_resetstat()
    made = recommend(jobs.url())
    assert made.strategy == "live" and "the queues of Celery" in made.why


def test_whoever_waits_for_jobs_makes_a_queue_of_it_whatever_its_keys_are_called(recommend, old):
    filled(old, "page")
    with contextlib.closing(redis.Redis.from_url(old.url())) as worker:
        waiting = threading.Thread(target=worker.brpop, args=("todo", 20), daemon=True)
        waiting.start()
        deadline = time.monotonic() + 5
        while old.client.info("clients")["blocked_clients"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        made = recommend(old.url())
        old.client.rpush("todo", "done")
        waiting.join(5)
    assert made.strategy == "live" and "127.0.0.1 waits for in queues" in made.why
