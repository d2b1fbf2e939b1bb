# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever looks at a cluster of MemoryDB, makes it and takes it away. Pure.

Which action takes which resource is told by
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmemorydb.html: a call is allowed where
each resource that it names is, so a cluster's own ARN stands beside those of its parameters, subnets and ACL.
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

_HERE = "memorydb:{region}:{account}:"
_CLUSTER = _HERE + "cluster/{target}"
_PARAMETERS = _HERE + "parametergroup/{parameter_group}"
_AWS_PARAMETERS = _HERE + "parametergroup/default.*"
_SUBNETS = _HERE + "subnetgroup/{subnet_group}"
_ACL = _HERE + "acl/{name}-cache"
_ACLS = _HERE + "acl/*"
_USERS = _HERE + "user/*"

_NEW = Place("TargetNew", (_CLUSTER, _PARAMETERS, _AWS_PARAMETERS, _SUBNETS, _ACLS))
_NEW_USERS = Place("UsersNew", (_ACL, _USERS))
_OURS = Place("TargetOurs", (_CLUSTER, _PARAMETERS, _SUBNETS, _ACL, _USERS), (OURS,))
_ITS_OWN = Place("TargetParameters", (_PARAMETERS, _AWS_PARAMETERS, _ACLS))
_TAGGED = Place("TargetTags", (_CLUSTER, _PARAMETERS, _SUBNETS, _ACL, _USERS))
_SNAPSHOT = Place("TargetSnapshot", (_HERE + "snapshot/*",))
_SNAPSHOT_OF = Place("TargetSnapshotOf", (_HERE + "snapshot/*", _CLUSTER))

_UPDATE, _DELETE = "memorydb:UpdateCluster", "memorydb:DeleteCluster"

_FINAL = (
    Permission(
        "memorydb:CreateSnapshot",
        "a deletion that leaves a final snapshot makes one; MemoryDB asks for it with the deletion",
        _SNAPSHOT_OF,
    ),
    Permission(_DELETE, "the final snapshot is named by the call, and has no tag yet", _SNAPSHOT),
)

_OF_OTHER_SERVICES = (
    Permission(
        "ec2:DescribeSubnets",
        "MemoryDB looks at the network of a new subnet group in the caller's name",
        unseen="MemoryDB makes this call",
    ),
    Permission("ec2:DescribeVpcs", "the same", unseen="MemoryDB makes this call"),
    Permission(
        "iam:CreateServiceLinkedRole",
        "the first use of MemoryDB in an account makes the role by which it works in the network",
        Place(
            "FirstUseOfMemoryDB",
            ("iam::{account}:role/aws-service-role/memorydb.amazonaws.com/*",),
            (("StringEquals", "iam:AWSServiceName", "memorydb.amazonaws.com"),),
        ),
        unseen="MemoryDB makes this call, once in an account",
    ),
    Permission(
        "kms:DescribeKey",
        "a key of your own encrypts what nodes keep (migration_kms_key_id)",
        Place("Key", ("kms:{region}:{account}:key/{key}",)),
        unseen="MemoryDB makes this call with the caller's permission",
    ),
    Permission(
        "kms:CreateGrant",
        "the same: MemoryDB is given the use of the key for as long as the cluster is there",
        Place(
            "KeyForAwsAlone",
            ("kms:{region}:{account}:key/{key}",),
            (("Bool", "kms:GrantIsForAWSResource", "true"),),
        ),
        unseen="MemoryDB makes this call with the caller's permission",
    ),
)

_WHAT_BELONGS_TO_IT = each(
    EVERYTHING,
    {
        "memorydb:DescribeSubnetGroups": "whether its subnet group is there and as it is wanted",
        "memorydb:DescribeParameterGroups": "the same of its parameter group",
        "memorydb:DescribeParameters": "which of its parameters are to be changed",
        "memorydb:DescribeUsers": "whether the app's user is there (migration_username)",
        "memorydb:DescribeACLs": "the same of the ACL by which the target knows it",
    },
)

ACTIONS = Actions(
    look=each(
        EVERYTHING,
        {
            "memorydb:DescribeClusters": "whether the target is there, and how it is reached",
            "memorydb:ListTags": "whether it is this migration's",
        },
    ),
    plan=(
        *_WHAT_BELONGS_TO_IT,
        *each(
            EVERYTHING,
            {
                "memorydb:ListAllowedNodeTypeUpdates": "whether it can change to the node type that is wanted",
                "memorydb:DescribeEngineVersions": "the family of parameters of the engine's version",
            },
        ),
        Permission(
            "memorydb:DescribeEvents",
            "why AWS could not make the target",
            unseen="only where AWS could not make it",
            without="that it could not be made is told, and not why",
        ),
    ),
    make=(
        *each(
            _NEW,
            {
                "memorydb:CreateSubnetGroup": "to make its subnet group",
                "memorydb:CreateParameterGroup": "to make its parameter group, where parameters are stated",
                "memorydb:CreateCluster": "to make the target",
            },
        ),
        *each(
            _NEW_USERS,
            {
                "memorydb:CreateUser": "to make the user that the app logs in as, where migration_acl_name is left out",
                "memorydb:CreateACL": "to make the ACL that has it",
            },
        ),
        Permission(
            "memorydb:TagResource",
            "what is made has a tag that says whose it is; AWS asks for this with each creation",
            _TAGGED,
        ),
        *each(
            _OURS,
            {
                "memorydb:UpdateSubnetGroup": "other migration_subnet_ids",
                "memorydb:UpdateParameterGroup": "the values of migration_parameters, also of a new group",
                "memorydb:UpdateACL": "another migration_username, in the ACL that was made",
                "memorydb:UpdateUser": "what the app's user may do, where somebody has changed it",
                _UPDATE: "whatever else of the target is stated otherwise",
            },
        ),
        Permission(_UPDATE, "the parameter group and the ACL that it is to have may be without a tag", _ITS_OWN),
        *_OF_OTHER_SERVICES,
    ),
    token=each(_OURS, {"memorydb:UpdateUser": "to have the app's user take the new password beside the old one"}),
    delete=(
        *_WHAT_BELONGS_TO_IT,
        *each(
            _OURS,
            {
                _DELETE: "to take the target away",
                "memorydb:DeleteSubnetGroup": "and the subnet group that was made for it",
                "memorydb:DeleteParameterGroup": "and the parameter group",
                "memorydb:DeleteACL": "and the ACL",
                "memorydb:DeleteUser": "and the app's user",
            },
        ),
        *_FINAL,
    ),
)
