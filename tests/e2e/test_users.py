"""A user of the app's own at a replication group of Valkey: there under load, a new password, and back."""

from __future__ import annotations

import pytest

from sandbox.api import Sandbox
from sandbox.moments import Moment
from tests.e2e import world

pytestmark = pytest.mark.long

SECRET, USER, GROUP, DEFAULT = "kempian/sandbox/password", "shop", "sandbox-cache", "sandbox-default"
USERS = {
    "migration_engine": "valkey",
    "migration_engine_version": "8.0",
    "migration_username": USER,
    "migration_auth_token_secret": SECRET,
    "migration_auth_token_generate": True,
}
PING = "import redis; print(redis.from_url(input(), socket_timeout=5).ping())"


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2eusers", hosts=2, creating_seconds=1)
    try:
        yield stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
    finally:
        sandbox.down()


@pytest.fixture(scope="module")
def planned(stage, load):
    return stage.migrate("--check", **USERS)


@pytest.fixture(scope="module")
def migrated(stage, planned):
    return stage.migrate(**USERS)


@pytest.fixture(scope="module")
def old(stage, migrated):
    return password(stage, "AWSCURRENT")


@pytest.fixture(scope="module")
def state(stage, migrated):
    return stage.play("playbooks/state.yml", **USERS)


@pytest.fixture(scope="module")
def again(stage, migrated):
    return stage.migrate(**USERS)


@pytest.fixture(scope="module")
def killed(stage, old, state, again):
    """When the user has both passwords, and no host the new one."""
    moments = [Moment("move | Move the host")]
    run = stage.play("playbooks/rotate.yml", moments=moments, migration_auth_token_new=True, **USERS)
    new = password(stage, "AWSPENDING")
    return {"run": run, "new": new, "old": accepts(stage, old), "takes_new": accepts(stage, new)}


@pytest.fixture(scope="module")
def rotated(stage, killed):
    return stage.play("playbooks/rotate.yml", **USERS)


@pytest.fixture(scope="module")
def after(stage, rotated):
    return [stage.migrate(**USERS), stage.play("playbooks/rotate.yml", **USERS)]


@pytest.fixture(scope="module")
def back(stage, after):
    return stage.play("playbooks/rollback.yml", migration_rollback_delete_target=True, **USERS)


def elasticache(stage):
    return stage.sandbox.client("elasticache")


def password(stage, label):
    client = stage.sandbox.client("secretsmanager")
    return client.get_secret_value(SecretId=SECRET, VersionStage=label)["SecretString"]


def accepts(stage, secret, user=USER):
    """Whether the target takes it, from a host and by the app's own redis-py."""
    url = f"rediss://{user}:{secret}@{stage.primary_address()}:6379/0\n".encode()
    done = stage.sandbox.run(stage.hosts[0], ["/opt/shop/venv/bin/python", "-c", PING], input=url)
    assert done.returncode == 0 or b"invalid username-password" in done.stderr, done.stderr
    return done.returncode == 0


def passwords_of_user(stage):
    [user] = elasticache(stage).describe_users(UserId=USER)["Users"]
    return user["Authentication"]["PasswordCount"]


def test_the_plan_names_the_user_and_its_group_and_makes_nothing(stage, planned):
    assert planned.code == 0 and planned.writes == []
    for step in (f"user {USER}", f"user {DEFAULT}", f"user group {GROUP}", "CreateUserGroup", "CreateReplicationGroup"):
        assert step in planned.said(), step


def test_the_app_is_moved_and_logs_in_as_its_user(stage, migrated, old):
    assert migrated.code == 0
    [group] = elasticache(stage).describe_replication_groups()["ReplicationGroups"]
    assert (group["UserGroupIds"], group["Engine"], group["AuthTokenEnabled"]) == ([GROUP], "valkey", False)
    for content in stage.environment_files().values():
        assert f"rediss://{USER}:{old}@".encode() in content
    assert stage.on_new() and stage.all_healthy()


def test_nobody_else_is_let_in(stage, migrated, old):
    assert accepts(stage, old)
    assert not accepts(stage, old, user="")
    assert not accepts(stage, old, user="default")


def test_state_says_that_all_is_there(state):
    assert state.code == 0 and state.writes == []
    assert "app2" in state.said()


def test_a_second_run_changes_nothing(again):
    assert again.code == 0 and again.writes == []


def test_while_a_password_is_changed_both_are_valid(killed):
    assert killed["run"].code == -9
    assert killed["old"] and killed["takes_new"]


def test_then_every_host_has_the_new_one_and_the_old_one_is_refused(stage, rotated, killed, old):
    assert rotated.code == 0
    assert f"user {USER}: end the password before it" in rotated.said()
    assert passwords_of_user(stage) == 1
    assert accepts(stage, killed["new"]) and not accepts(stage, old)
    assert password(stage, "AWSCURRENT") == killed["new"]
    assert world.ledger_of(stage, "token")["version_id"]
    assert all(f":{killed['new']}@".encode() in content for content in stage.environment_files().values())
    assert stage.on_new() and stage.all_healthy()


def test_after_it_neither_a_migration_nor_a_rotation_changes_anything(after):
    assert [(run.code, run.writes) for run in after] == [(0, []), (0, [])]


def test_it_goes_back_and_all_that_was_made_is_gone(stage, back):
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy()
    client = elasticache(stage)
    assert client.describe_replication_groups()["ReplicationGroups"] == []
    assert [user["UserId"] for user in client.describe_users()["Users"]] == ["default"]
    assert client.describe_user_groups()["UserGroups"] == []


def test_no_password_is_printed(request, back, killed, old):
    names = ("planned", "migrated", "state", "again", "rotated", "back")
    told = [request.getfixturevalue(name) for name in names]
    runs = [*told, killed["run"], *request.getfixturevalue("after")]
    assert not any(secret in run.text for run in runs for secret in (old, killed["new"]))


def test_no_request_failed_in_all_of_it(back, load):
    figures = load()
    assert figures["requests_total"] > 100
    assert figures["failed"] == 0, figures["failures"]
