"""Any sequence of present, absent and reverted ends in the original bytes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.store import plan_content
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Journal
from hypothesis import example, given, settings
from hypothesis import strategies as st

Step = tuple[str, Mapping[str, "str | None"]]
KEYS = ("A", "B", "C")
NONE = dict.fromkeys(KEYS)


class Host:
    """A file and the journal beside it, without a disk."""

    def __init__(self, content: bytes | None) -> None:
        self.content, self.journal = content, Journal()

    def do(self, state: str, values: Mapping[str, str | None]) -> None:
        request = Request.from_params({"state": state, "values": values, "migration_name": "test", "create": True})
        planned = plan_content(request, "/.env", self.content, self.journal, "now")
        self.content, self.journal = planned.new_content, planned.journal_after


LINES = st.sampled_from(
    [
        *(
            "A=1",
            "B=2",
            "C=3",
            "A='x y'",
            'B="z"',
            "A= 1",
            "B = 2 ",
            "A=",
            "B= ",
            "C= # none",
            "A='' # none",
            "A=5 # c",
        ),
        *("# note", "", "export A=7", "  B=8", "X=1", "A='two\nlines'", "nothing", "'B'=9", 'B="open', "C='open"),
    ]
)
ENDS = st.sampled_from(["\n", "\r\n"])
TEXTS = st.builds(
    lambda lines, end, last, mark: mark + end.join(lines) + (end if last and lines else ""),
    st.lists(LINES, max_size=6),
    ENDS,
    st.booleans(),
    st.sampled_from(["", "", "", "\ufeff"]),
)
VALUES = st.sampled_from(["", "new", "x y", "it's", "a#b", '{"a": 1}', "u?a=1&b=2"])
WANTED = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1)
STEPS = st.lists(st.tuples(st.sampled_from(["present", "absent", "reverted"]), WANTED), max_size=6)


@given(TEXTS, STEPS, st.permutations(KEYS), st.booleans())
@settings(max_examples=600, deadline=None)
@example("A= old\n", [("present", {"A": ""})], list(KEYS), True)
@example("A= old\n", [("present", {"A": ""}), ("present", {"A": "x"})], list(KEYS), True)
@example("A=1\nB=2", [("absent", {"A": ""}), ("absent", {"B": ""})], ["B", "A", "C"], False)
@example("A=1\nB=2", [("absent", {"B": ""}), ("present", {"C": "x"})], ["B", "C", "A"], False)
@example("A=1", [("absent", {"A": ""}), ("present", {"A": "x"}), ("present", {"B": "x"})], ["A", "B", "C"], False)
def test_any_sequence_of_changes_ends_in_the_original_bytes(text, steps, order, at_once):
    original = text.encode()
    host = Host(original)
    for state, values in steps:
        before = host.content, host.journal
        try:
            host.do(state, values)
        except ChangeRefused:
            assert (host.content, host.journal) == before
    for key in [NONE] if at_once else [{key: None} for key in order]:
        host.do("reverted", key)
    assert host.content == original
    assert host.journal == Journal()


@given(STEPS.filter(bool), st.permutations(KEYS))
def test_a_file_that_was_made_is_gone_again_whatever_came_between(steps, order):
    host = Host(None)
    for state, values in steps:
        if state == "reverted" and host.content is None:
            continue
        host.do(state, values)
    for key in order:
        if host.content is not None:
            host.do("reverted", {key: None})
    assert not host.content
    assert host.content is None or host.journal == Journal()


@pytest.mark.parametrize("edited", ["A=new # theirs\nB=2\n", "# theirs\nA=new\nB=2\n", "A=new\nB=2\nX=theirs\n"])
def test_what_somebody_else_has_done_since_stays(edited):
    host = Host(b"A=old\nB=2\n")
    host.do("present", {"A": "new"})
    host.content = edited.encode()
    host.do("reverted", {"A": None})
    assert host.content == edited.replace("A=new", "A=old").encode()
