"""Start the shop: `python -m app.serve` in the folder that holds .env.

One parent that loads the app and has no connection of its own, and workers that each run uvicorn on a listening socket
of their own (SO_REUSEPORT: the kernel spreads new connections over them). A stop loses no request: see Worker.shutdown.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from dotenv import load_dotenv
from fastapi import FastAPI

from .parameters import url_of_parameter

WORKERS = 2
BACKLOG = 512
ACCEPT_SECONDS = 0.005  # a few turns of the event loop, in which what the kernel has set up is accepted
HANDSHAKE_SECONDS = 3.0  # how long handshakes under way have to end: one packet may be lost and sent again after 1 s
FIRST_BYTE_SECONDS = 5.0  # how long an accepted connection has to send its request
FINISH_SECONDS = 20

IP_MINTTL = 21  # linux/in.h; the socket module does not name it


def main() -> int:
    load_dotenv(".env")
    if url := url_of_parameter("REDIS_URL_PARAMETER"):
        os.environ["REDIS_URL"] = url
    address = (os.environ.get("SHOP_ADDRESS", "0.0.0.0"), int(os.environ.get("SHOP_PORT", "8000")))
    refuse_taken(address)
    return supervise(app_of_settings(), address)


def app_of_settings() -> FastAPI:
    """Loaded only now, as its modules read the settings: with CACHE_URL it is the shop that has plain values alone."""
    if "CACHE_URL" in os.environ:
        from .pages import app
    else:
        from .main import app
    return app


def refuse_taken(address: tuple[str, int]) -> None:
    """Workers share the port, so a second shop would quietly join in. Binding alone fails while another serves."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind(address)


def supervise(app: FastAPI, address: tuple[str, int]) -> int:
    """Run the workers until all have ended. One that ends by itself ends them all: the service manager starts anew."""
    workers: set[int] = set()
    asked = False

    def stop_workers() -> None:
        for pid in workers:
            os.kill(pid, signal.SIGTERM)  # it exists: it has not been waited for

    def asked_to_stop(signum: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True
        stop_workers()

    signal.signal(signal.SIGTERM, asked_to_stop)
    signal.signal(signal.SIGINT, asked_to_stop)
    while len(workers) < WORKERS and not asked:
        workers.add(start_worker(app, address))
    while workers:
        pid, status = os.wait()
        workers.discard(pid)
        if not asked:
            print(f"worker {pid} ended by itself ({os.waitstatus_to_exitcode(status)}): stopping", file=sys.stderr)
            stop_workers()
    return 0 if asked else 1


def start_worker(app: FastAPI, address: tuple[str, int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    # uvicorn raises the signal that stopped it once more when it has finished; that ends this process well.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(address)
    config = uvicorn.Config(app, access_log=False, timeout_graceful_shutdown=FINISH_SECONDS, backlog=BACKLOG)
    Worker(config).run([listener])
    os._exit(1)


class Worker(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting first, and lose nobody who is already in.

        Closing a listening socket resets the connections that the kernel has set up and nobody has accepted yet. So
        the kernel is told to begin no more, those begun are set up and accepted, and only then is the socket closed:
        from then on connections are refused. Who was accepted may send a request, which uvicorn then finishes.
        """
        for listener in sockets or []:
            set_minimal_ttl(listener, 255)
        ports = {listener.getsockname()[1] for listener in sockets or []}
        await until(lambda: not ports & ports_in_handshake(Path("/proc/net/tcp").read_text()), HANDSHAKE_SECONDS)
        await asyncio.sleep(ACCEPT_SECONDS)
        for server in self.servers:
            server.close()
        await asyncio.sleep(ACCEPT_SECONDS)  # accepted sockets become connections in the loop's next turns
        for connection in self.server_state.connections:
            set_minimal_ttl(connection.transport.get_extra_info("socket"), 0)
        await until(lambda: not self.server_state.connections, FIRST_BYTE_SECONDS)
        await super().shutdown(sockets)


async def until(true: Callable[[], bool], seconds: float) -> None:
    """Return when it is so, or when the time is up."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


def ports_in_handshake(table: str) -> set[int]:
    """The local ports of /proc/net/tcp on which a client has asked and not yet confirmed (SYN_RECV)."""
    rows = (line.split() for line in table.splitlines()[1:])
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "03"}


def set_minimal_ttl(end: socket.socket, ttl: int) -> None:
    """Let the kernel drop what arrives with less than this TTL, handshakes under way excepted. No privilege is needed.

    255 is more than others send by default (64), so nobody new is heard; who is accepted then has inherited it.
    """
    end.setsockopt(socket.IPPROTO_IP, IP_MINTTL, ttl)


if __name__ == "__main__":
    sys.exit(main())
