"""An app that writes, as a process of its own: every kind of command, at a rate, until it is told to end.

What it does is drawn by a seed; what it writes holds what came before, so that an order which is changed shows.
"""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import redis


@contextlib.contextmanager
def writing(url: str, rate: int, seed: int = 1) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.component.transfer.writer", url, str(rate), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stdout.readline() == "begun\n"
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> int:
    """How many commands it gave."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    said = process.stdout.read() if process.stdout and not process.stdout.closed else ""
    process.wait(20)
    return int(said or 0)


LUA = "redis.call('INCR', KEYS[1]); return redis.call('RPUSH', KEYS[2], ARGV[1])"


def transaction(client: redis.Redis, key: str, number: int) -> None:
    client.pipeline(transaction=True).incr(f"n:{key}").lpush(f"l:{key}", number).execute()


def session(client: redis.Redis, key: str, number: int, lives: int) -> None:
    client.hset(f"session:{key}", f"f{number % 7}", number)
    client.pexpire(f"session:{key}", lives)


def renewed(client: redis.Redis, key: str) -> None:
    client.persist(f"session:{key}")
    client.pexpire(f"session:{key}", 2000)


def emptied(client: redis.Redis, number: int) -> None:
    if number % 60 == 0:
        client.execute_command("SELECT", 2)
        client.flushdb()


# Each of them is as likely: a client, a number that grows, two names, and dice.
KINDS: list[Callable[[redis.Redis, int, str, str, random.Random], object]] = [
    lambda c, n, one, two, dice: c.set(f"s:{one}", n),
    lambda c, n, one, two, dice: c.set(f"s:{one}", n, px=dice.choice((20, 400, 3000, 60000))),
    lambda c, n, one, two, dice: c.incr(f"n:{one}"),
    lambda c, n, one, two, dice: c.append(f"a:{one}", f"{n};"),
    lambda c, n, one, two, dice: c.setrange(f"a:{one}", dice.randrange(40), f"{n}"),
    lambda c, n, one, two, dice: c.lpush(f"l:{one}", n),
    lambda c, n, one, two, dice: c.rpoplpush(f"l:{one}", f"l:{two}"),
    lambda c, n, one, two, dice: c.sadd(f"set:{one}", n % 97),
    lambda c, n, one, two, dice: c.spop(f"set:{one}"),
    lambda c, n, one, two, dice: c.sunionstore(f"set:{one}", f"set:{one}", f"set:{two}"),
    lambda c, n, one, two, dice: session(c, one, n, dice.choice((300, 1500, 4000))),
    lambda c, n, one, two, dice: renewed(c, one),
    lambda c, n, one, two, dice: c.zincrby(f"z:{one}", 1.5, n % 13),
    lambda c, n, one, two, dice: c.delete(f"s:{one}", f"l:{one}"),
    lambda c, n, one, two, dice: c.rename(f"n:{one}", f"n:{two}"),
    lambda c, n, one, two, dice: transaction(c, one, n),
    lambda c, n, one, two, dice: c.eval(LUA, 2, f"n:{one}", f"l:{one}", n),
    lambda c, n, one, two, dice: c.execute_command("SELECT", dice.randrange(3)),
    lambda c, n, one, two, dice: c.execute_command("MOVE", f"n:{one}", dice.randrange(3)),
    lambda c, n, one, two, dice: c.xadd(f"x:{one}", {"n": n}, maxlen=50, approximate=False),
    lambda c, n, one, two, dice: c.execute_command("SWAPDB", 1, 2) if n % 40 == 0 else None,
    lambda c, n, one, two, dice: emptied(c, n),
]
GONE = (redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.ResponseError)


def main(url: str, rate: int, seed: int) -> None:
    client = redis.Redis.from_url(url, single_connection_client=True)
    dice, number, ended = random.Random(seed), 0, []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    print("begun", flush=True)
    began = time.monotonic()
    while not ended:
        with contextlib.suppress(*GONE):
            names = f"app:{dice.randrange(300)}", f"app:{dice.randrange(300)}"
            dice.choice(KINDS)(client, number, *names, dice)
        number += 1
        behind = began + number / rate - time.monotonic()
        if behind > 0:
            time.sleep(behind)
    print(number)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
