#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_cluster
version_added: 0.1.0
short_description: Make, converge or remove an ElastiCache replication group, or a cluster of Memcached
description:
  - Makes a replication group of ElastiCache for Redis OSS or Valkey, with cluster mode or without, converges it, or
    removes it.
  - With O(cache_cluster_id), does the same with a cache cluster that is no replication group's. One of Memcached has
    one or more nodes and a configuration endpoint, which tells clients of the nodes (auto discovery). One of Redis OSS
    is a node by itself.
  - Reads, plans and only then acts. What AWS cannot change in place is refused before anything is touched, with the
    reason and the way out. A group is never replaced.
  - Options that are left out, or are an empty text, are not changed.
  - Never waits in silence. It goes as far as it can, and the action plugin of the same name runs it again, with a line
    at each step, until the group is as stated or O(wait_timeout) has passed. A run that was killed is continued by
    running it again.
  - A group is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  replication_group_id:
    description:
      - The name of the replication group. One of it and O(cache_cluster_id) is needed.
      - 1 to 40 letters, digits and hyphens, the first a letter, no double hyphen and none at the end.
      - AWS stores it in lower case.
    type: str
  cache_cluster_id:
    description:
      - The name of a cache cluster, of Memcached or a node of Redis OSS by itself.
      - 1 to 50 letters, digits and hyphens, the first a letter, no double hyphen and none at the end.
      - A node of a replication group is refused, as it is changed with its group.
    type: str
    version_added: 0.2.0
  migration_name:
    description:
      - The name of the migration that the group belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the group.
      - V(absent) deletes it where it is this migration's, and waits until it is gone. One of
        O(final_snapshot_identifier) and O(skip_final_snapshot) must be stated then, but for Memcached, which has no
        snapshots.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a group that is not this migration's, as it is. What is stated is checked against it (but for its
        description and tags), and a difference is refused.
    type: bool
    default: false
  replication_group_description:
    description:
      - What the group is for. A new group gets C(Cache of) and O(migration_name) where it is left out.
    type: str
  engine:
    description:
      - The engine. Where it is left out, a group that is there keeps its own, and a new one gets V(redis).
      - Of O(cache_cluster_id) it is V(memcached), which a new one gets, or V(redis), and does not change in place.
      - A group of Redis OSS is moved to Valkey in place, and one of Valkey 7.2 back to Redis OSS 7.1. Then
        O(engine_version) must be stated with it, and a O(cache_parameter_group_name) of the new family where the group
        has one of its own. Clients notice it as an upgrade; below Redis OSS 5.0.6 they are cut off for 30 to 60 s.
      - Redis OSS takes user groups of its own engine only, so that a group with others is not moved back.
    type: str
    choices: [redis, valkey, memcached]
  engine_version:
    description:
      - The version, as V(7.1), V(6.x) or V(5.0.6), of Memcached as V(1.6.22), in quotes. AWS chooses where it is
        left out.
      - Redis OSS ends with 7.1, and Valkey begins with 7.2.
      - Upgrades are made in place; going back is refused.
    type: str
  cache_node_type:
    description:
      - The type of each node, as V(cache.t3.small). Needed to make a group.
      - It changes in place to the types that AWS allows (ListAllowedNodeTypeModifications); others are refused.
    type: str
  num_cache_clusters:
    description:
      - How many nodes there are, the primary counted, 1 to 6, of a group whose cluster mode is not enabled. A new group
        has 1 where it is left out.
      - Replicas come and go at once, whatever O(apply_immediately) says.
    type: int
  num_cache_nodes:
    description:
      - How many nodes a cluster of Memcached has; a new one has 1 where it is left out. Redis OSS has 1.
      - Nodes with the highest numbers go first. Whenever the number changes, clients spread their keys anew, and miss
        many of them at first.
      - How many there can be is a quota of the account, 40 by default.
    type: int
    version_added: 0.2.0
  az_mode:
    description:
      - Whether the nodes of a cluster of Memcached lie in one zone or several. V(cross-az) needs 2 nodes.
      - Nodes stay in their zones, so that it changes only where nodes are added.
    type: str
    choices: [single-az, cross-az]
    version_added: 0.2.0
  preferred_availability_zone:
    description:
      - The zone of all nodes of a cache cluster. Cannot be changed in place.
    type: str
    version_added: 0.2.0
  preferred_availability_zones:
    description:
      - The zones of the nodes of a cluster of Memcached, as many as it has nodes, in any order. For nodes that are
        added, those are sent that no node is in yet.
    type: list
    elements: str
    version_added: 0.2.0
  scale_config:
    description:
      - How a cluster of Memcached goes over to another O(cache_node_type), node by node. It changes nothing by itself.
    type: dict
    suboptions:
      scale_percentage:
        description:
          - How many of the nodes are replaced at a time, 10 to 100 per cent; AWS takes 20 where it is left out.
        type: int
      scale_interval_minutes:
        description:
          - How long AWS waits between two lots, 2 to 30 minutes; 5 where it is left out.
        type: int
    version_added: 0.2.0
  cluster_mode:
    description:
      - V(disabled) keeps all data in one shard, which any client reads.
      - V(enabled) spreads the keys over shards, by slots. Clients must be cluster-aware, and there is one database, but
        for Valkey from 9.0 on, whose parameter groups may have C(cluster-databases).
      - V(compatible) has one shard that clients of both kinds read, with database 0 alone. AWS changes neither the
        nodes nor the version in it.
      - It goes up in place, by V(compatible), and from that back; from V(enabled) there is no way back. From Redis OSS
        7.0 and Valkey 7.2 on, with O(automatic_failover_enabled=true), a replica and O(apply_immediately=true).
      - A group with a O(cache_parameter_group_name) of its own needs one with C(cluster-enabled) for it; AWS's own it
        chooses itself.
      - Where it is left out, a new group has it enabled where more than one shard is stated, or by its parameter group.
    type: str
    version_added: 0.2.0
    choices: [disabled, compatible, enabled]
  num_node_groups:
    description:
      - How many shards there are. More than one needs O(cluster_mode=enabled).
      - Shards come and go at once, whatever O(apply_immediately) says, while AWS moves the slots; those with the
        highest ids go first.
    type: int
    version_added: 0.2.0
  replicas_per_node_group:
    description:
      - How many replicas each shard has, 0 to 5. A new group has none where it is left out.
      - Replicas come and go at once, whatever O(apply_immediately) says.
    type: int
    version_added: 0.2.0
  node_group_configuration:
    description:
      - The shards one by one, in place of O(num_node_groups) or beside it.
      - Ids, slots and zones are those of a new group, and another statement is refused for one that is there. Replicas
        come and go by O(node_group_configuration[].replica_count).
      - Where data is restored from O(snapshot_arns) into shards, it must be stated, with the slots.
    type: list
    version_added: 0.2.0
    elements: dict
    suboptions:
      node_group_id:
        description: The shard's id, 1 to 4 letters and digits, as V("0001"). AWS gives one where it is left out.
        type: str
      slots:
        description: Its slots, as V(0-8191). Those of all shards are 0 to 16383 together.
        type: str
      replica_count:
        description: How many replicas it has; O(replicas_per_node_group) where it is left out.
        type: int
      primary_availability_zone:
        description: The zone of its primary.
        type: str
      replica_availability_zones:
        description: The zones of its replicas, as many as there are.
        type: list
        elements: str
  automatic_failover_enabled:
    description:
      - A replica takes over where the primary fails. Needs at least 2 nodes.
      - With O(cluster_mode=enabled) AWS has nothing else, so that it may be left out.
    type: bool
  multi_az_enabled:
    description:
      - Replicas are in other availability zones than the primary. Needs O(automatic_failover_enabled=true), and a
        replica in every shard.
    type: bool
  preferred_cache_cluster_azs:
    description:
      - The availability zone of each node, the primary's first, as many as O(num_cache_clusters), which is 1 where that
        is left out.
      - Replicas that are added later are placed by it too. Nodes do not move, so that other zones than those of the
        nodes that are there are refused.
    type: list
    elements: str
  cache_subnet_group_name:
    description:
      - The subnet group, see M(kempian.cache_migration.elasticache_subnet_group). Cannot be changed in place.
    type: str
  security_group_ids:
    description:
      - The security groups that decide who reaches the nodes. An empty list counts as left out.
      - In check mode, where there is no replication group yet, an item may be empty or V(after-apply), for a security
        group that could not be made in check mode.
    type: list
    elements: str
  cache_parameter_group_name:
    description:
      - The parameter group, see M(kempian.cache_migration.elasticache_parameter_group), of the family of the version.
    type: str
  port:
    description:
      - The TCP port, 6379 where it is left out, and 11211 of Memcached. Cannot be changed in place.
    type: int
  network_type:
    description:
      - The addresses of the nodes; V(ipv4) where it is left out. Cannot be changed in place.
    type: str
    version_added: 0.2.0
    choices: [ipv4, ipv6, dual_stack]
  ip_discovery:
    description:
      - By which addresses the nodes tell of each other. V(ipv6) needs O(network_type) V(ipv6) or V(dual_stack).
    type: str
    version_added: 0.2.0
    choices: [ipv4, ipv6]
  transit_encryption_enabled:
    description:
      - Clients speak TLS. Can be changed in place from version 7.0.5 on, and only with O(apply_immediately=true).
      - Of Memcached from 1.6.12 on, when it is made and not afterwards.
    type: bool
  transit_encryption_mode:
    description:
      - V(preferred) serves clients with and without TLS, V(required) those with TLS only.
      - To bring TLS to a group that is in use, state V(preferred), move the clients, then state V(required).
      - A new group may state it from version 7.0.5 on, and V(preferred) only without a token.
    type: str
    choices: [preferred, required]
  at_rest_encryption_enabled:
    description:
      - Data on disk and in snapshots is encrypted. Cannot be changed in place. Where it is left out, a new group of
        Valkey is encrypted, and one of Redis OSS is not.
    type: bool
  kms_key_id:
    description:
      - The id or ARN (no alias) of the KMS key for encryption at rest. Cannot be changed in place.
    type: str
  auth_token:
    description:
      - The token (password) of the group. Needs TLS.
      - "16 to 128 letters and digits, and of other characters only ! & # $ ^ < > -."
      - AWS never gives a token back. Where the group has one, it is taken to be this one, unless
        O(auth_token_update_strategy) says to change it.
    type: str
  auth_token_update_strategy:
    description:
      - Change the token of a group that exists, by one call of its own, in this task. Leave it out afterwards, as every
        task that states V(rotate) or V(set) makes the call.
      - V(rotate) makes O(auth_token) valid beside the token before it. On a group without a token, clients without one
        are still served then.
      - V(set) makes O(auth_token) the only valid one.
      - V(delete) takes the token away in the call that gives the group O(user_group_ids), so that it is open to all at
        no time. O(auth_token) is left out with it.
      - V(keep) changes nothing, and waits until the group shows that it has a token.
    type: str
    choices: [rotate, set, delete, keep]
  user_group_ids:
    description:
      - The user groups whose users may use the group, see M(kempian.cache_migration.elasticache_user_group). Needs TLS,
        and stands in place of O(auth_token).
      - They are changed at once, by a call of their own.
      - An empty list takes them away, with O(auth_token) and O(auth_token_update_strategy=set) only.
    type: list
    version_added: 0.2.0
    elements: str
  data_tiering_enabled:
    description:
      - Values that are seldom used are on the nodes' disks. Of the node types C(cache.r6gd) only, which have it always.
        Cannot be changed in place.
    type: bool
    version_added: 0.2.0
  durability:
    description:
      - V(sync) keeps each write in more than one zone before it is answered, V(async) soon after, so that a failure may
        lose up to 10 s of them. V(disabled) keeps data in memory alone.
      - From Valkey 9.0 on, with O(cluster_mode=enabled), O(multi_az_enabled=true), a replica in every shard, TLS, and
        node types of r6g, r7g, r8g, m6g, m7g, m8g, c7gn and c8gn. It encrypts data at rest.
      - It is changed at once, by a call of its own.
    type: str
    version_added: 0.2.0
    choices: [sync, async, disabled]
  snapshot_name:
    description:
      - The snapshot that a new group is restored from. Engine, version, node type and shards are those of the snapshot
        where they are left out.
      - It is kept in the tag C(cache_migration:restored_from), and another one is refused for a group that is there.
    type: str
    version_added: 0.2.0
  snapshot_arns:
    description:
      - RDB files in S3 that a new group is restored from, as V(arn:aws:s3:::bucket/dump.rdb), which ElastiCache must be
        allowed to read. Another one is refused for a group that is there, as of O(snapshot_name).
    type: list
    version_added: 0.2.0
    elements: str
  snapshot_retention_limit:
    description:
      - For how many days daily snapshots are kept, 0 to 35; 0 is no snapshots.
    type: int
  snapshot_window:
    description:
      - When the daily snapshot begins (UTC), as V(05:00-06:00), at least an hour.
    type: str
  preferred_maintenance_window:
    description:
      - The weekly maintenance window (UTC), as V(sun:07:00-sun:08:00), at least an hour. It does not overlap
        O(snapshot_window).
    type: str
  auto_minor_version_upgrade:
    description:
      - AWS may upgrade the group to the next minor version in its campaigns. Known from version 6.0 on.
    type: bool
    version_added: 0.2.0
  notification_topic_arn:
    description:
      - The topic of SNS that is told of the group's events.
    type: str
    version_added: 0.2.0
  notification_topic_status:
    description:
      - V(inactive) tells the topic nothing. Left out, a topic that is stated is told.
    type: str
    version_added: 0.2.0
    choices: [active, inactive]
  log_delivery_configurations:
    description:
      - Where the logs go. A log that is not stated is not delivered any more, and an empty list ends both.
      - From Redis OSS 6.0 (slow log) and 6.2 (engine log) on.
    type: list
    version_added: 0.2.0
    elements: dict
    suboptions:
      log_type:
        description: Which log.
        type: str
        choices: [slow-log, engine-log]
        required: true
      destination_type:
        description: What the destination is.
        type: str
        choices: [cloudwatch-logs, kinesis-firehose]
        required: true
      destination:
        description: The name of the log group, or of the delivery stream.
        type: str
        required: true
      log_format:
        description: The format of its lines.
        type: str
        choices: [text, json]
        default: json
  tags:
    description:
      - Tags of the group, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  apply_immediately:
    description:
      - Apply changes at once. With V(false) AWS queues a change of the engine, the version, the node type or automatic
        failover for the maintenance window; it is told in RV(pending), and not planned again.
      - AWS does not tell whether a change of O(multi_az_enabled) is queued, so with V(false) it is taken together with
        one of O(automatic_failover_enabled) only.
      - A change that is applied at once also brings all that is queued.
    type: bool
    default: true
  final_snapshot_identifier:
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
      - Wait until the group is as stated. With V(false) the result may be RV(in_progress), and only the steps that
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
    description: Shows what changes, a token as C(***).
    support: full
