"""What an old Redis and a target mean for one another."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asking import COMMANDS
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import pattern_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import assess, refusals
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Circumstances, Old
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import (
    AssessmentError,
    Target,
    target_from,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.unseen import TELLS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import by_service
from hypothesis import given
from hypothesis import strategies as st

MIB = 2**20
SOURCE = Source(Server("redis", "7.0.15", "master", "standalone"), 10 * MIB, 20 * MIB, maxmemory_policy="volatile-lru")
TARGET = Target("7.1", "cache.t3.micro", sizes.maxmemory("cache.t3.micro"))
COLD = Circumstances("cold")


def weigh(source, target, stated):
    return assess({"old.internal:6379": Old(source)}, target, stated)


def levels(source=SOURCE, target=TARGET, stated=COLD):
    return {finding.subject: finding.level for finding in weigh(source, target, stated)}


def test_what_fits_is_only_told_what_cold_means():
    assert levels() == {"data": "note"}


def test_what_becomes_of_the_data_must_be_stated():
    [refused] = refusals(weigh(SOURCE, TARGET, Circumstances()))
    assert refused.subject == "data" and "migration_transfer: copy" in refused.remedy


def test_of_a_copy_it_is_told_what_stays_behind():
    [told] = weigh(SOURCE, TARGET, Circumstances("copy"))
    assert told.level == "note" and told.found.endswith("All are copied.") and "stays behind" in told.means


def test_jobs_that_are_copied_while_they_wait_are_done_twice_and_that_is_said():
    source = dataclasses.replace(SOURCE, queue_libraries=("Celery",))
    assert levels(source, stated=Circumstances("copy"))["jobs"] == "warn"
    assert "jobs" not in levels(source) and "jobs" not in levels(stated=Circumstances("copy"))


def test_nothing_can_be_copied_to_memcached():
    target = dataclasses.replace(TARGET, protocol="memcached", databases=1)
    stated = Circumstances("copy", ready_for=("memcached",))
    assert "data" in [finding.subject for finding in refusals(weigh(SOURCE, target, stated))]


def test_what_may_not_be_lost_is_refused_where_the_target_loses_it():
    wanted = Circumstances("cold", must_not_lose=True)
    assert levels(stated=wanted)["loss"] == "refuse"
    assert "loss" not in levels(target=dataclasses.replace(TARGET, is_durable=True), stated=wanted)
    assert "loss" not in levels()


@pytest.mark.parametrize(
    ("peak", "level"), [(192 * MIB, None), (193 * MIB, "warn"), (384 * MIB, "warn"), (385 * MIB, "refuse")]
)
def test_memory_is_weighed_against_what_the_reserve_leaves(peak, level):
    # 512 MiB of which 25 % are reserved: 384 for data, 192 for twice the peak
    assert levels(dataclasses.replace(SOURCE, used_memory_peak=peak)).get("memory") == level


@given(peak=st.integers(1, 2**40))
def test_the_type_that_is_named_as_large_enough_is_never_refused_or_warned_of(peak):
    named = sizes.large_enough(2 * peak, "cache.t3.micro")
    if named:
        target = dataclasses.replace(TARGET, node_type=named, maxmemory=sizes.maxmemory(named))
        assert "memory" not in levels(dataclasses.replace(SOURCE, used_memory=1, used_memory_peak=peak), target)


def test_the_family_is_kept_where_it_has_a_size_that_fits():
    assert sizes.large_enough(1000 * MIB, "cache.t4g.micro") == "cache.t4g.small"
    assert sizes.large_enough(9000 * MIB, "cache.t3.micro") == "cache.m6g.xlarge"
    assert sizes.large_enough(2**50, "cache.t3.micro") == ""


SERVERLESS = Target(service=by_service("elasticache-serverless"), engine="valkey", protocol="redis-cluster")


@pytest.mark.parametrize(
    "limit, level", [(None, None), (200 * MIB, None), (40 * MIB, None), (39 * MIB, "warn"), (19 * MIB, "refuse")]
)
def test_a_target_that_grows_by_itself_is_weighed_by_its_limit_alone(limit, level):
    target = dataclasses.replace(SERVERLESS, grows_to=limit)
    stated = dataclasses.replace(COLD, ready_for=("redis-cluster",))
    found = [one for one in weigh(SOURCE, target, stated) if one.subject == "memory"]
    assert [one.level for one in found] == ([level] if level else [])
    assert all("migration_cache_usage_limits" in one.means for one in found)


def test_no_remedy_names_parameters_where_the_target_has_none():
    source = dataclasses.replace(SOURCE, maxmemory_policy="allkeys-lru", keyspace_events="Ex")
    found = {one.subject: one.remedy for one in weigh(source, SERVERLESS, COLD)}
    assert {"eviction", "keyspace events"} <= set(found) and "migration_parameters" not in repr(found)


def test_what_is_not_known_of_a_node_type_is_not_guessed():
    assert sizes.maxmemory("cache.x9.large") is None and sizes.maxmemory("db.t3.micro") is None
    findings = weigh(SOURCE, target_from({"node_type": "cache.x9.large"}), COLD)
    [told] = [finding for finding in findings if finding.subject == "memory"]
    assert told.level == "warn" and "Set migration_cache_node_type to one with at least 40 MiB" in told.sentence


@pytest.mark.parametrize(
    ("version", "is_told"), [("7.1", False), ("7.0", False), ("6.2", True), ("6.x", True), ("", False)]
)
def test_a_target_that_is_older_than_the_source_is_told(version, is_told):
    assert ("version" in levels(target=dataclasses.replace(TARGET, engine_version=version))) == is_told


def test_of_several_each_is_named_and_the_target_is_weighed_against_them_together():
    smaller = dataclasses.replace(SOURCE, keyspace={0: {"count": 2, "expires": 2}}, used_memory_peak=180 * MIB)
    larger = dataclasses.replace(
        smaller, keyspace={0: {"count": 3, "expires": 0}, 17: {"count": 1, "expires": 0}}, modules=("search",)
    )
    places = {"127.0.0.1:6379 on app1": smaller, "127.0.0.1:6379 on app2": larger, "redis-c:6379": smaller}
    found = {one.subject: one for one in assess({place: Old(one) for place, one in places.items()}, TARGET, COLD)}
    assert found["data"].found.startswith("The 3 old Redises together hold 8 keys, 4 of them without TTL.")
    assert found["memory"].level == "refuse" and "The 3 old Redises together use 30 MiB" in found["memory"].found
    assert "at their peaks 540 MiB" in found["memory"].found
    assert "127.0.0.1:6379 on app1 (2 keys), 127.0.0.1:6379 on app2 (4 keys), redis-c" in found["several"].found
    assert "keys of equal name" in found["several"].means
    assert found["databases"].level == "refuse" and "database 17" in found["databases"].found
    assert found["modules"].found == "127.0.0.1:6379 on app2: The old Redis has loaded search."


def test_what_is_found_of_several_alike_is_told_once_with_their_places():
    places = {"redis-a:6379": SOURCE, "redis-b:6379": SOURCE}
    target = dataclasses.replace(TARGET, maxmemory_policy="noeviction")
    [told] = [
        one for one in assess({at: Old(one) for at, one in places.items()}, target, COLD) if one.subject == "eviction"
    ]
    assert told.found.startswith("redis-a:6379, redis-b:6379: The old Redis has maxmemory-policy volatile-lru")


def test_modules_and_databases_that_are_not_served_are_refused():
    source = dataclasses.replace(SOURCE, modules=("search",), keyspace={16: {"count": 1, "expires": 1}})
    assert {finding.subject for finding in refusals(weigh(source, TARGET, COLD))} == {"modules", "databases"}


def database_of(**databases):
    """Of each host the databases that its URLs name and the new ones would."""
    found = weigh(SOURCE, TARGET, Circumstances("cold", databases=databases))
    return [finding for finding in found if finding.subject in ("database", "databases")]


URL, BROKER = "/opt/shop/.env REDIS_URL", "/opt/shop/.env BROKER_URL"


def test_the_database_that_the_old_url_names_is_the_one_of_the_new():
    assert database_of(app1={URL: (2, 2), BROKER: (1, 1)}, app2={URL: (2, 2)}) == database_of() == []


def test_another_database_than_the_old_url_names_is_refused_with_hosts_and_remedy():
    [refused] = database_of(app1={URL: (2, 0)}, app2={URL: (2, 0)})
    assert refused.level == "refuse" and refused.found == f"{URL} names database 2 on app1, app2."
    assert (
        f"{URL} 0" in refused.means
        and refused.remedy == "Set migration_database: 2, and no other for a key of migration_values."
    )


def test_keys_of_different_databases_are_each_to_state_theirs():
    [refused] = database_of(app1={URL: (0, 0), BROKER: (1, 0)})
    assert refused.found == f"{BROKER} names database 1 on app1."
    told = "REDIS_URL: {database: 0}, BROKER_URL: {database: 1}"
    assert told in refused.remedy


def test_hosts_that_name_different_databases_cannot_migrate_together():
    [refused] = database_of(app1={URL: (0, 0)}, app2={URL: (2, 0)})
    assert refused.found == f"{URL} names database 2 on app2." and "an inventory of their own" in refused.remedy


def test_a_database_of_the_old_url_that_is_not_served_is_refused_also_where_it_is_empty():
    [refused] = database_of(app1={URL: (16, 16)})
    assert (refused.level, refused.subject) == ("refuse", "databases") and "database 16" in refused.found


def test_refusals_come_first():
    source = dataclasses.replace(SOURCE, modules=("search",), maxmemory_policy="noeviction")
    assert [finding.level for finding in weigh(source, TARGET, COLD)] == ["refuse", "warn", "note"]


def test_a_replica_of_the_old_redis_is_no_stranger_but_told():
    replica = Client("10.0.0.9", "", 1, ("replconf",), (0,), False, False, False, replica=True)
    [told] = [
        one for one in weigh(dataclasses.replace(SOURCE, clients=(replica,)), TARGET, COLD) if one.level == "warn"
    ]
    assert "replicates" in told.found


def test_parameters_of_the_target_are_read_as_ansible_gives_them():
    target = target_from(
        {"parameters": {"databases": "32", "maxmemory-policy": "allkeys-lru", "reserved-memory-percent": "50"}}
    )
    assert (target.databases, target.maxmemory_policy, target.reserved_percent) == (32, "allkeys-lru", 50)
    with pytest.raises(AssessmentError, match="migration_parameters"):
        target_from({"parameters": {"databases": "many"}})


@pytest.mark.parametrize(
    ("key", "pattern"),
    [
        (b"session:8f3a91c2:cart", "session:*:cart"),
        (b"user/anna@example.org", "user/*.org"),
        (b"legacy:blob:\x00\xff\r\n", "legacy:blob:*"),
        (b"visitors", "visitors"),
        (b"x" * 200, "*"),
    ],
)
def test_names_of_keys_are_told_as_patterns(key, pattern):
    assert pattern_of(key) == pattern


def test_a_service_that_nobody_knows_is_told():
    with pytest.raises(AssessmentError, match="of the service 'memcached-of-old': use elasticache"):
        target_from({"service": "memcached-of-old"})


@pytest.mark.parametrize(
    ("old", "target", "is_told"),
    [
        (("redis", "7.0.15"), ("valkey", "7.2"), False),
        (("redis", "7.2.4"), ("valkey", "7.2"), False),
        (("redis", "7.2.4"), ("redis", "7.1"), True),
        (("redis", "7.4.1"), ("valkey", "8.0"), True),
        (("redis", "8.0.0"), ("valkey", "9.1"), True),
        (("valkey", "8.0.1"), ("valkey", "8.1"), False),
        (("valkey", "8.1.0"), ("valkey", "8.0"), True),
        (("valkey", "7.2.6"), ("redis", "7.1"), True),
    ],
)
def test_versions_are_weighed_by_engine(old, target, is_told):
    source = dataclasses.replace(SOURCE, server=Server(*old, "master", "standalone"))
    wanted = target_from({"engine": target[0], "engine_version": target[1]})
    told = [one for one in weigh(source, wanted, COLD) if one.subject == "version"]
    assert bool(told) == is_told
    assert all(f"the target is {target[0]} {target[1]}" in one.found for one in told)


def test_an_old_redis_of_7_2_is_shown_the_way_to_valkey():
    source = dataclasses.replace(SOURCE, server=Server("redis", "7.2.4", "master", "standalone"))
    (told,) = [one for one in weigh(source, target_from({"engine_version": "7.1"}), COLD) if one.subject == "version"]
    assert "migration_engine: valkey" in told.remedy
    newer = dataclasses.replace(SOURCE, server=Server("redis", "7.4.0", "master", "standalone"))
    (told,) = [one for one in weigh(newer, target_from({"engine_version": "7.1"}), COLD) if one.subject == "version"]
    assert "migration_engine" not in told.remedy


def test_of_every_command_that_may_be_refused_it_is_said_what_it_would_have_told():
    assert set(TELLS) == COMMANDS
