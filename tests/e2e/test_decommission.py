"""The old Redis is retired: refused where it must be, backed up, stopped, held, terminated; brought back before."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.replication import counts_differ

from sandbox import old_unit, seed
from sandbox.api import Sandbox
from sandbox.moments import Moment
from sandbox.places import BACKUP_BUCKET
from sandbox.shell import environment
from tests.e2e import policies, world

HOUR = 3600
ONLY_ID = {"migration_decommission_waive": ["other_services"]}


def decommission(stage, *arguments, **variables):
    return stage.play(
        "playbooks/decommission.yml", *arguments, **{"migration_decommission": True, **ONLY_ID, **variables}
    )


def state(stage):
    return world.old_instance(stage.sandbox)["State"]["Name"]


def ledger(stage):
    """Its entries of the retirement, those that there are."""
    entries = {name: world.ledger_of(stage, name) for name in ("backup", "decommission")}
    return {name: entry for name, entry in entries.items() if entry}


def refused(stage, reason, *arguments, **variables):
    """A run that is refused for this reason changes nothing: not in AWS, not on a host."""
    run = decommission(stage, *arguments, **variables)
    assert run.code != 0
    assert re.search(reason, run.said()), reason
    assert run.writes == []
    assert state(stage) == "running"
    assert ledger(stage) == {}
    print(f"refused: {reason}")
    return run


@pytest.fixture(scope="module")
def before(stage):
    return {"data": stage.old_redis(), "files": stage.environment_files()}


@pytest.fixture(scope="module")
def migrated(stage, before):
    assert stage.migrate().code == 0
    return stage


def test_it_is_done_only_when_asked(migrated):
    run = migrated.play("playbooks/decommission.yml")
    assert run.code != 0
    assert "migration_decommission=true" in run.said()


def test_a_cutover_that_is_too_young_is_refused(migrated):
    refused(migrated, r"the cutover was 0\.\d h ago .* 48 h are asked for .migration_decommission_min_age")


@pytest.fixture(scope="module")
def soaked(migrated):
    migrated.sandbox.advance_clock(49 * HOUR)
    return migrated


def test_an_instance_of_which_only_the_id_is_known_is_refused_unless_that_is_waived_by_name(soaked):
    refused(soaked, "only the instance's id is known.*other_services", migration_decommission_waive=[])


def test_the_wrong_instance_is_refused(soaked):
    wrong = world.instance(soaked.sandbox, "app2")["InstanceId"]
    leads = "the old URL leads from app1, app2, app3 to old-redis.internal .172.31.3.1.: that is another machine"
    refused(soaked, f"{wrong} has 172.31.1.2, [0-9.]+, and {leads}", migration_old_instance_id=wrong)


@pytest.mark.long
def test_a_protected_instance_is_refused_and_stays_protected(soaked):
    ec2, name = soaked.sandbox.client("ec2"), world.old_instance(soaked.sandbox)["InstanceId"]
    for attribute in ("DisableApiTermination", "DisableApiStop"):
        ec2.modify_instance_attribute(InstanceId=name, **{attribute: {"Value": True}})
        refused(soaked, f"{name} is protected by d{attribute[1:]}")
        told = ec2.describe_instance_attribute(InstanceId=name, Attribute=f"d{attribute[1:]}")
        assert told[attribute]["Value"] is True
        ec2.modify_instance_attribute(InstanceId=name, **{attribute: {"Value": False}})


UNTIL_IT_WAITS = """
import time
end = time.monotonic() + 60
while not any(client["cmd"] == "blpop" for client in r.client_list()):
    assert time.monotonic() < end
