# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who may use a replication group: whoever has its token, or the users of its user groups. Pure.

A token is changed by a call of its own, at once. AWS never gives one back, so only the user can say that it is another.
From a token to users, and back, goes by one call, so that the group is open to all at no time.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import Desired


def wants_other_users(current: ReplicationGroup, desired: Desired) -> bool:
    return desired.user_group_ids is not None and desired.user_group_ids != current.user_group_ids


def takes_token_away(current: ReplicationGroup, desired: Desired) -> bool:
    return desired.token_change == "delete" and current.auth_token_enabled


def changes_token(current: ReplicationGroup, desired: Desired) -> bool:
    """Whether there is a call that carries a token, or takes it away."""
    return desired.token_change in ("rotate", "set") or takes_token_away(current, desired)


def after(current: ReplicationGroup, desired: Desired) -> dict[str, Any]:
    """The fields of the group that its access is in, once it is as stated."""
    fields: dict[str, Any] = {}
    if wants_other_users(current, desired):
        fields["user_group_ids"] = desired.user_group_ids
    if changes_token(current, desired):
        fields["auth_token_enabled"] = desired.token_change != "delete"
    return fields


def check(current: ReplicationGroup, desired: Desired) -> None:
    what = f"The replication group {current.replication_group_id}"
    if wants_other_users(current, desired):
        _check_users(what, current, desired)
    elif takes_token_away(current, desired) and not current.user_group_ids:
        raise PlanRefused(
            f"{what} would be open to all without its token, and AWS takes one away on the way to users only: state "
            "user_group_ids with auth_token_update_strategy: delete",
            "user_group_ids",
        )
    _check_token(what, current, desired)
    at_once = changes_token(current, desired) or wants_other_users(current, desired)
    if at_once and not desired.apply_immediately:
        raise PlanRefused(
            "AWS changes a token and users at once only, and with them all that is queued: set apply_immediately: "
            "true, or leave auth_token_update_strategy and user_group_ids out",
            "apply_immediately",
        )


def _check_users(what: str, current: ReplicationGroup, desired: Desired) -> None:
    if not desired.user_group_ids and not (desired.auth_token and desired.token_change == "set"):
        raise PlanRefused(
            f"{what} would be open to all without users ({', '.join(current.user_group_ids)}): state user_group_ids, "
            "or auth_token with auth_token_update_strategy: set, which then takes their place",
            "user_group_ids",
        )
    if desired.user_group_ids and current.auth_token_enabled and desired.token_change != "delete":
        raise PlanRefused(
            f"{what} has a token, which goes as its users come: state auth_token_update_strategy: delete with "
            "user_group_ids, once the clients have their users and passwords",
            "auth_token_update_strategy",
        )
    _check_tls(what, current, desired)


def _check_tls(what: str, current: ReplicationGroup, desired: Desired) -> None:
    if not (current.transit_encryption_enabled or desired.transit_encryption_enabled):
        raise PlanRefused(
            f"{what} speaks no TLS, which a token and users need: change transit_encryption_enabled first",
            "transit_encryption_enabled",
        )


def _check_token(what: str, current: ReplicationGroup, desired: Desired) -> None:
    if not desired.auth_token or wants_other_users(current, desired):
        return
    if current.user_group_ids:
        raise PlanRefused(
            f"{what} has users ({', '.join(current.user_group_ids)}) and so no token: leave auth_token out, or state "
            "user_group_ids: [] with auth_token_update_strategy: set to go back to a token",
            "auth_token",
        )
    change = desired.token_change
    if not current.auth_token_enabled and change != "rotate":
        raise PlanRefused(
            f"{what} has no token yet. A first one is added in two runs, or every client is shut out: state "
            "auth_token_update_strategy: rotate (clients with and without the token are served), give the clients the "
            "token, then state auth_token_update_strategy: set (the token alone)",
            "auth_token_update_strategy",
        )
    if change:
        _check_tls(what, current, desired)


def steps(current: ReplicationGroup, desired: Desired) -> list[Step]:
    """One call for users, and for the token that goes or comes with them; else one for the token."""
    if wants_other_users(current, desired):
        return [_users_step(current, desired)]
    if not changes_token(current, desired):
        return []
    return [
        _call(current, _token_parameters(desired), _token_reason(current, desired), desired.token_change != "rotate")
    ]


def _users_step(current: ReplicationGroup, desired: Desired) -> Step:
    wanted, is_now = set(desired.user_group_ids or ()), set(current.user_group_ids)
    said = f"user_group_ids: {_said(current.user_group_ids)} -> {_said(desired.user_group_ids or ())}"
    if not wanted:
        parameters = {"RemoveUserGroups": True, **_token_parameters(desired)}
        return _call(current, parameters, f"{said}; the token takes their place", True)
    parameters = {
        **({"UserGroupIdsToAdd": sorted(wanted - is_now)} if wanted - is_now else {}),
        **({"UserGroupIdsToRemove": sorted(is_now - wanted)} if is_now - wanted else {}),
    }
    if takes_token_away(current, desired):
        parameters["AuthTokenUpdateStrategy"] = "DELETE"
        said += "; auth_token_update_strategy: delete, so that clients with the token are refused from here on"
    return _call(current, parameters, said, True)


def _token_parameters(desired: Desired) -> dict[str, Any]:
    strategy = {"AuthTokenUpdateStrategy": desired.token_change.upper()}
    return strategy if desired.token_change == "delete" else {"AuthToken": desired.auth_token, **strategy}


def _token_reason(current: ReplicationGroup, desired: Desired) -> str:
    if desired.token_change == "rotate" and not current.auth_token_enabled:
        return "auth_token_update_strategy: rotate; clients with and without a token are served until it is set"
    reasons = {
        "rotate": "the old token and the new one are both valid",
        "set": "the new token alone is valid",
        "delete": "clients with the token are refused from here on",
    }
    return f"auth_token_update_strategy: {desired.token_change}; {reasons[desired.token_change]}"


def _call(current: ReplicationGroup, parameters: dict[str, Any], reason: str, disruptive: bool) -> Step:
    whole = {"ReplicationGroupId": current.replication_group_id, **parameters, "ApplyImmediately": True}
    return Step("ModifyReplicationGroup", whole, reason, disruptive)


def _said(ids: tuple[str, ...]) -> str:
    return ", ".join(ids) or "none"
