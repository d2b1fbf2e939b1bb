# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The user that the app is, and the group by which a target knows it, as parts of its row. Pure.

They are made where the app has a user (``username``) and no group that is there is named. The group is called
``<name>-cache``. What belongs to an adopted target is somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import (
    PASSWORDS,
    Found,
    Part,
    Settings,
    own_name,
    stated,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.authentication import NO_PASSWORD
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.identifiers import (
    DEFAULT_USER,
    check_id,
)

EVERYTHING = "on ~* &* +@all"  # the app may do what it could, but for what the service keeps from everybody
NOTHING = "off -@all"


@dataclass(frozen=True)
class Users:
    """A service's own: the modules of a user and of a group, and their words. ``named_by`` is the setting that names a
    group that is there. ``engine`` is of both, where they are of one; such a group has a user for whoever does not say
    who it is.
    """

    named_by: str
    user: str
    user_id: str
    group: str
    group_id: str
    group_noun: str
    members: str
    engine: str = ""

    def are_made(self, settings: Settings) -> bool:
        return bool(settings.get("username") and own_name(settings)) and not settings.get(self.named_by)

    def parts(self, settings: Settings, found: Found | None) -> list[Part]:
        """Raises PlanRefused."""
        app = self.app(settings)
        if app is None:
            return []
        _refuse_to_shut_out(settings, found)
        default = self._default(settings)
        members = [part.args[self.user_id] for part in (app, *default)]
        args = {**self._common(settings), **self._named(settings), self.members: members}
        return [app, *default, Part(self._what(settings), self.group, args)]

    def app(self, settings: Settings) -> Part | None:
        """The user that the app is, whose password is the secret unless it logs in by IAM; None where it is somebody
        else's.
        """
        if not self.are_made(settings):
            return None
        user = str(settings["username"])
        args = {self.user_id: user, **({"user_name": user} if self.engine else {}), "access_string": EVERYTHING}
        mode = settings.get("authentication_mode")
        by_iam = {"authentication_mode": {"type": mode}} if mode else {}
        takes = "" if mode else PASSWORDS
        return Part(f"user {user}", self.user, {**self._common(settings), **args, **by_iam}, takes=takes)

    def removal(self, settings: Settings) -> list[Part]:
        """In the order in which AWS lets them go, once the target is gone."""
        app = self.app(settings)
        if app is None:
            return []
        gone = {"migration_name": settings["name"], "state": "absent"}
        users = [*self._default(settings), app]
        return [
            Part(self._what(settings), self.group, {**gone, **self._named(settings)}),
            *(Part(one.what, one.module, {**gone, self.user_id: one.args[self.user_id]}) for one in users),
        ]

    def _default(self, settings: Settings) -> list[Part]:
        """Who does not say who it is may do nothing."""
        if not self.engine:
            return []
        user = check_id(f"{settings['name']}-{DEFAULT_USER}", "migration_name, with which the ids of users begin,")
        args = {
            self.user_id: user,
            "user_name": DEFAULT_USER,
            "access_string": NOTHING,
            "authentication_mode": {"type": NO_PASSWORD},
        }
        return [Part(f"user {user}", self.user, {**self._common(settings), **args})]

    def _common(self, settings: Settings) -> dict[str, Any]:
        engine = {"engine": self.engine} if self.engine else {}
        return {"migration_name": settings["name"], **engine, **stated(settings, {"tags": "tags"})}

    def _named(self, settings: Settings) -> dict[str, str]:
        return {self.group_id: own_name(settings)}

    def _what(self, settings: Settings) -> str:
        return f"{self.group_noun} {own_name(settings)}"


def _refuse_to_shut_out(settings: Settings, found: Found | None) -> None:
    auth = ((found or {}).get("endpoint") or {}).get("auth")
    if found and found.get("status") != "deleting" and auth in ("none", "token"):
        now = "by its token" if auth == "token" else "without a login"
        raise PlanRefused(
            f"The target is there and lets clients in {now}. With a user (migration_username) it would refuse each of "
            "them at once, before the first host has its name and password. Leave migration_username out, or go to a "
            "target of another name, which is made with its user",
            "username",
        )


def _of_elasticache(named_by: str) -> Users:
    """Of engine redis, as caches of Redis OSS take no other and those of Valkey take it, too: so they stay where a
    cache becomes one of Valkey, and on the way back.
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
    """
    return Users(
        named_by=named_by,
        user="elasticache_user",
        user_id="user_id",
        group="elasticache_user_group",
        group_id="user_group_id",
        group_noun="user group",
        members="user_ids",
        engine="redis",
    )


OF_REPLICATION_GROUPS = _of_elasticache("user_group_ids")
OF_SERVERLESS_CACHES = _of_elasticache("user_group_id")
OF_MEMORYDB = Users(
    named_by="acl_name",
    user="memorydb_user",
    user_id="user_name",
    group="memorydb_acl",
    group_id="acl_name",
    group_noun="ACL",
    members="user_names",
)
