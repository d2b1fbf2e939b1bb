"""Users of ElastiCache, and their groups."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_user,
    elasticache_user_group,
    elasticache_user_group_info,
    elasticache_user_info,
)

from tests.component.local_aws import Aws
from tests.component.peers.services.contract import Service, own_tags_left_out, until
from tests.component.peers.surroundings import Surroundings, fresh

NARROW = "on ~app::* -@all +@read"
ACTIVE = "active"


def default_user(aws: Aws, around: Surroundings) -> str:
    user, client = fresh("default-"), aws.client("elasticache")
    client.create_user(
        UserId=user, UserName="default", Engine="redis", AccessString=NARROW, Passwords=[around.of("password-1")]
    )
    until(lambda: _user_status(aws, user) == ACTIVE, f"user {user} is active")
    return user


def user_group(aws: Aws, around: Surroundings) -> str:
    """A group that has a user named default of its own, as each must."""
    name = fresh("users-")
    aws.client("elasticache").create_user_group(UserGroupId=name, Engine="redis", UserIds=[default_user(aws, around)])
    until(lambda: _group_status(aws, name) == ACTIVE, f"user group {name} is active")
    return name


def _user(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        return dict(client.describe_users(UserId=name)["Users"][0])
    except client.exceptions.UserNotFoundFault:
        return None


def _user_status(aws: Aws, name: str) -> str:
    return str((_user(aws, name) or {"Status": "gone"})["Status"])


def _read_user(aws: Aws, name: str) -> dict[str, Any] | None:
    user, client = _user(aws, name), aws.client("elasticache")
    if user is None:
        return None
    kind, count = user["Authentication"]["Type"], user["Authentication"].get("PasswordCount")
    return {
        "identity": user["ARN"],  # AWS tells no time of creation
        "user_name": user["UserName"],
        "engine": user["Engine"],
        "access_string": user["AccessString"],
        "no_password_required": kind == "no-password",
        "password_count": count,
        "authentication": {"type": kind, "password_count": count},
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=user["ARN"])["TagList"]),
    }


def _delete_user(aws: Aws, name: str) -> None:
    until(lambda: _user_status(aws, name) in (ACTIVE, "gone"), f"user {name} may be deleted")
    if _user_status(aws, name) != "gone":
        aws.client("elasticache").delete_user(UserId=name)
        until(lambda: _user_status(aws, name) == "gone", f"user {name} is gone")


def _change_access(aws: Aws, name: str) -> None:
    """And do not wait for it."""
    aws.client("elasticache").modify_user(UserId=name, AccessString="on ~other::* -@all +@read")


def _as_the_user_id(_aws: Aws, around: Surroundings) -> str:
    return around.of("id")


def _narrow(_aws: Aws, _around: Surroundings) -> str:
    return NARROW


USER = Service(
    main=elasticache_user.main,
    name_option="user_id",
    read=_read_user,
    delete=_delete_user,
    always={"purge_tags": True},
    outside={"access_string is being changed outside the tool, the user is still modifying": _change_access},
    makers={
        "narrow access string": _narrow,
        "same as user_id": _as_the_user_id,
        "user_id": _as_the_user_id,
    },
    info=elasticache_user_info.main,
    told="users",
    unread=("passwords", "authentication_mode"),
)


def _group(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        return dict(client.describe_user_groups(UserGroupId=name)["UserGroups"][0])
    except client.exceptions.UserGroupNotFoundFault:
        return None


def _group_status(aws: Aws, name: str) -> str:
    return str((_group(aws, name) or {"Status": "gone"})["Status"])


def _read_group(aws: Aws, name: str) -> dict[str, Any] | None:
    group, client = _group(aws, name), aws.client("elasticache")
    if group is None:
        return None
    return {
        "identity": group["ARN"],
        "engine": group["Engine"],
        "user_ids": group["UserIds"],
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]),
    }


def _delete_group(aws: Aws, name: str) -> None:
    until(lambda: _group_status(aws, name) in (ACTIVE, "gone"), f"user group {name} may be deleted")
    if _group_status(aws, name) != "gone":
        aws.client("elasticache").delete_user_group(UserGroupId=name)
        until(lambda: _group_status(aws, name) == "gone", f"user group {name} is gone")


USER_GROUP = Service(
    main=elasticache_user_group.main,
    name_option="user_group_id",
    read=_read_group,
    delete=_delete_group,
    always={"purge_tags": True},
    makers={"user named default": default_user},
    info=elasticache_user_group_info.main,
    told="user_groups",
)
