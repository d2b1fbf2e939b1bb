# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""python-dotenv, django-environ and python-decouple.

Rests on the sources of python-dotenv 1.2 (dotenv/parser.py, variables.py), django-environ 0.14 (environ/environ.py:
``read_env`` and ``get_value``) and python-decouple 3.8 (decouple.py: ``RepositoryEnv``).
"""

from __future__ import annotations

import re
from typing import Match

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import (
    REPLACED,
    Reading,
    refuse_bad_text,
)

_NEWLINES = re.compile(r"\r\n|\r")
_VARIABLE = re.compile(r"(\$\{[^}:]*(?::-[^}]*)?\})")
_NAME_ALONE = re.compile(r"\s*(?:export[^\S\r\n]+)?(?:'([^']+)'|([^=#\s]+))[^\S\r\n]*(?:#[^\r\n]*)?[\r\n]*\Z")

_DJANGO_LINE = re.compile(r"(?:export )?([A-Za-z_0-9]+)=(.*)\Z")
_DJANGO_ESCAPE = re.compile(r"\\(.)")


def python_dotenv(text: str) -> Reading:
    """Whatever the quotes, ``${NAME}`` is replaced. A name alone takes away what was set before."""
    refuse_bad_text(text)
    values: Reading = {}
    for piece in dotenv.parse_text(text).pieces:
        alone = _NAME_ALONE.match(piece.text) if piece.key is None else None
        if piece.key is not None:
            values[_NEWLINES.sub("\n", piece.key)] = _VARIABLE.sub(_marked, piece.value)
        elif alone:
            values.pop(alone.group(1) or alone.group(2), None)
    return values


def _marked(found: Match[str]) -> str:
    return REPLACED + found.group()


def django_environ(text: str) -> Reading:
    """A line that does not begin with its name, or has a blank beside `=`, is passed over; a comment is of the value.

    A value that begins with ``$`` is taken for the name of another variable when it is asked for. Lines end where
    str.splitlines has it.
    """
    refuse_bad_text(text)
    values: Reading = {}
    for line in _NEWLINES.sub("\n", text).splitlines():
        found = _DJANGO_LINE.match(line)
        if not found:
            continue
        value = found.group(2)
        if _is_within(value, "'"):
            value = value[1:-1]
        if _is_within(value, '"'):  # also what was within single quotes
            value = _DJANGO_ESCAPE.sub(_kept_by_django, value[1:-1])
        values[found.group(1)] = REPLACED + value if value.startswith("$") else value
    return values


def _kept_by_django(found: Match[str]) -> str:
    return found.group() if found.group(1) in "rnt" else found.group(1)


def python_decouple(text: str) -> Reading:
    """``export`` is of the name, a comment of the value. Of quotes only a pair around all of it goes."""
    refuse_bad_text(text)
    values: Reading = {}
    for each in _NEWLINES.sub("\n", text).split("\n"):
        line = each.strip()
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, value = (part.strip() for part in line.split("=", 1))
        values[key] = value[1:-1] if _is_within(value, "'") or _is_within(value, '"') else value
    return values


def _is_within(value: str, quote: str) -> bool:
    return len(value) >= 2 and value[0] == quote == value[-1]
