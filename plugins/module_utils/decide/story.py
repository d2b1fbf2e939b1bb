# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run says of itself: lines for a person, made of the results of its steps. Pure; the results hold no secret.

A plan and the run that follows it say the same lines, so that the two can be held against each other.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.playbooks import rollback_command
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import own_check

Result = Mapping[str, Any]


def provision_lines(parts: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line for each step of each part ``{what, result}`` that changed; a module's own plan says its steps."""
    lines: list[str] = []
    for part in parts:
        result = part.get("result") or {}
        if not result.get("changed"):
            continue
        steps = result.get("plan") or []
        lines += [f"{part['what']}: {step['action']}, {step['reason']}" for step in steps] or [
            f"{part['what']}: make it"
        ]
    return lines


def ingress_lines(sources: Sequence[str], group: str, port: int) -> list[str]:
    """One line for each source that a security group is to admit."""
    return [f"security group {group}: admit {source} to TCP port {port}" for source in sources]


def host_lines(host: str, env_path: str, service: str, change: Result, restart: Result) -> list[str]:
    """What changed on a host: each value, masked, and the restart."""
    lines = []
    if change.get("changed"):
        for key, value in (change.get("changes") or {}).items():
            lines.append(f"{host}: {env_path} {key}: {value.get('before')} -> {value.get('after')}")
    if restart.get("changed"):
        lines.append(f"{host}: restart {service}")
    return lines


def shared_lines(change: Result) -> list[str]:
    """What changed in a store that all hosts share."""
    if not change.get("changed"):
        return []
    changes = (change.get("changes") or {}).items()
    return [f"SSM parameter {key}: {value.get('before')} -> {value.get('after')}" for key, value in changes]


def check_lines(checks: Sequence[Result]) -> list[str]:
    """The checks of the user's own, in the order in which they ran."""
    return [f"your check {own_check.when(check.get('phase') or '')}: {check.get('command')}" for check in checks]


def ledger_lines(remembered: Result, forgotten: Result) -> list[str]:
    """That the cutover is complete, where the ledger did not know it yet. Both are empty where they were not due.

    A plan has not really ``forgotten`` the hosts that it would switch again, and so finds them remembered.
    """
    is_new = remembered and (remembered.get("changed") or forgotten.get("changed"))
    return ["ledger: remember that every host is on the target"] if is_new else []


def cost_line(cost: Mapping[str, Any]) -> str:
    """What the target costs a month, or that it is unknown."""
    if not cost or cost.get("usd") is None:
        return f"Cost: unknown a month ({(cost or {}).get('note') or 'no price is known'})"
    nodes = cost["nodes"]
    return (
        f"Cost: {cost['usd']:.2f} USD a month for {nodes} node{'s' if nodes != 1 else ''}, replicas counted "
        f"({cost['usd_per_node_hour']} USD per node-hour, {cost['source']})"
    )


def assess_lines(verdict: Mapping[str, Any], waiting: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The findings of an assessment that did not refuse; ``waiting`` maps each host to where its value leads."""
    if not waiting:
        return ["The value of every host leads to the target already; there is nothing to assess."]
    lines = [
        f"{item['level']}: {item['subject']}: {item['found']} {item['means']} {item.get('remedy') or ''}".rstrip()
        for item in verdict.get("findings") or []
    ]
    places = {host: f"{place.get('host')}:{place.get('port')}" for host, place in waiting.items()}
    assessed = next(iter(places.values()))
    others = [f"{host} ({place})" for host, place in places.items() if place != assessed]
    if others:
        lines.insert(
            0,
            f"warn: hosts: only {assessed} was assessed, and these hosts name another place: {', '.join(others)}. "
            "If that is another Redis, its data and clients were not looked at: give them an inventory of their own.",
        )
    return lines


def rollback_lines(
    results: Mapping[str, Result], shared_failure: str, way_back: Mapping[str, Any], planned: bool = False
) -> list[str]:
    """Where every host is after a rollback, or would be; ``way_back`` is what ``rollback_command`` needs."""
    done = "would be put back" if planned else "put back by this run"
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
            lines.append(f"{host}: on the old Redis, {done if result.get('changed') else 'as it was'}")
    return lines
