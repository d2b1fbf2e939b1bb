# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""docker compose's ``env_file``.

Rests on compose-spec/compose-go 2, dotenv/parser.go (a statement after the other, wherever lines end) and
template/template.go (variables). ``docker run --env-file`` is another reader, which knows no quotes at all.
"""

from __future__ import annotations

import re
from typing import Match

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    Unreadable,
)

_SPACE = "\t\v\f\r \u0085\u00a0"  # isSpace: a line break is none
_ANY_SPACE = f"{_SPACE}\n\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # unicode.IsSpace of Go
_BLANK = re.compile(f"[{_ANY_SPACE}]*")
_TRAILING = re.compile(f"[{_ANY_SPACE}]+\\Z")
_EXPORT = re.compile(r"export[\t\n\f\r ]+")
_KEY = re.compile(f"([A-Za-z0-9_.\\-\\[\\]{_SPACE}]*)([=:\n]|\\Z)")
_INNER = re.compile(f"[{_SPACE}]*")
_LINE = re.compile(r"[^\n]*\n?")
_QUOTED = {quote: re.compile(rf"((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in ("'", '"')}
_PAIR = re.compile(r"\\(.)", re.DOTALL)  # of a backslash and the quote the backslash goes, whichever the quotes
_ESCAPE = re.compile(r"\\([abcfnrtv$\"\\]|0[0-7]{1,3})")
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\"}
_DOLLAR = re.compile(r"\$(\$|[_A-Za-z]|\{[_A-Za-z][^}]*\}|\{)?")


def compose(text: str) -> Reading:
    """One line that is no statement, or a ``${`` that begins no variable, and nothing is read."""
    text = text[1:] if text.startswith("\ufeff") else text
    values: Reading = {}
    position = 0
    while True:
        position = _end(_BLANK, text, position)
        if position == len(text):
            return values
        if text[position] == "#":
            position = _end(_LINE, text, position)
            continue
        start = _end(_INNER, text, _end(_EXPORT, text, position))
        found = _KEY.match(text, start)
        if not found or start == len(text):
            raise Unreadable("a line has a sign that no name may have, or export alone")
        key = _TRAILING.sub("", found.group(1)).lstrip(_SPACE)
        if " " in key:
            raise Unreadable("a name has a blank in it")
        if found.group(2) not in ("=", ":"):
            position = found.end()  # a name alone is taken from compose's own environment
            continue
        values[key], position = _value(text, _end(_INNER, text, found.end()))


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _value(text: str, start: int) -> tuple[str, int]:
    quote = text[start : start + 1]
    if quote not in ("'", '"'):
        end = _end(_LINE, text, start)
        value = text[start:end].partition("\n")[0].partition(" #")[0]
        return _replaced(_TRAILING.sub("", value)), end
    found = _QUOTED[quote].match(text, start + 1)
    if not found:
        raise Unreadable("a quote is never closed")
    value = _PAIR.sub(lambda pair: quote if pair.group(1) == quote else pair.group(), found.group(1))
    return (_replaced(_ESCAPE.sub(_unescaped, value)) if quote == '"' else value), found.end()


def _unescaped(found: Match[str]) -> str:
    sign = found.group(1)
    if sign == "$":
        return "$$"
    return chr(int(sign, 8)) if sign[0] == "0" else _ESCAPED.get(sign, found.group())


def _replaced(value: str) -> str:
    return _DOLLAR.sub(_marked, value)


def _marked(found: Match[str]) -> str:
    if found.group(1) == "{":
        raise Unreadable("a ${ begins no variable")
    return "$" if found.group(1) in (None, "$") else REPLACED + found.group()
