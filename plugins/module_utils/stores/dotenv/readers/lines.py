# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Node's dotenv and Ruby's: one regular expression over the whole file, which is nearly the same in both.

Rests on motdotla/dotenv 18 (``LINE`` and ``parse``, the same since 15), and on bkeepers/dotenv, lib/dotenv/parser.rb:
3 searches the whole file, 2.4 each line by itself. Both are had without searching back, as the file is the app's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Iterator, Match

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    Unreadable,
    refuse_bad_text,
)


@dataclass(frozen=True)
class _Grammar:
    """``name`` is what is between brackets in a regular expression, the rest are single signs."""

    space: str
    ends: str  # of lines
    name: str
    quotes: str

    def start(self) -> re.Pattern[str]:
        """From the first sign of a line that is no blank up to where the value may begin; else the whole line."""
        space, rest = f"[{re.escape(self.space)}]", f"[^{re.escape(self.ends)}]+"
        return re.compile(f"(?:export{space}+)?(?P<name>[{self.name}]+)(?:{space}*=|:{space})|(?P<rest>{rest})")


# ``\s`` and ``$`` are ECMAScript's, with every blank of Unicode.
_NODE = _Grammar(
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f"
    "\u3000\ufeff",
    "\n\u2028\u2029",
    "A-Za-z0-9_.-",
    "'\"`",
)
_RUBY = _Grammar("\t\n\v\f\r ", "\n", "A-Za-z0-9_.", "'\"")
_RUBY_LINE = re.compile(
    r"\s*(?:export\s+)?([\w.]+)(?:\s*=\s*|:\s+?)('.*'|\".*\"|[^#\n]+)?\s*(?:#.*)?\Z", re.ASCII | re.DOTALL
)

_RUBY_BLANKS = re.compile(r"[\0\t\v\f ]+")

_NEWLINES = re.compile(r"\r\n?")
_UNQUOTED = re.compile(r"[^#\n]*")
_ESCAPE = re.compile(r"\\([^$])", re.DOTALL)
_DOLLAR = re.compile(r"(\\?)\$(?=(\()?)")


def node(text: str) -> Reading:
    """In double quotes ``\\n`` and ``\\r`` are line breaks, and no other backslash escapes; nothing is replaced."""
    values: Reading = {}
    for name, quote, value in _bindings(_NEWLINES.sub("\n", text), _NODE):
        values[name] = value.replace("\\n", "\n").replace("\\r", "\r") if quote == '"' else value
    return values


def ruby_3(text: str) -> Reading:
    r"""A backslash goes but before ``$``, also without quotes; ``$NAME`` and ``$(command)`` are replaced."""
    refuse_bad_text(text)
    values: Reading = {}
    for name, quote, value in _bindings(_NEWLINES.sub("\n", text.lstrip("\ufeff")), _RUBY):
        kept = value.replace("\\n", "\\\\n").replace("\\r", "\\\\r") if quote == '"' else value
        values[name] = value if quote == "'" else _replaced(_ESCAPE.sub(r"\1", kept))
    return values


def ruby_2(text: str) -> Reading:
    """Each line by itself. In double quotes ``\\n`` and ``\\r`` are line breaks, and other backslashes go."""
    refuse_bad_text(text)
    values: Reading = {}
    for line in re.split(r"[\n\r]+", text[1:] if text.startswith("\ufeff") else text):
        found = _RUBY_LINE.match(line)
        if found:
            quote, value = _unquoted((found.group(2) or "").strip("\0" + _RUBY.space), _RUBY)
            if quote == '"':
                value = _ESCAPE.sub(r"\1", value.replace("\\n", "\n").replace("\\r", "\r"))
            values[found.group(1)] = value if quote == "'" else _replaced(value)
        elif (words := _RUBY_BLANKS.sub(" ", line).strip(" ").split(" "))[0] == "export" and set(words[1:]) - set(
            values
        ):
            raise Unreadable("a line exports a variable that is not set")
    return values


def _replaced(value: str) -> str:
    return _DOLLAR.sub(_marked, value)


def _marked(found: Match[str]) -> str:
    is_escaped = found.group(1) and not found.group(2)
    return "$" if is_escaped else REPLACED + found.group()


def _bindings(text: str, grammar: _Grammar) -> Iterator[tuple[str, str, str]]:
    """Each name, the quote of its value or nothing, and the value without it."""
    blank, start = re.compile(f"[{re.escape(grammar.space)}]*"), grammar.start()
    position = 0
    while True:
        position = _end(blank, text, position)
        found = start.match(text, position)
        if not found:
            return
        position = found.end()
        if found.group("rest") is None:
            value = _end(blank, text, position)
            close = _closed(text, value, grammar)
            if close:
                yield found.group("name"), text[value], text[value + 1 : close]
                position = close + 1
            else:
                position = _end(_UNQUOTED, text, position)
                quote, bare = _unquoted(text[found.end() : position].strip(grammar.space), grammar)
                yield found.group("name"), quote, bare
        while position < len(text) and text[position] not in grammar.ends:  # what is left is blank or a comment
            position += 1


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _closed(text: str, start: int, grammar: _Grammar) -> int:
    """The last quote that ends a line, no further than one that no backslash stands before; 0 where there is none."""
    quote, close = text[start : start + 1], 0
    if not quote or quote not in grammar.quotes:
        return 0
    place = text.find(quote, start + 1)
    while place >= 0:
        if _ends_line(text, place + 1, grammar):
            close = place
        if text[place - 1] != "\\":
            break
        place = text.find(quote, place + 1)
    return close


def _ends_line(text: str, position: int, grammar: _Grammar) -> bool:
    while position < len(text) and text[position] in grammar.space and text[position] not in grammar.ends:
        position += 1
    return position == len(text) or text[position] == "#" or text[position] in grammar.ends


def _unquoted(value: str, grammar: _Grammar) -> tuple[str, str]:
    """A pair of quotes around the whole value goes, whatever is within."""
    quote = value[:1]
    if len(value) >= 2 and quote in grammar.quotes and value.endswith(quote):
        return quote, value[1:-1]
    return ("" if quote != '"' or grammar is not _NODE else quote), value
