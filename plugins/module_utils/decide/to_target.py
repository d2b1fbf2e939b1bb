# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The goal ``target``: which consumers are moved there, in which order, and what stands against it. Pure."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    holding,
    own_check,
    rollback,
    steps,
    verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look, would_change
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import NOTE, SHARED, Plan, Step

Looks = Mapping[str, Look]

NO_WAY_BACK = (
    "the old Redis answers none of these hosts, so from here on there is no way back to it: {hosts}. What it held "
    "is lost unless it comes back"
)


def plan(known: Known, looks: Looks) -> Plan:
    """Nothing where every consumer is on the target and the ledger knows it. Refused for all reasons at once."""
    todo = [host for host, look in looks.items() if is_to_move(look, known)]
    unproven, notes = way_back(known, {host: looks[host] for host in todo if looks[host].knows_its_values})
    refusals = [
        not_reaching(looks, known.endpoint),
        rollback_refusal(unproven) if unproven else "",
    ]
    order, shown = [], ""  # type: list[list[str]], str
    try:
        order = in_batches(known.settings, list(looks), moved(known, looks, todo))
        shown = _shown_check(known)
    except (batches.BatchError, own_check.CheckRefused) as error:
        refusals.append(f"{str(error).rstrip('.')}.")
    if any(refusals):
        return Plan(known.goal, refusals=tuple(filter(None, refusals)))
    planned = tuple(_steps(known, looks, order, shown))
    return Plan(
        known.goal,
        batches=tuple(map(tuple, order)),
        steps=planned,
        notes=tuple(notes),
        facts={
            **facts(known, looks, todo),
            "checks": bool(shown and planned),
            "seen": _seen(known, looks, [host for batch in order for host in batch]),
        },
    )


def moved(known: Known, looks: Looks, todo: list[str]) -> list[str]:
    """Those that are to be switched, and before the ledger says that all are on the target also those of which it
    does not know it: a run that was killed has changed them, and proven nothing.
    """
    if not is_to_remember(known, todo):
        return todo
    known_there = _staying(known, todo)
    return [host for host in looks if host not in known_there]


def not_reaching(looks: Looks, endpoint: Mapping[str, Any]) -> str:
    """What is said of consumers that could not be looked at, or that do not reach the target; empty where all do."""
    reasons = {host: look.failure[1] or batches.probe_failure(look.target, endpoint) for host, look in looks.items()}
    failures = {host: why for host, why in reasons.items() if why}
    return verdict.untouched(failures) if failures else ""


def not_seen(looks: Looks) -> str:
    """The same of those that could not be looked at alone."""
    failures = {host: look.failure[1] for host, look in looks.items() if look.failure[1]}
    return verdict.untouched(failures) if failures else ""


def in_batches(settings: Mapping[str, Any], everyone: list[str], todo: list[str]) -> list[list[str]]:
    """Those that are to be moved, the canary first where it is one of them; all of them at once with strict."""
    canary = str(settings.get("canary") or "")
    if canary and canary not in everyone:
        batches.cutover_batches(everyone, canary)  # says what is wrong with it
    if holding.is_strict(settings):
        return [todo] if todo else []
    return batches.cutover_batches(todo, canary if canary in todo else "", settings.get("batch_size") or "50%")


def reads(look: Look, known: Known) -> Mapping[str, Any]:
    """The look at what a consumer reads: its own values, or where it has none the shared ones."""
    own = {"changes": {f"{value.get('path')} {key}": change for value, key, change in look.changes}}
    return own if own["changes"] else known.shared_changes


def is_to_move(look: Look, known: Known) -> bool:
    return would_change([reads(look, known)]) or look.would_change or look.would_restart


def leads_to_target(look: Look, known: Known) -> bool:
    seen = reads(look, known)
    return bool(seen.get("changes")) and not would_change([seen])


def way_back(known: Known, looks: Looks) -> tuple[dict[str, str], list[str]]:
    """The hosts to be switched that a rollback could not put back, although their old Redis is up; and what to say.

    Where it is silent for all of them, it is gone as far as anybody can tell: that is for the operator to know, and no
    reason to keep the app on it.
    """
    probes = {host: look.old for host, look in looks.items() if look.old}
    unproven = {**rollback.unproven(probes, known.endpoint), **rollback.unable(probes)}
    if unproven and rollback.is_gone(probes, known.endpoint):
        return {}, [NO_WAY_BACK.format(hosts=", ".join(unproven))]
    return unproven, []


