# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The target, of every service."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.login import LOGIN
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option, Part
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.scaling import SCALING
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import LOGS_IN

TARGET = Part(
    "The target",
    (
        Option(
            "replication_group_id",
            "Its name, 1 to 40 letters, digits and hyphens, where it is a replication group of ElastiCache. The "
            "name of a target is needed unless an endpoint is given.",
        ),
        Option(
            "cache_cluster_id",
            "Its name, 1 to 50 letters, digits and hyphens, where it is ElastiCache for Memcached. It has other "
            "commands than Redis, no AUTH and no backups, and keeps nothing: the app's code must be made for it.",
        ),
        Option(
            "memorydb_cluster_name",
            "Its name, 1 to 40 letters, digits and hyphens, where it is a cluster of Amazon MemoryDB. It keeps "
            "each write in several zones, and its clients need to be aware of clusters.",
        ),
        Option(
            "serverless_cache_name",
            "Its name, 1 to 40 letters, digits and hyphens, where it is a serverless cache of ElastiCache. That "
            "has no nodes, speaks the cluster protocol, by TLS alone, and is paid for by use.",
        ),
        Option(
            "cache_node_type",
            "The node type, such as C(cache.t3.small). Needed to make the target.",
            stages=("assess", "provision"),
        ),
        Option(
            "engine",
            "What the target runs. Left empty, a new one runs Redis OSS, a serverless cache Valkey, and one that "
            "exists keeps its own; another one named here moves it in place, where AWS can.",
            choices=("", "redis", "valkey"),
            stages=("assess", "provision"),
        ),
        Option(
            "engine_version",
            "The version of the engine. Left empty, a new target of Redis OSS runs 7.1, and one that exists "
            "keeps its own.",
            stages=("assess", "provision"),
        ),
        Option(
            "major_engine_version",
            "The major version of a serverless cache, as C('8'). Left empty, AWS chooses, and one that exists "
            "keeps its own.",
            stages=("assess", "provision"),
        ),
        Option(
            "cache_usage_limits",
            "How much a serverless cache may grow to, and how much it is kept ready for, as C({data_storage: "
            "{maximum: 10}, ecpu_per_second: {minimum: 1000, maximum: 50000}}), in GB and in ElastiCache "
            "Processing Units. 0 is no limit.",
            "dict",
            {},
            stages=("assess", "provision"),
        ),
        Option(
            "num_cache_clusters",
            "Nodes of a replication group without cluster mode, the primary included, from 1 to 6. Left out, a new "
            "one has 2, and one that exists keeps its own.",
            "int",
            None,
            stages=("provision",),
        ),
        Option(
            "cluster_mode",
            "C(enabled) spreads the keys over shards, for clients that are cluster-aware; C(compatible) serves "
            "these and plain ones. Left empty, it is disabled unless shards are stated, and a target that exists "
            "keeps its own.",
            choices=("", "disabled", "compatible", "enabled"),
            stages=("assess", "provision"),
        ),
        Option(
            "num_node_groups",
            "Shards of a replication group with cluster mode. Left out, a new one has 1, and one that exists keeps "
            "its own.",
            "int",
            None,
            stages=("assess", "provision"),
        ),
        Option(
            "replicas_per_node_group",
            "Replicas of each shard, 0 to 5. Left out, a new one with cluster mode has 1.",
            "int",
            None,
            stages=("assess", "provision"),
        ),
        Option(
            "node_group_configuration",
            "The shards of a new replication group one by one, as "
            "M(kempian.cache_migration.elasticache_cluster) has them: for zones, and for the slots that RDB files "
            "fill.",
            "list",
            [],
            elements="dict",
            stages=("assess", "provision"),
        ),
        Option(
            "node_type",
            "The node type of MemoryDB, such as C(db.t4g.small). Needed to make a cluster of it.",
            stages=("assess", "provision"),
        ),
        Option(
            "num_shards",
            "Over how many shards a cluster of MemoryDB spreads the keys. Left out, a new one has 1, and one that "
            "exists keeps its own.",
            "int",
            None,
            stages=("assess", "provision"),
        ),
        Option(
            "num_replicas_per_shard",
            "Replicas of each shard of MemoryDB, 0 to 5. Left out, a new one has 1, and one that exists keeps its "
            "own. Without one there is nothing to fail over to.",
            "int",
            None,
            stages=("provision",),
        ),
        Option(
            "acl_name",
            "The ACL of MemoryDB. Left empty, C(<name>-cache) with O(migration_username), which is made. With "
            "C(open-access) whoever reaches the target may do everything.",
            stages=LOGS_IN,
        ),
        Option(
            "num_cache_nodes",
            "Nodes of a target of Memcached. Whenever the number changes, keys are spread anew.",
            "int",
            2,
            stages=("provision",),
        ),
        Option(
            "az_mode",
            "Whether nodes of Memcached lie in several zones (C(cross-az)) or one. Left empty, a new one has one.",
            choices=("", "single-az", "cross-az"),
            stages=("provision",),
        ),
        Option(
            "preferred_availability_zones",
            "The zones of the nodes of Memcached, as many as nodes.",
            "list",
            [],
            elements="str",
            stages=("provision",),
        ),
        Option(
            "scaling",
            "What AWS adds and removes of the target by itself, between which numbers (Application Auto Scaling), "
            "as C([{scalable_dimension: NodeGroups, min_capacity: 2, max_capacity: 6, target_value: 60}]). It does "
            "so for shards and replicas with cluster mode enabled and nodes of the sizes large, xlarge and "
            "2xlarge, and for the nodes of Memcached; anything else is refused before anything is made. The count "
            "stated elsewhere is then what a new target is made with, and the least where it is left out; one "
            "within the bounds is never taken back. Left empty, nothing of it is looked at or changed.",
            "list",
            [],
            elements="dict",
            options=SCALING,
            stages=("assess", "provision", "rollback", "state"),
        ),
        Option(
            "multi_az_enabled",
            "Spread the nodes over availability zones. Needs two nodes and automatic failover.",
            "bool",
            True,
            stages=("provision",),
        ),
        Option(
            "automatic_failover_enabled",
            "Promote a replica where the primary fails. Needs two nodes.",
            "bool",
            True,
            stages=("provision",),
        ),
        Option(
            "preferred_cache_cluster_azs",
            "Zones of the nodes, the primary's first, as many as nodes. Counts at creation only.",
            "list",
            [],
            elements="str",
            stages=("provision",),
        ),
        *LOGIN,
        Option("transit_encryption_enabled", "Speak TLS. AUTH needs it.", "bool", True, stages=("assess", "provision")),
        Option(
            "transit_encryption_mode",
            "C(preferred) serves clients with and without TLS, for one that gets TLS while it is in use; "
            "C(required) those with TLS alone.",
            choices=("", "preferred", "required"),
            stages=("provision",),
        ),
        Option(
            "at_rest_encryption_enabled",
            "Encrypt the data at rest. Fixed once the target is made.",
            "bool",
            True,
            stages=("provision",),
        ),
        Option("kms_key_id", "A KMS key of your own for that. Left empty, the service's own.", stages=("provision",)),
        Option(
            "durability",
            "C(sync) keeps each write before it is answered, C(async) soon after, C(disabled) in memory alone. Of "
            "Valkey from 9.0 on, with cluster mode enabled, Multi-AZ, TLS and replicas. Left empty, it stays as it "
            "is.",
            choices=("", "sync", "async", "disabled"),
            stages=("assess", "provision"),
        ),
        Option(
            "data_tiering_enabled",
            "Keep seldom used values on disk, with node types of r6gd alone. Fixed once the target is made.",
            "bool",
            None,
            stages=("provision",),
        ),
        Option(
            "snapshot_name",
            "The snapshot that a new target is restored from, in place of starting empty.",
            stages=("provision",),
        ),
        Option(
            "snapshot_arns",
            "RDB files in S3 that a new target is restored from, as C(arn:aws:s3:::bucket/dump.rdb); of a "
            "serverless cache the ARNs of snapshots.",
            "list",
            [],
            elements="str",
            stages=("provision",),
        ),
        Option(
            "snapshot_retention_limit",
            "Days that automatic backups are kept, 0 to 35. 0 means none.",
            "int",
            5,
            stages=("assess", "provision"),
        ),
        Option(
            "snapshot_window",
            "The daily window of backups in UTC, as C(03:00-04:00). Left empty, AWS chooses.",
            stages=("provision",),
        ),
        Option(
            "daily_snapshot_time",
            "When the daily backup of a serverless cache begins (UTC), as C('03:00'). Left empty, AWS chooses.",
            stages=("provision",),
        ),
        Option(
            "preferred_maintenance_window",
            "The weekly window of maintenance in UTC, as C(sun:05:00-sun:06:00). Left empty, AWS chooses.",
            stages=("provision",),
        ),
        Option(
            "auto_minor_version_upgrade",
            "Let AWS upgrade the engine to the next minor version. Left out, it stays as it is, and a new target "
            "has it.",
            "bool",
            None,
            stages=("provision",),
        ),
        Option(
            "notification_topic_arn",
            "The topic of SNS that is told of the target's events.",
            stages=("provision",),
        ),
        Option(
            "log_delivery_configurations",
            "Where its slow log and engine log go, as M(kempian.cache_migration.elasticache_cluster) has it. Left "
            "empty, they stay as they are.",
            "list",
            [],
            elements="dict",
            stages=("provision",),
        ),
        Option(
            "network_type",
            "The addresses of its nodes, C(ipv4) where it is left empty. Fixed once the target is made.",
            choices=("", "ipv4", "ipv6", "dual_stack"),
            stages=("provision",),
        ),
        Option(
            "ip_discovery",
            "By which addresses its nodes tell of each other.",
            choices=("", "ipv4", "ipv6"),
            stages=("provision",),
        ),
        Option(
            "parameters",
            "Parameters that differ from the defaults, such as C(maxmemory-policy).",
            "dict",
            {},
            stages=("assess", "provision"),
        ),
        Option(
            "parameter_group_name",
            "The parameter group. Left empty, C(<name>-cache) where O(migration_parameters) is stated, else "
            "the engine's own.",
            stages=("assess", "provision", "rollback"),
        ),
        Option(
            "subnet_group_name",
            "The subnet group. Left empty, C(<name>-cache). With no subnets stated it must exist.",
            stages=("provision", "rollback"),
        ),
        Option(
            "subnet_ids",
            "The subnets of the target. Left empty, the subnet group must exist, and is used as it is.",
            "list",
            [],
            elements="str",
            stages=("provision",),
        ),
        Option(
            "port",
            "The port. Fixed once the target is made. 0 is what the service usually has: 6379, of Memcached 11211.",
            "int",
            0,
            stages=("assess", "provision", "ingress"),
        ),
        Option(
            "tags",
            "Tags for everything that is made, beside the one that says whose it is.",
            "dict",
            {},
            stages=("provision", "ingress"),
        ),
        Option(
            "adopt",
            "Use a target that this migration did not make. It is checked, and never changed or deleted.",
            "bool",
            False,
        ),
        Option(
            "endpoint",
            "An endpoint of somebody else's making, used as it stands: "
            "C({address: …, port: 6379, tls: false, auth: none}), or with C(auth: token) and "
            "O(migration_auth_token_secret), or C(auth: iam) with the cache's C(name) and a C(username). "
            "C(protocol) is C(redis) unless it says C(redis-cluster) or C(memcached). Nothing is made then.",
            "dict",
            {},
        ),
    ),
)
