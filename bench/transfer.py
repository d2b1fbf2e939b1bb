"""How fast data comes along, beside what else would bring it, between two engines on this machine.

    python -m bench.transfer [--keys 1000000] [--rounds 3] [--processes 2] [--seconds 20]

One data set (bench/mixed.py), and in each round one way after the other, so that all of them meet the same machine:

- REPLICAOF: the engine's own full sync, diskless and without its delay, until the replica says that it is up
- MIGRATE: 500 keys at a time, as SCAN finds them
- redis-py: SCAN, then pipelines of DUMP and PTTL, then of RESTORE, as most scripts on the web do it
- copy: what cache_transfer runs, with all that it looks at, by one process and by several, without a guard of latency,
  as the others have none, and once with the one that users have
- live: the full sync of what cache_transfer runs there, until the target has all keys

Each ends with the same digest on both sides, by the engine's own DEBUG DIGEST, or it does not count. Beside it one asks
the source every 5 ms for a PING: that is what an app would meet meanwhile. At the end cache_verify compares both sides,
and live follows 5,000 writes a second for some seconds, while one adds an entry at the source, waits for it at the
target, and again.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import redis

from bench import mixed, ours
from bench.ours import Cost
from bench.pair import Pair, asking, engines, lagging, until, writing

BATCH = 500
GUARD_MS = 10
Way = Callable[[Pair], "Done"]


@dataclass(frozen=True)
class Done:
    """``seconds`` until all keys were there; ``cost`` is None of what has no process beside the engines'."""

    seconds: float
    cost: Cost | None = None


@dataclass(frozen=True)
class Run:
    """Of one way in one round."""

    keys_per_second: float
    p50_ms: float
    p99_ms: float
    cost: Cost | None = None


# --- the ways ---


def replicaof(pair: Pair) -> Done:
    began, target = time.perf_counter(), pair.client(pair.target)
    target.replicaof("127.0.0.1", pair.source)
    until(lambda: _is_up(target))
    return Done(time.perf_counter() - began)


def _is_up(target: redis.Redis) -> bool:
    try:
        return target.info("replication").get("master_link_status") == "up"
    except redis.exceptions.BusyLoadingError:
        return False


def migrate(pair: Pair) -> Done:
    began, source, cursor = time.perf_counter(), pair.client(pair.source), None
    while cursor != 0:
        cursor, keys = source.scan(cursor or 0, count=BATCH)
        if keys:
            there = ("127.0.0.1", pair.target, "", 0, 60_000)
            source.execute_command("MIGRATE", *there, "COPY", "REPLACE", "KEYS", *keys)
    return Done(time.perf_counter() - began)


def redis_py(pair: Pair) -> Done:
    began, cursor = time.perf_counter(), None
    source, target = pair.client(pair.source), pair.client(pair.target)
    while cursor != 0:
        cursor, keys = source.scan(cursor or 0, count=BATCH)
        reading, writing_ = source.pipeline(transaction=False), target.pipeline(transaction=False)
        for key in keys:
            reading.dump(key)
            reading.pttl(key)
        told = reading.execute()
        for key, value, left in zip(keys, told[::2], told[1::2]):
            if value is not None:
                writing_.restore(key, max(0, left), value, replace=True)
        writing_.execute()
    return Done(time.perf_counter() - began)


def copying(processes: int, limit_ms: float = 0) -> Way:
    def run(pair: Pair) -> Done:
        with ours.run(pair, "copy", processes, limit_ms) as copy:
            began = time.perf_counter()
            copy.wait_for("done")
            seconds = time.perf_counter() - began
        return Done(seconds, copy.cost)

    return run


def following(pair: Pair) -> Done:
    target, keys = pair.client(pair.target), pair.client(pair.source).dbsize()
    with ours.run(pair, "live") as live:
        began = time.perf_counter()
        until(lambda: target.dbsize() > keys)  # with the mark of how far it is
        seconds = time.perf_counter() - began
        live.wait_for("following")
        live.end()
    return Done(seconds, live.cost)


# --- measuring ---


