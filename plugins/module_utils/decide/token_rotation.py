# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which version of the secret the target was given, which it is to have, and what a rotation has left to do. Pure.

AWS never tells a token, so the ledger remembers: ``{secret, version_id}``, and while a rotation is under way also
``rotating: {version_id, hosts}``, the version that it goes to and the hosts that are proven to use it.

Whoever may write the ledger need not be one who may read secrets. So what it says decides neither which token becomes
valid (Secrets Manager's labels must agree) nor which secret is read (it must be this migration's).
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

Facts = Mapping[str, Any]  # of the secret, as cache_token returns them
Entry = Mapping[str, Any]

# Goes through every stage of a plan for a token that only the run will make. It is of the form that AWS takes.
PLACEHOLDER = "token-after-apply"


class RotationRefused(ValueError):
    """Nothing was changed; the text is a sentence for the operator."""


def entry_of(secret: str, version_id: str) -> dict[str, Any]:
    """The ledger's entry for a target that has one token."""
    return {"secret": secret, "version_id": version_id}


def entry_under_way(entry: Entry, course: Mapping[str, Any], version_id: str, hosts: Sequence[str]) -> dict[str, Any]:
    """The entry while both tokens are valid; what the target had before stays in it."""
    return {
        "secret": course["secret"],
        "version_id": course["from_version"],
        **({"from_secret": course["from_secret"]} if course["from_secret"] != course["secret"] else {}),
        "rotating": {"version_id": version_id, "hosts": sorted({*_hosts_done(entry), *hosts})},
    }


def is_to_be_made(status: str) -> bool:
    """Whether a target is yet to be given a token: one that is going is made again once it is gone."""
    return status in ("absent", "deleting")


def refusal(secret: str, facts: Facts, entry: Entry, found: Sequence[Mapping[str, Any]], playbook: str) -> str:
    """Why the secret's current version must not be handed to the app; empty where it may. ``playbook`` rotates.

    ``found`` is the target as it was found: one, or none.
    """
    if not entry or all(is_to_be_made(one["status"]) for one in found):
        return ""
    if entry.get("rotating"):
        return (
            f"A rotation of the token is under way since {entry.get('time') or 'an earlier run'}, to version "
            f"{entry['rotating']['version_id']} of the secret {entry['secret']}. Run {playbook}, which goes "
            "on with it, and then this again"
        )
    known = f"version {entry['version_id']} of the secret {entry['secret']}"
    if not facts["exists"]:
        return (
            f"The target was given the token in {known}, and the secret {secret} does not exist any more, so its token "
            "is not known. Restore the secret (aws secretsmanager restore-secret), or put a token of your own into a "
            f"secret of that name and run {playbook}, which gives it to the target"
        )
    if facts["current_version_id"] != entry["version_id"]:
        return (
            f"The secret {secret} has {facts['current_version_id']} as its current version, and the target was given "
            f"{known}, so the app would get a token that the target does not know. Run {playbook}, which "
            "moves the target and its hosts to the current version; or make the former one current again"
        )
    return ""


def course(secret: str, facts: Facts, entry: Entry, wants_new: bool) -> dict[str, Any]:
    """What a rotation has to do. An empty ``to_version`` is to be generated first.

    One that is under way is always gone on with: a third token would end the oldest of two, on which hosts may be.
    ``facts`` may have ``before: {secret, ours}``, of another secret that the token before is in.
    """
    current, pending = facts["current_version_id"], facts["pending_version_id"]
    rotating = entry.get("rotating") or {}
    known = entry.get("version_id") or current
    if rotating and entry.get("secret") != secret:
        raise RotationRefused(
            f"A rotation is under way to a version of the secret {entry.get('secret')}, and "
            f"migration_auth_token_secret names {secret}. Name the former, run this again until it is done, and then "
            f"change to {secret}"
        )
    if rotating:
        to_version = rotating.get("version_id") or ""
        _refuse_without_label(secret, facts, to_version)
        return _course(secret, facts, entry, to_version, "a rotation is under way")
    if current != known:
        return _course(secret, facts, entry, current, "the current version is another than the target was given")
    if pending:
        return _course(secret, facts, entry, pending, "a version is pending (AWSPENDING)")
    if wants_new:
        return _course(secret, facts, entry, "", "a new token was asked for")
    return {**_course(secret, facts, entry, known, ""), "needed": False}