def rollback_refusal(reasons: Mapping[str, str]) -> str:
    told = [f"{', '.join(hosts)}: {why}" for why, hosts in batches.by_reason(reasons).items()]
    return "\n".join(
        [
            "Nothing was changed: the way back must be open before the first host is moved, and from these hosts "
            "the old Redis does not serve as it would have to.",
            *told,
            "Mend that (its password, its certificate, the ssl_* options of the URL), and run the same command again.",
        ]
    )


def _shown_check(known: Known) -> str:
    """Raises CheckRefused."""
    command = known.settings.get("check_command")
    return own_check.shown(own_check.arguments_of(command), []) if command else ""


def _steps(known: Known, looks: Looks, order: list[list[str]], shown: str) -> Iterable[Step]:
    hosts = [host for batch in order for host in batch]
    shared = steps.of_shared(known, _of_key)
    yield from shared
    for batch in order:
        for host in batch:
            yield from steps.of_consumer(looks[host], would_change([reads(looks[host], known)]), _of_key)
        phase = own_check.phase_after(order, batch)
        if shown and phase:
            yield Step(SHARED, f"your check {own_check.when(phase)}", reason=shown, kind=NOTE)
    if shown and shared and not order:
        yield Step(SHARED, f"your check {own_check.when(own_check.ALL)}", reason=shown, kind=NOTE)
    if is_to_remember(known, hosts):
        what, undo = "remember that every host is on the target", "rollback.yml forgets it"
        yield Step(SHARED, "ledger", reason=what, undo=undo, kind=NOTE)


def _of_key(consumer: str, what: str, change: Mapping[str, Any]) -> Step | None:
    if change.get("action") == "keep":
        return None
    before, after = change.get("before") or "", change.get("after") or ""
    return Step(consumer, what, before, after, undo="the journal has what was there")


# --- who is on the target already ---


def _seen(known: Known, looks: Looks, moved: list[str]) -> dict[str, dict[str, Any]]:
    """What the look told of those that are there, and that this run therefore does not prove."""
    return {
        host: {
            "reached": bool(look.target.get("reached")),
            "connections": sum(int((one.get("connections") or {}).get("to_target", 0)) for one in look.services),
            "services": [str(service["name"]) for service in look.services],
        }
        for host, look in looks.items()
        if host not in moved and leads_to_target(look, known)
    }


def seen_line(known: Known, facts: Mapping[str, Any]) -> str:
    """What is known of them, and what nobody asked: a look is no proof. Empty where there are none."""
    seen = facts.get("seen") or {}
    if not seen:
        return ""
    told = {
        "the value leads there": True,
        "the host reaches it": all(one["reached"] for one in seen.values()),
        "each process that serves is connected to it, and none to the old Redis": all(
            one["services"] for one in seen.values()
        ),
        "the app is healthy": False,
    }
    if known.settings.get("check_command") and not facts["checks"]:
        told["your check passes"] = False
    looked, unasked = ("; ".join(what for what, is_so in told.items() if is_so is kind) for kind in (True, False))
    return f"On the target already, not proven again: {', '.join(seen)}. Seen: {looked}. Not asked: whether {unasked}."


# --- what the end of a run needs to know of its beginning ---


def facts(known: Known, looks: Looks, todo: list[str]) -> dict[str, Any]:
    remembered = batches.remembered_hosts(known.cutover, known.endpoint)
    return {
        "has_own": any(look.values for look in looks.values()),
        "was_complete": batches.is_cutover_to(known.cutover, known.endpoint),
        "remembered": remembered,
        "stay": _staying(known, todo),
        "forgets": len(_staying(known, todo)) < len(known.cutover.get("hosts") or ()),
        "is_to_remember": is_to_remember(known, todo),
        "begun_before": [host for host, look in looks.items() if _is_begun(look, known)],
        "led_to_target": [host for host, look in looks.items() if leads_to_target(look, known)],
        "on_target": [host for host, look in looks.items() if look.services and not look.would_restart],
        "left": batches.locations_to_leave(
            [*known.shared, *(v for look in looks.values() for v in look.values)], known.endpoint
        ),
    }


def is_to_remember(known: Known, todo: list[str]) -> bool:
    """Whether the ledger is to say that the cutover is complete: no host is left out, and it does not know it yet."""
    return bool(set(known.present) - set(_staying(known, todo))) and not known.is_limited


def _staying(known: Known, todo: list[str]) -> list[str]:
    """Those of which the ledger says that they are on this target, and that are not switched again."""
    return [host for host in batches.remembered_hosts(known.cutover, known.endpoint) if host not in todo]


def _is_begun(look: Look, known: Known) -> bool:
    seen = reads(look, known)
    return not would_change([seen]) and batches.is_changed_before(seen)
