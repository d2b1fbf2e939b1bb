"""An app host of the tests: in a network namespace of its own, with the addresses 172.31.1.1 and 172.31.1.2.

One JSON request a line on standard input, one JSON answer a line on standard output. Names come from the file that
the local AWS writes, as they would through the resolver of a sandbox.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.cluster import RedisCluster
from redis.retry import Retry

CONNECT_SECONDS, ANSWER_SECONDS = 0.6, 5
source = ["172.31.1.1"]
endpoints = Path(sys.argv[1])
held: dict[str, redis.Redis] = {}
real_getaddrinfo = socket.getaddrinfo


class FromHost(socket.socket):
    """Connects from the address of the host that the request names."""

    def connect(self, address: Any) -> None:
        if self.family == socket.AF_INET:
            self.bind((source[0], 0))
        super().connect(address)


def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    table = dict(reversed(line.split()) for line in endpoints.read_text().splitlines())
    if isinstance(host, str) and not host[0].isdigit() and host not in table:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return real_getaddrinfo(table.get(host, host), *arguments, **options)


def client(request: dict[str, Any]) -> redis.Redis | RedisCluster:
    """One that follows MOVED where the request says `cluster`."""
    options: dict[str, Any] = {}
    if request.get("tls"):
        options = {"ssl": True, "ssl_ca_certs": request["ca"], "ssl_check_hostname": True}
    if request.get("user"):
        options["username"] = request["user"]
    make = RedisCluster if request.get("cluster") else redis.Redis
    return make(
        host=request["host"],
        port=request.get("port", 6379),
        password=request.get("token"),
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 3 if request.get("cluster") else 0),
        **options,
    )


def of_memcached(request: dict[str, Any]) -> dict[str, Any]:
    """What memcached says to a command of its text protocol, to the line that ends an answer."""
    with socket.create_connection((request["host"], request["port"]), CONNECT_SECONDS) as plain:
        plain.settimeout(ANSWER_SECONDS)
        trusted = ssl.create_default_context(cafile=request["ca"])
        name = request["host"]
        with trusted.wrap_socket(plain, server_hostname=name) if request.get("tls") else plain as connection:
            connection.sendall(request["memcached"].encode())
            said = b""
            while not re.search(rb"(^|\n)(END|STORED|DELETED|NOT_FOUND|ERROR|VERSION [^\r]+)\r\n$", said):
                received = connection.recv(65536)
                if not received:
                    raise ConnectionResetError("closed")
                said += received
    return {"ok": said.decode()}


def probed(request: dict[str, Any]) -> dict[str, Any]:
    """What the collection's own probe finds from here."""
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, probe

    found = probe(Question(request["probe"], ca_certs=request["ca"])).as_dict()
    return {"ok": {name: found[name] for name in ("reached", "failure")}}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    source[0] = request.get("source", "172.31.1.1")
    if "probe" in request:
        return probed(request)
    began = time.monotonic()
    try:
        if "memcached" in request:
            return of_memcached(request)
        name = request.get("hold", "")
        connection = held.get(name) or client(request)
        if name:
            held[name] = connection
        if "fill" in request:  # so many keys of a name, each with its number
            for number in range(request["fill"]):
                connection.set(f"{request['command'][0]}:{number}", number)
            return {"ok": request["fill"]}
        if "count" in request:  # how many of them are there as they were written
            keys = ((f"{request['command'][0]}:{number}", str(number)) for number in range(request["count"]))
            return {"ok": sum(connection.get(key) == value for key, value in keys)}
        found = connection.execute_command(*request["command"])
        return {"ok": found if isinstance(found, (str, int, list, dict, type(None))) else str(found)}
    except (redis.RedisError, OSError, ssl.SSLError) as error:
        text = f"{type(error).__name__}: {error}"
        return {"error": text, "seconds": time.monotonic() - began}


def wait_for_interface() -> None:
    while subprocess.run(["ip", "link", "show", "eth0"], capture_output=True, check=False).returncode:
        time.sleep(0.01)
    for command in (
        "link set lo up",
        "link set eth0 up",
        "addr add 172.31.1.1/16 dev eth0",
        "addr add 172.31.1.2/16 dev eth0",
    ):
        subprocess.run(["ip", *command.split()], check=True)


if __name__ == "__main__":
    wait_for_interface()
    socket.socket = FromHost  # type: ignore[misc]
    socket.getaddrinfo = getaddrinfo
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line)), default=str), flush=True)
