"""Where the shop that keeps plain values keeps them: by the scheme of CACHE_URL in a Redis or in Memcached.

A client is made by the process that first needs one: what loads the app has no connection of its own.
"""

from __future__ import annotations

import functools
import os
import ssl
from typing import Protocol
from urllib.parse import urlsplit

import redis
from pymemcache.client.base import Client
from pymemcache.client.hash import HashClient
from pymemcache.exceptions import MemcacheError

FAILURES = (redis.RedisError, MemcacheError, OSError)  # what either client raises
SECONDS = 5


class Values(Protocol):
    def get(self, key: str) -> str | None: ...

    def set(self, key: str, value: str, seconds: int) -> None: ...

    def count(self, key: str) -> int: ...


class InRedis:
    def __init__(self, url: str) -> None:
        self._client = redis.from_url(url, decode_responses=True)

    def get(self, key: str) -> str | None:
        found: str | None = self._client.get(key)
        return found

    def set(self, key: str, value: str, seconds: int) -> None:
        self._client.set(key, value, ex=seconds)

    def count(self, key: str) -> int:
        return int(self._client.incr(key))


class InMemcached:
    """Keys are spread over the nodes that the configuration endpoint tells."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        options = {"tls_context": ssl.create_default_context()} if parts.scheme == "memcacheds" else {}
        nodes = nodes_told_by(Client((parts.hostname, parts.port), connect_timeout=SECONDS, timeout=SECONDS, **options))
        self._client = HashClient(nodes, connect_timeout=SECONDS, timeout=SECONDS, use_pooling=True, **options)

    def get(self, key: str) -> str | None:
        found = self._client.get(key)
        return None if found is None else found.decode()

    def set(self, key: str, value: str, seconds: int) -> None:
        self._client.set(key, value, expire=seconds, noreply=False)

    def count(self, key: str) -> int:
        """A number that is not there has to be put there first, which another may be faster at."""
        if self._client.add(key, "1", noreply=False):
            return 1
        return int(self._client.incr(key, 1, noreply=False) or 1)


def nodes_told_by(configuration: Client) -> list[tuple[str, int]]:
    """By auto discovery, as ElastiCache has it: a line of name|address|port for each node."""
    try:
        told = configuration.raw_command(b"config get cluster", end_tokens=b"\n\r\nEND\r\n").decode()
    finally:
        configuration.close()
    nodes = [node.split("|") for node in told.splitlines()[2].split()]
    return [(name, int(port)) for name, _address, port in nodes]


@functools.cache
def values() -> Values:
    url = os.environ["CACHE_URL"]
    return InMemcached(url) if url.startswith("memcached") else InRedis(url)
