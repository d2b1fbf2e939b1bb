# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was changed, so that it can be undone: one entry per store, place and key.

The first recorded original stays (contract.original_stays and as_groups have the exceptions), so that a rerun never
takes its own value for the original. An entry is written before its value is changed, and closed (removed) once the
original is back, so that a later migration records afresh.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import migration_name

_FORMAT = 1


class JournalError(ValueError):
    """The journal cannot be used; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Entry:
    """``original`` and ``written`` are values, None where there was none.

    ``written`` holds every value of ours, as a run that is killed between recording and writing leaves the one before
    in place. ``restore`` is what the store needs beside the value to put back exactly what was there.
    """

    store: str
    path: str
    key: str
    original: str | None = field(repr=False)
    written: tuple[str | None, ...] = field(repr=False)
    restore: Mapping[str, Any] = field(repr=False)
    time: str = ""

    @property
    def place(self) -> tuple[str, str, str]:
        return (self.store, self.path, self.key)

    def knows(self, value: str | None) -> bool:
        """Whether it is the original or ours, and nobody else's."""
        return value == self.original or value in self.written

    def with_written(self, value: str | None) -> Entry:
        return self if value in self.written else replace(self, written=(*self.written, value))

    def as_dict(self) -> dict[str, Any]:
        return {
            "store": self.store,
            "path": self.path,
            "key": self.key,
            "original": self.original,
            "written": list(self.written),
            "restore": dict(self.restore),
            "time": self.time,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Entry:
        return cls(**{**stored, "written": tuple(stored["written"])})


@dataclass(frozen=True)
class Journal:
    entries: tuple[Entry, ...] = ()

    def find(self, store: str, path: str, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.place == (store, path, key)), None)

    def recorded(self, entry: Entry) -> Journal:
        """With the entry, in the place of one that is there already."""
        if self.find(*entry.place) is None:
            return Journal((*self.entries, entry))
        return Journal(tuple(entry if each.place == entry.place else each for each in self.entries))

    def closed(self, entry: Entry) -> Journal:
        return Journal(tuple(each for each in self.entries if each.place != entry.place))

    def render(self) -> bytes:
        stored = {"format": _FORMAT, "entries": [entry.as_dict() for entry in self.entries]}
        return (json.dumps(stored, indent=2) + "\n").encode("ascii")


def parse(content: bytes | None, path: str) -> Journal:
    if content is None:
        return Journal()
    try:
        stored = json.loads(content)
        if stored["format"] != _FORMAT:
            raise JournalError(
                f"the journal {path} has format {stored['format']!r}, and this version of the collection knows format "
                f"{_FORMAT}: run with the version that wrote it"
            )
        return Journal(tuple(Entry.from_dict(entry) for entry in stored["entries"]))
    except (TypeError, KeyError, AttributeError, json.JSONDecodeError, UnicodeDecodeError):
        raise JournalError(
            f"the journal {path} cannot be read, so the originals in it are not known and nothing was changed. Repair "
            "it by hand; it is replaced in one step, so a killed run does not leave it like this"
        ) from None


def check_migration_name(name: str) -> None:
    if not migration_name.is_good(name):
        raise JournalError(f"migration_name is {name!r}: {migration_name.RULE}")
