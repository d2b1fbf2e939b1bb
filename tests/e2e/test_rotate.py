"""A new token for the target and its hosts, under load: killed after ROTATE, stopped by a host, and gone on with."""

from __future__ import annotations

import json

import pytest

from sandbox.moments import Moment
from tests.e2e import world

pytestmark = pytest.mark.long

SECRET = "kempian/sandbox/generated-token"
OURS = {"migration_auth_token_secret": SECRET, "migration_auth_token_generate": True}
PING = "import redis; print(redis.from_url(input(), socket_timeout=5).ping())"


@pytest.fixture(scope="module")
def before(stage):
    return {"files": stage.environment_files(), "parameter": stage.parameter(), "data": stage.old_redis()}


@pytest.fixture(scope="module")
def load(stage, before):
    with stage.load() as stop:
        yield stop


@pytest.fixture(scope="module")
def migrated(stage, load):
    run = stage.migrate(**OURS)
    return {"run": run, "entry": ledger(stage), "version": versions(stage)["AWSCURRENT"]}


@pytest.fixture(scope="module")
def old(stage, migrated):
    return value_of(stage, migrated["version"])


@pytest.fixture(scope="module")
def plan(stage, old):
    return rotate(stage, "--check", "--diff", migration_auth_token_new=True)


@pytest.fixture(scope="module")
def killed(stage, plan):
    """By kill -9, when the target takes both tokens and no host has the new one."""
    files = stage.environment_files()
    run = rotate(stage, moments=[Moment("move | Move the host")], migration_auth_token_new=True)
    return {"run": run, "files": files, "files_after": stage.environment_files(), "entry": ledger(stage)}


@pytest.fixture(scope="module")
def new(stage, killed):
    return value_of(stage, versions(stage)["AWSPENDING"])


@pytest.fixture(scope="module")
def cut_off(stage, new):
    """Another run, which AWS turns away when the second host does not come back: at its third look at the entry."""
    second = stage.hosts[1]
    serve = stage.break_app(second)
    entry = {"action": "GetParameter", "naming": "/cache_migration/sandbox/token", "nth": 3, "times": 99, "how": "500"}
    stage.sandbox.faults([entry])
    run = rotate(stage, migration_timeout=20)
    stage.sandbox.faults([])
    stage.sandbox.write(second, "/opt/shop/app/serve.py", serve)
    record = json.loads((stage.folder / "report" / "rotate.json").read_text())
    return {"run": run, "entry": ledger(stage), "record": record}


@pytest.fixture(scope="module")
def stopped(stage, cut_off, new, old):
    """Another run, in which the second host does not come back."""
    second = stage.hosts[1]
    serve = stage.break_app(second)
    run = rotate(stage, migration_timeout=20, migration_auth_token_new=True)
    found = {"run": run, "entry": ledger(stage), "old": accepts(stage, old), "new": accepts(stage, new)}
    stage.sandbox.write(second, "/opt/shop/app/serve.py", serve)
    return found


@pytest.fixture(scope="module")
def refused(stage, stopped):
    return stage.migrate(**OURS)


@pytest.fixture(scope="module")
def rotated(stage, refused):
    return rotate(stage)


@pytest.fixture(scope="module")
def again(stage, rotated):
    return {"rotate": rotate(stage), "migrate": stage.migrate(**OURS)}


@pytest.fixture(scope="module")
def back(stage, again):
    return stage.play("playbooks/rollback.yml", **OURS)


def rotate(stage, *arguments, **more):
    return stage.play("playbooks/rotate.yml", *arguments, **OURS, **more)


def versions(stage):
    """The id of the version that has each label."""
    labels = stage.sandbox.client("secretsmanager").describe_secret(SecretId=SECRET)["VersionIdsToStages"]
    return {label: version for version, found in labels.items() for label in found}


def value_of(stage, version):
    client = stage.sandbox.client("secretsmanager")
    return client.get_secret_value(SecretId=SECRET, VersionId=version)["SecretString"]


def ledger(stage):
    return {key: value for key, value in world.ledger_of(stage, "token").items() if key != "time"}


def accepts(stage, token):
    """Whether the target takes the token, from a host and by the app's own redis-py."""
    url = f"rediss://:{token}@{stage.primary_address()}:6379/0\n".encode()
    done = stage.sandbox.run(stage.hosts[0], ["/opt/shop/venv/bin/python", "-c", PING], input=url)
    assert done.returncode == 0 or b"invalid username-password" in done.stderr, done.stderr
    return done.returncode == 0


