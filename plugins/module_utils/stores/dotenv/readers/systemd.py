# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""systemd's ``EnvironmentFile=``.

Rests on systemd's src/basic/env-file.c (``parse_env_file_internal``), a machine of states over single signs, and on
env-util.c (``env_name_is_valid``): an assignment with another name is dropped.
"""

from __future__ import annotations

import re

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    Reading,
    Unreadable,
    refuse_bad_text,
)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NEWLINE, _BLANK = "\n\r", " \t"
_ESCAPED_IN_QUOTES = '"\\`$'


def systemd(text: str) -> Reading:
    """As since 254: a comment ends with its line."""
    return _read(text, comment_goes_on=False)


def systemd_before_254(text: str) -> Reading:
    """A comment whose line ends with a backslash goes on in the next line."""
    return _read(text, comment_goes_on=True)


def _read(text: str, comment_goes_on: bool) -> Reading:
    refuse_bad_text(text)
    if "\0" in text:
        raise Unreadable("it has a NUL in it")
    values: Reading = {}
    position = 0
    while position < len(text):
        sign = text[position]
        if sign in "#;":
            position = _after_comment(text, position, comment_goes_on)
        elif sign in _NEWLINE + _BLANK:
            position += 1
        else:
            end = _end_of_key(text, position + 1)
            if text[end : end + 1] != "=":
                position = end + 1
                continue
            value, after = _value(text, end + 1)
            key = text[position:end].rstrip(_NEWLINE + _BLANK)
            if _NAME.match(key):
                values[key] = value
            position = after
    return values


def _end_of_key(text: str, position: int) -> int:
    while position < len(text) and text[position] not in _NEWLINE + "=":
        position += 1
    return position


def _after_comment(text: str, position: int, goes_on: bool) -> int:
    while position < len(text):
        if text[position] in _NEWLINE:
            return position + 1
        position += (
            2 if text[position] == "\\" and (goes_on or text[position + 1 : position + 2] not in _NEWLINE) else 1
        )
    return position


def _value(text: str, position: int) -> tuple[str, int]:
    """Up to the end of the line. Quotes are such only where no unquoted part has begun."""
    parts: list[str] = []
    kept = 0  # trailing blanks go, but not those before a quote or an escape
    is_bare = False
    while position < len(text):
        sign = text[position]
        position += 1
        if sign in _NEWLINE:
            break
        if sign == "\\":
            if text[position : position + 1] not in ("", *_NEWLINE):
                parts.append(text[position])
            position, kept, is_bare = position + 1, len(parts), True
        elif not is_bare and sign in "'\"":
            position = (_within_single if sign == "'" else _within_double)(text, position, parts)
            kept = len(parts)
        elif is_bare or sign not in _BLANK:
            is_bare = True
            parts.append(sign)
            kept = kept if sign in _BLANK else len(parts)
    return "".join(parts[:kept]), position


def _within_single(text: str, position: int, parts: list[str]) -> int:
    end = text.find("'", position)
    end = len(text) if end < 0 else end
    parts.extend(text[position:end])
    return end + 1


def _within_double(text: str, position: int, parts: list[str]) -> int:
    while position < len(text) and text[position] != '"':
        if text[position] == "\\" and position + 1 < len(text):
            position += 1
            if text[position] in _ESCAPED_IN_QUOTES:
                parts.append(text[position])
            elif text[position] != "\n":
                parts.extend(("\\", text[position]))
        elif text[position] != "\\":
            parts.append(text[position])
        position += 1
    return position + 1
