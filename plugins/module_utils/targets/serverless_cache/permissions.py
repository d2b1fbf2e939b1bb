# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever looks at a serverless cache, makes it and takes it away. Pure.

Which action takes which resource is told by
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html, and there, as dependent
actions, what AWS does in the caller's name to put an endpoint of the cache into the VPC.
"""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    OURS,
    Permission,
    Place,
    each,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Actions
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import permissions as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import permissions as users

_CACHE = groups.HERE + "serverlesscache:{target}"
_SNAPSHOTS = groups.HERE + "serverlesscachesnapshot:*"
_USERS = groups.HERE + "usergroup:*"
_NEW = Place("TargetNew", (_CACHE, _USERS, _SNAPSHOTS, groups.HERE + "snapshot:*"))
_OURS = Place("TargetOurs", (_CACHE,), (OURS,))
_MODIFY = "elasticache:ModifyServerlessCache"
_DELETE = "elasticache:DeleteServerlessCache"

_ENDPOINT = tuple(
    Permission(action, why, unseen="ElastiCache makes this call with the caller's permission")
    for action, why in {
        "ec2:CreateVpcEndpoint": "the cache is reached by an endpoint in the VPC",
        "ec2:CreateTags": "that endpoint has a tag of ElastiCache's",
        "ec2:DescribeVpcEndpoints": "whether the endpoint is there",
        "ec2:DescribeSecurityGroups": "the security groups of the endpoint",
        "ec2:DescribeTags": "whether it is ElastiCache's",
    }.items()
)

ACTIONS = Actions(
    look=each(
        EVERYTHING,
        {
            "elasticache:DescribeServerlessCaches": "whether the target is there, and how it is reached",
            "elasticache:ListTagsForResource": "whether it is this migration's",
        },
    ),
    plan=(
        *each(EVERYTHING, {"elasticache:DescribeEvents": "why it could not be made, where that has failed"}),
        *users.PLAN,
    ),
    make=(
        *each(_NEW, {"elasticache:CreateServerlessCache": "to make the target"}),
        Permission(
            "elasticache:AddTagsToResource",
            "what is made has a tag that says whose it is; AWS asks for this with the creation",
            Place("TargetTags", (_CACHE,)),
        ),
        Permission(_MODIFY, "whatever of the target is stated otherwise", _OURS),
        Permission(_MODIFY, "its users, where migration_user_group_id is another one", Place("TargetUsers", (_USERS,))),
        *users.MAKE,
        *groups.OF_OTHER_SERVICES,
        *_ENDPOINT,
    ),
    token=users.TOKEN,  # it has none of its own
    delete=(
        Permission(_DELETE, "to take the target away", _OURS),
        Permission(
            "elasticache:CreateServerlessCacheSnapshot",
            "a deletion that leaves a final snapshot makes one; ElastiCache asks for it with the deletion",
            Place("TargetSnapshotOf", (_SNAPSHOTS, _CACHE)),
        ),
        Permission(
            _DELETE,
            "the final snapshot is named by the call, and has no tag yet",
            Place("TargetSnapshot", (_SNAPSHOTS,)),
        ),
        Permission(
            "ec2:DeleteVpcEndpoints",
            "the endpoint in the VPC goes with it",
            unseen="ElastiCache makes this call with the caller's permission",
        ),
        *users.DELETE,
    ),
)
