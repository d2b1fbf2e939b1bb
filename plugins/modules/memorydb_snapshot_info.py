#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_snapshot_info
version_added: 0.2.0
short_description: Tell what Amazon MemoryDB snapshots there are
description:
  - Reads one snapshot, those of one cluster, or all of a region, with their tags, those that AWS made by itself too.
    Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  snapshot_name:
    description:
      - The name of a snapshot. None is told where there is no such snapshot.
    type: str
  cluster_name:
    description:
      - Tell the snapshots of this cluster.
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
  - 'IAM actions: C(memorydb:DescribeSnapshots), C(memorydb:ListTags).'
seealso:
  - module: kempian.cache_migration.memorydb_snapshot
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read the snapshots of a cluster
  kempian.cache_migration.memorydb_snapshot_info:
    cluster_name: kempian-cache-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found

- name: Read one
  kempian.cache_migration.memorydb_snapshot_info:
    snapshot_name: kempian-prod-2026-12-01
    region: us-east-1
  register: found
"""

RETURN = r"""
snapshots:
  description: What there is, in the words of M(kempian.cache_migration.memorydb_snapshot).
  returned: always
  type: list
  elements: dict
  contains:
    snapshot_name:
      description: Its name.
      type: str
      sample: kempian-prod-2026-12-01
    cluster_name:
      description: The cluster that it is of.
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
      description: How large it is as AWS tells it, of each shard; empty while that is not known.
      type: str
    create_time:
      description: Of when its data is, empty while that is not known.
      type: str
      sample: '2026-12-01T03:00:00+00:00'
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:snapshot/kempian-prod-2026-12-01
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
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import snapshots as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.snapshots import facts

SPEC: dict[str, Any] = {
    "argument_spec": {name: {"type": "str"} for name in ("snapshot_name", "cluster_name", "migration_name")},
    "mutually_exclusive": [["snapshot_name", "cluster_name"]],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name, migration_name = module.params["snapshot_name"], module.params["migration_name"]
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        if name:
            one = api.read_snapshot(client, name.lower())
            found = [one] if one else []
        else:
            found = api.read_snapshots(client, (module.params["cluster_name"] or "").lower())
    module.exit_json(changed=False, snapshots=[facts(one, migration_name) for one in found])


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
