"""CreateUser, ModifyUser, DeleteUser, DescribeUsers."""

from __future__ import annotations

from typing import Any

from sandbox.aws.access import digest_of
from sandbox.aws.elasticache import rbac_rules, rules
from sandbox.aws.elasticache.admission import Admission
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rbac import ACTIVE, DEFAULT, IAM, NO_PASSWORD, PASSWORD, User, as_told
from sandbox.aws.elasticache.state import DELETING, MODIFYING
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.wire import Params, Refusal, Result, operation, page

LOGIN = ("Passwords", "NoPasswordRequired", "AuthenticationMode")


class Users:
    def __init__(self, context: Context, admission: Admission) -> None:
        self._account, self._rbac, self._admission = context.account, context.account.rbac, admission

    @operation("CreateUser", "UserId", "UserName", "Engine", "AccessString", "Tags", *LOGIN)
    def create_user(self, params: Params) -> Result:
        name = rules.identifier(params["UserId"], "UserId", 40)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._rbac.users:
                raise Refusal("UserAlreadyExists", f"User {name} already exists.")
            kind, passwords = login_given(params)
            user = User(name, params["UserName"], rbac_rules.engine(params["Engine"]), "", kind)
            user.access_string = self._access_string(params)
            user.digests = digests_of(passwords)
            rbac_rules.login(user)
            self._rbac.users[name] = user
            self._account.tags[user.arn] = tags
            return self._shown(user)

    @operation("ModifyUser", "UserId", "AccessString", "AppendAccessString", "Engine", *LOGIN)
    def modify_user(self, params: Params) -> Result:
        with self._account.lock:
            user = self._rbac.user(params["UserId"])
            self._refuse_own_or_busy(user)
            if set(params) == {"UserId"}:
                raise rules.combination("No modifications were requested.")
            if "AccessString" in params and "AppendAccessString" in params:
                raise rules.combination("Give AccessString or AppendAccessString, not both.")
            after = User(user.id, user.name, user.engine, user.access_string, user.kind, user.digests)
            if "Engine" in params:
                after.engine = rbac_rules.engine(params["Engine"])
            if "AccessString" in params or "AppendAccessString" in params:
                after.access_string = self._access_string(params, user.access_string)
            if any(name in params for name in LOGIN):
                after.kind, passwords = login_given(params)
                after.digests = digests_of(passwords)
            rbac_rules.login(after)
            for group in self._rbac.groups_of(user):
                rbac_rules.member(group.engine, after)
            user.engine, user.access_string, user.kind = after.engine, after.access_string, after.kind
            user.digests = after.digests
            groups = self._rbac.groups_of(user)
            self._admission.change(user, MODIFYING, groups, lambda: setattr(user, "status", ACTIVE))
            return self._shown(user)

    @operation("DeleteUser", "UserId")
    def delete_user(self, params: Params) -> Result:
        """It leaves its groups by itself, unless it is who does not say who it is."""
        with self._account.lock:
            user = self._rbac.user(params["UserId"])
            self._refuse_own_or_busy(user)
            groups = self._rbac.groups_of(user)
            if user.name == DEFAULT and groups:
                text = f"User {user.id} is the default user of {', '.join(group.id for group in groups)}."
                raise Refusal("DefaultUserAssociatedToUserGroup", text)
            for group in groups:
                group.removed.append(user.id)
            self._admission.change(user, DELETING, groups, lambda: self._forget(user))
            return self._shown(user)

    def _forget(self, user: User) -> None:
        self._rbac.users.pop(user.id, None)
        self._account.tags.pop(user.arn, None)

    @operation("DescribeUsers", "UserId", "Engine", "MaxRecords", "Marker")
    def describe_users(self, params: Params) -> Result:
        with self._account.lock:
            if "UserId" in params:
                found = [self._rbac.user(params["UserId"])]
            else:
                found = [user for _, user in sorted(self._rbac.users.items())]
            if "Engine" in params:
                found = [user for user in found if user.engine == params["Engine"].lower()]
            return page([self._shown(user) for user in found], params, "Users")

    # ------------------------------------------------------------------------------------------------------------
    def _access_string(self, params: Params, before: str = "") -> str:
        added = params.get("AppendAccessString", "")
        text = as_told(params.get("AccessString") or f"{before} {added}")
        rbac_rules.access_string(text)
        self._admission.refuse_what_no_engine_takes(text)
        return text

    def _refuse_own_or_busy(self, user: User) -> None:
        if user.id == DEFAULT:
            raise rules.value("The user default cannot be modified or deleted.")
        if user.status != ACTIVE:
            raise Refusal("InvalidUserState", f"User {user.id} must be active for this; it is {user.status}.")

    def _shown(self, user: User) -> dict[str, Any]:
        count = {"PasswordCount": len(user.digests)} if user.kind == PASSWORD else {}
        return {
            "UserId": user.id,
            "UserName": user.name,
            "Status": user.status,
            "Engine": user.engine,
            "MinimumEngineVersion": "7.0" if user.kind == IAM else "6.0",
            "AccessString": user.access_string,
            "UserGroupIds": [group.id for group in self._rbac.groups_of(user)],
            "Authentication": {"Type": {NO_PASSWORD: "no-password"}.get(user.kind, user.kind), **count},
            "ARN": user.arn,
        }


def login_given(params: Params) -> tuple[str, list[str]]:
    """The kind and the passwords, which a call says in one of three ways."""
    ways = [name for name in LOGIN if params.get(name) not in (None, False)]
    if len(ways) > 1:
        raise rules.combination(f"Give one of {', '.join(ways)}.")
    if not ways:
        raise rules.combination(
            "No password was provided. If you want to create/update the user without password, please use the "
            "NoPasswordRequired flag."
        )
    mode = params.get("AuthenticationMode", {})
    kind = mode.get("Type", PASSWORD) if mode else (PASSWORD if "Passwords" in ways else NO_PASSWORD)
    passwords = mode.get("Passwords", params.get("Passwords", []))
    rbac_rules.passwords(kind, passwords)
    return kind, passwords


def digests_of(passwords: list[str]) -> list[str]:
    return [digest_of(password) for password in dict.fromkeys(passwords)]
