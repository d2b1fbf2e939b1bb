"""What a cluster of engines is called, and what its nodes are started with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sandbox.aws.access import Access


@dataclass(frozen=True)
class Naming:
    """What the service calls its endpoints; `tls` tells the name for which protocol."""

    label: str  # one word for files, unique among all clusters
    node: Callable[[str, bool], str]  # (node, tls) → its name
    configuration: Callable[[bool], str]  # tls → the name that clients begin with
    certified: tuple[str, ...]  # names on the certificate, also `*.zone`
    is_one_endpoint: bool = False  # all nodes at one address, see Shards


@dataclass(frozen=True)
class Look:
    """What the nodes are started with. `transit_mode` is "" (plain), preferred (both) or required (TLS alone)."""

    engine: str  # redis, valkey
    port: int
    maxmemory: int  # bytes
    parameters: Sequence[tuple[str, str]]
    access: Access
    transit_mode: str

    @property
    def protocols(self) -> list[bool]:
        """Whether TLS, for each protocol that clients may speak."""
        return {"": [False], "preferred": [False, True], "required": [True]}[self.transit_mode]
