# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Look, plan, act, judge: the plan of a whole run, whatever its goal. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    approval,
    clients,
    holding,
    made_of,
    making,
    standing,
    story,
    to_original,
    to_target,
    to_token,
    transfer,
    unnamed,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import client, stage
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, NONE, ORIGINAL, TOKEN
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import cost

Looks = Mapping[str, Look]


def plan(known: Known, looks: Looks) -> Plan:
    """Planning against what a plan leads to yields no steps."""
    return replace(_planned(known, looks), made_of=approval.fingerprints(made_of.of_run(known, looks)))


def _planned(known: Known, looks: Looks) -> Plan:
    destination = GOALS[known.goal].destination
    if destination == ORIGINAL:
        return to_original.plan(known, looks)
    if destination == TOKEN:
        return to_token.plan(known, looks)
    if destination == NONE:
        return Plan(known.goal, notes=tuple(standing.lines(known, looks)))
    return _to_target(known, looks)


def _to_target(known: Known, looks: Looks) -> Plan:
    """Assess, provision, ingress and cutover, as far as they are stages of this goal, as one."""
    proposed = unnamed.proposal(looks)
    if proposed and not any(look.values for look in looks.values()):
        return Plan(known.goal, refusals=_told(to_target.not_seen(looks), proposed))
    stages = GOALS[known.goal].stages
    assessed = stage.weigh(known, looks) if "assess" in stages else stage.Assessment()
    reads = {"assess", "cutover"} & set(stages)
    forgotten = unnamed.refusal(looks, known.settings.get("unmoved_keys") or ()) if reads else ""
    others = clients.of(looks) if reads else {}
    is_moving = any(to_target.is_to_move(look, known) for look in looks.values())
    strangers = clients.refusal(others, known.settings.get("unknown_clients") or "") if is_moving else ""
    told = () if strangers else clients.lines(others)
    is_ready_asked = is_moving and "cutover" in stages and "assess" not in stages  # there it is weighed with the rest
    unready = client.unready(known.endpoint, known.settings.get("app_ready_for") or ()) if is_ready_asked else ""
    makes = making.is_to_make(known.parts, known.course)
    facts = {"makes": makes, "survey": list(assessed.wants), "assessed": assessed.record}
    if assessed.refusals or assessed.wants:
        refusals = _told(*assessed.refusals, forgotten, strangers, proposed)
        return Plan(known.goal, refusals=refusals, notes=(*assessed.lines, *told), facts=facts)
    moves = to_target.plan(known, looks) if "cutover" in stages else Plan(known.goal)
    unproven = to_target.not_reaching(looks, known.endpoint) if "ingress" in stages and not moves.refusals else ""
    data = _data(known, looks)
    unseen = to_target.not_seen(looks) if stages == ("transfer",) else ""
    data = replace(data, holds=data.holds and bool(moves.batches))
    data = data if moves.facts.get("is_to_remember") else replace(data, finish=())
    held = holding.steps(known, moves.batches[0], transfer.source_of(known, looks)) if data.holds else ()
    steps = (*making.steps(known.parts, known.course), *data.steps, *held, *_finished(moves.steps, data))
    # Where nothing is to be done, what was weighed and what it costs is no news.
    found = (*assessed.lines, *cost_lines(known)) if steps or stages == ("assess",) else ()
    seen = to_target.seen_line(known, moves.facts)
    return Plan(
        known.goal,
        batches=moves.batches,
        steps=steps,
        refusals=_told(unready, unproven, unseen, *data.refusals, forgotten, strangers, *moves.refusals, proposed),
        notes=(*found, *data.notes, *moves.notes, *([seen] if seen else ()), *told),
        facts={
            **moves.facts,
            **facts,
            "data": data.as_dict(),
            "news": list(moves.notes),
            "other_clients": others,
            "probes": {host: _figures(look.target) for host, look in looks.items()},
        },
    )


def _data(known: Known, looks: Looks) -> transfer.Course:
    """What is done for the data, where this run brings it, or switches a host to it."""
    if not {"transfer", "cutover"} & set(GOALS[known.goal].stages):
        return transfer.Course()
    there = [host for host, look in looks.items() if to_target.leads_to_target(look, known)]
    led = {host: stage.place_of(look, known) for host, look in looks.items() if host not in there}
    host = transfer.host_of(known)
    seen = looks[host].transfer if host in looks else {}
    waiting = {host: place for host, place in led.items() if place}
    queues = [queue for look in looks.values() for queue in look.queues]
    return transfer.course(known, seen, transfer.Standing(there, waiting, queues))


def _finished(steps: tuple[Step, ...], data: transfer.Course) -> tuple[Step, ...]:
    """The ledger is told at the very last."""
    finish = transfer.finish_steps(data)
    return (*steps[:-1], *finish, *steps[-1:]) if finish else steps


def cost_lines(known: Known) -> list[str]:
    """What the target costs, and what the same nodes would cost by another engine where that is less."""
    return [line for line in (story.cost_line(known.cost), cost.instead_line(known.cost)) if line] if known.cost else []


def _told(*refusals: str) -> tuple[str, ...]:
    return tuple(filter(None, refusals))


def _figures(probe: Mapping[str, object]) -> dict[str, object]:
    """What of a probe belongs into a record."""
    keep = ("reached", "after_apply", "latency_ms", "client_address", "server", "through", "word_of")
    return {name: probe[name] for name in keep if name in probe}
