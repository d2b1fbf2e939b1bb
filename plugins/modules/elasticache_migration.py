#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_migration
version_added: 0.2.0
short_description: Have ElastiCache follow a Redis of one's own, and end that
description:
  - Begins, completes or ends an online migration of ElastiCache, by which AWS makes a replication group a replica of a
    Redis or Valkey that is not AWS's, until the group is made a primary again. While it follows it can be read, and
    takes no writes.
  - Before it begins, AWS is asked to try whether the group reaches the source (C(TestMigration)).
  - AWS's conditions of the group are checked before any call, and refused with what to change. No TLS, no token and no
    users; Multi-AZ; no cluster mode, as one engine is followed here; no data tiering, no durability, no global
    datastore; Redis OSS 5.0.6 or newer, or Valkey. Those of the source are AWS's to check, and
    M(kempian.cache_migration.cache_transfer) with the strategy V(managed) looks at them from a host.
  - Whether the group has all that the source has is told by no call of AWS. Read C(INFO replication) of both, as
    M(kempian.cache_migration.cache_transfer) does. V(completed) rests on AWS's own check that both are in sync.
  - Its state is read by M(kempian.cache_migration.elasticache_cluster_info), as the status C(migrating).
author:
  - The cache_migration authors (@cache-migration)
options:
  replication_group_id:
    description:
      - The replication group that follows.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the group belongs to, by its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) has the group follow the source. Where it follows one already, nothing is done, whichever that is.
      - V(completed) makes it a primary again, once AWS finds both in sync.
      - V(absent) makes it a primary again whatever has come by then (C(Force)). What has come stays in it.
    type: str
    choices: [present, completed, absent]
    default: present
  adopt:
    description:
      - Use a group that is not this migration's.
    type: bool
    default: false
  source_address:
    description:
      - The name or address of the source, as the group reaches it. Needed with O(state=present).
    type: str
  source_port:
    description:
      - The port of the source.
    type: int
    default: 6379
  wait:
    description:
      - Wait until the group follows, or does so no longer. Without it the task ends with RV(in_progress) where there is
        more to do, and the next run goes on.
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
  is_tested:
    description:
      - That AWS was asked to try the way, as RV(is_tested) of a run before tells.
    type: bool
    default: false
  seen:
    description:
      - Events that were there before, as RV(seen) of a run before tells. What failed is told by those that are new.
    type: list
    elements: str
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters),
    C(elasticache:DescribeCacheParameters), C(elasticache:ListTagsForResource), C(elasticache:DescribeEvents),
    C(elasticache:TestMigration), C(elasticache:StartMigration), C(elasticache:CompleteMigration).'
  - The security group of the source must let in that of the group.
seealso:
  - module: kempian.cache_migration.cache_transfer
  - name: Online migration
    description: What AWS says of it.
    link: https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/OnlineMigration.html
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Have the cache follow the old Redis
  kempian.cache_migration.elasticache_migration:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    source_address: 10.0.0.241
    region: us-east-1

- name: Have it take writes
  kempian.cache_migration.elasticache_migration:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    state: completed
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The calls that are made, or would be in check mode, in order.
  returned: always
  type: list
  elements: dict
  sample: [{'action': StartMigration, 'parameters': {'ReplicationGroupId': kempian-cache-prod},
    'reason': 'the target follows 10.0.0.241:6379, and takes no writes', 'disruptive': true}]
status:
  description: The group's status as AWS tells it, in lower case, or C(absent). C(migrating) while it follows.
  returned: always
  type: str
  sample: migrating
arn:
  description: The group's ARN.
  returned: always
  type: str
  sample: arn:aws:elasticache:us-east-1:123456789012:replicationgroup:kempian-cache-prod
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: 'kempian-cache-prod: StartMigration, modifying'
is_tested:
  description: Whether AWS was asked to try the way.
  returned: always
  type: bool
seen:
  description: The events that were there when it began.
  returned: always
  type: list
  elements: str
  sample: ['Replication group created (2026-12-01 12:00:00+00:00)']
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: source_address
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.online import go_on
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.online import Order

SPEC: dict[str, Any] = {
    "argument_spec": {
        "replication_group_id": {"type": "str", "required": True},
        "migration_name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "completed", "absent"], "default": "present"},
        "adopt": {"type": "bool", "default": False},
        "source_address": {"type": "str"},
        "source_port": {"type": "int", "default": 6379},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 3600},
        "wait_interval": {"type": "float", "default": 15},
        "is_tested": {"type": "bool", "default": False},
        "seen": {"type": "list", "elements": "str"},
    },
    "required_if": [["state", "present", ["source_address"]]],
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module):
        result = go_on(module.client("elasticache"), Order.from_params(module.params), module.check_mode)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