notes:
  - Runs where AWS is reached from, usually on the controller, once and not once a host.
  - 'IAM actions: C(elasticache:DescribeReplicationGroups), C(elasticache:DescribeCacheClusters),
    C(elasticache:DescribeCacheParameters), C(elasticache:ListTagsForResource),
    C(elasticache:ListAllowedNodeTypeModifications), C(elasticache:CreateReplicationGroup),
    C(elasticache:AddTagsToResource), C(elasticache:RemoveTagsFromResource), C(elasticache:ModifyReplicationGroup),
    C(elasticache:IncreaseReplicaCount), C(elasticache:DecreaseReplicaCount),
    C(elasticache:ModifyReplicationGroupShardConfiguration), C(elasticache:DescribeSnapshots),
    C(elasticache:DescribeEvents), C(elasticache:DeleteReplicationGroup), C(elasticache:CreateSnapshot); of
    O(cache_cluster_id) also C(elasticache:CreateCacheCluster), C(elasticache:ModifyCacheCluster),
    C(elasticache:DeleteCacheCluster).'
seealso:
  - module: kempian.cache_migration.elasticache_cluster_info
  - module: kempian.cache_migration.elasticache_subnet_group
  - module: kempian.cache_migration.elasticache_parameter_group
  - module: kempian.cache_migration.elasticache_user_group
  - name: AWS, CreateReplicationGroup
    description: What each option means to AWS.
    link: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make a cache for development, of one node
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-dev
    migration_name: kempian-dev
    engine: valkey
    engine_version: "8.0"
    cache_node_type: cache.t4g.micro
    cache_subnet_group_name: kempian-cache
    security_group_ids: [sg-0123456789abcdef0]
    region: us-east-1

