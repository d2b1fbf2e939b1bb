# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache's API of users and user groups: one function a read, and the act of a plan's step.

All raise AnsibleAWSError. Throttled calls are retried.
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.calls import read_tags
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import user, user_group
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user_group import UserGroup

_NO_USER = ("UserNotFound", "UserNotFoundFault")
_NO_GROUP = ("UserGroupNotFound", "UserGroupNotFoundFault")
_CODES = acting.Codes(
    busy=("InvalidUserState", "InvalidUserStateFault", "InvalidUserGroupState", "InvalidUserGroupStateFault"),
    already_so={
        "CreateUser": ("UserAlreadyExists", "UserAlreadyExistsFault"),
        "CreateUserGroup": ("UserGroupAlreadyExists", "UserGroupAlreadyExistsFault"),
        "DeleteUser": _NO_USER,
        "DeleteUserGroup": _NO_GROUP,
    },
)


@aws_call("describe the user {name}", none_on=_NO_USER)
def _describe_user(client: Any, name: str) -> Mapping[str, Any] | None:
    users = client.describe_users(UserId=name)["Users"]
    return users[0] if users else None


@aws_call("describe the users")
def _describe_users(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_users").paginate()
    return [one for page in pages for one in page["Users"]]


@aws_call("describe the user group {name}", none_on=_NO_GROUP)
def _describe_group(client: Any, name: str) -> Mapping[str, Any] | None:
    groups = client.describe_user_groups(UserGroupId=name)["UserGroups"]
    return groups[0] if groups else None


@aws_call("describe the user groups")
def _describe_groups(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_user_groups").paginate()
    return [one for page in pages for one in page["UserGroups"]]


def _tags(client: Any, told: Mapping[str, Any]) -> dict[str, str] | None:
    arn = told.get("ARN")
    return read_tags(client, arn) if arn else None


def read_user(client: Any, name: str) -> User | None:
    told = _describe_user(client, name)
    return user.shape(told, _tags(client, told)) if told else None


def read_users(client: Any) -> list[User]:
    return [user.shape(told, _tags(client, told)) for told in _describe_users(client)]


def read_named_users(client: Any, names: Iterable[str]) -> dict[str, User | None]:
    """Without their tags, which nobody asks of the users of a group. None for one that is not there."""
    told = {name: _describe_user(client, name) for name in names}
    return {name: user.shape(one, None) if one else None for name, one in told.items()}


def read_group(client: Any, name: str) -> UserGroup | None:
    told = _describe_group(client, name)
    return user_group.shape(told, _tags(client, told)) if told else None


def read_groups(client: Any) -> list[UserGroup]:
    return [user_group.shape(told, _tags(client, told)) for told in _describe_groups(client)]


def act(client: Any, step: Step) -> acting.Outcome:
    return acting.act(client, step, _CODES)
