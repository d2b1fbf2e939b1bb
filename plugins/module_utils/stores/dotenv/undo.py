# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Taking changes of a .env file back, in any order, so that the last one gives the original bytes. Pure.

What an entry of the journal says of lines and their places is of the file without any change of this migration: of
changes that are open together, each says it of the same text, whichever came first.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.text import Document, DotenvError
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry


def notes(document: Document, key: str, is_missing: bool, others: Sequence[Entry]) -> Mapping[str, Any]:
    """What an entry needs beside the value. ``others`` are the open entries of the same file for other keys."""
    try:
        original = undone(document, others, ())
    except DotenvError:  # somebody has edited it since, so that this is as near as can be told
        original = document
    return {
        "lines": [[place, piece.text] for place, piece in original.bindings(key)],
        "file_was_missing": is_missing or any(entry.restore["file_was_missing"] for entry in others),
        "last_newline_was_missing": not original.ends_with_newline,
        "pieces": len(original.pieces),
    }


def undone(document: Document, entries: Sequence[Entry], still_open: Sequence[Entry]) -> Document:
    """Without the changes of these entries; those of ``still_open`` stay. Raises DotenvError."""
    put_in: list[tuple[int, str]] = []
    for entry in entries:
        bindings, lines = document.bindings(entry.key), _lines(entry)
        if lines and len(lines) == len(bindings) and not _is_out_of_place(entry):
            # Only the value goes back, so that what somebody did to a comment stays.
            document = dotenv.with_tokens(document, entry.key, [_token(entry.key, text) for _place, text in lines])
            continue
        document = dotenv.without(document, entry.key) if bindings else document
        put_in += [(place - _gone_before(place, still_open), text) for place, text in lines]
    document = dotenv.inserted(document, put_in) if put_in else document
    return _without_added_newline(document, entries)


def _lines(entry: Entry) -> list[tuple[int, str]]:
    return list(map(tuple, entry.restore["lines"]))


def _token(key: str, line: str) -> str:
    return dotenv.parse_text(line).bindings(key)[-1][1].token


def _is_out_of_place(entry: Entry) -> bool:
    """Its lines were taken out at some time; what is there of its key was added since."""
    return None in entry.written


def _gone_before(place: int, still_open: Sequence[Entry]) -> int:
    gone = [other for entry in still_open if _is_out_of_place(entry) for other, _text in _lines(entry)]
    return sum(other < place for other in gone)


def _without_added_newline(document: Document, entries: Sequence[Entry]) -> Document:
    """A last line without its end got one when another was added after it."""
    as_many = [entry for entry in entries if entry.restore.get("pieces") == len(document.pieces)]
    lacked_it = any(entry.restore["last_newline_was_missing"] for entry in as_many)
    return dotenv.without_last_newline(document) if lacked_it else document
