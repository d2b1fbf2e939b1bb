#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_snapshot
version_added: 0.2.0
short_description: Make, copy, export or remove an Amazon MemoryDB snapshot
description:
  - Makes a snapshot of a cluster, or a copy of another snapshot, exports it to a bucket of S3, converges its tags, or
    removes it.
  - What is in a snapshot never changes. So one that is there is not made anew, and is refused where it is of another
    cluster or has another key than stated. Of what a copy was made AWS does not tell, and so it is not compared.
  - To restore from one, see O(kempian.cache_migration.memorydb_cluster#module:snapshot_name).
  - Options that are left out are not changed.
  - A snapshot is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used and
    exported with O(adopt=true) only, and are never tagged or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  snapshot_name:
    description:
      - The name of the snapshot, 1 to 255 letters, digits and hyphens, the first a letter. AWS stores it in lower case.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the snapshot belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes the snapshot where there is none. V(absent) deletes it where it is this migration's.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a snapshot that is not this migration's, as it is.
    type: bool
    default: false
  cluster_name:
    description:
      - Make it of this cluster.
    type: str
  source_snapshot_name:
    description:
      - Make it as a copy of this snapshot, which may be one that AWS made by itself (C(automatic.)).
    type: str
  kms_key_id:
    description:
      - The id or ARN of the KMS key that the snapshot is encrypted with. Cannot be changed; a copy may have another.
    type: str
  target_bucket:
    description:
      - Export the snapshot to this bucket of S3, of the same region, where it has no object of its name yet. The bucket
        must admit MemoryDB (C(<region>.memorydb-snapshot.amazonaws.com)) by its policy or its ACL.
    type: str
  target_snapshot_name:
    description:
      - The name in the bucket, before C(.rdb), the snapshot's own where it is left out. AWS appends the number of the
        shard (C(-0001)).
    type: str
  tags:
    description:
      - Tags of the snapshot, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  wait:
    description:
      - Wait until the snapshot is V(available), or gone. With V(false) the result may be RV(in_progress), and the next
        run goes on.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait in all. Running it again goes on.
    type: int
    default: 3600
  wait_interval:
    description:
      - How many seconds there are between two reads while it waits, at most.
    type: float
    default: 15
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(memorydb:DescribeSnapshots), C(memorydb:ListTags), C(memorydb:CreateSnapshot),
    C(memorydb:CopySnapshot), C(memorydb:DeleteSnapshot), C(memorydb:TagResource), C(memorydb:UntagResource); with
    O(target_bucket) C(s3:ListBucket), C(s3:GetBucketAcl), C(s3:GetBucketLocation), C(s3:ListAllMyBuckets) and
    C(s3:PutObject).'
seealso:
  - module: kempian.cache_migration.memorydb_snapshot_info
  - module: kempian.cache_migration.memorydb_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Keep what the cluster of development holds
  kempian.cache_migration.memorydb_snapshot:
    snapshot_name: kempian-dev-before-upgrade
    migration_name: kempian-dev
    cluster_name: kempian-cache-dev
    region: us-east-1

- name: Keep last night's snapshot of production, and have its files in a bucket
  kempian.cache_migration.memorydb_snapshot:
    snapshot_name: kempian-prod-2026-12-01
    migration_name: kempian-prod
    source_snapshot_name: automatic.kempian-cache-prod-2026-12-01-03-00
    target_bucket: kempian-cache-exports
    tags:
      team: kempian
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
      sample: CreateSnapshot
    parameters:
      description: Its parameters.
      type: dict
      sample: {SnapshotName: kempian-prod-2026-12-01, ClusterName: kempian-cache-prod}
    reason:
      description: Which options ask for it.
      type: str
    disruptive:
      description: Whether clients notice it.
      type: bool
snapshot:
  description: The snapshot; in check mode, as it would be.
  returned: O(state=present)
  type: dict
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
    exported:
      description:
        - Its objects in O(target_bucket), null where that is left out. In check mode one stands for those of all
          shards.
      type: list
      elements: str
      sample: [kempian-prod-2026-12-01-0001.rdb]
status:
  description: Its status as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: available
arn:
  description: Its ARN, empty while that is not known.
  returned: always
  type: str
  sample: arn:aws:memorydb:us-east-1:123456789012:snapshot/kempian-prod-2026-12-01
pending:
  description: Empty, as MemoryDB queues no change.
  returned: always
  type: dict
  sample: {}
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: "kempian-prod-2026-12-01: creating"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: kms_key_id
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb.snapshots import (
    make_absent,
    make_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.kinds import MEMORYDB
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.snapshots.snapshot import Desired

OPTIONS: dict[str, Any] = {
    "snapshot_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "cluster_name": {"type": "str"},
    "source_snapshot_name": {"type": "str"},
    "kms_key_id": {"type": "str", "no_log": False},
    "target_bucket": {"type": "str"},
    "target_snapshot_name": {"type": "str"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    make = make_present if module.params["state"] == "present" else make_absent
    with ending(module, "memorydb"):
        result = make(module.client, Desired.from_params(module.params, [MEMORYDB]), module.check_mode)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
