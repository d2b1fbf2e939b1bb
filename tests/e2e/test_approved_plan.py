"""A plan is written, approved and done exactly; where anything is another one by then, nothing is touched."""

from __future__ import annotations

import json
import re

import pytest

ENV_FILE = "/opt/shop/.env"


@pytest.fixture(scope="module")
def planned(stage):
    """The plan of the whole migration on an empty account, as data."""
    path = stage.folder / "plan.json"
    run = stage.migrate("--check", migration_plan_out=str(path))
    assert run.code == 0
    return run, json.loads(path.read_text())


@pytest.fixture
def approve(stage, planned):
    """Runs with that plan's digest. Whatever has drifted, nothing may be touched."""

    def run(digest="", **variables):
        files, parameter = stage.environment_files(), stage.parameter()
        ended = stage.migrate(migration_approve=digest or planned[1]["digest"], **variables)
        assert ended.code != 0
        assert ended.writes == []
        assert stage.environment_files() == files and stage.parameter() == parameter
        assert stage.all_healthy() and stage.on_old(), stage.connections()
        return ended

    return run


def secrets_of(stage):
    password = re.search(r"://:([^@]+)@", stage.parameter())[1]
    return password, stage.token()


def test_a_plan_is_written_and_nothing_else(stage, planned):
    run, plan = planned
    assert run.writes == []
    assert plan["summary"] in run.text and plan["digest"] in run.text
    assert plan["steps"] == run.lines and plan["refused"] == []
    assert "24.82 USD" in plan["cost"][0]
    assert not [secret for secret in secrets_of(stage) if secret in json.dumps(plan)]


def test_without_check_it_is_only_a_plan_all_the_same_and_a_page_that_people_read(stage, planned):
    path = stage.folder / "plan.md"
    run = stage.migrate(migration_plan_out=str(path), migration_approve="cutover-of-an-earlier-job")
    page = path.read_text()
    assert run.code == 0 and run.writes == []
    assert f"Digest: `{planned[1]['digest']}`" in page, "the same plan, however it is made"
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## Made (4)",
        "## Changed (6)",
        "## Restarted (3)",
        "## Also done (1)",
        "## Hosts, a batch at a time",
        "## Cost",
        "## Found",
        "## To have exactly this done",
    ]
    assert not [secret for secret in secrets_of(stage) if secret in page]


def test_a_plan_that_is_refused_says_so_and_has_no_digest(stage):
    path = stage.folder / "refused.md"
    run = stage.migrate(migration_plan_out=str(path), migration_transfer="")
    page = path.read_text()
    assert run.code != 0 and run.writes == []
    assert "## Refused" in page and "migration\\_transfer" in page
    assert "Digest:" not in page and "migration_approve" not in page + run.text


def test_where_an_approval_is_asked_for_nothing_is_done_without_one(stage):
    run = stage.migrate(migration_require_approval=True)
    assert run.code != 0 and run.writes == []
    assert "nobody has approved what this run would do" in run.said()


@pytest.mark.long
def test_another_digest_is_refused(planned, approve):
    digest = planned[1]["digest"]
    other = digest.replace(digest[8:16], "00000000")
    assert "This is not the plan that was approved" in approve(other).said()


@pytest.mark.long
def test_another_definition_is_refused_and_its_options_are_named(stage, approve):
    exactly = approve(str(stage.folder / "plan.json"), migration_cache_node_type="cache.t3.small").said()
    assert "options, The target: migration_cache_node_type: cache.t3.micro -> cache.t3.small" in exactly


def test_a_host_that_has_drifted_is_named(stage, approve):
    host = stage.hosts[1]
    original = stage.sandbox.read(host, ENV_FILE)
    stage.replace_file(host, ENV_FILE, original + b"# a note\n")
    try:
        said = approve().said()
        exactly = approve(str(stage.folder / "plan.json")).said()
    finally:
        stage.replace_file(host, ENV_FILE, original)
    assert f"- host {host} Nothing was touched" in said
    assert f"host {host}: values: {ENV_FILE}: written:" in exactly


@pytest.mark.long
def test_drift_in_aws_is_named(stage, approve):
    ssm = stage.sandbox.client("ssm")
    ssm.put_parameter(Name="/kempian/sandbox/REDIS_URL", Value=stage.parameter(), Type="SecureString", Overwrite=True)
    assert "- what all hosts share" in approve().said()


@pytest.fixture
def another_token(stage):
    name = {"SecretId": "kempian/sandbox/cache-token"}
    secrets = stage.sandbox.client("secretsmanager")
    given = secrets.get_secret_value(**name)["VersionId"]
    put = secrets.put_secret_value(**name, SecretString="another-token-of-this-target")["VersionId"]
    yield
    secrets.update_secret_version_stage(
        **name, VersionStage="AWSCURRENT", MoveToVersionId=given, RemoveFromVersionId=put
    )


@pytest.mark.long
def test_another_version_of_the_secret_is_refused(approve, another_token):
    assert "- the version of the token's secret" in approve().said()


def test_what_was_approved_and_is_unchanged_is_done(stage):
    path = stage.folder / "again.md"
    plan = stage.migrate(migration_plan_out=str(path))
    run = stage.migrate(migration_approve=str(path))
    assert run.code == 0
    assert len(run.lines) == len(plan.lines) and run.digest == plan.digest
    assert stage.all_healthy() and stage.on_new()
    assert json.loads((stage.folder / "report" / "cutover.json").read_text())["digest"] in path.read_text()


@pytest.mark.long
def test_a_target_that_was_made_otherwise_since_is_refused(stage):
    """Of a plan to go back, which is approved as any other."""
    path = stage.folder / "back.json"
    assert stage.play("playbooks/rollback.yml", migration_plan_out=str(path)).writes == []
    stage.sandbox.client("elasticache").modify_replication_group(
        ReplicationGroupId="kempian-cache", SnapshotRetentionLimit=7, ApplyImmediately=True
    )
    run = stage.play("playbooks/rollback.yml", migration_approve=str(path))
    assert run.code != 0 and run.writes == []
    assert "the target in AWS: snapshot_retention_limit: 5 -> 7" in run.said()
    assert stage.all_healthy() and stage.on_new()


@pytest.mark.long
def test_the_way_back_that_was_approved_is_gone(stage):
    path = stage.folder / "back.json"
    assert stage.play("playbooks/rollback.yml", "--check", migration_plan_out=str(path)).code == 0
    run = stage.play("playbooks/rollback.yml", migration_approve=json.loads(path.read_text())["digest"])
    assert run.code == 0
    assert stage.all_healthy() and stage.on_old()
