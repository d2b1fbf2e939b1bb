# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever makes one of ElastiCache's targets with its groups, whatever the target is. Pure.

Which action takes which resource is told by
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html: a call is allowed where
each resource that it names is, so a target's own ARN stands beside those of its parameters and subnets.
"""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    OURS,
    Permission,
    Place,
    each,
)

HERE = "elasticache:{region}:{account}:"
_PARAMETERS = HERE + "parametergroup:{parameter_group}"
_DEFAULT_PARAMETERS = HERE + "parametergroup:default.*"
_SUBNETS = HERE + "subnetgroup:{subnet_group}"

ITS_PARAMETERS = Place("TargetParameters", (_PARAMETERS, _DEFAULT_PARAMETERS))
SNAPSHOT = Place("TargetSnapshot", (HERE + "snapshot:*",))


def new(*target: str) -> Place:
    """What a creation names: the target, by its ARNs, and its groups."""
    return Place("TargetNew", (*target, _PARAMETERS, _DEFAULT_PARAMETERS, _SUBNETS))


def ours(*target: str) -> Place:
    return Place("TargetOurs", (*target, _PARAMETERS, _SUBNETS), (OURS,))


def tags(*target: str) -> Permission:
    return Permission(
        "elasticache:AddTagsToResource",
        "what is made has a tag that says whose it is; AWS asks for this with each of the three creations",
        Place("TargetTags", (*target, _PARAMETERS, _SUBNETS)),
    )


LOOK_AT_GROUPS = each(
    EVERYTHING,
    {
        "elasticache:DescribeCacheSubnetGroups": "whether its subnet group is there and as it is wanted",
        "elasticache:DescribeCacheParameterGroups": "the same of its parameter group",
    },
)
PLAN = (
    *LOOK_AT_GROUPS,
    *each(
        EVERYTHING,
        {"elasticache:ListAllowedNodeTypeModifications": "whether it can change to the node type that is wanted"},
    ),
    Permission(
        "elasticache:DescribeCacheEngineVersions",
        "the family of parameters of the engine's version",
        without="the family is what the collection knows of that version",
    ),
)
CREATE_GROUPS = {
    "elasticache:CreateCacheSubnetGroup": "to make its subnet group",
    "elasticache:CreateCacheParameterGroup": "to make its parameter group, where parameters are stated",
}
MODIFY_GROUPS = {
    "elasticache:ModifyCacheSubnetGroup": "other migration_subnet_ids",
    "elasticache:ModifyCacheParameterGroup": "the values of migration_parameters, also of a new group",
}
DELETE_GROUPS = {
    "elasticache:DeleteCacheSubnetGroup": "and the subnet group that was made for it",
    "elasticache:DeleteCacheParameterGroup": "and the parameter group",
}

OF_OTHER_SERVICES = (
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
)
