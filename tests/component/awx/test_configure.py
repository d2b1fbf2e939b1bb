"""The definitions are put into an AWX by its own modules, over HTTP, and stay as they are the second time.

What a stand-in cannot show: that a job runs, what a role allows, what a real project or inventory holds,
notifications that are sent, and any rule of AWX that the definitions break and that `controller.py` does not have.
"""

from __future__ import annotations

import copy
import json

import pytest
import yaml

from tests.component.awx import controller
from tests.component.awx.conftest import ROOT, changed, configure

SURVEYS = yaml.safe_load((ROOT / "extensions/patterns/migration/data/surveys.yml").read_text())["awx_surveys"]
OF_PROD = "Cache migration prod"
TEAMS = {"awx_owner_teams": ["shop"], "awx_operator_teams": ["ops"], "awx_approver_teams": ["leads"]}
GUARDED = {f"{OF_PROD}: {name}" for name in ("migrate", "cutover", "decommission")}


pytestmark = pytest.mark.long  # the definitions themselves are held by unit tests


@pytest.fixture(scope="module")
def configured(server):
    """AWX as the playbook leaves one that is empty but for the teams."""
    organization = server.awx.one("organizations", "Default")["id"]
    for names in TEAMS.values():
        server.awx.made("teams", {"name": names[0], "organization": organization})
    assert changed(configure(server.url, "-e", json.dumps(TEAMS))) > 0
    return server.awx


def test_an_empty_awx_has_all_of_it_afterwards(configured):
    held = {name: len(configured.held[name]) for name in controller.FIELDS}
    assert held["job_templates"] == 13 and held["workflow_job_template_nodes"] == 12
    assert held["workflow_approval_templates"] == 3 and held["schedules"] == 1 and held["credentials"] == 13


def test_a_template_has_its_playbook_its_survey_and_its_own_rights(configured):
    cutover = configured.one("job_templates", f"{OF_PROD}: cutover")
    assert cutover["playbook"] == "playbooks/cutover.yml" and cutover["ask_limit_on_launch"]
    assert configured.surveys[cutover["id"]] == SURVEYS["cutover"]
    credentials = configured.linked("job_templates", f"{OF_PROD}: cutover", "credentials")
    assert sorted(credentials) == [f"{OF_PROD}: AWS cutover", f"{OF_PROD}: hosts"]


def test_the_cutover_follows_an_approval_that_follows_its_plan(configured):
    def after(node):
        return configured.linked("workflow_job_template_nodes", node, "success_nodes")

    assert [after("plan_of_cutover"), after("approval_of_cutover")] == [["approval_of_cutover"], ["cutover"]]
    approval = configured.one("workflow_job_template_nodes", "approval_of_cutover")["unified_job_template"]
    assert "digest" in configured.held["workflow_approval_templates"][approval]["description"]


def templates_that(configured, team, role):
    return {name for name, has in configured.roles_of(team) if has == role} - {OF_PROD}


def test_an_operator_launches_what_is_not_to_be_approved_and_the_workflow(configured):
    everything = set(configured.names("job_templates"))
    assert templates_that(configured, "ops", "execute") == everything - GUARDED
    assert configured.roles_of("ops") >= {(OF_PROD, "execute"), (OF_PROD, "update")}  # the workflow, and the inventory
    assert (OF_PROD, "approval") not in configured.roles_of("ops")


def test_an_approver_sees_the_jobs_that_are_to_be_approved_and_launches_none(configured):
    """In AWX who may approve in a workflow does not see its jobs by that."""
    assert (OF_PROD, "approval") in configured.roles_of("leads")
    assert templates_that(configured, "leads", "read") == set(configured.names("job_templates"))
    assert {role for _name, role in configured.roles_of("leads")} == {"approval", "read"}


def test_an_owner_fills_in_every_credential_and_launches_everything(configured):
    assert templates_that(configured, "shop", "admin") == set(configured.names("credentials"))
    assert templates_that(configured, "shop", "execute") == set(configured.names("job_templates"))


