"""The goal target: who is switched, in which batches, what is said of it, and what stands against it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine, rollback, to_target
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look

from tests.unit.engine_world import ENDPOINT, FOREIGN, NEW, OLD, PATH, SETTINGS, Held, Host, World

MASKED_OLD, MASKED_NEW = "redis://:***@old.internal:6379/0", "rediss://:***@target.internal:6379/0"
ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
AT_TARGET = {"host": "target.internal", "port": 6379}
BEFORE = {**ENDPOINT, "address": "before.internal"}


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def remembered(*hosts, endpoint=ENDPOINT):
    return {"cutover": {"endpoint": endpoint, "hosts": list(hosts), "time": "2026-11-25T18:00:00Z"}}


def plan(world, **settings):
    looks = settings.pop("looks", None) or world.looks("cutover")
    known = replace(world.known("cutover"), settings={**SETTINGS, **settings})
    return to_target.plan(known, looks)


# --- who, and in which order ---


def test_hosts_on_the_old_redis_are_switched_the_first_alone():
    assert plan(world(ON_OLD, ON_OLD, ON_OLD)).batches == (("app1",), ("app2",), ("app3",))


def test_the_canary_that_is_named_goes_first_and_a_batch_is_as_large_as_asked_for():
    assert plan(world(ON_OLD, ON_OLD, ON_OLD), canary="app2", batch_size=2).batches == (("app2",), ("app1", "app3"))


def test_a_canary_that_is_on_the_target_already_gives_its_place_to_the_first_that_is_not():
    assert plan(world(ON_TARGET, ON_OLD, ledger=remembered("app1")), canary="app1").batches == (("app2",),)


def test_a_canary_that_is_no_host_of_this_run_is_refused_by_the_name_of_its_option():
    assert "migration_canary" in plan(world(ON_OLD), canary="app9").refusals[0]
    assert "migration_canary" in plan(world(ON_OLD, ON_OLD, present=("app2",)), canary="app1").refusals[0]


def test_a_host_whose_value_is_there_and_whose_app_is_not_is_restarted():
    told = plan(world(replace(ON_TARGET, connected="old.internal"), ledger=remembered("app1")))
    assert told.lines == ["app1: restart shop", "ledger: remember that every host is on the target"]


def test_a_host_that_somebody_put_on_another_redis_is_switched_again():
    host = Host(Held.written_over(OLD, NEW), "foreign.internal")
    assert plan(world(replace(host, own=replace(host.own, value=FOREIGN)), ledger=remembered("app1"))).batches


def test_where_all_are_on_the_target_and_the_ledger_knows_it_there_is_nothing_to_do():
    assert plan(world(ON_TARGET, ON_TARGET, ledger=remembered("app1", "app2"))).is_nothing


def test_what_a_killed_run_has_changed_is_proven_before_the_ledger_says_that_it_is_there():
    told = plan(world(ON_TARGET, ON_OLD))
    assert told.batches == (("app1",), ("app2",)) and told.facts["is_to_remember"]
    assert not any(line.startswith("app1") for line in told.lines), "nothing of it is changed"


def test_under_a_limit_the_ledger_is_told_nothing_and_only_what_is_to_be_switched_is_moved():
    told = plan(world(ON_TARGET, ON_OLD, ON_OLD, present=("app1", "app2")))
    assert told.batches == (("app2",),) and not told.facts["is_to_remember"]


def test_hosts_that_share_a_value_are_all_switched_where_it_leads_elsewhere():
    told = plan(world(Host(None), Host(None), shared=Held(OLD)))
    assert told.batches == (("app1",), ("app2",))
    assert told.lines[:2] == [f"SSM parameter /shop/REDIS_URL: {MASKED_OLD} -> {MASKED_NEW}", "app1: restart shop"]


def test_a_shared_value_is_changed_also_where_every_host_is_there_by_its_own():
    told = plan(world(ON_TARGET, shared=Held(OLD), ledger=remembered("app1")))
    assert told.batches == () and [step.consumer for step in told.steps] == [""]


# --- what is said ---


def test_each_change_and_each_restart_is_a_line_without_a_secret():
    assert plan(world(ON_OLD)).lines == [
        f"app1: {PATH} REDIS_URL: {MASKED_OLD} -> {MASKED_NEW}",
        "app1: restart shop",
        "ledger: remember that every host is on the target",
    ]


def test_the_users_check_is_said_where_it_runs():
    told = plan(world(ON_OLD, ON_OLD, ON_OLD), check_command="make smoke", batch_size=2)
    checks = [number for number, line in enumerate(told.lines) if line.startswith("your check")]
    assert [told.lines[number] for number in checks] == [
        "your check after the canary: make smoke",
        "your check after the last batch: make smoke",
    ]
    assert told.lines[checks[0] - 1] == "app1: restart shop" and told.facts["checks"]


def test_the_users_check_does_not_run_where_nothing_is_to_be_moved():
    told = plan(world(ON_TARGET, ledger=remembered("app1")), check_command="make smoke")
    assert told.is_nothing and not told.facts["checks"]


def test_a_check_that_follows_a_change_of_the_shared_value_alone_is_said_too():
    told = plan(world(ON_TARGET, shared=Held(OLD), ledger=remembered("app1")), check_command="make smoke")
    assert told.lines[-1] == "your check after the last batch: make smoke" and told.facts["checks"]


@pytest.mark.parametrize("command", ["make 'smoke", {"make": "smoke"}, [""]])
def test_a_check_that_is_no_command_is_refused_before_anything_is_changed(command):
    [refused] = plan(world(ON_OLD), check_command=command).refusals
    assert "migration_check_command" in refused


# --- what stands against it ---


def test_a_host_that_cannot_be_looked_at_ends_it_before_the_first_change():
    there = world(ON_OLD, ON_OLD)
    looks = {**there.looks("cutover"), "app2": Look.from_dict("app2", None)}
    [refused] = plan(there, looks=looks).refusals
    assert refused.startswith("app2 failed: it could not be reached earlier in this run.")
    assert "No host was changed" in refused


def test_a_host_that_does_not_reach_the_target_ends_it():
    there = world(ON_OLD, ON_OLD)
    failure = {"kind": "timeout", "found": "No answer."}
    closed = {"failed": True, "msg": "The security group is closed.", "failure": failure, "location": AT_TARGET}
    looks = there.looks("cutover")
    looks["app1"] = replace(looks["app1"], target=closed)
    assert "app1 failed: The security group is closed." in plan(there, looks=looks).refusals[0]


def with_old(there, **probes):
    looks = there.looks("cutover")
    return {host: replace(look, old=probes.get(host, look.old)) for host, look in looks.items()}


def silent(kind):
    return {"reached": False, "failure": {"kind": kind, "found": "No answer."}, "location": {"host": "old.internal"}}


def test_a_host_of_which_nobody_can_tell_what_it_used_has_no_way_back():
    there = world(ON_OLD, ON_OLD)
    unread = {"reached": False, "failure": {"kind": "unreadable", "found": "It asks Sentinel."}, "location": {}}
    [refused] = plan(there, looks=with_old(there, app2=unread)).refusals
    assert "the way back must be open" in refused and "app2: It asks Sentinel." in refused


def test_where_the_old_redis_serves_some_hosts_and_not_others_the_way_back_is_missing():
    there = world(ON_OLD, ON_OLD)
    [refused] = plan(there, looks=with_old(there, app2=silent("timeout"))).refusals
    assert "the way back must be open" in refused and "app2: No answer." in refused and "app1" not in refused


@pytest.mark.parametrize("kind", sorted(rollback.SILENT))
def test_where_the_old_redis_is_silent_for_all_it_is_gone_and_the_way_is_forward(kind):
    there = world(ON_OLD, ON_OLD)
    told = plan(there, looks=with_old(there, app1=silent(kind), app2=silent(kind)))
    assert not told.refusals and "no way back" in told.notes[0] and "app1, app2" in told.notes[0]


def test_a_host_that_has_nothing_to_go_back_to_says_nothing_of_a_redis_that_is_gone():
    there = world(ON_OLD, Host(Held(NEW), ""))
    nothing = {"reached": False, "failure": {"kind": "no_original", "found": "No way back."}, "location": {}}
    assert not plan(there, looks=with_old(there, app1=silent("refused"), app2=nothing)).refusals


def test_an_old_redis_that_answers_and_refuses_all_is_not_gone():
    there = world(ON_OLD)
    assert "No answer." in plan(there, looks=with_old(there, app1=silent("auth_wrong"))).refusals[0]


def test_the_kinds_of_silence_are_kinds_that_a_probe_has():
    assert rollback.SILENT <= failures.KINDS


def test_all_that_stands_against_it_is_said_at_once():
    there = world(ON_OLD, ON_OLD)
    looks = {**with_old(there, app1=silent("auth_wrong")), "app2": Look.from_dict("app2", None)}
    assert len(plan(there, looks=looks, canary="app9").refusals) == 3


# --- the ledger, and what the end must know ---


def test_hosts_that_are_switched_again_are_forgotten_and_the_others_stay_remembered():
    facts = plan(world(ON_TARGET, ON_OLD, ledger=remembered("app1", "app2"))).facts
    assert facts["forgets"] and facts["was_complete"] and facts["stay"] == ["app1"]


def test_what_the_ledger_says_of_a_target_before_this_one_is_forgotten():
    facts = plan(world(ON_OLD, ledger=remembered("app1", endpoint=BEFORE))).facts
    assert facts["forgets"] and not facts["was_complete"] and facts["remembered"] == []


def test_a_cutover_that_was_never_remembered_is_nothing_to_forget():
    assert not plan(world(ON_OLD)).facts["forgets"]


def test_where_the_values_led_before_is_left_by_the_journal_also_where_a_run_was_killed():
    assert plan(world(ON_TARGET, ON_OLD)).facts["left"] == [{"address": "old.internal", "port": 6379}]


def test_who_was_there_before_and_who_was_begun_before_is_told_apart():
    facts = plan(world(ON_TARGET, Host(Held(NEW), "target.internal"), ON_OLD)).facts
    assert facts["led_to_target"] == ["app1", "app2"], "also the one that came up there by itself"
    assert facts["begun_before"] == ["app1"] and facts["on_target"] == ["app1", "app2"]


# --- what a host reads ---


def reads(own, shared=None, restarted=False):
    """A host whose file, or what all share, has been looked at so."""
    known = replace(world(Host(None)).known("cutover"), shared=[shared] if shared else [])
    return Look("app1", (own,) if own else (), ({"name": "shop", "restarted": restarted},)), known


def seen(action, **more):
    return {"path": PATH, "changes": {"REDIS_URL": {"action": action, **more}}}


KEPT, WRITTEN = seen("keep"), seen("write")
BEGUN = seen("keep", journaled=True)


def test_a_host_leads_to_the_target_where_the_value_that_it_reads_is_to_be_kept():
    assert to_target.leads_to_target(*reads(KEPT))
    assert to_target.leads_to_target(*reads(None, KEPT))
    assert not to_target.leads_to_target(*reads(WRITTEN, KEPT)), "the host has a value of its own"
    assert not to_target.leads_to_target(*reads(None))


def test_a_host_is_switched_where_the_value_that_it_reads_changes_or_its_service_is_restarted():
    assert to_target.is_to_move(*reads(WRITTEN))
    assert to_target.is_to_move(*reads(None, WRITTEN))
    assert to_target.is_to_move(*reads(KEPT, restarted=True))
    assert not to_target.is_to_move(*reads(KEPT, WRITTEN)), "the host has a value of its own"


def test_an_earlier_run_has_begun_a_host_whose_value_is_changed_and_journaled():
    def begun(own, shared=None):
        look, known = reads(own, shared)
        return to_target.facts(known, {"app1": look}, [])["begun_before"]

    assert begun(BEGUN) == ["app1"]
    assert begun(seen("write", journaled=True)) == [], "a look tells what a run would journal"
    assert begun(seen("keep", journaled=False), BEGUN) == [], "the host has a value of its own"
    assert begun(None, BEGUN) == ["app1"], "the host reads the shared value"


# --- who is on the target already ---


def notes(there, **settings):
    return engine.plan(replace(there.known("cutover"), settings={**SETTINGS, **settings}), there.looks("cutover")).notes


def test_a_run_that_proves_nothing_says_what_it_saw_and_what_it_did_not_ask():
    there = world(ON_TARGET, ON_TARGET, ledger=remembered("app1", "app2"))
    assert notes(there, check_command="true") == (
        "On the target already, not proven again: app1, app2. Seen: the value leads there; the host reaches it; each "
        "process that serves is connected to it, and none to the old Redis. Not asked: whether the app is healthy; "
        "your check passes.",
    )


def test_of_those_that_are_moved_nothing_is_said_before_it_is_proven():
    assert notes(world(ON_OLD)) == ()
    assert notes(world(ON_TARGET)) == (), "the ledger does not know it, so that it is proven"
    [note] = notes(world(ON_TARGET, ON_OLD, ledger=remembered("app1")), check_command="true")
    assert "not proven again: app1." in note and "app2" not in note and "your check" not in note, (
        "that is run at the end"
    )


def test_what_the_look_could_not_see_is_not_said_to_be_so():
    there = world(ON_TARGET, ledger=remembered("app1"))
    look = replace(there.looks("cutover")["app1"], target={}, services=())
    [note] = engine.plan(there.known("cutover"), {"app1": look}).notes
    assert "Seen: the value leads there. Not asked: whether the host reaches it; each process that serves" in note
