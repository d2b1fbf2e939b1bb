from __future__ import annotations

import datetime
import os
import subprocess
import sys

import pytest
import redis

from sandbox.seed import GROUP, digest, seed

pytestmark = pytest.mark.long  # each scenario rests on it

TODAY = datetime.date(2026, 11, 24)


@pytest.fixture
def client(cache):
    return redis.Redis.from_url(cache.url())


def test_it_makes_every_type_binary_names_and_values_and_keys_that_expire(client):
    made = seed(client)
    assert set(made) == {"string", "hash", "list", "set", "zset", "stream"}
    keys = client.keys()
    assert len(keys) == sum(made.values())
    assert any(b"\x00\xff" in key for key in keys)
    assert 100 < sum(client.ttl(key) > 0 for key in keys) < len(keys)
    assert client.xinfo_groups("legacy:events:0")[0]["name"].decode() == GROUP
    assert client.xpending("legacy:events:0", GROUP)["pending"] == 5


def test_two_runs_give_the_same_data(client):
    seed(client, today=TODAY)
    first = digest(client)
    seed(client, today=TODAY)
    assert digest(client) == first
    client.flushall()
    seed(client, today=TODAY)
    assert digest(client) == first


@pytest.mark.parametrize(
    "change",
    [
        ("SET", "legacy:counter", "42"),
        ("EXPIRE", "legacy:counter", "900"),
        ("PERSIST", "legacy:page:1"),
        ("RENAME", "legacy:counter", "legacy:counters"),
        ("HSET", "legacy:user:3", "age", "4"),
        ("LMOVE", "legacy:queue:1", "legacy:queue:1", "LEFT", "RIGHT"),
        ("SREM", "legacy:tags:1", "tag-1"),
        ("ZINCRBY", "legacy:board:1", "1", "player-1"),
        ("XACK", "legacy:events:0", GROUP, "1700000000017-0"),
        ("XADD", "legacy:events:1", "*", "kind", "paid"),
        ("SET", "another", "1"),
    ],
    ids=lambda change: " ".join(change[:2]),
)
def test_the_digest_changes_with_any_change(client, change):
    seed(client)
    if change[0] == "SREM":
        client.sadd("legacy:tags:1", "tag-1")
    before = digest(client)
    client.execute_command(*change)
    assert digest(client) != before


def test_the_digest_does_not_depend_on_the_order_in_which_keys_and_members_were_made(client):
    client.set("a", 1), client.hset("h", mapping={"x": 1, "y": 2}), client.sadd("s", "1", "two")
    before = digest(client)
    client.flushall()
    client.sadd("s", "two", "1"), client.hset("h", mapping={"y": 2, "x": 1}), client.set("a", 1)
    assert digest(client) == before


def test_a_digest_of_some_keys_is_left_alone_by_others(client):
    seed(client)
    before = digest(client, "legacy:*")
    client.set("product:1", "of the app")
    assert digest(client, "legacy:*") == before


@pytest.mark.parametrize("way", ["environment", "stdin"])
def test_the_command_takes_the_url_from_the_environment_or_stdin(cache, way):
    environment = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
    if way == "environment":
        environment["REDIS_URL"] = cache.url()
    run = subprocess.run(
        [sys.executable, "-m", "sandbox.seed"],
        input=f"{cache.url()}\n" if way == "stdin" else "",
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"stream": 3' in run.stdout and cache.client.get("legacy:counter") == "41"
