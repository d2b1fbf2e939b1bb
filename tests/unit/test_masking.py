"""What of a text, and of a module's options, may be shown."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, printable


def test_what_acts_on_a_terminal_is_taken_out_and_the_rest_stays():
    shown = printable({"failure": {"found": "all is well\x1b[2J\r\x9b1A\n\ttwo lines"}, "ms": 1.5, "none": None})
    assert shown == {"failure": {"found": "all is well?[2J??1A\n\ttwo lines"}, "ms": 1.5, "none": None}
    assert printable(("a\x00", [True])) == ["a?", [True]]


@pytest.mark.parametrize("name", ["token", "alias"])
def test_of_an_option_that_is_secret_nothing_is_shown(name):
    spec = {"token": {"no_log": True, "aliases": ["alias"]}, "port": {"type": "int"}, "key": {"no_log": False}}
    assert options_shown({name: "hunter2", "port": 6379, "key": "K"}, spec) == {name: "***", "port": 6379, "key": "K"}
    assert options_shown({name: None}, spec) == {name: None}
