"""The inventories of docs/choosing.md, and those that the repository has, are accepted as they stand."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import making
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/choosing.md"
PROD = (ROOT / "inventories/prod/group_vars/all.yml").read_text()
SHOWN = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
REHEARSED = sorted(ROOT.glob("inventories/*/group_vars/all.yml"))


def in_prod(shown):
    """As the page says: in the place of what is under "The target", and the values where it has them."""
    without = re.sub(r"# The target\n.*?\n\n", "", PROD, count=1, flags=re.DOTALL)
    assert without != PROD
    return {**yaml.safe_load(without), **shown}


def settings_of(stated):
    options = {name.removeprefix(PREFIX): value for name, value in stated.items()}
    return {**{name: option.default for name, option in OPTIONS.items()}, "region": "us-east-1", **options}


def accepted(settings):
    """As far as a run decides before AWS is asked, on an account that has nothing yet."""
    row, asked = table.target_of(settings), []

    def make(module, args, setting=None):
        asked.append((module, args))
        return {"group_id": "sg-1", "plan": []}

    table.refuse_settings_of_others(row, settings)
    making.look(GOALS["migrate"], settings, None, make)
    return row, dict(asked)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda stated: next(iter(stated)))
def test_in_the_inventory_of_prod_it_makes_a_target_and_says_what_the_app_needs(shown):
    assert {name.removeprefix(PREFIX) for name in shown} <= set(OPTIONS)
    settings = settings_of(in_prod(shown))
    row, made = accepted(settings)
    assert row.module in made
    assert (settings["app_ready_for"] or "redis") == row.endpoint(settings, None).protocol
    assert settings["engine"] == "valkey" or row.service == "elasticache-memcached"  # which is what assess.yml proposes
    Migration.from_settings(settings)


@pytest.mark.parametrize("path", REHEARSED, ids=lambda path: path.parts[-3])
def test_an_inventory_of_the_repository_names_a_target_that_can_be_planned(path):
    settings = settings_of({"migration_app_cidrs": ["10.0.0.0/24"], **yaml.safe_load(path.read_text())})
    row, made = accepted(settings)
    assert row.module in made


def test_every_service_is_shown():
    rows = [table.target_of(settings_of(stated)) for stated in SHOWN]
    assert {row.service for row in rows} == set(table.TARGETS)
