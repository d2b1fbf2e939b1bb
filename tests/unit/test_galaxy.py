"""The version that is next, and what says that it came with it."""

from __future__ import annotations

import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
NEXT = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
SAYING = sorted(
    path
    for folder in ("plugins", "roles")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".yml") and "version_added: " in path.read_text()
)


def numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


@pytest.mark.parametrize("path", SAYING, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_was_added_by_a_version_after_the_next(path):
    added = re.findall(r"version_added: ([\d.]+)", path.read_text())
    assert added and max(map(numbers, added)) <= numbers(NEXT)


@pytest.mark.parametrize("path", sorted((ROOT / "changelogs/fragments").iterdir()), ids=lambda path: path.name)
def test_the_changelog_names_only_modules_that_there_are(path):
    sections = [section for section in yaml.safe_load(path.read_text()).values() if isinstance(section, list)]
    subjects = [entry.partition(" - ")[0] for section in sections for entry in section if " - " in entry]
    named = {name for subject in subjects for name in re.findall(r"\b[a-z]+_[a-z_]+\b", subject)}
    assert named <= {module.stem for module in (ROOT / "plugins/modules").glob("*.py")}
