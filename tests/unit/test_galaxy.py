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
