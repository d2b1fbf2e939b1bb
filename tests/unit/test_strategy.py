"""Which strategy is recommended for what an old Redis holds and does, and what a cold start costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import KeyGroup, Stream
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.traffic import Traffic, together
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import BRINGING
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import strategy
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import assess
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Circumstances, Old
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from hypothesis import given
from hypothesis import strategies as st

IDLE = Traffic(1.0, 5.0, 5.0, 0.0)
BUSY = Traffic(1.0, 900.0, 100.0, 50.0)
PAGES = Source(
    Server("redis", "7.0.15", "master", "standalone"),
    keyspace={0: {"count": 1000, "expires": 1000}},
    sampled=10,
    key_groups=(KeyGroup(0, "string", "page:*", 10, 0, 100),),
    lives={"hour": 9, "day": 1},
    now=IDLE,
    on_average=IDLE,
    payload=10,
    may_follow="yes",
)
LASTING = replace(PAGES, keyspace={0: {"count": 1000, "expires": 400}})
SESSIONS = replace(PAGES, key_groups=(KeyGroup(0, "hash", "session:*", 10, 0, 100),))
QUEUE = replace(LASTING, queue_libraries=("Celery",))
TARGET = Target("7.1")
CHOICES = ("", "cold", *BRINGING)


def advice(source, target=TARGET, servers=1, **stated):
    return strategy.recommend(source, servers, target, Circumstances(**stated))


def written(source, writes=50.0):
    return replace(source, now=replace(IDLE, writes=writes))


def test_a_small_cache_may_start_cold():
    made = advice(PAGES)
    assert made.strategy == "cold" and made.lost == ()
    assert made.why.startswith("all that it holds expires, 9 of 10 looked at within the hour, and it spares")


def test_a_queue_is_followed_as_its_jobs_come_and_go():
    made = advice(QUEUE)
    assert made.strategy == "live" and "the queues of Celery" in made.why and "jobs come and go" in made.why


def test_sessions_are_copied_while_nobody_writes_and_followed_where_somebody_does():
    assert advice(SESSIONS).strategy == "copy" and advice(SESSIONS).lost == ("sessions (session:*)",)
    assert "hardly anything is written to it" in advice(SESSIONS).why and advice(SESSIONS).stays == ""
    assert advice(written(SESSIONS)).strategy == "live" and "50 writes a second" in advice(written(SESSIONS)).why


@pytest.mark.parametrize(
    ("pattern", "is_one"),
    [
        *[(name, True) for name in ("PHPREDIS_SESSION:*", "sess:*", "spring:session:sessions:*", "app_session_*")],
        (":1:django.contrib.sessions.cache*", True),
        *[(name, False) for name in ("possession:*", "assessment:*", "obsess", "page:*", "*")],
    ],
)
def test_sessions_are_known_by_how_stores_of_them_name_keys(pattern, is_one):
    source = replace(PAGES, key_groups=(KeyGroup(0, "string", pattern, 1, 0, 1),))
    assert bool(advice(source).lost) == is_one


def test_keys_that_never_expire_are_lost_unless_each_may_be_evicted_anyway():
    assert advice(LASTING).strategy == "copy" and advice(LASTING).lost == ("600 of 1,000 keys, which never expire",)
    evicting = replace(LASTING, maxmemory_policy="allkeys-lru", maxmemory=2**20)
    assert advice(evicting).strategy == "cold" and "evicts any key" in advice(evicting).why
    assert advice(replace(evicting, maxmemory=0)).strategy == "copy"
    assert advice(replace(evicting, maxmemory_policy="volatile-lru")).strategy == "copy"


def test_streams_and_whoever_waits_for_jobs_of_the_app_s_own_count_as_well():
    worker = Client("10.0.0.7", "", 1, ("brpop",), (0,), True, False, False, False)
    assert advice(replace(PAGES, clients=(worker,))).lost == ("what 10.0.0.7 waits for in queues",)
    assert advice(replace(PAGES, clients=(worker,))).strategy == "live"
    stream = Stream(0, "events", 3, ("billing",), 1)
    assert advice(replace(PAGES, streams=(stream,))).lost == ("1 stream with groups of readers",)


def test_what_may_not_be_lost_is_brought_whatever_it_is():
    assert advice(PAGES, must_not_lose=True).strategy == "copy"
    assert advice(written(PAGES), must_not_lose=True).strategy == "live"


def test_a_mere_cache_is_brought_warm_where_what_is_behind_it_would_feel_a_cold_start():
    made = advice(replace(PAGES, now=BUSY))
    assert made.strategy == "copy" and "900 lookups a second now" in made.why
    assert made.cold.hit_rate == 0.9 and made.cold.refilled_seconds == 1.0
    assert advice(replace(PAGES, now=replace(BUSY, hits=99.0))).strategy == "cold"
    assert advice(replace(PAGES, now=replace(BUSY, misses=901.0))).strategy == "cold"


def test_a_quiet_moment_does_not_hide_what_goes_on_otherwise():
    assert advice(replace(PAGES, on_average=BUSY)).strategy == "copy"
    assert advice(replace(SESSIONS, on_average=BUSY)).strategy == "live"


def test_what_was_not_seen_is_said_and_taken_for_something():
    unseen = replace(SESSIONS, now=None, on_average=None)
    assert advice(unseen).strategy == "live" and "how much is written to it was not seen" in advice(unseen).why
    assert "how much is looked up in it was not seen" in advice(replace(unseen, key_groups=())).why
    assert "was not seen" in advice(replace(SESSIONS, payload=None)).payload
    assert told(unseen, "cold")["cold start"].found.endswith("not known: its traffic was not seen.")


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ({"may_follow": "no"}, {}, "the old Redis lets this user not follow it"),
        ({"server": Server("redis", "3.2.1", "master", "standalone")}, {}, "a Redis of before 4.0"),
        ({"server": Server("redis", "7.0.1", "master", "cluster")}, {}, "a cluster"),
        ({}, {"protocol": "redis-cluster"}, "a cluster"),
    ],
)
def test_what_cannot_be_followed_is_copied_and_it_is_said_what_stays_behind(source, target, why):
    made = advice(replace(QUEUE, **source), replace(TARGET, **target))
    assert made.strategy == "copy" and f"but {why}" in made.why and "stop who writes" in made.stays


def test_that_following_is_not_known_to_be_allowed_is_no_reason_against_it():
    assert advice(replace(QUEUE, may_follow="unknown")).strategy == "live"


def test_what_nothing_can_bring_starts_cold_and_what_is_lost_by_that_is_said():
    for made in (advice(QUEUE, replace(TARGET, protocol="memcached")), advice(QUEUE, servers=2)):
        assert made.strategy == "cold" and "nothing can bring it" in made.why and "Celery" in made.why


@pytest.mark.parametrize(
    ("engine", "version", "payload", "taken"),
    [
        ("redis", "6.2", 9, True),
        ("redis", "6.2", 10, False),
        ("redis", "7.1", 10, True),
        ("redis", "7.1", 11, False),
        ("valkey", "8.0", 11, True),
        ("valkey", "9.1", 80, True),
        ("valkey", "9.1", 12, False),
        ("redis", "7.1", 80, False),
        ("redis", "", 10, None),
        ("memcached", "1.6", 10, None),
    ],
)
def test_whether_values_go_as_they_are_is_told_by_the_version_of_a_real_one(engine, version, payload, taken):
    assert strategy.takes(engine, version, payload) is taken
    made = advice(replace(LASTING, payload=payload), replace(TARGET, engine=engine, engine_version=version))
    assert f"in version {payload}" in made.payload and ("anew by their types" in made.payload) == (taken is False)


def told(source, transfer, target=TARGET):
    found = assess({"old:6379": Old(source)}, target, Circumstances(transfer))
    return {one.subject: one for one in found if one.subject in ("strategy", "cold start", "data")}


def test_an_assessment_says_it_in_three_lines_at_most():
    assert list(told(QUEUE, "")) == ["data", "strategy", "cold start"]
    assert told(QUEUE, "")["strategy"].remedy == "State it: migration_transfer: live."
    agreed = told(QUEUE, "live")
    assert list(agreed) == ["data", "strategy"] and agreed["strategy"].remedy == ""
    assert (told(QUEUE, "cold")["strategy"].level, agreed["strategy"].level) == ("warn", "note")


def test_what_cold_costs_is_told_in_lookups_that_come_to_what_is_behind():
    said = told(replace(PAGES, now=BUSY, keyspace={0: {"count": 600_000, "expires": 600_000}}), "cold")["cold start"]
    assert said.found == "Now, 900 of 1,000 lookups a second are hits (90%)."
    assert "up to 1,000 a second" in said.means and "has 100 now" in said.means and "10 minutes" in said.means


def test_of_a_redis_without_keys_nothing_is_recommended():
    assert set(told(replace(PAGES, keyspace={}), "cold")) == {"data"}


def test_only_what_can_be_stated_is_weighed_and_each_of_it_is():
    assert set(advice(PAGES).against) == {"cold", *BRINGING}


traffics = st.none() | st.builds(
    Traffic, st.just(1.0), st.floats(0, 1e6), st.floats(0, 1e6), st.none() | st.floats(0, 1e6)
)


sources = st.builds(
    replace,
    st.just(PAGES),
    keyspace=st.integers(0, 1000).map(lambda expiring: {0: {"count": 1000, "expires": expiring}}),
    queue_libraries=st.sampled_from(((), ("RQ",))),
    now=traffics,
    on_average=traffics,
    may_follow=st.sampled_from(("yes", "no", "unknown")),
)


@given(sources, st.sampled_from(("redis", "redis-cluster", "memcached")), st.integers(1, 2), st.sampled_from(CHOICES))
def test_nothing_is_recommended_that_something_stands_against(source, protocol, servers, transfer):
    made = advice(source, replace(TARGET, protocol=protocol), servers, transfer=transfer)
    assert made.against[made.strategy] == () and made.why
    assert len(list(strategy.findings(made, Circumstances(transfer)))) <= 2


def test_of_several_servers_the_traffic_is_the_sum_and_unknown_where_one_of_them_is():
    assert together([BUSY, BUSY]) == Traffic(1.0, 1800.0, 200.0, 100.0)
    assert together([BUSY, replace(BUSY, writes=None)]).writes is None
    assert together([BUSY, None]) is None and together([]) is None
