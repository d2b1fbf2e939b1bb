"""Keys of every type and encoding that an engine has, some of them awkward."""

from __future__ import annotations

import contextlib
import random
from typing import Any

import redis

EVER = 4102444800000  # the end of 2099, in ms


def fill(client: redis.Redis) -> None:
    """``client`` decodes nothing."""
    strings(client)
    collections(client)
    streams(client)
    lives(client)
    fields_with_ttl(client)
    functions(client)
    for number in (1, 9):
        client.execute_command("SELECT", number)
        client.set(f"of:{number}", number)
    client.execute_command("SELECT", 0)


def strings(client: redis.Redis) -> None:
    client.set("plain", "x")
    client.set("empty", "")
    for number in (0, -1, 127, 128, -32769, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, "007", "1.5"):
        client.set(f"number:{number}", number)
    for size in (19, 20, 63, 64, 16383, 16384, 70000):
        client.set(f"noise:{size}", random.Random(size).randbytes(size))
        client.set(f"alike:{size}", b"abc" * (size // 3))
    client.set(b"\x00\xff\r\n$5\r\n", b"\r\n*1\r\n\x00\xff")
    client.set("", "of the empty name")
    client.set(b"long name " * 30, "compressed name")
    client.set("4711", "a name that is a number")
    client.setbit("bits", 70001, 1)
    client.pfadd("counted:few", *range(10))
    client.pfadd("counted:many", *range(20000))


def collections(client: redis.Redis) -> None:
    for count in (1, 3, 200, 3000):
        words = [b"%d:%s" % (number, random.Random(number).randbytes(number % 90)) for number in range(count)]
        client.rpush(f"list:{count}", *words)
        client.sadd(f"set:{count}", *words)
        client.sadd(f"whole:{count}", *(number * 70000 for number in range(count)))
        client.hset(f"hash:{count}", mapping={word: word[::-1] for word in words})
        client.zadd(f"zset:{count}", {word: number / 7 for number, word in enumerate(words)})
    client.rpush("list:large", b"x" * 20000, b"", b"y" * 9000)
    client.zadd("zset:ends", {"least": float("-inf"), "most": float("inf"), "": 0})
    client.hset("hash:empty", mapping={"": "", "a": ""})
    client.geoadd("places", (13.361389, 38.115556, "Palermo"))


def streams(client: redis.Redis) -> None:
    for number in range(500):
        client.xadd("stream", {"n": number, "text": b"\xff" * (number % 40)}, id=f"{number + 1}-{number % 3}")
    client.xdel("stream", "5-1")
    client.xadd("stream:alone", {"a": "b"}, id="1-1")
    client.xdel("stream:alone", "1-1")
    client.xgroup_create("stream", "readers", id="0")
    client.xgroup_create("stream", "idle", id="$")
    client.xreadgroup("readers", "one", {"stream": ">"}, count=100)
    client.xreadgroup("readers", "two", {"stream": ">"}, count=30)
    client.xack("stream", "readers", "1-0", "2-1")


def lives(client: redis.Redis) -> None:
    client.set("until", "x", pxat=EVER + 123)
    client.hset("hash:until", "a", "b")
    client.pexpireat("hash:until", EVER)


def fields_with_ttl(client: redis.Redis) -> None:
    with contextlib.suppress(redis.ResponseError):  # where there is none
        for count in (2, 900):
            name = f"hash:fields:{count}"
            client.hset(name, mapping={f"f{number}": f"v{number}" * 5 for number in range(count)})
            client.execute_command("HPEXPIREAT", name, EVER, "FIELDS", 1, "f1")


def functions(client: redis.Redis) -> None:
    with contextlib.suppress(redis.ResponseError):
        client.execute_command(
            "FUNCTION", "LOAD", "#!lua name=ours\nredis.register_function('one', function() return 1 end)"
        )


def everything(client: redis.Redis) -> dict[tuple[int, bytes], Any]:
    """All that is there, in an order that does not depend on memory: type, value, and when it expires."""
    found = {}
    for number in range(16):
        client.execute_command("SELECT", number)
        for key in client.scan_iter(count=1000):
            found[number, key] = (client.type(key), _value(client, key), client.pttl(key) >= 0)
    client.execute_command("SELECT", 0)
    return found


def _value(client: redis.Redis, key: bytes) -> Any:
    kind = client.type(key)
    if kind == b"string":
        return client.get(key)
    if kind == b"list":
        return client.lrange(key, 0, -1)
    if kind == b"set":
        return client.smembers(key)
    if kind == b"hash":
        return client.hgetall(key)
    if kind == b"zset":
        return client.zrange(key, 0, -1, withscores=True)
    whole = client.execute_command("XINFO", "STREAM", key, "FULL", "COUNT", 0)
    return without(whole, (b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"active-time", b"lag"))


def without(told: Any, names: tuple[bytes, ...]) -> Any:
    if isinstance(told, list):
        return [without(part, names) for part in told]
    if isinstance(told, tuple):
        return tuple(without(part, names) for part in told)
    if isinstance(told, dict):
        return {name: without(part, names) for name, part in told.items() if name not in names}
    return told
