"""Strategy copy to and from a cluster: every key at the engine that has its slot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.columns import spell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy, restoring
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Progress, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

from tests.component.probe.conftest import ask, own_id
from tests.component.transfer import data


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[Side, Side], Progress]:
    def run(source: Side, target: Side) -> Progress:
        folder = tmp_path / f"transfer{len(list(tmp_path.iterdir()))}"
        job = Job(source, target, "copy", str(folder), latency_limit_ms=0)
        told: list[Progress] = []
        assert copy.check(job) == []
        copy.run(job, told.append)
        assert told[-1].phase == jobs.DONE
        return told[-1]

    return run


def test_all_goes_into_a_cluster_and_out_of_it_again(start_engine, start_cluster, copied):
    old, nodes, new = start_engine(), start_cluster(), start_engine()
    client = redis.Redis.from_url(old.url())
    data.fill(client)
    for number in (1, 9):
        redis.Redis.from_url(old.url(database=number)).flushdb()
    cluster = Side(nodes[1].url(), REDIS_CLUSTER)
    there = copied(Side(old.url()), cluster)
    assert there.keys_done == client.dbsize() == sum(ask(node, "DBSIZE") for node in nodes)
    assert all(ask(node, "DBSIZE") > 10 for node in nodes)
    assert all(len(ask(node, "FUNCTION", "LIST")) == 1 for node in nodes)
    copied(cluster, Side(new.url()))
    left, right = (data.everything(redis.Redis.from_url(engine.url())) for engine in (old, new))
    assert left == right


def test_what_was_copied_into_a_cluster_is_taken_away_from_all_of_it(start_engine, start_cluster, tmp_path):
    old, nodes = start_engine(), start_cluster()
    redis.Redis.from_url(old.url()).mset({f"key:{number}": number for number in range(50)})
    job = Job(Side(old.url()), Side(nodes[0].url(), REDIS_CLUSTER), "copy", str(tmp_path / "transfer"))
    copy.run(job, lambda _progress: None)
    assert sum(ask(node, "DBSIZE") for node in nodes) == 50
    assert "50 keys were taken away" in copy.abort(job)[0]
    assert [ask(node, "DBSIZE") for node in nodes] == [0, 0]


def test_keys_of_other_databases_than_0_are_refused_before_anything_is_written(start_engine, start_cluster, tmp_path):
    old, nodes = start_engine(), start_cluster()
    redis.Redis.from_url(old.url(database=3)).set("a", "x")
    job = Job(Side(old.url()), Side(nodes[0].url(), REDIS_CLUSTER), "copy", str(tmp_path / "transfer"))
    [reason] = copy.check(job)
    assert "3 (1 keys)" in reason and "move these keys to database 0" in reason


def test_a_slot_that_was_moved_since_the_cluster_was_looked_at_is_followed(start_engine, start_cluster):
    old, nodes = start_engine(), start_cluster()
    client = redis.Redis.from_url(old.url())
    client.mset({f"key:{number}": number for number in range(50)})
    keys = sorted(client.keys())
    moved = slots.slot_of(keys[7])
    first, second = nodes if moved <= 8191 else reversed(nodes)
    with reached(Side(nodes[0].url(), REDIS_CLUSTER)) as target:
        for node in (second, first):
            ask(node, "CLUSTER", "SETSLOT", moved, "NODE", own_id(second))
        restorer = restoring.Restorer(target, restoring.Manner(replaces=True, idle_word=b"IDLETIME"))
        values = [spell(client.dump(key)) for key in keys]
        restorer.put(restoring.Batch(list(map(spell, keys)), values, [restoring.NEVER] * 50, [b"3"] * 50))
        assert restorer.settle() == []
    assert sum(ask(node, "DBSIZE") for node in nodes) == 50
    assert ask(second, "GET", keys[7]) == client.get(keys[7]).decode()