def measured(pair: Pair, way: Way, keys: int) -> Run:
    """Into an empty target. Fails where that is not what the source is afterwards."""
    pair.empty_target()
    with asking(pair) as answers:
        done = way(pair)
    assert pair.same(), "both sides differ"
    return Run(keys / done.seconds, answers.at(0.5), answers.at(0.99), done.cost)


def lag(pair: Pair, seconds: float) -> str:
    pair.empty_target()
    with ours.run(pair, "live") as live:
        live.wait_for("following")
        with writing(pair) as rate, lagging(pair) as lags, asking(pair) as answers:
            time.sleep(seconds)
        live.end()
    assert pair.same(), "both sides differ"
    return (
        f"live at {rate.at(0):,.0f} writes/s for {seconds:.0f} s: a write is at the target after {lags.at(0.5):.1f} ms "
        f"(p50), {lags.at(0.99):.1f} ms (p99, of {len(lags.values):,}); {live.cost.bytes / 1e6:.0f} MB; the source's "
        f"PING {answers.at(0.5):.2f} ms, {answers.at(0.99):.1f} ms"
    )


def comparing(pair: Pair, keys: int, processes: int) -> str:
    pair.empty_target()
    replicaof(pair)
    pair.client(pair.target).replicaof("NO", "ONE")
    with ours.run(pair, "verify", processes) as verify:
        began = time.perf_counter()
    seconds = time.perf_counter() - began
    return (
        f"cache_verify: {keys:,} keys in {seconds:.1f} s, {keys / seconds:,.0f} keys/s, by {processes} processes; "
        f"{verify.cost.bytes / 1e6:.0f} MB, {_each(verify.cost, keys)} a key"
    )


# --- the table ---


def table(runs: dict[str, list[Run]], keys: int) -> list[str]:
    others = ("REPLICAOF", "MIGRATE", "redis-py")
    heads = ["way", "keys/s", *(f"of {other}" for other in others), "source's PING p50, p99", "memory"]
    lines = [f"| {' | '.join([*heads, 'processor time a key'])} |", "|---" * (len(heads) + 1) + "|"]
    for name, each in runs.items():
        rate = median(run.keys_per_second for run in each)
        shares = " | ".join(f"{_share(each, runs[other]):.2f}" for other in others)
        latency = f"{median(run.p50_ms for run in each):.2f} ms, {median(run.p99_ms for run in each):.1f} ms"
        lines.append(f"| {name} | {rate:,.0f} | {shares} | {latency} | {_costs(each, keys)} |")
    return lines


def _share(ours_: list[Run], theirs: list[Run]) -> float:
    """Round by round, as the machine is another from one to the next."""
    return median(one.keys_per_second / other.keys_per_second for one, other in zip(ours_, theirs))


def _costs(each: list[Run], keys: int) -> str:
    costs = [run.cost for run in each if run.cost]
    if not costs:
        return " | "
    return f"{max(cost.bytes for cost in costs) / 1e6:.0f} MB | {_each(min(costs, key=lambda one: one.seconds), keys)}"


def _each(cost: Cost, keys: int) -> str:
    return f"{cost.seconds / keys * 1e6:.1f} µs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0, help="for which live follows writes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_told: sys.exit(1))  # so that the engines are ended, too
    many = f"copy, {options.processes} processes"
    ways: dict[str, Way] = {
        "REPLICAOF": replicaof,
        "MIGRATE": migrate,
        "redis-py": redis_py,
        "copy, 1 process": copying(1),
        many: copying(options.processes),
        f"{many}, guard of {GUARD_MS} ms": copying(options.processes, GUARD_MS),
        "live, full sync": following,
    }
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    with engines() as pair:
        mixed.fill(pair.source, options.keys)
        source = pair.client(pair.source)
        keys, size = source.dbsize(), source.info("memory")["used_memory"]
        print(f"{keys:,} keys, {size / 1e6:,.0f} MB, {source.info('server')['redis_version']}", flush=True)
        for number in range(options.rounds):
            for name, way in ways.items():
                runs[name].append(measured(pair, way, keys))
                print(f"round {number + 1}, {name}: {runs[name][-1].keys_per_second:,.0f} keys/s", flush=True)
        print("\n".join([*table(runs, keys), "", comparing(pair, keys, options.processes)]), flush=True)
        print(lag(pair, options.seconds))


if __name__ == "__main__":
    main()
