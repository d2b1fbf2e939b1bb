"""The addresses of the cache nodes: each is taken by one engine, and given back when the engine goes."""

from __future__ import annotations

import threading

from sandbox.aws.engines import EngineFailed

NETWORK = "172.31.2"
FIRST, LAST = 10, 254


class Addresses:
    """One set for every service, as all nodes lie in one network."""

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._lock = threading.Lock()
        self._next = FIRST

    def take(self) -> str:
        """One that is free, and was not used a moment ago where that can be."""
        with self._lock:
            for _ in range(FIRST, LAST + 1):
                address = f"{NETWORK}.{self._next}"
                self._next = FIRST if self._next == LAST else self._next + 1
                if address not in self._used:
                    self._used.add(address)
                    return address
        raise EngineFailed(f"all addresses of {NETWORK}.0/24 are in use")

    def give_back(self, *addresses: str) -> None:
        with self._lock:
            self._used.difference_update(addresses)
