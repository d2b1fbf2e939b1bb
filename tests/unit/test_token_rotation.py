"""Which version of the secret goes to the target, and when an app must not get the current one."""

from __future__ import annotations

import re

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.token_rotation import (
    PLACEHOLDER,
    RotationRefused,
    course,
    entry_of,
    entry_under_way,
    is_to_be_made,
    leads_to,
    lines,
    refusal,
    verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import token_secret

TOKEN = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}")
KNOWN = {"secret": "shop/token", "version_id": "v1", "time": "2026-11-25T19:42:11Z"}
UNDER_WAY = {**KNOWN, "rotating": {"version_id": "v2", "hosts": ["app1"]}}


def facts(current="v1", pending="", exists=True, ours=True):
    return {"exists": exists, "ours": ours, "current_version_id": current, "pending_version_id": pending}


ROTATE = "kempian.cache_migration.rotate"
THERE = [{"status": "available"}]


def rotation(entry, wants_new=False, **secret):
    return course("shop/token", facts(**secret), entry, wants_new)


@pytest.mark.parametrize("token", [PLACEHOLDER, token_secret.generate()], ids=["stands-in", "generated"])
def test_what_stands_for_a_token_is_one_that_elasticache_takes(token):
    assert TOKEN.fullmatch(token)


# --- a migration ---


@pytest.mark.parametrize("entry", [{}, KNOWN])
def test_the_version_that_the_target_was_given_goes_to_the_app(entry):
    assert refusal("shop/token", facts(), entry, found=THERE, playbook=ROTATE) == ""


def test_another_version_than_the_target_was_given_is_refused_with_both_ways_out():
    said = refusal("shop/token", facts(current="v2"), KNOWN, found=THERE, playbook=ROTATE)
    assert "v2" in said and "v1" in said
    assert ROTATE in said and "make the former one current again" in said


@pytest.mark.parametrize("entry", [KNOWN, UNDER_WAY])
@pytest.mark.parametrize("found", [[], [{"status": "deleting"}]])
def test_a_target_that_is_gone_or_going_was_given_nothing(entry, found):
    assert refusal("shop/token", facts(current="v2"), entry, found, playbook=ROTATE) == ""


@pytest.mark.parametrize(
    ("status", "is_new"),
    [
        ("absent", True),
        ("deleting", True),
        ("creating", False),
        ("available", False),
        ("modifying", False),
        ("", False),
    ],
)
def test_a_target_that_is_made_again_once_it_is_gone_gets_the_current_version(status, is_new):
    """What is not known yet, as at a first look, counts as there: the ledger is written only where that is certain."""
    assert is_to_be_made(status) == is_new


def test_a_rotation_under_way_is_to_be_finished_first():
    said = refusal("shop/token", facts(), UNDER_WAY, found=THERE, playbook=ROTATE)
    assert "under way" in said and ROTATE in said


def test_a_secret_that_is_gone_is_not_made_anew_for_a_target_that_has_a_token():
    said = refusal("shop/token", facts(exists=False, current=""), KNOWN, found=THERE, playbook=ROTATE)
    assert "restore-secret" in said


# --- a rotation ---


@pytest.mark.parametrize("entry", [{}, KNOWN])
def test_there_is_nothing_to_do_unless_asked(entry):
    assert not rotation(entry)["needed"]


@pytest.mark.parametrize("entry", [{}, KNOWN])
def test_a_new_token_is_generated_where_it_is_asked_for(entry):
    way = rotation(entry, wants_new=True)
    assert (way["generate"], way["to_version"], way["from_version"], way["promote"]) == (True, "", "v1", True)


@pytest.mark.parametrize("wants_new", [True, False])
@pytest.mark.parametrize("entry", [{}, KNOWN])
def test_a_version_that_is_pending_is_the_one_to_go_to(entry, wants_new):
    way = rotation(entry, wants_new, pending="v2")
    assert (way["generate"], way["to_version"], way["promote"]) == (False, "v2", True)


