# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a user types to start another playbook of this collection."""

from __future__ import annotations

import os
import shlex
from typing import Any, Mapping, Sequence

_NAMESPACE, _NAME = "kempian", "cache_migration"


def word(name: str, playbook_dir: str, root: str = "") -> str:
    """The playbook as this run's user can name it: its path in a clone, and else its full name.

    In a clone a run starts from the clone's own playbooks. One that starts from the user's own, or from where
    ansible-galaxy installs collections, has no such path at hand; the full name works wherever the collection is found.
    """
    root = _root(root)
    is_installed = root.split(os.sep)[-3:] == ["ansible_collections", _NAMESPACE, _NAME]
    return _path(name) if is_ours(playbook_dir, root) and not is_installed else _full_name(name)


def is_ours(playbook_dir: str, root: str = "") -> bool:
    """Whether what was started is a playbook of this collection, and none of the user's own that has its roles."""
    root = _root(root)
    return os.path.realpath(playbook_dir) in (root, os.path.join(root, "playbooks"))


def _root(root: str) -> str:
    return os.path.realpath(root or os.path.join(os.path.dirname(__file__), *[".."] * 3))


def either(name: str) -> str:
    """Both, for a module, which does not know how the run was started."""
    return f"{_path(name)} ({_full_name(name)} where the collection is installed)"


def rollback_command(way_back: Mapping[str, Any], host: str = "") -> str:
    """What puts one host back, or all of them.

    ``way_back`` is ``{playbook: str, inventories: [...], by_host: bool}``. What hosts share is never put back for some
    of them only: then a command is for all of them.
    """
    inventories: Sequence[str] = way_back.get("inventories") or []
    words = ["ansible-playbook", way_back["playbook"]]
    for inventory in inventories:
        words += ["-i", inventory]
    if host and way_back.get("by_host"):
        words += ["--limit", host]
    return " ".join(shlex.quote(each) for each in words)


def _path(name: str) -> str:
    return f"playbooks/{name}.yml"


def _full_name(name: str) -> str:
    return f"{_NAMESPACE}.{_NAME}.{name}"
