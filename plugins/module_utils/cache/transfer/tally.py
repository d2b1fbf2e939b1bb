# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a comparison of two sides has come to so far, in numbers and in the first names. Pure."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import printable

EQUAL, GONE = "equal", "gone"  # gone: on both sides
MISSING, EXTRA, DIFFERENT, UNKNOWN = "missing", "extra", "different", "unknown"
CHANGING = "changing"  # both sides were never seen the same, and one of them never at rest
AGAINST = (MISSING, EXTRA, DIFFERENT, UNKNOWN, CHANGING)  # any of these is no proof that all is equal

NAMES = 20  # of each, that are shown
_SIGNS = 200  # of a name
SUSPECTS = 20_000  # that are remembered to be looked at again; those beyond are judged at once


@dataclass(frozen=True)
class Verdict:
    """One of the words above, and why."""

    word: str
    why: str = ""


@dataclass
class Suspect:
    """A key that was not the same, and may be being written just now. ``source`` and ``target`` are digests of what
    it was when it was last looked at, ``since`` when they were seen first, ``first`` when it was suspected, in seconds.
    ``position`` is how far the source's writes were at ``since``, where these are followed.
    """

    database: int
    key: bytes
    word: str
    why: str = ""
    source: str = ""
    target: str = ""
    since: float = 0.0
    first: float = 0.0
    position: int = 0


@dataclass
class Tally:
    """``scanned`` is of the source's keys, ``looked_back`` of the target's."""

    scanned: int = 0
    looked_back: int = 0
    compared: int = 0
    gone: int = 0
    against: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGAINST, 0))
    names: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {word: [] for word in AGAINST})
    suspects: dict[tuple[int, bytes], Suspect] = field(default_factory=dict)

    def suspect(self, database: int, key: bytes, verdict: Verdict) -> None:
        """Once, though both directions meet it."""
        if len(self.suspects) < SUSPECTS:
            self.suspects.setdefault((database, key), Suspect(database, key, verdict.word, verdict.why))
        else:
            self.judge(database, key, verdict)

    def judge(self, database: int, key: bytes, verdict: Verdict) -> None:
        """For good."""
        if verdict.word == GONE:
            self.gone += 1
            return
        if verdict.word in (EQUAL, DIFFERENT):
            self.compared += 1
        if verdict.word != EQUAL:
            self.against[verdict.word] += 1
            self._name(verdict.word, {"database": database, "key": shown(key), "why": verdict.why})

    def _name(self, word: str, name: dict[str, Any]) -> None:
        if len(self.names[word]) < NAMES:
            self.names[word].append(name)

    def add(self, other: Tally) -> None:
        self.scanned += other.scanned
        self.looked_back += other.looked_back
        self.compared += other.compared
        self.gone += other.gone
        for word in AGAINST:
            self.against[word] += other.against[word]
            for name in other.names[word]:
                self._name(word, name)
        for one in other.suspects.values():
            self.suspect(one.database, one.key, Verdict(one.word, one.why))

    @property
    def is_clean(self) -> bool:
        return not self.suspects and not any(self.against.values())

    def as_dict(self) -> dict[str, Any]:
        suspects = [{**vars(one), "key": base64.b64encode(one.key).decode()} for one in self.suspects.values()]
        return {**vars(self), "suspects": suspects}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Tally:
        suspects = [Suspect(**{**one, "key": base64.b64decode(one["key"])}) for one in told["suspects"]]
        return cls(**{**told, "suspects": {(one.database, one.key): one for one in suspects}})


def shown(key: bytes) -> str:
    """A name as people read it; what is no text in it is written as in Python."""
    text = printable(key.decode("utf-8", "backslashreplace"))
    return text if len(text) <= _SIGNS else f"{text[: _SIGNS - 1]}…"
