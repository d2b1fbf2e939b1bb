"""What an access string grants, in whatever words, and what may not be in one."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.access_string import (
    are_same,
    check,
    grant_of,
)
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.sampled_from(
    [
        "on",
        "off",
        "~*",
        "allkeys",
        "~app:*",
        "%R~app:*",
        "resetkeys",
        "&*",
        "&news",
        "allchannels",
        "resetchannels",
        "+@all",
        "-@all",
        "allcommands",
        "nocommands",
        "+@read",
        "-@write",
        "+get",
        "-get",
        "(+get ~other:*)",
    ]
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on allkeys allcommands", "on ~* +@all"),
        ("on  ~*\t+@all", "on ~* +@all"),
        ("on ~a ~b +get", "on ~b ~a +get"),
        ("on ~a:* ~* +@all", "on ~* +@all"),
        ("on ~app:* -@all +@read", "on ~app:* +@read"),
        ("on ~app:* resetchannels +@read", "on ~app:* +@read"),
        ("~app:* +GET", "off ~app:* +get"),
        ("on +get +@all", "on +@all"),
    ],
)
def test_strings_that_grant_the_same_are_the_same(one, other):
    assert are_same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("on ~* +@all", "off ~* +@all"),
        ("on ~* +@all -get", "on ~* -get +@all"),
        ("on ~* &* +@all", "on ~* +@all"),
        ("on ~A +get", "on ~a +get"),
        ("on ~a +get", "on %R~a +get"),
        ("on ~a +get", "on ~a +get (+set ~b)"),
    ],
)
def test_strings_that_grant_something_else_are_not(one, other):
    assert not are_same(one, other)


@given(st.lists(WORDS), st.lists(WORDS))
def test_what_was_before_everything_is_taken_away_does_not_count(before, after):
    nothing = ["off", "resetkeys", "resetchannels", "-@all"]
    plain = [word for word in before if not word.startswith("(")]
    assert grant_of(" ".join([*plain, *nothing, *after])) == grant_of(" ".join(after))


@pytest.mark.parametrize("word", [">a-password-in-clear", "#0123abcd", "<old", "!0123", "nopass", "ResetPass", "reset"])
def test_a_rule_of_passwords_is_refused_without_being_repeated(word):
    with pytest.raises(PlanRefused) as refused:
        check(f"on ~* +@all {word}")
    assert refused.value.option == "access_string"
    assert not any(mark + word[1:] in refused.value.message for mark in "><#!" if word[0] == mark)


@pytest.mark.parametrize("word", ["+config", "-shutdown", "+CONFIG|GET", "(+debug"])
def test_a_command_that_the_service_keeps_is_refused_by_name(word):
    with pytest.raises(PlanRefused, match=word.lower().strip("(+-").partition("|")[0]):
        check(f"on ~* {word}")


def test_an_empty_string_is_refused_and_spaces_are_made_single():
    with pytest.raises(PlanRefused, match="off -@all"):
        check("  ")
    assert check(" on  ~* ") == "on ~*"
