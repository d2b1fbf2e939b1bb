# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which node of a cluster has which keys: the slot of a key, and who owns it by the answer to CLUSTER SLOTS. Pure.

https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/ and
https://redis.io/docs/latest/commands/cluster-slots/
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import names_a_host

COUNT = 16384
# The specification has no larger clusters, and AWS has 500 at the most.
MOST_NODES = 1000


class NotASlotMap(ValueError):
    """The answer is not of that form; the text is a phrase."""


@dataclass(frozen=True)
class Node:
    """``others`` are further names and addresses by which it says that it is known."""

    address: str
    port: int
    others: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        return self.address, self.port


@dataclass(frozen=True)
class Shard:
    """``ranges`` are first and last slots."""

    ranges: tuple[tuple[int, int], ...]
    primary: Node
    replicas: tuple[Node, ...]

    def has(self, slot: int) -> bool:
        return any(first <= slot <= last for first, last in self.ranges)


def slot_of(key: str | bytes) -> int:
    return binascii.crc_hqx(hashed_part(key if isinstance(key, bytes) else key.encode()), 0) % COUNT


def hashed_part(key: bytes) -> bytes:
    """A hash tag where the key has one that is not empty, the text between the first brace and the next after it."""
    start = key.find(b"{")
    end = key.find(b"}", start + 1)
    return key[start + 1 : end] if start >= 0 and end > start + 1 else key


def read(reply: Any, entry: str) -> tuple[Shard, ...]:
    """Of CLUSTER SLOTS, asked at ``entry``: a node without an address is reached by that. Shards are in the order of
    their slots, whoever is asked. Raises NotASlotMap.
    """
    found: dict[tuple[str, int], tuple[list[tuple[int, int]], dict[Node, None]]] = {}
    owned, known = 0, set()
    for each in reply if isinstance(reply, list) else []:
        if not (isinstance(each, list) and len(each) > 2 and all(isinstance(end, int) for end in each[:2])):
            raise NotASlotMap("a range of slots has no owner")
        first, last = each[:2]
        owned += last - first + 1
        if not 0 <= first <= last < COUNT or owned > COUNT:
            raise NotASlotMap(f"it has more slots than {COUNT}, or others")
        nodes = [_node(node, entry) for node in each[2:]]
        known.update(nodes)
        if len(known) > MOST_NODES:
            raise NotASlotMap(f"it has more than {MOST_NODES} nodes")
        ranges, of_shard = found.setdefault(nodes[0].place, ([], {}))
        ranges.append((first, last))
        of_shard.update(dict.fromkeys(nodes))
    shards = (_shard(ranges, list(nodes)) for ranges, nodes in found.values())
    return tuple(sorted(shards, key=lambda shard: shard.ranges))


def _shard(ranges: Sequence[tuple[int, int]], nodes: Sequence[Node]) -> Shard:
    return Shard(tuple(sorted(ranges)), nodes[0], tuple(nodes[1:]))


def _node(told: Any, entry: str) -> Node:
    if not (isinstance(told, list) and len(told) > 1 and isinstance(told[1], int) and 0 < told[1] < 65536):
        raise NotASlotMap("a node has no port")
    metadata = [_text(word) for word in told[3]] if len(told) > 3 and isinstance(told[3], list) else []
    others = tuple(word for word in metadata[1::2] if _is_known(word))
    address = _text(told[0])
    if address == "?":  # it does not know its own name
        raise NotASlotMap("a node does not say by which name it is reached")
    if address and not names_a_host(address):
        raise NotASlotMap("a node has no name that leads anywhere")
    return Node(address or entry, told[1], others)


def _is_known(name: str) -> bool:
    return name != "?" and names_a_host(name)


def _text(word: Any) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word or "")


def uncovered(shards: Sequence[Shard]) -> int:
    """How many slots nobody owns."""
    return COUNT - len(_owners(shards))


def _owners(shards: Sequence[Shard]) -> dict[int, int]:
    """The number of the shard that has a slot, by slot."""
    return {
        slot: number
        for number, shard in enumerate(shards)
        for first, last in shard.ranges
        for slot in range(first, last + 1)
    }


def keys_of_each(shards: Sequence[Shard], prefix: str) -> list[str]:
    """A key for each shard, in its slots, that begins with the prefix."""
    owners = _owners(shards)
    found: dict[int, str] = {}
    for key in (f"{prefix}:{number}" for number in range(1 << 20)):
        owner = owners.get(slot_of(key))
        if owner is not None:
            found.setdefault(owner, key)
        if len(found) == len(shards):
            break
    return [found[number] for number in range(len(shards))]
