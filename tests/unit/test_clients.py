"""Processes that are connected to what is left, and that no service of the migration is."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import clients, engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.clients import unit_of

from tests.unit.engine_world import NEW, OLD, Held, Host, World
from tests.unit.test_ending import OK, cutover

BEAT = {"pid": 123, "program": "python", "unit": "shop-beat.service"}
TOLD = (
    "app1: shop-beat.service (python, pid 123) is connected to the old Redis and in no migration_services: name it "
    "there, or stop it, as it does not move with the app."
)
ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")


class Forgetful(World):
    """On its first host a process was forgotten."""

    def looks(self, goal):
        seen = {"processes": [BEAT]}
        return {
            host: Look(**{**vars(look), "other_clients": seen if host == "app1" else {"processes": []}})
            for host, look in super().looks(goal).items()
        }


def forgetful(*hosts, **more):
    return Forgetful({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def policy(world, word):
    return {"settings": {**world.known("cutover").settings, "unknown_clients": word}}


# --- what is told ---


def test_each_unit_of_a_host_has_a_line_with_its_processes_and_what_to_do():
    processes = [BEAT, {**BEAT, "pid": 124}, {"pid": 9, "program": "redis-cli", "unit": ""}]
    told = clients.lines({"app1": {"processes": processes}, "app2": {"processes": []}})
    assert told[0].startswith("app1: shop-beat.service (python, pid 123, 124) is connected")
    assert told[1].startswith("app1: redis-cli, pid 9 is connected") and len(told) == 2


def test_what_could_not_be_seen_is_told_and_is_no_none():
    [told] = clients.lines({"app1": {"processes": [], "failure": "Become root."}})
    assert told == "app1: whether another process is connected to the old Redis is not known. Become root."


@pytest.mark.parametrize("goal", ["assess", "cutover", "migrate"])
def test_a_plan_tells_of_them_and_goes_on(goal):
    plan = forgetful(ON_OLD, ON_OLD).plan(goal)
    assert TOLD in plan.notes or plan.facts["survey"]
    assert not plan.refusals


@pytest.mark.parametrize("goal", ["assess", "cutover", "migrate"])
def test_by_the_word_for_unknown_clients_it_is_refused_before_anything_is_touched(goal):
    there = forgetful(ON_OLD)
    plan = there.plan(goal, **policy(there, "refuse"))
    assert any(TOLD in refusal and "migration_unknown_clients: warn" in refusal for refusal in plan.refusals)
    assert TOLD not in plan.notes


def test_who_cannot_see_them_cannot_say_that_there_are_none_either():
    assert "is not known" in clients.refusal({"app1": {"processes": [], "failure": "Become root."}}, "refuse")
    assert clients.refusal({"app1": {"processes": []}}, "refuse") == ""


def test_where_all_are_on_the_target_they_are_told_and_refuse_nothing():
    there = forgetful(ON_TARGET).remembered()
    plan = there.plan("cutover", **policy(there, "refuse"))
    assert TOLD in plan.notes and not plan.refusals and plan.is_nothing


def test_the_way_back_tells_who_stays_on_the_target_and_is_not_held_up():
    there = forgetful(ON_TARGET)
    plan = there.plan("rollback", **policy(there, "refuse"))
    assert plan.batches and not plan.refusals
    assert any("python, pid 123) is connected to the target and in no" in note for note in plan.notes)


def test_where_it_stands_tells_of_them():
    assert TOLD in forgetful(ON_TARGET).plan("state").notes


def test_the_end_tells_of_who_is_there_by_the_last_look_at_each_host():
    there = forgetful(ON_OLD, ON_OLD)
    stays = cutover(there, {}, found={"app1": {**OK, "other_clients": {"processes": [BEAT]}}, "app2": OK})
    assert stays.lines[1] == TOLD and stays.lines[-1].startswith("The way back")
    went = cutover(there, {}, found={"app1": {**OK, "other_clients": {"processes": []}}, "app2": OK})
    assert len(went.lines) == 2
    there = forgetful(ON_TARGET, ON_OLD).remembered()
    assert TOLD in cutover(there, {}, found={"app1": None, "app2": OK}).lines, "by the plan, as it was not moved"


def test_where_no_value_matters_they_do_not_either():
    there = forgetful(ON_TARGET)
    assert not any("shop-beat" in line for line in engine.plan(there.known("ingress"), there.looks("ingress")).notes)


# --- what a process belongs to ---


@pytest.mark.parametrize(
    ("lines", "unit"),
    [
        ("0::/system.slice/shop-beat.service", "shop-beat.service"),
        ("0::/system.slice/shop.service/worker", "shop.service"),
        ("4:memory:/other\n1:name=systemd:/system.slice/web@1.service\n0::/", "web@1.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/jobs.service", "jobs.service"),
        ("0::/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        (f"0::/system.slice/docker-{'0123456789ab' + 'f' * 52}.scope", "container 0123456789ab"),
        (f"0::/docker/{'0123456789ab' + 'f' * 52}", "container 0123456789ab"),
        ("0::/", ""),
        ("nonsense", ""),
    ],
)
def test_the_innermost_unit_or_container_is_told(tmp_path, lines, unit):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cgroup").write_text(f"{lines}\n")
    assert unit_of(7, str(tmp_path)) == unit


def test_a_program_of_supervisor_is_told_by_the_name_that_supervisorctl_takes(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cgroup").write_text("0::/system.slice/supervisor.service\n")
    (tmp_path / "7/environ").write_bytes(b"A=1\0SUPERVISOR_GROUP_NAME=shop\0SUPERVISOR_PROCESS_NAME=beat_00\0")
    assert unit_of(7, str(tmp_path)) == "shop:beat_00"
    (tmp_path / "7/environ").write_bytes(b"SUPERVISOR_GROUP_NAME=beat\0SUPERVISOR_PROCESS_NAME=beat\0")
    assert unit_of(7, str(tmp_path)) == "beat"
