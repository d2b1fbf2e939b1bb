"""The inventory of a folder of this repository, as AWX has it read by ansible-inventory for a source from a project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.component.awx.conftest import ROOT

DATA = yaml.safe_load((ROOT / "extensions/patterns/migration/data/inventories.yml").read_text())
[SOURCE] = DATA["controller_inventory_sources"]
# Of AWX itself; source_vars are added to it.
OF_AWX = {
    "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
    "ANSIBLE_INVENTORY_EXPORT": "True",
    "ANSIBLE_VERBOSE_TO_STDERR": "True",
}
NO_AWS = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


def updated(folder: Path, source_vars: dict[str, str]) -> tuple[int, Any, str]:
    """What an update of the inventory ends with, what it finds, and what it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AWS_"))}
    found = folder / "output.json"
    command = ("ansible-inventory", "--list", "--export", "-i", folder, "--output", found, "--playbook-dir", folder)
    ran = subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:]],
        cwd=ROOT,
        env={**kept, **OF_AWX, **NO_AWS, **source_vars},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, json.loads(found.read_text()) if found.exists() else {}, ran.stderr


@pytest.fixture
def copied(tmp_path):
    def copied(environment: str) -> Path:
        return Path(shutil.copytree(ROOT / "inventories" / environment, tmp_path / environment))

    return copied


def test_the_folder_has_the_hosts_and_the_options_beside_them_as_they_are_written(copied):
    folder = copied("staging")
    (folder / "group_vars/app.yml").write_text('ansible_user: "{{ login }}"\n')
    status, found, _ = updated(folder, SOURCE["source_vars"])
    assert status == 0
    assert sorted(found["app"]["hosts"]) == ["app1.staging.example.com", "app2.staging.example.com"]
    assert found["all"]["vars"]["migration_name"] == "kempian-staging"
    assert found["app"]["vars"]["ansible_user"] == "{{ login }}"


def test_an_update_that_could_not_ask_aws_fails_and_leaves_the_hosts_that_awx_has(copied):
    status, found, said = updated(copied("prod"), SOURCE["source_vars"])
    assert status != 0 and found == {}
    assert "aws_ec2.yml" in said and "Unable to locate credentials" in said


def test_by_itself_awx_would_have_removed_all_of_them(copied):
    status, found, _ = updated(copied("prod"), {})
    assert status == 0 and found["_meta"]["hostvars"] == {}
