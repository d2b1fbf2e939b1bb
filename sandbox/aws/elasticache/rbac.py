"""Users and user groups as ElastiCache knows them, and what a cache admits by a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.aws.wire import Refusal

ACTIVE = "active"
PASSWORD, IAM, NO_PASSWORD = "password", "iam", "no-password-required"
DEFAULT = "default"
# AWS tells an access string in short words, whatever it was given.
SHORT = {"allkeys": "~*", "allchannels": "&*", "allcommands": "+@all", "nocommands": "-@all"}


@dataclass
class User:
    id: str
    name: str
    engine: str
    access_string: str
    kind: str  # password, iam, no-password-required
    digests: list[str] = field(default_factory=list)
    status: str = ACTIVE

    @property
    def arn(self) -> str:
        return arn_of("user", self.id)


@dataclass
class UserGroup:
    id: str
    engine: str
    user_ids: list[str]
    added: list[str] = field(default_factory=list)  # under way
    removed: list[str] = field(default_factory=list)
    status: str = "creating"

    @property
    def arn(self) -> str:
        return arn_of("usergroup", self.id)


def arn_of(kind: str, name: str) -> str:
    return f"arn:aws:elasticache:us-east-1:123456789012:{kind}:{name}"


def as_told(access_string: str) -> str:
    return " ".join(SHORT.get(word.lower(), word) for word in access_string.split())


class Rbac:
    """All of them, by id. AWS's own user is there from the beginning."""

    def __init__(self) -> None:
        self.users = {DEFAULT: User(DEFAULT, DEFAULT, "redis", "on ~* +@all", NO_PASSWORD)}
        self.groups: dict[str, UserGroup] = {}
        self.key_secrets: Mapping[str, str] = {}  # by which tokens of IAM are verified

    def user(self, name: str) -> User:
        found = self.users.get(name.lower())
        if found is None:
            raise Refusal("UserNotFound", f"User {name} not found.")
        return found

    def group(self, name: str) -> UserGroup:
        found = self.groups.get(name.lower())
        if found is None:
            raise Refusal("UserGroupNotFound", f"User group {name} not found.")
        return found

    def groups_of(self, user: User) -> list[UserGroup]:
        return [group for group in self.groups.values() if user.id in (*group.user_ids, *group.added)]

    def members(self, group: UserGroup) -> list[User]:
        return [self.users[name] for name in group.user_ids if name in self.users]
