#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_cluster
version_added: 0.2.0
short_description: Make, converge or remove an Amazon MemoryDB cluster
description:
  - Makes a cluster of MemoryDB for Redis OSS or Valkey, converges it, or removes it.
  - A cluster speaks the cluster protocol whatever the number of its shards, so that its clients need to be aware of
    clusters, and it has database 0 only.
  - Reads, plans and only then acts. What AWS cannot change in place is refused before anything is touched, with the
    reason and the way out.
  - Options that are left out are not changed. An empty text counts as left out, but for O(description) and
    O(sns_topic_arn).
  - Never waits in silence. It goes as far as it can, and the action plugin of the same name runs it again, with a line
    at each step, until the cluster is as stated or O(wait_timeout) has passed. A run that was killed is continued by
    running it again.
  - A cluster is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted. Members of multi-Region clusters are not handled.
author:
  - The cache_migration authors (@cache-migration)
options:
  cluster_name:
    description:
      - The name of the cluster.
      - 1 to 40 letters, digits and hyphens, the first a letter, no double hyphen and none at the end.
      - AWS stores it in lower case.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the cluster belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the cluster.
      - V(absent) deletes it where it is this migration's, and waits until it is gone. One of O(final_snapshot_name)
        and O(skip_final_snapshot) must be stated then.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a cluster that is not this migration's, as it is. What is stated is checked against it (but for its
        description and tags), and a difference is refused.
    type: bool
    default: false
  description:
    description:
      - What the cluster is for. A new one gets C(Cache of) and O(migration_name) where it is left out; an empty text is
        an empty description.
    type: str
  engine:
    description:
      - The engine. Where it is left out, a cluster that is there keeps its own, and a new one gets V(redis).
      - A cluster of Redis OSS is moved to Valkey in place, with an O(engine_version) stated beside it, and with a
        O(parameter_group_name) of the new family where it has one of its own. There is no way back in place.
    type: str
    choices: [redis, valkey]
  engine_version:
    description:
      - The version, as V(7.1), in quotes. AWS chooses where it is left out.
      - Redis OSS ends with 7.1, and Valkey begins with 7.2.
      - Upgrades are made in place; going back is refused.
    type: str
  node_type:
    description:
      - The type of each node, as V(db.t4g.small). Needed to make a cluster.
      - It changes in place to the types that AWS allows (ListAllowedNodeTypeUpdates); others are refused.
    type: str
  num_shards:
    description:
      - How many shards the keys are spread over. A new cluster has 1 where it is left out.
      - Shards come and go while the cluster serves; AWS moves the keys.
    type: int
  num_replicas_per_shard:
    description:
      - How many replicas each shard has beside its primary, 0 to 5. A new cluster has 1 where it is left out.
      - Without a replica there is nothing to fail over to.
    type: int
  acl_name:
    description:
      - The ACL, which says which users there are, see M(kempian.cache_migration.memorydb_acl). Needed to make a
        cluster.
      - V(open-access), which every account has, lets in without a password whoever O(security_group_ids) let through.
    type: str
  subnet_group_name:
    description:
      - The subnet group, see M(kempian.cache_migration.memorydb_subnet_group). A new cluster is placed in AWS's
        V(default) where it is left out. Cannot be changed in place.
    type: str
  security_group_ids:
    description:
      - The security groups that decide who reaches the nodes. They cannot all be taken away again.
      - In check mode, where there is no cluster yet, an item may be empty or V(after-apply), for a security group that
        could not be made in check mode.
    type: list
    elements: str
  parameter_group_name:
    description:
      - The parameter group, see M(kempian.cache_migration.memorydb_parameter_group), of the family of the version.
    type: str
  port:
    description:
      - The TCP port, 6379 where it is left out. Cannot be changed in place.
    type: int
  tls_enabled:
    description:
      - Clients speak TLS, as they do where it is left out. Without it the cluster has no users, so that
        O(acl_name=open-access). Cannot be changed in place.
    type: bool
  kms_key_id:
    description:
      - The id or ARN (no alias) of the KMS key for encryption at rest, which MemoryDB always has; AWS's own where it
        is left out. Cannot be changed in place.
    type: str
  sns_topic_arn:
    description:
      - The topic of SNS that AWS tells of events. An empty text switches it off.
    type: str
  snapshot_retention_limit:
    description:
      - For how many days daily snapshots are kept, 0 to 35; 0 is no snapshots.
    type: int
  snapshot_window:
    description:
      - When the daily snapshot begins (UTC), as V(05:00-06:00), at least an hour.
    type: str
  maintenance_window:
    description:
      - The weekly maintenance window (UTC), as V(sun:07:00-sun:08:00), at least an hour. It does not overlap
        O(snapshot_window).
    type: str
  auto_minor_version_upgrade:
    description:
      - AWS upgrades to minor versions by itself, as it does where it is left out. Cannot be changed in place.
    type: bool
  data_tiering:
    description:
      - Data lies on the nodes' own disks too. Goes with node types that have one, as V(db.r6gd.xlarge), and those with
        it only. Cannot be changed in place.
    type: bool
  network_type:
    description:
      - The addresses of the nodes. Cannot be changed in place.
    type: str
    choices: [ipv4, ipv6, dual_stack]
  ip_discovery:
    description:
      - By which addresses the nodes tell of each other.
    type: str
    choices: [ipv4, ipv6]
  snapshot_name:
    description:
      - The snapshot that a new cluster is restored from. The tag C(cache_migration:restored_from) keeps it, as AWS
        tells it no more; one that is there and was made otherwise is refused.
    type: str
  snapshot_arns:
    description:
      - Files of RDB in S3, as C(arn:aws:s3:::bucket/file.rdb), that a new cluster is restored from, kept in the same
        tag.
    type: list
    elements: str
  tags:
    description:
      - Tags of the cluster, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  final_snapshot_name:
    description:
      - With O(state=absent), the name of a last snapshot to keep.
    type: str
  skip_final_snapshot:
    description:
      - With O(state=absent), give the data up.
    type: bool
    default: false
  wait:
    description:
      - Wait until the cluster is as stated. With V(false) the result may be RV(in_progress), and only the steps that
        need no waiting are made.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait in all. Running it again goes on.
    type: int
    default: 3600
  wait_interval:
    description:
      - How many seconds there are between two reads while it waits, at most. The first reads follow sooner.
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
  - Runs where AWS is reached from, usually on the controller, once and not once a host.
  - MemoryDB queues no change for the maintenance window; every change is applied at once.
  - 'IAM actions: C(memorydb:DescribeClusters), C(memorydb:ListTags), C(memorydb:ListAllowedNodeTypeUpdates),
    C(memorydb:DescribeEvents), C(memorydb:CreateCluster), C(memorydb:UpdateCluster), C(memorydb:TagResource),
    C(memorydb:UntagResource), C(memorydb:DeleteCluster), C(memorydb:CreateSnapshot).'