- name: Make the cache of production, or converge it
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    replication_group_description: Kempian production cache
    engine_version: "7.1"
    cache_node_type: cache.t3.small
    num_cache_clusters: 2
    automatic_failover_enabled: true
    multi_az_enabled: true
    preferred_cache_cluster_azs: [us-east-1a, us-east-1b]
    cache_subnet_group_name: kempian-cache
    security_group_ids: [sg-0123456789abcdef0]
    transit_encryption_enabled: true
    at_rest_encryption_enabled: true
    auth_token: "{{ cache_token }}"
    snapshot_retention_limit: 5
    region: us-east-1
  register: cache

- name: Make a cache of two shards with a replica each, which keeps every write
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-sessions-prod
    migration_name: kempian-prod
    engine: valkey
    engine_version: "9.0"
    cache_node_type: cache.r7g.large
    cluster_mode: enabled
    num_node_groups: 2
    replicas_per_node_group: 1
    multi_az_enabled: true
    durability: sync
    transit_encryption_enabled: true
    user_group_ids: [kempian-prod]
    cache_subnet_group_name: kempian-cache
    security_group_ids: [sg-0123456789abcdef0]
    log_delivery_configurations:
      - log_type: slow-log
        destination_type: cloudwatch-logs
        destination: /elasticache/kempian-sessions-prod
    region: us-east-1

