"""What of an app would break at a target whose clients speak another protocol."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import KeyGroup
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import LIBRARIES
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import PROTOCOLS, after_apply
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import (
    client,
    memcached_commands,
    stage,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import assess, refusals
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Circumstances, Old
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import by_service

from tests.unit.engine_world import ENDPOINT, OLD, SETTINGS, Held, Host, World

SOURCE = Source(Server("redis", "7.0.15"), maxmemory_policy="noeviction")
TARGET = Target("8.1", "cache.m7g.large", 2**30, maxmemory_policy="noeviction", engine="valkey")
CLUSTER = dataclasses.replace(TARGET, protocol="redis-cluster", databases=1)
MEMCACHED = dataclasses.replace(TARGET, protocol="memcached", databases=1)


def weigh(source=SOURCE, target=CLUSTER, ready_for="", **stated):
    return assess(
        {"old:6379": Old(source)}, target, Circumstances("cold", ready_for=tuple(filter(None, [ready_for])), **stated)
    )


def of(subject, findings):
    return [one for one in findings if one.subject == subject]


def test_a_client_is_known_for_every_protocol_but_the_usual_and_may_be_stated():
    assert {*client.CLIENTS, "redis"} == set(PROTOCOLS)
    assert set(OPTIONS["app_ready_for"].choices) == {"", *client.CLIENTS, client.IAM}


@pytest.mark.parametrize("target", [CLUSTER, MEMCACHED], ids=lambda target: target.protocol)
def test_the_plain_app_is_refused_until_it_is_said_that_it_has_the_client(target):
    [refused] = refusals(weigh(target=target))
    assert refused.subject == "client" and f"migration_app_ready_for: {target.protocol}" in refused.remedy
    assert "redis.from_url" in refused.means
    assert not refusals(weigh(target=target, ready_for=target.protocol))


def test_that_it_is_ready_for_another_protocol_does_not_count():
    assert [one.subject for one in refusals(weigh(ready_for="memcached"))] == ["client"]


def test_nothing_is_asked_of_the_app_where_the_target_speaks_as_the_old_one():
    assert not of("client", weigh(target=TARGET))


@pytest.mark.parametrize("ready_for", list(client.CLIENTS))
def test_an_app_that_is_ready_for_another_protocol_than_the_target_speaks_is_told_of(ready_for):
    [told] = of("client", weigh(target=TARGET, ready_for=ready_for))
    assert told.level == "warn" and f"migration_app_ready_for is {ready_for}" in told.found


def test_what_the_old_redis_has_served_and_holds_that_memcached_has_no_word_for_is_named():
    served = ("blpop", "config|get", "eval", "expire", "get", "hset", "incr", "info", "keys", "mget", "set", "zadd")
    groups = (KeyGroup(0, "hash", "session:*", 9, 0, 10), KeyGroup(0, "string", "page:*", 5, 2, 10))
    source = dataclasses.replace(SOURCE, commands=served, key_groups=groups)
    [refused] = refusals(weigh(source, target=MEMCACHED))
    assert "(lists: blpop; scripts: eval; hashes: hset; others: keys; sorted sets: zadd)" in refused.means
    assert "keys of the types hash" in refused.means and "At least 2 keys have no end" in refused.means
    [told] = of("commands of the client", weigh(source, target=MEMCACHED, ready_for="memcached"))
    assert "blpop" in told.means and not refusals(weigh(source, target=MEMCACHED, ready_for="memcached"))


def test_of_memcached_it_is_told_that_nothing_outlives_a_node_and_no_parameter_of_redis_is_named():
    service = by_service("elasticache-memcached")
    target = dataclasses.replace(MEMCACHED, service=service, maxmemory_policy=service.traits.maxmemory_policy)
    findings = weigh(dataclasses.replace(SOURCE, saves=True), target=target, ready_for="memcached")
    [kept], [policy] = of("persistence", findings), of("eviction", findings)
    assert "keeps nothing" in kept.means and "snapshots" not in kept.means
    assert "migration_parameters" not in policy.remedy


def test_a_command_that_memcached_has_in_other_words_breaks_nothing():
    source = dataclasses.replace(SOURCE, commands=tuple(memcached_commands.COUNTERPARTS))
    assert not of("commands of the client", weigh(source, target=MEMCACHED, ready_for="memcached"))


def test_what_the_old_redis_has_served_and_a_cluster_refuses_is_named():
    source = dataclasses.replace(SOURCE, commands=("dbsize", "eval", "get", "mget", "publish", "rename", "scan", "set"))
    [refused] = refusals(weigh(source))
    assert "eval, mget, rename may name keys of several slots" in refused.means
    assert "each answer to dbsize." in refused.means and "Messages of channels" in refused.means
    [told] = of("commands of the client", weigh(source, ready_for="redis-cluster"))
    assert told.level == "warn" and "eval, mget, rename" in told.means


def test_databases_that_a_cluster_does_not_serve_are_refused_whatever_the_client():
    source = dataclasses.replace(SOURCE, keyspace={0: {"count": 1, "expires": 1}, 3: {"count": 1, "expires": 1}})
    [refused] = refusals(weigh(source, ready_for="redis-cluster"))
    assert refused.subject == "databases" and "database 3" in refused.found and "database 0 only" in refused.means
    assert "migration_parameters" not in refused.remedy


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("target", [CLUSTER, MEMCACHED], ids=lambda target: target.protocol)
def test_a_library_of_queues_is_refused_by_name_also_where_the_app_is_ready(library, target):
    source = dataclasses.replace(SOURCE, queue_libraries=(library,))
    [refused] = refusals(weigh(source, target, target.protocol))
    assert refused.subject == "queues" and library in refused.found and target.protocol in refused.means


def test_queues_run_on_a_target_of_one_node_and_are_warned_of_where_it_evicts():
    source = dataclasses.replace(SOURCE, queue_libraries=("Celery", "RQ"))
    assert not of("queues", weigh(source, TARGET))
    [told] = of("queues", weigh(source, dataclasses.replace(TARGET, maxmemory_policy="volatile-lru")))
    assert told.level == "warn" and "Celery and RQ" in told.found and "noeviction" in told.remedy


def test_what_an_app_must_do_to_log_in_by_iam_is_told():
    by_iam = dataclasses.replace(TARGET, auth="iam")
    [refused] = refusals(weigh(target=by_iam))
    assert refused.subject == "login" and "migration_app_ready_for: [iam]" in refused.remedy
    for word in ("15 minutes", "12 hours", "TLS"):
        assert word in refused.means
    for word in ("credential_provider", "elasticache:Connect", "whose id and name are one"):
        assert word in refused.remedy
    [told] = of("login", weigh(target=by_iam, ready_for="iam"))
    assert told.level == "note" and not of("client", weigh(target=by_iam, ready_for="iam"))
    assert not of("login", weigh(target=TARGET, ready_for="iam"))


# --- in a plan ---

THERE = World({"app1": Host(Held(OLD))})
CLUSTER_ENDPOINT = {**ENDPOINT, "protocol": "redis-cluster", "databases": 1}


def known(goal, endpoint=CLUSTER_ENDPOINT, **settings):
    stated = {**SETTINGS, "transfer": "cold", "cache_node_type": "cache.m7g.large", **settings}
    return dataclasses.replace(THERE.known(goal), endpoint=endpoint, settings=stated)


def looks(goal, source=SOURCE):
    seen = THERE.looks(goal)
    return {host: dataclasses.replace(look, survey=source.as_dict()) for host, look in seen.items()}


@pytest.mark.parametrize("goal", ["assess", "migrate", "cutover"])
def test_the_plan_of_a_migration_is_refused_where_the_app_is_not_ready(goal):
    refused = engine.plan(known(goal), looks(goal)).refusals
    assert any("migration_app_ready_for" in why for why in refused)
    assert not engine.plan(known(goal, app_ready_for=["redis-cluster"]), looks(goal)).refusals


@pytest.mark.parametrize("goal", ["assess", "migrate", "cutover"])
def test_it_is_refused_where_the_app_is_not_ready_to_log_in_by_iam_whatever_else_it_is_ready_for(goal):
    by_iam = {**CLUSTER_ENDPOINT, "auth": "iam", "username": "shop"}
    refused = engine.plan(known(goal, by_iam, app_ready_for=["redis-cluster"]), looks(goal)).refusals
    assert any("logs in by IAM" in why and "[iam]" in why for why in refused)
    assert not engine.plan(known(goal, by_iam, app_ready_for=["redis-cluster", "iam"]), looks(goal)).refusals


def test_a_rollback_asks_nobody_whether_the_app_is_ready():
    assert not any("app_ready_for" in why for why in engine.plan(known("rollback"), looks("rollback")).refusals)


def test_a_target_that_is_yet_to_be_made_is_refused_for_its_protocol_as_well():
    placeholder = after_apply("elasticache", "shop-cache", protocol="redis-cluster").as_dict()
    source = dataclasses.replace(SOURCE, run_id="1", keyspace={2: {"count": 1, "expires": 0}}, queue_libraries=("RQ",))
    [refused] = stage.weigh(known("assess", placeholder), looks("assess", source)).refusals
    for what in ("client: The target speaks redis-cluster", "queues: The old Redis has keys of RQ", "database 2"):
        assert what in refused
