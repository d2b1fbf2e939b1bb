# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an assessment says, what it is made of, and the words that its rooms share. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source

REFUSE, WARN, NOTE = "refuse", "warn", "note"


@dataclass(frozen=True)
class Finding:
    """``level``: refuse, warn or note. What was found, what it means, and what to do."""

    level: str
    subject: str
    found: str
    means: str
    remedy: str = ""

    @property
    def sentence(self) -> str:
        return f"{self.subject}: {self.found} {self.means} {self.remedy}".rstrip()


@dataclass(frozen=True)
class Old:
    """One old Redis: what was read of it, and the hosts of the inventory by the addresses by which it knows them."""

    source: Source
    known_clients: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Circumstances:
    """What an operator states, as what becomes of the data (``transfer``).

    ``must_not_lose``: nothing that was written, when a node fails. ``ready_for`` has what the app's client
    can by now, the protocols that it speaks beside the old Redis's, and iam. ``databases`` has for each host by key,
    with its file before it, which database the URL names that is there, and which the new one would.
    """

    transfer: str = ""
    unknown_clients: str = WARN
    ready_for: tuple[str, ...] = ()
    must_not_lose: bool = False
    databases: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)

    @property
    def named_databases(self) -> set[int]:
        """By the URLs that are there."""
        return {before for keys in self.databases.values() for before, _after in keys.values()}


@dataclass(frozen=True)
class Who:
    """The old Redis as the subject of a sentence."""

    count: int

    def does(self, one: str, several: str) -> str:
        return f"The old Redis {one}" if self.count == 1 else f"The {self.count} old Redises together {several}"


def release(version: str) -> tuple[int, ...]:
    """Major and minor; ElastiCache's 6.x is the newest 6."""
    numbers = []
    for part in version.split(".")[:2]:
        numbers.append(int(part) if re.fullmatch("[0-9]{1,9}", part) else 999)
    return tuple(numbers) if version else ()


def size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
