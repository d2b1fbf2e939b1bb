# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The goal ``original``: every consumer back on the old Redis, which is proven before anything is touched. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    carrying,
    clients,
    rollback,
    steps,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import NOTE, SHARED, Plan, Step

Looks = Mapping[str, Look]

MOST_ASKED = 3  # hosts that count the target's keys where the first could not: it serves the app meanwhile

NOBODY = (
    "Nothing was touched: no app host can be reached, so nobody can tell whether the old Redis answers. Run this "
    "playbook again when a host can be reached."
)
UNREADABLE = (
    "Nothing was touched: the shared store cannot be read ({why}), and the app has its value only there. Run this "
    "playbook again when it answers."
)


def plan(known: Known, looks: Looks) -> Plan:
    """What cannot be seen or put back is named, and keeps nothing else from being put back."""
    away = {host: look.why for host, look in looks.items() if look.unreachable}
    has_work = any(map(_has_work, looks.values())) or any(map(rollback.is_recorded, known.shared))
    forgets = bool(known.cutover) and (has_work or not (away or known.is_limited))
    beyond_help = _beyond_help(known, looks, has_work)
    carries = has_work and carrying.is_wanted(known.settings)
    left_behind = _left_behind(known, looks) if has_work and not carries else []
    base: dict[str, Any] = {
        "beyond_help": beyond_help,
        "forgets": forgets,
        "begins": has_work or forgets,
        "left_behind": left_behind,
        "survey": _to_count(known, looks) if has_work and not carries else [],
        **({"data": carrying.facts(known)} if carries else {}),
        "shared_failure": _shared_failure(known),
    }
    refused = _refusals(known, looks, away) if has_work else []
    refused = refused or (carrying.refusals(known, looks, beyond_help) if carries else [])
    if refused:
        return Plan(known.goal, refusals=tuple(refused), facts=base)
    # Nothing remembers what a rollback that was killed has restarted, so each that can be is proven.
    todo = [host for host in looks if host not in beyond_help]
    by_host = [step for host in todo for step in steps.of_consumer(looks[host], looks[host].would_change, _of_key)]
    return Plan(
        known.goal,
        batches=(tuple(todo),) if todo else (),
        steps=(
            *((carrying.step(known, todo),) if carries else ()),
            *steps.of_shared(known, _of_key),
            *by_host,
            *_ledger_step(forgets),
        ),
        notes=(
            *_brings_back(known),
            *left_behind,
            *(rollback.fate_of_data(known.settings, known.endpoint) if has_work else ()),
            *(clients.lines(clients.of(looks), clients.TARGET) if has_work else ()),
        ),
        facts=base,
    )


def _brings_back(known: Known) -> list[str]:
    """What comes before all else where the old Redis was retired; outside a plan it is said when it is done."""
    return [str(known.words["brings_back"])] if known.check_mode and known.words.get("brings_back") else []


def _has_work(look: Look) -> bool:
    """A journal that still has its original is work too, although the value may be back already."""
    return rollback.is_recorded(merged(look)) or look.would_restart


def _beyond_help(known: Known, looks: Looks, has_work: bool) -> dict[str, str]:
    """Those that cannot be put back, each with the reason: they are named, and the others are put back all the same.

    All values of a host go back as one, and so none does where one cannot.
    """
    reasons, shared_failure = rollback.unable(_probes(looks)) if has_work else {}, _shared_failure(known)
    for host, look in looks.items():
        refused = [str(value["failure"]) for value in look.values if value.get("failure")]
        services = [str(service["name"]) for service in look.services]
        stuck = [
            rollback.no_original(str(value.get("path")), str(known.settings["state_dir"]), services)
            for value in look.values
            if batches.leads_there(value, target_of(known))
        ]
        unread = rollback.NOT_ONTO_SHARED.format(why=shared_failure) if shared_failure and not look.values else ""
        why = [reason for reason in (look.why, *refused, *stuck, unread) if reason]
        reasons.update({host: why[0]} if why else {})
    return reasons


