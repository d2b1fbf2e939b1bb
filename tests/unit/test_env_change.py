from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry

OLD, NEW, OTHER = "redis://:o@old:6379/0", "rediss://:n@new:6379/0", "redis://:x@other:6379/0"
NEW2 = "rediss://:n2@new:6379/0"
KEY = "REDIS_URL"
ENTRY = Entry("dotenv", "/opt/shop/.env", KEY, OLD, ("rediss://:n1@new:6379/0", NEW), {}, "2026-11-24T03:00:00Z")


def request(state: str = "present", value: Any = NEW, **params: Any) -> Request:
    return Request.from_params(
        {"state": state, "values": {KEY: value}, "migration_name": "prod", "create": False, **params}
    )


def decide(asked: Request, current: str | None, entry: Entry | None = None) -> contract.Decision:
    return contract.decide(asked, KEY, current, entry, "/opt/shop/.env")


@pytest.mark.parametrize(
    ("state", "current", "action", "after"),
    [
        ("present", OLD, contract.WRITE, NEW),
        ("present", NEW, contract.KEEP, NEW),
        ("present", None, contract.WRITE, NEW),
        ("absent", OLD, contract.REMOVE, None),
        ("absent", None, contract.KEEP, None),
    ],
)
def test_a_value_is_changed_only_where_it_differs(state, current, action, after):
    decision = decide(request(state), current)
    assert (decision.action, decision.before, decision.after) == (action, current, after)


@pytest.mark.parametrize("current", [NEW, "rediss://:n1@new:6379/0"])
def test_every_value_of_ours_is_reverted_to_the_original(current):
    decision = decide(request("reverted"), current, ENTRY)
    assert (decision.action, decision.after, decision.closes) == (contract.RESTORE, OLD, True)


def test_an_original_that_is_in_place_is_left_alone_and_its_entry_closed():
    decision = decide(request("reverted"), OLD, ENTRY)
    assert (decision.action, decision.closes) == (contract.KEEP, True)
    assert "original value is in place" in decision.message


def test_nothing_is_reverted_without_an_entry():
    decision = decide(request("reverted"), NEW, None)
    assert decision.action == contract.KEEP
    assert "no entry" in decision.message


@pytest.mark.parametrize("current", [OTHER, None])
def test_a_value_that_somebody_has_changed_since_is_not_reverted(current):
    with pytest.raises(ChangeRefused, match="somebody has changed it since 2026-11-24T03:00:00Z"):
        decide(request("reverted"), current, ENTRY)


@pytest.mark.parametrize("current", [OLD, NEW])
def test_the_expected_or_the_new_value_is_accepted(current):
    assert decide(request(expected={KEY: OLD}), current).after == NEW


@pytest.mark.parametrize(("state", "current"), [("present", OTHER), ("present", None), ("absent", OTHER)])
def test_a_value_that_is_neither_expected_nor_the_new_one_is_refused(state, current):
    with pytest.raises(ChangeRefused) as refused:
        decide(request(state, expected={KEY: OLD}), current)
    assert "redis://:***@old:6379/0" in str(refused.value)
    assert ":x@" not in str(refused.value)
    assert ":o@" not in str(refused.value)


def test_expecting_no_value_is_possible():
    assert decide(request(expected={KEY: None}), None).action == contract.WRITE
    with pytest.raises(ChangeRefused):
        decide(request(expected={KEY: None}), OLD)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"values": {}}, "values is empty"),
        ({"values": {KEY: None}}, "no value for REDIS_URL"),
        ({"values": {KEY: True}}, "REDIS_URL as bool"),
        ({"values": {KEY: ["x"]}}, "REDIS_URL as list"),
        ({"expected": {"REDIS_URI": "x"}}, "expected names REDIS_URI"),
    ],
)
def test_a_task_that_says_something_else_than_it_means_is_refused(params, text):
    with pytest.raises(ChangeRefused, match=text):
        request(**params)


def test_a_number_is_taken_as_its_text():
    assert request(value=6379).values == {KEY: "6379"}


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (None, None),
        (NEW, "rediss://:***@new:6379/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("hunter2", "***"),
        ("postgres://u:p@host/db", "***"),
        ("", "***"),
        ("redis://host\u202e:6379/0", "***"),
        ("redis://host\x1b[2J:6379/0", "***"),
    ],
)
def test_only_cache_urls_are_shown_and_never_their_secrets(value, masked):
    assert contract.mask(value) == masked


