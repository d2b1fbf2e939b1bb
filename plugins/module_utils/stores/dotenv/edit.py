# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Edits of a .env file that all its readers have alike: of all ways to write them, the first that is one. Pure."""

from __future__ import annotations

import re
from functools import partial
from typing import Callable, Iterable, Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import quoting
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.agreement import (
    Dialect,
    Differences,
    differences,
    sentence,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.text import (
    Document,
    DotenvError,
    Piece,
)

_EVERYBODY = Dialect()


def with_value(document: Document, key: str, value: str, dialect: Dialect = _EVERYBODY) -> Document:
    """The last binding of the key holds the value, or where some readers take an earlier one, all of them do.

    It is written in that binding's own quoting where that means the same to all. Raises DotenvError, QuotingError.
    """
    pieces = [piece for _place, piece in document.bindings(key)]
    tokens = quoting.ways(key, value, quoting.style_of(pieces[-1].token), any(map(_has_bounds, pieces)))
    attempts = [[token] * count for count in dict.fromkeys((1, len(pieces))) for token in tokens]
    return _first(
        document, key, value, dialect, [partial(dotenv.with_tokens, document, key, each) for each in attempts]
    )


def _has_bounds(piece: Piece) -> bool:
    """An empty value needs quotes: a comment follows, or blanks before it would become blanks after it."""
    return "#" in piece.tail or piece.head != piece.head.rstrip()


def appended(document: Document, key: str, value: str, dialect: Dialect = _EVERYBODY) -> Document:
    """A new last line in the manner of the file, where that means the same to all: its quoting and ``export``."""
    if not dotenv.NAME.match(key):
        raise DotenvError(f"{key!r} cannot be added: a name is made of letters, digits and _ and begins with no digit")
    bindings = [piece for piece in document.pieces if piece.key is not None]
    exported = bool(bindings) and all(piece.head.lstrip().startswith("export") for piece in bindings)
    tokens = quoting.ways(key, value, _usual_style(bindings))
    lines = [f"export {key}=", f"{key}="] if exported else [f"{key}="]
    attempts = [partial(dotenv.with_line, document, key, line, token) for line in lines for token in tokens]
    return _first(document, key, value, dialect, attempts)


def _usual_style(bindings: Iterable[Piece]) -> str:
    styles = [quoting.style_of(piece.token) for piece in bindings if piece.token]
    return max(styles, key=styles.count) if styles else quoting.UNQUOTED


def without(document: Document, key: str, dialect: Dialect = _EVERYBODY) -> Document:
    """Every binding of the key is gone, for every reader."""
    return _first(document, key, None, dialect, [partial(dotenv.without, document, key)])


def refuse_unless_agreed(document: Document, key: str, value: str | None, dialect: Dialect = _EVERYBODY) -> None:
    """What is there already, or is not there, is so for every reader."""
    _first(document, key, value, dialect, [lambda: document])


def _first(
    document: Document, key: str, value: str | None, dialect: Dialect, attempts: Iterable[Callable[[], Document]]
) -> Document:
    """The first attempt that all readers have alike; else what keeps most of them together is told."""
    nearest: Differences | None = None
    broken: DotenvError | None = None
    refused: DotenvError | None = None
    for attempt in attempts:
        try:
            edited = attempt()
        except DotenvError as error:
            broken = broken or error
            continue
        found = differences(document.text, edited.text, {key: value}, dialect)
        if not found and edited.value(key) == value:
            return edited
        if not found:  # the journal is held against what this grammar reads, whoever else reads the file
            refused = DotenvError(
                f"the value for {key} cannot be written so that it is the same to its readers and to this module, "
                "which reads as python-dotenv does. In a URL, percent-encode quotes, $, ` and backslashes"
            )
        elif nearest is None or len(found.of) < len(nearest.of):
            nearest = found
    if refused or nearest is None:
        raise refused or broken or DotenvError(f"{key} cannot be written")
    raise DotenvError(sentence(key, nearest, list(_hints(document, key))))


# --- why they differ ---

_LINE_END = re.compile(r"\r\n|\n|\r")


def _hints(document: Document, key: str) -> Iterator[str]:
    """What of the lines that name the key readers take otherwise, by the number of the line."""
    named = re.compile(r"[^\w\n]*(?:export\s+)?['\"]?" + re.escape(key) + r"(?![A-Za-z0-9_.-])")
    number = 1
    for piece in document.pieces:
        comment = piece.text.lstrip().startswith("#")
        if piece.key == key:
            traits = list(_traits(piece))
            yield from [f"line {number} {' and '.join(traits)}"] if traits else []
        elif piece.key is None and not comment and named.match(piece.text):
            yield f"line {number} names it in a way that some readers take for a value and others pass over"
        number += len(_LINE_END.findall(piece.text))
    if document.text.startswith("\ufeff"):
        yield "the file begins with a byte order mark"


def _traits(piece: Piece) -> Iterator[str]:
    head = piece.head
    if head.lstrip().startswith("export"):
        yield "has export before the name"
    if head[:1].isspace():
        yield "begins with a blank"
    if re.search(r"\s=|=\s", head):
        yield "has a blank beside its ="
    if "#" in piece.tail:
        yield "has a comment behind the value"
    if quoting.style_of(piece.token) == quoting.UNQUOTED and re.search(r"\s", piece.token):
        yield "has more than a value on it: an unquoted blank ends it for a shell"
    if piece.token.endswith("\\") and quoting.style_of(piece.token) == quoting.UNQUOTED:
        yield "ends with a backslash, by which it goes on in the next"
    if "\r" in piece.tail:
        yield "ends with a carriage return"
