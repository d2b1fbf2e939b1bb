# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever makes the app's user and its group for a target of ElastiCache, whatever that is. Pure.

Which action takes which resource is told by
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html: whoever makes a group
needs the action on each of its users, too, and whoever gives a target the group, that target's on the group.
"""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    OURS,
    Permission,
    Place,
)

_HERE = "elasticache:{region}:{account}:"
GROUP = _HERE + "usergroup:{user_group}"
_USERS = (_HERE + "user:{username}", _HERE + "user:{own_default}")
_NEW, _OURS = Place("UsersNew", (GROUP, *_USERS)), Place("UsersOurs", (GROUP, *_USERS), (OURS,))
UNSEEN = "only with migration_username, of which the scenario has none"


def _each(place: Place, actions: dict[str, str]) -> tuple[Permission, ...]:
    return tuple(Permission(action, why, place, unseen=UNSEEN) for action, why in actions.items())


PLAN = _each(
    EVERYTHING,
    {
        "elasticache:DescribeUsers": "whether the app's user is there (migration_username)",
        "elasticache:DescribeUserGroups": "the same of the group by which the target knows it",
    },
)
MAKE = (
    *_each(
        _NEW,
        {
            "elasticache:AddTagsToResource": "the user and its group have the tag of this migration, too",
            "elasticache:CreateUser": "to make the user that the app logs in as, and who does not say who it is",
            "elasticache:CreateUserGroup": "to make the group that has them",
        },
    ),
    *_each(
        _OURS,
        {
            "elasticache:ModifyUser": "what the app's user may do, where somebody has changed it",
            "elasticache:ModifyUserGroup": "another migration_username, in the group that was made",
        },
    ),
)
TOKEN = _each(_OURS, {"elasticache:ModifyUser": "to have the app's user take the new password beside the old one"})
DELETE = (
    *PLAN,
    *_each(
        _OURS,
        {
            "elasticache:DeleteUserGroup": "and the group of users that was made for it",
            "elasticache:DeleteUser": "and the app's user",
        },
    ),
)
