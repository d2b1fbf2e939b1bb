# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""MemoryDB's API of users and ACLs, and one invocation for each. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import until_ready, users
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import result_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb import acl
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.acl import Acl
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import user
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.words import MEMORYDB


@aws_call("describe the user {name}", none_on=("UserNotFoundFault",))
def _describe_user(client: Any, name: str) -> Mapping[str, Any] | None:
    found = client.describe_users(UserName=name)["Users"]
    return found[0] if found else None


@aws_call("describe the users")
def _describe_users(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_users").paginate()
    return [one for page in pages for one in page["Users"]]


@aws_call("describe the ACL {name}", none_on=("ACLNotFoundFault",))
def _describe_acl(client: Any, name: str) -> Mapping[str, Any] | None:
    found = client.describe_acls(ACLName=name)["ACLs"]
    return found[0] if found else None


@aws_call("describe the ACLs")
def _describe_acls(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_acls").paginate()
    return [one for page in pages for one in page["ACLs"]]


def _user(client: Any, told: Mapping[str, Any]) -> User:
    return user.shape(told, calls.read_tags(client, told["ARN"]), MEMORYDB)


def _acl(client: Any, told: Mapping[str, Any]) -> Acl:
    return acl.shape(told, calls.read_tags(client, told["ARN"]))


def read_user(client: Any, name: str) -> User | None:
    told = _describe_user(client, name)
    return _user(client, told) if told else None


def read_users(client: Any) -> list[User]:
    return [_user(client, told) for told in _describe_users(client)]


def read_acl(client: Any, name: str) -> Acl | None:
    told = _describe_acl(client, name)
    return _acl(client, told) if told else None


def read_acls(client: Any) -> list[Acl]:
    return [_acl(client, told) for told in _describe_acls(client)]


def make_user_present(client: Any, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    return users.make_present(*_access(client), desired, check_mode)


def make_user_absent(client: Any, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    return users.make_absent(*_access(client), desired, check_mode)


def _access(client: Any) -> users.Access:
    return (lambda name: read_user(client, name), lambda step: calls.act(client, step))


def make_acl_present(client: Any, desired: acl.Desired, check_mode: bool) -> dict[str, Any]:
    came = until_ready.make_present(
        lambda: read_acl(client, desired.acl_name),
        lambda step: calls.act(client, step),
        lambda current: acl.plan_present(current, desired),
        lambda there: not acl.plan_present(there, desired).steps,
        check_mode,
    )
    shown = acl.predict(came.after, desired) if check_mode else came.after
    return {**result_of(desired.acl_name, came.after, came.run), **({"acl": shown.facts()} if shown else {})}


def make_acl_absent(client: Any, desired: acl.Desired, check_mode: bool) -> dict[str, Any]:
    came = until_ready.make_absent(
        lambda: read_acl(client, desired.acl_name),
        lambda step: calls.act(client, step),
        lambda current: acl.plan_absent(current, desired),
        check_mode,
    )
    return result_of(desired.acl_name, came.after, came.run)