seealso:
  - module: kempian.cache_migration.memorydb_cluster_info
  - module: kempian.cache_migration.memorydb_subnet_group
  - module: kempian.cache_migration.memorydb_parameter_group
  - module: kempian.cache_migration.memorydb_acl
  - name: AWS, CreateCluster
    description: What each option means to AWS.
    link: https://docs.aws.amazon.com/memorydb/latest/APIReference/API_CreateCluster.html
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make a small cluster for development, open to whoever its security group lets through
  kempian.cache_migration.memorydb_cluster:
    cluster_name: kempian-cache-dev
    migration_name: kempian-dev
    node_type: db.t4g.small
    num_replicas_per_shard: 0
    acl_name: open-access
    subnet_group_name: kempian-dev-cache
    security_group_ids: [sg-0123456789abcdef0]
    region: us-east-1

- name: Make the cluster of production, or converge it
  kempian.cache_migration.memorydb_cluster:
    cluster_name: kempian-cache-prod
    migration_name: kempian-prod
    engine: valkey
    engine_version: "7.3"
    node_type: db.r7g.large
    num_shards: 2
    num_replicas_per_shard: 1
    acl_name: kempian-prod
    subnet_group_name: kempian-prod-cache
    security_group_ids: [sg-0123456789abcdef0]
    snapshot_retention_limit: 7
    snapshot_window: 05:00-06:00
    maintenance_window: sun:07:00-sun:08:00
    region: us-east-1
  register: cache

- name: Restore another from its last snapshot
  kempian.cache_migration.memorydb_cluster:
    cluster_name: kempian-cache-restored
    migration_name: kempian-prod
    node_type: db.r7g.large
    acl_name: kempian-prod
    snapshot_name: kempian-cache-prod-last

- name: Remove it, and keep its data
  kempian.cache_migration.memorydb_cluster:
    cluster_name: kempian-cache-prod
    migration_name: kempian-prod
    state: absent
    final_snapshot_name: kempian-cache-prod-last
"""

RETURN = r"""
plan:
  description: The calls that were to be made, in order. Of a task that waited, those of its first plan.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: UpdateCluster
    parameters:
      description: Its parameters.
      type: dict
      sample: {"ClusterName": "kempian-cache-prod", "ShardConfiguration": {"ShardCount": 3}}
    reason:
      description: Which options ask for it.
      type: str
      sample: "num_shards: 2 -> 3; slots move while it serves"
    disruptive:
      description: Whether clients notice it.
      type: bool
