# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The end of a run: where every consumer is, what is said, recorded and remembered, and whether it failed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Iterable, Mapping, Optional

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.playbooks import rollback_command
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    batches,
    clients,
    holding,
    judge,
    story,
    to_original,
    token_rotation,
    transfer,
    verdict,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, NONE, ORIGINAL, TOKEN
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan

Turn = Mapping[str, Any]
Found = Mapping[str, Optional[Mapping[str, Any]]]


@dataclass(frozen=True)
class Ending:
    """``records`` maps each stage to what is recorded of it; ``ledger`` is what the ledger is yet to be told."""

    results: Mapping[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    failure: str = ""
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ledger: Mapping[str, Any] = field(default_factory=dict)

    def failing(self, why: str) -> Ending:
        return replace(self, failure=why)


def of(known: Known, plan: Plan, turn: Turn, found: Found, back: Found, proof: Found) -> Ending:  # noqa: PLR0917
    """``found`` and ``back`` are the results of those that were moved and put back; ``proof`` is of a token that
    was ended.
    """
    destination = GOALS[known.goal].destination
    if destination == NONE:
        return Ending()
    if destination == ORIGINAL:
        return _original(known, plan, turn, found)
    if destination == TOKEN:
        return _token(known, plan, turn, found, proof)
    return _target(known, plan, turn, found, back)


# --- target ---


def _target(known: Known, plan: Plan, turn: Turn, found: Found, back: Found) -> Ending:
    results = _results(plan, turn, found)
    stages = GOALS[known.goal].stages
    records: dict[str, Mapping[str, Any]] = {}
    if "assess" in stages and plan.facts.get("assessed") is not None:
        records["assess"] = plan.facts["assessed"]
    if "provision" in stages:
        records["provision"] = {
            "endpoint": known.endpoint,
            "lines": plan.facts["first"]["lines"],
            "monthly_cost": known.cost,
        }
    if "ingress" in stages:
        parts = [part["what"] for part in known.parts]
        records["ingress"] = {"endpoint": known.endpoint, "parts": parts, "probes": plan.facts["probes"]}
    if turn.get("data"):
        records["transfer"] = {"endpoint": known.endpoint, "host": plan.facts["data"]["host"], **turn["data"]}
    if stages == ("transfer",):
        failure = _target_failure(known, turn, results, {})
        return Ending(results, () if failure else tuple(_data_there(known, plan, turn)), failure, records)
    if "cutover" not in stages:
        return Ending(results, records=records)
    put_back = {host: batches.result_of(result) for host, result in back.items()}
    records["cutover"] = {
        "batches": plan.batches,
        "checks": turn.get("checks") or [],
        "digest": plan.facts["first"]["digest"],
        "done": done(known, turn, results),
        "endpoint": known.endpoint,
        "hosts": results,
        "lines": plan.facts["first"]["lines"],
        "put_back": put_back,
        **({"held": turn["writes"]} if "writes" in turn else {}),
    }
    failure = _target_failure(known, turn, results, put_back)
    return Ending(results, () if failure else tuple(_closing(known, plan, turn, results)), failure, records)


def _data_there(known: Known, plan: Plan, turn: Turn) -> Iterable[str]:
    if not turn:
        return
    if plan.facts["data"]["does"] == transfer.ABORT:
        yield "Done: the transfer is ended, and what it copied is taken away where the target was empty before."
        return
    yield (
        f"Done: the data is on {_place(known)}. The app goes on writing to the old Redis: switch its hosts soon "
        f"({known.words['cutover']}), as what it writes now stays behind."
    )


def _place(known: Known) -> str:
    return f"{known.endpoint.get('name')} at {known.endpoint.get('address')}:{known.endpoint.get('port')}"


def done(known: Known, turn: Turn, results: Mapping[str, Any]) -> list[str]:
    """What was really changed, in the words of the plan."""
    shared = story.shared_lines(known.shared, (turn.get("shared") or {}).get("changes") or {})
    return [*shared, *(line for result in results.values() for line in result.get("lines") or ())]


def _results(plan: Plan, turn: Turn, found: Found) -> dict[str, dict[str, Any]]:
    tried = [host for host in plan.consumers if host not in (turn.get("untried") or ())] if turn else []
    results = judge.results_of(found, tried)
    for host in plan.facts.get("led_to_target") or ():
        if host not in plan.consumers and host in results:
            results[host] = {"state": "ok", "changed": False, "seen": plan.facts["seen"][host]}
    return results


def _target_failure(known: Known, turn: Turn, results: Mapping[str, Any], back: Mapping[str, Any]) -> str:
    if not turn:
        return ""
    stopped = turn.get("failure") or {}
    if turn.get("lost_lock"):
        return str(stopped.get("why"))
    if turn.get("not_remembered"):
        why = str(turn["not_remembered"]).rstrip(".")
        return (
            "Every host is on the target, and nothing is to be put back. Only the ledger in Parameter Store could "
            f"not be told so: {why}. Mend that and run the same command again, which finishes it."
        )
    if turn.get("not_finished"):
        return (
            "Every host is on the target, and nothing is to be put back. Only what follows the old Redis could not be "
            f"ended: {str(turn['not_finished']).rstrip('.')}. It goes on. Where somebody writes to the old Redis "
            "still, stop that. Then run the same command again, which ends it."
        )
    if turn["go"]:
        return _not_strict(turn)
    if stopped and not any(result.get("changed") for result in results.values()) and not turn.get("shared"):
        return f"Stopped at the step '{stopped['step']}': {stopped['why']}"
    check: Mapping[str, Any] = next((check for check in turn.get("checks") or () if not check.get("passed")), {})
    told = verdict.verdict(results, back, _shared(turn), check, way_back(known))
    return f"Failed at the step '{stopped['step']}': {stopped['why']}\n{told}" if stopped else told


def _not_strict(turn: Turn) -> str:
    """Every host is switched: what was asked for is not proven all the same, or is not so."""
    doubt = holding.doubt(turn["writes"]) if "writes" in turn else ""
    if not doubt:
        return ""
    return (
        f"Every host is on the target, and nothing is to be put back. Only it is not strict "
        f"(migration_consistency): {doubt}. {holding.line(turn['writes'])} What was written to the old Redis is on the "
        "target as far as it was followed: look at what these writers do, stop them, and see to what they wrote."
    )


def _shared(turn: Turn) -> dict[str, str]:
    failure, shared = str(turn.get("shared_failure") or ""), turn.get("shared_back") or []
    if not failure and not batches.would_change(shared):
        return {}
    return {"state": "failed" if failure else "ok", "why": failure}


def way_back(known: Known) -> dict[str, Any]:
    """What puts back what is not. What all share is not put back for some of them only."""
    return {
        "playbook": known.words["rollback"],
        "inventories": known.words["inventories"],
        "by_host": not known.shared,
    }


WITH_ITS_OPTIONS = " (with the -e options of this run where it had any)"


def _closing(known: Known, plan: Plan, turn: Turn, results: Mapping[str, Any]) -> list[str]:
    if known.check_mode or not turn:
        return []
    where = _place(known)
    moved, before = plan.consumers, plan.facts["other_clients"]
    said = [f"Done: {', '.join(moved)} moved to {where}." if moved else f"Done: every host is on {where}."]
    seen = {host: one.get("other_clients") or before.get(host) for host, one in results.items()}
    return [
        *said,
        *clients.lines({host: one for host, one in seen.items() if one}),
        *story.jobs_left(results, "the old Redis"),
        f"The way back: {rollback_command(way_back(known))} (with the -e options of this run where it had any)",
    ]


# --- original ---


def _original(known: Known, plan: Plan, turn: Turn, found: Found) -> Ending:
    if known.check_mode:
        changed = {step.consumer for step in plan.steps}
        found = {host: {"state": "ok", "changed": host in changed} for host in found}
    results = to_original.results(plan, found)
    shared_failure = str(turn.get("shared_failure", plan.facts["shared_failure"]) or "")
    ledger_failure = str(turn.get("ledger_failure") or "")
    stopped = turn.get("failure") or {}
    if stopped:
        return Ending(results, failure=f"Nothing was put back: {stopped['why']}")
    lines = story.rollback_lines(results, shared_failure, way_back(known), known.check_mode)
    lines += story.jobs_left(results, "the target")
    if ledger_failure:
        why = f"The ledger may still say when the cutover was: {ledger_failure.rstrip('.')}. Run this playbook again."
        lines.append(why)
    is_bad = shared_failure or ledger_failure or batches.failed_hosts(results)
    failure = (
        "Not everything is back on the old Redis, so the target and the way to it stay; see the lines above. Mend "
        "what they name and run this playbook again: it goes on with what is missing."
    )
    record = {"hosts": results, "left_behind": plan.facts["left_behind"], "shared_failure": shared_failure}
    record.update({"held": turn["writes"]} if "writes" in turn else {})
    return Ending(results, tuple(lines), failure if is_bad else "", {"rollback": record})


def is_off(known: Known, results: Mapping[str, Any]) -> list[str]:
    """The consumers that are known to have left the target."""
    return [host for host in known.everyone if (results.get(host) or {}).get("state") == "ok"]


# --- token ---


def _token(known: Known, plan: Plan, turn: Turn, found: Found, proof: Found) -> Ending:
    results = judge.results_of(
        found, [host for host in plan.consumers if host not in (turn.get("untried") or ())] if turn else []
    )
    failure, left, playbook = "", list(turn.get("left") or ()), known.words["rotate"]
    unproven = _still_accepted(proof)
    stopped = turn.get("failure") or {}
    if turn.get("lost_lock"):
        failure = str(stopped["why"])
    elif turn.get("stopped"):
        failure = token_rotation.verdict(results, bool(turn.get("begun")), playbook, stopped or None)
    elif unproven:
        failure = unproven
    lines = []
    if not failure and left and turn:
        lines = [
            f"Both tokens stay valid until {', '.join(left)} use the new one, too: run {playbook} again without "
            "--limit."
        ]
    entry: dict[str, Any] = {}
    if turn.get("ended") and not failure:
        entry = {"entry": "token", "value": token_rotation.entry_of(known.course["secret"], turn["version"])}
        lines = [f"Done: {known.endpoint.get('name')} and its hosts have the new token, and the one before is ended."]
    record = {"course": known.course, "failure": stopped, "hosts": results, "left": left, "lines": plan.lines}
    return Ending(results, tuple(lines), failure, {"rotate": record}, entry)


def _still_accepted(proof: Found) -> str:
    for host, seen in proof.items():
        kind = str((seen or {}).get("kind") or "none")
        if kind != "auth_wrong":
            why = (
                f"it is still accepted from {host}"
                if kind == "none"
                else f"{host} could not tell: {(seen or {}).get('msg')}"
            )
            return (
                f"The token before was ended, and that the target refuses it is not proven: {why}. Every host has "
                "the new one. Run this again, which ends it once more and asks again."
            )
    return ""