"""


def test_a_busy_one_is_refused_and_its_client_named(soaked):
    """A worker that nobody thought of: it waits for jobs on the old Redis."""
    url = next(iter(soaked.originals.values())).partition(b"REDIS_URL=")[2].split()[0]
    name = "import redis; r = redis.Redis.from_url(input(), socket_timeout=None); r.client_setname('mailer')"
    command = soaked.sandbox.beside_command("app2", [sys.executable, "-c", f"{name}; r.blpop('jobs', 600)"])
    busy = subprocess.Popen(command, stdin=subprocess.PIPE)
    busy.stdin.write(url + b"\n")
    busy.stdin.close()
    try:
        soaked.old_redis(UNTIL_IT_WAITS)
        refused(soaked, "the old Redis is in use: 172.31.1.2 named mailer .1 connections, last blpop")
    finally:
        busy.terminate()
        busy.wait()


@pytest.fixture(scope="module")
def planned(soaked):
    """A plan that is approved: the run, its digest, and the key that is one of its options."""
    path, kms = soaked.folder / "retire.json", soaked.sandbox.client("kms").create_key()["KeyMetadata"]["KeyId"]
    run = decommission(soaked, "--check", migration_backup_kms_key_id=kms, migration_plan_out=str(path))
    assert run.code == 0, run.text
    return run, json.loads(path.read_text()), kms


def test_the_plan_says_what_would_come_and_makes_no_write_call(soaked, planned):
    run, plan, _kms = planned
    assert plan["steps"] == run.lines and plan["summary"] == "Plan: 1 to make, 1 to change, 0 to restart, 0 to remove."
    assert "take a backup, and prove it" in run.said()
    assert "stop the instance" in run.said()
    assert run.writes == []
    assert state(soaked) == "running"


def test_another_plan_than_was_approved_stops_nothing(soaked, planned):
    run = decommission(soaked, migration_approve=planned[1]["digest"])  # without the key
    assert run.code != 0 and run.writes == []
    assert "- options, The old Redis retired" in run.said()


@pytest.mark.long
def test_a_backup_that_cannot_be_stored_stops_nothing(soaked):
    run = decommission(soaked, migration_backup_bucket="nobodys-bucket")
    assert run.code != 0
    assert "S3 refuses the backup: NoSuchBucket" in run.said()
    assert state(soaked) == "running"
    assert ledger(soaked) == {}


@pytest.fixture(scope="module")
def stopped(soaked, planned):
    soaked.sandbox.advance_clock(60)
    _run, plan, kms = planned
    with policies.of_stage(soaked, "decommission"):
        run = decommission(soaked, migration_backup_kms_key_id=kms, migration_approve=plan["digest"])
    assert run.code == 0, run.text
    return run, kms


def test_the_right_one_is_backed_up_and_stopped(soaked, stopped):
    run, kms = stopped
    assert state(soaked) == "stopped"
    kept = ledger(soaked)["backup"]
    assert counts_differ(kept["keyspace"], kept["loaded"]) == []  # what has a TTL may have expired meanwhile
    assert kept["loaded"]["0"]["count"] > 400
    stored = soaked.sandbox.client("s3").head_object(Bucket=kept["bucket"], Key=kept["key"])
    assert (stored["ServerSideEncryption"], stored["ContentLength"]) == ("aws:kms", kept["size"])
    assert stored["SSEKMSKeyId"].endswith(kms)
    assert "X-Amz-Signature" not in run.text
    print(
        f"backed up: {kept['size']} bytes, {kept['keyspace']['0']['count']} keys, loaded {kept['loaded']['0']['count']}"
    )


def test_nothing_of_the_snapshot_is_left_on_a_host(soaked, stopped):
    for host in soaked.hosts:
        found = soaked.sandbox.run(host, ["find", "/var/lib/cache_migration", "-type", "f", "-size", "+100k"])
        assert found.stdout == b""


@pytest.mark.long
def test_it_is_held_and_a_rerun_changes_nothing(soaked, stopped):
    again = decommission(soaked)
    assert again.code == 0
    assert again.writes == []
    assert {host: counts["changed"] for host, counts in again.recap.items()} == dict.fromkeys(again.recap, 0)
    early = decommission(soaked, migration_decommission_terminate=True)
    assert early.code != 0
    assert "held until" in early.said()
    assert state(soaked) == "stopped"


@pytest.fixture(scope="module")
def back(soaked, stopped):
    """As it was approved, while the old Redis was off."""
    path = soaked.folder / "back.json"
    with policies.of_stage(soaked, "rollback"):
        plan = soaked.play("playbooks/rollback.yml", migration_plan_out=str(path))
        assert plan.code == 0 and plan.writes == [] and state(soaked) == "stopped"
        assert "start i-" in plan.said()
        drifted = soaked.play("playbooks/rollback.yml", migration_approve=str(path), migration_sample=7)
        assert drifted.code != 0 and drifted.writes == [] and state(soaked) == "stopped"
        return soaked.play("playbooks/rollback.yml", migration_approve=json.loads(path.read_text())["digest"])


def test_rollback_starts_it_again_with_its_data(soaked, back, before):
    assert back.code == 0, back.text
    assert state(soaked) == "running"
    assert soaked.old_redis() == before["data"]
    assert soaked.environment_files() == before["files"]
    assert soaked.on_old(), soaked.connections()
    assert ledger(soaked) == {}
    print("brought back from: stopped")


STEPS = {
    "a backup that is not noted": "decommission | Prove the backup, and note where it is",
    "a backup, and nothing stopped": "decommission | Note what is begun",
    "a stop that is noted and not begun": "decommission | Stop or terminate the instance",
    "a stop that is not noted": "decommission | Note that it is done",
}


@pytest.mark.long
@pytest.mark.parametrize("step", STEPS)
def test_rollback_brings_it_back_from_every_step_on_the_way(soaked, back, before, step):
    assert soaked.migrate().code == 0
    soaked.sandbox.advance_clock(49 * HOUR)
    assert decommission(soaked, moments=[Moment(STEPS[step])]).code == -9
    run = soaked.play("playbooks/rollback.yml")
    assert run.code == 0, run.text
    assert (state(soaked), soaked.old_redis()) == ("running", before["data"])
    assert (soaked.environment_files(), "decommission" in ledger(soaked)) == (before["files"], False)
    assert soaked.on_old(), soaked.connections()
    print(f"brought back from: {step}")


@pytest.fixture(scope="module")
def unstopped(soaked, back):
    """A run that was killed before the stop itself: it is backed up and noted, and the instance runs."""
    assert soaked.migrate().code == 0
    soaked.sandbox.advance_clock(49 * HOUR)
    run = decommission(soaked, moments=[Moment("decommission | Stop or terminate the instance")])
    assert run.code == -9


@pytest.mark.long
def test_a_backup_that_is_current_is_not_taken_again(soaked, unstopped):
    entries = ledger(soaked)
    assert state(soaked) == "running"
    assert entries["decommission"]["step"] == "stopping"
    run = decommission(soaked)
    assert run.code == 0
    assert state(soaked) == "stopped"
    assert ledger(soaked)["backup"] == entries["backup"]
    assert "s3.PutObject" not in run.writes


@pytest.mark.long
def test_after_the_hold_and_when_asked_it_is_terminated(soaked, unstopped):
    soaked.sandbox.advance_clock(73 * HOUR)
    assert decommission(soaked).writes == []
    assert state(soaked) == "stopped"
    run = decommission(soaked, migration_decommission_terminate=True)
    assert run.code == 0, run.text
    assert state(soaked) == "terminated"
    assert run.writes.count("ec2.TerminateInstances") == 1
    again = decommission(soaked, migration_decommission_terminate=True)
    assert (again.code, again.writes) == (0, [])


@pytest.mark.long
def test_after_that_rollback_says_where_the_backup_is_and_leaves_the_app_alone(soaked, unstopped):
    kept = ledger(soaked)["backup"]
    run = soaked.play("playbooks/rollback.yml")
    assert run.code != 0
    assert f"s3://{kept['bucket']}/{kept['key']}" in run.said()
    assert soaked.on_new(), soaked.connections()


@pytest.mark.long
def test_the_backup_is_the_data_of_the_old_redis(soaked, unstopped, before, tmp_path):
    """Loaded by an engine of the test's own, and compared key by key."""
    kept = ledger(soaked)["backup"]
    file = io.BytesIO()
    soaked.sandbox.client("s3").download_fileobj(BACKUP_BUCKET, kept["key"], file)
    (tmp_path / "dump.rdb").write_bytes(file.getvalue())
    engine = [shutil.which("redis-server", path=environment()["PATH"]), "--port", "0", "--unixsocket", "socket"]
    loaded = subprocess.Popen([*engine, "--save", "", "--appendonly", "no"], cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(unix_socket_path=str(tmp_path / "socket"))
        until(client.ping)
        assert seed.digest(client, f"{seed.PREFIX}*") == before["data"]
    finally:
        loaded.kill()
        loaded.wait()


def until(ask):
    end = time.monotonic() + 20
    while True:
        try:
            if ask():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)


