"""The way back of a retirement: what may be started, what is told where it does not start, and whether it is back."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import decommission
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import retiring

ID, OTHER = "i-0123456789abcdef0", "i-0fedcba9876543210"
BACKUP = {"bucket": "b", "key": "cache_migration/shop/20261122T110000Z.rdb", "size": 9, "sha256": "f" * 64}
ROLE = pathlib.Path(__file__).resolve().parents[2] / "roles/decommission/tasks"

# --- what may be started ---


def wrong(entry, old_hosts=("old",), instance_id=""):
    return decommission.wrong_entry({"step": "stopped", **entry}, old_hosts, instance_id, "shop", "eu-west-1")


@pytest.mark.parametrize(
    ("entry", "known"),
    [
        ({"instance_id": ID}, ID),
        ({"instance_id": ID}, ""),
        ({"service": "redis-server", "host": "old"}, ""),
        ({"service": "redis@6379.service", "host": "old"}, OTHER),
        ({}, ID),
    ],
)
def test_what_this_migration_stopped_is_started(entry, known):
    assert wrong(entry, instance_id=known) == ""


@pytest.mark.parametrize(
    "entry",
    [
        {"service": "redis-server"},  # it would be started on a host of the app
        {"service": "redis-server", "host": None},
        {"service": "redis-server", "host": "app1"},
        {"host": "app1"},
        *({"service": name, "host": "old"} for name in ("--now", "-H", "", None, "a b", "redis\n", "rescue.target")),
    ],
)
def test_a_service_that_is_none_of_the_old_redis_is_not_started_and_its_parameter_named(entry):
    told = wrong(entry)
    assert "group old_redis" in told
    assert "--region eu-west-1 --name /cache_migration/shop/decommission)" in told


def test_another_instance_than_that_of_the_inventory_is_not_started_and_both_are_named():
    told = wrong({"instance_id": OTHER}, instance_id=ID)
    assert f"set migration_old_instance_id: {OTHER};" in told
    assert f"the old Redis is {ID} (migration_old_instance_id, or instance_id of the host in old_redis)" in told
    assert "get-parameter-history" in told


@pytest.mark.parametrize("name", ["old-redis", "", None, ["i-0123456789abcdef0"]])
def test_what_is_no_instances_id_is_not_started(name):
    assert "no id of an instance" in wrong({"instance_id": name})


@pytest.mark.parametrize(
    ("stated", "hostvars", "instance"),
    [(ID, {"old": {"instance_id": OTHER}}, ID), ("", {"old": {"instance_id": OTHER}}, OTHER), ("", {"old": {}}, "")],
)
def test_the_inventory_tells_the_way_back_which_instance_it_is_as_it_tells_decommission(stated, hostvars, instance):
    assert retiring.instance_of({"old_instance_id": stated}, hostvars, ["old"]) == instance


# --- whether it is back ---


FORGET = "(aws ssm delete-parameter --region eu-west-1 --name /cache_migration/shop/decommission), and run this again."


def not_started(backup, **result):
    entry = {"instance_id": ID}
    return decommission.not_started(backup, entry, {"failed": True, **result}, "shop", "eu-west-1")


def test_where_it_is_gone_the_commands_can_be_typed_as_they_are():
    told = not_started({**BACKUP, "source": {"host": "old.internal"}}, msg="it is terminated", option="instance_id")
    assert f"(aws s3 cp --region eu-west-1 s3://b/{BACKUP['key']} dump.rdb; appendonly no)" in told
    assert "reachable as old.internal;" in told
    assert told.endswith(FORGET)


def test_where_it_is_gone_without_a_backup_the_way_on_is_told_too():
    told = not_started({}, msg="it is terminated", option="instance_id")
    assert "There is no backup of its data." in told and told.endswith(FORGET)


def test_a_name_in_the_ledger_cannot_add_to_a_command():
    told = not_started({**BACKUP, "key": "x;rm -rf ."}, msg="it is terminated", option="instance_id")
    assert "'s3://b/x;rm -rf .' dump.rdb" in told


@pytest.mark.parametrize("backup", [BACKUP, {}])
def test_where_it_is_there_and_does_not_start_nothing_is_to_be_given_up(backup):
    told = not_started(backup, msg="the identity that runs this lacks the IAM action ec2:StartInstances.")
    assert f"({ID}) could not be started: the identity that runs this lacks the IAM action ec2:StartInstances. " in told
    assert "Mend that and run this again: nothing was changed" in told
    assert "delete" not in told and "cannot be brought back" not in told


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"unreachable": True, "msg": "no route."}, "the host cannot be reached: no route"),
        ({"failed": True, "msg": "no such unit"}, "no such unit"),
        ({"changed": True}, ""),
        ({"skipped": True}, ""),  # an instance was started instead
    ],
)
def test_a_service_that_is_not_back_is_a_result_with_its_reason(result, why):
    told = decommission.service_not_back({"service": "redis-server", "host": "old"}, result)
    assert bool(told) is bool(why)
    if why:
        assert (
            f"the service redis-server on old, could not be brought back, so the app stays where it is: {why}." in told
        )
        assert "journalctl -u redis-server" in told


def test_a_service_that_cannot_be_started_does_not_end_the_run_before_it_is_told_of():
    tasks = {task["name"].partition("| ")[2]: task for task in yaml.safe_load((ROLE / "undo.yml").read_text())}
    back = tasks["Bring its service back"]
    assert back["ignore_unreachable"] and back["ignore_errors"] and back["register"] == "__retire_service"


def answer(count, expires=0):
    return {"app1": {"redis": {"failure": "", "keyspace": {"0": {"count": count, "expires": expires}}}}}


HELD = {**BACKUP, "keyspace": {"0": {"count": 10, "expires": 4}}}


@pytest.mark.parametrize(("hosts", "is_back"), [(answer(10, 4), True), (answer(7, 1), True), (answer(9, 4), False)])
def test_it_is_back_with_all_keys_but_those_that_expired(hosts, is_back):
    assert (decommission.not_back(hosts, HELD, []) == "") is is_back


def test_lost_keys_can_be_accepted_by_name():
    assert decommission.not_back(answer(0), HELD, ["data"]) == ""


def test_one_that_answers_no_host_is_not_back():
    silent = {"app1": {"redis": {"failure": "refused"}}, "app2": {"unreachable": True, "msg": "no route"}}
    assert "app1: refused; app2: the host cannot be reached: no route" in decommission.not_back(silent, HELD, [])
