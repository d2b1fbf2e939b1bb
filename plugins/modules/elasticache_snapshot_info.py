#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_snapshot_info
version_added: 0.2.0
short_description: Tell what snapshots of ElastiCache there are
description:
  - Reads one snapshot, those of one cache, or all of a region, with their tags, those that AWS made by itself too.
    Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  snapshot_name:
    description:
      - The name of a snapshot of nodes. None is told where there is no such snapshot.
    type: str
  serverless_cache_snapshot_name:
    description:
      - The name of a snapshot of a serverless cache.
    type: str
  replication_group_id:
    description:
      - Tell the snapshots of this replication group. Of one without cluster mode AWS tells the node of which a
        snapshot is, so state O(cache_cluster_id) there.
    type: str
  cache_cluster_id:
    description:
      - Tell the snapshots of this cache cluster.
    type: str
  serverless_cache_name:
    description:
      - Tell the snapshots of this serverless cache.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each snapshot whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(elasticache:DescribeSnapshots), C(elasticache:DescribeServerlessCacheSnapshots),
    C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.elasticache_snapshot
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read the snapshots of a cache
  kempian.cache_migration.elasticache_snapshot_info:
    cache_cluster_id: kempian-cache-prod-002
    migration_name: kempian-prod
    region: us-east-1
  register: found
"""

RETURN = r"""
snapshots:
  description: What there is, in the words of M(kempian.cache_migration.elasticache_snapshot).
  returned: always
  type: list
  elements: dict
  contains:
    snapshot_name:
      description: Its name. Of a serverless cache RV(ignore:serverless_cache_snapshot_name) stands in its place.
      type: str
      sample: kempian-prod-2026-12-01
    replication_group_id:
      description: The replication group that it is of, or empty. Of one without cluster mode AWS tells the node.
      type: str
      sample: kempian-cache-prod
    cache_cluster_id:
      description: The cache cluster that it is of, or empty.
      type: str
      sample: kempian-cache-prod-001
    serverless_cache_name:
      description: The serverless cache that it is of.
      type: str
      sample: kempian-cache-prod
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    snapshot_source:
      description: C(manual), or C(automated) where AWS made it by itself.
      type: str
      sample: manual
    engine:
      description: The engine that it is of.
      type: str
      sample: valkey
    engine_version:
      description: The version of the engine.
      type: str
      sample: "8.1"
    kms_key_id:
      description: The KMS key that it is encrypted with, or empty.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    size:
      description:
        - How large it is as AWS tells it, of each shard, or in bytes of a serverless cache; empty while that is not
          known.
      type: str
      sample: 5 MB
    create_time:
      description: Of when its data is, empty while that is not known.
      type: str
      sample: '2026-12-01T03:00:00+00:00'
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:snapshot:kempian-prod-2026-12-01
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is the migration's of O(migration_name); null where that is left out.
      type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import snapshots as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.snapshots import facts
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.kinds import OF_ELASTICACHE

_CACHES = tuple(option for kind in OF_ELASTICACHE for option in kind.cache_options)
_NAMES = tuple(kind.name_option for kind in OF_ELASTICACHE)
SPEC: dict[str, Any] = {
    "argument_spec": {name: {"type": "str"} for name in (*_NAMES, *_CACHES, "migration_name")},
    "mutually_exclusive": [[*_NAMES, *_CACHES]],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    stated = {name: module.params[name].lower() for name in (*_NAMES, *_CACHES) if module.params[name]}
    # What is stated says of which kind; both are told where nothing is.
    kinds = [kind for kind in OF_ELASTICACHE if not stated or set(stated) & {kind.name_option, *kind.cache_options}]
    found = []
    with ending(module):
        client = module.client("elasticache")
        for kind in kinds:
            if kind.name_option in stated:
                one = api.read_snapshot(client, kind, stated[kind.name_option])
                found += [one] if one else []
            else:
                found += api.read_snapshots(client, kind, stated)
    told = [facts(one, module.params["migration_name"]) for one in found]
    module.exit_json(changed=False, snapshots=told)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
