"""The inventories of docs/choosing.md name options that exist, of one service each."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options import OPTIONS, PREFIX
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/choosing.md"
SHOWN = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]


@pytest.mark.parametrize("stated", SHOWN, ids=lambda stated: next(iter(stated)))
def test_it_makes_a_target_of_one_service_and_says_what_the_app_needs(stated):
    options = {name.removeprefix(PREFIX): value for name, value in stated.items()}
    assert set(options) <= set(OPTIONS)
    row = table.target_of(options)
    table.refuse_settings_of_others(row, options)
    assert row.missing(options) == ()
    protocol = row.endpoint(options, None).protocol
    assert options.get("app_ready_for", "redis") == protocol
    Migration.from_settings({**{name: option.default for name, option in OPTIONS.items()}, **options})


def test_every_service_is_shown():
    rows = [table.target_of({name.removeprefix(PREFIX): value for name, value in stated.items()}) for stated in SHOWN]
    assert {row.service for row in rows} == set(table.TARGETS)
