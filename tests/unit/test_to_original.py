"""The goal original: who is put back, who is beyond help, and when nothing is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import to_original
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look

from tests.unit.engine_world import ENDPOINT, FOREIGN, NEW, OLD, PATH, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
NO_ORIGINAL = Host(Held(NEW), "target.internal")
CUTOVER = {"cutover": {"endpoint": ENDPOINT, "hosts": ["app1"], "time": "2026-11-25T18:00:00Z"}}
AWAY = {"unreachable_host": True, "step": "look at the host", "why": "the host cannot be reached: timed out"}
GONE = {**ENDPOINT, "state": "after_apply", "address": "after-apply.invalid"}


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def plan(world, looks=None, **known):
    return to_original.plan(replace(world.known("rollback"), **known), {**world.looks("rollback"), **(looks or {})})


def away(host):
    return {host: Look.from_dict(host, AWAY)}


def silent(look, kind="timeout"):
    failure = {"kind": kind, "found": "No answer."}
    return replace(look, old={"reached": False, "failure": failure, "location": {"host": "old.internal"}})


# --- who is put back ---


def test_a_host_goes_back_to_what_its_journal_has_and_is_restarted():
    told = plan(world(ON_TARGET, ledger=CUTOVER))
    assert told.batches == (("app1",),)
    assert told.lines == [
        f"app1: {PATH} REDIS_URL: rediss://:***@target.internal:6379/0 -> redis://:***@old.internal:6379/0",
        "app1: restart shop",
        "ledger: forget when the cutover was",
    ]


def test_a_host_whose_value_is_back_and_whose_app_is_still_on_the_target_is_restarted():
    assert plan(world(replace(ON_OLD, connected="target.internal"))).lines == ["app1: restart shop"]


def test_an_original_that_is_back_and_still_journaled_is_work():
    [step] = plan(world(Host(replace(Held.written_over(OLD, NEW), value=OLD)))).steps
    assert "the journal need not keep it" in step.line


def test_each_host_is_proven_also_where_nothing_is_to_be_put_back():
    """Nothing remembers what a rollback that was killed has restarted."""
    told = plan(world(ON_OLD, ON_OLD))
    assert told.steps == () and told.batches == (("app1", "app2"),)
    assert not told.facts["begins"], "no lock, and no ledger is asked"


def test_what_hosts_share_goes_back_and_all_of_them_are_proven():
    told = plan(world(Host(None, ""), Host(None, "target.internal"), shared=Held.written_over(OLD, NEW)))
    assert told.batches == (("app1", "app2"),), "an app that is not connected has read it all the same"
    assert told.lines[0].startswith("SSM parameter /shop/REDIS_URL: rediss")


# --- who is beyond help ---


def test_a_host_out_of_reach_is_named_and_the_others_are_put_back():
    told = plan(world(ON_TARGET, ON_TARGET, ledger=CUTOVER), away("app2"))
    assert told.batches == (("app1",),) and told.facts["beyond_help"] == {"app2": AWAY["why"]}
    assert told.facts["forgets"], "from now on it is not true that all are there"


def test_a_host_without_an_original_is_named_also_where_its_app_is_not_connected():
    told = plan(world(replace(NO_ORIGINAL, connected=""), ON_TARGET))
    why = told.facts["beyond_help"]["app1"]
    assert PATH in why and "/var/lib/cache_migration" in why and "restart shop" in why
    assert told.consumers == ["app2"]


def test_a_value_that_somebody_has_changed_since_is_left_and_its_host_named():
    told = plan(world(Host(replace(Held.written_over(OLD, NEW), value=FOREIGN), "foreign.internal")))
    assert "somebody has changed it" in told.facts["beyond_help"]["app1"] and told.consumers == []


def test_all_values_of_a_host_go_back_as_one_or_none_does():
    there = world(ON_TARGET, ON_OLD)
    look = there.looks("rollback")["app1"]
    look = replace(look, values=(*look.values, {"path": "/etc/other", "changes": {}, "failure": "it cannot be read"}))
    told = plan(there, {"app1": look})
    assert told.facts["beyond_help"] == {"app1": "it cannot be read"}
    assert not any(step.consumer == "app1" for step in told.steps)


@pytest.mark.parametrize("old", [{"msg": "the journal is damaged"}, {"failure": {"kind": "unreadable", "found": "x"}}])
def test_a_host_that_cannot_even_ask_the_old_redis_is_named(old):
    there = world(ON_TARGET, ON_TARGET)
    told = plan(there, {"app2": replace(there.looks("rollback")["app2"], old=old)})
    assert list(told.facts["beyond_help"]) == ["app2"] and told.consumers == ["app1"]


def test_a_host_whose_look_ended_in_an_error_is_named_and_never_called_back():
    told = plan(world(ON_TARGET, ON_TARGET), {"app2": Look.from_dict("app2", {"failed": True, "msg": "no sudo"})})
    assert told.facts["beyond_help"] == {"app2": "no sudo"}


# --- what hosts share ---


def test_a_shared_value_without_an_original_is_a_failure_also_where_nothing_else_is_to_be_done():
    told = plan(world(Host(None, ""), shared=Held(NEW)))
    assert "no original" in told.facts["shared_failure"]
    assert "a restart would read the target from it again" in told.facts["beyond_help"]["app1"]


def test_a_shared_store_that_cannot_be_read_is_a_failure_and_holds_no_host_with_a_file_up():
    there = world(ON_TARGET, shared=Held(OLD))
    shared = [{"store": "ssm", "name": "/shop/REDIS_URL", "words": "SSM parameter", "failure": "AccessDenied"}]
    told = plan(there, shared=shared)
    assert told.consumers == ["app1"] and told.facts["shared_failure"] == "AccessDenied"
    [refused] = plan(world(Host(None, "target.internal"), shared=Held(OLD)), shared=shared).refusals
    assert refused.startswith("Nothing was touched: the shared store cannot be read (AccessDenied)")


# --- when nothing is touched ---


def test_nothing_is_touched_where_the_old_redis_does_not_serve():
    there = world(ON_TARGET, ON_TARGET)
    [refused] = plan(there, {host: silent(look) for host, look in there.looks("rollback").items()}).refusals
    assert refused.startswith("Nothing was touched: the old Redis must answer") and "playbooks/cutover.yml" in refused


def test_a_plan_does_not_ask_an_old_redis_that_decommission_has_stopped():
    there = world(ON_TARGET, ledger={**CUTOVER, "decommission": {"step": "stopped"}})
    looks = {host: silent(look) for host, look in there.looks("rollback").items()}
    assert plan(there, looks).refusals and not plan(there, looks, check_mode=True).refusals


def test_where_there_is_nothing_to_put_back_the_old_redis_need_not_serve():
    there = world(ON_OLD)
    assert not plan(there, {"app1": silent(there.looks("rollback")["app1"])}).refusals


def test_where_no_host_can_be_reached_nothing_is_done_and_the_ledger_forgets_nothing():
    there = world(ON_TARGET, ON_TARGET, ledger=CUTOVER)
    told = plan(there, {**away("app1"), **away("app2")})
    assert told.is_nothing and not told.facts["forgets"] and set(told.facts["beyond_help"]) == {"app1", "app2"}
    shared = world(Host(None), shared=Held.written_over(OLD, NEW), ledger=CUTOVER)
    assert plan(shared, away("app1")).refusals == (to_original.NOBODY,)


# --- the ledger ---


def test_a_run_that_was_killed_may_have_left_the_ledger_alone_to_do():
    assert plan(world(ON_OLD, ledger=CUTOVER)).lines == ["ledger: forget when the cutover was"]


def test_under_a_limit_the_ledger_forgets_only_where_a_host_is_put_back():
    assert not plan(world(ON_OLD, ON_TARGET, ledger=CUTOVER, present=("app1",))).facts["forgets"]
    assert plan(world(ON_OLD, ON_TARGET, ledger=CUTOVER, present=("app2",))).facts["forgets"]


# --- the target that AWS does not tell ---


def test_where_aws_is_away_the_ledger_tells_which_target_is_to_be_left():
    known = replace(world(ON_TARGET, ledger=CUTOVER).known("rollback"), endpoint=GONE)
    assert to_original.target_of(known)["address"] == "target.internal"
    assert to_original.plan(known, world(replace(NO_ORIGINAL, connected="")).looks("rollback")).facts["beyond_help"]


def test_what_stays_behind_is_counted_where_something_is_put_back():
    assert "cannot be told" in plan(world(ON_TARGET)).notes[0]
    assert plan(world(ON_OLD)).notes == ()


# --- the results ---


def test_a_host_beyond_help_has_failed_and_whoever_was_not_moved_is_as_it_was():
    told = plan(world(ON_TARGET, ON_TARGET, ON_TARGET), away("app2"))
    found = {"app1": {"state": "ok", "changed": True}, "app2": None, "app3": {"failed": True, "msg": "a worker died"}}
    results = to_original.results(told, found)
    assert results["app1"]["state"] == "ok" and results["app2"]["why"] == AWAY["why"]
    assert (results["app3"]["state"], results["app3"]["why"]) == ("failed", "a worker died")


# --- what stays behind on the target ---

COUNTED = {"total_keys": 7, "keys_without_ttl": 0, "sampled": 7, "key_groups": []}
DENIED = {"msg": "The keys of the cache cannot be told: No answer within 5 s."}


def counting(there, **contents):
    looks = there.looks("rollback")
    on_target = [{"name": "shop", "restarted": True, "connections": {"to_target": 0, "to_left": 1}}]
    for host, look in looks.items():
        is_on_it = there.hosts[host].connected == "target.internal"
        looks[host] = replace(look, contents=contents.get(host, {}), services=on_target if is_on_it else look.services)
    return looks


def test_one_host_that_counted_what_stays_behind_is_enough_whichever_it_is():
    there = world(ON_TARGET, ON_TARGET, ON_TARGET)
    told = plan(there, looks=counting(there, app2=COUNTED))
    assert told.facts["survey"] == [] and "holds 7 keys" in told.notes[0]
    told = plan(there, looks={**counting(there, app1=DENIED, app3=COUNTED), **away("app2")})
    assert told.facts["survey"] == [] and "holds 7 keys" in told.notes[0]


def test_where_the_first_host_could_not_count_others_are_to_those_on_the_target_first():
    there = world(ON_TARGET, ON_OLD, ON_TARGET, ON_TARGET, ON_TARGET, ON_TARGET)
    assert plan(there, looks=counting(there, app1=DENIED)).facts["survey"] == ["app3", "app4", "app5"]
    there = world(ON_TARGET, ON_OLD, ON_TARGET)
    assert plan(there, looks={**counting(there), **away("app1")}).facts["survey"] == ["app3", "app2"]


def test_where_nobody_could_count_each_reason_is_told():
    there = world(ON_TARGET, ON_TARGET)
    told = plan(there, looks=counting(there, app1=DENIED, app2={"msg": "Not from here."}))
    assert told.facts["survey"] == []
    assert (
        "cannot be told (app1: The keys of the cache cannot be told: No answer within 5 s; app2: Not from here)"
        in told.notes[0]
    )


def test_nobody_is_to_count_what_is_not_there_or_where_nothing_goes_back():
    assert plan(world(ON_TARGET), endpoint=GONE).facts["survey"] == []
    assert plan(world(ON_OLD)).facts["survey"] == []