@pytest.mark.parametrize("ours", [True, False])
def test_a_version_that_somebody_has_made_current_is_the_one_to_go_to_and_stays_as_it_is(ours):
    way = rotation(KNOWN, current="v2", ours=ours)
    assert (way["to_version"], way["from_version"], way["promote"]) == ("v2", "v1", False)


@pytest.mark.parametrize(
    "secret",
    [{"pending": "v2"}, {"current": "v2"}, {"current": "v2", "pending": "v3"}, {"current": "v3", "pending": "v2"}],
)
@pytest.mark.parametrize("wants_new", [True, False])
def test_a_rotation_under_way_is_gone_on_with_as_long_as_its_version_has_a_label(secret, wants_new):
    way = rotation(UNDER_WAY, wants_new, **secret)
    assert (way["to_version"], way["from_version"], way["generate"], way["done"]) == ("v2", "v1", False, ["app1"])
    assert way["promote"] == (secret.get("current", "v1") == "v1"), "a version that somebody has put since stays"


@pytest.mark.parametrize("secret", [{}, {"pending": "v3"}, {"current": "v3"}, {"current": "v3", "pending": "v4"}])
@pytest.mark.parametrize("wants_new", [True, False])
def test_a_version_without_a_label_is_given_to_no_target_whatever_the_ledger_says(secret, wants_new):
    """It may be one that was ended, AWSPREVIOUS for being known to somebody."""
    with pytest.raises(RotationRefused, match="neither its current version") as refused:
        rotation(UNDER_WAY, wants_new, **secret)
    said, current = str(refused.value), secret.get("current", "v1")
    assert f"--version-stage AWSCURRENT --move-to-version-id v2 --remove-from-version-id {current}" in said
    assert "get-parameter-history" in said


@pytest.mark.parametrize("rotating", [{"hosts": []}, {"version_id": "", "hosts": []}, {"version_id": None}])
def test_a_ledger_that_names_no_version_makes_no_token(rotating):
    with pytest.raises(RotationRefused, match="neither its current version"):
        rotation({**KNOWN, "rotating": rotating}, wants_new=True)


@pytest.mark.parametrize("secret", [{"wants_new": True}, {"pending": "v2"}])
def test_a_secret_of_others_is_not_rotated_by_us(secret):
    with pytest.raises(RotationRefused, match="put-secret-value"):
        rotation(KNOWN, ours=False, **secret)


def test_a_rotation_under_way_of_another_secret_is_to_be_finished_first():
    with pytest.raises(RotationRefused, match="shop/token"):
        course("shop/another", facts(), UNDER_WAY, False)


def test_a_target_moves_to_another_secret_and_its_former_one_is_remembered_until_the_end():
    way = course("shop/another", facts(current="w1"), KNOWN, False)
    assert (way["to_version"], way["from_secret"], way["from_version"]) == ("w1", "shop/token", "v1")
    begun = entry_under_way(KNOWN, way, "w1", ["app2"])
    again = course("shop/another", facts(current="w1"), begun, False)
    assert (again["from_secret"], again["from_version"], again["done"]) == ("shop/token", "v1", ["app2"])


FOREIGN = {"secret": "shop/token", "from_secret": "shop/db", "version_id": "d1", "rotating": {"version_id": "v1"}}
MOVED = {"secret": "shop/db", "version_id": "d1"}


@pytest.mark.parametrize("entry", [FOREIGN, MOVED])
@pytest.mark.parametrize(
    "before",
    [{}, {"before": {"secret": "shop/db", "ours": False}}, {"before": {"secret": "shop/another", "ours": True}}],
)
def test_a_secret_that_the_ledger_alone_names_is_neither_read_nor_tried_and_the_lines_say_so(entry, before):
    way = course("shop/token", {**facts(), **before}, entry, False)
    assert way["needed"] and not way["prove"]
    said = lines(
        {
            "course": way,
            "target": "replication group cache",
            "token": "token",
            "hosts": [],
            "shared": [],
            "services": {},
            "paths": {},
        }
    )
    assert said[-1].startswith("secret shop/db") and "not read" in said[-1] and "unproven" in said[-1]