# --- where it shares its host with something else ---


@pytest.fixture(scope="module")
def shared(stage_of, tmp_path_factory):
    """A sandbox whose old Redis is a unit on the host app3, which also runs the app."""
    sandbox = Sandbox.up("e2eretire", hosts=3, creating_seconds=2)
    try:
        if sandbox.kind != "machines":
            pytest.skip("hosts are processes here: they have no systemd, and supervisor can neither disable nor mask")
        old_unit.install(sandbox, "app3")
        yield stage_of(sandbox, tmp_path_factory.mktemp("retire"))
    finally:
        if not os.environ.get("KEEP"):
            sandbox.down()


@pytest.fixture(scope="module")
def shared_before(shared):
    assert shared.migrate().code == 0
    shared.sandbox.advance_clock(49 * HOUR)
    return {"data": shared.old_redis()}


def retire(shared, **variables):
    asked = {"migration_decommission": True, "migration_old_instance_id": "", **variables}
    return shared.play("playbooks/decommission.yml", *with_old_host(shared), **asked)


def with_old_host(shared):
    """The host is in the group old_redis too, with its instance's id."""
    inventory = shared.folder / "old.ini"
    inventory.write_text(f"[old_redis]\napp3 instance_id={world.instance(shared.sandbox, 'app3')['InstanceId']}\n")
    return ["-i", str(inventory)]


