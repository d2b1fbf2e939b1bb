"""Writes to a Redis without a pause, of every kind, at a rate, until a file is there; then says how many in how long.

    python writer.py RATE UNTIL_FILE <<< URL

Keys begin with `legacy:written:`. Half of the writes are in database 3, and every fifth round is a transaction.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time

import redis

ROUND = 0.01  # seconds
LUA = "redis.call('SET', KEYS[1], ARGV[1]); return redis.call('RPUSH', KEYS[2], ARGV[1])"
HOUR = 3600
KEYS = 300


def writes(pipeline: redis.client.Pipeline, chance: random.Random, number: int) -> None:
    """One, which changes what is there already as often as not."""
    key, value = f"legacy:written:%s:{chance.randrange(KEYS)}", f"{number}\x00\xff"
    kinds = (
        lambda: pipeline.set(key % "string", value),
        lambda: pipeline.setex(key % "passing", HOUR + number % 60, value),
        lambda: pipeline.incr(key % "counter"),
        lambda: pipeline.append(key % "longer", "x"),
        lambda: pipeline.hset(key % "hash", f"field-{number % 7}", value),
        lambda: pipeline.hincrby(key % "hash", "count", 3),
        lambda: pipeline.rpush(key % "list", value),
        lambda: pipeline.lpop(key % "list"),
        lambda: pipeline.sadd(key % "set", number % 50),
        lambda: pipeline.spop(key % "set"),
        lambda: pipeline.zincrby(key % "zset", 1.5, f"player-{number % 9}"),
        lambda: pipeline.xadd(key % "stream", {"number": number}, maxlen=50, approximate=False),
        lambda: pipeline.delete(key % "string"),
        lambda: pipeline.expire(key % "hash", HOUR),
        lambda: pipeline.persist(key % "hash"),
        lambda: pipeline.eval(LUA, 2, key % "script", key % "scripted", value),
        lambda: pipeline.pfadd(key % "visitors", number),
        lambda: pipeline.setbit(key % "bits", number % 4000, 1),
    )
    chance.choice(kinds)()


def write(rate: int, url: str, counts: dict[str, float]) -> None:
    clients = [redis.Redis.from_url(f"{url.rpartition('/')[0]}/{number}") for number in (0, 3)]
    chance, written, began = random.Random(3), 0, time.monotonic()
    while True:
        due = int((time.monotonic() - began) * rate) - written
        pipeline = clients[written % 2].pipeline(transaction=chance.random() < 0.2)
        for number in range(written, written + min(due, rate)):
            writes(pipeline, chance, number)
        pipeline.execute()
        written += min(due, rate)
        counts.update(written=written, seconds=time.monotonic() - began)
        time.sleep(ROUND)


def main(rate: int, until: str) -> None:
    """It ends as a process does that is ended: with what it waits for."""
    counts: dict[str, float] = {"written": 0, "seconds": 0.0}
    writer = threading.Thread(target=write, args=(rate, sys.stdin.readline().strip(), counts), daemon=True)
    writer.start()
    while writer.is_alive() and not os.path.exists(until):
        time.sleep(ROUND)
    print(json.dumps(counts), flush=True)
    os._exit(0 if writer.is_alive() else 1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