- name: Give it a third shard; slots move while it serves
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-sessions-prod
    migration_name: kempian-prod
    num_node_groups: 3

- name: Move it to Valkey in place
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    engine: valkey
    engine_version: "8.0"

- name: Rotate its token; the one before stays valid until it is set
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    auth_token: "{{ new_cache_token }}"
    auth_token_update_strategy: rotate

- name: Have users in place of the token, once every client has its own
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    user_group_ids: [kempian-prod]
    auth_token_update_strategy: delete

- name: Make a cluster of Memcached with two nodes, in two zones, that speaks TLS
  kempian.cache_migration.elasticache_cluster:
    cache_cluster_id: kempian-pages-prod
    migration_name: kempian-prod
    engine: memcached
    engine_version: "1.6.22"
    cache_node_type: cache.t4g.small
    num_cache_nodes: 2
    preferred_availability_zones: [us-east-1a, us-east-1b]
    cache_subnet_group_name: kempian-cache
    security_group_ids: [sg-0123456789abcdef0]
    transit_encryption_enabled: true
    region: us-east-1

- name: Make one of a single node for development
  kempian.cache_migration.elasticache_cluster:
    cache_cluster_id: kempian-pages-dev
    migration_name: kempian-dev
    cache_node_type: cache.t4g.micro

