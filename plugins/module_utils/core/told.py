# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""JSON of a program that is not trusted, read as what it is said to be: typed, bounded, or refused. Pure."""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Callable, Collection

LONGEST_TEXT = 2000  # characters; what is longer is cut
_LARGEST = 2**63


class NotAsAgreed(ValueError):
    """What it said is something else; the text says what, and quotes nothing."""


def parsed(said: bytes) -> Any:
    """The value that one line of JSON stands for. Raises NotAsAgreed."""
    try:
        return json.loads(said.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise NotAsAgreed("it is no JSON")


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


class Told:
    """A mapping that was told. Each verb gives the value of a name as what it must be, or raises NotAsAgreed."""

    def __init__(self, value: Any, shown: Callable[[str], str] = str) -> None:
        """``shown`` makes of every text what may be shown of it."""
        if not isinstance(value, dict):
            raise NotAsAgreed("it is no mapping")
        self._value = value
        self._shown = shown

    def text(self, name: str) -> str:
        return self._text(name, self._value.get(name))

    def word(self, name: str, known: Collection[str]) -> str:
        """One of these, which are no secret whatever a secret is; any other is ``unknown``."""
        return _known(self._value.get(name), known)

    def words(self, name: str, known: Collection[str]) -> tuple[str, ...]:
        """A list of such."""
        return tuple(_known(part, known) for part in self._list(name))

    def address(self, name: str) -> str:
        """An IP address as it is, and any other text as it may be shown."""
        text = self.text(name)
        try:
            return str(ipaddress.ip_address(self._value[name]))
        except ValueError:
            return text

    def truth(self, name: str) -> bool:
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise NotAsAgreed(f"{name} is neither true nor false")
        return value

    def whole(self, name: str) -> int:
        return self._whole(name, self._value.get(name))

    def number(self, name: str) -> float:
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LARGEST:
            raise NotAsAgreed(f"{name} is no number")
        return float(value)

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._text(name, part) for part in self._list(name))

    def wholes(self, name: str) -> tuple[int, ...]:
        return tuple(self._whole(name, part) for part in self._list(name))

    def part(self, name: str) -> Told:
        try:
            return Told(self._value.get(name), self._shown)
        except NotAsAgreed:
            raise NotAsAgreed(f"{name} is no mapping")

    def parts(self, name: str) -> tuple[Told, ...]:
        return tuple(Told(part, self._shown) for part in self._list(name))

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def names(self) -> tuple[str, ...]:
        return tuple(self._value)

    def _text(self, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise NotAsAgreed(f"{name} is no text")
        return self._shown(value)[:LONGEST_TEXT]

    def _whole(self, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not abs(value) < _LARGEST:
            raise NotAsAgreed(f"{name} is no whole number")
        return value

    def _list(self, name: str) -> list[Any]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise NotAsAgreed(f"{name} is no list")
        return value


def _known(value: Any, known: Collection[str]) -> str:
    return value if isinstance(value, str) and value in known else "unknown"
