"""What users install: the collection as it is built, in a folder with what it depends on and without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent
SITE = Path(sysconfig.get_path("purelib"))


def tool(*command: str | Path, **options) -> subprocess.CompletedProcess[str]:
    """Run a program of .venv to its end."""
    name, *arguments = map(str, command)
    return subprocess.run(
        [str(TOOLS / name), *arguments], capture_output=True, text=True, check=False, timeout=300, **options
    )


def build(folder: Path) -> Path:
    """The artefact, as `make build` makes it."""
    built = tool("ansible-galaxy", "collection", "build", "--output-path", folder, cwd=CHECKOUT)
    assert built.returncode == 0, built.stderr
    (artefact,) = folder.glob("*.tar.gz")
    return artefact


def alone(collections: Path) -> dict[str, str]:
    """An environment in which Ansible finds the collections of this folder alone: not the checkout by its link."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "SANDBOX"))}
    return {**kept, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}


def prepare(collections: Path) -> None:
    """Have what galaxy.yml depends on in this folder, as no Galaxy can be asked."""
    (collections / "ansible_collections").mkdir(parents=True)
    (collections / "ansible_collections/amazon").symlink_to(SITE / "ansible_collections/amazon")


def install(artefact: Path, collections: Path) -> None:
    """Into this folder, which does not exist yet."""
    prepare(collections)
    command = ("ansible-galaxy", "collection", "install", artefact, "-p", collections, "--offline")
    done = tool(*command, env=alone(collections))
    assert done.returncode == 0, done.stderr
