#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_cluster_info
version_added: 0.1.0
short_description: Tell what ElastiCache replication groups and cache clusters there are
description:
  - Reads one replication group or cache cluster, or all of a region, with their nodes, tags and endpoints. Changes
    nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  replication_group_id:
    description:
      - The name of a group. All groups are told where it and O(cache_cluster_id) are left out, and none where there is
        no such group.
    type: str
  cache_cluster_id:
    description:
      - The name of a cache cluster that is no replication group's, as one of Memcached. All are told where it and
        O(replication_group_id) are left out, and none where there is no such cluster.
    type: str
    version_added: 0.2.0
  migration_name:
    description:
      - The name of a migration. It is told then of each group and cluster whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters),
    C(elasticache:DescribeCacheParameters), C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.elasticache_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a group
  kempian.cache_migration.elasticache_cluster_info:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found

- name: Read a cluster of Memcached
  kempian.cache_migration.elasticache_cluster_info:
    cache_cluster_id: kempian-pages-prod
"""

RETURN = r"""
replication_groups:
  description: The groups, in the words of M(kempian.cache_migration.elasticache_cluster)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    replication_group_id:
      description: The name of the group.
      type: str
      sample: kempian-cache-prod
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:replicationgroup:kempian-cache-prod
    replication_group_description:
      description: What it is for.
      type: str
      sample: Kempian production cache
    engine:
      description: The engine.
      type: str
      sample: valkey
    engine_version:
      description: The version that runs, the lowest of its nodes.
      type: str
      sample: "8.1"
    cache_node_type:
      description: The type of its nodes.
      type: str
      sample: cache.t4g.small
    num_cache_clusters:
      description: How many nodes it has, those of all shards.
      type: int
      sample: 3
    num_node_groups:
      description: How many shards it has.
      type: int
      sample: 2
    replicas_per_node_group:
      description: How many replicas its shards have, by that which has fewest.
      type: int
      sample: 1
    node_group_configuration:
      description: Its shards.
      type: list
      elements: dict
      contains:
        node_group_id:
          description: The shard's id.
          type: str
          sample: "0001"
        slots:
          description: Its slots; empty where cluster mode is disabled.
          type: str
          sample: 0-8191
        replica_count:
          description: How many replicas it has.
          type: int
          sample: 1
        availability_zones:
          description: The zones of its nodes, the primary's not told apart.
          type: list
          elements: str
          sample: [us-east-1a, us-east-1b]
    cluster_mode:
      description: C(disabled), C(compatible) or C(enabled).
      type: str
      sample: enabled
    automatic_failover_enabled:
      description: Whether a replica takes over where the primary fails.
      type: bool
    multi_az_enabled:
      description: Whether it is spread over availability zones.
      type: bool
    cluster_enabled:
      description: Whether cluster mode is enabled.
      type: bool
    cache_subnet_group_name:
      description: Its subnet group.
      type: str
      sample: kempian-prod-cache
    cache_parameter_group_name:
      description: Its parameter group.
      type: str
      sample: kempian-prod-cache
    security_group_ids:
      description: Its security groups.
      type: list
      elements: str
      sample: [sg-0123456789abcdef0]
    user_group_ids:
      description: Its user groups.
      type: list
      elements: str
      sample: [kempian-prod]
    transit_encryption_enabled:
      description: Whether it speaks TLS.
      type: bool
    transit_encryption_mode:
      description: C(preferred), C(required), or empty without TLS.
      type: str
      sample: required
    at_rest_encryption_enabled:
      description: Whether its storage is encrypted, by AWS's storage type where that is told.
      type: bool
    kms_key_id:
      description: The KMS key, or empty.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    auth_token_enabled:
      description: Whether it has a token.
      type: bool
    data_tiering_enabled:
      description: Whether values are on disks too.
      type: bool
    durability:
      description: What is in force, C(sync), C(async) or C(disabled).
      type: str
      sample: sync
    port:
      description: Its TCP port.
      type: int
      sample: 6379
    network_type:
      description: The addresses of its nodes, C(ipv4), C(ipv6) or C(dual_stack).
      type: str
      sample: ipv4
    ip_discovery:
      description: By which addresses its nodes tell of each other.
      type: str
      sample: ipv4
    auto_minor_version_upgrade:
      description: Whether AWS may upgrade it to the next minor version.
      type: bool
    notification_topic_arn:
      description: The topic that is told of its events, or empty.
      type: str
      sample: arn:aws:sns:us-east-1:123456789012:kempian-prod
    notification_topic_status:
      description: C(active), C(inactive), or empty.
      type: str
      sample: active
    log_delivery_configurations:
      description: Where its logs go, as the option of M(kempian.cache_migration.elasticache_cluster).
      type: list
      elements: dict
    snapshot_retention_limit:
      description: For how many days daily snapshots are kept.
      type: int
      sample: 5
    snapshot_window:
      description: When the daily snapshot begins (UTC).
      type: str
      sample: 03:00-04:00
    preferred_maintenance_window:
      description: The weekly maintenance window (UTC).
      type: str
      sample: sun:05:00-sun:06:00
    pending:
      description: What AWS has queued, by option.
      type: dict
      sample: {}
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is the migration's of O(migration_name); null where that is left out.
      type: bool
    members:
      description: Its nodes.
      type: list
      elements: dict
      contains:
        cache_cluster_id:
          description: The node's id, the dimension of its metrics.
          type: str
          sample: kempian-cache-prod-001
        status:
          description: Its status.
          type: str
          sample: available
        role:
          description: C(primary) or C(replica); empty where cluster mode is enabled, as AWS does not tell it there.
          type: str
          sample: primary
        node_group_id:
          description: Its shard.
          type: str
          sample: "0001"
        availability_zone:
          description: Its availability zone.
          type: str
          sample: us-east-1a
        address:
          description: Its endpoint.
          type: str
          sample: kempian-cache-prod-001.kempian-cache-prod.abc123.use1.cache.amazonaws.com
        port:
          description: Its port.
          type: int
          sample: 6379
    endpoint:
      description: How clients reach it, as RV(ignore:endpoint) of M(kempian.cache_migration.elasticache_cluster).
      type: dict
