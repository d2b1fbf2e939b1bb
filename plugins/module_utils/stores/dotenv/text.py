# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A .env file as pieces that keep their own text, so that what is not edited comes back byte for byte.

Which lines are bindings, and what they hold, is read as python-dotenv reads it. Where a key is bound twice, the last
binding counts. What other readers have of the file is asked of ``readers``. A line
that is no binding (a comment, a bare name, something that cannot be read) is kept and never touched.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from typing import Iterable, Mapping, Match, Pattern, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.quoting import (
    decode,
)

_BOM = "\ufeff"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

_MOST_SHOWN, _LONGEST_SHOWN = 20, 40  # of the names that a file sets, where one is missing

_NEWLINE = re.compile(r"\r\n|\n|\r")
_BLANK_LINE = re.compile(r"[^\S\r\n]*(?:\r\n|\n|\r)")
_INDENT = re.compile(r"[^\S\r\n]*")
_EXPORT = re.compile(r"export[^\S\r\n]+")
_QUOTED_KEY = re.compile(r"'([^']+)'")
_PLAIN_KEY = re.compile(r"([^=\#\s]+)")
_SINGLE_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_DOUBLE_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL)
_REST = re.compile(r"[^\r\n]*")
_INLINE_COMMENT = re.compile(r"(?<=\s)#.*")  # in linear time, as the file is the app's
_TAIL = re.compile(r"[^\S\r\n]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")


class DotenvError(ValueError):
    """The file or the value does not allow the edit; the text says why, without the value."""


@dataclass(frozen=True)
class Piece:
    """A binding (``key`` is set), or text between bindings. ``head + token + tail`` is its text in the file.

    ``token`` is the value as it is written, quotes included; ``head`` is what stands before it (``export KEY =``) and
    ``tail`` what stands after it (an inline comment, the end of the line).
    """

    head: str
    token: str = ""
    tail: str = ""
    key: str | None = None

    @property
    def text(self) -> str:
        return self.head + self.token + self.tail

    @property
    def value(self) -> str:
        return decode(self.token)


@dataclass(frozen=True)
class Document:
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    def render(self) -> bytes:
        return self.text.encode("utf-8", "surrogateescape")

    def values(self) -> dict[str, str]:
        """What a reader of the file has in the end: the last binding of each key."""
        return {piece.key: piece.value for piece in self.pieces if piece.key is not None}

    def bindings(self, key: str) -> list[tuple[int, Piece]]:
        """All bindings of a key, with their place among the pieces; the last one is what counts."""
        return [(place, piece) for place, piece in enumerate(self.pieces) if piece.key == key]

    def value(self, key: str) -> str | None:
        return self.values().get(key)

    @property
    def ends_with_newline(self) -> bool:
        return _ends_line(self.text)

    @property
    def newline(self) -> str:
        found = _NEWLINE.search(self.text)
        return found.group() if found else "\n"


# --- reading ---


def parse(content: bytes) -> Document:
    """Never fails: whatever the bytes are, ``parse(content).render() == content``."""
    return parse_text(content.decode("utf-8", "surrogateescape"))


def parse_text(text: str) -> Document:
    pieces: list[Piece] = []
    position = 0
    if text.startswith(_BOM):
        pieces.append(Piece(_BOM))
        position = len(_BOM)
    while position < len(text):
        blank = _BLANK_LINE.match(text, position)
        piece = Piece(blank.group()) if blank else _read_line(text, position)
        pieces.append(piece)
        position += len(piece.text)
    return Document(tuple(pieces))


class _Unreadable(Exception):
    """Carries the position up to which the line could be read."""


class _Cursor:
    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position

    def skip(self, pattern: Pattern[str]) -> str:
        """What is there of an optional part."""
        found = pattern.match(self.text, self.position)
        if found:
            self.position = found.end()
        return found.group() if found else ""

    def take(self, pattern: Pattern[str]) -> Match[str]:
        found = pattern.match(self.text, self.position)
        if not found:
            raise _Unreadable
        self.position = found.end()
        return found

    def at(self, *characters: str) -> bool:
        return self.text[self.position : self.position + 1] in characters


def _read_line(text: str, start: int) -> Piece:
    cursor = _Cursor(text, start)
    try:
        return _read_binding(cursor, start)
    except _Unreadable:
        # python-dotenv gives up the rest of the line that it stopped at, which is not always the line it began on.
        cursor.skip(_REST)
        cursor.skip(_NEWLINE)
        return Piece(text[start : cursor.position])


def _read_binding(cursor: _Cursor, start: int) -> Piece:
    cursor.skip(_INDENT)
    cursor.skip(_EXPORT)
    key = None
    if not cursor.at("#", ""):
        key = cursor.take(_QUOTED_KEY if cursor.at("'") else _PLAIN_KEY).group(1)
    cursor.skip(_INDENT)
    if key is None or not cursor.at("="):
        cursor.take(_TAIL)
        return Piece(cursor.text[start : cursor.position])
    cursor.position += 1
    head_end = cursor.position
    gap = cursor.skip(_INDENT)
    if cursor.at("", "\r", "\n") or (gap and cursor.at("#")):
        token = ""
        cursor.position = head_end
    else:
        head_end = cursor.position
        token = _read_token(cursor)
    tail = cursor.take(_TAIL).group()
    return Piece(cursor.text[start:head_end], token, tail, key)


