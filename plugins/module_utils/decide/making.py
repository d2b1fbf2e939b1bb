# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be made before anybody can be moved: the secret, the way to the target, and the target. Pure."""

from __future__ import annotations

from typing import Any, Callable, Iterable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import Goal
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import CHANGE, MAKE, SHARED, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import contract, table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import own_name
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import setting as scaling

Found = Mapping[str, Any]
Make = Callable[..., Found]

OLDEST_BY_IAM = 7  # major version of an engine whose users log in by IAM
WIDEST = 16  # bits of an address range: a wider one is more than an app
NOT_YET = "after-apply"


def look(
    goal: Goal, settings: Mapping[str, Any], found: Found | None, make: Make, token: str = "", *, version: str = ""
) -> dict[str, Any]:
    """What each part would become, by ``make``, which asks its module in check mode, and is told whose row says which
    of our options is behind one of the module's. Raises PlanRefused.

    ``parts`` are ``{what, module, args, is_target, seen}``; none where somebody else looks after the target.
    """
    way = way_of(goal, settings)
    parts = [{**way, "seen": make(way["module"], way["args"])}] if way else []
    told: dict[str, Any] = {"parts": parts, "cost": {}}
    if settings["endpoint"]:
        return told
    row = table.target_of(settings)
    if {"assess", "provision"} & set(goal.stages):
        scaling.refuse(row, settings, found)
    if "provision" not in goal.stages:
        return told
    missing = row.missing(settings)
    if missing:
        raise PlanRefused(
            f"The target needs a name and a size: set {' and '.join(missing)}, or migration_endpoint for a target "
            "that somebody else looks after",
            missing[0],
        )
    group = str(parts[0]["seen"].get("group_id") or NOT_YET) if parts else ""
    of_row = row.parts(with_group(settings, group), found)
    _check_secret(row, settings, found, of_row)
    for part in of_row:
        seen = make(part.module, args_of(part, token, version), row.setting)
        parts.append(
            {
                "what": part.what,
                "module": part.module,
                "args": dict(part.args),
                "is_target": part.is_target,
                "seen": seen,
            }
        )
        if part.is_target:
            told["cost"] = seen.get("monthly_cost") or {}
    return told


def _check_secret(
    row: contract.Target, settings: Mapping[str, Any], found: Found | None, parts: Sequence[contract.Part]
) -> None:
    """Before anything is made: a secret that nobody would be asked for, and a user without one. Raises PlanRefused."""
    secret, option = settings.get("auth_token_secret"), "auth_token_secret"
    if settings.get("authentication_mode") == "iam":
        _check_iam(row, settings, found)
        return
    has_user = any(part.takes == contract.PASSWORDS for part in parts)
    if has_user and not secret:
        raise PlanRefused(
            f"The user {settings.get('username')} is made with a password, and no secret is named that holds it: set "
            "migration_auth_token_secret, and migration_auth_token_generate: true where the secret is yet to be made",
            option,
        )
    is_asked_for = any(part.takes for part in parts) or settings["adopt"]
    if is_asked_for or not secret or {row.endpoint(settings, each).auth for each in (None, found)} != {"none"}:
        return
    users = f"; or, so that it lets nobody in without a password, {row.login_by}" if row.login_by else ""
    raise PlanRefused(
        f"migration_auth_token_secret names {secret}, and the {row.what(settings)} asks nobody for a password, so "
        f"whoever its security groups let through may use it: leave migration_auth_token_secret out if that is "
        f"meant{users}",
        option,
    )


def _check_iam(row: contract.Target, settings: Mapping[str, Any], found: Found | None) -> None:
    """https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html"""
    by_iam = "migration_authentication_mode is iam, "
    if settings.get("auth_token_secret"):
        raise PlanRefused(
            f"{by_iam}and a user who logs in by IAM has no password: leave migration_auth_token_secret out",
            "auth_token_secret",
        )
    if not settings.get("username") or row.endpoint(settings, found).auth != "iam":
        raise PlanRefused(
            f"{by_iam}and the {row.what(settings)} has no users, or nobody said which of them the app is: set "
            "migration_username to the app's user, or leave migration_authentication_mode out",
            "authentication_mode",
        )
    versions = [str(settings.get("engine_version") or ""), str((found or {}).get("engine_version") or "")]
    if any(version and int(version.split(".", maxsplit=1)[0]) < OLDEST_BY_IAM for version in versions):
        raise PlanRefused(
            f"{by_iam}which engines know from {OLDEST_BY_IAM}.0 on: raise migration_engine_version, or leave "
            "migration_authentication_mode out",
            "engine_version",
        )


