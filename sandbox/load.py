"""Load on the app as nginx in front of the hosts would bring it, every answer counted and timed.

    python -m sandbox.load --out FILE [--rate 50] [--connections 8] [--seconds 600] [--orders] URL…
    python -m sandbox.load mark FILE NAME    # requests belong to phase NAME from now on; before the start too
    python -m sandbox.load stop FILE         # end the run that writes to FILE, from wherever

As nginx does by default: hosts in turn, a new connection for each request, and a connection that is refused goes to
the next host (counted as retried). Whatever else goes wrong is failed: a request that was sent is never sent twice.
Unlike nginx, a host that refused is asked again at its next turn, not left alone for ten seconds.

FILE is replaced by rename every second and at the end: after --seconds, when asked to stop, or on SIGTERM.
Requests under way are finished first, and counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

UNMARKED = "unmarked"
FAILURES_KEPT = 20
PRODUCTS, USERS = 400, 60
ORDER = "POST /orders/"


class RequestFailed(Exception):
    """The request ended badly; the text says how."""


@dataclass(frozen=True)
class Host:
    url: str
    address: str
    port: int

    @classmethod
    def from_url(cls, url: str) -> Host:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{url} is no URL of an app host: give http://ADDRESS:PORT")
        return cls(url.rstrip("/"), parts.hostname, parts.port or 80)


@dataclass(frozen=True)
class Answer:
    status: int
    served_by: str


def requests(orders: bool = False, seed: int = 0) -> Iterator[str]:
    """What users ask for, the same at every run: few products often, most seldom. Every fifth may be an ``order``."""
    chance = random.Random(seed)
    for number in itertools.count():
        kind = chance.random()
        if orders and number % 5 == 0:
            yield f"{ORDER}o{number}"
        elif kind < 0.9:
            product = int(PRODUCTS ** chance.random())
            yield f"GET /products/{product}?user=u{chance.randrange(USERS)}"
        elif kind < 0.95:
            yield "GET /popular"
        else:
            yield f"GET /sessions/u{chance.randrange(USERS)}"


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that at least this share of all values does not exceed (nearest rank)."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass
class Phase:
    requests: int = 0
    failed: int = 0
    retried: int = 0
    seconds: list[float] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        def milliseconds(seconds: float | None) -> float | None:
            return None if seconds is None else round(seconds * 1000, 1)

        return {
            "requests": self.requests,
            "failed": self.failed,
            "retried": self.retried,
            "latency_ms": {
                "p50": milliseconds(percentile(self.seconds, 0.50)),
                "p99": milliseconds(percentile(self.seconds, 0.99)),
                "max": milliseconds(max(self.seconds, default=None)),
            },
        }


@dataclass
class Tally:
    """All that is counted. A retried request counts once, however many hosts refused it."""

    phases: dict[str, Phase] = field(default_factory=dict)
    answered: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    failed_at: Counter[str] = field(default_factory=Counter)  # by the host that was asked last
    served_by: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, object]] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)  # those that were taken

    def count(self, phase: str, seconds: float, retried: bool) -> Phase:
        counted = self.phases.setdefault(phase, Phase())
        counted.requests += 1
        counted.retried += retried
        counted.seconds.append(seconds)
        return counted

    def as_dict(self) -> dict[str, object]:
        phases = self.phases.values()
        return {
            "requests_total": sum(phase.requests for phase in phases),
            "failed": sum(phase.failed for phase in phases),
            "retried": sum(phase.retried for phase in phases),
            "phases": {name: phase.as_dict() for name, phase in self.phases.items()},
            "hosts": {
                url: {"answered": self.answered[url], "refused": self.refused[url], "failed": self.failed_at[url]}
                for url in sorted({*self.answered, *self.refused, *self.failed_at})
            },
            "served_by": dict(sorted(self.served_by.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "failures": self.failures,
            "orders": self.orders,
        }


async def fetch(host: Host, wanted: str, timeout: float) -> Answer:
    """One request on a connection of its own. ConnectionError means: never sent, another host may have it."""
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_connection(host.address, host.port)
        try:
            length = "Content-Length: 0\r\n" if wanted.startswith("POST") else ""
            request = f"{wanted} HTTP/1.1\r\nHost: {host.address}:{host.port}\r\n{length}Connection: close\r\n\r\n"
            writer.write(request.encode())
            await writer.drain()
            return read_answer(await reader.read())
        except ConnectionError as error:
            raise RequestFailed(f"the connection broke after the request was sent ({type(error).__name__})")
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


def read_answer(raw: bytes) -> Answer:
    """Read an answer that was ended by closing the connection; one that is cut short is none."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        raise RequestFailed(f"the connection ended without an answer ({len(raw)} bytes)")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = headers.get("content-length")
    if length is not None and len(body) != int(length):
        raise RequestFailed(f"the answer was cut short: {len(body)} of {length} bytes")
    return Answer(int(status_line.split()[1]), headers.get("x-served-by", "unknown"))


