"""The roles' contracts: their options are those of core/options/, and nothing of their own is beside them."""

from __future__ import annotations

import importlib.util
import pathlib

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
ENGINE = "move"  # the others are a goal of it, and have the options that it reads
SCREEN = (
    100  # lines that an editor shows at once on a screen of 1440 points; whoever reads a role sees all of its course
)


def _role_docs():
    spec = importlib.util.spec_from_file_location("role_docs", ROOT / "scripts/role_docs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = {str(path.relative_to(ROOT)): text for path, text in _role_docs().made().items()}


def specs(role):
    return yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]


@pytest.mark.parametrize("path", sorted(MADE))
def test_argument_specs_and_tables_say_what_the_options_are(path):
    """`make docs` writes them."""
    assert (ROOT / path).read_text() == MADE[path]


@pytest.mark.parametrize("role", [role for role in ROLES if role != ENGINE])
def test_a_role_has_the_options_of_the_stages_of_its_goal_and_no_other(role):
    stages = GOALS[role].stages if role in GOALS else (role,)
    assert list(specs(role)["main"]["options"]) == list(table.spec(stages))


@pytest.mark.parametrize("role", [role for role in ROLES if role != ENGINE])
def test_the_tables_of_a_role_name_each_of_its_options(role):
    readme = (ROOT / f"roles/{role}/README.md").read_text()
    assert [name for name in specs(role)["main"]["options"] if f"| `{name}` |" not in readme] == []


def test_every_goal_has_a_role_and_a_playbook_and_every_role_but_one_is_a_goal():
    assert set(ROLES) - {ENGINE} == set(GOALS) | {"decommission"}
    assert {path.stem for path in (ROOT / "playbooks").glob("*.yml")} == set(ROLES) - {ENGINE}


@pytest.mark.parametrize("goal", sorted(GOALS))
def test_a_role_is_the_engine_with_its_goal(goal):
    first = yaml.safe_load((ROOT / f"roles/{goal}/tasks/main.yml").read_text())[0]
    assert first["ansible.builtin.import_role"] == {
        "name": f"kempian.cache_migration.{ENGINE}",
        "rolespec_validate": False,
    }
    assert first["vars"] == {"move_goal": goal}
    assert set(specs(ENGINE)["main"]["options"]["move_goal"]["choices"]) == set(GOALS)


@pytest.mark.parametrize("path", sorted((ROOT / "roles").glob("*/tasks/*.yml")), ids=lambda p: "/".join(p.parts[-3:]))
def test_a_file_of_tasks_fits_on_a_screen(path):
    assert len(path.read_text().splitlines()) <= SCREEN


def tasks_in(whole):
    for task in whole or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part))


def test_what_asks_the_old_redis_to_retire_it_or_to_bring_it_back_has_an_end():
    """Whoever answers in its place and never comes to the end of an answer would hold the run for ever."""
    files = (ROOT / "roles/decommission/tasks").glob("*.yml")
    tasks = [task for file in files for task in tasks_in(yaml.safe_load(file.read_text()))]
    steps = {task["name"]: task.get("kempian.cache_migration.retire_host", {}).get("step") for task in tasks}
    asking = [task for task in tasks if steps[task["name"]] in ("look", "ask", "wait")]
    assert len(asking) == 3
    assert [task["name"] for task in asking if not task.get("timeout")] == []


@pytest.mark.parametrize("role", [role for role in ROLES if role != ENGINE])
def test_each_task_of_a_role_rests_on_those_before_also_where_a_play_ignores_errors(role):
    """Tasks that are included inherit it of what includes them."""
    tasks = yaml.safe_load((ROOT / f"roles/{role}/tasks/main.yml").read_text())
    assert [task["name"] for task in tasks if task.get("ignore_errors") is not False] == []
