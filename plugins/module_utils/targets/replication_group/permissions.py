# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever looks at a replication group, makes it and takes it away. Pure."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    Permission,
    Place,
    each,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Actions
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import permissions as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import permissions as scaling
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users import permissions as users

_GROUP = (groups.HERE + "replicationgroup:{target}", groups.HERE + "cluster:{target}-*")
_NEW, _OURS = groups.new(*_GROUP), groups.ours(*_GROUP)
_SNAPSHOT_OF = Place("TargetSnapshotOf", (*groups.SNAPSHOT.resources, *_GROUP))

# What a group is given beside its own: the users of a user group, the data of a snapshot.
_USERS = Place("TargetUsers", (users.GROUP,))
_FROM = Place("TargetFrom", (groups.HERE + "snapshot:{snapshot}",))
_OF_SHARDS = "only of a target with cluster mode, of which the scenario has none"
_OF_SNAPSHOTS = "only with migration_snapshot_name, of which the scenario has none"

_OF_MANAGED = "only with migration_transfer: managed, of which the scenario has none"

_MODIFY = "elasticache:ModifyReplicationGroup"
_CREATE = "elasticache:CreateReplicationGroup"
_DELETE = "elasticache:DeleteReplicationGroup"

_FINAL = (
    Permission(
        "elasticache:CreateSnapshot",
        "a deletion that leaves a final snapshot makes one; ElastiCache asks for it with the deletion",
        _SNAPSHOT_OF,
    ),
    Permission(_DELETE, "the final snapshot is named by the call, and has no tag yet", groups.SNAPSHOT),
)

_KEY = (
    Permission(
        "kms:DescribeKey",
        "a key of your own encrypts what nodes write to disk (migration_kms_key_id)",
        Place("Key", ("kms:{region}:{account}:key/{key}",)),
        unseen="ElastiCache makes this call with the caller's permission",
    ),
    Permission(
        "kms:CreateGrant",
        "the same: ElastiCache is given the use of the key for as long as the cache is there",
        Place(
            "KeyForAwsAlone",
            ("kms:{region}:{account}:key/{key}",),
            (("Bool", "kms:GrantIsForAWSResource", "true"),),
        ),
        unseen="ElastiCache makes this call with the caller's permission",
    ),
)

ACTIONS = Actions(
    look=each(
        EVERYTHING,
        {
            "elasticache:DescribeReplicationGroups": "whether the target is there, and how it is reached",
            "elasticache:DescribeCacheClusters": "its nodes: what is pending, their version, their parameter group",
            "elasticache:ListTagsForResource": "whether it is this migration's",
            "elasticache:DescribeCacheParameters": "how many databases it has; what parameters are to be changed",
        },
    ),
    plan=(
        *groups.PLAN,
        *scaling.LOOK,
        *users.PLAN,
        Permission(
            "elasticache:DescribeEvents",
            "why AWS could not make the target",
            unseen="only where AWS could not make it",
            without="that it could not be made is told, and not why",
        ),
        Permission(
            "elasticache:DescribeSnapshots",
            "the engine and the shards of the snapshot that it is restored from",
            unseen=_OF_SNAPSHOTS,
        ),
    ),
    make=(
        *each(
            _NEW,
            {
                **groups.CREATE_GROUPS,
                _CREATE: "to make the target",
            },
        ),
        groups.tags(*_GROUP),
        *each(
            _OURS,
            {
                **groups.MODIFY_GROUPS,
                _MODIFY: "whatever else of the target is stated otherwise",
                "elasticache:IncreaseReplicaCount": "a larger migration_num_cache_clusters",
                "elasticache:DecreaseReplicaCount": "a smaller one",
            },
        ),
        Permission(
            _MODIFY, "the parameter group that it is to use may be AWS's own, without a tag", groups.ITS_PARAMETERS
        ),
        Permission(
            "elasticache:ModifyReplicationGroupShardConfiguration",
            "another migration_num_node_groups",
            _OURS,
            unseen=_OF_SHARDS,
        ),
        Permission(_CREATE, "its users", _USERS, unseen=users.UNSEEN),
        Permission(_MODIFY, "the same, of a target that is there", _USERS, unseen=users.UNSEEN),
        *users.MAKE,
        Permission(_CREATE, "its data, from a snapshot", _FROM, unseen=_OF_SNAPSHOTS),
        *groups.OF_OTHER_SERVICES,
        *_KEY,
        *scaling.MAKE,
    ),
    token=(
        Permission(_MODIFY, "to have it take the new token beside the old one, and then alone", _OURS),
        *users.TOKEN,
    ),
    delete=(
        *groups.LOOK_AT_GROUPS,
        *each(
            _OURS,
            {
                _DELETE: "to take the target away",
                **groups.DELETE_GROUPS,
            },
        ),
        *_FINAL,
        *scaling.DELETE,
        *users.DELETE,
    ),
    tell=scaling.LOOK,
    migrate=(
        *(
            Permission(f"elasticache:{call}Migration", why, _OURS, unseen=_OF_MANAGED)
            for call, why in (
                ("Test", "AWS tries whether the target reaches the old Redis"),
                ("Start", "to have the target follow it"),
                ("Complete", "to have the target take writes, or to end it"),
            )
        ),
        Permission(
            "elasticache:DescribeEvents",
            "why AWS could not have the target follow the old Redis",
            unseen=_OF_MANAGED,
            without="that it could not is told by its status alone",
        ),
    ),
)
