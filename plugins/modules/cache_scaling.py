#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_scaling
version_added: 0.2.0
short_description: Have AWS add and remove the nodes of a cache by itself
description:
  - Registers a cache of ElastiCache with Application Auto Scaling, with a policy that follows a metric, changes that,
    or takes it away.
  - AWS scales the shards and the replicas of replication groups with cluster mode enabled, of Redis OSS from 6.0 and
    Valkey from 7.2 on, with nodes of the sizes large, xlarge and 2xlarge; and the nodes of caches of Memcached. It
    does not scale replication groups without cluster mode, nor Amazon MemoryDB. Serverless caches scale by themselves,
    within their limits.
  - What AWS scales should not be stated elsewhere. Leave
    O(kempian.cache_migration.elasticache_cluster#module:num_node_groups), C(replicas_per_node_group) or
    C(num_cache_nodes) out once it is registered, or each run takes back what AWS has done. The roles leave
    them out by themselves where C(migration_scaling) is stated.
  - Options that are left out are not changed.
  - How a cache that is not this migration's scales is never changed. It is this migration's when its tag
    C(cache_migration:name) equals O(migration_name).
author:
  - The cache_migration authors (@cache-migration)
options:
  scalable_dimension:
    description:
      - What is added and removed. V(NodeGroups) are the shards of O(replication_group_id), V(Replicas) the replicas of
        each of its shards, V(Nodes) the nodes of O(cache_cluster_id).
    type: str
    choices: [NodeGroups, Replicas, Nodes]
    required: true
  replication_group_id:
    description:
      - The replication group that is scaled.
    type: str
  cache_cluster_id:
    description:
      - The cache of Memcached that is scaled.
    type: str
  migration_name:
    description:
      - The name of the migration that the cache belongs to.
    type: str
    required: true
  state:
    description:
      - V(present) registers and converges it. V(absent) takes it away with all of its policies; the cache stays as
        large as it is.
    type: str
    choices: [present, absent]
    default: present
  min_capacity:
    description:
      - There are never fewer. Needed to register.
    type: int
  max_capacity:
    description:
      - There are never more, of replicas at most 5. Needed to register.
    type: int
  policy_name:
    description:
      - The name of the policy, by default C(cache_migration-), O(migration_name) and O(scalable_dimension). Policies
        of other names are left alone.
    type: str
  predefined_metric_type:
    description:
      - The metric that the policy follows. By default that is C(ElastiCachePrimaryEngineCPUUtilization) for
        V(NodeGroups) and C(ElastiCacheReplicaEngineCPUUtilization) for V(Replicas). For V(Nodes) it must be stated.
    type: str
    choices:
      - ElastiCachePrimaryEngineCPUUtilization
      - ElastiCacheReplicaEngineCPUUtilization
      - ElastiCacheEngineCPUUtilization
      - ElastiCacheDatabaseMemoryUsagePercentage
      - ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage
      - ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage
  target_value:
    description:
      - Where the metric is held, as V(60) for 60 %. Needed to make a policy. Without a policy the cache is registered
        alone, as for scheduled actions of one's own.
    type: float
  scale_in_cooldown:
    description:
      - How long after something was removed nothing more is removed, in seconds.
    type: int
  scale_out_cooldown:
    description:
      - How long after something was added nothing more is added, in seconds.
    type: int
  disable_scale_in:
    description:
      - The policy adds and never removes.
    type: bool
  will_be:
    description:
      - What the cache is by then, where the same run makes or changes it first. In check mode whether AWS scales it is
        judged by this, in place of what is there. Else it is ignored, and what is there counts.
    type: dict
    suboptions:
      engine:
        description: The engine.
        type: str
      engine_version:
        description: Its version. Left out, any.
        type: str
      cache_node_type:
        description: The node type.
        type: str
      cluster_enabled:
        description: Whether cluster mode is enabled.
        type: bool
        default: false
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(application-autoscaling:DescribeScalableTargets),
    C(application-autoscaling:DescribeScalingPolicies), C(application-autoscaling:RegisterScalableTarget),
    C(application-autoscaling:PutScalingPolicy), C(application-autoscaling:DeregisterScalableTarget),
    C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters),
    C(elasticache:DescribeCacheParameters), C(elasticache:ListTagsForResource). AWS also asks for
    C(cloudwatch:PutMetricAlarm), C(cloudwatch:DescribeAlarms), C(cloudwatch:DeleteAlarms) and, at the first time in an
    account, C(iam:CreateServiceLinkedRole).'
seealso:
  - module: kempian.cache_migration.cache_scaling_info
  - module: kempian.cache_migration.elasticache_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Add a shard where the engines of prod are busy, and take it away again
  kempian.cache_migration.cache_scaling:
    scalable_dimension: NodeGroups
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    min_capacity: 2
    max_capacity: 6
    target_value: 60
    region: us-east-1

- name: Have AWS never scale the replicas of dev
  kempian.cache_migration.cache_scaling:
    scalable_dimension: Replicas
    replication_group_id: kempian-cache-dev
    migration_name: kempian-dev
    state: absent
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The calls that were to be made, in order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: PutScalingPolicy
    parameters:
      description: Its parameters.
      type: dict
      sample: {ResourceId: replication-group/kempian-cache-prod, MinCapacity: 2, MaxCapacity: 5}
    reason:
      description: Which options ask for it.
      type: str
    disruptive:
      description: Whether clients notice it.
      type: bool
scaling:
  description: How it is scaled; in check mode, as it would be.
  returned: O(state=present)
  type: dict
  contains:
    min_capacity:
      description: There are never fewer.
      type: int
      sample: 2
    max_capacity:
      description: There are never more.
      type: int
      sample: 5
    policies:
      description: The policies that follow a predefined metric, in the words of the options.
      type: list
      elements: dict
      sample:
        - policy_name: cache_migration-kempian-prod-NodeGroups
          predefined_metric_type: ElastiCachePrimaryEngineCPUUtilization
          target_value: 60.0
          scale_in_cooldown: null
          scale_out_cooldown: null
          disable_scale_in: false
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: max_capacity
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.scaling import make_absent, make_present
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.dimensions import (
    DIMENSIONS,
    METRICS,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.scaling.scaling import Desired

OPTIONS: dict[str, Any] = {
    "scalable_dimension": {"type": "str", "choices": list(DIMENSIONS), "required": True},
    "replication_group_id": {"type": "str"},
    "cache_cluster_id": {"type": "str"},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "min_capacity": {"type": "int"},
    "max_capacity": {"type": "int"},
    "policy_name": {"type": "str"},
    "predefined_metric_type": {"type": "str", "choices": list(METRICS)},
    "target_value": {"type": "float"},
    "scale_in_cooldown": {"type": "int"},
    "scale_out_cooldown": {"type": "int"},
    "disable_scale_in": {"type": "bool"},
    "will_be": {
        "type": "dict",
        "options": {
            "engine": {"type": "str"},
            "engine_version": {"type": "str"},
            "cache_node_type": {"type": "str"},
            "cluster_enabled": {"type": "bool", "default": False},
        },
    },
}
_CACHES = ["replication_group_id", "cache_cluster_id"]
SPEC: dict[str, Any] = {
    "argument_spec": OPTIONS,
    "required_one_of": [_CACHES],
    "mutually_exclusive": [_CACHES],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    make = make_present if module.params["state"] == "present" else make_absent
    with ending(module, "application-autoscaling"):
        result = make(module.client, Desired.from_params(module.params), module.check_mode)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
