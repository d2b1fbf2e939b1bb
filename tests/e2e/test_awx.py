"""The playbooks as job templates of AWX start them: in a container, with the installed collection; also cancelled."""

from __future__ import annotations

import compileall
import os
import shutil
import urllib.parse

import pytest

from tests.artefact import CHECKOUT, alone, build, install, tool
from tests.e2e import policies, world
from tests.e2e.awx import Awx, templates
from tests.e2e.test_secrets import forms

HOSTS = 2
HOUR = 3600
TEMPLATES = templates()
# Of its credential of AWS, where that is not called as the template is.
POLICIES = {"plan of cutover": "plan", "plan of migrate": "plan", "plan of decommission": "decommission"}
INPUT = ("env/extravars", "transmitted")  # what AWX gives a container, and takes away with it
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="a container is made of namespaces, which takes root"),
]


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """The artefact, installed into an empty path."""
    folder = tmp_path_factory.mktemp("image")
    install(build(folder), folder / "collections")
    compileall.compile_dir(folder / "collections", quiet=2)  # once, and not in each container anew
    return folder / "collections"


@pytest.fixture(scope="module")
def awx(stage, collections, tmp_path_factory):
    return Awx(stage.sandbox, collections, tmp_path_factory.mktemp("awx"))


@pytest.fixture
def launch(stage, awx):
    """Launch a template by its name, and look at what the job leaves."""

    def launch(name, answers=None, *, after=None, cancel_at=None):
        with policies.of_stage(stage, POLICIES.get(name, name)):
            job = awx.launch(TEMPLATES[name], answers or {}, after, cancel_at)
        assert job.status == ("canceled" if cancel_at else "successful"), job.text
        assert world.ledger_of(stage, "lock") == {}
        assert job.running() == []
        assert job.outside == []
        assert leaks(stage, job) == []
        assert {path for path in job.opened if not path.startswith(str(awx.collections))} == set()
        assert job.opened != set()
        return job

    return launch


def leaks(stage, job) -> list[str]:
    """Files that AWX keeps of a job, and the secrets in them."""
    needles = {name: needle for each in tokens(stage) for name, needle in forms(f"token {each[:4]}", each).items()}
    needles.update(forms("old password", urllib.parse.urlsplit(old_url(stage)).password))
    kept = [path for path in job.folder.rglob("*") if path.is_file() and not str(path).endswith(INPUT)]
    return [
        f"{path}: {name}" for path in kept for name, needle in needles.items() if needle.encode() in path.read_bytes()
    ]


def tokens(stage) -> list[str]:
    """Of every version of the secret."""
    secrets, name = stage.sandbox.client("secretsmanager"), {"SecretId": "kempian/sandbox/cache-token"}
    versions = secrets.describe_secret(**name)["VersionIdsToStages"]
    return [secrets.get_secret_value(**name, VersionId=version)["SecretString"] for version in versions]


def old_url(stage) -> str:
    return next(iter(stage.originals.values())).decode().partition("REDIS_URL=")[2].split()[0]


def test_assess(stage, launch):
    asked = {"migration_sample": 500, "migration_unknown_clients": "warn", "migration_assess_url": old_url(stage)}
    job = launch("assess", asked)
    assert job.artifacts["cache_migration_assess"]["stage"] == "assess"
    assert job.changed == {}


def test_provision_shows_its_wait_while_it_goes_on(launch):
    job = launch("provision")
    assert job.artifacts["cache_migration_provision"]["endpoint"]["state"] == "known"
    waited = next(came for came, event in job.events if "kempian-cache: creating" in event.get("stdout", ""))
    made = next(
        came
        for came, event in job.events
        if event["event"] == "runner_on_ok"
        and event["event_data"]["task"] == "move | Make the target and the way to it"
    )
    assert made - waited > 1


def test_ingress(launch):
    assert launch("ingress").artifacts["cache_migration_ingress"]["probes"]


def test_a_cutover_that_is_cancelled_is_finished_by_the_next(stage, launch):
    plan = launch("plan of cutover", {"migration_batch_size": "1"})
    assert stage.on_old(), stage.connections()
    cancelled = launch("cutover", {"migration_batch_size": "1"}, after=plan, cancel_at=is_second_host)
    assert "app1: restarted" in cancelled.text
    answers = {"migration_canary": "app2", "migration_batch_size": "1"}
    job = launch("cutover", answers, after=launch("plan of cutover", answers))
    assert sorted(job.artifacts["cache_migration_cutover"]["hosts"]) == stage.hosts
    assert stage.on_new(), stage.connections()


def is_second_host(event) -> bool:
    begins = event["event"] == "runner_on_start" and event["event_data"]["task"] == "move | Move the host"
    return begins and event["event_data"]["host"] == "app2"


def test_state(launch):
    assert launch("state").changed == {}


def test_rotate(stage, launch):
    job = launch("rotate", {"migration_auth_token_new": "true", "migration_batch_size": "50%"})
    assert job.artifacts["cache_migration_rotate"]
    assert len(tokens(stage)) == 2
    assert stage.on_new(), stage.connections()


def test_rollback(stage, launch):
    job = launch("rollback", {"migration_rollback_close_ingress": "true", "migration_sample": 100})
    assert job.artifacts["cache_migration_rollback"]
    assert stage.environment_files() == stage.originals


def test_the_installed_collection_migrates_with_the_sandboxs_inventory(stage, collections, tmp_path):
    """By hand, and from a folder that is not the clone."""
    shutil.copytree(CHECKOUT / "inventories/sandbox", tmp_path / "sandbox")
    command = ("ansible-playbook", "kempian.cache_migration.migrate", "-i", "sandbox")
    done = tool(*command, cwd=tmp_path, env={**alone(collections), **stage.sandbox.env})
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ansible-playbook kempian.cache_migration.rollback -i" in done.stdout
    assert stage.on_new(), stage.connections()


def test_migrate_changes_nothing_again(launch):
    plan = launch("plan of migrate", {"migration_batch_size": "2"})
    job = launch("migrate", {"migration_batch_size": "2"}, after=plan)
    assert job.artifacts.keys() >= {
        f"cache_migration_{stage}" for stage in ("assess", "provision", "ingress", "cutover")
    }
    assert job.changed == {}


def test_decommission(stage, launch):
    stage.sandbox.advance_clock(49 * HOUR)
    asked = {"migration_decommission": "true", "migration_decommission_waive": ["other_services"]}
    plan = launch("plan of decommission", asked)
    assert world.old_instance(stage.sandbox)["State"]["Name"] == "running"
    job = launch("decommission", asked, after=plan)
    assert job.artifacts["cache_migration_decommission"]
    assert world.old_instance(stage.sandbox)["State"]["Name"] == "stopped"


def test_every_template_was_launched(awx):
    assert set(awx.launched) == set(TEMPLATES)


def test_nothing_of_ansible_is_left_on_the_hosts(stage, awx):
    for host in stage.hosts:
        listed = stage.sandbox.run(
            host, ["sh", "-c", "ls -d /home/*/.ansible/tmp/* /root/.ansible/tmp/* /tmp/ansible*"]
        )
        assert listed.stdout.decode().split() == []
