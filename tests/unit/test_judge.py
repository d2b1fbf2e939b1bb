"""What follows from results: who is put back where a run stopped, and whether what hosts share is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import judge

from tests.unit.engine_world import ENDPOINT, NEW, OLD, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
OK, UNTOUCHED = {"state": "ok", "changed": True}, {"state": "untouched", "changed": False}
FAILED = {"state": "failed", "changed": True, "step": "x", "why": "y"}
CHECK_FAILED = {"checks": [{"passed": True}, {"passed": False}]}
JOURNALED = Held.written_over(OLD, NEW)


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def remembered(*hosts):
    return {"cutover": {"endpoint": ENDPOINT, "hosts": list(hosts)}}


def back(world, turn, **results):
    return judge.to_put_back(world.known("cutover"), world.plan("cutover"), results, turn)


def is_shared_back(world, **turn):
    return judge.shared_to_revert(world.known("cutover"), world.plan("cutover"), turn)


# --- results ---


def test_whose_turn_has_not_come_is_untouched():
    assert judge.results_of({"app1": None, "app2": None}, ["app1"])["app2"] == UNTOUCHED


def test_whose_turn_has_come_and_who_has_no_result_was_lost():
    assert judge.results_of({"app1": None}, ["app1"])["app1"]["state"] == "failed"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"failed": True, "msg": "Task failed: no module"}, "Task failed: no module"),
        ({"unreachable": True, "msg": "no route"}, "the host cannot be reached: no route"),
        ({"changed": False}, "its task ended without a result"),
    ],
)
def test_a_task_that_ended_without_a_result_has_failed_and_may_have_changed_its_host(found, why):
    """Without a state it would be neither failed nor ok, and the run would go on."""
    result = judge.results_of({"app1": found}, ["app1"])["app1"]
    assert (result["state"], result["changed"], result["why"]) == ("failed", True, why)


# --- hosts ---


def test_what_this_run_changed_is_put_back_and_what_it_did_not_touch_is_not():
    there = world(ON_OLD, ON_OLD, ON_OLD)
    assert back(there, {}, app1=OK, app2=FAILED, app3=UNTOUCHED) == ["app1", "app2"]


def test_what_an_earlier_run_has_begun_stays_unless_the_users_check_fails():
    there = world(ON_TARGET, ON_OLD)
    assert back(there, {}, app1={**OK, "changed": False}, app2=FAILED) == ["app2"]
    assert back(there, CHECK_FAILED, app1={**OK, "changed": False}, app2=OK) == ["app1", "app2"]


def test_a_host_of_a_cutover_that_was_complete_is_never_put_back():
    there = world(replace(ON_TARGET, connected="old.internal"), ON_OLD, ledger=remembered("app1"))
    assert back(there, CHECK_FAILED, app1=OK, app2=OK) == ["app2"]


def test_a_host_that_would_only_read_the_target_again_from_a_shared_value_is_not_put_back():
    there = world(Host(None, "target.internal"), Host(None, "old.internal"), shared=JOURNALED)
    assert back(there, {}, app1=UNTOUCHED, app2=FAILED) == []


# --- what they share ---


def test_a_shared_value_that_this_run_wrote_goes_back():
    assert is_shared_back(world(Host(None), shared=Held(OLD)), shared={"changed": True})


def test_one_that_it_failed_to_write_goes_back_from_under_no_host_that_is_on_the_target():
    assert is_shared_back(world(Host(None), shared=Held(OLD)), shared={"failed": True})
    assert not is_shared_back(world(Host(None, "target.internal"), shared=Held(OLD)), shared={"failed": True})


def test_one_that_a_killed_run_wrote_goes_back_where_no_host_is_on_the_target_yet():
    assert is_shared_back(world(Host(None), shared=JOURNALED))
    assert not is_shared_back(world(Host(None), Host(None, "target.internal"), shared=JOURNALED))


def test_one_that_a_killed_run_wrote_goes_back_with_all_hosts_where_the_users_check_fails():
    there = world(Host(None, "target.internal"), shared=JOURNALED)
    assert is_shared_back(there, **CHECK_FAILED)
    assert back(there, CHECK_FAILED, app1={**OK, "changed": False}) == ["app1"]


def test_one_of_a_cutover_that_was_complete_stays():
    assert not is_shared_back(world(Host(None), shared=JOURNALED, ledger=remembered("app1")), **CHECK_FAILED)


def test_where_hosts_share_nothing_nothing_shared_goes_back():
    assert not is_shared_back(world(ON_OLD), shared={"changed": True})
