"""Processes as /proc and the control groups show them."""

from __future__ import annotations

import os

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import (
    Process,
    all_processes,
    family,
    in_control_group,
    parse_stat,
)

STAT = "42 (web (1) ) x) S 7 40 7 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 98765 0 0"


def test_a_program_may_have_spaces_and_brackets_in_its_name():
    assert parse_stat(STAT) == Process(pid=42, parent=7, group=40, started=98765)


def test_this_process_is_among_all():
    own = all_processes()[os.getpid()]
    assert own.parent == os.getppid() and own.group == os.getpgrp()


def test_a_family_is_a_process_its_descendants_and_what_is_left_of_its_group():
    processes = {
        pid: Process(pid, parent, group, 0)
        for pid, parent, group in [(1, 0, 1), (10, 1, 10), (11, 10, 10), (12, 11, 12), (13, 1, 10), (20, 1, 20)]
    }
    assert family(10, processes) == {10, 11, 12, 13}


def test_a_control_group_is_read_with_those_below_it(tmp_path):
    unit = tmp_path / "system.slice/shop.service"
    (unit / "worker").mkdir(parents=True)
    (unit / "cgroup.procs").write_text("10\n11\n0\n")
    (unit / "worker/cgroup.procs").write_text("12\n")
    assert in_control_group("/system.slice/shop.service", roots=[str(tmp_path)]) == {10, 11, 12}


def test_where_there_is_no_cgroup_tree_each_process_says_its_control_group(tmp_path):
    for pid, path in [(10, "/system.slice/shop.service"), (11, "/system.slice/shop.service/worker"), (12, "/other")]:
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cgroup").write_text(f"4:memory:/\n1:name=systemd:{path}\n")
    (tmp_path / "13").mkdir()
    found = in_control_group("/system.slice/shop.service", roots=[], proc=str(tmp_path))
    assert found == {10, 11}


def test_the_root_control_group_is_never_taken_for_a_service(tmp_path):
    assert in_control_group("/", roots=[str(tmp_path)], proc=str(tmp_path)) == set()