@pytest.mark.parametrize("entry", [KNOWN, UNDER_WAY, {}])
def test_an_old_token_in_this_migrations_own_secret_is_tried(entry):
    assert rotation(entry, pending="v2")["prove"]


@pytest.mark.parametrize("entry", [KNOWN, {**KNOWN, "from_secret": "shop/token", "secret": "shop/another"}])
def test_an_old_token_in_a_secret_that_carries_this_migrations_tag_is_tried(entry):
    begun = {**entry, "rotating": {"version_id": "w1", "hosts": []}} if entry is not KNOWN else entry
    own = {**facts(current="w1"), "before": {"secret": "shop/token", "ours": True}}
    way = course("shop/another", own, begun, False)
    assert way["from_secret"] == "shop/token" and way["prove"]


def test_the_ledger_learns_who_uses_the_new_token_and_forgets_it_at_the_end():
    begun = entry_under_way(KNOWN, rotation(KNOWN, pending="v2"), "v2", [])
    assert begun == {"secret": "shop/token", "version_id": "v1", "rotating": {"version_id": "v2", "hosts": []}}
    further = entry_under_way(begun, rotation(begun, pending="v2"), "v2", ["app2", "app1"])
    assert further["rotating"]["hosts"] == ["app1", "app2"]
    assert not course("shop/token", facts(current="v2"), entry_of("shop/token", "v2"), False)["needed"]


def test_where_a_value_leads_is_told_by_what_was_found():
    change = {"changes": {"REDIS_URL": {"before_location": {"host": "new.internal"}}}}
    assert leads_to([change], "new.internal")
    assert not leads_to([change], "old.internal")
    assert not leads_to([{"skipped": True}, {"changes": {"X": {"before_location": None}}}], "new.internal")


def test_a_rotation_says_each_of_its_steps_and_no_token():
    way = rotation(KNOWN, wants_new=True)
    told = {
        "course": way,
        "target": "replication group cache",
        "token": "token",
        "hosts": ["app1"],
        "shared": ["SSM parameter /shop/URL"],
        "services": {"app1": ["shop"]},
        "paths": {"app1": ["/.env"]},
    }
    assert lines(told) == [
        "secret shop/token: put a generated token beside the current one",
        "replication group cache: accept the new version beside the token that it has",
        "SSM parameter /shop/URL: the new token",
        "app1: /.env: the new token",
        "app1: restart shop",
        "secret shop/token: make the new version the current one",
        "replication group cache: end the token before it",
    ]
    assert lines({**told, "course": rotation(KNOWN)})[0].startswith("Nothing: ")


def test_a_failed_host_is_named_with_what_to_do_and_what_is_valid():
    results = {
        "app1": {"state": "ok", "changed": True},
        "app2": {"state": "failed", "step": "Restart", "why": "it does not come back"},
        "app3": {"state": "untouched"},
    }
    said = verdict(results, both_valid=True, playbook=ROTATE)
    assert "app2 failed at the step 'Restart': it does not come back" in said
    assert "Both tokens are valid" in said and "On the new token: app1." in said and f"{ROTATE} again" in said
    assert "Nothing was changed" in verdict(results, both_valid=False, playbook=ROTATE)


def test_a_step_of_the_controller_that_failed_is_named_with_the_hosts_that_did_and_with_what_goes_on():
    results = {
        "app1": {"state": "ok", "changed": True},
        "app2": {"state": "failed", "step": "Restart", "why": "it does not come back"},
    }
    failure = {"step": "Remember which hosts use the new token", "why": "the credentials have expired"}
    assert verdict(results, both_valid=True, playbook=ROTATE, failure=failure).splitlines() == [
        "The controller failed at the step 'Remember which hosts use the new token': the credentials have expired",
        "app2 failed at the step 'Restart': it does not come back",
        "Both tokens may be valid: end neither by hand.",
        "On the new token: app1.",
        f"Mend the cause and run {ROTATE} again, which goes on from here.",
    ]
