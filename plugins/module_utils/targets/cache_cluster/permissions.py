# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What IAM asks of whoever looks at a cluster of Memcached, makes it and takes it away. Pure."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    Permission,
    each,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Actions
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import permissions as groups
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling import permissions as scaling

_CLUSTER = groups.HERE + "cluster:{target}"
_NEW, _OURS = groups.new(_CLUSTER), groups.ours(_CLUSTER)
_MODIFY = "elasticache:ModifyCacheCluster"

ACTIONS = Actions(
    look=each(
        EVERYTHING,
        {
            "elasticache:DescribeCacheClusters": "whether the target is there, and how it is reached",
            "elasticache:ListTagsForResource": "whether it is this migration's",
            "elasticache:DescribeCacheParameters": "what parameters are to be changed",
        },
    ),
    plan=(*groups.PLAN, *scaling.LOOK),
    make=(
        *each(_NEW, {**groups.CREATE_GROUPS, "elasticache:CreateCacheCluster": "to make the target"}),
        groups.tags(_CLUSTER),
        *each(_OURS, {**groups.MODIFY_GROUPS, _MODIFY: "whatever else of the target is stated otherwise"}),
        Permission(
            _MODIFY, "the parameter group that it is to use may be AWS's own, without a tag", groups.ITS_PARAMETERS
        ),
        *groups.OF_OTHER_SERVICES,
        *scaling.MAKE,
    ),
    token=(),  # it has none
    delete=(
        *groups.LOOK_AT_GROUPS,
        *each(_OURS, {"elasticache:DeleteCacheCluster": "to take the target away", **groups.DELETE_GROUPS}),
        *scaling.DELETE,
    ),
    tell=scaling.LOOK,
)
