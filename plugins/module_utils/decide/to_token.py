# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The goal ``token``: every consumer on the target with its new token, while both are valid. Pure."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, token_rotation
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import SHARED, Plan, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.to_target import reads
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import PASSWORDS

Looks = Mapping[str, Look]


NOT_OURS = (
    "There is no token of this migration to rotate: migration_auth_token_secret names no secret, or migration_endpoint "
    "or migration_adopt says that somebody else looks after the target, and so changes its token."
)


def not_ours(settings: Mapping[str, Any], endpoint: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Why there is no token to rotate; empty where there is."""
    if not settings["auth_token_secret"] or settings["endpoint"] or settings["adopt"]:
        return NOT_OURS
    if endpoint.get("auth") == "rbac" and (why := _of_others(settings)):
        return why
    if endpoint.get("auth") not in ("token", "rbac"):
        return "The target has no AUTH token, and no user with a password, so there is none to rotate."
    if found.get("ours") is False:
        return (
            f"The target {endpoint.get('name')} does not carry the tag cache_migration:name={settings['name']}, so it "
            "is not this migration's, and its token is not ours to change. Rotate it where it is looked after."
        )
    return ""


def _of_others(settings: Mapping[str, Any]) -> str:
    """Why the password of a target's user is not ours to change; empty where it is."""
    row = table.target_of(settings)
    if row.app_user(settings):
        return ""
    user = settings.get("username") or "default"
    return (
        f"The app logs in to the {row.what(settings)} as the user {user} of users that somebody else looks after, so "
        "its password is not ours to change. Change it where it is looked after: a user has two passwords at a time, "
        "so add the new one, put it into the secret (migration_auth_token_secret) and run this collection's migration "
        "again, and then take the old one away."
    )


def plan(known: Known, looks: Looks) -> Plan:
    """A consumer that does not lead to the target stays as it is. Everything that can be known to fail is known
    before.
    """
    course = known.course
    if not course["needed"]:
        return Plan(known.goal, notes=tuple(_lines(known, course, {}, [])), facts={"left": []})
    failures = {host: look.failure[1] for host, look in looks.items() if look.failure[1]}
    if failures:
        results = {
            host: {"state": "failed", "step": looks[host].failure[0], "why": why} for host, why in failures.items()
        }
        return Plan(known.goal, refusals=(token_rotation.verdict(results, False, known.words["rotate"]),))
    is_accepted = any(look.target.get("reached") for look in looks.values())
    if not course["generate"] and is_accepted == _is_refused(known, looks):
        return Plan(known.goal, refusals=(_cannot_tell(known),))
    address = known.endpoint["address"]
    here = [host for host, look in looks.items() if token_rotation.leads_to([reads(look, known)], address)]
    shared = [one for one in known.shared if token_rotation.leads_to([one], address)]
    is_new_shared = any(_changes(one) for one in shared)
    todo = [host for host in here if is_new_shared or looks[host].would_change or host not in course["done"]]
    try:
        canary = str(known.settings.get("canary") or "")
        size = known.settings.get("batch_size") or "50%"
        order = batches.cutover_batches(todo, canary if canary in todo else "", size)
    except batches.BatchError as error:
        return Plan(known.goal, refusals=(f"{error}.",))
    done = {host for host in course["done"] if host not in todo}
    elsewhere = {host for host in looks if host not in here}
    return Plan(
        known.goal,
        batches=tuple(map(tuple, order)),
        steps=tuple(
            Step(SHARED, line) for line in _lines(known, course, looks, [host for batch in order for host in batch])
        ),
        facts={
            # Who was not looked at may use the token before, whatever the ledger says of it.
            "left": [
                host
                for host in known.everyone
                if host not in looks or (host not in done | elsewhere and host not in todo)
            ],
            "is_accepted": is_accepted,
            "shared": [one["name"] for one in shared if _changes(one)],
        },
    )


def _is_refused(known: Known, looks: Looks) -> bool:
    """Whether the target itself says that the new token is not valid yet. While it is being changed, it may be soon."""
    kinds = [(look.target.get("failure") or {}).get("kind") for look in looks.values()]
    return "auth_wrong" in kinds and known.found.get("status", "available") == "available"


def _cannot_tell(known: Known) -> str:
    return (
        f"Nothing was changed: the target {known.endpoint.get('name')} is {known.found.get('status') or 'there'}, and "
        "no host can tell yet whether the new token is valid there already. Given a second time, it might end the "
        f"token that hosts still use. Run {known.words['rotate']} again when the target is available, and reached from "
        "the hosts."
    )


def _changes(look: Mapping[str, Any]) -> bool:
    return any(change.get("action") != "keep" for change in (look.get("changes") or {}).values())


def _lines(known: Known, course: Mapping[str, Any], looks: Looks, todo: list[str]) -> list[str]:
    address = known.endpoint.get("address")
    shared = [one for one in known.shared if _changes(one) and token_rotation.leads_to([one], str(address))]
    paths = {host: [str(value.get("path")) for value in looks[host].values] for host in todo}
    services = {host: [str(service["name"]) for service in looks[host].services] for host in todo}
    login = table.target_of(known.settings).login(known.settings)
    told = {
        "course": course,
        "target": login.what,
        "token": "password" if login.takes == PASSWORDS else "token",
        "hosts": todo,
        "shared": [f"{one['words']} {one['name']}" for one in shared],
    }
    return token_rotation.lines({**told, "paths": paths, "services": services})
