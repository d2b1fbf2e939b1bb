"""The services side by side: what fits, what it costs, and which one is recommended."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import KeyGroup
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import comparison
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.comparison import (
    compare,
    load_of,
    offers,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import sizes
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.offers import (
    NAME as MEMCACHED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.offers import NAME as MEMORY_DB
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import (
    Load,
    Wishes,
    node_type,
    shards_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.price_list import (
    BACKUP,
    INSTANCE,
    MEMORYDB,
    NODE,
    VOLUME,
    Item,
    Price,
    PriceList,
    price_in,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.offers import (
    CLUSTER,
    NAMES,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.offers import (
    NAME as SERVERLESS,
)

VALKEY, REDIS = NAMES["valkey"], NAMES["redis"]
MIB, GIB = 2**20, 2**30
SHIPPED = PriceList("us-east-1")
SMALL = Load(80 * MIB, 100 * MIB, 50.0, 20000.0, 0.01, (0,), ("hash", "string"), (), ())
QUEUE = dataclasses.replace(SMALL, used=2 * GIB, peak=2 * GIB, types=("list", "string"), queues=("Celery",))
USUAL, LOSSLESS = Wishes(), Wishes(must_not_lose=True)


def costs(load, wishes=USUAL, list_of=SHIPPED):
    return {offer.name: cost for offer, cost in compare(load, wishes, list_of).rows}


def fitting(load, wishes=USUAL):
    return [one.name for one in offers(load, wishes) if one.fits]


def chosen(load, name, wishes=USUAL):
    return next(one for one in offers(load, wishes) if one.name == name)


def test_a_small_cache_is_recommended_two_small_nodes_of_valkey():
    found = compare(SMALL, USUAL, SHIPPED)
    assert found.recommended == VALKEY
    assert chosen(SMALL, VALKEY).settings == {
        "migration_engine": "valkey",
        "migration_cache_node_type": "cache.t4g.micro",
    }
    assert costs(SMALL)[VALKEY].usd == pytest.approx(18.69)  # 2 x 0.0128 x 730
    assert costs(SMALL)[REDIS].usd == pytest.approx(23.36)
    assert "4.67 USD a month less than ElastiCache for Redis OSS" in found.why


def test_a_queue_is_recommended_what_it_runs_on_and_never_what_evicts_its_jobs():
    assert fitting(QUEUE) == [VALKEY, REDIS]
    assert compare(QUEUE, USUAL, SHIPPED).recommended == VALKEY
    settings = chosen(QUEUE, VALKEY).settings
    assert settings["migration_cache_node_type"] == "cache.m7g.large"  # twice 2 GiB is more than a t4g.medium has
    assert settings["migration_parameters"] == {"maxmemory-policy": "noeviction"}
    for name in (CLUSTER, SERVERLESS, MEMORY_DB, MEMCACHED):
        assert any("Celery" in why for why in chosen(QUEUE, name).why_not)


def test_what_must_not_be_lost_is_recommended_a_service_that_keeps_it():
    found = compare(SMALL, LOSSLESS, SHIPPED)
    assert found.recommended == MEMORY_DB
    assert fitting(SMALL, LOSSLESS) == [MEMORY_DB, f"{CLUSTER}, durable"]
    durable = chosen(SMALL, f"{CLUSTER}, durable", LOSSLESS)
    assert durable.settings["migration_durability"] == "sync"
    assert ".t" not in durable.settings["migration_cache_node_type"]


def test_a_queue_that_must_not_lose_anything_is_recommended_nothing():
    found = compare(QUEUE, LOSSLESS, SHIPPED)
    assert found.recommended == "" and "None of them" in found.why
    assert "Recommended: none." in "\n".join(comparison.lines(found, QUEUE))


def test_steady_load_gets_no_node_that_lives_on_credits():
    steady = dataclasses.replace(SMALL, cpu=0.2)
    assert chosen(steady, VALKEY).settings["migration_cache_node_type"] == "cache.m7g.large"
    assert chosen(dataclasses.replace(SMALL, cpu=None), VALKEY).what == "2 x cache.t4g.micro in two zones"


@pytest.mark.parametrize("peak", [1, 150 * MIB, 201 * MIB, 202 * MIB, GIB, 3 * GIB, 30 * GIB])
def test_a_node_has_room_for_twice_the_peak(peak):
    load = dataclasses.replace(SMALL, used=peak, peak=peak)
    node = node_type(load, "valkey")
    assert sizes.usable(sizes.maxmemory(node)) >= 2 * peak


def test_more_than_a_node_holds_is_spread_over_shards():
    load = dataclasses.replace(SMALL, used=400 * GIB, peak=400 * GIB)
    assert compare(load, USUAL, SHIPPED).recommended == CLUSTER
    node, count = shards_of(load)
    assert count * sizes.usable(sizes.maxmemory(node)) >= 800 * GIB


def test_databases_and_types_stand_against_what_lacks_them():
    load = dataclasses.replace(SMALL, databases=(0, 3))
    assert fitting(load) == [VALKEY, REDIS]
    assert MEMCACHED not in fitting(SMALL)
    assert MEMCACHED in fitting(dataclasses.replace(SMALL, types=("string",)))
    assert fitting(dataclasses.replace(SMALL, modules=("search",))) == []


def test_a_price_that_is_in_no_list_is_unknown():
    assert costs(SMALL)[MEMORY_DB].usd is None
    assert "backups (price unknown)" in costs(SMALL)[VALKEY].beside
    elsewhere = costs(SMALL, list_of=PriceList("eu-north-1"))
    assert {cost.usd for cost in elsewhere.values()} == {None}
    assert "in no price list" in "\n".join(comparison.lines(compare(SMALL, USUAL, PriceList("eu-north-1")), SMALL))


def test_what_aws_tells_goes_before_what_is_shipped_and_says_which():
    told = {Item(NODE, "cache.t4g.micro", "valkey"): Price(0.5, "told"), Item(BACKUP): Price(0.1, "told")}
    cost = costs(SMALL, list_of=PriceList("us-east-1", (told,)))[VALKEY]
    assert cost.usd == pytest.approx(0.5 * 2 * 730 + 0.1 * 5 * 80 / 1024, abs=0.01)
    assert cost.sources == ("told",) and cost.beside == ()


def test_serverless_is_paid_by_what_was_measured_and_never_less_than_its_floor():
    assert costs(SMALL)[SERVERLESS].usd == pytest.approx((0.1 * 0.084 + 50 * 3600 / 1e6 * 0.0023) * 730, abs=0.01)
    heavy = dataclasses.replace(SMALL, net_per_second=1024.0 * 900)  # more KB than commands
    assert costs(heavy)[SERVERLESS].usd == pytest.approx((0.1 * 0.084 + 900 * 3600 / 1e6 * 0.0023) * 730, abs=0.01)
    untold = costs(dataclasses.replace(SMALL, commands_per_second=None))[SERVERLESS]
    assert "its requests, whose rate was not told" in untold.beside


def test_the_old_instance_stands_beside_them_with_its_volumes():
    wishes = Wishes(instance={"instance_type": "t3.small", "volumes": [{"type": "gp3", "gb": 20}]})
    told = {Item(INSTANCE, "t3.small"): Price(0.02, "told"), Item(VOLUME, "gp3"): Price(0.08, "told")}
    assert costs(SMALL, wishes, PriceList("us-east-1", (told,)))["As it is: Redis on EC2"].usd == pytest.approx(16.2)
    assert costs(SMALL, wishes)["As it is: Redis on EC2"].usd is None


def test_the_load_is_that_of_all_old_redises_together():
    group = KeyGroup(0, "zset", "score:*", 3, 3, 100)
    one = Source(Server(), used_memory=10, used_memory_peak=5, uptime=10, commands_processed=100, net_bytes=2048)
    two = Source(Server(), used_memory_peak=7, uptime=100, commands_processed=100, key_groups=(group,), cpu_seconds=5.0)
    load = load_of([one, two], [3])
    assert (load.used, load.peak, load.commands_per_second) == (10, 17, 11.0)
    assert load.cpu == pytest.approx(0.05) and load.databases == (3,) and load.types == ("zset",)
    assert load_of([one, Source(Server())]).commands_per_second is None


# --- AWS's own lists ---


def product(usd="0.0640000000", reserved=True, **attributes):
    named = {"usagetype": "NodeUsage:cache.t4g.small", "cacheEngine": "Valkey", "locationType": "AWS Region"}
    dimensions = {"a": {"pricePerUnit": {"USD": usd}}, **({"b": {"pricePerUnit": {"USD": "0.0"}}} if reserved else {})}
    return {
        "product": {"attributes": {**named, **attributes}},
        "terms": {"OnDemand": {"term": {"priceDimensions": dimensions}}},
    }


SMALL_NODE = Item(NODE, "cache.t4g.small", "valkey")


@pytest.mark.parametrize(
    ("products", "usd"),
    [
        ([product()], 0.064),
        ([product(usagetype="EUW1-NodeUsage:cache.t4g.small")], 0.064),
        ([product(cacheEngine="Redis")], None),
        ([product(usagetype="ExtendedSupport:NodeUsage:cache.t4g.small")], None),
        ([product(locationType="AWS Local Zone")], None),
        ([product(), product(usd="0.07")], None),  # which of them it is cannot be told
        ([product(), product(reserved=False)], 0.064),
        ([], None),
        ([{"product": {}}], None),
    ],
)
def test_a_price_is_read_where_it_can_be_told_which_it_is(products, usd):
    assert price_in(SMALL_NODE, products) == usd


def test_memorydb_says_its_engine_by_its_operation():
    found = product(usagetype="NodeUsage:db.t4g.small", cacheEngine="", operation="CreateCluster:Valkey")
    assert price_in(Item(MEMORYDB, "db.t4g.small", "valkey"), [found]) == 0.064
