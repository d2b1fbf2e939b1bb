"""The documentation of modules can be read: ansible-doc says so too, when somebody asks it."""

from __future__ import annotations

import ast
import pathlib

import pytest
import yaml

PLUGINS = pathlib.Path(__file__).resolve().parents[2] / "plugins"
BLOCKS = ("DOCUMENTATION", "EXAMPLES", "RETURN")


def blocks(path):
    """The constants of a module that are YAML, by name."""
    tree = ast.parse(path.read_text())
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in BLOCKS
    }


@pytest.mark.parametrize("path", sorted(PLUGINS.glob("modules/*.py")), ids=lambda path: path.stem)
def test_documentation_examples_and_results_are_yaml(path):
    found = {name: yaml.safe_load(text) for name, text in blocks(path).items()}
    assert set(found) == set(BLOCKS)
    assert set(found["DOCUMENTATION"]) >= {"module", "short_description", "description"}
