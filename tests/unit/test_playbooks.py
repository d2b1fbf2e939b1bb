"""How a user is told to start another playbook."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.playbooks import (
    either,
    rollback_command,
    word,
)

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH, FULL_NAME = "playbooks/rollback.yml", "kempian.cache_migration.rollback"


@pytest.mark.parametrize("folder", ["", "playbooks"])
def test_in_a_clone_it_is_the_path(folder):
    assert word("rollback", str(ROOT / folder)) == PATH


@pytest.mark.parametrize("folder", ["", "playbooks"])
def test_where_the_collection_is_installed_it_is_the_full_name(tmp_path, folder):
    root = tmp_path / "ansible_collections" / "kempian" / "cache_migration"
    assert word("rollback", str(root / folder), str(root)) == FULL_NAME


def test_a_playbook_of_the_users_own_has_no_path_to_ours(tmp_path):
    assert word("rollback", str(tmp_path)) == FULL_NAME
    assert word("rollback", str(tmp_path / "playbooks")) == FULL_NAME


def test_a_clone_that_is_linked_into_the_collections_is_a_clone(tmp_path):
    linked = tmp_path / "ansible_collections" / "kempian" / "cache_migration"
    linked.parent.mkdir(parents=True)
    linked.symlink_to(ROOT)
    assert word("rollback", str(ROOT / "playbooks"), str(linked)) == PATH


def test_where_it_cannot_be_told_both_are_named():
    assert PATH in either("rollback") and FULL_NAME in either("rollback")


def test_the_command_repeats_every_inventory_in_a_form_that_a_shell_reads():
    way_back = {"playbook": PATH, "inventories": ["/srv/my inventories/prod", "app1,"], "by_host": True}
    assert rollback_command(way_back, "app1") == (
        "ansible-playbook playbooks/rollback.yml -i '/srv/my inventories/prod' -i app1, --limit app1"
    )
    assert rollback_command({**way_back, "by_host": False}, "app1").endswith("-i app1,")
