# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""In which order hosts are cut over, and what follows from the results of their steps. Pure."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

Result = Dict[str, Any]


class BatchError(ValueError):
    """The wanted order cannot be made of these hosts."""


def cutover_batches(hosts: Sequence[str], canary: str = "", batch_size: int | str = "50%") -> list[list[str]]:
    """Split ``hosts`` into batches: the canary alone, then the rest, ``batch_size`` at a time.

    ``canary`` defaults to the first host. ``batch_size`` is a number of hosts or a percentage of all hosts (``"50%"``,
    rounded down, at least one). Raises BatchError where the canary is no host or the size is no positive number.
    """
    if not hosts:
        return []
    first = canary or hosts[0]
    if first not in hosts:
        raise BatchError(f"the canary {first!r} is none of the hosts {', '.join(hosts)}: change migration_canary")
    rest = [host for host in hosts if host != first]
    size = _size(batch_size, len(hosts))
    return [[first]] + [rest[start : start + size] for start in range(0, len(rest), size)]


def _size(batch_size: int | str, count: int) -> int:
    text = str(batch_size).strip()
    percent = text.endswith("%")
    try:
        number = int(text[:-1] if percent else text)
    except ValueError:
        number = 0
    if number < 1:
        raise BatchError(f"{batch_size!r} is no batch size: give a number of hosts or a percentage as '50%'")
    return max(1, count * number // 100) if percent else number


def failed_hosts(results: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The hosts whose result says that they failed, in order."""
    return [host for host, result in results.items() if result.get("state") == "failed"]


def by_reason(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """The consumers of each reason, in order."""
    found: dict[str, list[str]] = {}
    for host, why in reasons.items():
        found.setdefault(why, []).append(host)
    return found


UNTOUCHED: Result = {"state": "untouched", "changed": False}
LOST: Result = {
    "state": "failed",
    "changed": False,
    "step": "reach the host",
    "why": "it could not be reached earlier in this run",
}


def result_of(found: Mapping[str, Any] | None) -> Result:
    """The result of a host whose turn has come. A task that ended without one has failed, whatever ended it."""
    if not found or "state" in found:
        return dict(found or LOST)
    why = failure_reason(found) or "its task ended without a result"
    return {**LOST, "changed": True, "step": "reach the host" if found.get("unreachable") else "work on it", "why": why}


def unreachable_reason(results: Sequence[Mapping[str, Any]]) -> str:
    """Why a host could not be reached, from the registered results of its steps; empty where it always was."""
    for result in results:
        if result and result.get("unreachable"):
            return f"the host cannot be reached: {result.get('msg') or 'no reason given'}"
    return ""


def failure_reason(result: Mapping[str, Any]) -> str:
    """Why a step failed on a host, or could not reach it; empty where it did what it should."""
    why = str(result.get("msg") or "no reason given") if result.get("failed") else ""
    # A module that could not be started at all, as where sudo refuses. A traceback may hold anything.
    said = str(result.get("module_stderr") or "").strip()
    if why and said and "Traceback" not in said:
        why = f"{why.rstrip('.')} ({said.splitlines()[-1]})"
    return unreachable_reason([result]) or why


def probe_failure(probe: Mapping[str, Any], endpoint: Mapping[str, Any]) -> str:
    """Why a probe failed on a host; empty where it did not.

    What it advises is for the target. Of the old Redis only what was found is told, unless it is the app's library.
    """
    failure, place = probe.get("failure") or {}, probe.get("location") or {}
    if not failure:
        return failure_reason(probe)
    is_for_target = place.get("host") == endpoint.get("address") or failure.get("kind") == "client_library"
    return str(probe.get("msg") or failure["found"]) if is_for_target else str(failure["found"])


def locations_to_leave(changes: Sequence[Mapping[str, Any]], endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Where the changed values led before this migration: ``[{address, port}]``, without the endpoint itself.

    ``changes`` are results of env_update; an original in the journal counts before what the value says now.
    """
    found: list[dict[str, Any]] = []
    for change in changes:
        for value in ((change or {}).get("changes") or {}).values():
            was = value.get("original_location") or value.get("before_location")
            place = was and {"address": was["host"], "port": int(was["port"])}
            if place and place["address"] != endpoint.get("address") and place not in found:
                found.append(place)
    return found


def location_now(changes: Sequence[Mapping[str, Any]], otherwise: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Where the values lead after a change, as ``{address, port}``; where none says it, the first of ``otherwise``."""
    for change in changes:
        for value in ((change or {}).get("changes") or {}).values():
            place = value.get("after_location")
            if place:
                return {"address": place["host"], "port": int(place["port"])}
    return dict(otherwise[0]) if otherwise else {}


def shared_failure(change: Mapping[str, Any], endpoint: Mapping[str, Any]) -> str:
    """Why a shared store is not back on the old Redis, from the result of its revert; empty where it is."""
    if not change or change.get("skipped"):
        return ""
    if change.get("failed"):
        return str(change.get("msg") or "no reason given")
    if leads_there(change, endpoint):
        return "it still leads to the target, and the ledger has no original for it; put the old URL there by hand"
    return ""


def leads_there(change: Mapping[str, Any], endpoint: Mapping[str, Any]) -> bool:
    """Whether any of the values leads to the endpoint after a change."""
    places = [value.get("after_location") or {} for value in (change.get("changes") or {}).values()]
    return any(place["host"] == endpoint.get("address") for place in places if place)


def is_changed_before(look: Mapping[str, Any]) -> bool:
    """Whether an earlier run has changed any of these values, by a look in check mode.

    Such a look calls a value journaled also where only the change that it tells of would record its original, or that
    of another key of its group: that is then what the value says now.
    """
    changes = [value for value in ((look or {}).get("changes") or {}).values() if value.get("journaled")]
    would_change_any = any(value.get("action") != "keep" for value in changes)
    return any(
        value.get("original_location") != value.get("before_location")
        or (value.get("action") == "keep" and not would_change_any)
        for value in changes
    )


def is_cutover_to(entry: Mapping[str, Any], endpoint: Mapping[str, Any]) -> bool:
    """Whether the ledger's entry is of a cutover to this endpoint, and not to one before it."""
    target = entry.get("endpoint") or {}
    return (target.get("address"), target.get("port")) == (endpoint["address"], endpoint["port"])


def remembered_hosts(entry: Mapping[str, Any], endpoint: Mapping[str, Any]) -> list[str]:
    """The hosts that the ledger's entry remembers on this endpoint; none where it remembers a cutover to another."""
    return list(entry.get("hosts") or []) if is_cutover_to(entry, endpoint) else []


def would_change(looks: Sequence[Mapping[str, Any]]) -> bool:
    """Whether any of these looks at values and services found something to do.

    They are told by what they found, since a task that only looks has ``changed_when: false``.
    """
    return any(
        look.get("restarted") or any(value.get("action") != "keep" for value in (look.get("changes") or {}).values())
        for look in looks
    )


def hosts_to_put_back(
    results: Mapping[str, Mapping[str, Any]], begun_before: Sequence[str], settled: Sequence[str]
) -> list[str]:
    """The hosts that a failed run puts back: those that it changed, and those that it answers for, ``begun_before`` by
    a run that was ended before its cutover was complete.

    Never the ``settled`` ones, whose value this run had no reason to change: a restart is nothing to put back, and what
    the old Redis holds is older than what their app wrote since.
    """
    changed = [host for host, result in results.items() if result.get("changed") or host in begun_before]
    return [host for host in changed if host not in settled]
