"""CreateUserGroup, ModifyUserGroup, DeleteUserGroup, DescribeUserGroups."""

from __future__ import annotations

from typing import Any

from sandbox.aws.elasticache import rbac_rules, rules
from sandbox.aws.elasticache.admission import Admission
from sandbox.aws.elasticache.context import Context
from sandbox.aws.elasticache.rbac import ACTIVE, UserGroup
from sandbox.aws.elasticache.serverless.state import ServerlessCache
from sandbox.aws.elasticache.state import CREATING, DELETING, MODIFYING, ReplicationGroup
from sandbox.aws.elasticache.tags import tags_given
from sandbox.aws.wire import Params, Refusal, Result, operation, page


class UserGroups:
    def __init__(self, context: Context, admission: Admission) -> None:
        self._account, self._rbac, self._admission = context.account, context.account.rbac, admission

    @operation("CreateUserGroup", "UserGroupId", "Engine", "UserIds", "Tags")
    def create_user_group(self, params: Params) -> Result:
        name = rules.identifier(params["UserGroupId"], "UserGroupId", 40)
        tags = tags_given(params)
        with self._account.lock:
            if name in self._rbac.groups:
                raise Refusal("UserGroupAlreadyExists", f"User group {name} already exists.")
            users = [self._rbac.user(user) for user in params.get("UserIds", [])]
            group = UserGroup(name, rbac_rules.engine(params["Engine"]), [user.id for user in users])
            rbac_rules.members(group.engine, users)
            self._rbac.groups[name] = group
            self._account.tags[group.arn] = tags
            self._admission.change(group, CREATING, [], lambda: setattr(group, "status", ACTIVE))
            return self._shown(group)

    @operation("ModifyUserGroup", "UserGroupId", "UserIdsToAdd", "UserIdsToRemove", "Engine")
    def modify_user_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._rbac.group(params["UserGroupId"])
            self._require_active(group)
            added = [self._rbac.user(name).id for name in params.get("UserIdsToAdd", [])]
            removed = [self._rbac.user(name).id for name in params.get("UserIdsToRemove", [])]
            if not added and not removed and "Engine" not in params:
                raise rules.combination("No modifications were requested.")
            self._refuse_odd_members(group, added, removed)
            engine = rbac_rules.engine(params.get("Engine", group.engine))
            after = [name for name in (*group.user_ids, *added) if name not in removed]
            rbac_rules.members(engine, [self._rbac.users[name] for name in after])
            if engine != "redis":
                self._refuse_engine_of_users(group)
            group.engine, group.added, group.removed = engine, added, removed
            self._admission.change(group, MODIFYING, [group], lambda: setattr(group, "status", ACTIVE))
            return self._shown(group)

    def _refuse_odd_members(self, group: UserGroup, added: list[str], removed: list[str]) -> None:
        there = [name for name in added if name in group.user_ids]
        missing = [name for name in removed if name not in group.user_ids]
        if there:
            raise rules.combination(f"{', '.join(there)} is in user group {group.id} already.")
        if missing:
            raise rules.combination(f"{', '.join(missing)} is not in user group {group.id}.")
        if set(added) & set(removed):
            raise rules.combination("A user cannot be added and removed in one call.")

    def _refuse_engine_of_users(self, group: UserGroup) -> None:
        redis = [cache.id for cache in self._caches_of(group) if cache.version.engine == "redis"]
        if redis:
            raise rules.combination(f"{', '.join(redis)} is of Redis OSS, which takes user groups of redis alone.")

    @operation("DeleteUserGroup", "UserGroupId")
    def delete_user_group(self, params: Params) -> Result:
        with self._account.lock:
            group = self._rbac.group(params["UserGroupId"])
            self._require_active(group)
            used = [cache.id for cache in self._caches_of(group)]
            if used:
                raise Refusal("InvalidUserGroupState", f"User group {group.id} is associated with {', '.join(used)}.")
            self._admission.change(group, DELETING, [], lambda: self._forget(group))
            return self._shown(group)

    def _forget(self, group: UserGroup) -> None:
        self._rbac.groups.pop(group.id, None)
        self._account.tags.pop(group.arn, None)

    @operation("DescribeUserGroups", "UserGroupId", "MaxRecords", "Marker")
    def describe_user_groups(self, params: Params) -> Result:
        with self._account.lock:
            if "UserGroupId" in params:
                found = [self._rbac.group(params["UserGroupId"])]
            else:
                found = [group for _, group in sorted(self._rbac.groups.items())]
            return page([self._shown(group) for group in found], params, "UserGroups")

    def _caches_of(self, group: UserGroup) -> list[ReplicationGroup | ServerlessCache]:
        return [*self._account.users_of(group.id), *self._account.serverless.users_of(group.id)]

    def _require_active(self, group: UserGroup) -> None:
        if group.status != ACTIVE:
            text = f"User group {group.id} must be active for this; it is {group.status}."
            raise Refusal("InvalidUserGroupState", text)

    def _shown(self, group: UserGroup) -> dict[str, Any]:
        under_way = {"UserIdsToRemove": group.removed, "UserIdsToAdd": group.added}
        return {
            "UserGroupId": group.id,
            "Status": group.status,
            "Engine": group.engine,
            "UserIds": list(group.user_ids),
            "MinimumEngineVersion": "6.0",
            "PendingChanges": {name: list(users) for name, users in under_way.items() if users},
            "ReplicationGroups": [g.id for g in self._account.users_of(group.id)],
            "ServerlessCaches": [cache.id for cache in self._account.serverless.users_of(group.id)],
            "ARN": group.arn,
        }
