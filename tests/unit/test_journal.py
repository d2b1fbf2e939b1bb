from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import journal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry, Journal
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates stand for bytes that are no UTF-8
ENTRIES = st.builds(
    Entry,
    store=st.just("dotenv"),
    path=TEXT,
    key=TEXT,
    original=st.none() | TEXT,
    written=st.lists(st.none() | TEXT, min_size=1, max_size=3).map(tuple),
    restore=st.fixed_dictionaries({"lines": st.lists(st.tuples(st.integers(0, 9), TEXT).map(list), max_size=2)}),
    time=st.just("2026-11-24T03:00:00Z"),
)


def entry(original: str | None, written: str | None, key: str = "REDIS_URL") -> Entry:
    return Entry("dotenv", "/opt/shop/.env", key, original, (written,), {}, "2026-11-24T03:00:00Z")


@given(st.lists(ENTRIES, max_size=3).map(tuple))
def test_what_is_recorded_is_read_back(entries):
    assert journal.parse(Journal(entries).render(), "journal.json") == Journal(entries)


def test_an_entry_takes_the_place_of_the_one_before():
    other = entry("x", "y", key="OTHER")
    twice = Journal().recorded(entry("old", "new")).recorded(other).recorded(entry("old", "newer"))
    assert twice.entries == (entry("old", "newer"), other)


def test_after_an_entry_is_closed_the_next_original_is_recorded_afresh():
    first = entry("old", "new")
    again = Journal().recorded(first).closed(first).recorded(entry("another", "new"))
    assert [each.original for each in again.entries] == ["another"]


def test_closing_one_entry_keeps_the_others():
    other = entry("x", "y", key="OTHER")
    both = Journal().recorded(entry("old", "new")).recorded(other)
    assert both.closed(entry("old", "new")).entries == (other,)


def test_no_file_is_an_empty_journal():
    assert journal.parse(None, "journal.json") == Journal()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 1, "entries": [{}]}', b"\xff"])
def test_a_broken_journal_is_refused_with_its_path(content):
    with pytest.raises(journal.JournalError, match=r"/state/journal\.json cannot be read"):
        journal.parse(content, "/state/journal.json")


def test_a_journal_of_a_later_format_is_refused():
    with pytest.raises(journal.JournalError, match="format 2"):
        journal.parse(b'{"format": 2, "entries": []}', "journal.json")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a b", "x" * 65, "a\n", "a_b", "a--b", "a-", "1a"])
def test_a_migration_name_that_could_leave_its_folder_or_name_no_group_is_refused(name):
    with pytest.raises(journal.JournalError, match="migration_name"):
        journal.check_migration_name(name)
