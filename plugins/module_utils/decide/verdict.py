# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a failed cutover says: what failed and why, where every host is, and the command for what is left. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.playbooks import rollback_command
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import own_check
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import by_reason, failed_hosts

Result = Mapping[str, Any]


def verdict(
    results: Mapping[str, Result],
    back: Mapping[str, Result],
    shared: Result,
    check: Result,
    way_back: Mapping[str, Any],
) -> str:
    """The whole of it, in lines.

    ``results`` maps each host to ``{state: ok|failed|untouched, changed: bool, step, why}``; ``back`` maps each host
    that was to be put back to ``{state: ok|failed, why}``; ``shared`` is the same for the shared store, or empty;
    ``check`` is the result of the user's own check where that failed; ``way_back`` is what ``rollback_command`` needs.
    """
    stuck = {host: result for host, result in back.items() if result.get("state") != "ok"}
    ill = [host for host in failed_hosts(results) if host not in back and results[host].get("changed")]
    is_all_back = not stuck and not ill and shared.get("state") != "failed"
    return "\n".join(
        [
            *_causes(results, check),
            *_put_back(back, shared),
            *_not_put_back(stuck, shared, way_back),
            *_ill(ill, way_back),
            *_elsewhere(results, back),
            _remedy(is_all_back),
        ]
    )


def untouched(reasons: Mapping[str, str], otherwise: str = "") -> str:
    """What is said of hosts that failed before any was changed: ``reasons`` maps each to its cause.

    ``otherwise`` is one more way out.
    """
    hosts_by_cause = by_reason({host: why.rstrip(".") for host, why in reasons.items()})
    return "\n".join(
        [
            *(f"{', '.join(hosts)} failed: {why}." for why, hosts in hosts_by_cause.items()),
            "No host was changed by this run. Mend that, or take a host that is gone for good out of the inventory, "
            "and run the same command again.",
            *([otherwise] if otherwise else []),
        ]
    )


def _causes(results: Mapping[str, Result], check: Result) -> list[str]:
    lines = [
        f"{host} failed at the step '{results[host]['step']}': {results[host]['why']}" for host in failed_hosts(results)
    ]
    return [*lines, own_check.failure(check)] if check else lines


def _put_back(back: Mapping[str, Result], shared: Result) -> list[str]:
    restored = [host for host, result in back.items() if result.get("state") == "ok"]
    lines = [f"Put back to the old Redis, restarted and healthy: {', '.join(restored)}."] if restored else []
    return [*lines, "The shared store was put back."] if shared.get("state") == "ok" else lines


def _not_put_back(stuck: Mapping[str, Result], shared: Result, way_back: Mapping[str, Any]) -> list[str]:
    lines = []
    if shared.get("state") == "failed":
        lines.append(
            f"The shared store was NOT put back: {_reason(shared)}. What puts it back, with all hosts: "
            f"{rollback_command(way_back)}"
        )
    everyone = "" if way_back.get("by_host") else ", and with it ALL hosts, since they share a value"
    for host, result in stuck.items():
        lines.append(
            f"NOT put back: {host}: {_reason(result)}. What puts it back{everyone}, once that is mended: "
            f"{rollback_command(way_back, host)}"
        )
    return lines


def _ill(hosts: Sequence[str], way_back: Mapping[str, Any]) -> list[str]:
    """Those that were on the target before, and do not serve from it now: what takes them off it all the same."""
    everyone = "" if way_back.get("by_host") else ", and with it ALL hosts, since they share a value"
    return [f"What puts {host} back to the old Redis{everyone}: {rollback_command(way_back, host)}" for host in hosts]


def _reason(result: Result) -> str:
    return str(result.get("why") or "no reason given").rstrip(".")


def _elsewhere(results: Mapping[str, Result], back: Mapping[str, Result]) -> list[str]:
    """The hosts that this run neither put back nor tried to."""
    others = {host: result for host, result in results.items() if host not in back}
    kept = [host for host, result in others.items() if result.get("changed")]
    ill = [host for host in failed_hosts(others) if host in kept]
    before = [host for host, result in others.items() if result.get("state") == "ok" and not result.get("changed")]
    untouched = [host for host in others if host not in kept and host not in before]
    lines = []
    if kept:
        lines.append(f"Left on the target, where their value led before this run: {', '.join(kept)}.")
    if ill:
        lines.append(f"NOT healthy, and still on the target: {', '.join(ill)}.")
    if before:
        lines.append(f"On the target since before this run, and there when it looked: {', '.join(before)}.")
    if untouched:
        lines.append(f"Never touched by this run: {', '.join(untouched)}.")
    return lines


def _remedy(is_all_back: bool) -> str:
    if is_all_back:
        return (
            "No host is left changed; the target and the way to it stay. Mend the cause and run the same command again."
        )
    return (
        "Mend the cause. Then either run the same command again, which finishes on every host what is missing, or put "
        "back what is not by the command above, with the -e options of this run where it had any."
    )
