"""What the README promises exists, and every word that looks like an option is one."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
NAMES = {option.full_name for option in OPTIONS.values()}
PLUGINS = {path.stem for path in (ROOT / "plugins").glob("*/migration_*.py")}
FOLDERS = ("bench", "changelogs", "docs", "inventories", "molecule", "playbooks", "roles")
SAID = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in (".yml", ".md"))


@pytest.mark.parametrize("path", [ROOT / "README.md", *SAID], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_word_that_looks_like_an_option_is_one(path):
    words = set(re.findall(r"\bmigration_[a-z0-9_]*[a-z0-9]\b", path.read_text()))
    assert words - NAMES - PLUGINS == set()


def test_every_option_is_in_the_readme():
    assert [name for name in sorted(NAMES) if f"| `{name}` |" not in README] == []


ROLES = {path.parent.name for path in (ROOT / "roles").glob("*/README.md")} - {"move"}  # the engine of the others


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_leads_to_what_its_stage_needs_of_iam(role):
    assert f"](../../docs/iam/README.md#{role})" in (ROOT / f"roles/{role}/README.md").read_text()
    assert f"\n## {role}\n" in (ROOT / "docs/iam/README.md").read_text()


def test_every_file_that_the_readme_links_to_exists():
    assert [path for path in re.findall(r"\]\(([^)]+)\)", README) if not (ROOT / path).exists()] == []
