#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_cluster_info
version_added: 0.2.0
short_description: Tell what Amazon MemoryDB clusters there are
description:
  - Reads one cluster, or all of a region, with their shards, tags and endpoints. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  cluster_name:
    description:
      - The name of a cluster. All are told where it is left out, and none where there is no such cluster.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each cluster whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(memorydb:DescribeClusters), C(memorydb:ListTags).'
seealso:
  - module: kempian.cache_migration.memorydb_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a cluster
  kempian.cache_migration.memorydb_cluster_info:
    cluster_name: kempian-cache-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found
"""

RETURN = r"""
clusters:
  description: The clusters, in the words of M(kempian.cache_migration.memorydb_cluster)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    cluster_name:
      description: The name of the cluster.
      type: str
      sample: kempian-cache-prod
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:cluster/kempian-cache-prod
    description:
      description: What it is for.
      type: str
      sample: Kempian production cache
    engine:
      description: The engine.
      type: str
      sample: valkey
    engine_version:
      description: The version.
      type: str
      sample: "7.3"
    engine_patch_version:
      description: The version with its patch.
      type: str
      sample: 7.3.0
    node_type:
      description: The type of its nodes.
      type: str
      sample: db.r7g.large
    num_shards:
      description: How many shards it has.
      type: int
      sample: 2
    num_replicas_per_shard:
      description: How many replicas each shard has; while that changes, the fewest.
      type: int
      sample: 1
    acl_name:
      description: Its ACL.
      type: str
      sample: kempian-prod
    subnet_group_name:
      description: Its subnet group.
      type: str
      sample: kempian-prod-cache
    security_group_ids:
      description: Its security groups.
      type: list
      elements: str
      sample: [sg-0123456789abcdef0]
    parameter_group_name:
      description: Its parameter group.
      type: str
      sample: kempian-prod-cache
    port:
      description: Its port.
      type: int
      sample: 6379
    tls_enabled:
      description: Whether it speaks TLS.
      type: bool
    kms_key_id:
      description: The KMS key of its own, or empty.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    sns_topic_arn:
      description: The topic that is told of events, or empty.
      type: str
      sample: arn:aws:sns:us-east-1:123456789012:kempian-prod
    snapshot_retention_limit:
      description: For how many days daily snapshots are kept.
      type: int
      sample: 5
    snapshot_window:
      description: When the daily snapshot begins (UTC).
      type: str
      sample: 03:00-04:00
    maintenance_window:
      description: The weekly maintenance window (UTC).
      type: str
      sample: sun:05:00-sun:06:00
    auto_minor_version_upgrade:
      description: Whether AWS upgrades to minor versions by itself.
      type: bool
    data_tiering:
      description: Whether data lies on the nodes' own disks too.
      type: bool
    network_type:
      description: The addresses of its nodes.
      type: str
      sample: ipv4
    ip_discovery:
      description: Which addresses clients are told.
      type: str
      sample: ipv4
    multi_region_cluster_name:
      description: The multi-Region cluster that it is part of, or empty.
      type: str
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
        name:
          description: The node's name, a dimension of its metrics.
          type: str
          sample: kempian-cache-prod-0001-001
        shard:
          description: The name of its shard.
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
          sample: kempian-cache-prod-0001-001.kempian-cache-prod.abc123.memorydb.us-east-1.amazonaws.com
        port:
          description: Its port.
          type: int
          sample: 6379
    endpoint:
      description: How clients reach it, as RV(ignore:endpoint) of M(kempian.cache_migration.memorydb_cluster).
      type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb.converge import facts

SPEC: dict[str, Any] = {
    "argument_spec": {"cluster_name": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name = module.params["cluster_name"]
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        if name:
            cluster = calls.read_cluster(client, name.lower())
            clusters = [cluster] if cluster else []
        else:
            clusters = calls.read_clusters(client)
    told_of = [facts(cluster, module.params["migration_name"]) for cluster in clusters]
    module.exit_json(changed=False, clusters=told_of)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
