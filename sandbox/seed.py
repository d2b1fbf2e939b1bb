"""Fill a Redis with data of every kind, the same at every run, and tell whether data is still what it was.

    REDIS_URL=redis://… python -m sandbox.seed [--scale 1]    # or the URL as the first line of stdin
    REDIS_URL=redis://… python -m sandbox.seed --digest       # one line that changes when any key does

The URL holds a password, so it is never an argument. All keys that are made begin with `legacy:`.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

import redis

PREFIX = "legacy:"
GROUP, CONSUMER = "billing", "worker-1"
TOWNS = ("Zürich", "Kraków", "東京", "São Paulo", "Αθήνα", "Réykjavík 🌋", "القاهرة")


def seed(client: redis.Redis, scale: int = 1, today: datetime.date | None = None) -> Counter[str]:
    """Write the data and count the keys by type. Keys that expire do so at midnights from tomorrow's on, UTC."""
    chance = random.Random(6379)
    midnight = datetime.datetime.combine(
        (today or datetime.datetime.now(datetime.timezone.utc).date()) + datetime.timedelta(days=1),
        datetime.time(),
        datetime.timezone.utc,
    )
    pipeline = client.pipeline(transaction=False)
    pipeline.delete(*(f"{PREFIX}events:{stream}" for stream in range(3)))  # entries of a stream are never written over
    for number in range(200 * scale):
        pipeline.set(f"{PREFIX}page:{number}", chance.choice(TOWNS) * chance.randint(1, 40))
        if number % 2:
            pipeline.expireat(f"{PREFIX}page:{number}", midnight + datetime.timedelta(days=number % 30 + 1))
        key = f"{PREFIX}user:{number}"
        pipeline.hset(key, mapping={"town": chance.choice(TOWNS), "age": number % 90, "token": chance.randbytes(16)})
        if number % 3 == 0:
            pipeline.expireat(key, midnight + datetime.timedelta(days=7))
    for number in range(50 * scale):
        pipeline.set(f"{PREFIX}blob:".encode() + chance.randbytes(6) + b"\x00\xff\r\n", chance.randbytes(300))
        pipeline.delete(f"{PREFIX}queue:{number}")
        pipeline.rpush(f"{PREFIX}queue:{number}", *(chance.randbytes(12) for _ in range(20)))
        pipeline.sadd(
            f"{PREFIX}tags:{number}", *(f"tag-{chance.randrange(99)}" for _ in range(10)), chance.choice(TOWNS)
        )
        scores = {f"player-{player}": round(chance.uniform(-100, 100), 3) for player in range(15)}
        pipeline.zadd(f"{PREFIX}board:{number}", scores | {"first": float("inf")})
    pipeline.set(f"{PREFIX}counter", 41)
    pipeline.setbit(f"{PREFIX}bits", 100_003, 1)
    pipeline.pfadd(f"{PREFIX}visitors", *range(500))
    pipeline.set(f"{PREFIX}large", chance.randbytes(256 * 1024))
    pipeline.set(f"{PREFIX}empty", b"")
    seed_streams(pipeline, chance)
    pipeline.execute()
    return count_types(client)


def seed_streams(pipeline: Any, chance: random.Random) -> None:
    """Streams with fixed ids; the first has a consumer group that has read half and acknowledged some of it."""
    for stream in range(3):
        key = f"{PREFIX}events:{stream}"
        for entry in range(1, 41):
            fields = {
                "kind": chance.choice(("paid", "sent", "lost")),
                "town": chance.choice(TOWNS),
                "raw": chance.randbytes(8),
            }
            pipeline.xadd(key, fields, id=f"{1_700_000_000_000 + entry}-{stream}")
    key = f"{PREFIX}events:0"
    pipeline.xgroup_create(key, GROUP, id="0")
    pipeline.xreadgroup(GROUP, CONSUMER, {key: ">"}, count=20)
    pipeline.xack(key, GROUP, *(f"{1_700_000_000_000 + entry}-0" for entry in range(1, 16)))


def count_types(client: redis.Redis, match: str = f"{PREFIX}*") -> Counter[str]:
    keys = list(client.scan_iter(match=match, count=1000))
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.type(key)
    return Counter(text(kind) for kind in pipeline.execute())


def digest(client: redis.Redis, match: str = "*") -> str:
    """Digest every key that matches: name, type, value, expiry, and what consumer groups have read.

    The order of keys, of a set's members and of a hash's fields does not matter, as it does not to Redis.
    """
    total = 0
    with raw_client(client) as raw:
        for key in raw.scan_iter(match=match, count=1000):
            line = (key, raw.type(key), value_of(raw, key), raw.execute_command("PEXPIRETIME", key))
            total += int.from_bytes(hashlib.sha256(repr(line).encode()).digest(), "big")
    return f"{total % 2**256:064x}"


def raw_client(client: redis.Redis) -> redis.Redis:
    """The same connection settings, but bytes as they are: binary values do not decode."""
    settings = {**client.connection_pool.connection_kwargs, "decode_responses": False}
    return redis.Redis(connection_pool=redis.ConnectionPool(client.connection_pool.connection_class, **settings))


def value_of(raw: redis.Redis, key: bytes) -> object:
    kind = text(raw.type(key))
    if kind == "string":
        return raw.get(key)
    if kind == "hash":
        return sorted(raw.hgetall(key).items())
    if kind == "list":
        return raw.lrange(key, 0, -1)
    if kind == "set":
        return sorted(raw.smembers(key))
    if kind == "zset":
        return raw.zrange(key, 0, -1, withscores=True)
    if kind == "stream":
        return [canonical(raw.xrange(key)), *(group_state(raw, key, group) for group in groups_of(raw, key))]
    raise ValueError(f"{key!r} is of type {kind}, which no digest is written for")


def groups_of(raw: redis.Redis, key: bytes) -> list[bytes]:
    return sorted(group["name"] for group in raw.xinfo_groups(key))


def group_state(raw: redis.Redis, key: bytes, group: bytes) -> object:
    """What a group has read and not acknowledged. How long ago is left out: it changes by itself."""
    last = next(found["last-delivered-id"] for found in raw.xinfo_groups(key) if found["name"] == group)
    waiting = raw.xpending_range(key, group, min="-", max="+", count=1_000_000)
    return group, last, [(entry["message_id"], entry["consumer"], entry["times_delivered"]) for entry in waiting]


def canonical(entries: Iterable[Any]) -> list[object]:
    return [(entry[0], sorted(entry[1].items())) for entry in entries]


def text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.seed", description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=int, default=1, help="how many times as much (default: 1, some 600 keys)")
    parser.add_argument("--digest", action="store_true", help="write nothing; print a digest of what is there")
    parser.add_argument("--match", default=f"{PREFIX}*", help="keys to digest (default: %(default)s)")
    options = parser.parse_args(arguments)
    url = os.environ.get("REDIS_URL") or sys.stdin.readline().strip()
    if not url:
        sys.exit("seed: which Redis? Give its URL in REDIS_URL or as a line on stdin.")
    with redis.Redis.from_url(url) as client:
        if options.digest:
            print(digest(client, options.match))
        else:
            print(json.dumps(dict(sorted(seed(client, options.scale).items()))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
