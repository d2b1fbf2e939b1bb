"""A checkout is a project of AWX as it is: its playbooks find the collection that the environment does not have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import ansible_runner
import pytest
from ansible_collections.amazon import aws

from tests.component.awx.conftest import ROOT

LINK = "playbooks/collections/ansible_collections/kempian/cache_migration"


@pytest.fixture
def private(tmp_path):
    """The private directory of a job, with the project as git has it, and an environment that has amazon.aws alone."""
    files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).rstrip("\0").split("\0")
    for name in files:
        copy = tmp_path / "project" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy, follow_symlinks=False)
    installed = tmp_path / "requirements_collections/ansible_collections/amazon"
    installed.mkdir(parents=True)
    (installed / "aws").symlink_to(next(iter(aws.__path__)))
    return tmp_path


def job(private: Path) -> str:
    """The output of a job as AWX starts it, on an inventory without hosts: a run that is refused in its first task.

    The project goes to where the job runs in an archive, in which a link must stay a link.
    """
    sent, came, work = private / "sent", private / "came", private.parent / f"{private.name}-work"
    with sent.open("wb") as out:
        ansible_runner.run(
            streamer="transmit",
            _output=out,
            private_data_dir=str(private),
            playbook="playbooks/state.yml",
            inventory="localhost,",
            envvars={
                "ANSIBLE_COLLECTIONS_PATH": str(private / "requirements_collections"),
                "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(private),
            },
        )
    work.mkdir()
    with sent.open("rb") as given, came.open("wb") as out:
        ansible_runner.run(streamer="worker", _input=given, _output=out, private_data_dir=str(work))
    return came.read_text()


def test_a_plain_checkout_runs_where_the_collection_is_not_installed(private):
    assert "The inventory has no host in the group app" in job(private)


def test_without_the_link_it_would_not(private):
    (private / "project" / LINK).unlink()
    assert "kempian.cache_migration.state' was not found" in job(private)


def test_no_link_of_the_repository_is_broken_or_leaves_it():
    """AWX does not get on with a project that has one: its jobs or its inventory never end."""
    listed = subprocess.check_output(["git", "ls-files", "--stage", "-z"], cwd=ROOT, text=True).split("\0")
    links = [ROOT / line.partition("\t")[2] for line in listed if line.startswith("120000")]
    assert ROOT / LINK in links
    for link in links:
        assert not os.path.isabs(os.readlink(link)) and link.resolve(strict=True).is_relative_to(ROOT)
