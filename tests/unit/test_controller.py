"""What works in the controller's own process is stated once, and named the same wherever Ansible asks for it."""

from __future__ import annotations

import pathlib

import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import TARGETS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import MODULES

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_module_of_aws_has_an_action_and_is_in_the_group_of_the_collections_defaults():
    speaking = [path.stem for path in (ROOT / "plugins/modules").glob("*.py") if "\ndef serve(" in path.read_text()]
    actions = {path.stem for path in (ROOT / "plugins/action").glob("*.py")}
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["cache_migration"]
    assert sorted(MODULES) == sorted(speaking) == sorted(group)
    assert set(MODULES) <= actions


def test_the_modules_of_a_target_are_among_them():
    assert {name for row in TARGETS.values() for name in (row.module, row.info_module)} <= set(MODULES)
