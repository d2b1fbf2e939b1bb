# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A group of users of ElastiCache: as it is, as it is wanted, and the steps between them. Pure.

A group is what a cache is given. Exactly one of its users is named ``default``: it is who does not say who it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.authentication import NO_PASSWORD
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.identifiers import (
    ACTIVE,
    DEFAULT_USER,
    DELETING,
    check_engine,
    check_id,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User


@dataclass(frozen=True)
class UserGroup:
    user_group_id: str
    engine: str
    user_ids: tuple[str, ...]
    tags: Mapping[str, str] | None  # None while AWS tells none
    status: str = ACTIVE
    replication_groups: tuple[str, ...] = ()
    serverless_caches: tuple[str, ...] = ()
    arn: str = ""

    @property
    def is_ready(self) -> bool:
        return self.status == ACTIVE

    @property
    def is_going(self) -> bool:
        return self.status == DELETING

    @property
    def waits_for(self) -> str:
        return self.status or "it has no status yet"

    @property
    def caches(self) -> tuple[str, ...]:
        """Those that use it."""
        return (*self.replication_groups, *self.serverless_caches)

    def as_options(self) -> dict[str, Any]:
        return {
            "user_group_id": self.user_group_id,
            "engine": self.engine,
            "user_ids": list(self.user_ids),
            "tags": dict(self.tags or {}),
        }

    def facts(self) -> dict[str, Any]:
        return {
            **self.as_options(),
            "status": self.status,
            "replication_groups": list(self.replication_groups),
            "serverless_caches": list(self.serverless_caches),
            "arn": self.arn,
            "tags": None if self.tags is None else dict(self.tags),
        }


def shape(group: Mapping[str, Any], tags: Mapping[str, str] | None) -> UserGroup:
    """Of DescribeUserGroups and ListTagsForResource. Changes under way count as done."""
    pending = group.get("PendingChanges") or {}
    users = {*(group.get("UserIds") or ()), *(pending.get("UserIdsToAdd") or ())}
    return UserGroup(
        user_group_id=group["UserGroupId"],
        engine=str(group.get("Engine", "")).lower(),
        user_ids=tuple(sorted(users - {*(pending.get("UserIdsToRemove") or ())})),
        tags=tags,
        status=str(group.get("Status", "")).lower(),
        replication_groups=tuple(sorted(group.get("ReplicationGroups") or ())),
        serverless_caches=tuple(sorted(group.get("ServerlessCaches") or ())),
        arn=group.get("ARN", ""),
    )


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    user_group_id: str
    migration_name: str
    engine: str | None = None
    user_ids: tuple[str, ...] | None = None
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Desired:
        """Raises PlanRefused."""
        migration_name = ownership.check_migration_name(params["migration_name"])
        users = sorted({check_id(user, "user_ids") for user in params.get("user_ids") or ()})
        return cls(
            user_group_id=check_id(params["user_group_id"], "user_group_id"),
            migration_name=migration_name,
            engine=check_engine(params.get("engine")),
            user_ids=tuple(users) or None,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
        )


def plan_present(current: UserGroup | None, desired: Desired, users: Mapping[str, User | None]) -> Plan:
    """``users`` are those that the group is to have, None where there is no such user yet. Raises PlanRefused."""
    if current is None or current.is_going:
        return _plan_creation(desired, users)
    changes = _changes(current, desired)
    tags_now = current.tags or {}
    if not ownership.is_ours(tags_now, desired.migration_name):
        what = f"The user group {current.user_group_id}"
        ownership.refuse_foreign(what, tags_now, desired.migration_name, desired.adopt)
        return ownership.plan_adopted(what, changes, current.as_options())
    if changes:
        _refuse_impossible(replace(current, **{**changes, "user_ids": desired.user_ids or current.user_ids}), users)
    tags = ownership.tags_after(tags_now, desired.tags, desired.migration_name, desired.purge_tags)
    steps = ownership.tag_steps(current.arn, tags_now, tags)
    if changes:
        steps.append(_modification(current, changes))
    shown = {**changes, **({"tags": tags} if tags != dict(tags_now) else {})}
    return Plan(tuple(steps), {name: current.as_options()[name] for name in shown}, shown)


def predict(current: UserGroup | None, desired: Desired) -> UserGroup:
    """What the plan leads to."""
    if current is None or current.is_going:
        return _made(desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        return current
    return replace(
        current,
        engine=desired.engine or current.engine,
        user_ids=desired.user_ids or current.user_ids,
        tags=ownership.tags_after(current.tags or {}, desired.tags, desired.migration_name, desired.purge_tags),
    )


def users_to_look_at(current: UserGroup | None, desired: Desired) -> tuple[str, ...]:
    """The users that decide whether the group can be so; none where it is left as it is."""
    if current is None or current.is_going:
        return desired.user_ids or ()
    return (desired.user_ids or current.user_ids) if _changes(current, desired) else ()


def unchecked(users: Mapping[str, User | None]) -> list[str]:
    """What could not be looked at yet, for the operator: users that are not there, in check mode."""
    missing = sorted(name for name, user in users.items() if user is None)
    if not missing:
        return []
    return [
        f"user_ids has {', '.join(missing)}, and there is no such user yet: whether just one user of the group is "
        "named default, and no two have one name, is seen once they are made"
    ]


def refuse_missing(asked: Sequence[str], users: Mapping[str, User | None]) -> None:
    missing = [name for name in asked if users.get(name) is None]
    if missing:
        raise PlanRefused(
            f"user_ids has {', '.join(missing)}, and there is no such user: make it first (elasticache_user)",
            "user_ids",
        )


# --- from nothing ---


def _plan_creation(desired: Desired, users: Mapping[str, User | None]) -> Plan:
    for option, value in (("engine", desired.engine), ("user_ids", desired.user_ids)):
        if not value:
            raise PlanRefused(
                f"There is no user group {desired.user_group_id}, and to make one {option} must be stated", option
            )
    made = _made(desired)
    _refuse_impossible(made, users)
    parameters = {
        "UserGroupId": made.user_group_id,
        "Engine": made.engine,
        "UserIds": list(made.user_ids),
        "Tags": ownership.as_tag_list(made.tags or {}),
    }
    step = Step("CreateUserGroup", parameters, f"there is no user group {made.user_group_id}")
    return Plan((step,), {}, made.as_options())


def _made(desired: Desired) -> UserGroup:
    tags = ownership.tags_after({}, desired.tags or {}, desired.migration_name, False)
    return UserGroup(desired.user_group_id, desired.engine or "", desired.user_ids or (), tags)


# --- from what is ---


def _changes(current: UserGroup, desired: Desired) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if desired.engine is not None and desired.engine != current.engine:
        changes["engine"] = desired.engine
    if desired.user_ids is not None and desired.user_ids != current.user_ids:
        changes["user_ids"] = list(desired.user_ids)
    return changes


def _modification(current: UserGroup, changes: Mapping[str, Any]) -> Step:
    """All in one call: between two of them the group could be without its default, which AWS does not take."""
    parameters: dict[str, Any] = {"UserGroupId": current.user_group_id}
    told = []
    if "engine" in changes:
        parameters["Engine"] = changes["engine"]
        told.append(f"engine: {current.engine} -> {changes['engine']}")
    wanted = changes.get("user_ids", list(current.user_ids))
    added = [user for user in wanted if user not in current.user_ids]
    gone = [user for user in current.user_ids if user not in wanted]
    if added:
        parameters["UserIdsToAdd"] = added
        told.append(f"user_ids: {', '.join(added)} added")
    if gone:
        parameters["UserIdsToRemove"] = gone
        told.append(f"user_ids: {', '.join(gone)} taken out")
    return Step("ModifyUserGroup", parameters, "; ".join(told), disruptive=bool(gone and current.caches))


# --- refusals ---


def _refuse_impossible(group: UserGroup, users: Mapping[str, User | None]) -> None:
    there = [user for user in (users.get(name) for name in group.user_ids) if user is not None]
    names = [user.user_name for user in there]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        ids = [user.user_id for user in there if user.user_name in twice]
        raise PlanRefused(
            f"user_ids has {', '.join(ids)}, which have one name ({', '.join(twice)}): a group takes one of them",
            "user_ids",
        )
    if DEFAULT_USER not in names and len(there) == len(group.user_ids):
        raise PlanRefused(
            "user_ids has no user that is named default, and a group must have one, as that is who does not say who it "
            "is: make a user with user_name default and access_string 'off -@all' (elasticache_user), and add its "
            "user_id",
            "user_ids",
        )
    _refuse_without_password(group, there)


def _refuse_without_password(group: UserGroup, users: Sequence[User]) -> None:
    open_ones = [user.user_id for user in users if user.authentication.type == NO_PASSWORD]
    if group.engine == "valkey" and open_ones:
        raise PlanRefused(
            f"user_ids has {', '.join(open_ones)}, which needs no password, and a group of engine valkey takes users "
            "with a password or IAM alone: change its authentication_mode (elasticache_user), or take another",
            "user_ids",
        )


# --- away ---


def plan_absent(current: UserGroup | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours, and for what a cache uses."""
    if current is None or current.is_going:
        return Plan()
    what = f"The user group {current.user_group_id}"
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, desired.migration_name)
    if current.caches:
        raise PlanRefused(
            f"{what} is used by {', '.join(current.caches)}, and AWS deletes none that is: give these caches another "
            "user group first, or delete them",
            "state",
        )
    step = Step("DeleteUserGroup", {"UserGroupId": current.user_group_id}, "state: absent")
    return Plan((step,), current.as_options(), {})
