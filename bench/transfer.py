"""How fast data comes along, beside what else would bring it, between two engines on this machine.

    python -m bench.transfer [--keys 1000000] [--rounds 3] [--processes 2]

One data set (bench/mixed.py), and in each round one way after the other, so that all of them meet the same machine:

- REPLICAOF: the engine's own full sync, diskless and without its delay, until the replica says that it is up
- MIGRATE: 500 keys at a time, as SCAN finds them
- redis-py: SCAN, then pipelines of DUMP and PTTL, then of RESTORE, as most scripts on the web do it
- copy: what cache_transfer runs, with all that it looks at, and without a guard of latency, as the others have none

Each ends with the same digest on both sides, by the engine's own DEBUG DIGEST, or it does not count. Beside it one asks
the source every 5 ms for a PING: that is what an app would meet meanwhile.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy import copy
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Side

from bench import mixed
from sandbox import check
from sandbox.shell import environment

BATCH = 500
PING_EVERY = 0.005


@dataclass(frozen=True)
class Run:
    """Of one way in one round."""

    keys_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Pair:
    """Two engines."""

    source: int
    target: int

    def client(self, port: int) -> redis.Redis:
        return redis.Redis(port=port, socket_timeout=600)


@contextlib.contextmanager
def engines() -> Iterator[Pair]:
    check.choose(None, lambda _line: None)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = []
        for name in ("source", "target"):
            (Path(folder) / name).mkdir()
            ports.append(free_port())
            settings = ["--port", str(ports[-1]), "--bind", "127.0.0.1", "--save", "", "--dir", f"{folder}/{name}"]
            settings += ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]
            settings += ["--enable-debug-command", "local"]
            server = ["redis-server", *settings]
            process = subprocess.Popen(server, env=environment(), stdout=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
        pair = Pair(*ports)
        for port in ports:
            _until(lambda port=port: _answers(pair.client(port)))
        yield pair


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.005)


# --- the ways ---


def replicaof(pair: Pair) -> None:
    target = pair.client(pair.target)
    target.replicaof("127.0.0.1", pair.source)
    _until(lambda: _is_up(target))


def _is_up(target: redis.Redis) -> bool:
    try:
        return target.info("replication").get("master_link_status") == "up"
    except redis.exceptions.BusyLoadingError:
        return False


def migrate(pair: Pair) -> None:
    source, cursor = pair.client(pair.source), 0
    while True:
        cursor, keys = source.scan(cursor, count=BATCH)
        if keys:
            there = ("127.0.0.1", pair.target, "", 0, 60_000)
            source.execute_command("MIGRATE", *there, "COPY", "REPLACE", "KEYS", *keys)
        if not cursor:
            return


def redis_py(pair: Pair) -> None:
    source, target, cursor = pair.client(pair.source), pair.client(pair.target), 0
    while True:
        cursor, keys = source.scan(cursor, count=BATCH)
        reading, writing = source.pipeline(transaction=False), target.pipeline(transaction=False)
        for key in keys:
            reading.dump(key)
            reading.pttl(key)
        told = reading.execute()
        for key, value, left in zip(keys, told[::2], told[1::2]):
            if value is not None:
                writing.restore(key, max(0, left), value, replace=True)
        writing.execute()
        if not cursor:
            return


def copying(processes: int) -> Callable[[Pair], None]:
    def run(pair: Pair) -> None:
        with tempfile.TemporaryDirectory() as folder:
            source, target = (f"redis://127.0.0.1:{port}/0" for port in (pair.source, pair.target))
            sides = (Side(source, tls_as_app=True), Side(target))
            job = Job(*sides, "copy", f"{folder}/state", latency_limit_ms=0, processes=processes)
            against = copy.check(job)
            assert not against, against
            copy.run(job, lambda _progress: None)

    return run


# --- measuring ---

ASK = """
import json, socket, sys, time
times = []
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    print("asking", flush=True)
    sock.settimeout(60)
    import select
    while not select.select([sys.stdin], [], [], float(sys.argv[2]))[0]:
        start = time.perf_counter()
        sock.sendall(b"PING\\r\\n")
        sock.recv(64)
        times.append((time.perf_counter() - start) * 1000)
print(json.dumps(sorted(times)))
"""


def measured(pair: Pair, way: Callable[[Pair], None], keys: int) -> Run:
    """Into an empty target. Fails where that is not what the source is afterwards."""
    target = pair.client(pair.target)
    target.replicaof("NO", "ONE")
    target.flushall()
    asking = [sys.executable, "-c", ASK, str(pair.source), str(PING_EVERY)]
    with subprocess.Popen(asking, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as beside:
        assert beside.stdout and beside.stdin
        beside.stdout.readline()
        began = time.perf_counter()
        way(pair)
        seconds = time.perf_counter() - began
        beside.stdin.write("\n")
        beside.stdin.flush()
        times = json.loads(beside.stdout.readline())
    digests = {client.execute_command("DEBUG", "DIGEST") for client in (pair.client(pair.source), target)}
    assert len(digests) == 1, "both sides differ"
    return Run(keys / seconds, times[len(times) // 2], times[int(len(times) * 0.99)])


def table(runs: dict[str, list[Run]]) -> list[str]:
    rates = {name: median(run.keys_per_second for run in each) for name, each in runs.items()}
    lines = ["| way | keys/s | of REPLICAOF | of MIGRATE | of redis-py | source's PING p50, p99 |"]
    lines.append("|---|---|---|---|---|---|")
    for name, each in runs.items():
        shares = " | ".join(f"{_share(each, runs[other]):.2f}" for other in ("REPLICAOF", "MIGRATE", "redis-py"))
        latency = f"{median(run.p50_ms for run in each):.2f} ms, {median(run.p99_ms for run in each):.1f} ms"
        lines.append(f"| {name} | {rates[name]:,.0f} | {shares} | {latency} |")
    return lines


def _share(ours: list[Run], theirs: list[Run]) -> float:
    """Round by round, as the machine is another from one to the next."""
    return median(one.keys_per_second / other.keys_per_second for one, other in zip(ours, theirs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    ways = {"REPLICAOF": replicaof, "MIGRATE": migrate, "redis-py": redis_py, "copy": copying(options.processes)}
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
    print("\n".join(table(runs)))


if __name__ == "__main__":
    main()
