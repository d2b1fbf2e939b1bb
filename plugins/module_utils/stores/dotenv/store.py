# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Values in a .env file on this host, with their journal under the state directory.

All values of one task change in one step. The order of writing makes every moment of a kill recoverable: the journal
with the originals first, then the file, and only when originals are back, the journal without their entries.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ContextManager, Iterator, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file, symlinks
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import Place
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract, journal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import (
    ChangeRefused,
    Decision,
    Request,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry, Journal

STORE = "dotenv"
LOCK_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Location:
    """A file behind all symbolic links, and where what is known of its changes is kept."""

    file: Place
    journal_path: str
    lock_path: str

    @classmethod
    @contextmanager
    def of(cls, path: str, state_dir: str, migration_name: str) -> Iterator[Location]:
        journal_path = os.path.join(os.path.realpath(state_dir), migration_name, "journal.json")
        lock_path = os.path.join(os.path.realpath(state_dir), "env_update.lock")
        with symlinks.followed(path) as file:
            yield cls(file, journal_path, lock_path)

    @property
    def path(self) -> str:
        return self.file.path

    def journal_file(self) -> ContextManager[Place]:
        return symlinks.followed(self.journal_path)

    def known(self) -> Journal:
        with self.journal_file() as place:
            return journal.parse(atomic_file.read(place, largest=None), place.path)


@dataclass(frozen=True)
class FilePlan:
    """What is there (``content`` and ``journal``, None: no file), and what comes to be. The decisions are per key."""

    content: bytes | None = field(repr=False)
    new_content: bytes | None = field(repr=False)
    journal: Journal
    journal_before: Journal  # written before the file is
    journal_after: Journal  # written after it
    decisions: tuple[Decision, ...]

    @property
    def changes(self) -> bool:
        return self.content != self.new_content

    @property
    def has_work(self) -> bool:
        return self.changes or self.journal != self.journal_after

    def is_journaled(self, location: Location, key: str) -> bool:
        return self.journal_after.find(STORE, location.path, key) is not None


def plan(request: Request, location: Location, now: str) -> FilePlan:
    """Read the file and its journal, and see what is to be done. Writes nothing."""
    content = atomic_file.read(location.file)
    planned = plan_content(request, location.path, content, location.known(), now)
    if planned.changes:
        atomic_file.refuse_if_larger(location.file, planned.new_content)  # it could not be read again
        atomic_file.refuse_unless_replaceable(location.file)
    if planned.has_work:
        atomic_file.refuse_unless_makeable(os.path.dirname(location.journal_path))
    return planned


def carry_out(request: Request, location: Location, now: str) -> FilePlan:
    """Do it, alone: the plan is made again under the lock, so that two runs at once come one after the other."""
    planned = plan(request, location, now)
    if not planned.has_work and not _left_behind(location):
        return planned
    atomic_file.make_private_directory(os.path.dirname(location.journal_path))
    with atomic_file.locked(location.lock_path, LOCK_WAIT_SECONDS), location.journal_file() as journal_file:
        atomic_file.clear_leftovers(location.file)
        atomic_file.clear_leftovers(journal_file)
        planned = plan(request, location, now)
        _apply(planned, location.file, journal_file)
    return planned


def _left_behind(location: Location) -> list[str]:
    with location.journal_file() as journal_file:
        return atomic_file.leftovers(location.file) + atomic_file.leftovers(journal_file)


def _apply(planned: FilePlan, file: Place, journal_file: Place) -> None:
    before = _write_journal(journal_file, planned.journal, planned.journal_before)
    if planned.new_content is None and planned.content is not None:
        atomic_file.remove(file)
    elif planned.new_content is not None and planned.changes:
        atomic_file.replace(file, planned.new_content, planned.content)
    _write_journal(journal_file, before, planned.journal_after)


def _write_journal(journal_file: Place, present: Journal, wanted: Journal) -> Journal:
    if wanted != present:
        content = atomic_file.read(journal_file, largest=None)
        atomic_file.replace(journal_file, wanted.render(), content)
    return wanted


# --- pure ---


def plan_content(request: Request, path: str, content: bytes | None, known: Journal, now: str) -> FilePlan:
    document = dotenv.parse(content or b"")
    found = {key: known.find(STORE, path, key) for key in request.values}
    entries = {key: entry for key, entry in found.items() if entry}
    _refuse_what_is_missing(request, path, content, document)
    _refuse_a_lost_file(request, path, content, entries)
    decisions = tuple(
        contract.decide(request, key, document.value(key), entries.get(key), path) for key in request.values
    )
    recorded = known
    for decision in decisions:
        if decision.action in (contract.WRITE, contract.REMOVE):
            entry = contract.extended(decision.entry, _entry(path, content, document, decision, now))
            recorded = recorded.recorded(entry)
    try:
        edited = _edited(document, decisions)
    except ValueError as error:  # DotenvError and QuotingError
        raise ChangeRefused(f"{path} was not changed: {error}")
    closed = recorded
    for decision in decisions:
        if decision.closes and decision.entry:
            closed = closed.closed(decision.entry)
    new_content = content if edited.text == document.text else _file_or_none(edited, decisions)
    return FilePlan(content, new_content, known, recorded, closed, decisions)


def _refuse_what_is_missing(request: Request, path: str, content: bytes | None, document: dotenv.Document) -> None:
    """An app that reads another file, or another name, would go on with the old value."""
    if request.state != contract.PRESENT or request.create:
        return
    if content is None:
        raise ChangeRefused(
            f"{path} does not exist, so no app reads its values there. Give the path of the file that the app reads, "
            "or set create: true to make it"
        )
    for key in request.values:
        if document.value(key) is None:
            raise ChangeRefused(
                f"{key} is not set in {path}, so the app does not read it there, and adding it would change nothing "
                f"({dotenv.absence(document, key)}). Name the key that the app reads in values, or set create: true"
            )


def _refuse_a_lost_file(request: Request, path: str, content: bytes | None, entries: Mapping[str, Entry]) -> None:
    if request.state == contract.REVERTED and content is None and entries:
        raise ChangeRefused(
            f"{path} does not exist any more, so its values cannot be put back. Bring the file back, then run again"
        )


def _entry(path: str, content: bytes | None, document: dotenv.Document, decision: Decision, now: str) -> Entry:
    restore = {
        "lines": [[place, piece.text] for place, piece in document.bindings(decision.key)],
        "file_was_missing": content is None,
        "last_newline_was_missing": not document.ends_with_newline,
    }
    return Entry(STORE, path, decision.key, decision.before, (decision.after,), restore, now)


def _edited(document: dotenv.Document, decisions: tuple[Decision, ...]) -> dotenv.Document:
    put_in: list[tuple[int, str]] = []
    for decision in decisions:
        key = decision.key
        if decision.action == contract.WRITE and decision.after is not None:
            change = dotenv.with_value if document.bindings(key) else dotenv.appended
            document = change(document, key, decision.after)
        elif decision.action == contract.REMOVE:
            document = dotenv.without(document, key)
        elif decision.action == contract.RESTORE and decision.before is None:
            put_in += _lines(decision)
        elif decision.action == contract.RESTORE:
            document = _restored(document, decision)
    return dotenv.inserted(document, put_in) if put_in else document


def _restored(document: dotenv.Document, decision: Decision) -> dotenv.Document:
    """Where the lines are still there only the value goes back, so that what somebody did to a comment stays."""
    key, lines = decision.key, _lines(decision)
    bindings = document.bindings(key)
    was_removed_before = decision.entry is not None and None in decision.entry.written
    if lines and len(lines) == len(bindings) and not was_removed_before:
        original = dotenv.parse_text(lines[-1][1]).bindings(key)[-1][1]
        return dotenv.with_token(document, key, original.token)
    if lines:
        return dotenv.inserted(dotenv.without(document, key), lines)
    was_last = bindings[-1][0] == len(document.pieces) - 1
    lacked_newline = was_last and _note(decision, "last_newline_was_missing")
    document = dotenv.without(document, key)
    return dotenv.without_last_newline(document) if lacked_newline else document


def _file_or_none(edited: dotenv.Document, decisions: tuple[Decision, ...]) -> bytes | None:
    """A file that was made for our values alone goes with them."""
    restored = [decision for decision in decisions if decision.action == contract.RESTORE]
    was_made = any(_note(decision, "file_was_missing") for decision in restored)
    return None if was_made and not edited.text else edited.render()


def _lines(decision: Decision) -> list[tuple[int, str]]:
    return list(map(tuple, _note(decision, "lines") or []))


def _note(decision: Decision, name: str) -> Any:
    return decision.entry.restore[name] if decision.entry else None
