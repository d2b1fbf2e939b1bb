"""AWS itself has the target follow the old Redis (online migration), until just before the first host is switched."""

from __future__ import annotations

import sys

import pytest

from sandbox.api import Sandbox
from tests.e2e import world

pytestmark = pytest.mark.long

OPEN = {"migration_transit_encryption_enabled": False, "migration_auth_token_secret": ""}
MANAGED = {"migration_transfer": "managed", **OPEN}
UNFIT = {"migration_transfer": "managed", "migration_multi_az_enabled": False}
DIGEST = "from sandbox import seed; print(seed.digest(r, 'legacy:*'))"
ENGINES = "172.31.2.0/23"


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2edatamanaged", hosts=2, creating_seconds=1, old_redis="open")
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


def ask_target(stage, code: str) -> str:
    code = f"import redis; r = redis.Redis.from_url(input())\n{code}"
    url = f"redis://{stage.primary_address()}:6379/0\n".encode()
    done = stage.sandbox.beside(stage.hosts[0], [sys.executable, "-c", code], input=url)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def let_the_target_in(stage) -> None:
    """What an operator does beforehand: the security group of the old Redis admits the target's."""
    ec2 = stage.sandbox.client("ec2")
    [group] = world.old_instance(stage.sandbox)["SecurityGroups"]
    [ours] = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [world.OURS]}])["SecurityGroups"]
    rule = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": ours["GroupId"]}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[rule])


@pytest.fixture(scope="module")
def unfit(stage, load):
    return stage.migrate("--check", **UNFIT)


@pytest.fixture(scope="module")
def shut_out(stage, unfit):
    return stage.migrate(**MANAGED)


@pytest.fixture(scope="module")
def ended(stage, shut_out):
    """Begun, and taken back."""
    let_the_target_in(stage)
    begun = stage.play("playbooks/transfer.yml", **MANAGED)
    assert begun.code == 0 and stage.group()["Status"] == "migrating"
    return stage.play("playbooks/transfer.yml", migration_transfer_abort=True, **MANAGED)


@pytest.fixture(scope="module")
def followed(stage, ended):
    return stage.play("playbooks/transfer.yml", **MANAGED)


@pytest.fixture(scope="module")
def migrated(stage, followed):
    stage.old_redis("r.set('legacy:since', 'it is followed')")
    return stage.migrate(**MANAGED)


def test_a_target_that_aws_does_not_take_is_refused_with_what_to_change(stage, unfit):
    assert unfit.code != 0 and unfit.writes == []
    said = unfit.said()
    assert "has TLS" in said and "asks for a token" in said and "not Multi-AZ: set multi_az_enabled" in said


def test_where_the_old_redis_lets_the_target_not_in_nobody_is_moved_and_aws_is_quoted(stage, shut_out):
    assert shut_out.code != 0 and "is not reached" in shut_out.said() and "security group" in shut_out.said()
    assert "elasticache.StartMigration" not in shut_out.writes
    assert stage.environment_files() == stage.originals and stage.group()["Status"] == "available"


def test_one_that_is_taken_back_leaves_an_empty_target_that_follows_nobody(stage, ended):
    assert ended.code == 0, ended.text
    assert stage.group()["Status"] == "available" and world.ledger_of(stage, "transfer") == {}
    assert ask_target(stage, "print(r.dbsize(), r.info('replication')['role'])") == "0 master"


def test_the_target_follows_and_was_compared_before_anybody_is_moved(stage, followed):
    assert followed.code == 0 and stage.group()["Status"] == "migrating"
    assert "equal on both sides" in followed.said()
    assert stage.environment_files() == stage.originals  # app1 has a connection to the target, as it watches
    assert world.ledger_of(stage, "transfer")["step"] == "ready"


def test_what_is_written_since_comes_along_until_the_first_host_is_switched(stage, migrated):
    assert migrated.code == 0, migrated.text
    assert ask_target(stage, DIGEST) == stage.old_redis(DIGEST)
    said = migrated.said()
    assert said.index("AWS has completed it") < said.index("app1: restarted")
    assert stage.group()["Status"] == "available" and world.ledger_of(stage, "transfer")["step"] == "finished"
    assert stage.on_new() and stage.all_healthy(), stage.connections()


def test_a_second_run_does_nothing(stage, migrated):
    again = stage.migrate(**MANAGED)
    assert again.code == 0 and again.writes == []


def test_after_a_rollback_all_of_it_is_brought_anew_in_one_run(stage, migrated):
    assert stage.play("playbooks/rollback.yml", **MANAGED).code == 0 and stage.on_old()
    stage.old_redis("r.set('legacy:since', 'the rollback')")
    run = stage.migrate(**MANAGED)
    assert run.code == 0 and "take away what came before" in run.said(), run.text
    assert ask_target(stage, DIGEST) == stage.old_redis(DIGEST) and stage.on_new()


def test_no_request_failed(stage, migrated, load):
    figures = load()
    assert figures["failed"] == 0, figures["failures"]
