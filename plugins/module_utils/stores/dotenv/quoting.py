# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a value is written in a .env file so that its readers agree on it, and how it is read.

The readers: python-dotenv, systemd's EnvironmentFile and ``. ./.env`` in a shell. They differ:

=============  ======================================  ==============================  ==========================
written        python-dotenv                           systemd                         sh
=============  ======================================  ==============================  ==========================
no quotes      all is literal; `` #`` is a comment     a backslash escapes             the whole syntax of a shell
single quotes  ``\\\\`` and ``\\'`` are escapes            all is literal                  all is literal
double quotes  C-like escapes; ``\\$`` keeps both       escapes ``\\"  \\\\  \\`  \\$``     as systemd; expands $ and `
anywhere       ``${NAME}`` is replaced                 literal                         replaced, but in single quotes
=============  ======================================  ==============================  ==========================

``docker --env-file`` takes the rest of the line as it is, quotes too: only values that need none suit all four.
"""

from __future__ import annotations

import re

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


def quote(key: str, value: str, style: str, has_bounds: bool = False) -> str:
    """The value written in this style, or in another where only that one means the same to every reader.

    ``has_bounds``: where it begins and ends can be seen even of an empty value. Raises QuotingError where no style
    means the same to every reader.
    """
    _refuse_what_no_style_can_hold(key, value)
    if not value and has_bounds and style == UNQUOTED:
        style = SINGLE  # older python-dotenv takes the comment of `KEY= # comment` for the value
    for candidate in dict.fromkeys((style, SINGLE, DOUBLE)):
        written = _write(value, candidate)
        if written is not None:
            return written
    raise QuotingError(
        f"the value for {key} cannot be written so that python-dotenv, systemd and a shell read the same: it holds a $ "
        "or a ` (which only single quotes protect) and a single quote or double backslashes (which they cannot hold). "
        "In a URL, percent-encode these characters"
    )


def _refuse_what_no_style_can_hold(key: str, value: str) -> None:
    if _LINE_BREAKS_AND_CONTROLS.search(value):
        raise QuotingError(f"the value for {key} holds a line break or a control character; give it on one line")
    if "${" in value:
        raise QuotingError(
            f"the value for {key} holds ${{, which python-dotenv takes for a variable whatever the quotes; in a URL, "
            "percent-encode the brace as %7B"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise QuotingError(f"the value for {key} is not valid Unicode, which systemd would ignore; give it as UTF-8")


def _write(value: str, style: str) -> str | None:
    if style == UNQUOTED:
        return value if _PLAIN.match(value) else None
    if style == SINGLE:
        readers_differ = "'" in value or "\\\\" in value or value.endswith("\\")
        return None if readers_differ else f"'{value}'"
    if "$" in value or "`" in value:
        return None
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
