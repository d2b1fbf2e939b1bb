"""What the bench makes of what it measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.counts import Cost, as_json, middle, per_extra_host, ratio, report, slopes

THREE = Cost(tasks=40, module_runs=12, aws_calls=30, aws_writes=5, lines=20, seconds=16, creating=2, pings=16)
EIGHT = replace(THREE, module_runs=32, seconds=31, pings=26)
BY_HAND = {3: replace(THREE, pings=10), 8: replace(THREE, pings=18)}
COSTS = {hosts: {"migrate": ours, "by hand": BY_HAND[hosts]} for hosts, ours in {3: THREE, 8: EIGHT}.items()}


def test_the_median_is_taken_of_each_figure_by_itself() -> None:
    rounds = [replace(THREE, pings=pings, seconds=seconds) for pings, seconds in [(1, 9), (2, 7), (6, 8)]]
    assert middle(rounds) == replace(THREE, pings=2, seconds=8)


def test_an_extra_host_costs_what_the_others_add_by_the_number_of_them() -> None:
    extra = per_extra_host(THREE, EIGHT, 5)
    assert (extra.module_runs, extra.seconds, extra.pings) == (4, 3, 2)
    assert (extra.tasks, extra.aws_calls) == (0, 0)


def test_it_is_held_against_what_it_costs_by_hand() -> None:
    assert ratio(COSTS) == pytest.approx(2 / 1.6)
    assert "an extra host costs a migration 1.25 times what it costs by hand" in report(COSTS, 3)
    assert as_json(COSTS, 3)["extra_host_to_by_hand"] == pytest.approx(1.25)


def test_of_one_number_of_hosts_nothing_is_said_of_an_extra_one() -> None:
    assert slopes({3: COSTS[3]}) == {}
    assert "extra host" not in report({3: COSTS[3]}, 1)
    assert as_json({3: COSTS[3]}, 1)["extra_host_to_by_hand"] is None


def test_the_table_has_a_row_for_each_command_and_says_what_was_taken_off() -> None:
    told = report(COSTS, 3).splitlines()
    assert "created the target (up to 2.0 s)" in told[0]
    assert [line.split() for line in told if line.startswith("migrate")][:2] == [
        ["migrate", "40", "12", "30", "5", "20", "16.0", "16.0"],
        ["migrate", "40", "32", "30", "5", "20", "31.0", "26.0"],
    ]
