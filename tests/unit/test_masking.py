"""What of a text, and of a module's options, may be shown."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import (
    options_shown,
    printable,
    tell_as_it_is,
)


def test_what_acts_on_a_terminal_is_taken_out_and_the_rest_stays():
    shown = printable({"failure": {"found": "all is well\x1b[2J\r\x9b1A\n\ttwo lines"}, "ms": 1.5, "none": None})
    assert shown == {"failure": {"found": "all is well?[2J??1A\n\ttwo lines"}, "ms": 1.5, "none": None}
    assert printable(("a\x00", [True])) == ["a?", [True]]
    assert printable("redis://a\u202eb\u200b:6379") == "redis://a?b?:6379", "it would be read the other way round"


@pytest.mark.parametrize("name", ["token", "alias"])
def test_of_an_option_that_is_secret_nothing_is_shown(name):
    spec = {"token": {"no_log": True, "aliases": ["alias"]}, "port": {"type": "int"}, "key": {"no_log": False}}
    assert options_shown({name: "hunter2", "port": 6379, "key": "K"}, spec) == {name: "***", "port": 6379, "key": "K"}
    assert options_shown({name: None}, spec) == {name: None}


def test_nothing_is_shown_of_a_suboption_that_is_a_secret():
    of_each = {"name": {"type": "str"}, "original": {"type": "str", "no_log": True}}
    spec = {
        "urls": {"type": "list", "elements": "dict", "options": of_each},
        "one": {"type": "dict", "options": of_each},
    }
    url = {"name": "REDIS_URL", "original": "redis://:hunter2@old"}
    shown = options_shown({"urls": [url, {**url, "original": ""}], "one": url}, spec)
    hidden = {"name": "REDIS_URL", "original": "***"}
    assert shown == {"urls": [hidden, {**url, "original": ""}], "one": hidden}


class Module:
    """As ansible-core hands it to a module; from 2.22 on it has secrets that are told to the controller."""

    def __init__(self, **more):
        self.no_log_values = {"6379", "hunter2"}
        vars(self).update(more)


def test_the_words_of_a_result_are_left_as_they_are_by_every_release_of_ansible_core():
    handed_over = {"6379"}
    older, newer = Module(), Module(_new_secrets=SimpleNamespace(flush=handed_over.clear))
    for module in (older, newer):
        tell_as_it_is(module)
        assert module.no_log_values == set()
    assert handed_over == set()