cache_clusters:
  description: >-
    The cache clusters that are no replication group's, in the words of
    M(kempian.cache_migration.elasticache_cluster)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    cache_cluster_id:
      description: The name of the cluster.
      type: str
      sample: kempian-cache-prod-001
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:replicationgroup:kempian-cache-prod
    engine:
      description: C(memcached) or C(redis).
      type: str
      sample: valkey
    engine_version:
      description: The version that runs.
      type: str
      sample: 1.6.22
    cache_node_type:
      description: The type of its nodes.
      type: str
      sample: cache.t4g.small
    num_cache_nodes:
      description: How many nodes it has.
      type: int
      sample: 2
    az_mode:
      description: Whether its nodes lie in one zone (C(single-az)) or several (C(cross-az)).
      type: str
      sample: cross-az
    preferred_availability_zones:
      description: The zone of each of its nodes.
      type: list
      elements: str
      sample: [us-east-1a, us-east-1b]
    port:
      description: Its port.
      type: int
      sample: 6379
    transit_encryption_enabled:
      description: Whether it speaks TLS.
      type: bool
    pending:
      description: What AWS has queued, by option.
      type: dict
      sample: {}
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is the migration's of O(migration_name); null where that is left out.
      type: bool
    nodes:
      description: Its nodes.
      type: list
      elements: dict
      contains:
        cache_node_id:
          description: Its number, a dimension of its metrics.
          type: str
          sample: "0001"
        status:
          description: Its status.
          type: str
          sample: available
        availability_zone:
          description: Its availability zone.
          type: str
          sample: us-east-1a
        address:
          description: Its endpoint.
          type: str
          sample: kempian-cache-prod-001.kempian-cache-prod.abc123.use1.cache.amazonaws.com
        port:
          description: Its port.
          type: int
          sample: 6379
    endpoint:
      description: How clients reach it, as RV(ignore:endpoint) of M(kempian.cache_migration.elasticache_cluster).
      type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls, converge_cluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.converge import facts
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import CacheCluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    ReplicationGroup,
)

SPEC: dict[str, Any] = {
    "argument_spec": {
        "replication_group_id": {"type": "str"},
        "cache_cluster_id": {"type": "str"},
        "migration_name": {"type": "str"},
    },
    "supports_check_mode": True,
    "mutually_exclusive": [("replication_group_id", "cache_cluster_id")],
}


def serve(module: AnsibleAWSModule) -> None:
    group_id, cluster_id = module.params["replication_group_id"], module.params["cache_cluster_id"]
    groups: list[ReplicationGroup | None] = []
    clusters: list[CacheCluster | None] = []
    with ending(module):
        client = module.client("elasticache")
        if group_id:
            groups = [calls.read_replication_group(client, group_id.lower())]
        elif cluster_id:
            clusters = [calls.read_cache_cluster(client, cluster_id.lower())]
        else:
            groups = [*calls.read_replication_groups(client)]
            clusters = [*calls.read_cache_clusters(client)]
    name = module.params["migration_name"]
    module.exit_json(
        changed=False,
        replication_groups=[facts(group, name) for group in groups if group],
        cache_clusters=[
            converge_cluster.facts(cluster, name)
            for cluster in clusters
            if cluster and not cluster.replication_group_id
        ],
    )


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
