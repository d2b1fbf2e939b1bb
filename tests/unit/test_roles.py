"""The roles' contracts: defaults equal the argument specs, and playbooks map every option with the same default."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


def specs(role):
    return yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]


def options(role):
    return {name: option for entry in specs(role).values() for name, option in entry["options"].items()}


@pytest.mark.parametrize("role", ROLES)
def test_the_defaults_of_a_role_are_those_of_its_argument_specs(role):
    every = {**options(role), **specs(role)["main"]["options"]}
    stated = {name: option["default"] for name, option in every.items() if "default" in option}
    defaults = yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())
    only_elsewhere = {name for entry, spec in specs(role).items() if entry != "main" for name in spec["options"]}
    assert {name: value for name, value in stated.items() if name in defaults} == defaults
    assert set(stated) - set(defaults) <= only_elsewhere


@pytest.mark.parametrize("role", ROLES)
def test_every_option_of_a_role_is_in_its_readme(role):
    readme = (ROOT / f"roles/{role}/README.md").read_text()
    assert [name for name in options(role) if f"`{name}`" not in readme] == []


@pytest.mark.parametrize("playbook", sorted(path.name for path in (ROOT / "playbooks").glob("*.yml")))
def test_a_playbook_maps_to_options_that_exist_and_with_the_roles_own_defaults(playbook):
    text = (ROOT / "playbooks" / playbook).read_text()
    known = {name: option for role in ROLES for name, option in options(role).items()}
    mapped = re.findall(r"^\s+((?:{})_\w+):\s*(.*)$".format("|".join(ROLES)), text, re.M)
    for name, value in mapped:
        assert name in known, f"{playbook}: {name}"
        # A switch from the command line or an INI inventory is text, and any text is true.
        assert known[name]["type"] != "bool" or "migration_" not in value or "| bool" in value, f"{playbook}: {name}"
        simple = re.fullmatch(r'"\{\{ migration_\w+ \| default\((.*?)\)(?: \| bool)? \}\}"', value)
        if simple and "default" in known[name] and not name.endswith("_report_dir"):  # playbooks always record
            assert yaml.safe_load(simple[1]) == known[name]["default"], f"{playbook}: {name}"


def test_every_option_of_the_main_entry_of_a_role_can_be_set_from_the_inventory():
    text = "".join(path.read_text() for path in (ROOT / "playbooks").glob("*.yml"))
    missing = [name for role in ROLES for name in specs(role)["main"]["options"] if f"{name}:" not in text]
    assert missing == []


def tasks_in(whole):
    for task in whole or []:
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks_in(task.get(part))


def test_what_runs_through_the_apps_own_interpreter_has_an_end():
    """The app's user owns it: one that sleeps would hold the run, and its lock, for ever."""
    files = (ROOT / "roles").glob("*/tasks/*.yml")
    tasks = [task for file in files for task in tasks_in(yaml.safe_load(file.read_text()))]
    through_it = [task for task in tasks if "ansible_python_interpreter" in (task.get("vars") or {})]
    assert through_it
    assert [task["name"] for task in through_it if not task.get("timeout")] == []


def test_what_asks_the_old_redis_to_retire_it_or_to_bring_it_back_has_an_end():
    """Whoever answers in its place and never comes to the end of an answer would hold the run for ever."""
    files = (ROOT / "roles/decommission/tasks").glob("*.yml")
    tasks = [task for file in files for task in tasks_in(yaml.safe_load(file.read_text()))]
    asking = [task for task in tasks if "kempian.cache_migration.old_redis_info" in task]
    assert len(asking) == 3
    assert [task["name"] for task in asking if not task.get("timeout")] == []
