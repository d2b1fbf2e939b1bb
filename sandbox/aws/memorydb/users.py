"""Users and ACLs: create, describe, update and delete. Engines of the clusters that have them know them at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.aws import acl_syntax
from sandbox.aws.elasticache.rbac import as_told
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.memorydb import describe, rules
from sandbox.aws.memorydb.context import Context
from sandbox.aws.memorydb.state import (
    ACTIVE,
    CREATING,
    DEFAULT_USER,
    DELETING,
    MODIFYING,
    OPEN_ACCESS,
    Acl,
    User,
)
from sandbox.aws.wire import Params, Refusal, Result, operation

SHORTEST, LONGEST, MOST = 16, 128, 2  # characters of a password, and passwords of a user


class Users:
    def __init__(self, context: Context, admission: Admission) -> None:
        self._account, self._admission = context.account, admission

    @operation("CreateUser", "UserName", "AuthenticationMode", "AccessString", "Tags")
    def create_user(self, params: Params) -> Result:
        name, tags = rules.name(params["UserName"], "UserName"), tags_given(params)
        kind, digests = login_of(params["AuthenticationMode"])
        access = self._admission.access_string(params["AccessString"])
        with self._account.lock:
            if name in self._account.users:
                raise Refusal("UserAlreadyExistsFault", f"User {name} already exists.")
            user = User(name, access, kind, digests)
            self._account.users[name] = user
            self._account.tags[user.arn] = tags
            return {"User": describe.user(user, self._account)}

    @operation("DescribeUsers", "UserName", "MaxResults", "NextToken")
    def describe_users(self, params: Params) -> Result:
        with self._account.lock:
            if "UserName" in params:
                found = [self._account.user(params["UserName"])]
            else:
                found = [user for _, user in sorted(self._account.users.items())]
            return rules.page([describe.user(user, self._account) for user in found], params, "Users")

    @operation("UpdateUser", "UserName", "AuthenticationMode", "AccessString")
    def update_user(self, params: Params) -> Result:
        login = login_of(params["AuthenticationMode"]) if "AuthenticationMode" in params else None
        access = self._admission.access_string(params["AccessString"]) if "AccessString" in params else None
        with self._account.lock:
            user = self._changeable(params["UserName"])
            if login is None and access is None:
                raise rules.combination("No modifications were requested.")
            user.status = MODIFYING
            if login is not None:
                user.kind, user.digests = login
            user.access_string = access or user.access_string

            def then() -> None:
                user.status = ACTIVE

            self._admission.change(self._account.acls_of(user.name), then)
            return {"User": describe.user(user, self._account)}

    @operation("DeleteUser", "UserName")
    def delete_user(self, params: Params) -> Result:
        """It leaves its ACLs, and so the clusters that have those."""
        with self._account.lock:
            user = self._changeable(params["UserName"])
            user.status = DELETING
            acls = self._account.acls_of(user.name)
            for acl in acls:
                acl.to_remove = [*acl.to_remove, user.name]

            def then() -> None:
                del self._account.users[user.name]
                self._account.tags.pop(user.arn, None)

            self._admission.change(acls, then)
            return {"User": describe.user(user, self._account)}

    def _changeable(self, name: str) -> User:
        user = self._account.user(name)
        if user.name == DEFAULT_USER:
            raise rules.value("The user 'default' cannot be changed or deleted.")
        if user.status != ACTIVE:
            raise Refusal("InvalidUserStateFault", f"User {user.name} must be active; it is {user.status}.")
        return user


class Acls:
    def __init__(self, context: Context, admission: Admission) -> None:
        self._account, self._admission = context.account, admission

    @operation("CreateACL", "ACLName", "UserNames", "Tags")
    def create_acl(self, params: Params) -> Result:
        name, tags = rules.name(params["ACLName"], "ACLName"), tags_given(params)
        with self._account.lock:
            if name in self._account.acls:
                raise Refusal("ACLAlreadyExistsFault", f"ACL {name} already exists.")
            acl = Acl(name, [], CREATING, to_add=self._users(params.get("UserNames", [])))
            self._account.acls[name] = acl
            self._account.tags[acl.arn] = tags
            self._admission.change([acl], lambda: None, CREATING)
            return {"ACL": describe.acl(acl, self._account)}

    @operation("DescribeACLs", "ACLName", "MaxResults", "NextToken")
    def describe_acls(self, params: Params) -> Result:
        with self._account.lock:
            if "ACLName" in params:
                found = [self._account.acl(params["ACLName"])]
            else:
                found = [acl for _, acl in sorted(self._account.acls.items())]
            return rules.page([describe.acl(acl, self._account) for acl in found], params, "ACLs")

    @operation("UpdateACL", "ACLName", "UserNamesToAdd", "UserNamesToRemove")
    def update_acl(self, params: Params) -> Result:
        with self._account.lock:
            acl = self._changeable(params["ACLName"])
            added = self._users(params.get("UserNamesToAdd", []))
            removed = [name.lower() for name in params.get("UserNamesToRemove", [])]
            if not added and not removed:
                raise rules.combination("No modifications were requested.")
            twice = sorted(set(added) & (set(acl.users) - set(removed)))
            if twice:
                raise Refusal("DuplicateUserNameFault", f"{', '.join(twice)} is in {acl.name} already.")
            strangers = [name for name in removed if name not in acl.users]
            if strangers:
                raise Refusal("UserNotFoundFault", f"{', '.join(strangers)} is not in {acl.name}.")
            acl.to_add, acl.to_remove = added, removed
            self._admission.change([acl], lambda: None)
            return {"ACL": describe.acl(acl, self._account)}

    @operation("DeleteACL", "ACLName")
    def delete_acl(self, params: Params) -> Result:
        with self._account.lock:
            acl = self._changeable(params["ACLName"])
            users = [cluster.id for cluster in self._account.clusters_of(acl.name)]
            if users:
                raise Refusal("InvalidACLStateFault", f"ACL {acl.name} is in use by {', '.join(users)}.")

            def then() -> None:
                del self._account.acls[acl.name]
                self._account.tags.pop(acl.arn, None)

            self._admission.change([acl], then, DELETING)
            return {"ACL": describe.acl(acl, self._account)}

    def _users(self, names: Sequence[str]) -> list[str]:
        wanted = [self._account.user(name).name for name in names]
        if len(set(wanted)) != len(wanted):
            raise Refusal("DuplicateUserNameFault", "A user is named twice.")
        return wanted

    def _changeable(self, name: str) -> Acl:
        acl = self._account.acl(name)
        if acl.name == OPEN_ACCESS:
            raise rules.value(f"The ACL {OPEN_ACCESS} cannot be changed or deleted.")
        if acl.status != ACTIVE:
            raise Refusal("InvalidACLStateFault", f"ACL {acl.name} must be active; it is {acl.status}.")
        return acl


class Admission:
    """Letting clusters know the users of their ACLs, which takes its time."""

    def __init__(self, context: Context) -> None:
        self._context, self._account = context, context.account

    def access_string(self, given: str) -> str:
        """As it is told. Rules of passwords are parameters of their own; the rest is what an engine takes."""
        if any(word[0] in "><#!" or word.lower() in ("nopass", "resetpass", "reset") for word in given.split()):
            raise rules.value("AccessString: rules of passwords are not allowed.")
        fault = acl_syntax.fault_of(given, self._context.binaries)
        if fault:
            raise rules.value(f"AccessString: {fault}")
        return as_told(given)

    def change(self, acls: Iterable[Acl], then: Callable[[], None], status: str = MODIFYING) -> None:
        """Show `status` now and, after a while, let the clusters of `acls` have their users, and do `then`."""
        concerned = list(acls)
        for acl in concerned:
            acl.status = status
        threading.Thread(target=self._run, args=(concerned, then), daemon=True).start()

    def _run(self, acls: list[Acl], then: Callable[[], None]) -> None:
        self._context.work.take_time()
        with self._account.lock:
            for acl in acls:
                acl.users = [name for name in (*acl.users, *acl.to_add) if name not in acl.to_remove]
                acl.to_add, acl.to_remove = [], []
        for acl in acls:
            for cluster in self._account.clusters_of(acl.name):
                if cluster.acl == acl.name and cluster.engines is not None:
                    cluster.engines.admit(self._context.fleet.access(acl.name))
        with self._account.lock:
            for acl in acls:
                acl.status = ACTIVE
            then()


def login_of(mode: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The kind of login, and the digests of the passwords, which are never in a message."""
    kind, passwords = mode.get("Type", ""), mode.get("Passwords", [])
    if kind == "password" and not 1 <= len(passwords) <= MOST:
        raise rules.value(f"A user with a password has 1 to {MOST} passwords.")
    if kind == "iam" and passwords:
        raise rules.combination("A user with IAM has no passwords.")
    if not kind:
        raise rules.value("AuthenticationMode needs a Type.")
    if any(not SHORTEST <= len(password) <= LONGEST for password in passwords):
        raise rules.value(f"A password has {SHORTEST} to {LONGEST} characters.")
    return kind, tuple(hashlib.sha256(password.encode()).hexdigest() for password in passwords)
