"""Who has which keys of a cluster."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster_survey import whole
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import KeyGroup
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

ONE, OTHER = [b"node-1", 6379, b"id-1"], [b"node-2", 6379, b"id-2"]


@given(st.text(max_size=12))
def test_the_slot_of_a_key_is_the_one_that_redis_py_takes(key):
    assert slots.slot_of(key) == key_slot(key.encode())


@pytest.mark.parametrize("key", ["{a}x", "{}x", "x{a", "x{}{a}", "}{a}", "{{a}}", "a{b}c{d}"])
def test_also_where_it_has_a_hash_tag_or_something_like_one(key):
    assert slots.slot_of(key) == key_slot(key.encode())


def test_ranges_of_one_node_are_one_shard_with_its_replicas():
    replica = [b"node-3", 6379, b"id-3"]
    shards = slots.read([[0, 99, ONE, replica], [200, 16383, ONE, replica], [100, 199, OTHER]], "entry")
    assert [shard.primary.address for shard in shards] == ["node-1", "node-2"]
    assert shards[0].ranges == ((0, 99), (200, 16383)) and [node.address for node in shards[0].replicas] == ["node-3"]
    assert slots.uncovered(shards) == 0 and shards[1].has(150) and not shards[0].has(150)


def test_slots_that_nobody_has_are_counted():
    assert slots.uncovered(slots.read([[1, 16382, ONE]], "entry")) == 2
    assert slots.uncovered(slots.read([], "entry")) == slots.uncovered(()) == 16384


def test_a_node_that_names_no_address_is_reached_as_the_one_that_was_asked():
    shards = slots.read([[0, 16383, [None, 6380, b"id", [b"hostname", b"", b"ip", b"192.0.2.1"]]]], "entry")
    assert shards[0].primary.place == ("entry", 6380) and shards[0].primary.others == ("192.0.2.1",)


@pytest.mark.parametrize(
    "reply",
    [
        *([[0, 1]], [[0, 1, [b"a"]]], [["x", 1, ONE]], [[0, 1, [b"?", 6379, b"id"]]], [[0, 1, [b"a", 0, b"id"]]], [3]),
        *([[0, 2**62, ONE]], [[-5, 3, ONE]], [[16384, 16384, ONE]], [[5, 2, ONE]], [[0, 16383, ONE], [7, 7, OTHER]]),
    ],
)
def test_what_is_no_map_of_slots_is_said_to_be_none(reply):
    with pytest.raises(slots.NotASlotMap):
        slots.read(reply, "entry")


@pytest.mark.parametrize(
    "name", [b"evil/?ssl_ca_certs=", b"evil#", b"a@b", b"[", b"a b", b"\x1b[2J", b"fe80::1%eth0", b"x" * 254, b"-x"]
)
def test_a_name_that_a_url_would_read_otherwise_is_no_node(name):
    with pytest.raises(slots.NotASlotMap, match="no name that leads anywhere"):
        slots.read([[0, 16383, [name, 6379, b"id"]]], "entry")
    [shard] = slots.read([[0, 16383, [b"node", 6379, b"id", [b"hostname", name]]]], "entry")
    assert shard.primary.others == ()


def test_no_cluster_has_more_nodes_than_the_largest():
    replicas = [[b"10.0.%d.%d" % divmod(number, 256), 6379, b"id"] for number in range(slots.MOST_NODES)]
    with pytest.raises(slots.NotASlotMap, match="more than 1000 nodes"):
        slots.read([[0, 16383, ONE, *replicas]], "entry")
    assert len(slots.read([[0, 16383, ONE, *replicas[1:]]], "entry")[0].replicas) == slots.MOST_NODES - 1


@given(st.lists(st.integers(1, 16383), max_size=20, unique=True).map(sorted))
def test_each_shard_gets_a_key_of_its_own(cuts):
    starts, ends = [0, *cuts], [*(cut - 1 for cut in cuts), 16383]
    shards = slots.read([[a, b, [f"n{a}".encode(), 6379, b""]] for a, b in zip(starts, ends)], "entry")
    keys = slots.keys_of_each(shards, "probe")
    assert all(shard.has(slots.slot_of(key)) for shard, key in zip(shards, keys)) and len(keys) == len(shards)


def test_what_a_cluster_holds_is_the_sum_of_its_primaries():
    def of(count, lasting, **more):
        groups = (KeyGroup(0, "string", "page:*", count, lasting, 10 * count),)
        keyspace = {0: {"count": count, "expires": count - lasting}}
        return Source(Server("valkey", "8.1"), keyspace=keyspace, sampled=count, key_groups=groups, **more)

    told = whole([of(3, 1), of(4, 4, sample_complete=False)])
    assert (told.total_keys, told.keys_without_ttl, told.sampled, told.sample_complete) == (7, 5, 7, False)
    assert told.key_groups == (KeyGroup(0, "string", "page:*", 7, 5, 70),)