- name: Remove it, and keep its data
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    state: absent
    final_snapshot_identifier: kempian-cache-prod-last

- name: Make it again from that data
  kempian.cache_migration.elasticache_cluster:
    replication_group_id: kempian-cache-prod
    migration_name: kempian-prod
    snapshot_name: kempian-cache-prod-last
    cache_subnet_group_name: kempian-cache
    security_group_ids: [sg-0123456789abcdef0]
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
      sample: ModifyReplicationGroup
    parameters:
      description: Its parameters, a token as C(***).
      type: dict
      sample: {ReplicationGroupId: kempian-cache-prod, CacheNodeType: cache.t4g.small, ApplyImmediately: true}
    reason:
      description: Which options ask for it.
      type: str
      sample: "cache_node_type: cache.t3.small -> cache.t3.medium"
    disruptive:
      description: Whether clients notice it.
      type: bool
endpoint:
  description: How clients reach the group; a placeholder while that is not known.
  returned: O(state=present)
  type: dict
  contains:
    service:
      description: The service, C(elasticache), or C(elasticache-memcached).
      type: str
      sample: elasticache
    name:
      description: The name of the group.
      type: str
      sample: kempian-cache-prod
    protocol:
      description: >-
        What clients must speak, C(redis), C(redis-cluster) where cluster mode is enabled, or C(memcached).
      type: str
      sample: redis-cluster
    address:
      description: >-
        The primary endpoint, or of Memcached and with cluster mode enabled the configuration endpoint;
        C(after-apply.invalid) while it is not known.
      type: str
      sample: clustercfg.kempian-sessions-prod.abc123.use1.cache.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 6379
    reader_address:
      description: The reader endpoint; empty where cluster mode is enabled.
      type: str
      sample: replica.kempian-cache-prod.abc123.use1.cache.amazonaws.com
    reader_port:
      description: Its port.
      type: int
      sample: 6379
    nodes:
      description: >-
        The nodes. Never point an app at one, as it does not follow a failover; a client of Memcached without auto
        discovery is given all of them.
      type: list
      elements: dict
      contains:
        name:
          description: The node's id.
          type: str
          sample: kempian-sessions-prod-0001-001
        address:
          description: The node's endpoint.
          type: str
          sample: kempian-cache-prod-001.kempian-cache-prod.abc123.use1.cache.amazonaws.com
        port:
          description: Its port.
          type: int
          sample: 6379
    tls:
      description: Whether clients speak TLS.
      type: bool
    auth:
      description: How clients authenticate, one of C(none), C(token) and C(rbac).
      type: str
      sample: rbac
    username:
      description: The user's name, empty with a token.
      type: str
      sample: kempian
    databases:
      description: >-
        How many databases are served, 1 where cluster mode is enabled or compatible, but for Valkey from 9.0 on with
        the parameter C(cluster-databases).
      type: int
      sample: 1
    engine:
      description: The engine.
      type: str
      sample: valkey
    engine_version:
      description: The version that runs, or is stated.
      type: str
      sample: 9.0.1
    state:
      description: C(known), or C(after_apply) for a placeholder.
      type: str
      sample: known
