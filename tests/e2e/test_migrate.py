"""The plan, the migration, a second run, and the way back, under load."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e import policies


@pytest.fixture(scope="module")
def before(stage):
    """What everything was like at the start; the story below goes in order."""
    return {"files": stage.environment_files(), "parameter": stage.parameter(), "data": stage.old_redis()}


@pytest.fixture(scope="module")
def load(stage, before):
    with stage.load() as stop:
        yield stop


@pytest.fixture(scope="module")
def plan(stage, load):
    with policies.of_stage(stage, "plan"):
        return stage.migrate("--check", "--diff")


@pytest.fixture(scope="module")
def migrated(stage, plan):
    with policies.of_stage(stage, "migrate"):
        return stage.migrate()


@pytest.fixture(scope="module")
def again(stage, migrated):
    with policies.of_stage(stage, "migrate"):
        return stage.migrate()


@pytest.fixture(scope="module")
def back(stage, again):
    with policies.of_stage(stage, "rollback"):
        return stage.play("playbooks/rollback.yml")


def comparable(lines):
    """A plan cannot know ids and addresses that AWS gives: they are left out of the comparison."""
    return [
        re.sub(r"sg-[0-9a-f]+|after-apply(\.invalid)?|master\.\S+?\.cache\.amazonaws\.com", "<given by AWS>", x)
        for x in lines
    ]


def test_the_plan_on_an_empty_account_succeeds_and_makes_no_write_call(plan):
    assert plan.code == 0
    assert plan.writes == []


def test_the_plan_changes_no_file_and_shows_no_password(stage, plan, before):
    password = re.search(r"://:([^@]+)@", before["parameter"])[1]
    assert password not in plan.text
    assert "***" in plan.text


def test_the_plan_says_what_it_costs_with_replicas_counted(plan):
    assert "24.82 USD a month for 2 nodes" in plan.said()


def test_the_run_does_what_the_plan_said_line_by_line(plan, migrated):
    assert migrated.code == 0
    assert len(plan.lines) > 8
    assert comparable(migrated.lines) == comparable(plan.lines)
    assert plan.digest and migrated.digest == plan.digest


def test_what_was_done_on_the_hosts_is_what_the_plan_said(stage, plan, migrated):
    record = json.loads((stage.folder / "report" / "cutover.json").read_text())
    planned = [line for line in plan.lines if line.startswith((*stage.hosts, "SSM parameter"))]
    assert comparable(record["done"]) == comparable(planned)
    assert f"migrate-{plan.digest}" in record["digest"]


def told(run):
    """The lines that a person reads."""
    return [line for line in run.text.splitlines() if line.strip()]


def test_a_plan_a_run_and_a_run_that_changes_nothing_fit_the_screen(plan, migrated, again):
    assert [len(told(run)) <= most for run, most in ((plan, 40), (migrated, 60), (again, 10))] == [True] * 3
    assert "TASK [" not in migrated.text and "ok: [" not in migrated.text


def test_every_host_is_connected_to_the_target_and_none_to_the_old_redis(stage, migrated):
    assert stage.on_new(), stage.connections()
    assert stage.all_healthy()


def test_the_values_lead_to_the_primary_endpoint_over_tls(stage, migrated):
    for content in stage.environment_files().values():
        assert f"@{stage.primary_address()}:6379/0".encode() in content
        assert b"REDIS_URL=rediss://:" in content
    assert stage.primary_address() in stage.parameter()


def test_where_the_migration_stands_is_told_of_every_host_without_a_write(stage, migrated):
    with policies.of_stage(stage, "state"):
        run = stage.play("playbooks/state.yml")
    assert run.code == 0 and run.writes == [] and policies.denied(run) == []
    assert all(f"{host}: new: its value leads to {stage.primary_address()}:6379" in run.said() for host in stage.hosts)
    assert f"originals are kept of: {', '.join(stage.hosts)}, /kempian/sandbox/REDIS_URL" in run.said()
    assert "lock: nobody is at work" in run.said()
    assert "next: migrate.yml would change no value" in run.said()


def test_a_second_run_changes_nothing_and_makes_no_write_call(again):
    assert again.code == 0
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    assert again.writes == []


def test_rollback_restores_every_value_byte_for_byte(stage, back, before):
    assert back.code == 0
    assert stage.environment_files() == before["files"]
    assert stage.parameter() == before["parameter"]


def test_after_rollback_the_app_serves_from_the_old_redis(stage, back):
    assert stage.on_old(), stage.connections()
    assert stage.all_healthy()


def test_rollback_leaves_the_target_in_place(stage, back):
    assert stage.group()["Status"] == "available"


def test_a_second_rollback_changes_nothing(stage, back):
    again = stage.play("playbooks/rollback.yml")
    assert again.code == 0
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    assert again.writes == []


def test_each_run_asked_for_nothing_that_the_policy_of_its_stage_has_not(stage, plan, migrated, again, back):
    assert [policies.denied(run) for run in (plan, migrated, again, back)] == [[]] * 4
    assert len({(call["service"], call["action"]) for call in stage.calls()}) > 10


def test_no_request_failed_in_all_of_it(stage, back, load):
    figures = load()
    assert figures["requests_total"] > 100
    assert figures["failed"] == 0, figures["failures"]


def test_the_data_of_the_old_redis_is_untouched(stage, back, before):
    assert stage.old_redis() == before["data"]
