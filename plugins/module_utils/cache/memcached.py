# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The text protocol of Memcached over one connection, and the app's own client of it, pymemcache.

https://github.com/memcached/memcached/blob/master/doc/protocol.txt; ``config get cluster`` is ElastiCache's own:
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/AutoDiscovery.AddingToYourClientLibrary.html
Runs on app hosts too: standard library only.
"""

from __future__ import annotations

import importlib
import re
import socket
import ssl
import sys
from dataclasses import dataclass
from typing import Any, Callable, Sequence, TypeVar

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    ConnectionLost,
    NoAnswer,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import names_a_host

LONGEST = 1 << 20  # bytes of an answer
MOST_NODES = 1000  # AWS has 60 in a cluster at the most
_NODE = re.compile(r"([^|\s]+)\|([^|\s]*)\|([0-9]{1,5})")

Answer = TypeVar("Answer")


class NotMemcached(CacheError):
    """What listens there speaks something else; the text says what it answered."""


@dataclass(frozen=True)
class Node:
    """As a configuration endpoint tells it: its name, its address, which may be empty, and its port."""

    name: str
    address: str
    port: int


class Conversation:
    """The few commands that are asked here. Raises ConnectionLost, NoAnswer, NotMemcached and ServerError."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""
        self._left = LONGEST

    def version(self) -> str:
        line = self._ask("version")
        if not line.startswith("VERSION "):
            raise NotMemcached(f"it answered {line[:40]!r} to version")
        return line[len("VERSION ") :]

    def nodes(self) -> list[Node]:
        """Those that auto discovery tells; none where the server does not know the command."""
        try:
            line = self._ask("config get cluster")
        except ServerError:
            return []
        found = re.fullmatch(r"CONFIG cluster [0-9]+ ([0-9]{1,7})", line)
        if not found:
            raise NotMemcached(f"it answered {line[:40]!r} to config get cluster")
        told = self._data(int(found.group(1))).decode("utf-8", "replace")
        self._expect("END")
        nodes = [Node(name, address, int(port)) for name, address, port in _NODE.findall(told)]
        if len(nodes) > MOST_NODES or not all(map(_leads_somewhere, nodes)):
            raise NotMemcached("it tells of nodes that no cluster has")
        return nodes

    def set(self, key: str, value: str, seconds: int) -> None:
        data = value.encode()
        self._send(f"set {key} 0 {seconds} {len(data)}\r\n".encode() + data)
        self._expect("STORED")

    def get(self, key: str) -> str:
        """Empty where it is not there."""
        line = self._ask(f"get {key}")
        if line == "END":
            return ""
        found = re.fullmatch(r"VALUE \S+ [0-9]+ ([0-9]{1,7})", line)
        if not found:
            raise NotMemcached(f"it answered {line[:40]!r} to get")
        value = self._data(int(found.group(1))).decode("utf-8", "replace")
        self._expect("END")
        return value

    def delete(self, key: str) -> None:
        line = self._ask(f"delete {key}")
        if line not in ("DELETED", "NOT_FOUND"):
            raise NotMemcached(f"it answered {line[:40]!r} to delete")

    def stats(self) -> dict[str, str]:
        self._send(b"stats")
        found: dict[str, str] = {}
        while (line := self._line()) != "END":
            _word, name, value = [*line.split(" ", 2), "", ""][:3]
            found[name] = value
        return found

    def close(self) -> None:
        self._connection.close()

    def _ask(self, command: str) -> str:
        self._send(command.encode())
        return self._line()

    def _send(self, command: bytes) -> None:
        self._left = LONGEST
        try:
            self._connection.sendall(command + b"\r\n")
        except socket.timeout:
            raise NoAnswer("it takes nothing any more")
        except OSError as error:
            raise ConnectionLost(str(error.strerror or error))

    def _expect(self, word: str) -> None:
        line = self._line()
        while not line and word == "END":  # the data of a configuration ends in a line of its own
            line = self._line()
        if line != word:
            raise NotMemcached(f"it answered {line[:40]!r}, and {word} was expected")

    def _line(self) -> str:
        while b"\r\n" not in self._received:
            self._receive()
        line, _end, self._received = self._received.partition(b"\r\n")
        said = line.decode("utf-8", "replace")
        if said == "ERROR" or said.startswith(("CLIENT_ERROR", "SERVER_ERROR")):
            raise ServerError(said)
        return said

    def _data(self, length: int) -> bytes:
        while len(self._received) < length + 2:
            self._receive()
        data, self._received = self._received[:length], self._received[length + 2 :]
        return data

    def _receive(self) -> None:
        try:
            received = self._connection.recv(65536)
        except socket.timeout:
            raise NoAnswer("no answer in time")
        except OSError as error:
            raise ConnectionLost(str(error.strerror or error))
        if not received:
            raise ConnectionLost("it closed the connection")
        self._received += received
        self._left -= len(received)
        if self._left < 0:
            raise NotMemcached("its answer has no end")


def _leads_somewhere(node: Node) -> bool:
    is_address = not node.address or names_a_host(node.address)
    return names_a_host(node.name) and is_address and 0 < node.port < 65536


class OwnClient:
    """What an app does, over our own connections to all nodes: a key is on the node that it is asked of first."""

    name = "own client"

    def __init__(self, nodes: Sequence[Conversation]) -> None:
        self._nodes = nodes

    def ping(self) -> None:
        for node in self._nodes:
            node.version()

    def set(self, key: str, value: str, seconds: int) -> None:
        self._nodes[0].set(key, value, seconds)

    def get(self, key: str) -> str:
        return self._nodes[0].get(key)

    def delete(self, key: str) -> None:
        self._nodes[0].delete(key)

    def close(self) -> None:
        """The connections belong to the caller."""


class PyMemcache:
    """The same over pymemcache's HashClient, as an app spreads its keys over the nodes."""

    def __init__(
        self, library: Any, nodes: Sequence[tuple[str, int]], seconds: float, context: ssl.SSLContext | None
    ) -> None:
        self.name = f"pymemcache {library.__version__}"
        self._errors = importlib.import_module("pymemcache.exceptions")
        client = importlib.import_module("pymemcache.client.hash").HashClient
        options: dict[str, Any] = {"connect_timeout": seconds, "timeout": seconds, "retry_attempts": 0}
        if context is not None:
            options["tls_context"] = context
        self._client = self._call(lambda: client(list(nodes), **options))

    def ping(self) -> None:
        """A read of what is not there; it goes to one node, as a key does."""
        self._call(lambda: self._client.get("cache_migration:probe"))

    def set(self, key: str, value: str, seconds: int) -> None:
        self._call(lambda: self._client.set(key, value, expire=seconds, noreply=False))

    def get(self, key: str) -> str:
        found = self._call(lambda: self._client.get(key))
        return found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found or "")

    def delete(self, key: str) -> None:
        self._call(lambda: self._client.delete(key, noreply=False))

    def close(self) -> None:
        self._client.close()

    def _call(self, act: Callable[[], Answer]) -> Answer:
        try:
            return act()
        except socket.timeout as error:
            raise NoAnswer(str(error))
        except OSError as error:
            raise ConnectionLost(str(error))
        except self._errors.MemcacheError as error:
            raise ServerError(f"{type(error).__name__}: {error}")
        except (TypeError, ValueError) as error:  # an option that this version does not know, as tls_context
            raise CacheError(str(error))


def find_pymemcache() -> tuple[Any, str]:
    """The module of this interpreter; or None, and why there is none."""
    try:
        return importlib.import_module("pymemcache"), ""
    except ImportError as error:
        return None, f"{sys.executable} cannot import pymemcache: {error}"
