# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a reader has of a file."""

from __future__ import annotations

from typing import Dict

# Stands in a value before what the reader replaces (a variable, a command). No value that is meant as it stands has it.
REPLACED = "\0"

Reading = Dict[str, str]  # an alias is evaluated, on Python 3.8 too


class Unreadable(ValueError):
    """The reader ends with an error, so that it reads nothing of the file. The text says why, without a value."""


class Unknown(Unreadable):
    """What the reader does with the file cannot be told from its text."""


def refuse_bad_text(text: str) -> None:
    """For readers that want UTF-8. Bytes that are none are surrogates in a text of ours."""
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Unreadable("it is not UTF-8")
