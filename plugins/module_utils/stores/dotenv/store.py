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
from typing import ContextManager, Iterator, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file, symlinks
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import Place
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract, journal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import (
    ChangeRefused,
    Decision,
    NothingThere,
    Request,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import edit, foreign, undo
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text as dotenv
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.agreement import Dialect
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


def values(path: str) -> dict[str, str]:
    """All that is set there, as python-dotenv reads it before it replaces ``${NAME}``."""
    with symlinks.followed(path) as file:
        return dict(dotenv.parse(atomic_file.read(file) or b"").values())


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
    entries = {entry.key: entry for entry in known.entries if (entry.store, entry.path) == (STORE, path)}
    _refuse_what_is_no_dotenv(request, path, document)
    _refuse_what_is_missing(request, path, content, document)
    _refuse_a_lost_file(request, path, content, [entries[key] for key in request.values if key in entries])
    decided = [contract.decide(request, key, document.value(key), entries.get(key), path) for key in request.values]
    decisions = tuple(contract.as_groups(request, decided, path))
    recorded = known
    for decision in decisions:
        is_new = decision.is_noted or (decision.entry and not decision.stays)
        if is_new or decision.action in (contract.WRITE, contract.REMOVE):
            others = [entry for key, entry in entries.items() if key != decision.key]
            restore = undo.notes(document, decision.key, content is None, others)
            entry = Entry(STORE, path, decision.key, decision.before, (decision.after,), restore, now)
            recorded = recorded.recorded(contract.extended(decision.entry, entry, decision.stays))
    try:
        edited = _edited(request, document, decisions, list(entries.values()))
    except ValueError as error:  # DotenvError and QuotingError
        raise ChangeRefused(f"{path} was not changed: {error}")
    closed = recorded
    for decision in decisions:
        if decision.closes and decision.entry:
            closed = closed.closed(decision.entry)
    new_content = content if edited.text == document.text else _file_or_none(edited, decisions)
    return FilePlan(content, new_content, known, recorded, closed, decisions)


def _refuse_what_is_no_dotenv(request: Request, path: str, document: dotenv.Document) -> None:
    other = foreign.kind_of(document)
    if other and request.state != contract.REVERTED:
        raise ChangeRefused(f"{path} {other.sentence}")


def _refuse_what_is_missing(request: Request, path: str, content: bytes | None, document: dotenv.Document) -> None:
    """An app that reads another file, or another name, would go on with the old value."""
    if request.state != contract.PRESENT or request.create:
        return
    if content is None:
        raise ChangeRefused(
            f"{path} does not exist, so no app reads its values there. Give the path of the file that the app reads, "
            "or set create: true to make it"
        )
    missing = [key for key in request.values if document.value(key) is None and not request.may_be_missing(key)]
    if missing:
        why = "; ".join(f"{key}: {dotenv.absence(document, key)}" for key in missing)
        refused = ChangeRefused if any(document.value(key) is not None for key in request.values) else NothingThere
        raise refused(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set in {path}, so the app does not read "
            f"{'it' if len(missing) == 1 else 'them'} there, and adding would change nothing ({why}). Name in values "
            "(migration_values) the keys that the app reads, or have them added (create: true; in migration_values "
            "added: true)"
        )


def _refuse_a_lost_file(request: Request, path: str, content: bytes | None, entries: Sequence[Entry]) -> None:
    if request.state == contract.REVERTED and content is None and entries:
        raise ChangeRefused(
            f"{path} does not exist any more, so its values cannot be put back. Bring the file back, then run again"
        )


def _edited(
    request: Request, document: dotenv.Document, decisions: Sequence[Decision], entries: Sequence[Entry]
) -> dotenv.Document:
    """``entries`` are the open ones of this file. On the way back nobody is asked: it was so before."""
    state, dialect = request.state, Dialect(request.dialect)
    for decision in decisions:
        key = decision.key
        if decision.action == contract.WRITE and decision.after is not None:
            change = edit.with_value if document.bindings(key) else edit.appended
            document = change(document, key, decision.after, dialect)
        elif decision.action == contract.REMOVE:
            document = edit.without(document, key, dialect)
        elif state != contract.REVERTED:
            edit.refuse_unless_agreed(document, key, decision.after, dialect)
    back = _going_back(decisions)
    return undo.undone(document, back, [entry for entry in entries if entry not in back]) if back else document


def _going_back(decisions: Sequence[Decision]) -> list[Entry]:
    """Also where the value is the original already: how it is written may not be."""
    return [decision.entry for decision in decisions if decision.closes and decision.entry]


def _file_or_none(edited: dotenv.Document, decisions: Sequence[Decision]) -> bytes | None:
    """A file that was made for our values alone goes with them."""
    was_made = any(entry.restore["file_was_missing"] for entry in _going_back(decisions))
    return None if was_made and not edited.text else edited.render()
