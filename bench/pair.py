"""Two engines on this machine, and what is measured beside a way that brings data from one to the other."""

from __future__ import annotations

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

import redis

from sandbox import check
from sandbox.shell import environment

PING_EVERY = 0.005  # seconds


@dataclass(frozen=True)
class Pair:
    source: int
    target: int

    def client(self, port: int) -> redis.Redis:
        return redis.Redis(port=port, socket_timeout=600)

    def same(self) -> bool:
        """By the engines' own digest of all that they hold, which takes a time of expiry for any other."""
        digests = {self.client(port).execute_command("DEBUG", "DIGEST") for port in (self.source, self.target)}
        return len(digests) == 1

    def empty_target(self) -> redis.Redis:
        target = self.client(self.target)
        target.replicaof("NO", "ONE")
        target.flushall()
        return target


@contextlib.contextmanager
def engines() -> Iterator[Pair]:
    check.choose(None, lambda _line: None)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = []
        for name in ("source", "target"):
            (Path(folder) / name).mkdir()
            ports.append(_free_port())
            settings = ["--port", str(ports[-1]), "--bind", "127.0.0.1", "--save", "", "--dir", f"{folder}/{name}"]
            settings += ["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"]
            settings += ["--enable-debug-command", "local"]
            server = ["redis-server", *settings]
            process = subprocess.Popen(server, env=environment(), stdout=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
        pair = Pair(*ports)
        for port in ports:
            until(lambda port=port: _answers(pair.client(port)))
        yield pair


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        time.sleep(0.005)


# --- what goes on beside ---

# Each is a process of its own, as another thread would wait for ours: it begins, goes on until a line comes, and prints
# what it measured, sorted, in milliseconds.
_UNTIL_TOLD = """
import json, select, socket, sys, time
ports, every = list(map(int, sys.argv[1].split(","))), float(sys.argv[2])
socks = [socket.create_connection(("127.0.0.1", port)) for port in ports]
times = []
def is_over(seconds):
    return select.select([sys.stdin], [], [], seconds)[0]
def asked(sock, *words):
    sock.sendall(b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%b\\r\\n" % (len(word), word) for word in words))
print("begun", flush=True)
"""
_ASK = """
while not is_over(every):
    start = time.perf_counter()
    asked(socks[0], b"PING")
    socks[0].recv(64)
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps(sorted(times)))
"""
# An entry is added at the first, and is awaited at the second, which tells of it when it was written there.
_LAG = """
number = 0
while not is_over(every):
    number += 1
    since, now = b"%d-0" % number, b"%d-0" % (number + 1)
    if number == 1:
        asked(socks[0], b"XADD", b"bench:lag", since, b"a", b"b")
        socks[0].recv(64)
        time.sleep(1)
    asked(socks[1], b"XREAD", b"BLOCK", b"60000", b"STREAMS", b"bench:lag", since)
    time.sleep(0.001)
    start = time.perf_counter()
    asked(socks[0], b"XADD", b"bench:lag", b"MAXLEN", b"100", now, b"a", b"b")
    socks[0].recv(64)
    socks[1].recv(4096)
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps(sorted(times)))
"""
_WRITE = """
began, written, value = time.perf_counter(), 0, b"x" * 200
while not is_over(every):
    due = int((time.perf_counter() - began) * 5000) - written
    for number in range(written, written + due):
        asked(socks[0], b"SET", b"bench:written:%d" % (number % 20000), value)
    left = due * 5
    while left > 0:
        left -= len(socks[0].recv(left))
    written += due
print(json.dumps([written / (time.perf_counter() - began)]))
"""


@dataclass
class Figures:
    """Filled at the end of its block."""

    values: list[float]

    def at(self, share: float) -> float:
        return self.values[min(len(self.values) - 1, int(len(self.values) * share))]


@contextlib.contextmanager
def _beside(program: str, ports: list[int], every: float) -> Iterator[Figures]:
    found = Figures([])
    argv = [sys.executable, "-c", _UNTIL_TOLD + program, ",".join(map(str, ports)), str(every)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        try:
            process.stdout.readline()
            yield found
            process.stdin.write("\n")
            process.stdin.flush()
            found.values = json.loads(process.stdout.readline())
        finally:
            process.kill()


def asking(pair: Pair) -> contextlib.AbstractContextManager[Figures]:
    """What an app would meet at the source meanwhile."""
    return _beside(_ASK, [pair.source], PING_EVERY)


def lagging(pair: Pair) -> contextlib.AbstractContextManager[Figures]:
    return _beside(_LAG, [pair.source, pair.target], 0.005)


def writing(pair: Pair) -> contextlib.AbstractContextManager[Figures]:
    """5,000 times a second; its figure is how often it really was."""
    return _beside(_WRITE, [pair.source], 0.001)
