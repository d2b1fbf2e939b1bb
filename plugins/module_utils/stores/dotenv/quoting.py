# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The ways of writing a value in a .env file. Which of them its readers read alike is ``agreement``'s to say."""

from __future__ import annotations

import re
from typing import Iterator

UNQUOTED = "unquoted"
SINGLE = "single"
DOUBLE = "double"

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_SINGLE_ESCAPE = re.compile(r"\\([\\'])")
_DOUBLE_ESCAPE = re.compile(r"\\([\\'\"abfnrtv])")
_NEWLINES = re.compile(r"\r\n|\r")

# What no reader gives a meaning to, wherever it stands in a value that has no quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./?-]*\Z")
_LINE_BREAKS_AND_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")


class QuotingError(ValueError):
    """No way of writing the value means the same to every reader; the text says why, without the value."""


def style_of(token: str) -> str:
    """The quoting of a value as it stands in the file."""
    return {"'": SINGLE, '"': DOUBLE}.get(token[:1], UNQUOTED)


def decode(token: str) -> str:
    """The value that python-dotenv reads, before it replaces ``${NAME}``."""
    style = style_of(token)
    if style == UNQUOTED:
        return token
    pattern = _SINGLE_ESCAPE if style == SINGLE else _DOUBLE_ESCAPE
    # Files are read with universal newlines.
    return pattern.sub(lambda found: _ESCAPES[found.group(1)], _NEWLINES.sub("\n", token[1:-1]))


def ways(key: str, value: str, style: str, has_bounds: bool = False) -> list[str]:
    """All that may mean the value to some readers, those of this style first, then the plainest.

    ``has_bounds``: where it begins and ends can be seen even of an empty value. Raises QuotingError for what no reader
    of lines can be given.
    """
    if _LINE_BREAKS_AND_CONTROLS.search(value):
        raise QuotingError(f"the value for {key} holds a line break or a control character; give it on one line")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise QuotingError(f"the value for {key} is not valid Unicode, which systemd would ignore; give it as UTF-8")
    written = {UNQUOTED: _unquoted(value, has_bounds), SINGLE: _single(value), DOUBLE: _double(value)}
    return list(dict.fromkeys(way for each in (style, SINGLE, DOUBLE) for way in written[each]))


def _unquoted(value: str, has_bounds: bool) -> list[str]:
    """A comment after nothing is the value to older python-dotenv."""
    return [value] if _PLAIN.match(value) and (value or not has_bounds) else []


def _single(value: str) -> Iterator[str]:
    if "'" not in value:
        yield f"'{value}'"
    yield "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _double(value: str) -> Iterator[str]:
    if '"' not in value:
        yield f'"{value}"'
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    yield f'"{escaped}"'
    yield '"' + escaped.replace("$", "\\$").replace("`", "\\`") + '"'