def test_a_migration_makes_the_secret_and_remembers_which_version_the_target_was_given(migrated):
    assert migrated["run"].code == 0
    assert migrated["run"].writes.count("secretsmanager.CreateSecret") == 1
    assert migrated["entry"] == {"secret": SECRET, "version_id": migrated["version"]}


def test_the_plan_of_a_rotation_says_its_steps_and_makes_no_write_call(stage, plan):
    assert plan.code == 0
    assert plan.writes == []
    for step in (
        "put a generated token beside",
        "accept the new version",
        "app2: restart shop",
        "end the token before it",
    ):
        assert step in plan.said(), step


def test_killed_after_rotate_it_leaves_every_host_as_it_was_and_both_tokens_valid(stage, killed, migrated, stopped):
    assert killed["run"].code == -9
    assert killed["files_after"] == killed["files"]
    assert killed["entry"]["version_id"] == migrated["version"]
    assert killed["entry"]["rotating"]["hosts"] == []
    assert stopped["old"] and stopped["new"]


def test_cut_off_from_aws_it_says_so_with_the_host_that_failed_and_what_goes_on(stage, cut_off):
    run, first, second = cut_off["run"], *stage.hosts[:2]
    assert run.code != 0
    end = run.said().rpartition("Stop here")[2]
    assert "The controller failed at the step 'Remember which hosts use the new token'" in end
    assert f"{second} failed at the step" in end and f"On the new token: {first}." in end
    assert "Both tokens may be valid" in end and "run playbooks/rotate.yml again" in end
    assert cut_off["entry"]["rotating"]["hosts"] == [first]
    record = cut_off["record"]
    assert (record["failure"]["step"], record["hosts"][second]["state"]) == (
        "Remember which hosts use the new token",
        "failed",
    )


def test_a_failing_host_stops_it_while_both_tokens_are_valid(stage, stopped, new):
    run, second = stopped["run"], stage.hosts[1]
    assert run.code != 0
    assert f"{second} failed at the step" in run.said()
    assert "Both tokens are valid" in run.said() and "run playbooks/rotate.yml again" in run.said()
    assert stopped["entry"]["rotating"]["hosts"] == [stage.hosts[0]]
    assert "secretsmanager.PutSecretValue" not in run.writes, "a third token would end the first, which hosts use"


def test_a_migration_is_refused_while_a_rotation_is_under_way(refused):
    assert refused.code != 0
    assert "A rotation of the token is under way" in refused.said() and "playbooks/rotate.yml" in refused.said()
    assert refused.writes == []


def test_run_again_it_goes_on_with_what_is_missing(stage, rotated, migrated, new):
    assert rotated.code == 0
    assert f"{stage.hosts[0]}: restart" not in rotated.said(), "it was proven before"
    labels = versions(stage)
    assert value_of(stage, labels["AWSCURRENT"]) == new
    assert labels["AWSPREVIOUS"] == migrated["version"]
    assert ledger(stage) == {"secret": SECRET, "version_id": labels["AWSCURRENT"]}


def test_then_the_old_token_is_refused_and_the_new_one_is_everywhere(stage, rotated, old, new):
    assert not accepts(stage, old)
    assert accepts(stage, new)
    assert all(f":{new}@".encode() in content for content in stage.environment_files().values())
    assert f":{new}@" in stage.parameter()
    assert stage.on_new() and stage.all_healthy()


@pytest.mark.parametrize("playbook", ["rotate", "migrate"])
def test_a_second_run_changes_nothing_and_makes_no_write_call(again, playbook):
    run = again[playbook]
    assert run.code == 0
    assert {host: counts["changed"] for host, counts in run.recap.items()} == dict.fromkeys(run.recap, 0)
    assert run.writes == []


def test_no_token_is_printed(request, again, old, new):
    told = [
        request.getfixturevalue(name)
        for name in ("migrated", "plan", "killed", "cut_off", "stopped", "refused", "rotated")
    ]
    runs = [each["run"] if isinstance(each, dict) else each for each in told] + list(again.values())
    assert not any(token in run.text for run in runs for token in (old, new))


def test_rollback_restores_the_original_byte_for_byte(stage, back, before):
    assert back.code == 0
    assert stage.environment_files() == before["files"]
    assert stage.parameter() == before["parameter"]
    assert stage.on_old() and stage.all_healthy()
    assert stage.old_redis() == before["data"]


def test_no_request_failed_in_all_of_it(back, load):
    figures = load()
    assert figures["requests_total"] > 100
    assert figures["failed"] == 0, figures["failures"]