def _read_token(cursor: _Cursor) -> str:
    if cursor.at("'"):
        return cursor.take(_SINGLE_QUOTED).group()
    if cursor.at('"'):
        return cursor.take(_DOUBLE_QUOTED).group()
    rest = cursor.take(_REST).group()
    token = _INLINE_COMMENT.sub("", rest).rstrip()
    cursor.position += len(token) - len(rest)
    return token


# --- editing ---


def with_tokens(document: Document, key: str, tokens: Sequence[str]) -> Document:
    """The last bindings of the key, as many as there are tokens, are written exactly so, quotes included."""
    places = [place for place, _piece in document.bindings(key)][-len(tokens) :]
    pieces = list(document.pieces)
    for place, token in zip(places, tokens):
        pieces[place] = replace(pieces[place], token=token)
    return _checked(document, Document(tuple(pieces)), {key: decode(tokens[-1])})


def with_line(document: Document, key: str, line: str, token: str) -> Document:
    """A new last line, with the newline that the file has, and without one at its end where the file has none."""
    text = document.text + ("" if document.ends_with_newline else document.newline) + line + token
    text += document.newline if document.ends_with_newline else ""
    return _checked(document, parse_text(text), {key: decode(token)})


def without(document: Document, key: str) -> Document:
    """Every binding of the key is gone."""
    return _checked(document, Document(tuple(piece for piece in document.pieces if piece.key != key)), {key: None})


def inserted(document: Document, lines: Iterable[tuple[int, str]]) -> Document:
    """Lines put in at their places among the pieces, or at the end where the file has become shorter."""
    pieces = list(document.pieces)
    changed: dict[str, str | None] = {}
    for wanted, text in sorted(lines):
        place = min(wanted, len(pieces))
        if place and not _ends_line(pieces[place - 1].text):
            pieces[place - 1] = Piece(pieces[place - 1].text + document.newline)
        is_last = place == len(pieces)
        pieces.insert(place, Piece(text if is_last or _ends_line(text) else text + document.newline))
        changed.update(parse_text(text).values())
    return _checked(document, parse_text("".join(piece.text for piece in pieces)), changed)


def without_last_newline(document: Document) -> Document:
    text = document.text
    for newline in ("\r\n", "\n", "\r"):
        if text.endswith(newline):
            return parse_text(text[: -len(newline)])
    return document


def _ends_line(text: str) -> bool:
    return text in ("", _BOM) or text.endswith(("\n", "\r"))


def _checked(before: Document, after: Document, changed: Mapping[str, str | None]) -> Document:
    """The edited document, read again from its text. An edit may change nothing but what it names.

    It could: a quote that is never closed further up finds its end in the quotes of the new value, and the end of a
    line that is a lone CR becomes one with the LF that comes next.
    """
    pieces, after = after.pieces, parse_text(after.text)
    expected: dict[str, str | None] = {**before.values(), **changed}
    values = {key: value for key, value in expected.items() if value is not None}
    if after.values() != values or after.pieces != pieces:
        raise DotenvError(
            f"changing {', '.join(changed)} would change what other lines mean, most likely because a quote further up "
            "in the file is never closed. Close it, then run again"
        )
    return after


# --- explaining ---


def absence(document: Document, key: str) -> str:
    """Why a key is not there, for an operator who thought it was: near names, a comment, a line that cannot be read."""
    hints = []
    names = list(document.values())
    near = difflib.get_close_matches(key.lower(), [name.lower() for name in names], n=3)
    if near:
        hints.append(f"near names in the file: {', '.join(name for name in names if name.lower() in near)}")
    assignment = re.compile(r"[^\S\r\n]*(?P<comment>#[#\s]*)?(?:export\s+)?" + re.escape(key) + r"[^\S\r\n]*=")
    line = 1
    for piece in document.pieces:
        found = assignment.match(piece.text) if piece.key is None else None
        if found and found.group("comment"):
            hints.append(f"line {line} has it as a comment")
        elif found:
            hints.append(f"line {line} sets it in a way that python-dotenv cannot read (look at its quotes)")
        line += len(_NEWLINE.findall(piece.text))
    return "; ".join(hints) or f"the file sets {_some_names(names)}"


def _some_names(names: Sequence[str]) -> str:
    """What reads as a name: a line of a key in PEM, or of a URL, is taken for a name by the grammar, too."""
    shown = [name for name in names if NAME.match(name) and len(name) <= _LONGEST_SHOWN]
    shown = shown[:_MOST_SHOWN]
    rest = len(names) - len(shown)
    return ", ".join([*shown, *([f"{rest} more"] if rest else [])]) or "nothing"