def unit(shared):
    return shared.sandbox.run("app3", ["systemctl", "is-active", "redis-server"]).stdout.decode().strip()


@pytest.mark.long
def test_an_instance_with_another_service_on_it_is_refused(shared, shared_before):
    run = retire(shared)
    assert run.code != 0
    assert re.search(r"something else listens on app3: python3? \(tcp 0\.0\.0\.0:8000\)", run.said())
    assert (run.writes, unit(shared)) == ([], "active")
    print("refused: another service on it")


@pytest.mark.long
def test_the_wrong_service_is_refused(shared, shared_before):
    run = retire(shared, migration_decommission_service="shop")
    assert run.code != 0
    assert "shop on app3 listens on [8000]" in run.said()
    assert (run.writes, unit(shared)) == ([], "active")


@pytest.mark.long
def test_its_service_alone_is_retired_while_the_host_goes_on(shared, shared_before):
    run = retire(shared, migration_decommission_service="redis-server")
    assert run.code == 0, run.text
    shown = shared.sandbox.run("app3", ["systemctl", "show", "redis-server", "--property=ActiveState,LoadState"])
    assert shown.stdout.decode().split() == ["LoadState=masked", "ActiveState=inactive"]
    assert shared.all_healthy()
    again = retire(shared, migration_decommission_service="redis-server")
    assert (again.code, again.writes, again.recap["app1"]["changed"]) == (0, [], 0)


@pytest.mark.long
def test_rollback_brings_the_service_back_with_its_data(shared, shared_before):
    run = shared.play("playbooks/rollback.yml", *with_old_host(shared))
    assert run.code == 0, run.text
    assert unit(shared) == "active"
    assert shared.sandbox.run("app3", ["systemctl", "is-enabled", "redis-server"]).stdout.strip() == b"enabled"
    assert shared.old_redis() == shared_before["data"]
    assert shared.all_healthy()
    print("brought back from: service retired")
