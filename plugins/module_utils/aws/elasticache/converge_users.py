# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One invocation for a user or a user group. All raise PlanRefused and AnsibleAWSError."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import until_ready, users
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import users as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.in_steps import result_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import user, user_group
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import User
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user_group import UserGroup


def make_user_present(client: Any, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    return users.make_present(*_access(client), desired, check_mode)


def make_user_absent(client: Any, desired: user.Desired, check_mode: bool) -> dict[str, Any]:
    return users.make_absent(*_access(client), desired, check_mode)


def _access(client: Any) -> users.Access:
    return (lambda name: api.read_user(client, name), lambda step: api.act(client, step))


def make_group_present(client: Any, desired: user_group.Desired, check_mode: bool) -> dict[str, Any]:
    looked_at: dict[str, User | None] = {}

    def plan_for(current: UserGroup | None) -> Plan:
        asked = user_group.users_to_look_at(current, desired)
        looked_at.update(api.read_named_users(client, [name for name in asked if name not in looked_at]))
        if not check_mode:
            user_group.refuse_missing(asked, looked_at)
        return user_group.plan_present(current, desired, looked_at)

    came = until_ready.make_present(
        lambda: api.read_group(client, desired.user_group_id),
        lambda step: api.act(client, step),
        plan_for,
        lambda there: not user_group.plan_present(there, desired, looked_at).steps,
        check_mode,
    )
    shown = user_group.predict(came.after, desired) if check_mode else came.after
    return {
        **result_of(desired.user_group_id, came.after, came.run),
        **({"user_group": shown.facts()} if shown else {}),
        "warnings": user_group.unchecked(looked_at),
    }


def make_group_absent(client: Any, desired: user_group.Desired, check_mode: bool) -> dict[str, Any]:
    came = until_ready.make_absent(
        lambda: api.read_group(client, desired.user_group_id),
        lambda step: api.act(client, step),
        lambda current: user_group.plan_absent(current, desired),
        check_mode,
    )
    return result_of(desired.user_group_id, came.after, came.run)