class Load:
    def __init__(
        self, hosts: list[Host], out: Path, rate: float, connections: int, timeout: float, *, orders: bool = False
    ) -> None:
        self.hosts, self.out, self.rate, self.connections, self.timeout = hosts, out, rate, connections, timeout
        self.tally = Tally()
        self.requests = requests(orders)
        self.turn = 0
        self.phase = current_phase(out) or UNMARKED
        self.started = time.monotonic()
        self.next_at = self.started
        self.end = math.inf

    async def run(self, seconds: float) -> None:
        """Send at the wanted rate until the time is up or `stop` is called; write the result meanwhile too."""
        self.started = self.next_at = time.monotonic()
        self.end = self.started + seconds
        reporter = asyncio.create_task(self.report())
        try:
            await asyncio.gather(*(self.send() for _ in range(self.connections)))
        finally:
            reporter.cancel()
            self.write(finished=True)

    def stop(self) -> None:
        """Send nothing more; asked again, the end stays where it was."""
        self.end = min(self.end, time.monotonic())

    async def send(self) -> None:
        while True:
            now = time.monotonic()
            # With all connections busy the rate falls; it is not made up for by a burst afterwards.
            slot = self.next_at = max(self.next_at, now - 1 / self.rate)
            self.next_at += 1 / self.rate
            await asyncio.sleep(slot - now)
            if slot >= self.end:
                return
            await self.request(next(self.requests))

    async def request(self, wanted: str) -> None:
        begun, phase, refusals = time.monotonic(), self.phase, 0
        turn, self.turn = self.turn, self.turn + 1
        failure = "every host refused the connection"
        host = self.hosts[turn % len(self.hosts)]
        for step in range(len(self.hosts)):
            host = self.hosts[(turn + step) % len(self.hosts)]
            try:
                failure = self.judge(host, wanted, await fetch(host, wanted, self.timeout))
                break
            except ConnectionError:
                self.tally.refused[host.url] += 1
                refusals += 1
            except TimeoutError:
                failure = f"no answer within {self.timeout:g} s"
                break
            except (RequestFailed, OSError, ValueError) as error:
                failure = f"{type(error).__name__}: {error}" if not isinstance(error, RequestFailed) else str(error)
                break
        counted = self.tally.count(phase, time.monotonic() - begun, retried=0 < refusals < len(self.hosts))
        if failure:
            counted.failed += 1
            self.tally.failed_at[host.url] += 1
            if len(self.tally.failures) < FAILURES_KEPT:
                at = round(begun - self.started, 3)
                self.tally.failures.append(
                    {"at_seconds": at, "url": host.url + wanted.partition(" ")[2], "phase": phase, "reason": failure}
                )

    def judge(self, host: Host, wanted: str, answer: Answer) -> str:
        self.tally.answered[host.url] += 1
        self.tally.served_by[answer.served_by] += 1
        self.tally.statuses[str(answer.status)] += 1
        if wanted.startswith(ORDER) and answer.status == 202:
            self.tally.orders.append(wanted.removeprefix(ORDER))
        return f"status {answer.status}" if answer.status >= 500 else ""

    async def report(self) -> None:
        """Follow closely what is asked for by files, and write the result every second."""
        written = 0.0
        while True:
            self.phase = current_phase(self.out) or self.phase
            if stop_file(self.out).exists():
                self.stop()
            if time.monotonic() - written >= 1:
                self.write(finished=False)
                written = time.monotonic()
            await asyncio.sleep(0.05)

    def write(self, finished: bool) -> None:
        result = {
            "finished": finished,
            "seconds": round(time.monotonic() - self.started, 1),
            "rate": self.rate,
            "phase": self.phase,
            **self.tally.as_dict(),
        }
        replace(self.out, json.dumps(result, indent=2) + "\n")


def phase_file(out: Path) -> Path:
    return out.with_name(out.name + ".phase")


def mark(out: Path, name: str) -> None:
    """From now on (within 0.05 s) requests belong to this phase of the run that writes to `out`."""
    replace(phase_file(out), name)


def current_phase(out: Path) -> str:
    try:
        return phase_file(out).read_text().strip()
    except FileNotFoundError:
        return ""


def stop_file(out: Path) -> Path:
    return out.with_name(out.name + ".stop")


def ask_to_stop(out: Path) -> None:
    """End the run that writes to `out`. A signal does not pass into a process namespace, but a file does."""
    replace(stop_file(out), "")


def replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


async def serve(load: Load, seconds: float) -> None:
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, load.stop)
    await load.run(seconds)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["mark"]:
        if len(arguments) != 3:
            sys.exit("usage: python -m sandbox.load mark FILE NAME")
        mark(Path(arguments[1]), arguments[2])
        return 0
    if arguments[:1] == ["stop"]:
        if len(arguments) != 2:
            sys.exit("usage: python -m sandbox.load stop FILE")
        ask_to_stop(Path(arguments[1]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m sandbox.load", description=__doc__.splitlines()[0])
    parser.add_argument("urls", nargs="+", metavar="URL", type=Host.from_url, help="an app host, http://ADDRESS:PORT")
    parser.add_argument("--out", required=True, type=Path, help="where the result is written, as JSON")
    parser.add_argument("--rate", type=float, default=50, help="requests per second (default: 50)")
    parser.add_argument("--connections", type=int, default=8, help="requests at once at most (default: 8)")
    parser.add_argument("--seconds", type=float, default=600, help="stop after this long (default: 600)")
    parser.add_argument("--orders", action="store_true", help="place orders too, which the whole app takes")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for a whole request (default: 30)")
    options = parser.parse_args(arguments)
    stop_file(options.out).unlink(missing_ok=True)
    load = Load(options.urls, options.out, options.rate, options.connections, options.timeout, orders=options.orders)
    asyncio.run(serve(load, options.seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