def args_of(part: contract.Part, token: str, version: str = "") -> dict[str, Any]:
    """The options of its module, the secret too where it takes one, which is of that version."""
    if not part.takes or not token:
        return dict(part.args)
    if part.takes == contract.AUTH_TOKEN:
        return {**part.args, part.takes: token}
    return {**part.args, part.takes: [token], **({"passwords_version": version} if version else {})}


def args_beside(part: contract.Part, token: str, version: str, before: str) -> dict[str, Any]:
    """With what it takes a secret beside the one before. AWS is told both passwords of a user, and of a token the new
    one alone.
    """
    args = args_of(part, token, version)
    if part.takes == contract.PASSWORDS:
        return {**args, part.takes: [token, before]}
    return {**args, "auth_token_update_strategy": "rotate"}


def args_alone(part: contract.Part, token: str, version: str) -> dict[str, Any]:
    """With what it ends the secret before."""
    strategy = {"auth_token_update_strategy": "set"} if part.takes == contract.AUTH_TOKEN else {}
    return {**args_of(part, token, version), **strategy}


def with_group(settings: Mapping[str, Any], group: str) -> dict[str, Any]:
    """The settings of a target that has the security group which is made for it."""
    if settings.get("security_group_ids") or settings["adopt"] or not group:
        return dict(settings)
    return {**settings, "security_group_ids": [group]}


def way_of(goal: Goal, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The security group of the target, where it is ours to make and open. Raises PlanRefused."""
    makes, opens = "provision" in goal.stages, "ingress" in goal.stages and settings.get("manage_ingress", True)
    is_others = settings["endpoint"] or settings["adopt"] or settings.get("security_group_ids")
    if is_others or not (makes or opens):
        return None
    name = settings.get("security_group_name") or own_name(settings)
    return {
        "what": f"security group {name}",
        "module": "cache_security_group",
        "is_target": False,
        "args": {
            "name": name,
            "vpc_id": settings.get("vpc_id") or None,
            "migration_name": settings["name"],
            "state": "present",
            "port": table.target_of(settings).port(settings),
            "reader_port": table.target_of(settings).reader_port(settings),
            "sources": sources_of(settings) if opens else [],
            "tags": settings.get("tags") or {},
        },
    }


def sources_of(settings: Mapping[str, Any]) -> list[str]:
    groups, ranges = list(settings.get("app_security_group_ids") or ()), list(settings.get("app_cidrs") or ())
    too_wide = [each for each in ranges if _width(each) < WIDEST]
    if too_wide or not groups + ranges:
        raise PlanRefused(
            "Who may reach the target? Name the app's security groups in migration_app_security_group_ids, or its "
            f"addresses in migration_app_cidrs; a range wider than /{WIDEST} is refused, and so is none at all",
            "app_security_group_ids",
        )
    return groups + ranges


def _width(address_range: str) -> int:
    """Bits; 0 of what is no range."""
    bits = address_range.rpartition("/")[2]
    return int(bits) if "/" in address_range and bits.isdigit() else 0


def steps(parts: Sequence[Mapping[str, Any]], course: Mapping[str, Any]) -> Iterable[Step]:
    """What is made, in order; a module's own plan says its steps."""
    if is_secret_to_make(parts, course):
        yield Step(SHARED, f"secret {course['secret']}", reason="CreateSecret, it does not exist", kind=MAKE)
    for part in parts:
        for step in part["seen"].get("plan") or ():
            reason = f"{step['action']}, {step['reason']}"
            kind = MAKE if str(step["action"]).startswith("Create") else CHANGE
            yield Step(SHARED, str(part["what"]), reason=reason, disruptive=bool(step.get("disruptive")), kind=kind)


def is_secret_to_make(parts: Sequence[Mapping[str, Any]], course: Mapping[str, Any]) -> bool:
    """Only for a target that is made by this run, too."""
    makes_target = any(part["is_target"] for part in parts)
    return makes_target and bool(course.get("secret")) and course.get("exists") is False


def is_to_make(parts: Sequence[Mapping[str, Any]], course: Mapping[str, Any]) -> bool:
    """Whether something is to be made or waited for."""
    return is_secret_to_make(parts, course) or any(
        part["seen"].get("plan") or (part["is_target"] and part["seen"].get("status") not in (*contract.SERVING, None))
        for part in parts
    )
