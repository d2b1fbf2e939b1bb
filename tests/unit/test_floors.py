"""The floors of plugins/module_utils: a room imports from its own floor and those below that it may know."""

from __future__ import annotations

import ast
import pathlib

import pytest

HOUSE = pathlib.Path(__file__).resolve().parents[2] / "plugins/module_utils"
ROOT = "ansible_collections.kempian.cache_migration.plugins"
KNOWS = {
    "core": set(),
    "host": {"core"},
    "stores": {"core", "host"},
    "cache": {"core", "host", "stores"},
    "targets": {"core"},
    "aws": {"core", "targets", "stores"},
    "decide": {"core", "targets", "stores", "cache", "host", "aws"},
}
ROOMS = sorted(HOUSE.rglob("*.py"))
RUNS_ON_HOSTS = {"core", "host", "stores", "cache"}
SPEAK_TO_AWS = {"stores/ssm.py"}


def imported(path: pathlib.Path) -> set[str]:
    """The modules that a file imports, wherever in it; of `from a import b` both a and a.b."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write the import out"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def floor_of(path: pathlib.Path) -> str:
    return path.relative_to(HOUSE).parts[0]


def test_every_room_is_on_a_floor():
    assert {floor_of(path) for path in ROOMS} == set(KNOWS)


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_imports_only_from_its_floor_and_those_that_it_knows(path):
    prefix = f"{ROOT}.module_utils."
    floors = {name.removeprefix(prefix).split(".")[0] for name in imported(path) if name.startswith(prefix)}
    assert floors <= {floor_of(path)} | KNOWS[floor_of(path)]


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: str(path.relative_to(HOUSE)))
def test_no_room_knows_ansible_and_no_decision_has_a_client(path):
    names = imported(path)
    assert not {name for name in names if name.split(".")[0] == "ansible"}, "only doors know Ansible"
    assert not {name for name in names if name.startswith(f"{ROOT}.") and ".module_utils" not in name}
    if floor_of(path) == "decide":
        assert not {name.split(".")[0] for name in names} & {"boto3", "botocore", "socket", "subprocess", "time"}


@pytest.mark.parametrize(
    "path", [path for path in ROOMS if floor_of(path) in RUNS_ON_HOSTS], ids=lambda path: str(path.relative_to(HOUSE))
)
def test_what_runs_on_hosts_reaches_no_aws_code(path):
    reached = {name.split(".")[0] for name in imported(path)} & {"boto3", "botocore"}
    reached |= {name for name in imported(path) if name.startswith("ansible_collections.amazon")}
    assert not reached or str(path.relative_to(HOUSE)) in SPEAK_TO_AWS


def test_packages_are_empty():
    assert [path for path in ROOMS if path.name == "__init__.py" and path.read_text()] == []
