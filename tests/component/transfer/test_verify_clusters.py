"""A cluster compared with one engine, or with another cluster: every key at the engine that has its slot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions, values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

from tests.component.probe.conftest import ask, own_id
from tests.component.transfer import data

AWKWARD = [b"{tag}:1", b"{}x", b"a}b", b"", b"\xff{\x00}", b"{", b"}{"]

pytestmark = pytest.mark.long


@pytest.fixture
def old(start_engine: Callable[..., Any]) -> Any:
    engine = start_engine()
    client = redis.Redis.from_url(engine.url())
    data.fill(client)
    for number in (1, 9):
        redis.Redis.from_url(engine.url(database=number)).flushdb()
    for key in AWKWARD:
        client.set(key, b"of " + key)
    return engine


@pytest.fixture
def nodes(old: Any, start_cluster: Callable[..., Any]) -> Any:
    """With all that the old one has."""
    started = start_cluster()
    keys = dict.fromkeys(redis.Redis.from_url(old.url()).keys("*"))
    ends = {key: redis.Redis.from_url(old.url()).pexpiretime(key) for key in keys}
    with reached(Side(old.url())) as source, reached(Side(started[0].url(), REDIS_CLUSTER)) as target:
        written = values.bring(source, target, {key: None if end < 0 else end for key, end in ends.items()}, False)
        assert set(written.values()) == {True}
        assert functions.bring(source, target, False) == [b"ours"]
    return started


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., verify.Found]:
    def until_done(source: Side, target: Side) -> verify.Found:
        question = verify.Question(source, target, str(tmp_path / "state"), settle_seconds=0.2, latency_limit_ms=0.0)
        while not (found := verify.go_on(question, 30)).is_done:
            pass
        return found

    return until_done


def cluster(nodes: Any) -> Side:
    return Side(nodes[1].url(), REDIS_CLUSTER)


def test_an_engine_and_a_cluster_with_the_same_keys_are_equal(old: Any, nodes: Any, compare: Any) -> None:
    there, back = compare(Side(old.url()), cluster(nodes)), compare(cluster(nodes), Side(old.url()))
    assert (there.is_equal, there.is_complete, back.is_equal, back.is_complete) == (True, True, True, True)
    assert there.state.tally.compared == back.state.tally.compared == redis.Redis.from_url(old.url()).dbsize()


def test_what_differs_at_one_of_its_engines_is_seen(old: Any, nodes: Any, compare: Any) -> None:
    key = next(f"x{number}" for number in range(100) if slots.slot_of(f"x{number}") > 12000)
    ask(nodes[1], "SET", key, "x")
    ask(nodes[1], "FUNCTION", "FLUSH")

    found = compare(Side(old.url()), cluster(nodes))

    assert {word: count for word, count in found.state.tally.against.items() if count} == {"extra": 1}
    assert dict(found.libraries) == {"ours": "is missing"}


def test_keys_of_databases_that_a_cluster_has_not_are_missing(old: Any, nodes: Any, compare: Any) -> None:
    redis.Redis.from_url(old.url(database=3)).mset({"a": 1, "b": 2})
    found = compare(Side(old.url()), cluster(nodes))
    assert (found.is_equal, found.state.tally.against["missing"]) == (False, 2)


def test_slots_that_have_moved_have_it_begin_anew(old: Any, nodes: Any, tmp_path: Path) -> None:
    question = verify.Question(Side(old.url()), cluster(nodes), str(tmp_path / "state"), settle_seconds=30.0)
    ask(nodes[1], "SET", "x", "other")  # which keeps it looking
    assert not verify.go_on(question, 0.1).is_done

    empty = next(slot for slot in range(8191, 0, -1) if not ask(nodes[0], "CLUSTER", "COUNTKEYSINSLOT", slot))
    for node in nodes:
        ask(node, "CLUSTER", "SETSLOT", empty, "NODE", own_id(nodes[1]))

    assert verify.go_on(question, 0.1).state.restarts == 1


def test_one_engine_of_a_cluster_is_not_taken_for_all_of_it(old: Any, nodes: Any, compare: Any) -> None:
    with pytest.raises(ProbeFailed, match="cluster"):
        compare(Side(nodes[0].url()), Side(nodes[0].url()))
