"""The way back of a retirement: what the role starts of what the ledger says, against moto."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import ledger
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import ssm
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import Entry

NAME = "undone"  # test_plan.py has a ledger of shop in the same AWS


@pytest.fixture
def ec2(connect):
    return connect("ec2")


@pytest.fixture
def stopped(ec2):
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.stop_instances(InstanceIds=[made])
    return made


def state_of(ec2, instance):
    return ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["State"]["Name"]


@pytest.fixture
def undo(tmp_path, moto_options, moto_environment, connect_ssm):
    """Runs it with an entry in the ledger, and says what was printed. No old Redis answers here, unless one is told."""

    def run(entry, *arguments, environ=None, code=2, **variables):
        ledger.remove(connect_ssm(), NAME, "backup")
        ledger.write(connect_ssm(), NAME, "decommission", {"step": "stopped", "time": "2026-01-01T00:00:00Z", **entry})
        role = {"name": "kempian.cache_migration.decommission", "tasks_from": "undo"}
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "migration_endpoint": {"address": "cache.invalid", "port": 6379, "tls": False, "auth": "none"},
                "migration_name": NAME,
                "migration_region": moto_options["region"],
                "migration_values": [{"store": "dotenv", "path": str(tmp_path / ".env")}],
                "migration_decommission_wait_timeout": 1,
                **variables,
            },
            "tasks": [{"ansible.builtin.include_role": role}],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "play.yml", *arguments],
            cwd=tmp_path,
            env={**moto_environment, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return re.sub(r"\s+", " ", done.stdout + done.stderr)

    return run


@pytest.mark.long
def test_the_instance_that_the_inventory_knows_is_started_and_no_other(undo, ec2, stopped):
    said = undo({"instance_id": stopped}, migration_old_instance_id="i-0123456789abcdef0")
    assert f"set migration_old_instance_id: {stopped}" in said
    assert state_of(ec2, stopped) == "stopped"

    said = undo({"instance_id": stopped}, migration_old_instance_id=stopped)
    assert "answers no host" in said
    assert state_of(ec2, stopped) == "running"


@pytest.mark.long
def test_an_instance_that_is_gone_and_one_that_does_not_start_are_told_apart(undo, ec2, stopped, unused_port):
    nowhere = {"AWS_ENDPOINT_URL_EC2": f"http://127.0.0.1:{unused_port()}", "AWS_MAX_ATTEMPTS": "1"}
    said = undo({"instance_id": stopped}, environ=nowhere)
    assert f"The old Redis ({stopped}) could not be started: " in said
    assert "Mend that and run this again" in said and "delete-parameter" not in said

    ec2.terminate_instances(InstanceIds=[stopped])
    said = undo({"instance_id": stopped})
    assert f"The old Redis ({stopped}) cannot be brought back: " in said
    assert "aws ssm delete-parameter --region us-east-1 --name /cache_migration/undone/decommission" in said


@pytest.mark.long
def test_a_service_without_a_host_is_started_nowhere(undo):
    said = undo({"service": "redis-server", "was_enabled": True})
    assert "redis-server was retired on no host" in said
    assert "Bring its service back" not in said


@pytest.mark.long
def test_what_only_aws_knows_of_the_old_redis_is_used_and_shown_nowhere(undo, connect_ssm, start_engine):
    client, name, password = connect_ssm(), "/shop/REDIS_URL", "a-password-of-this-test"
    now, engine = f"rediss://:{password}-too@cache.invalid:6379/0", start_engine(password=password)
    entry = Entry(ssm.STORE, "", name, engine.url(), (now,), {}, "2026-01-01T00:00:00Z")
    journal = ssm.journal_name(NAME, name)
    for place, value in ((name, now), (journal, json.dumps(entry.as_dict()))):
        client.put_parameter(Name=place, Value=value, Type="SecureString")
    said = undo({}, "-vvvv", code=0, migration_values=[{"store": "ssm", "parameter": name}])
    assert password not in said
    assert "decommission" not in ledger.read_all(client, NAME).entries
