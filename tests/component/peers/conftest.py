"""Counts at the end: how many scenarios there are, how many were run and passed, and why the others were not."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.component.peers.scenarios import NOT_APPLICABLE, OTHERWISE, SCENARIOS

_ended: dict[str, str] = {}  # scenarios of this run, and how they ended


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    report = yield
    scenario = getattr(item, "callspec", None) and item.callspec.params.get("scenario")  # type: ignore[attr-defined]
    if scenario and (report.when == "call" or report.failed):
        _ended[scenario.id] = report.outcome
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _ended:
        return
    ends = Counter(_ended.values())
    told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    terminalreporter.section("scenarios of the peer")
    terminalreporter.line(f"{len(SCENARIOS)} scenarios: {len(_ended)} run, {told}; {len(NOT_APPLICABLE)} do not apply:")
    for scenario, reason in NOT_APPLICABLE.items():
        terminalreporter.line(f"  {scenario}: {reason}")
    for scenario, steps in OTHERWISE.items():
        for number, step in steps.items():
            terminalreporter.line(f"  {scenario}, step {number}, ends otherwise here: {step['reason']}")
