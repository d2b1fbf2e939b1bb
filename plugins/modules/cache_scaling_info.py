#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_scaling_info
version_added: 0.2.0
short_description: Tell how AWS scales a cache by itself
description:
  - Reads what Application Auto Scaling has of a replication group or a cache of Memcached. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  replication_group_id:
    description:
      - The replication group.
    type: str
  cache_cluster_id:
    description:
      - The cache of Memcached.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then whether the cache is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(application-autoscaling:DescribeScalableTargets),
    C(application-autoscaling:DescribeScalingPolicies); with O(migration_name) C(elasticache:DescribeReplicationGroups),
    C(elasticache:DescribeCacheClusters), C(elasticache:DescribeCacheParameters), C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.cache_scaling
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read how a cache is scaled
  kempian.cache_migration.cache_scaling_info:
    replication_group_id: kempian-cache-prod
    region: us-east-1
  register: found
"""

RETURN = r"""
scaling:
  description:
    - How it is scaled, by dimension (C(NodeGroups), C(Replicas), C(Nodes)), each as RV(ignore:scaling) of
      M(kempian.cache_migration.cache_scaling). A dimension that AWS does not scale is not there.
  returned: always
  type: dict
  sample:
    NodeGroups:
      min_capacity: 2
      max_capacity: 6
      policies: []
ours:
  description:
    - Whether the cache is the migration's of O(migration_name); null where that is left out, or there is no such cache.
  returned: always
  type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.scaling import (
    SERVICE,
    read_cache,
    read_scaling,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import DIMENSIONS

_CACHES = ["replication_group_id", "cache_cluster_id"]
SPEC: dict[str, Any] = {
    "argument_spec": {name: {"type": "str"} for name in (*_CACHES, "migration_name")},
    "required_one_of": [_CACHES],
    "mutually_exclusive": [_CACHES],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    found, cache = {}, None
    with ending(module, SERVICE):
        client = module.client(SERVICE)
        for word, dimension in DIMENSIONS.items():
            name = (module.params[dimension.option] or "").lower()
            scaling = read_scaling(client, word, name) if name else None
            if scaling:
                found[word] = scaling.facts()
            if name and module.params["migration_name"] and cache is None:
                cache = read_cache(module.client("elasticache"), word, name)
    ours = ownership.ours_or_unknown(cache.tags, module.params["migration_name"]) if cache else None
    module.exit_json(changed=False, scaling=found, ours=ours)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
