# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A user of caches: as it is, as it is wanted, and the steps between them. Pure.

Services differ in names, which are ``Words``, and in what a user is of: MemoryDB's has no id beside its name, and no
engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan, PlanRefused, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import access_string
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.authentication import (
    IAM,
    NO_PASSWORD,
    PASSWORD,
    Authentication,
    Login,
    login_from,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.identifiers import (
    ACTIVE,
    DEFAULT_USER,
    DELETING,
    check_engine,
    check_id,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.words import ELASTICACHE, Words

# Which version of the passwords the user has: AWS tells none of it.
VERSION_TAG = "cache_migration:passwords"
ON_CHANGE, ALWAYS, KEEP = "on_change", "always", "keep"


@dataclass(frozen=True)
class User:
    user_id: str
    user_name: str
    engine: str
    access_string: str
    authentication: Authentication
    tags: Mapping[str, str] | None  # None while AWS tells none
    status: str = ACTIVE
    user_group_ids: tuple[str, ...] = ()
    arn: str = ""
    words: Words = ELASTICACHE

    @property
    def is_ready(self) -> bool:
        return self.status == ACTIVE

    @property
    def is_going(self) -> bool:
        return self.status == DELETING

    @property
    def waits_for(self) -> str:
        return self.status or "it has no status yet"

    def as_options(self) -> dict[str, Any]:
        named = {"user_id": self.user_id, "user_name": self.user_name, "engine": self.engine}
        return {
            **(named if self.words.has_name_of_its_own else {"user_name": self.user_name}),
            "access_string": self.access_string,
            "authentication": self.authentication.facts(),
            "tags": dict(self.tags or {}),
        }

    def facts(self) -> dict[str, Any]:
        tags = None if self.tags is None else dict(self.tags)
        groups = {self.words.groups: list(self.user_group_ids)}
        told = {"status": self.status, **groups, "arn": self.arn, "tags": tags}
        return {**self.as_options(), **told}


def shape(user: Mapping[str, Any], tags: Mapping[str, str] | None, words: Words = ELASTICACHE) -> User:
    """Of DescribeUsers, and what lists its tags."""
    user_id = user[words.answered_id]
    return User(
        user_id=user_id,
        user_name=user.get("UserName", "") if words.has_name_of_its_own else user_id,
        engine=str(user.get("Engine", "")).lower(),
        access_string=user.get("AccessString", ""),
        authentication=Authentication.shape(user.get("Authentication") or {}),
        tags=tags,
        status=str(user.get("Status", "")).lower(),
        user_group_ids=tuple(sorted(user.get(words.answered_groups) or ())),
        arn=user.get("ARN", ""),
        words=words,
    )


@dataclass(frozen=True)
class Desired:
    """None means that the option was left out, and then what is stays."""

    user_id: str
    migration_name: str
    user_name: str | None = None
    engine: str | None = None
    access_string: str | None = None
    login: Login | None = None
    passwords_update: str = ON_CHANGE
    tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    adopt: bool = False
    words: Words = ELASTICACHE

    @classmethod
    def from_params(cls, params: Mapping[str, Any], words: Words = ELASTICACHE) -> Desired:
        """Raises PlanRefused."""
        user_id = check_id(params[words.id_option], words.id_option)
        if user_id == DEFAULT_USER:
            instead = ", with user_name default where it is to take that one's place in a group"
            raise PlanRefused(
                f"{words.id_option} is 'default', AWS's own user, which cannot be changed or deleted: choose another "
                f"{words.id_option}{instead if words.has_name_of_its_own else ''}",
                words.id_option,
            )
        if not words.has_name_of_its_own and user_id != str(params[words.id_option]):
            raise PlanRefused(
                f"user_name is {params[words.id_option]!r}: write it in lower case, as clients log in by it and "
                "engines tell cases apart",
                "user_name",
            )
        migration_name = ownership.check_migration_name(params["migration_name"])
        stated = params.get("access_string")
        return cls(
            user_id=user_id,
            migration_name=migration_name,
            user_name=(params.get("user_name") or None) if words.has_name_of_its_own else user_id,
            engine=check_engine(params.get("engine")),
            access_string=None if stated is None else access_string.check(stated),
            login=login_from(params),
            passwords_update=params.get("passwords_update") or ON_CHANGE,
            tags=ownership.read_tags(params.get("tags"), migration_name),
            purge_tags=bool(params.get("purge_tags")),
            adopt=bool(params.get("adopt")),
            words=words,
        )

    @property
    def passwords_version(self) -> str:
        return self.login.version if self.login else ""


def plan_present(current: User | None, desired: Desired) -> Plan:
    """Raises PlanRefused."""
    if current is None or current.is_going:
        return _plan_creation(desired)
    _refuse_another_name(current, desired)
    tags_now = current.tags or {}
    changes = _changes(current, desired)
    if not ownership.is_ours(tags_now, desired.migration_name):
        what = f"The user {current.user_id}"
        ownership.refuse_foreign(what, tags_now, desired.migration_name, desired.adopt)
        told = {
            name: value for name, value in changes.items() if name != "authentication" or _is_told(current, desired)
        }
        return ownership.plan_adopted(what, told, current.as_options())
    _refuse_impossible(_after(current, desired, changes))
    tags = _tags_after(tags_now, desired)
    # Which version the passwords are of is written once they are: a run that ends in between sends them again.
    first = _with_version_of(tags, tags_now) if VERSION_TAG in tags else tags
    steps = ownership.tag_steps(current.arn, tags_now, first, current.words.tags)
    if changes:
        steps.append(_modification(current, desired, changes))
    steps.extend(ownership.tag_steps(current.arn, first, tags, current.words.tags))
    shown = {**changes, **({"tags": tags} if tags != dict(tags_now) else {})}
    return Plan(tuple(steps), {name: current.as_options()[name] for name in shown}, shown)


def _with_version_of(tags: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    kept = {VERSION_TAG: others[VERSION_TAG]} if VERSION_TAG in others else {}
    return {**{key: value for key, value in tags.items() if key != VERSION_TAG}, **kept}


def predict(current: User | None, desired: Desired) -> User:
    """What the plan leads to."""
    if current is None or current.is_going:
        return _made(desired)
    if not ownership.is_ours(current.tags, desired.migration_name):
        return current
    return replace(_after(current, desired, _changes(current, desired)), tags=_tags_after(current.tags or {}, desired))


def sets_passwords(step: Step) -> bool:
    return bool(step.parameters.get("AuthenticationMode", {}).get("Passwords"))


def knows_passwords(desired: Desired, are_set: bool) -> bool:
    """Whether it is known that the user has the passwords that are stated."""
    return are_set or bool(desired.login and desired.login.passwords and desired.login.version)


# --- from nothing ---


def _plan_creation(desired: Desired) -> Plan:
    for option in desired.words.needs:
        if not getattr(desired, option):
            raise PlanRefused(f"There is no user {desired.user_id}, and to make one {option} must be stated", option)
    if desired.login is None:
        raise PlanRefused(
            f"There is no user {desired.user_id}, and to make one it must be stated how it logs in: set "
            "authentication_mode",
            "authentication_mode",
        )
    made = _made(desired)
    _refuse_impossible(made)
    parameters = {
        made.words.id: made.user_id,
        **({"UserName": made.user_name, "Engine": made.engine} if made.words.has_name_of_its_own else {}),
        "AccessString": made.access_string,
        "AuthenticationMode": desired.login.parameter(),
        "Tags": ownership.as_tag_list(made.tags or {}),
    }
    step = Step("CreateUser", parameters, f"there is no user {made.user_id}")
    return Plan((step,), {}, made.as_options())


def _made(desired: Desired) -> User:
    return User(
        user_id=desired.user_id,
        user_name=desired.user_name or desired.user_id,
        engine=desired.engine or "",
        access_string=desired.access_string or "",
        authentication=desired.login.leads_to if desired.login else Authentication(""),
        tags=_tags_after({}, replace(desired, tags=desired.tags or {})),
        words=desired.words,
    )


# --- from what is ---


def _changes(current: User, desired: Desired) -> dict[str, Any]:
    """What is to be another, by option."""
    changes: dict[str, Any] = {}
    if desired.engine is not None and desired.engine != current.engine:
        changes["engine"] = desired.engine
    wanted = desired.access_string
    if wanted is not None and not access_string.are_same(wanted, current.access_string):
        changes["access_string"] = wanted
    if desired.login is not None and _is_another_login(current, desired, desired.login):
        changes["authentication"] = desired.login.leads_to.facts()
    return changes


def _is_another_login(current: User, desired: Desired, login: Login) -> bool:
    if login.type != current.authentication.type:
        return True
    if not login.passwords or desired.passwords_update == KEEP:
        return False
    version, known = login.version, (current.tags or {}).get(VERSION_TAG)
    is_other_version = bool(version and version != known)
    return desired.passwords_update == ALWAYS or is_other_version or login.leads_to != current.authentication


def _after(current: User, desired: Desired, changes: Mapping[str, Any]) -> User:
    return replace(
        current,
        engine=changes.get("engine", current.engine),
        access_string=changes.get("access_string", current.access_string),
        authentication=desired.login.leads_to
        if desired.login and "authentication" in changes
        else current.authentication,
    )


def _tags_after(tags: Mapping[str, str], desired: Desired) -> dict[str, str]:
    after = ownership.tags_after(tags, desired.tags, desired.migration_name, desired.purge_tags)
    version = desired.passwords_version or tags.get(VERSION_TAG)
    if desired.login is not None and desired.login.type != PASSWORD:
        version = None
        after.pop(VERSION_TAG, None)
    return {**after, **({VERSION_TAG: version} if version else {})}


def _modification(current: User, desired: Desired, changes: Mapping[str, Any]) -> Step:
    parameters: dict[str, Any] = {current.words.id: current.user_id}
    told = []
    if "engine" in changes:
        parameters["Engine"] = changes["engine"]
        told.append(f"engine: {current.engine} -> {changes['engine']}")
    if "access_string" in changes:
        parameters["AccessString"] = changes["access_string"]
        told.append(f"access_string: {current.access_string} -> {changes['access_string']}")
    if "authentication" in changes and desired.login is not None:
        parameters["AuthenticationMode"] = desired.login.parameter()
        told.append(_told_of_login(current.authentication, desired))
    is_closed_out = "authentication" in changes or "access_string" in changes
    return Step(current.words.modify, parameters, "; ".join(told), disruptive=is_closed_out)


def _told_of_login(now: Authentication, desired: Desired) -> str:
    after = desired.login.leads_to if desired.login else now
    if after.type != now.type:
        return f"authentication_mode: {now.type} -> {after.type}"
    if after.password_count != now.password_count:
        return f"passwords: {now.password_count} -> {after.password_count}"
    if desired.passwords_update == ALWAYS:
        return "passwords: set again, as passwords_update is always"
    return f"passwords: those of version {desired.passwords_version}"


# --- refusals ---


def _refuse_another_name(current: User, desired: Desired) -> None:
    if desired.user_name and desired.user_name != current.user_name:
        raise PlanRefused(
            f"user_name of {current.user_id} is {current.user_name!r}, stated {desired.user_name!r}, and AWS cannot "
            "change it: make another user with another user_id, add it to the group, and take this one out",
            "user_name",
        )


def _refuse_impossible(user: User) -> None:
    if user.authentication.type == IAM and user.user_id != user.user_name:
        raise PlanRefused(
            f"authentication_mode iam needs a user_name that is the user_id, and user_name is {user.user_name!r}: AWS "
            "takes no other",
            "user_name",
        )
    if user.authentication.type == NO_PASSWORD and user.engine == "valkey":
        raise PlanRefused(
            "authentication_mode no-password-required is not allowed for users of engine valkey: state password with "
            "passwords, or iam; a user that is to do nothing has access_string 'off -@all' besides",
            "authentication_mode",
        )


def _is_told(current: User, desired: Desired) -> bool:
    """Of a user of somebody else, whose passwords nobody tells, the type and the number must be as stated."""
    return desired.login is not None and desired.login.leads_to != current.authentication


# --- away ---


def plan_absent(current: User | None, desired: Desired) -> Plan:
    """Raises PlanRefused for what is not ours, and for whom a group cannot do without."""
    if current is None or current.is_going:
        return Plan()
    what = f"The user {current.user_id}"
    if not ownership.is_ours(current.tags, desired.migration_name):
        ownership.refuse_deletion(what, current.tags or {}, desired.migration_name)
    if current.user_name == DEFAULT_USER and current.user_group_ids:
        raise PlanRefused(
            f"{what} is named default, and the user groups {', '.join(current.user_group_ids)} cannot be without one: "
            "give them another (elasticache_user_group, user_ids), or delete them first",
            "state",
        )
    told = f"; leaves {', '.join(current.user_group_ids)}" if current.user_group_ids else ""
    step = Step("DeleteUser", {current.words.id: current.user_id}, f"state: absent{told}", disruptive=bool(told))
    return Plan((step,), current.as_options(), {})
