# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stage assess: what the looks at the old Redis mean for the target, or why they are not enough. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS, is_loopback
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, story, verdict
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import connected
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import (
    assess,
    recommend,
    refusals,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    Circumstances,
    Finding,
    Old,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import (
    AssessmentError,
    target_from,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.to_target import (
    is_to_move,
    leads_to_target,
    reads,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling

Looks = Mapping[str, Look]


@dataclass(frozen=True)
class Assessment:
    """``wants`` names the consumers that are to look into the old Redis first."""

    refusals: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = None


def weigh(known: Known, looks: Looks) -> Assessment:
    """Of the consumers that are not on the target yet; where all are, there is nothing to assess."""
    waiting = {host: place for host, place in ((host, place_of(look, known)) for host, look in looks.items()) if place}
    failures = {host: look.failure[1] for host, look in looks.items() if look.failure[1]}
    # What names the wrong key does not say where the old Redis is, whatever a probe made of it.
    asked = {host: look for host, look in looks.items() if look.knows_its_values and not _is_there(look, known)}
    not_reached = _not_reached(known, asked)
    failures.update(not_reached)
    if failures:
        way_on = (
            "Where the old Redis is gone for good, there is nothing to assess, and what it held is lost: "
            f"{known.words['cutover']} switches every host that is not on the target yet, without asking it."
        )
        return Assessment(refusals=(verdict.untouched(failures, way_on if not_reached else ""),))
    if not waiting:
        return Assessment(lines=(story.NOTHING_TO_ASSESS,), record={"findings": [], "sources": {}, "waiting": {}})
    several = next((host for host in waiting if len(_places(looks[host], known)) > 1), "")
    if several:
        return Assessment(refusals=(_more_than_one(several, _leaving(looks[several], known)),))
    users = _users(looks, waiting)
    surveyors = {place: next((host for host in hosts if looks[host].survey), "") for place, hosts in users.items()}
    wants = tuple(users[place][0] for place, host in surveyors.items() if not host)
    if wants:
        return Assessment(wants=wants)
    unread = {host: looks[host].survey for host in surveyors.values() if looks[host].survey.get("failure")}
    if unread:
        why = {host: str(survey.get("msg") or survey["failure"]) for host, survey in unread.items()}
        by_hand = (
            "Where it tells nobody, as where INFO is renamed (rename-command), weigh it by hand: "
            f"{known.words['provision']}, the role ingress and {known.words['cutover']} go on without asking it."
        )
        return Assessment(refusals=(verdict.untouched(why, by_hand),))
    return _weighed(known, looks, waiting, _told_apart(looks, users, surveyors))


@dataclass(frozen=True)
class _Read:
    """An old Redis that was read, and the hosts whose values lead to it."""

    survey: Mapping[str, Any]
    hosts: Sequence[str]


@dataclass(frozen=True)
class _Place:
    """``of`` is the host that is led to itself by the name, as by 127.0.0.1: that is another place on each."""

    name: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.name} on {self.of}" if self.of else self.name


def _users(looks: Looks, waiting: Mapping[str, Mapping[str, Any]]) -> dict[_Place, list[str]]:
    """The hosts of each place that is to be read."""
    users: dict[_Place, list[str]] = {}
    for host, place in waiting.items():
        seen_from = str(looks[host].old.get("client_address") or "")
        is_its_own = is_loopback(str(place["host"])) or is_loopback(seen_from)
        name = f"{place['host']}:{place['port']}"
        users.setdefault(_Place(name, host if is_its_own else ""), []).append(host)
    return users


def _told_apart(looks: Looks, users: Mapping[_Place, list[str]], surveyors: Mapping[_Place, str]) -> dict[str, _Read]:
    """Each server once, by its place: several names may lead to one, and a proxy on each host. What a host has for
    itself may say anything, so it stands for no other place.
    """
    found: dict[str, tuple[str, _Read]] = {}
    for place, hosts in sorted(users.items(), key=lambda item: bool(item[0].of)):
        survey = looks[surveyors[place]].survey
        server = survey.get("run_id") or str(place)
        first, read = found.get(server, (str(place), _Read(survey, ())))
        found[server] = (first, _Read(read.survey, (*read.hosts, *hosts)))
    return dict(found.values())


def place_of(look: Look, known: Known) -> dict[str, Any]:
    """Where the value of a consumer leads, as ``{host, port, database}``; nothing where it leads to the target."""
    if _is_there(look, known):
        return {}
    return next((dict(change["before_location"]) for change in _leaving(look, known).values()), {})


def _leaving(look: Look, known: Known) -> dict[str, Mapping[str, Any]]:
    """What was seen of each key whose value is a cache's URL that does not lead to the target."""
    target = known.endpoint.get("address")
    return {
        key: change
        for key, change in (reads(look, known).get("changes") or {}).items()
        if change.get("before_location") and change["before_location"]["host"] != target
    }


def _places(look: Look, known: Known) -> set[tuple[str, int]]:
    places = [change["before_location"] for change in _leaving(look, known).values()]
    return {("" if is_loopback(str(place["host"])) else str(place["host"]), int(place["port"])) for place in places}


def _more_than_one(host: str, leaving: Mapping[str, Mapping[str, Any]]) -> str:
    places = {key: change["before_location"] for key, change in leaving.items()}
    told = ", ".join(f"{key} to {place['host']}:{place['port']}" for key, place in places.items())
    return (
        f"What {host} reads leads to more than one Redis: {told}. A migration moves one of them: leave the keys of the "
        "others out of migration_values, and move each by a migration of its own (migration_name, and a target)"
    )


def _databases(look: Look, known: Known) -> dict[str, tuple[int, int]]:
    """Of each key that leaves, the number that its URL names and the one that the new URL would."""
    return {
        key: (_number(change["before_location"]), _number(change.get("after_location") or {}))
        for key, change in _leaving(look, known).items()
    }


def _number(place: Mapping[str, Any]) -> int:
    return int(place.get("database") or 0)


def _is_there(look: Look, known: Known) -> bool:
    return leads_to_target(look, known) or not is_to_move(look, known)


def _not_reached(known: Known, looks: Looks) -> dict[str, str]:
    reasons = {host: batches.probe_failure(look.old, known.endpoint) for host, look in looks.items()}
    return {host: why for host, why in reasons.items() if why}


def _weighed(known: Known, looks: Looks, waiting: Mapping[str, Any], reads: Mapping[str, _Read]) -> Assessment:
    settings = known.settings
    try:
        target = target_from(_target(settings, known))
    except (AssessmentError, PlanRefused) as error:
        return Assessment(refusals=(f"The old Redis cannot be assessed: {error}.",))
    stated = Circumstances(
        transfer=settings.get("transfer") or "",
        unknown_clients=settings["unknown_clients"],
        ready_for=tuple(filter(None, settings.get("app_ready_for") or ())),
        must_not_lose=bool(settings.get("must_not_lose")),
        databases={host: _databases(looks[host], known) for host in waiting},
    )
    olds = {place: Old(Source.from_dict(one.survey), _known_clients(looks, one.hosts)) for place, one in reads.items()}
    findings = assess(olds, target, stated)
    refused = refusals(findings)
    return Assessment(
        refusals=(refusal(list(olds), refused),) if refused else (),
        lines=tuple(story.assess_lines([_told(finding) for finding in findings])),
        record={
            "findings": [_told(finding) for finding in findings],
            "strategy": recommend(olds, target, stated).as_dict(),
            "clients": {place: connected.clients(old, looks) for place, old in olds.items()},
            "sources": {place: dict(one.survey) for place, one in reads.items()},
            "waiting": dict(waiting),
            "named_databases": sorted(stated.named_databases),
        },
    )


def _known_clients(looks: Looks, users: Sequence[str]) -> dict[str, list[str]]:
    """The hosts of this run by their address there. Loopback is a host's only where it is one of its ``users``."""
    known: dict[str, list[str]] = {}
    for host, look in looks.items():
        address = str(look.old.get("client_address") or "")
        if address and (host in users or not is_loopback(address)):
            known.setdefault(address, []).append(host)
    return known


def refusal(places: Sequence[str], refused: list[Finding]) -> str:
    why = "\n".join(f"- {finding.sentence}" for finding in refused)
    return f"The target cannot take the place of the old Redis at {', '.join(places)}:\n{why}"


def _told(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in ("level", "subject", "found", "means", "remedy")}


def _target(settings: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """What is stated, else what the target that exists runs."""
    runs = known.endpoint if known.endpoint.get("state") == "known" else {}
    row = table.by_service(str(known.endpoint.get("service") or table.DEFAULT.service))
    counted = scaling.counted(row, settings, known.found or None)
    return {
        "service": known.endpoint.get("service"),
        "engine": settings.get("engine") or runs.get("engine"),
        "engine_version": settings.get("engine_version") or runs.get("engine_version"),
        "node_type": settings.get(row.node_type_option),
        "shards": counted.get(row.shards_option) or known.found.get(row.shards_option),
        "most_shards": scaling.most(row, settings, row.shards_option),
        "grows_to": row.grows_to(settings, known.found or None) if row.grows_to else None,
        "parameters": settings.get("parameters"),
        "protocol": known.endpoint.get("protocol"),
        "auth": known.endpoint.get("auth"),
        "is_durable": _is_durable(settings, known),
        # With one node for all keys that is a parameter, which may be about to be raised.
        "databases": None if known.endpoint.get("protocol") in (None, REDIS) else known.endpoint.get("databases"),
    }


def _is_durable(settings: Mapping[str, Any], known: Known) -> bool:
    """Of a target of somebody else's, which is an address and no more, nobody can tell."""
    if settings.get("endpoint"):
        return False
    return table.by_service(str(known.endpoint["service"])).is_durable(settings, known.found or None)
