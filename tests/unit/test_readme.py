"""What the README promises exists."""

from __future__ import annotations

import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_variable_that_a_playbook_reads_is_in_the_readme_and_the_other_way_round():
    read = {
        name
        for path in (ROOT / "playbooks").rglob("*.yml")
        for name in re.findall(r"(?<!cache_migration\.)\bmigration_[a-z_]+", path.read_text())
    }
    told = set(re.findall(r"`(migration_[a-z_]+)", README))
    assert read == told


def test_the_variables_of_the_example_inventories_exist():
    told = set(re.findall(r"`(migration_[a-z_]+)", README))
    used = {
        name
        for path in (ROOT / "inventories").glob("*/group_vars/*.yml")
        for name in re.findall(r"^(migration_[a-z_]+):", path.read_text(), re.M)
    }
    assert used <= told


def test_the_iam_policy_grants_every_action_that_a_role_names_and_no_other():
    policy = json.loads((ROOT / "docs/iam-policy.json").read_text())
    granted = {
        action
        for statement in policy["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    named = {
        action
        for path in (ROOT / "roles").glob("*/README.md")
        for action in re.findall(r"\b(?:ec2|elasticache|iam|kms|s3|secretsmanager|ssm|sts):[A-Z]\w+", path.read_text())
    }
    assert named == granted


def test_every_file_that_the_readme_links_to_exists():
    assert [path for path in re.findall(r"\]\(([^)]+)\)", README) if not (ROOT / path).exists()] == []
