"""What is in the artefact, and what Galaxy says of it."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile

import pytest
import yaml

from tests.artefact import CHECKOUT, tool

FOR_USERS = {
    ".ansible-lint",  # by which Galaxy judges; without it, it warns of every task's name
    "CHANGELOG.md",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "bindep.txt",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}
OF_GALAXY = {"FILES.json", "MANIFEST.json"}  # made while it is built


@pytest.fixture(scope="session")
def names(artefact):
    with tarfile.open(artefact) as archive:
        members = list(archive)
    assert [
        member.name for member in members if not (member.isfile() or member.isdir())
    ] == []  # a link leads elsewhere
    return {member.name for member in members if member.isfile()}


def test_it_holds_what_a_user_needs_and_nothing_else(names):
    there = {path.name for path in CHECKOUT.iterdir()} | OF_GALAXY
    assert {name.partition("/")[0] for name in names} == FOR_USERS & there


def test_of_docs_it_holds_what_is_not_for_developers_alone(names):
    docs = {path.name for path in (CHECKOUT / "docs").iterdir()}
    assert {name.split("/")[1] for name in names if name.startswith("docs/")} == docs - {"architecture.md"}


def test_every_file_of_it_is_one_of_the_repository(names):
    """Not what a tool, an editor or a person left in a folder that is taken."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    assert names - OF_GALAXY - set(listed.splitlines()) == set()


@pytest.fixture(scope="session")
def imported(artefact, tmp_path_factory):
    """What Galaxy's importer says of it, and what it makes of it."""
    folder = tmp_path_factory.mktemp("importer")
    (folder / "config").write_text("[galaxy-importer]\ncheck_required_tags = true\n")
    script = "import sys; from galaxy_importer.main import main; sys.exit(main())"
    env = {**os.environ, "GALAXY_IMPORTER_CONFIG": "config"}
    done = tool("python", "-c", script, artefact, cwd=folder, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return done.stdout, json.loads((folder / "importer_result.json").read_text())


@pytest.mark.long
def test_galaxy_has_nothing_to_say_against_it(imported):
    said, _result = imported
    assert "Importer processing completed successfully" in said
    assert [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR"))] == []


@pytest.mark.long
def test_galaxy_shows_every_module_role_and_playbook_with_its_words(imported):
    _said, result = imported
    shown = {(one["content_type"], one["name"]): one for one in result["contents"]}
    modules = {("module", path.stem) for path in (CHECKOUT / "plugins/modules").glob("*.py")}
    roles = {("role", path.name) for path in (CHECKOUT / "roles").iterdir()}
    playbooks = {("playbook", path.name) for path in (CHECKOUT / "playbooks").glob("*.yml")}
    assert modules | roles | playbooks <= set(shown)
    assert [name for name in modules | roles if not shown[name]["description"]] == []
    assert result["requires_ansible"] == yaml.safe_load((CHECKOUT / "meta/runtime.yml").read_text())["requires_ansible"]
