# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever looks at a replication group, makes it and takes it away. Pure.

Which action takes which resource is told by
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html: a call is allowed where
each resource that it names is, so a group's own ARN stands beside those of its parameters and subnets.
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

_HERE = "elasticache:{region}:{account}:"
_GROUP = (_HERE + "replicationgroup:{target}", _HERE + "cluster:{target}-*")
_PARAMETERS = _HERE + "parametergroup:{parameter_group}"
_SUBNETS = _HERE + "subnetgroup:{subnet_group}"

_NEW = Place("TargetNew", (*_GROUP, _PARAMETERS, _HERE + "parametergroup:default.*", _SUBNETS))
_OURS = Place("TargetOurs", (*_GROUP, _PARAMETERS, _SUBNETS), (OURS,))
_ITS_PARAMETERS = Place("TargetParameters", (_PARAMETERS, _HERE + "parametergroup:default.*"))
_TAGGED = Place("TargetTags", (*_GROUP, _PARAMETERS, _SUBNETS))
_SNAPSHOT = Place("TargetSnapshot", (_HERE + "snapshot:*",))
_SNAPSHOT_OF = Place("TargetSnapshotOf", (_HERE + "snapshot:*", *_GROUP))

# Of a tag that is given while something is made, ElastiCache tells no condition. So the names of our own stand here.
_TAGS = Permission(
    "elasticache:AddTagsToResource",
    "what is made has a tag that says whose it is; AWS asks for this with each of the three creations",
    _TAGGED,
)
_MODIFY = "elasticache:ModifyReplicationGroup"
_DELETE = "elasticache:DeleteReplicationGroup"

_FINAL = (
    Permission(
        "elasticache:CreateSnapshot",
        "a deletion that leaves a final snapshot makes one; ElastiCache asks for it with the deletion",
        _SNAPSHOT_OF,
    ),
    Permission(_DELETE, "the final snapshot is named by the call, and has no tag yet", _SNAPSHOT),
)

_OF_OTHER_SERVICES = (
    Permission(
        "ec2:DescribeSubnets",
        "ElastiCache looks at the network of a new subnet group in the caller's name",
        unseen="ElastiCache makes this call",
    ),
    Permission(
        "ec2:DescribeVpcs",
        "the same",
        unseen="ElastiCache makes this call",
    ),
    Permission(
        "iam:CreateServiceLinkedRole",
        "the first use of ElastiCache in an account makes the role by which it works in the network",
        Place(
            "FirstUseOfElastiCache",
            ("iam::{account}:role/aws-service-role/elasticache.amazonaws.com/*",),
            (("StringEquals", "iam:AWSServiceName", "elasticache.amazonaws.com"),),
        ),
        unseen="ElastiCache makes this call, once in an account",
    ),
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

_ITS_GROUPS = each(
    EVERYTHING,
    {
        "elasticache:DescribeCacheSubnetGroups": "whether its subnet group is there and as it is wanted",
        "elasticache:DescribeCacheParameterGroups": "the same of its parameter group",
    },
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
        *_ITS_GROUPS,
        *each(
            EVERYTHING,
            {
                "elasticache:ListAllowedNodeTypeModifications": "whether it can change to the node type that is wanted",
            },
        ),
        Permission(
            "elasticache:DescribeCacheEngineVersions",
            "the family of parameters of the engine's version",
            without="the family is what the collection knows of that version",
        ),
    ),
    make=(
        *each(
            _NEW,
            {
                "elasticache:CreateCacheSubnetGroup": "to make its subnet group",
                "elasticache:CreateCacheParameterGroup": "to make its parameter group, where parameters are stated",
                "elasticache:CreateReplicationGroup": "to make the target",
            },
        ),
        _TAGS,
        *each(
            _OURS,
            {
                "elasticache:ModifyCacheSubnetGroup": "other migration_subnet_ids",
                "elasticache:ModifyCacheParameterGroup": "the values of migration_parameters, also of a new group",
                _MODIFY: "whatever else of the target is stated otherwise",
                "elasticache:IncreaseReplicaCount": "a larger migration_num_cache_clusters",
                "elasticache:DecreaseReplicaCount": "a smaller one",
            },
        ),
        Permission(_MODIFY, "the parameter group that it is to use may be AWS's own, without a tag", _ITS_PARAMETERS),
        *_OF_OTHER_SERVICES,
    ),
    token=(Permission(_MODIFY, "to have it take the new token beside the old one, and then alone", _OURS),),
    delete=(
        *_ITS_GROUPS,
        *each(
            _OURS,
            {
                _DELETE: "to take the target away",
                "elasticache:DeleteCacheSubnetGroup": "and the subnet group that was made for it",
                "elasticache:DeleteCacheParameterGroup": "and the parameter group",
            },
        ),
        *_FINAL,
    ),
)