def test_of_a_long_value_only_its_begin_is_shown():
    assert len(contract.mask(f"redis://{'a' * 100_000}:6379/0")) < 600


def test_the_location_of_a_cache_url_is_told_and_of_nothing_else():
    assert contract.location(NEW) == {"host": "new", "port": 6379, "tls": True, "database": 0}
    assert contract.location("postgres://u:p@host/db") is None
    assert contract.location(None) is None


def test_the_diff_names_only_the_keys_that_change():
    asked = Request.from_params(
        {
            "state": "present",
            "values": {KEY: NEW, "SAME": "1", "SECRET": "b", "ADDED": "c"},
            "migration_name": "prod",
            "create": True,
        }
    )
    found = {KEY: OLD, "SAME": "1", "SECRET": "a", "ADDED": None}
    diff = contract.diff("/e", [contract.decide(asked, key, value, None, "/e") for key, value in found.items()], {})
    assert diff["before"] == "REDIS_URL=redis://:***@old:6379/0\nSECRET=***\n"
    assert diff["after"] == "REDIS_URL=rediss://:***@new:6379/0\nSECRET=*** (another secret)\nADDED=***\n"
    assert diff["before_header"] == diff["after_header"] == "/e"


# --- options of the value found ---

OPTIONS = "?decode_responses=True&socket_timeout=5"


def test_options_of_the_value_found_come_along_only_where_asked():
    assert decide(request(keep_options=True), OLD + OPTIONS).after == NEW + OPTIONS
    assert decide(request(), OLD + OPTIONS).after == NEW


def test_a_value_that_has_them_already_is_kept_and_is_an_expected_one():
    asked = request(keep_options=True, expected={KEY: OLD + OPTIONS})
    assert decide(asked, NEW + OPTIONS).action == contract.KEEP
    assert decide(asked, OLD + OPTIONS).action == contract.WRITE
    with pytest.raises(ChangeRefused):
        decide(asked, OTHER + OPTIONS)


def test_none_come_along_to_an_app_that_appends_its_own_and_a_second_run_changes_nothing():
    asked = replace(request(keep_options=True), forms={KEY: Form(reader="none")})
    assert decide(asked, OLD + OPTIONS).after == NEW
    assert decide(asked, NEW).action == contract.KEEP


def test_another_token_keeps_them_too():
    assert decide(request(value="rediss://:n2@new:6379/0", keep_options=True), NEW + OPTIONS).after == (
        "rediss://:n2@new:6379/0" + OPTIONS
    )


@pytest.mark.parametrize("state", ["absent", "reverted"])
def test_they_are_nothing_to_a_value_that_goes(state):
    entry = Entry("dotenv", "/e", KEY, OLD + OPTIONS, (NEW + OPTIONS,), {}, "then")
    after = {"absent": None, "reverted": OLD + OPTIONS}
    assert decide(request(state, keep_options=True), NEW + OPTIONS, entry).after == after[state]


def test_a_value_whose_options_cannot_be_told_is_refused_without_its_secret():
    with pytest.raises(ChangeRefused, match="was not changed") as refused:
        decide(request(keep_options=True), "redis://:123?hunter2@old:6379/0")
    assert "hunter2" not in str(refused.value)


def recorded(original, written=NEW):
    return Entry(
        "dotenv", "/opt/shop/.env", KEY, original, (written,), {"lines": [[0, original]]}, "2026-11-25T03:00:00Z"
    )


@pytest.mark.parametrize("found", [OLD, NEW, "rediss://:by-hand@new:6379/0?socket_timeout=5", "no URL", None])
def test_a_recorded_original_stays_whatever_is_found_of_it_of_ours_or_of_an_edit(found):
    assert contract.extended(ENTRY, recorded(found)) == ENTRY
    assert decide(request(), found, ENTRY).original == OLD


@pytest.mark.parametrize("found", ["redis://:another-password@old:6379/0", OTHER])
def test_what_somebody_has_put_there_since_is_what_a_way_back_brings(found):
    """The original of an earlier run may be dead by now: its password was changed, or its Redis has moved."""
    entry = contract.extended(ENTRY, recorded(found, NEW2))
    assert (entry.original, entry.restore["lines"]) == (found, [[0, found]])
    assert entry.written == (*ENTRY.written, NEW2)
    assert decide(request(value=NEW2), found, ENTRY).original == found
    assert decide(request("reverted"), NEW, entry).after == found


def test_the_first_entry_is_taken_as_it_is():
    assert contract.extended(None, recorded(OLD)) == recorded(OLD)
