"""An execution environment: what ansible-builder makes of the definition, and what it finds in the collection."""

from __future__ import annotations

import shutil

import pytest
import yaml
from bindep.depends import Depends

from tests.artefact import CHECKOUT, alone, prepare, tool

COLLECTION = "kempian.cache_migration"


@pytest.fixture(scope="session")
def context(artefact, tmp_path_factory):
    """The folder of which the image is built."""
    folder = tmp_path_factory.mktemp("ee")
    shutil.copy(CHECKOUT / "execution-environment.yml", folder)
    (folder / "build").mkdir()
    shutil.copy(artefact, folder / "build")
    done = tool("ansible-builder", "create", "--context", "context", "--output-filename", "Containerfile", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "context"


@pytest.fixture(scope="session")
def installed(context, tmp_path_factory):
    """The collections of the image: by the command of the Containerfile, but that Galaxy cannot be asked."""
    collections = tmp_path_factory.mktemp("image") / "collections"
    prepare(collections)
    command = ("ansible-galaxy", "collection", "install", "-r", "requirements.yml", "--offline")
    done = tool(*command, "--collections-path", collections, cwd=context / "_build", env=alone(collections))
    assert done.returncode == 0, done.stderr
    return collections


def test_the_base_image_is_the_builders_choice(context):
    assert (context / "Containerfile").read_text().startswith("ARG EE_BASE_IMAGE=")


def test_the_image_has_ansible_core_and_the_runner(context):
    refs = next(
        line for line in (context / "Containerfile").read_text().splitlines() if "ANSIBLE_INSTALL_REFS=" in line
    )
    assert "ansible-core>=" in refs
    assert "ansible-runner>=" in refs


def test_it_asks_for_what_galaxy_yml_depends_on(context):
    asked = yaml.safe_load((context / "_build/requirements.yml").read_text())["collections"]
    versions = {one["name"]: one.get("version") for one in asked}
    depends_on = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["dependencies"]
    assert versions.items() >= depends_on.items()


def test_the_image_has_this_collection_and_not_one_of_galaxy(installed, artefact):
    there = (installed / "ansible_collections/kempian/cache_migration/MANIFEST.json").read_text()
    assert yaml.safe_load(there)["collection_info"]["version"] in artefact.name


@pytest.fixture(scope="session")
def found(installed):
    """What ansible-builder finds in the image's collections that they need."""
    told = tool("ansible-builder", "introspect", installed)
    assert told.returncode == 0, told.stderr
    needs = yaml.safe_load(told.stdout)
    mark = f"  # from collection {COLLECTION}"
    return {kind: [need.removesuffix(mark) for need in needs[kind] if need.endswith(mark)] for kind in needs}


def test_the_collection_says_what_python_it_needs(found):
    assert [need.partition(">=")[0] for need in found["python"]] == ["boto3", "botocore"]


@pytest.mark.parametrize(
    ("platform", "wanted"),
    [
        (("centos", "centos-10", "redhat", "rpm"), {"openssh-clients", "valkey"}),
        (("fedora", "fedora-43", "redhat", "rpm"), {"openssh-clients", "valkey"}),
        (("rhel", "rhel-9", "rhel-9.6", "redhat", "rpm"), {"openssh-clients", "redis"}),
        (("debian", "debian-12", "dpkg"), {"openssh-client", "redis-server"}),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_the_collection_says_what_of_the_system_it_needs(found, platform, wanted):
    """ssh, and the engine that loads the last backup."""
    rules = Depends("\n".join(found["system"]) + "\n")
    profiles = ["default", *(f"platform:{each}" for each in platform)]
    assert {name for name, *_rest in rules.active_rules(profiles)} == wanted