def _shared_failure(known: Known) -> str:
    """Why what consumers share will not be back, as far as a look can tell."""
    return known.shared_failure or batches.shared_failure(known.shared_changes, target_of(known))


def merged(look: Look) -> dict[str, Any]:
    """Its values as one look."""
    return {"changes": {f"{value.get('path')} {key}": change for value, key, change in look.changes}}


def _probes(looks: Looks) -> dict[str, Mapping[str, Any]]:
    return {host: look.old for host, look in looks.items() if look.old}


def _refusals(known: Known, looks: Looks, away: Mapping[str, str]) -> list[str]:
    if len(away) == len(looks):
        return [NOBODY]
    has_own = any(look.values for look in looks.values())
    if known.shared_failure and not has_own:
        return [UNREADABLE.format(why=known.shared_failure)]
    unproven = rollback.unproven(_probes(looks), target_of(known))
    starts_it = known.check_mode and "decommission" in known.entries  # a plan does not start it, and so cannot reach it
    return [rollback.refusal(unproven, known.words["cutover"])] if unproven and not starts_it else []


def target_of(known: Known) -> Mapping[str, Any]:
    """As AWS says, or the ledger where AWS cannot be asked or the target is gone: values may lead there all the
    same.
    """
    if known.endpoint.get("state", "known") == "known":
        return known.endpoint
    return {**known.endpoint, **(known.cutover.get("endpoint") or {})}


def _left_behind(known: Known, looks: Looks) -> list[str]:
    """By the first host that could count, whichever that is."""
    asked = {host: look.contents for host, look in looks.items() if look.contents}
    counted = next((told for told in asked.values() if _is_counted(told)), None)
    why = {host: str(told.get("msg") or "no reason given").rstrip(".") for host, told in asked.items()}
    not_told = "; ".join(f"{', '.join(hosts)}: {reason}" for reason, hosts in batches.by_reason(why).items())
    contents = counted or ({"msg": not_told} if not_told else {})
    return rollback.left_behind(contents, known.endpoint, str(known.cutover.get("time") or ""))


def _is_counted(contents: Mapping[str, Any]) -> bool:
    return "total_keys" in contents


def _to_count(known: Known, looks: Looks) -> list[str]:
    """Who is to count what is on the target where nobody has, first of all those that are connected to it."""
    if known.endpoint.get("state", "known") != "known" or any(_is_counted(look.contents) for look in looks.values()):
        return []
    able = [host for host, look in looks.items() if not (look.why or look.contents)]
    return sorted(able, key=lambda host: not _is_on_target(looks[host]))[:MOST_ASKED]


def _is_on_target(look: Look) -> bool:
    """Of a look that tells the target as the place to be left."""
    return any((service.get("connections") or {}).get("to_left") for service in look.services)


def _of_key(consumer: str, what: str, change: Mapping[str, Any]) -> Step | None:
    if change.get("action") != "keep":
        return Step(consumer, what, change.get("before") or "", change.get("after") or "")
    if change.get("original_location"):
        return Step(consumer, what, reason="it is what it was, and the journal need not keep it")
    return None


def _ledger_step(forgets: bool) -> tuple[Step, ...]:
    return (Step(SHARED, "ledger", reason="forget when the cutover was", kind=NOTE),) if forgets else ()


def results(plan: Plan, found: Mapping[str, Mapping[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """The result of each consumer: what came of those that were put back, and why others could not be."""
    beyond = plan.facts["beyond_help"]
    told: dict[str, dict[str, Any]] = {}
    for host, result in found.items():
        if host in beyond:
            told[host] = {"state": "failed", "changed": False, "step": "look at the host", "why": beyond[host]}
        elif host in plan.consumers:
            told[host] = batches.result_of(result)
        else:
            told[host] = {"state": "ok", "changed": False}
    return told
