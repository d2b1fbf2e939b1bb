"""What AWS refuses of users and user groups. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.aws.elasticache.catalogue import Version
from sandbox.aws.elasticache.rbac import DEFAULT, IAM, NO_PASSWORD, PASSWORD, User, UserGroup
from sandbox.aws.elasticache.rules import combination, value
from sandbox.aws.wire import Refusal

ENGINES = ("redis", "valkey")
OF_PASSWORDS = ("nopass", "resetpass", "reset")
DENIED = (
    *("bgrewriteaof", "bgsave", "config", "debug", "migrate", "module", "psync", "replicaof", "save", "slaveof"),
    *("shutdown", "sync"),
)


def engine(name: str) -> str:
    if name.lower() not in ENGINES:
        raise value(f"Engine {name!r} has no users; {' and '.join(ENGINES)} have.")
    return name.lower()


def passwords(kind: str, given: Sequence[str]) -> None:
    if kind == PASSWORD and not 1 <= len(set(given)) <= 2:
        raise value("A user has one or two passwords.")
    if kind != PASSWORD and given:
        raise combination(f"Passwords are not for a user with authentication type: {kind}.")
    if any(not 16 <= len(password) <= 128 for password in given):
        raise value("Passwords length must be between 16-128 characters.")


def login(user: User) -> None:
    if user.kind == NO_PASSWORD and user.engine == "valkey":
        raise combination("No-password-required is not allowed for a user with engine Valkey")
    if user.kind == IAM and user.id != user.name:
        raise combination("User Id and User name must be same for authentication type: iam")


def access_string(text: str) -> None:
    """A word that may be a password is not in the message."""
    for word in text.replace("(", " ").replace(")", " ").split():
        if word[0] in "><#!" or word.lower() in OF_PASSWORDS:
            raise value("Access String: passwords cannot be in it, nor what resets them.")
        if word[0] in "+-" and word[1:].partition("|")[0].lower() in DENIED:
            raise value(f"Access String: {word} is a command that is not supported.")


def members(group_engine: str, users: Sequence[User]) -> None:
    names = [user.name for user in users]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Refusal("DuplicateUserName", f"User group has more than one user with the user name {', '.join(twice)}.")
    if DEFAULT not in names:
        raise Refusal("DefaultUserRequired", "User group needs to contain a user with the user name default.")
    for user in users:
        member(group_engine, user)


def member(group_engine: str, user: User) -> None:
    if group_engine == "valkey" and user.kind == NO_PASSWORD:
        raise combination(f"User {user.id} needs no password, and a user group of engine Valkey takes no such user.")
    if group_engine == "redis" and user.engine != "redis":
        # What AWS says to this is not known: rather too strict than too kind.
        raise combination(f"User {user.id} is of engine {user.engine}, the user group of redis.")


def attachments(groups: Sequence[UserGroup], version: Version, transit_mode: str) -> None:
    """Whether a replication group takes them; AWS's model says groups, and it takes one."""
    if len(groups) > 1:
        raise combination("A replication group has at most one user group.")
    for group in groups:
        _attachment(group, version.engine, version.number, transit_mode)


def is_active(group: UserGroup) -> None:
    if group.status != "active":
        raise Refusal("InvalidUserGroupState", f"User group {group.id} must be active; it is {group.status}.")


def _attachment(group: UserGroup, cache_engine: str, version: tuple[int, ...], transit_mode: str) -> None:
    if cache_engine == "redis" and group.engine != "redis":
        raise combination(f"User group {group.id} is of engine {group.engine}; Redis OSS takes those of redis alone.")
    if cache_engine == "redis" and version < (6,):
        raise combination("User groups need Redis OSS 6.0 or later.")
    if not transit_mode:
        raise combination("User groups need TransitEncryptionEnabled.")
    if transit_mode == "preferred":
        raise combination("Transit encryption preferred is not supported with redis access control.")