def _course(secret: str, facts: Facts, entry: Entry, to_version: str, why: str) -> dict[str, Any]:
    promote = to_version != facts["current_version_id"]
    # Somebody has put yet another version on top since: it is theirs, and the next rotation goes to it.
    overtaken = bool(entry.get("rotating")) and facts["current_version_id"] not in (to_version, entry.get("version_id"))
    if promote and not overtaken and not facts["ours"]:
        raise RotationRefused(
            f"The secret {secret} is not this migration's (it lacks its tag cache_migration:name), so no version is "
            "put into it and none is made its current one. Put the new token there yourself (aws secretsmanager "
            f"put-secret-value --secret-id {secret} --secret-string …) and run this again, or give the secret that tag"
        )
    from_secret = entry.get("from_secret") or entry.get("secret") or secret
    before = facts.get("before") or {}
    return {
        "needed": True,
        "why": why,
        "secret": secret,
        "from_secret": from_secret,
        # What is tried at the end, for being refused: it is read then, and handed to the app's interpreter.
        "prove": from_secret == secret or (before.get("secret") == from_secret and bool(before.get("ours"))),
        "from_version": entry.get("version_id") or facts["current_version_id"],
        "to_version": to_version,
        "generate": not to_version,
        "promote": promote and not overtaken,
        "done": _hosts_done(entry),
    }


def _refuse_without_label(secret: str, facts: Facts, version: str) -> None:
    current, pending = facts["current_version_id"], facts["pending_version_id"]
    if version and version in (current, pending):
        return
    raise RotationRefused(
        f"The ledger says that a rotation is under way to version {version or '(none)'} of the secret {secret}, which "
        f"is neither its current version (AWSCURRENT is {current}) nor one that waits (AWSPENDING is "
        f"{pending or 'on no other'}). It may be a token that was ended, and must not become valid again, so nothing "
        "was changed. If it is what the rotation went to, and another version was put on top since, make it the "
        f"current one (aws secretsmanager update-secret-version-stage --secret-id {secret} --version-stage AWSCURRENT "
        f"--move-to-version-id {version or 'ID'} --remove-from-version-id {current}) and run this again; put the other "
        "there again afterwards. If it is not, somebody has changed the entry token of the ledger: look at the history "
        "of that parameter (aws ssm get-parameter-history), and put back what it was before"
    )


def not_to_be_read(secret: str, user: str) -> str:
    """Why a user is given no new password: the one before is in a secret that is not read."""
    return (
        f"Nothing was changed. To keep both passwords of the user {user} valid, AWS must be told the one before, too, "
        f"and that is in the secret {secret}, which is not known to be this migration's (by its tag "
        "cache_migration:name) and so is not read. Give the secret that tag, and run this again."
    )


def _hosts_done(entry: Entry) -> list[str]:
    return list((entry.get("rotating") or {}).get("hosts") or [])


def leads_to(changes: Sequence[Mapping[str, Any]], address: str) -> bool:
    """Whether any of the looked-at values leads to the target."""
    places = [
        value.get("before_location") or {} for change in changes for value in (change.get("changes") or {}).values()
    ]
    return any(place.get("host") == address for place in places)


def lines(told: Mapping[str, Any]) -> list[str]:
    """What a rotation does, or would. ``told``: course, target (what has the ``token``, or password), hosts (to do),
    shared; paths and services by host.
    """
    way, target, token = told["course"], told["target"], told["token"]
    if not way["needed"]:
        return [f"Nothing: the {target} and its hosts have the current version of the secret {way['secret']}."]
    version = way["to_version"] or "the new version"
    said = [f"secret {way['secret']}: put a generated {token} beside the current one"] if way["generate"] else []
    said.append(f"{target}: accept {version} beside the {token} that it has")
    said += [f"{place}: the new {token}" for place in told["shared"]]
    for host in told["hosts"]:
        said += [f"{host}: {path}: the new {token}" for path in told["paths"][host]]
        said += [f"{host}: restart {service}" for service in told["services"][host]]
    said += [f"secret {way['secret']}: make {version} the current one"] if way["promote"] else []
    said.append(f"{target}: end the {token} before it")
    if not way["prove"]:
        said.append(
            f"secret {way['from_secret']}, which the ledger names for the token before: not read, as it is not "
            "known to be this migration's (by its tag cache_migration:name), so it stays unproven that the target "
            "refuses that token"
        )
    return said


def verdict(
    results: Mapping[str, Mapping[str, Any]], both_valid: bool, playbook: str, failure: Mapping[str, str] | None = None
) -> str:
    """What a rotation says at its end where a host failed, or a step of the controller (``failure``: step, why)."""
    failed = {host: result for host, result in results.items() if result.get("state") == "failed"}
    moved = [host for host, result in results.items() if result.get("state") == "ok"]
    said = [f"{host} failed at the step '{result['step']}': {result['why']}" for host, result in failed.items()]
    if failure:
        said.insert(0, f"The controller failed at the step '{failure['step']}': {failure['why']}")
    if not both_valid:
        said.append("Nothing was changed by this run.")
    elif failure:
        said.append("Both tokens may be valid: end neither by hand.")
    else:
        said.append("Both tokens are valid, so nobody is locked out.")
    said += [f"On the new token: {', '.join(moved)}."] if moved else []
    said.append(f"Mend the cause and run {playbook} again, which goes on from here.")
    return "\n".join(said)
