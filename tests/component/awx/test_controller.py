"""The stand-in refuses what AWX refuses, or a test that passes with it would say nothing."""

from __future__ import annotations

import pytest

from tests.component.awx import controller

QUESTION = {"question_name": "Canary", "variable": "canary", "type": "text", "required": True}
RULE = "DTSTART:20260101T060000Z RRULE:FREQ=DAILY;INTERVAL=1"


@pytest.fixture
def template(awx):
    """A job template with a survey whose only question must be answered."""
    organization = awx.one("organizations", "Default")["id"]
    fields = {"name": "app", "organization": organization, "scm_type": "git", "scm_url": "https://example.invalid/app"}
    project = awx.made("projects", fields)
    awx.synced_now(project["summary_fields"]["current_update"]["id"])
    fields = {"name": "cutover", "project": project["id"], "playbook": "playbooks/cutover.yml", "survey_enabled": True}
    made = awx.made("job_templates", fields)
    awx.surveys[made["id"]] = {"name": "", "description": "", "spec": [{**QUESTION, "default": "app1"}]}
    return made


def test_a_template_of_a_project_that_was_never_synced(awx):
    fields = {"name": "app", "scm_type": "git", "scm_url": "https://example.invalid/app"}
    project = awx.made("projects", fields)
    with pytest.raises(controller.Refused, match="Playbook not found for project"):
        awx.made("job_templates", {"name": "cutover", "project": project["id"], "playbook": "playbooks/cutover.yml"})


def test_a_playbook_that_the_project_does_not_have(awx, template):
    with pytest.raises(controller.Refused, match="Playbook not found for project"):
        awx.changed("job_templates", template["id"], {"playbook": "playbooks/cutovr.yml"})


def test_a_schedule_without_an_answer_that_is_required_also_where_it_has_a_default(awx, template):
    fields = {"name": "daily", "rrule": RULE, "unified_job_template": template["id"]}
    with pytest.raises(controller.Refused, match="value missing"):
        awx.made("schedules", fields)
    assert awx.made("schedules", {**fields, "extra_data": {"canary": "app2"}})


@pytest.mark.parametrize("rule", ["RRULE:FREQ=DAILY;INTERVAL=1", "DTSTART:20260101T060000Z RRULE:FREQ=DAILY"])
def test_a_rule_without_its_begin_or_its_interval(awx, template, rule):
    fields = {"name": "daily", "rrule": rule, "unified_job_template": template["id"], "extra_data": {"canary": "app2"}}
    with pytest.raises(controller.Refused, match="DTSTART"):
        awx.made("schedules", fields)


def test_a_node_that_says_what_its_template_does_not_ask(awx, template):
    workflow = awx.made("workflow_job_templates", {"name": "migration"})["id"]
    fields = {"identifier": "cutover", "workflow_job_template": workflow, "unified_job_template": template["id"]}
    with pytest.raises(controller.Refused, match="not allowed on launch"):
        awx.made("workflow_job_template_nodes", {**fields, "extra_data": {"migration_services": "[]"}})
    assert awx.made("workflow_job_template_nodes", fields), "what is required may be said at the launch"


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "number"},
        {"required": "yes"},
        {"type": "integer", "default": "5"},
        {"type": "multiplechoice"},
        {"type": "multiplechoice", "choices": ["", "redis"]},
        {"type": "multiplechoice", "choices": ["true", "false"], "default": "yes"},
        {"type": "multiplechoice", "choices": ["true", "false"], "default": False},
        {"type": "float", "min": 0.5},
        {"type": "password", "default": "secret"},
    ],
)
def test_a_question_that_is_none(wrong):
    with pytest.raises(controller.Refused):
        controller.check_survey({"name": "", "description": "", "spec": [{**QUESTION, **wrong}]})


def test_two_questions_for_one_variable():
    with pytest.raises(controller.Refused, match="duplicated"):
        controller.check_survey({"name": "", "description": "", "spec": [QUESTION, QUESTION]})


@pytest.mark.parametrize("injector", ["{{ url }}", "no template at all"])
def test_an_injector_of_a_field_that_there_is_not(awx, injector):
    fields = {"name": "of the token", "kind": "cloud", "inputs": {"fields": [{"id": "secret", "label": "Secret"}]}}
    with pytest.raises(controller.Refused, match="undefined field"):
        awx.made("credential_types", {**fields, "injectors": {"env": {"SECRET": injector}}})


def test_two_credentials_of_one_type(awx, template):
    aws, organization = (
        awx.one("credential_types", "Amazon Web Services")["id"],
        awx.one("organizations", "Default")["id"],
    )
    made = [
        awx.made("credentials", {"name": name, "credential_type": aws, "organization": organization})["id"]
        for name in ("assess", "cutover")
    ]
    awx.associated("job_templates", template["id"], "credentials", {"id": made[0]})
    with pytest.raises(controller.Refused, match="multiple credentials"):
        awx.associated("job_templates", template["id"], "credentials", {"id": made[1]})


def test_a_field_an_object_and_a_choice_that_there_are_not(awx, template):
    wrong = {"colour": "red", "inventory": 999, "job_type": "dry", "diff_mode": "yes"}
    told = ("no field", "does not exist", "not a valid choice", "Not a valid bool")
    for (name, value), word in zip(wrong.items(), told):
        with pytest.raises(controller.Refused, match=word):
            awx.changed("job_templates", template["id"], {name: value})