endpoint:
  description: How clients reach the cluster; a placeholder while that is not known.
  returned: O(state=present)
  type: dict
  contains:
    service:
      description: The service, C(memorydb).
      type: str
      sample: memorydb
    name:
      description: The name of the cluster.
      type: str
      sample: kempian-cache-prod
    protocol:
      description: What is spoken, C(redis-cluster).
      type: str
      sample: redis-cluster
    address:
      description: The cluster's endpoint; C(after-apply.invalid) while it is not known.
      type: str
      sample: clustercfg.kempian-cache-prod.xxxxxx.memorydb.us-east-1.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 6379
    reader_address:
      description: Empty, as clients of clusters find replicas by themselves.
      type: str
    reader_port:
      description: Its port, 0 as there is none.
      type: int
      sample: 0
    nodes:
      description: The nodes, as far as their addresses are told.
      type: list
      elements: dict
      contains:
        name:
          description: The node's name.
          type: str
          sample: kempian-cache-prod-0001-001
        address:
          description: The node's endpoint.
          type: str
          sample: kempian-cache-prod-0001-001.kempian-cache-prod.abc123.memorydb.us-east-1.amazonaws.com
        port:
          description: Its port.
          type: int
          sample: 6379
    tls:
      description: Whether clients speak TLS.
      type: bool
    auth:
      description: How clients authenticate, C(none) with the ACL C(open-access), else C(rbac).
      type: str
      sample: rbac
    username:
      description: Empty, as an ACL has more users than one.
      type: str
      sample: kempian
    databases:
      description: How many databases are served, 1.
      type: int
      sample: 1
    engine:
      description: The engine.
      type: str
      sample: valkey
    engine_version:
      description: The version that runs, or is stated.
      type: str
      sample: "7.3"
    state:
      description: C(known), or C(after_apply) for a placeholder.
      type: str
      sample: known
status:
  description: The status of the cluster as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: available
arn:
  description: The ARN of the cluster, empty where there is none.
  returned: always
  type: str
  sample: arn:aws:memorydb:us-east-1:123456789012:cluster/kempian-cache-prod
pending:
  description: Empty, as MemoryDB queues no change.
  returned: always
  type: dict
  sample: {}
monthly_cost:
  description: What the nodes cost on demand in a month of 730 hours, where a price is known.
  returned: O(state=present)
  type: dict
  contains:
    usd:
      description: US dollars a month; null where no price is known.
      type: float
    nodes:
      description: The nodes that are counted.
      type: int
      sample: 4
    usd_per_node_hour:
      description: US dollars a node and hour; null where no price is known.
      type: float
    source:
      description: The price list, with its region and date.
      type: str
    note:
      description: How it is reckoned, or that it is unknown and why.
      type: str
    instead:
      description: What the same nodes would cost with a cheaper engine; null where none is known.
      type: dict
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: "kempian-cache-prod: updating"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: subnet_group_name
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb.converge import (
    make_absent,
    make_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.desired import (
    Deletion,
    Desired,
)

OPTIONS = {
    "cluster_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "description": {"type": "str"},
    "engine": {"type": "str", "choices": ["redis", "valkey"]},
    "engine_version": {"type": "str"},
    "node_type": {"type": "str"},
    "num_shards": {"type": "int"},
    "num_replicas_per_shard": {"type": "int"},
    "acl_name": {"type": "str"},
    "subnet_group_name": {"type": "str"},
    "security_group_ids": {"type": "list", "elements": "str"},
    "parameter_group_name": {"type": "str"},
    "port": {"type": "int"},
    "tls_enabled": {"type": "bool"},
    "kms_key_id": {"type": "str", "no_log": False},
    "sns_topic_arn": {"type": "str"},
    "snapshot_retention_limit": {"type": "int"},
    "snapshot_window": {"type": "str"},
    "maintenance_window": {"type": "str"},
    "auto_minor_version_upgrade": {"type": "bool"},
    "data_tiering": {"type": "bool"},
    "network_type": {"type": "str", "choices": ["ipv4", "ipv6", "dual_stack"]},
    "ip_discovery": {"type": "str", "choices": ["ipv4", "ipv6"]},
    "snapshot_name": {"type": "str"},
    "snapshot_arns": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "final_snapshot_name": {"type": "str"},
    "skip_final_snapshot": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        if module.params["state"] == "absent":
            result = make_absent(client, Deletion.from_params(module.params), module.check_mode)
        else:
            desired = Desired.from_params(module.params, allow_placeholders=module.check_mode)
            result = make_present(client, desired, module.region, module.check_mode)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
