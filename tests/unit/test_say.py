"""How a line that is wider than the terminal is broken, and where lines go."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.say import wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("short enough", "short enough"),
        ("", ""),
        ("one line that is too wide", "one line that is too\nwide"),
        ("two lines\nstay two lines", "two lines\nstay two lines"),
        ("  - an item that is too wide", "  - an item that is\n    too wide"),
        ("a-word-that-has-hyphens-and-is-wide stays", "a-word-that-has-hyphens-and-is-wide\nstays"),
        ("Then run `make sandbox now please` again", "Then run\n`make sandbox now please`\nagain"),
        (
            "Once that is mended: ansible-playbook back.yml -i prod",
            "Once that is mended:\nansible-playbook back.yml -i prod",
        ),
    ],
)
def test_lines_break_between_words_and_never_in_a_command(text: str, shown: str) -> None:
    assert wrapped(text, 20) == shown


def test_nobody_else_says_something_to_a_person() -> None:
    plugins = pathlib.Path(__file__).resolve().parents[2] / "plugins"
    assert [path.name for path in plugins.rglob("*.py") if "().display(" in path.read_text()] == ["say.py"]


@pytest.mark.parametrize("is_data", [True, False])
def test_where_the_output_is_data_a_run_tells_its_story_on_standard_error(monkeypatch, is_data):
    told = []
    monkeypatch.setattr(say, "_IS_DATA", is_data)
    monkeypatch.setattr(say.Display, "display", lambda _self, text, stderr=False: told.append((text, stderr)))
    say.lines(["app1: restart shop"])
    assert told == [("app1: restart shop", is_data)]


def test_nothing_that_is_said_acts_on_a_terminal(monkeypatch):
    told = []
    monkeypatch.setattr(say.Display, "display", lambda _self, text, stderr=False: told.append(text))
    say.lines(["a parameter of \x1b[2Jsomebody"])
    assert told == ["a parameter of ?[2Jsomebody"]