status:
  description: The status of the group as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: available
arn:
  description: The ARN of the group, empty where there is none.
  returned: always
  type: str
  sample: arn:aws:elasticache:us-east-1:123456789012:replicationgroup:kempian-cache-prod
pending:
  description: What AWS has queued for the maintenance window, by option.
  returned: always
  type: dict
  sample: {"cache_node_type": "cache.t3.medium"}
monthly_cost:
  description: What the group costs on demand in a month of 730 hours, every node counted.
  returned: O(state=present)
  type: dict
  contains:
    usd:
      description: US dollars a month; null where no price is known.
      type: float
      sample: 49.64
    nodes:
      description: The nodes that are counted.
      type: int
      sample: 3
    usd_per_node_hour:
      description: US dollars a node and hour; null where no price is known.
      type: float
      sample: 0.0256
    source:
      description: The price list, with its region and date.
      type: str
      sample: AWS price list, on demand, us-east-1, 2026-10-02
    note:
      description: How it is reckoned, or that it is unknown and why.
      type: str
    instead:
      description: What the same nodes would cost with a cheaper engine; null where none is known.
      type: dict
      sample: {"engine": "valkey", "usd": 39.71}
token_changed:
  description: Whether this task set, rotated or first gave the token.
  returned: O(state=present)
  type: bool
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: "kempian-cache-prod: creating"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: engine_version
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import converge_cluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.converge import (
    make_absent,
    make_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import log_delivery
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster import (
    desired as cache_cluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.configuration import (
    CONFIGURATION,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.desired import (
    Deletion,
    Desired,
)

OPTIONS = {
    "replication_group_id": {"type": "str"},
    "cache_cluster_id": {"type": "str"},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "replication_group_description": {"type": "str"},
    "engine": {"type": "str", "choices": ["redis", "valkey", "memcached"]},
    "engine_version": {"type": "str"},
    "cache_node_type": {"type": "str"},
    "num_cache_clusters": {"type": "int"},
    "num_cache_nodes": {"type": "int"},
    "az_mode": {"type": "str", "choices": ["single-az", "cross-az"]},
    "preferred_availability_zone": {"type": "str"},
    "preferred_availability_zones": {"type": "list", "elements": "str"},
    "scale_config": {
        "type": "dict",
        "options": {"scale_percentage": {"type": "int"}, "scale_interval_minutes": {"type": "int"}},
    },
    "cluster_mode": {"type": "str", "choices": ["disabled", "compatible", "enabled"]},
    "num_node_groups": {"type": "int"},
    "replicas_per_node_group": {"type": "int"},
    "node_group_configuration": CONFIGURATION,
    "automatic_failover_enabled": {"type": "bool"},
    "multi_az_enabled": {"type": "bool"},
    "preferred_cache_cluster_azs": {"type": "list", "elements": "str"},
    "cache_subnet_group_name": {"type": "str"},
    "security_group_ids": {"type": "list", "elements": "str"},
    "cache_parameter_group_name": {"type": "str"},
    "port": {"type": "int"},
    "network_type": {"type": "str", "choices": ["ipv4", "ipv6", "dual_stack"]},
    "ip_discovery": {"type": "str", "choices": ["ipv4", "ipv6"]},
    "transit_encryption_enabled": {"type": "bool"},
    "transit_encryption_mode": {"type": "str", "choices": ["preferred", "required"]},
    "at_rest_encryption_enabled": {"type": "bool"},
    "kms_key_id": {"type": "str", "no_log": False},
    "auth_token": {"type": "str", "no_log": True},
    "auth_token_update_strategy": {"type": "str", "choices": ["rotate", "set", "delete", "keep"], "no_log": False},
    "user_group_ids": {"type": "list", "elements": "str"},
    "data_tiering_enabled": {"type": "bool"},
    "durability": {"type": "str", "choices": ["sync", "async", "disabled"]},
    "snapshot_name": {"type": "str"},
    "snapshot_arns": {"type": "list", "elements": "str"},
    "snapshot_retention_limit": {"type": "int"},
    "snapshot_window": {"type": "str"},
    "preferred_maintenance_window": {"type": "str"},
    "auto_minor_version_upgrade": {"type": "bool"},
    "notification_topic_arn": {"type": "str"},
    "notification_topic_status": {"type": "str", "choices": ["active", "inactive"]},
    "log_delivery_configurations": log_delivery.SPEC,
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "apply_immediately": {"type": "bool", "default": True},
    "final_snapshot_identifier": {"type": "str"},
    "skip_final_snapshot": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {
    "argument_spec": OPTIONS,
    "supports_check_mode": True,
    "mutually_exclusive": [("replication_group_id", "cache_cluster_id")],
    "required_one_of": [("replication_group_id", "cache_cluster_id")],
}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module):
        result = _cache_cluster(module) if module.params["cache_cluster_id"] else _replication_group(module)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def _replication_group(module: AnsibleAWSModule) -> dict[str, Any]:
    cache_cluster.refuse_with_a_group(module.params)
    client = module.client("elasticache")
    if module.params["state"] == "absent":
        return make_absent(client, Deletion.from_params(module.params), module.check_mode)
    desired = Desired.from_params(module.params, allow_placeholders=module.check_mode)
    return make_present(client, desired, module.region, module.check_mode)


def _cache_cluster(module: AnsibleAWSModule) -> dict[str, Any]:
    client = module.client("elasticache")
    if module.params["state"] == "absent":
        deletion = cache_cluster.Deletion.from_params(module.params)
        return converge_cluster.make_absent(client, deletion, module.check_mode)
    desired = cache_cluster.Desired.from_params(module.params, allow_placeholders=module.check_mode)
    return converge_cluster.make_present(client, desired, module.region, module.check_mode)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
