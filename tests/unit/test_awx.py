"""What extensions/patterns/migration has for AWX: each entry is what its module takes, and fits the others."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2.nativetypes
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.retire import checks

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATTERN = ROOT / "extensions/patterns/migration"
MODULES = pathlib.Path(__import__("ansible_collections.awx.awx", fromlist=["awx"]).__path__[0]) / "plugins/modules"
[PLAY] = yaml.safe_load((PATTERN / "playbooks/configure.yml").read_text())
OMITTED = object()


class Unsafe(str):
    """What Ansible leaves as it is."""


class Loader(yaml.SafeLoader):
    pass


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def rendered(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Unsafe):
        return value
    if isinstance(value, str) and "{{" in value:
        return jinja2.nativetypes.NativeEnvironment().from_string(value).render(**variables, omit=OMITTED)
    if isinstance(value, dict):
        return {name: rendered(one, variables) for name, one in value.items()}
    return [rendered(one, variables) for one in value] if isinstance(value, list) else value


def definitions() -> dict[str, Any]:
    """All of the data, with its defaults. A variable may name one that names another, three deep."""
    held: dict[str, Any] = {}
    for name in PLAY["vars_files"]:
        held |= yaml.load((PATTERN / "playbooks" / name).read_text(), Loader)
    for _ in range(3):
        held = rendered(held, held)
    return held


HELD = definitions()
TEMPLATES = {one["name"].removeprefix("Cache migration prod: "): one for one in HELD["controller_templates"]}
[WORKFLOW] = HELD["controller_workflows"]
NODES = {one["identifier"]: one for one in WORKFLOW["simplified_workflow_nodes"]}
SURVEYS = HELD["awx_surveys"]
QUESTIONS = [(name, question) for name, survey in SURVEYS.items() for question in survey["spec"]]


def module_of(task: Mapping[str, Any]) -> str:
    return next(name for name in task if name.startswith("awx.awx."))


def items_of(task: Mapping[str, Any]) -> list[Any]:
    name, *nested = re.findall(r"controller_\w+|'\w+'", task["loop"])
    if not nested:
        return list(HELD[name])
    return [[one, inner] for one in HELD[name] for inner in one[nested[0].strip("'")]]


@functools.cache
def spec_of(module: str) -> dict[str, Any]:
    """The argument spec that a module documents."""
    text = re.search(r"DOCUMENTATION = r?'''(.*?)'''", (MODULES / f"{module}.py").read_text(), re.S)
    known = ("type", "choices", "required", "elements", "aliases")
    return {
        name: {word: one[word] for word in known if word in one}
        for name, one in yaml.safe_load(text[1])["options"].items()
    }


def applied() -> Iterator[Any]:
    for task in PLAY["tasks"]:
        for number, item in enumerate(items_of(task)):
            yield pytest.param(task, item, id=f"{module_of(task)}-{number}")


@pytest.mark.parametrize("task, item", [*applied()])
def test_an_entry_is_what_the_module_takes_that_applies_it(task, item):
    stated = rendered(task[module_of(task)], {"item": item})
    stated = {name: value for name, value in stated.items() if value is not OMITTED}
    spec = spec_of(module_of(task).rpartition(".")[2])
    assert ArgumentSpecValidator(spec).validate(stated).error_messages == []


@pytest.mark.parametrize("name", sorted(name for name in HELD if name.startswith("controller_")))
def test_nothing_of_an_entry_is_left_out_when_it_is_applied(name):
    tasks = [yaml.dump(task) for task in PLAY["tasks"] if name in task["loop"]]
    used = set(re.findall(r"item\.(?:0\.)?(\w+)", " ".join(tasks))) | {"simplified_workflow_nodes"}
    assert {key for one in HELD[name] for key in one} <= used, name


def test_nothing_of_a_node_is_left_out_when_it_is_applied():
    tasks = yaml.dump([task for task in PLAY["tasks"] if "simplified_workflow_nodes" in task["loop"]])
    assert {key for one in NODES.values() for key in one} <= set(re.findall(r"item\.1\.(\w+)", tasks))


def test_a_key_that_no_module_knows_is_found():
    task = next(task for task in PLAY["tasks"] if "awx.awx.label" in task)
    stated = {**task["awx.awx.label"], "colour": "red"}
    assert "colour" in ArgumentSpecValidator(spec_of("label")).validate(stated).error_messages[0]


def test_what_the_documentation_lists_is_all_that_is_named_so():
    lists = ("projects", "credential_types", "credentials", "inventories", "inventory_sources", "templates", "roles",
             "execution_environments", "workflows", "schedules", "notifications", "labels")  # fmt: skip
    assert {name for name in HELD if name.startswith("controller_")} == {f"controller_{each}" for each in lists}


# Surveys


def test_a_survey_asks_what_its_stages_ask_for_and_nothing_else():
    for stage in STAGES:
        asked = {option.full_name for option in OPTIONS.values() if stage in option.asked}
        assert asked == {question["variable"] for name, question in QUESTIONS if name == stage}, stage


@pytest.mark.parametrize("name, question", QUESTIONS)
def test_a_question_that_is_not_answered_leaves_what_the_inventory_has(name, question):
    """AWX passes a default also where nobody has answered, and an empty text where a client sends one."""
    option = OPTIONS[question["variable"].removeprefix(PREFIX)]
    assert not question.get("default") or option.for_one_run
    assert not question["required"] and question.get("min") == (1 if question["type"] in ("text", "password") else None)


@pytest.mark.parametrize("name, question", QUESTIONS)
def test_every_answer_is_one_that_the_option_takes(name, question):
    option = OPTIONS[question["variable"].removeprefix(PREFIX)]
    answers = {"integer": [3], "text": ["25%"], "password": ["redis://assessor:secret@10.0.0.1"]}
    for answer in question.get("choices", "").splitlines() or answers[question["type"]]:
        assert answer not in ("", None)
        given = {option.full_name: [answer] if question["type"] == "multiselect" else answer}
        assert ArgumentSpecValidator({option.full_name: option.spec()}).validate(given).error_messages == []


def test_a_secret_is_asked_for_as_a_password():
    secret = {option.full_name for option in OPTIONS.values() if option.is_secret}
    assert secret == {question["variable"] for _, question in QUESTIONS if question["type"] == "password"}


@pytest.mark.parametrize("name, question", QUESTIONS)
def test_a_question_is_one_that_the_pages_of_awx_can_show_and_change(name, question):
    """They take choices and their default for texts, and end in an empty page where one is missing or a list."""
    if question["type"] in ("multiplechoice", "multiselect"):
        assert isinstance(question["choices"], str) and isinstance(question["default"], str)


@pytest.mark.parametrize("name, question", QUESTIONS)
def test_a_question_speaks_of_no_command_line(name, question):
    assert "`-e`" not in question["question_description"]


def test_a_workflow_asks_for_nothing_that_is_of_one_job():
    asked = {question["variable"].removeprefix(PREFIX) for question in SURVEYS["workflow"]["spec"]}
    assert asked and not [name for name in asked if OPTIONS[name].for_one_run or OPTIONS[name].is_secret]


def test_the_checks_that_can_be_waived_are_those_that_there_are():
    assert set(OPTIONS["decommission_waive"].choices) == set(checks.WAIVABLE)


# What fits together


def test_every_playbook_has_a_job_template_and_a_credential_of_its_own():
    for path in (ROOT / "playbooks").glob("*.yml"):
        template = TEMPLATES[path.stem]
        assert template["playbook"] == f"playbooks/{path.name}" and template["job_type"] == "run"
        assert f"Cache migration prod: AWS {path.stem}" in template["credentials"]
        assert template.get("survey_spec") == SURVEYS.get(path.stem)


@pytest.mark.parametrize("stage", ["migrate", "cutover", "decommission"])
def test_a_plan_is_a_check_of_what_is_done_with_the_same_answers(stage):
    plan, done = TEMPLATES[f"plan of {stage}"], TEMPLATES[stage]
    assert plan["job_type"] == "check" and plan["extra_vars"]["migration_plan_out"]
    same = ("playbook", "survey_spec", "inventory", "execution_environment", "ask_limit_on_launch")
    assert [plan.get(name) for name in same] == [done.get(name) for name in same]


@pytest.mark.parametrize("stage", ["migrate", "cutover"])
def test_who_plans_can_change_nothing(stage):
    rights = [name for name in TEMPLATES[f"plan of {stage}"]["credentials"] if ": AWS " in name]
    assert rights == ["Cache migration prod: AWS plan"]


def test_what_is_planned_for_an_approval_is_launched_by_no_operator_without_one():
    planned = {name.removeprefix("plan of ") for name in TEMPLATES if name.startswith("plan of ")}
    assert {name.removeprefix("Cache migration prod: ") for name in HELD["awx_guarded"]} == planned


def test_the_page_names_variables_that_there_are_in_commands_that_are_a_line_each():
    """make ends a command at the end of a line, also within quotes, and takes the rest for another."""
    page = (ROOT / "docs/awx.md").read_text()
    assert set(re.findall(r"\bawx_\w+", page)) <= set(yaml.safe_load((PATTERN / "data/names.yml").read_text()))
    commands = [line for line in page.splitlines() if line.startswith("    make awx")]
    assert commands and all(line.count('"') == 2 and "'" not in line for line in commands)


def test_every_credential_that_is_used_is_made():
    made = {one["name"] for one in HELD["controller_credentials"]}
    used = {name for one in HELD["controller_templates"] for name in one["credentials"]}
    assert used | {HELD["controller_inventory_sources"][0]["credential"]} <= made


def test_nothing_is_secret():
    assert not [one for one in HELD["controller_credentials"] if "inputs" in one]
    for one in HELD["controller_credential_types"]:
        for template in one["injectors"]["extra_vars"].values():
            assert isinstance(template, Unsafe) and template.startswith("{{"), "AWX fills it in, not Ansible"


def test_what_a_type_of_credential_sets_is_an_option_and_is_never_empty():
    for one in HELD["controller_credential_types"]:
        assert [field["id"] for field in one["inputs"]["fields"]] == one["inputs"]["required"]
        names = [name.removeprefix(PREFIX) for name in one["injectors"]["extra_vars"]]
        assert set(names) <= set(OPTIONS)


@pytest.mark.parametrize("stage", ["cutover", "decommission"])
def test_nothing_is_changed_for_good_but_by_an_approval_of_its_plan(stage):
    [before] = [name for name, node in NODES.items() if stage in node.get("success_nodes", [])]
    assert "approval_node" in NODES[before]
    [plan] = [name for name, node in NODES.items() if before in node.get("success_nodes", [])]
    assert NODES[plan]["unified_job_template"].endswith(f"plan of {stage}")
    assert NODES[plan].get("extra_data") == NODES[stage].get("extra_data")


def test_the_jobs_of_the_workflow_are_one_after_the_other_and_nothing_follows_a_failure():
    order, node = [], "assess"
    while node:
        order.append(node)
        [node] = NODES[node].get("success_nodes", [None])
    assert order == list(NODES)
    assert not [node for node in NODES.values() if node.keys() & {"failure_nodes", "always_nodes"}]


def test_a_job_of_the_workflow_is_a_template_and_takes_what_it_is_given():
    for node in NODES.values():
        if "approval_node" not in node:
            template = TEMPLATES[node["unified_job_template"].removeprefix("Cache migration prod: ")]
            asked = {question["variable"] for question in template.get("survey_spec", {}).get("spec", [])}
            assert set(node.get("extra_data", {})) <= asked


def test_what_is_scheduled_asks_nothing():
    [schedule] = HELD["controller_schedules"]
    assert "survey_spec" not in TEMPLATES[schedule["unified_job_template"].removeprefix("Cache migration prod: ")]


def test_the_inventory_is_a_folder_of_the_repository():
    assert (ROOT / HELD["controller_inventory_sources"][0]["source_path"] / "group_vars/all.yml").is_file()


def test_nobody_is_told_where_no_webhook_is_named():
    assert HELD["controller_notifications"] == [] and WORKFLOW["notification_templates_approvals"] == []


def test_the_pattern_names_itself_and_a_playbook_that_is_there():
    pattern = json.loads((PATTERN / "meta/pattern.json").read_text())
    assert pattern["name"] == PATTERN.name
    for template in pattern["aap_resources"]["controller_job_templates"]:
        assert (PATTERN / "playbooks" / template["playbook"]).is_file()
