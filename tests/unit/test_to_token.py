"""The goal token: who is moved to the new one, and when it is never made valid a second time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import to_token, token_rotation
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look

from tests.unit.engine_world import ENDPOINT, NEW, NEWER, OLD, PATH, SETTINGS, Held, Host, World

SECRET = {"exists": True, "ours": True, "current_version_id": "v1", "pending_version_id": "v2"}
ON_TARGET, ON_OLD = Host(Held(NEW), "target.internal"), Host(Held(OLD))
DONE = Host(Held(NEWER), "target.internal")
BOTH = frozenset({"token", "newer"})


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def course(done=(), **secret):
    entry = {"secret": "shop/token", "version_id": "v1"}
    rotating = {"rotating": {"version_id": "v2", "hosts": list(done)}} if done else {}
    return token_rotation.course("shop/token", {**SECRET, **secret}, {**entry, **rotating}, False)


def plan(world, way=None, looks=None, settings=None, **known):
    known = replace(world.known("rotate", course=way or course()), **known)
    known = replace(known, settings={**SETTINGS, **(settings or {})})
    return to_token.plan(known, {**world.looks("rotate"), **(looks or {})})


def test_every_host_on_the_target_is_moved_and_one_that_leads_elsewhere_stays():
    told = plan(world(ON_TARGET, ON_OLD, ON_TARGET))
    assert told.batches == (("app1",), ("app3",)) and told.facts["left"] == []


def test_the_lines_are_those_of_the_rotation():
    assert plan(world(ON_TARGET)).lines == [
        "replication group shop-cache: accept v2 beside the token that it has",
        f"app1: {PATH}: the new token",
        "app1: restart shop",
        "secret shop/token: make v2 the current one",
        "replication group shop-cache: end the token before it",
    ]


def test_where_no_rotation_is_due_that_is_said_and_nothing_done():
    told = plan(world(ON_TARGET), course(pending_version_id=""))
    assert told.is_nothing and told.notes[0].startswith("Nothing: the replication group shop-cache and its hosts")


def test_who_is_proven_by_an_earlier_run_is_not_moved_again():
    told = plan(world(DONE, ON_TARGET, accepted=BOTH), course(["app1"]))
    assert told.batches == (("app2",),) and told.facts["left"] == []


def test_who_is_not_in_this_run_is_left_whatever_the_ledger_says_of_it():
    assert plan(world(ON_TARGET, ON_TARGET, present=("app2",))).facts["left"] == ["app1"]
    assert plan(world(DONE, ON_TARGET, present=("app2",), accepted=BOTH), course(["app1"])).facts["left"] == ["app1"]


def test_hosts_that_share_a_value_are_all_moved_where_it_changes():
    told = plan(world(Host(None), Host(None), shared=Held(NEW)))
    assert told.consumers == ["app1", "app2"] and told.facts["shared"] == ["/shop/REDIS_URL"]
    assert "SSM parameter /shop/REDIS_URL: the new token" in told.lines


def test_a_shared_value_that_leads_elsewhere_stays_as_it_is():
    told = plan(world(ON_TARGET, shared=Held(OLD)))
    assert told.facts["shared"] == [] and not any("SSM" in line for line in told.lines)


def test_a_canary_that_is_not_in_this_run_is_none():
    there = world(ON_TARGET, ON_TARGET, present=("app2",))
    assert plan(there, settings={"canary": "app1"}).batches == (("app2",),)


def test_a_host_that_cannot_be_looked_at_ends_it_before_the_first_change():
    [refused] = plan(world(ON_TARGET, ON_TARGET), looks={"app2": Look.from_dict("app2", None)}).refusals
    assert "app2 failed" in refused and "Nothing was changed by this run." in refused


# --- whether the new token is valid already ---


def told_by_all(there, target):
    return {host: replace(look, target=target) for host, look in there.looks("rotate").items()}


def test_that_the_target_takes_the_new_token_is_told_by_any_host():
    assert plan(world(ON_TARGET, accepted=BOTH)).facts["is_accepted"]
    assert not plan(world(ON_TARGET)).facts["is_accepted"]


def test_where_no_host_can_tell_nothing_is_changed_as_a_second_time_might_end_the_one_in_use():
    there = world(ON_TARGET, ON_TARGET)
    looks = told_by_all(there, {"reached": False, "failure": {"kind": "timeout"}})
    assert "nobody" not in plan(there).refusals and not plan(there).refusals
    [refused] = plan(there, looks=looks).refusals
    assert refused.startswith("Nothing was changed") and "playbooks/rotate.yml again" in refused


def test_a_target_that_is_being_changed_may_have_it_soon_and_is_waited_for():
    there = world(ON_TARGET)
    [refused] = plan(there, found={"status": "modifying"}).refusals
    assert "is modifying" in refused
    assert not plan(there, found={"status": "available"}).refusals


def test_a_token_that_is_yet_to_be_generated_is_valid_nowhere():
    there, way = world(ON_TARGET), token_rotation.course("shop/token", {**SECRET, "pending_version_id": ""}, {}, True)
    looks = told_by_all(there, {"reached": False, "failure": {"kind": "timeout"}})
    assert not plan(there, way, looks, found={"status": "modifying"}).refusals


# --- whose token it is ---


@pytest.mark.parametrize("stated", [{"auth_token_secret": ""}, {"endpoint": {"address": "x"}}, {"adopt": True}])
def test_a_token_that_is_not_ours_is_not_rotated(stated):
    assert to_token.not_ours({**SETTINGS, **stated}, ENDPOINT, {}) == to_token.NOT_OURS


def test_a_target_without_a_token_or_of_somebody_else_is_refused_before_anything_is_made():
    assert "no AUTH token" in to_token.not_ours(SETTINGS, {**ENDPOINT, "auth": "none"}, {})
    assert "cache_migration:name=shop" in to_token.not_ours(SETTINGS, ENDPOINT, {"ours": False})
    assert to_token.not_ours(SETTINGS, ENDPOINT, {"ours": True}) == ""