def test_a_secret_is_filled_in_by_awx_and_by_nobody_before(configured):
    injectors = configured.one("credential_types", "Cache migration: assess URL")["injectors"]
    assert injectors == {"extra_vars": {"migration_assess_url": "{{ url }}"}}
    assert not any(one["inputs"] for one in configured.held["credentials"].values())


def launch(configured, template, **answers):
    return configured.launched(
        "job_templates", configured.one("job_templates", f"{OF_PROD}: {template}")["id"], answers
    )


@pytest.mark.parametrize("stage", [name for name in SURVEYS if name != "workflow"])
def test_who_answers_nothing_has_what_the_inventory_has(configured, stage):
    said = launch(configured, stage)["extra_vars"]
    of_every_job = {"migration_report_dir": ""}
    if stage in ("cutover", "decommission", "migrate"):
        of_every_job["migration_require_approval"] = True
    of_one_run = {q["variable"]: "false" for q in SURVEYS[stage]["spec"] if q.get("default")}
    assert said == {**of_every_job, **of_one_run}


@pytest.mark.parametrize("stage", [name for name in SURVEYS if name != "workflow"])
def test_an_empty_answer_never_reaches_a_job(configured, stage):
    for question in SURVEYS[stage]["spec"]:
        with pytest.raises(controller.Refused):
            launch(configured, stage, **{question["variable"]: ""})


def test_an_answer_does_reach_it(configured):
    said = launch(configured, "cutover", migration_canary="app2", migration_batch_size="25%")["extra_vars"]
    assert said["migration_canary"] == "app2" and said["migration_batch_size"] == "25%"


def test_what_is_not_asked_for_cannot_be_said(configured):
    with pytest.raises(controller.Refused, match="migration_services"):
        launch(configured, "cutover", migration_services="[]")


@pytest.mark.long
def test_the_second_time_nothing_changes(configured, server):
    """Approvals included, as each is made by its node. A project is synced each time, which is no change of it."""
    held, surveys, links = copy.deepcopy((configured.held, configured.surveys, configured.links))
    configured.writes.clear()
    assert changed(configure(server.url, "-e", json.dumps(TEAMS))) == 0
    assert {**configured.held, "project_updates": {}} == {**held, "project_updates": {}}
    assert configured.surveys == surveys and configured.links == links
    made = [write for write in configured.writes if not write.startswith("PATCH")]
    assert made == [f"POST /api/v2/projects/{configured.one('projects', 'Cache migration')['id']}/update/"]


@pytest.mark.long
def test_modules_in_processes_of_their_own_do_the_same(server):
    """As a person's run has them, who says by -e where AWX is; another environment, with a webhook that is told."""
    where = ("-e", f"aap_hostname={server.url} aap_token={controller.TOKEN}")
    of_staging = ("-e", "awx_environment=staging awx_webhook_url=https://hooks.example.invalid/awx")
    arguments = (*where, *of_staging, "-e", "awx_inventory_credential=")
    assert changed(configure("", *arguments, quickly=False)) > 0
    told = server.awx.linked("workflow_job_templates", "Cache migration staging", "notification_templates_approvals")
    assert told == ["Cache migration staging: webhook"]
    assert changed(configure("", *arguments, quickly=False)) == 0


@pytest.mark.long
def test_a_node_that_is_gone_from_the_data_goes_when_the_workflow_is_made_anew(configured, server):
    workflow = configured.one("workflow_job_templates", OF_PROD)["id"]
    configured.made("workflow_job_template_nodes", {"identifier": "an old one", "workflow_job_template": workflow})
    configure(server.url)
    assert "an old one" in configured.names("workflow_job_template_nodes"), "as AWX itself leaves it"
    configure(server.url, "-e", "awx_rebuild_workflow=true")
    nodes = [
        one
        for one in configured.held["workflow_job_template_nodes"].values()
        if one["workflow_job_template"] == workflow
    ]
    assert len(nodes) == 11 and "an old one" not in configured.names("workflow_job_template_nodes")
