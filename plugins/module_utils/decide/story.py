# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run says of itself: lines for a person, made of the results of its steps. Pure; the results hold no secret.

A plan and the run that follows it say the same lines, so that the two can be held against each other.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.playbooks import rollback_command

Result = Mapping[str, Any]

NOTHING_TO_ASSESS = "The value of every host leads to the target already; there is nothing to assess."


def shared_lines(shared: Iterable[Result], changes: Mapping[str, Result]) -> list[str]:
    """What changed of what all hosts share, by its name."""
    return [
        f"{one['words']} {key}: {changes[key].get('before')} -> {changes[key].get('after')}"
        for one in shared
        for key in one["keys"]
        if changes.get(key, {}).get("action", "keep") != "keep"
    ]


def cost_line(cost: Mapping[str, Any]) -> str:
    """What the target costs a month, or that it is unknown."""
    if not cost or cost.get("usd") is None:
        why = str((cost or {}).get("note") or "no price is known").removeprefix("unknown: ")
        return f"Cost: unknown a month ({why})"
    nodes = cost.get("nodes")
    if nodes is None:  # it is paid for by use
        return f"Cost: {cost['usd']:.2f} USD a month {cost['note']} ({cost['source']})"
    return (
        f"Cost: {cost['usd']:.2f} USD a month for {nodes} node{'s' if nodes != 1 else ''}, replicas counted "
        f"({cost['usd_per_node_hour']} USD per node-hour, {cost['source']})"
    )


def assess_lines(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The findings of an assessment, a line each."""
    return [
        f"{item['level']}: {item['subject']}: {item['found']} {item['means']} {item.get('remedy') or ''}".rstrip()
        for item in findings
    ]


def rollback_lines(
    results: Mapping[str, Result], shared_failure: str, way_back: Mapping[str, Any], planned: bool = False
) -> list[str]:
    """Where every host is after a rollback, or would be; ``way_back`` is what ``rollback_command`` needs."""
    back = "would be put back on the old Redis" if planned else "on the old Redis, put back by this run"
    then = "When that is mended:"
    lines = []
    if shared_failure:
        why = shared_failure.rstrip(".")
        lines.append(f"The shared store is NOT back: {why}. {then} {rollback_command(way_back)}")
    for host, result in results.items():
        if result.get("state") == "failed":
            why = str(result.get("why") or "no reason given").rstrip(".")
            lines.append(f"{host}: NOT back: {why}. {then} {rollback_command(way_back, host)}")
        else:
            lines.append(f"{host}: {back if result.get('changed') else 'on the old Redis, as it was'}")
    return lines


def jobs_left(results: Mapping[str, Result], place: str) -> list[str]:
    """What is in the queues of a place that nobody does any more."""
    return [
        f"{host}: {service} left {held} behind, in {place}, where nobody does them: put them into the queue again from "
        "there, or have a worker of its own do them."
        for host, result in results.items()
        for service, held in (result.get("jobs") or {}).items()
        if held
    ]
