"""cache_assess against real engines with real data and real clients."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.modules import cache_assess

PASSWORD = "a-password-of-this-test"
TARGET = {"cache_node_type": "cache.t3.small", "engine_version": "7.1"}


@pytest.fixture
def assess(run_module):
    def run(**params):
        given = {"data": "cold", "target": TARGET, **params}
        result = run_module(cache_assess.main, **{name: value for name, value in given.items() if value is not None})
        assert PASSWORD not in repr(result)
        return result

    return run


@pytest.fixture
def old(start_engine):
    return start_engine(password=PASSWORD)


def finding(result, subject):
    found = [one for one in result["findings"] if one["subject"] == subject]
    assert found, f"nothing of {subject} in {[one['subject'] for one in result['findings']]}"
    return found[0]


def subjects(result, level):
    return [one["subject"] for one in result["findings"] if one["level"] == level]


def test_a_small_engine_may_go_to_a_larger_target_where_cold_is_stated(assess, old):
    old.client.set("page:1", "x", ex=100)
    result = assess(url=old.url(), known_clients={"127.0.0.1": "app1"})
    assert not result.get("failed") and not result["changed"], result
    assert subjects(result, "refuse") == []
    assert result["source"]["total_keys"] == 1 and result["source"]["keys_without_ttl"] == 0
    assert result["source"]["server"]["version"].count(".") == 2
    assert isinstance(result["source"]["used_memory"], int) and result["source"]["databases"] == 16
    assert result["location"]["port"] == old.port


def test_nothing_of_the_data_is_changed(assess, old):
    old.client.set("page:1", "x", ex=100)
    old.client.xadd("events", {"a": 1})
    before = old.client.info("commandstats")
    assess(url=old.url(), data="cold")
    after = old.client.info("commandstats")
    reading = {"auth", "ping", "info", "select", "scan", "type", "pttl", "memory|usage", "xlen", "xinfo|groups"}
    reading |= {"client|id", "client|list", "client|info", "module|list", "config|get", "hello", "client|setinfo"}
    assert {name[8:] for name in after if after[name] != before.get(name)} <= reading


def test_data_must_be_stated_and_the_refusal_says_what_cold_means_for_it(assess, old):
    old.client.mset({"counter:1": 1, "counter:2": 2})
    result = assess(url=old.url(), data=None)
    assert result["failed"] and "migration_data: cold" in result["msg"]
    assert "2 keys, 2 of them without TTL" in result["msg"] and "different caches" in result["msg"]


def test_all_refusals_are_in_one_message(assess, old):
    with contextlib.closing(old.client) as client:
        client.execute_command("SELECT", 5)
    redis.Redis.from_url(old.url(database=5)).set("a", 1)
    result = assess(url=old.url(), data=None, target={"maxmemory_bytes": 1000, "databases": 4})
    assert subjects(result, "refuse") == ["data", "memory", "databases"]
    assert all(
        word in result["msg"] for word in ("migration_data", "migration_cache_node_type", "migration_parameters")
    )


def test_another_database_than_the_url_names_is_refused(assess, old):
    result = assess(url=old.url(database=2), database=0)
    assert result["failed"] and "migration_database: 2" in result["msg"] and "this host: database 2" in result["msg"]
    result = assess(url=old.url() + "?db=3", database=0, named_databases={"app1": 3, "app2": "3"})
    assert result["failed"] and "app1, app2: database 3" in result["msg"]
    assert not assess(url=old.url(database=2), database=2, named_databases={"app1": 2}).get("failed")
    assert "number of a database" in assess(url=old.url(), named_databases={"app1": "x"})["msg"]


def test_a_target_that_is_too_small_is_refused_with_one_that_fits(assess, old):
    client = old.client
    for number in range(42):
        client.set(f"filler:{number}", b"x" * 10_000_000)
    result = assess(url=old.url(), target={"cache_node_type": "cache.t3.micro"})
    assert result["failed"] and "cache.t3.micro has 384 MiB" in result["msg"] and "cache.t3.small" in result["msg"]
    assert not assess(url=old.url(), target={"cache_node_type": "cache.t3.medium"}).get("failed")


def test_keys_without_ttl_are_told_by_type_and_pattern_and_not_by_name(assess, old):
    client = old.client
    for number in range(30):
        client.hset(f"user:{number}:profile", "name", "x")
        client.set(f"page:{number}", "x", ex=1000)
    client.set(b"blob:\x00\xff", "x")
    result = assess(url=old.url())
    told = finding(result, "keys without TTL")
    assert told["level"] == "warn" and "31 of 61" in told["found"]
    assert "hash: 30 (user:*:profile)" in told["found"] and "string: 1 (blob:*)" in told["found"]
    groups = {group["pattern"]: group for group in result["source"]["key_groups"]}
    assert groups["page:*"]["without_ttl"] == 0 and groups["page:*"]["count"] == 30 and groups["page:*"]["bytes"] > 0


def test_the_sample_is_bounded_for_each_database(assess, old):
    for database in (0, 3):
        client = redis.Redis.from_url(old.url(database=database))
        client.mset({f"k:{number}": "x" for number in range(500)})
    result = assess(url=old.url(), sample=50)
    assert result["source"]["sampled"] == 100
    assert result["source"]["total_keys"] == 1000 and set(result["source"]["keyspace"]) == {0, 3}


def test_streams_are_found_with_their_groups_among_many_keys(assess, old):
    client = old.client
    client.mset({f"k:{number}": "x" for number in range(3000)})
    client.xadd("events", {"a": 1})
    client.xadd("events", {"a": 2})
    client.xgroup_create("events", "billing", id="0")
    client.xreadgroup("billing", "worker", {"events": ">"}, count=1)
    result = assess(url=old.url(), sample=10)
    told = finding(result, "streams")
    assert "2 entries" in told["found"] and "billing, 1 entries pending" in told["found"]


def test_a_client_that_is_no_host_of_the_inventory_is_named(assess, old):
    with contextlib.closing(redis.Redis.from_url(old.url(), client_name="exporter")) as stranger:
        stranger.ping()
        result = assess(url=old.url())
        told = finding(result, "clients")
        assert told["level"] == "warn" and "127.0.0.1" in told["found"]
        assert "name exporter, last command ping" in told["found"]
        assert "clients" not in [
            one["subject"] for one in assess(url=old.url(), known_clients={"127.0.0.1": "app1"})["findings"]
        ]
        refused = assess(url=old.url(), unknown_clients="refuse")
        assert refused["failed"] and "exporter" in refused["msg"]


def test_the_assessment_does_not_report_its_own_connection(assess, old):
    assert assess(url=old.url())["source"]["clients"] == ()


def test_a_consumer_that_waits_for_jobs_is_told(assess, old):
    worker = redis.Redis.from_url(old.url())
    waiting = threading.Thread(target=worker.brpop, args=("jobs", 20), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 5
    while old.client.info("clients")["blocked_clients"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    told = finding(assess(url=old.url()), "blocking consumers")
    assert "127.0.0.1" in told["found"] and "brpop" in told["found"]
    old.client.rpush("jobs", "done")
    waiting.join(5)


def test_a_subscriber_is_told(assess, old):
    with old.client.pubsub() as subscriber:
        subscriber.subscribe("news")
        subscriber.get_message(timeout=2)
        assert "127.0.0.1" in finding(assess(url=old.url()), "subscriptions")["found"]


def test_another_eviction_policy_is_told_with_what_it_means(assess, start_engine):
    old = start_engine("maxmemory-policy noeviction")
    told = finding(assess(url=old.url()), "eviction")
    assert (
        "noeviction" in told["found"] and "volatile-lru" in told["found"] and "migration_parameters" in told["remedy"]
    )
    same = assess(url=old.url(), target={**TARGET, "parameters": {"maxmemory-policy": "noeviction"}})
    assert "eviction" not in [one["subject"] for one in same["findings"]]


def test_an_older_target_a_denied_command_and_persistence_are_told(assess, start_engine):
    old = start_engine("appendonly yes", "save 60 100")
    old.client.config_set("timeout", 100)
    result = assess(url=old.url(), target={"cache_node_type": "cache.t3.small", "engine_version": "6.2"})
    assert "only started cold" in finding(result, "version")["remedy"]
    assert "config set" in finding(result, "commands")["found"]
    told = finding(result, "persistence")["found"]
    assert "RDB snapshots" in told and "append-only" in told


def test_a_database_beyond_the_target_counts_also_where_only_a_client_is_at_it(assess, old):
    with contextlib.closing(redis.Redis.from_url(old.url(database=7))) as client:
        client.ping()
        assert "database 7" in assess(url=old.url(), target={**TARGET, "cluster_mode": "enabled"})["msg"]


def test_what_the_user_may_not_ask_is_said_to_be_unchecked(assess, start_engine):
    old = start_engine(f"user app on >{PASSWORD} ~* +@all -config -module -client")
    result = assess(url=f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0")
    told = finding(result, "not seen")
    assert "CONFIG GET" in told["found"] and "MODULE LIST" in told["found"] and "CLIENT LIST" in told["found"]
    assert result["source"]["databases"] is None


def test_a_wrong_password_ends_with_the_probes_reason(assess, old):
    result = assess(url=old.url(password="wrong-password-here"))
    assert result["failed"] and result["failure"]["kind"] == "auth_wrong"


def test_an_unknown_node_type_is_told_to_be_unchecked(assess, old):
    told = finding(assess(url=old.url(), target={"cache_node_type": "cache.x9.large"}), "memory")
    assert told["level"] == "warn" and "cache.x9.large is not known" in told["means"]
