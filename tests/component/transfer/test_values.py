"""Values from one engine to another by what they hold, where a payload cannot go: from and to every release."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import slots
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions, values
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import Unreadable

from tests.component.transfer import data
from tests.component.transfer.programs import ALL, PROGRAMS

WAYS = [
    ("redis 6.2", "valkey 9"),
    ("redis 7.0", "valkey 8.0"),
    pytest.param(("redis 6.2", "redis 7.0"), marks=pytest.mark.long),
    pytest.param(("redis 7.0", "redis 6.2"), marks=pytest.mark.long),
    pytest.param(("valkey 9", "valkey 9"), marks=pytest.mark.long),
]
# What a stream tells from Redis 7.0 on.
SINCE_7 = (b"entries-added", b"max-deleted-entry-id", b"recorded-first-entry-id", b"entries-read")


def binary(engine: object) -> redis.Redis:
    return redis.Redis.from_url(engine.url())


@contextlib.contextmanager
def both(source: object, target: object) -> Iterator[tuple[Reach, Reach]]:
    with reached(Side(source.url())) as ours, reached(Side(target.url())) as theirs:
        yield ours, theirs


def bring_all(source: object, target: object, replace: bool = False) -> dict[bytes, object]:
    client, found = binary(source), {}
    with both(source, target) as (ours, theirs):
        for number in range(16):
            ours.select(number)
            theirs.select(number)
            client.execute_command("SELECT", number)
            ends = {key: client.pttl(key) for key in client.keys("*")}
            until = {key: None if ttl < 0 else int(time.time() * 1000) + ttl for key, ttl in ends.items()}
            found.update(values.bring(ours, theirs, until, replace))
    return found


@pytest.fixture
def source(start_engine: Callable[..., object]) -> object:
    return start_engine()


@pytest.fixture
def target(start_engine: Callable[..., object]) -> object:
    return start_engine()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]} to {way[1]}")
def test_every_type_comes_along_as_it_is(way: tuple[str, str], start_engine: Callable[..., object]) -> None:
    source, target = (start_engine(program=ALL[name]()) for name in way)
    data.fill(binary(source))

    written = bring_all(source, target)

    assert set(written.values()) == {True}
    told = [data.everything(binary(engine)) for engine in (target, source)]
    here, there = [data.without(one, SINCE_7) for one in told] if "redis 6.2" in way else told
    assert here == there


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_pending_of_entries_that_are_gone_comes_along(name: str, start_engine: Callable[..., object]) -> None:
    source, target = (start_engine(program=PROGRAMS[name]()) for _side in range(2))
    client = binary(source)
    for number in range(300):
        client.xadd("stream", {"n": number}, id=f"{number + 1}-0")
    client.xgroup_create("stream", "readers", id="0")
    client.xreadgroup("readers", "one", {"stream": ">"}, count=200)
    client.xtrim("stream", maxlen=150, approximate=False)
    client.xdel("stream", "180-0", "300-0")

    assert bring_all(source, target) == {b"stream": True}
    assert data.everything(binary(target)) == data.everything(client)
    assert binary(target).xpending_range("stream", "readers", "-", "+", 1000)[0]["message_id"] == b"1-0"


def test_streams_without_entries_come_along(source: object, target: object) -> None:
    client = binary(source)
    client.xgroup_create("never:written", "readers", id="0", mkstream=True)
    client.xadd("emptied", {"a": "b"}, id="7-1")
    client.xtrim("emptied", maxlen=0, approximate=False)

    assert bring_all(source, target) == {b"never:written": True, b"emptied": True}
    assert data.everything(binary(target)) == data.everything(client)


def test_a_ttl_is_kept_to_the_millisecond(source: object, target: object) -> None:
    binary(source).set("key", "x", pxat=data.EVER + 7)

    with both(source, target) as (ours, theirs):
        values.bring(ours, theirs, {b"key": data.EVER + 7}, replace=False)

    assert binary(target).pexpiretime("key") == data.EVER + 7


def test_ttls_of_fields_are_refused_where_the_target_has_none(start_engine: Callable[..., object]) -> None:
    source, target = start_engine(program=ALL["valkey 9"]()), start_engine()
    binary(source).hset("hash", "a", "b")
    binary(source).execute_command("HPEXPIREAT", "hash", data.EVER, "FIELDS", 1, "a")

    written = bring_all(source, target)

    assert isinstance(written[b"hash"], Unreadable)
    assert "HPEXPIREAT" in str(written[b"hash"])
    assert not binary(target).exists("hash")


def test_a_key_that_is_at_the_target_stays_unless_it_is_to_be_replaced(source: object, target: object) -> None:
    binary(source).set("key", "new")
    binary(target).set("key", "old")

    assert bring_all(source, target) == {b"key": False}
    assert binary(target).get("key") == b"old"
    assert bring_all(source, target, replace=True) == {b"key": True}
    assert binary(target).get("key") == b"new"
    assert binary(target).dbsize() == 1


def test_a_key_that_has_gone_is_not_written(source: object, target: object) -> None:
    binary(source).set("over", "x")

    with both(source, target) as (ours, theirs):
        written = values.bring(ours, theirs, {b"gone": None, b"over": 1}, replace=False)

    assert written == {b"gone": False, b"over": False}
    assert binary(target).dbsize() == 0


@pytest.mark.long
def test_large_values_are_never_read_as_a_whole(source: object, target: object) -> None:
    client = binary(source)
    for start in range(0, 200_000, 10_000):
        members = [b"member:%d" % number for number in range(start, start + 10_000)]
        client.sadd("set", *members)
        client.rpush("list", *members)
    client.set("string", b"x" * 5_000_000)
    client.config_resetstat()

    assert set(bring_all(source, target).values()) == {True}
    assert data.everything(binary(target)) == data.everything(client)
    answered = client.info("stats")["total_net_output_bytes"]
    assert answered > 8_000_000
    assert binary(source).info("clients")["client_recent_max_output_buffer"] < 4_000_000


def test_a_name_beside_a_key_is_in_its_slot() -> None:
    for key in (b"plain", b"{tag}:1", b"{}x", b"a}b", b"", b"\xff{\x00}"):
        assert slots.slot_of(values.name_beside(key)) == slots.slot_of(key)


def test_functions_come_along(source: object, target: object) -> None:
    data.functions(binary(source))

    with both(source, target) as (ours, theirs):
        assert set(functions.differing(ours, theirs)) == {b"ours"}
        assert functions.bring(ours, theirs, replace=False) == [b"ours"]
        assert functions.bring(ours, theirs, replace=False) == []
        assert functions.differing(ours, theirs) == {}

    assert binary(target).execute_command("FCALL", "one", 0) == 1
