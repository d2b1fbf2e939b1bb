# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What several processes can copy side by side: the keys of a database, in parts by SCAN's cursor. Pure.

A cursor counts the buckets of a table with its bits reversed, so that it stays good while the table grows or shrinks:
all cursors that are the same in their last bits follow each other, whatever the size. So a part begins at its own
number, and ends where a cursor leaves it. https://redis.io/docs/latest/commands/scan/, and dictScan in Redis's source
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

_PARTS = 8  # a power of two
_WORTH_PARTS = 20_000  # keys: a smaller table may have fewer buckets than parts after it shrank


@dataclass
class Part:
    """The keys of one database of one engine whose buckets end with ``number`` of ``of``. ``cursor`` is where to go on:
    all before it is at the target. ``keys`` are those copied.
    """

    node: str
    database: int
    number: int = 0
    of: int = 1
    cursor: int = 0
    done: bool = False
    keys: int = 0
    bytes: int = 0

    def has(self, cursor: int) -> bool:
        """Whether what SCAN returned is still of this part; 0 is its end."""
        return cursor != 0 and cursor % self.of == self.number

    def begin(self) -> None:
        """Also again."""
        self.cursor, self.done, self.keys, self.bytes = self.number, False, 0, 0


def parts_of(node: str, databases: Mapping[int, int], one_table: bool) -> list[Part]:
    """``databases`` with their keys. ``one_table``: it has a single table for a database. A node of a cluster may have
    one for each slot, and what is no engine of its own may have cursors of another kind.
    """
    found = []
    for database, keys in sorted(databases.items()):
        of = _PARTS if one_table and keys >= _WORTH_PARTS else 1
        found += [Part(node, database, number, of, cursor=number) for number in range(of)]
    return found


def missing(parts: Sequence[Part], nodes: Mapping[str, Mapping[int, int]]) -> dict[str, dict[int, int]]:
    """The databases that have keys now and no part."""
    known = {(part.node, part.database) for part in parts}
    left = {
        node: {number: keys for number, keys in databases.items() if (node, number) not in known}
        for node, databases in nodes.items()
    }
    return {node: databases for node, databases in left.items() if databases}


def as_dicts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    return [dict(vars(part)) for part in parts]


def from_dicts(told: Sequence[Mapping[str, Any]]) -> list[Part]:
    return [Part(**each) for each in told]
