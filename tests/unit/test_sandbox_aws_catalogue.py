"""What the local AWS has to offer: versions, families, node types."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import prices, sizes

from sandbox.aws.elasticache.catalogue import FAMILIES, MAXMEMORY, VERSIONS, Version, find_version
from sandbox.aws.elasticache.parameters import FAMILIES as PARAMETERS
from sandbox.aws.elasticache.parameters import memory_left
from sandbox.aws.elasticache.state import default_parameter_groups


def version(engine: str, label: str) -> Version:
    found = find_version(engine, label)
    assert found
    return found


@pytest.mark.parametrize(
    ("engine", "label", "family"),
    [
        ("redis", "2.8.24", "redis2.8"),
        ("redis", "3.2.10", "redis3.2"),
        ("redis", "4.0.10", "redis4.0"),
        ("redis", "5.0.6", "redis5.0"),
        ("redis", "6.x", "redis6.x"),
        ("redis", "7.1", "redis7"),
        ("valkey", "7.2", "valkey7"),
        ("valkey", "9.1", "valkey9"),
        ("memcached", "1.4.34", "memcached1.4"),
        ("memcached", "1.6.22", "memcached1.6"),
    ],
)
def test_a_version_is_of_its_family(engine: str, label: str, family: str) -> None:
    assert version(engine, label).family == family


def test_each_family_has_a_default_group_and_from_3_2_on_one_with_cluster_mode() -> None:
    names = [group.name for group in default_parameter_groups()]
    assert {f"default.{family}" for family in FAMILIES} <= set(names)
    assert "default.redis3.2.cluster.on" in names
    assert "default.valkey9.cluster.on" in names
    assert not {"default.redis2.8.cluster.on", "default.memcached1.6.cluster.on"} & set(names)


def test_every_node_type_that_is_priced_is_offered() -> None:
    priced = {node_type for types in prices.USD_PER_NODE_HOUR.values() for node_type in types}
    assert priced <= set(MAXMEMORY)


def test_the_memory_of_a_node_is_what_the_guide_says_where_it_says_it() -> None:
    for node_type in ("cache.t2.small", "cache.t3.micro", "cache.m5.large", "cache.r6g.xlarge", "cache.r7g.4xlarge"):
        assert MAXMEMORY[node_type] == sizes.maxmemory(node_type)


@pytest.mark.parametrize(
    ("engine", "label", "node_type", "runs"),
    [
        ("redis", "5.0.5", "cache.t4g.micro", False),
        ("redis", "5.0.6", "cache.t4g.micro", True),
        ("redis", "4.0.10", "cache.t2.micro", True),
        ("redis", "6.0", "cache.r6gd.xlarge", False),
        ("valkey", "8.0", "cache.r6gd.xlarge", True),
        ("memcached", "1.5.10", "cache.m6g.large", False),
        ("memcached", "1.6.22", "cache.r6gd.xlarge", False),
    ],
)
def test_new_hardware_needs_a_new_engine(engine: str, label: str, node_type: str, runs: bool) -> None:
    assert version(engine, label).runs_on(node_type) is runs


def test_old_families_have_the_old_names_and_not_what_came_later() -> None:
    assert {"min-slaves-to-write", "hash-max-ziplist-entries"} <= set(PARAMETERS["redis3.2"])
    assert not {"reserved-memory-percent", "cluster-enabled"} & set(PARAMETERS["redis2.8"])
    assert {"min-replicas-to-write", "hash-max-listpack-entries"} <= set(PARAMETERS["redis7"])
    assert "cluster-databases" in PARAMETERS["valkey9"]
    assert "cluster-databases" not in PARAMETERS["valkey8"]
    assert len(VERSIONS) == len({(v.engine, v.label) for v in VERSIONS})


def test_memory_is_reserved_in_bytes_or_per_cent() -> None:
    assert memory_left(1000, {"reserved-memory": "0", "reserved-memory-percent": "25"}) == 750
    assert memory_left(1000, {"reserved-memory": "100", "reserved-memory-percent": "25"}) == 900
    assert memory_left(1000, {"reserved-memory": "0"}) == 1000
