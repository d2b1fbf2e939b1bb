# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every ``migration_*`` option, once: its type, its default, what it is, and which stages read it.

The argument specs of the roles, the tables of the READMEs and the check of what a run is given are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core import forms
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, REDIS_CLUSTER
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import (
    ADDRESSES,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import BRINGING, COLD

PREFIX = "migration_"
STAGES = ("assess", "provision", "ingress", "transfer", "cutover", "rollback", "rotate", "state", "decommission")
_MOVES = ("cutover", "rollback", "rotate")
_LOGS_IN = ("assess", "provision", "ingress", "transfer", *_MOVES)
_LOOKS = ("assess", "transfer", "cutover", "rollback", "rotate", "state")
_CHANGES = ("provision", "ingress", "transfer", *_MOVES, "decommission")
_BRINGS = ("transfer", "cutover")  # what goes on until the last host has moved is ended by the cutover


@dataclass(frozen=True)
class Option:
    """One option without its prefix. ``default`` None is left out, where a number or a truth has no other word for it.

    ``asked`` names the stages whose survey in AWX asks for it: what differs from one run to the next. All else is of
    the environment, and is in the inventory alone, where every stage reads the same: a node type that was an answer at
    ``provision`` would be undone by the next ``migrate``. An answer stands above the inventory, so only what is
    ``for_one_run``, and so in no inventory, has its default in the survey.
    """

    name: str
    what: str
    type: str = "str"
    default: Any = ""
    required: bool = False
    elements: str = ""
    choices: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stages: tuple[str, ...] = STAGES
    asked: tuple[str, ...] = ()
    for_one_run: bool = False
    is_secret: bool = False

    @property
    def full_name(self) -> str:
        return PREFIX + self.name

    def spec(self) -> dict[str, Any]:
        """As Ansible's argument specs have it, without the words."""
        stated: dict[str, Any] = {"type": self.type, "default": self.default}  # what is required is said in a sentence
        inner = {name: {word: one[word] for word in one if word != "description"} for name, one in self.options.items()}
        optional = {"elements": self.elements, "choices": list(self.choices), "options": inner}
        return {**stated, **{name: value for name, value in optional.items() if value}}


@dataclass(frozen=True)
class Part:
    """Options that belong together, under one heading of the README."""

    heading: str
    options: tuple[Option, ...]


_VALUE: dict[str, dict[str, Any]] = {
    "store": {
        "type": "str",
        "choices": list(ADDRESSES),
        "required": True,
        "description": "Where it is: in a C(.env) file on each host, or in a parameter of SSM that all hosts share.",
    },
    "path": {"type": "str", "description": "The file, with C(store=dotenv)."},
    "parameter": {"type": "str", "description": "The name of the parameter, with C(store=ssm)."},
    "keys": {
        "type": "dict",
        "description": (
            "With C(store=dotenv), each key with the form that it holds; C({REDIS_URL: url}) where left out. A key "
            "with a database of its own is C({CELERY_BROKER_URL: {form: url, database: 1, reader: celery-broker}}). "
            "The forms are C(url), the parts "
            + ", ".join(f"C({part})" for part in forms.PARTS if part not in (forms.URL, forms.TLS))
            + " and "
            "C(tls) (with the words of the app, as C({form: tls, on: 'True', off: 'False'})), and for anything else a "
            "C(template) of these, as C({template: '{host}:{port}'}), with the filters C(percent) and C(base64), as "
            "C({password|percent}). A C(literal) is a text as it is, as the word by which the app chooses its client: "
            "C({REDIS_CLUSTER: {literal: 'true', added: true}}). Parts of one file lead to one place; those of another "
            "have a C(group). "
            "A key with C(added: true) need not be in the file, and goes again on the way back."
        ),
    },
    "dialect": {
        "type": "list",
        "elements": "str",
        "description": (
            "With C(store=dotenv), who reads the file, as M(kempian.cache_migration.env_update) has it. Left out, "
            "it must be the same to all readers."
        ),
    },
    "form": {
        "type": "str",
        "choices": [forms.URL],
        "default": forms.URL,
        "description": "With C(store=ssm), the form that the parameter holds. C(url) is the cache's whole URL.",
    },
    "database": {
        "type": "int",
        "description": "With C(store=ssm), the number of its database; C(migration_database) where left out.",
    },
    "reader": {
        "type": "str",
        "choices": list(forms.READERS),
        "default": forms.REDIS_PY,
        "description": (
            "With C(store=ssm), who reads it, as a key of a file may name its own. For Celery's broker and result "
            "backend the URL says that certificates are verified: without, the broker verifies none, and the backend "
            "does not start. With C(none) the URL has no options at all, those of the old one included, for an app "
            "that appends its own."
        ),
    },
}

_SERVICE: dict[str, dict[str, Any]] = {
    "name": {
        "type": "str",
        "required": True,
        "description": (
            "A unit, or with supervisor a program or a group (C(shop:*)). A glob (C(web@*)) means every service that "
            "matches, each proven. Of a timer (C(report.timer)) nothing is restarted, as what it starts reads its "
            "values anew; it is proven when nothing that it started is on the old Redis any more."
        ),
    },
    "manager": {
        "type": "str",
        "choices": ["systemd", "supervisor", "command"],
        "default": "systemd",
        "description": "What runs it. C(command) is C(restart_command), with C(pid_file), for what has none of these.",
    },
    "scope": {
        "type": "str",
        "choices": ["system", "user"],
        "default": "system",
        "description": (
            "Whose systemd: C(user) is that of the user in C(user), for units in his C(~/.config/systemd/user). It "
            "must run without a login (C(loginctl enable-linger))."
        ),
    },
    "user": {
        "type": "str",
        "default": "",
        "description": "The user of C(scope), or who runs C(restart_command). Left empty, O(migration_app_user).",
    },
    "supervisorctl": {
        "type": "list",
        "elements": "str",
        "default": ["supervisorctl"],
        "description": "How C(supervisorctl) is called.",
    },
    "restart_command": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": (
            "The program and its arguments, each a word, that restart it. It runs as C(user) and by no shell, never as "
            "root but by C(sudo). All that belonged to the service must have ended after it."
        ),
    },
    "pid_file": {
        "type": "str",
        "default": "",
        "description": "The file with the number of its first process, whose children and process group belong to it.",
    },
    "health_url": {
        "type": "str",
        "default": "",
        "description": (
            "Its health check, as asked on the host itself. It must answer 200, and go through Redis, so that an "
            "app that connects when it is asked does connect; a plan asks it too, where no connection says where the "
            "app is. With a glob, C(%i) in it is the instance of each unit, as in a unit file "
            "(C(http://127.0.0.1:%i/healthz)). Left empty, only processes and connections count."
        ),
    },
    "health_headers": {
        "type": "dict",
        "default": {},
        "description": (
            "Headers of that request, for an app that refuses a host name that it does not know, or redirects to "
            "https: C({Host: shop.example.com, X-Forwarded-Proto: https})."
        ),
    },
    "queues": {
        "type": "dict",
        "default": {},
        "description": (
            "Queues whose jobs it does, by the key of a file in C(migration_values) that has the URL or the host of "
            "their Redis: C({CELERY_BROKER_URL: [celery, unacked]}) of Celery, C({REDIS_URL: ['rq:queue:default', "
            "'rq:wip:default']}) of RQ. On the hosts of the last batch, which nobody is left behind to help, it is "
            "restarted when they are empty there, so that no job stays behind. They have C(migration_timeout) seconds "
            "for that, or all is put back; the way back does not wait for longer, and says what it leaves. Name it "
            "after the services that place jobs, and hosts that do jobs alone last in the inventory."
        ),
    },
}

_SCALING: dict[str, dict[str, Any]] = {
    "scalable_dimension": {
        "type": "str",
        "choices": ["NodeGroups", "Replicas", "Nodes"],
        "required": True,
        "description": (
            "What is added and removed: C(NodeGroups), the shards of a replication group, C(Replicas), those of each "
            "of its shards, or C(Nodes), those of Memcached."
        ),
    },
    "state": {
        "type": "str",
        "choices": ["present", "absent"],
        "default": "present",
        "description": (
            "C(absent) takes it away with its policies, before the target is changed; it stays as large as it is."
        ),
    },
    "min_capacity": {"type": "int", "description": "There are never fewer. Needed, as the next, but to take it away."},
    "max_capacity": {"type": "int", "description": "There are never more, of replicas at most 5."},
    "policy_name": {
        "type": "str",
        "description": "The name of the policy. Policies of other names are left alone.",
    },
    "predefined_metric_type": {
        "type": "str",
        "choices": [
            "ElastiCachePrimaryEngineCPUUtilization",
            "ElastiCacheReplicaEngineCPUUtilization",
            "ElastiCacheEngineCPUUtilization",
            "ElastiCacheDatabaseMemoryUsagePercentage",
            "ElastiCacheDatabaseMemoryUsageCountedForEvictPercentage",
            "ElastiCacheDatabaseCapacityUsageCountedForEvictPercentage",
        ],
        "description": (
            "The metric that the policy follows. Left out, the engine's CPU of the primaries or of the replicas; of "
            "C(Nodes) it must be stated."
        ),
    },
    "target_value": {
        "type": "float",
        "description": "Where that metric is held, as 60 for 60 %. Without it no policy is made.",
    },
    "scale_in_cooldown": {
        "type": "int",
        "description": "Seconds after something was removed in which nothing more is removed.",
    },
    "scale_out_cooldown": {
        "type": "int",
        "description": "Seconds after something was added in which nothing more is added.",
    },
    "disable_scale_in": {"type": "bool", "description": "The policy adds and never removes."},
}

PARTS = (
    Part(
        "",
        (
            Option(
                "name",
                "The name of the migration: a letter, then letters, digits and single hyphens, 64 at most. What is "
                "made carries it as the tag C(cache_migration:name), and originals are kept under it.",
                required=True,
            ),
            Option("region", "The AWS region, such as us-east-1.", required=True),
            Option(
                "must_not_lose",
                "Nothing that was written may be lost when a node fails, as of sessions or orders. What "
                "C(playbooks/assess.yml) recommends then keeps each write in several zones before it answers.",
                "bool",
                False,
                stages=("assess",),
            ),
        ),
    ),
    Part(
        "The app",
        (
            Option(
                "values",
                "What the app reads: every place that holds the cache's URL, or parts of it. All are changed, proven "
                "and put back as one. Left empty, a run changes nothing, and proposes it by what the services read.",
                "list",
                [],
                elements="dict",
                options=_VALUE,
            ),
            Option(
                "unmoved_keys",
                "Keys of the files in C(migration_values) that lead to the old Redis and may go on to do so. Any other "
                "is refused, as the app would be on two caches.",
                "list",
                [],
                elements="str",
                stages=("assess", "cutover"),
            ),
            Option(
                "services",
                "The app's services, in the order of their restart. Whatever else reads the same values is neither "
                "restarted nor proven; a process of a host that is connected to the old Redis all the same is told.",
                "list",
                [],
                elements="dict",
                options=_SERVICE,
                stages=(*_LOOKS, "ingress"),
            ),
            Option(
                "app_python",
                "The app's own interpreter, as its virtual environment's, so that its own redis-py is what proves. "
                "Left empty, the collection's own client does.",
                stages=(*_LOOKS, "ingress"),
            ),
            Option(
                "app_user",
                "The user that the app runs as, who runs its interpreter; required with O(migration_app_python).",
                stages=(*_LOOKS, "ingress"),
            ),
            Option(
                "app_ready_for",
                "What the app can by now that one which makes its client by C(redis.from_url) and a password cannot, "
                "as a list: C(redis-cluster), as C(redis.cluster.RedisCluster), C(memcached), or C(iam), to log in by "
                "tokens that it makes of its credentials. Without it a target that needs it is refused, with what of "
                "the app would break.",
                "list",
                [],
                elements="str",
                choices=("", REDIS_CLUSTER, MEMCACHED, "iam"),
                stages=("assess", "cutover"),
            ),
            Option(
                "health_requests",
                "How many health requests in a row must succeed.",
                "int",
                5,
                stages=(*_MOVES, "state"),
            ),
            Option(
                "timeout",
                "Seconds for a service to be healthy and connected after its restart.",
                "float",
                60,
                stages=(*_MOVES, "state"),
            ),
            Option(
                "database",
                "The number of the database that the app uses, where a key of C(migration_values) has none of its own. "
                "Another one in the old URL is refused.",
                "int",
                0,
                stages=("assess", "ingress", "transfer", "cutover", "rotate"),
            ),
            Option(
                "state_dir",
                "The folder on the hosts where originals are kept, readable by root only; the last backup passes "
                "through it.",
                default="/var/lib/cache_migration",
            ),
        ),
    ),
    Part(
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
                stages=_LOGS_IN,
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
                options=_SCALING,
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
            Option(
                "auth_token_secret",
                "The secret in Secrets Manager that holds the AUTH token. Left empty, the target has no AUTH.",
                stages=_LOGS_IN,
            ),
            Option(
                "auth_token_secret_key",
                "The key that holds the token, where that secret is a JSON object. Left empty, the secret is it. "
                "What this names is never written.",
                stages=_LOGS_IN,
            ),
            Option(
                "auth_token_generate",
                "Make that secret, with a generated token, where it does not exist.",
                "bool",
                False,
                stages=("provision", "ingress", "transfer", "cutover"),
            ),
            Option(
                "auth_token_new",
                "Make a new token; for one run, by C(-e).",
                "bool",
                False,
                stages=("rotate",),
                asked=("rotate",),
                for_one_run=True,
            ),
            Option(
                "username",
                "The user that the app logs in as (RBAC), in place of a token; O(migration_auth_token_secret) holds "
                "its password then. It is made, with a group of users that the target is given, unless "
                "O(migration_user_group_ids), O(migration_user_group_id) or O(migration_acl_name) names one that is "
                "there. Left empty, C(default).",
                stages=_LOGS_IN,
            ),
            Option(
                "authentication_mode",
                "How O(migration_username) logs in. Left empty, by the password in O(migration_auth_token_secret). "
                "With C(iam) by a token that the app makes of its credentials, which lasts 15 minutes: no secret is "
                "named then, the app reads parts of the endpoint and no URL, and O(migration_app_ready_for) says that "
                "it can.",
                choices=("", "iam"),
                stages=_LOGS_IN,
            ),
            Option(
                "user_group_ids",
                "The user group of a replication group, whose users stand in place of a token, as a list of one. "
                "O(migration_username) says which user the app is, and O(migration_auth_token_secret) holds its "
                "password. Left empty, C(<name>-cache) with that user, which are made.",
                "list",
                [],
                elements="str",
                stages=_LOGS_IN,
            ),
            Option(
                "user_group_id",
                "The user group of a serverless cache, as O(migration_user_group_ids) of a replication group.",
                stages=_LOGS_IN,
            ),
            Option(
                "transit_encryption_enabled", "Speak TLS. AUTH needs it.", "bool", True, stages=("assess", "provision")
            ),
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
            Option(
                "kms_key_id", "A KMS key of your own for that. Left empty, the service's own.", stages=("provision",)
            ),
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
    ),
    Part(
        "The way",
        (
            Option(
                "vpc_id",
                "The VPC of the security group that is made. Left empty, the default VPC.",
                stages=("provision", "ingress", "rollback"),
            ),
            Option(
                "app_security_group_ids",
                "The app's security groups, which may reach the target. One of this and O(migration_app_cidrs) is "
                "needed.",
                "list",
                [],
                elements="str",
                stages=("ingress",),
            ),
            Option(
                "app_cidrs",
                "The app's addresses, which may reach the target; no range wider than /16.",
                "list",
                [],
                elements="str",
                stages=("ingress",),
            ),
            Option(
                "security_group_ids",
                "Security groups of yours for the target, used as they are. Left empty, one is made and opened for "
                "the app's hosts only.",
                "list",
                [],
                elements="str",
                stages=("provision", "ingress"),
            ),
            Option(
                "security_group_name",
                "The name of the security group that is made. Left empty, C(<name>-cache).",
                stages=("provision", "ingress", "rollback"),
            ),
            Option(
                "manage_ingress", "Whether the rules of that group are ours to add.", "bool", True, stages=("ingress",)
            ),
        ),
    ),
    Part(
        "The data",
        (
            Option(
                "transfer",
                "What becomes of the data, which must be stated. C(cold): the target starts empty, and fills as the "
                "app works. C(copy): all keys are copied while the app works, and compared; what the app writes while "
                "and after they are stays behind on the old Redis. C(live): what the app writes comes along, too, "
                "until the last host is switched.",
                stages=("assess", *_BRINGS),
                choices=("", COLD, *BRINGING),
            ),
            Option(
                "transfer_host",
                "The host of the group C(app) that copies: one that reaches both, with two processors to spare. Left "
                "empty, the canary.",
                stages=_BRINGS,
            ),
            Option(
                "transfer_processes",
                "How many processes copy at the same time.",
                "int",
                2,
                stages=_BRINGS,
            ),
            Option(
                "transfer_rate",
                "The most keys a second that are copied. 0 is no limit.",
                "int",
                0,
                stages=_BRINGS,
            ),
            Option(
                "transfer_latency_limit",
                "Milliseconds that the old Redis may take to answer while it is copied: above it the copy slows down "
                "by itself. 0 is no limit.",
                "float",
                10,
                stages=_BRINGS,
            ),
            Option(
                "transfer_target_keys",
                "What becomes of keys that the target holds before: C(refuse) begins nothing where there are any, "
                "C(keep) leaves them as they are, C(replace) writes over those of the same name.",
                default="refuse",
                choices=("refuse", "keep", "replace"),
                stages=_BRINGS,
            ),
            Option(
                "transfer_verify",
                "How what was copied is compared with what is there: C(full), every key; C(sample), as many keys of "
                "each database as C(migration_sample) says; C(none).",
                default="full",
                choices=("full", "sample", "none"),
                stages=_BRINGS,
            ),
            Option(
                "transfer_abort",
                "End a transfer that was begun, and take away what it copied where the target was empty before. "
                "Refused once a host has moved.",
                "bool",
                False,
                stages=("transfer",),
                asked=("transfer",),
                for_one_run=True,
            ),
        ),
    ),
    Part(
        "The run",
        (
            Option(
                "canary",
                "The host that is moved first, alone. Left empty, the first of those that are to be moved.",
                stages=("transfer", "cutover", "rotate"),
                asked=("cutover", "rotate"),
            ),
            Option(
                "batch_size",
                "How many hosts are moved at once after it, as a number or a percentage of those that are to be moved.",
                default="50%",
                stages=("cutover", "rotate"),
                asked=("cutover", "rotate"),
            ),
            Option(
                "check_command",
                "A check of your own, as a string or a list of program and arguments. It runs on the controller "
                "after the canary and after the last batch, by no shell, where C(ansible-playbook) was started. "
                "Ends it with another status than 0, all is put back. It finds in its environment "
                "C(MIGRATION_PHASE) (C(canary) or C(all)), C(MIGRATION_HOSTS) and C(MIGRATION_ADDRESSES) (those "
                "moved by then, by name and by C(ansible_host) where they have one, with commas), "
                "C(MIGRATION_NAME) and C(MIGRATION_ENDPOINT). It runs only where something is to be moved. A plan "
                "shows it: what is secret it reads itself.",
                "raw",
                "",
                stages=("cutover",),
            ),
            Option(
                "check_timeout",
                "Seconds that the check may take each time. Then it is ended, and has failed.",
                "int",
                600,
                stages=("cutover",),
            ),
            Option(
                "unknown_clients",
                "C(refuse) stops where the old Redis has clients that are no host of the inventory, or processes of "
                "its hosts that are in no C(migration_services), and C(warn) tells of them.",
                default="warn",
                choices=("warn", "refuse"),
                stages=("assess", "cutover"),
                asked=("assess", "cutover"),
            ),
            Option(
                "assess_url",
                "A URL of the old Redis by which it is assessed, of a user that may ask C(INFO), C(CLIENT LIST), "
                "C(CONFIG GET) and C(SCAN) where the app's own may not. It names the same host and port, and the ssl_* "
                "options that it needs. A secret, for a vault, which what listens there is told: with 127.0.0.1 that "
                "may be anything of the app's user. Left empty, the app's own; all else is done by that.",
                stages=("assess",),
                asked=("assess",),
                is_secret=True,
            ),
            Option(
                "sample",
                "Keys looked at in each database, of the old Redis and before a rollback of the target; with "
                "C(migration_transfer_verify: sample) also of what was copied.",
                "int",
                1000,
                stages=("assess", "transfer", "rollback"),
                asked=("assess", "rollback"),
            ),
            Option(
                "price_list_url",
                "Where AWS's public price list is, which C(playbooks/assess.yml) reads where it may not ask the Price "
                "List API. Empty: nowhere, and what the collection knows of it counts, with its date.",
                default="https://pricing.us-east-1.amazonaws.com",
                stages=("assess",),
            ),
            Option(
                "wait_timeout",
                "Seconds that a change of the target may take.",
                "int",
                3600,
                stages=("provision", "rotate", "rollback"),
            ),
            Option(
                "rollback_throttle",
                "Hosts that are put back at once.",
                "int",
                1,
                stages=("cutover", "rollback"),
            ),
            Option(
                "rollback_delete_target",
                "Delete the target after a rollback, with the groups that were made for it.",
                "bool",
                False,
                stages=("rollback",),
                asked=("rollback",),
            ),
            Option(
                "final_snapshot_identifier",
                "The snapshot taken before the target is deleted. Left empty: none, and its data is gone.",
                stages=("rollback",),
                asked=("rollback",),
            ),
            Option(
                "rollback_close_ingress",
                "Remove the rules that were added to its security group after a rollback.",
                "bool",
                False,
                stages=("rollback",),
                asked=("rollback",),
            ),
            Option(
                "plan_out",
                "The file on the controller to which the plan is written, with its digest; for one run, by C(-e). That "
                "run changes nothing, with C(--check) or without. Data, where its name ends in C(.json), and a page of "
                "Markdown else.",
                stages=_CHANGES,
            ),
            Option(
                "approve",
                "The digest of a plan, or the file that O(migration_plan_out) wrote; for one run, by C(-e). The run "
                "does exactly this, and is refused where AWS, a host or the definition is another one since. With "
                "O(migration_plan_out) it is ignored.",
                stages=_CHANGES,
                asked=_CHANGES,
                for_one_run=True,
            ),
            Option(
                "require_approval",
                "Refuse to change anything without O(migration_approve), whoever starts the run. A plan is made all "
                "the same, what is done already is left alone, and a rollback is never kept up.",
                "bool",
                False,
                stages=("provision", "ingress", "cutover", "rotate", "decommission"),
            ),
            Option(
                "break_lock",
                "The id of a lock to break, as the message of a refused run names it; for one run, by C(-e).",
                asked=_CHANGES,
                for_one_run=True,
            ),
            Option(
                "report_dir",
                "The folder on the controller where records go. Left empty, none is written.",
                default="build/report",
            ),
        ),
    ),
    Part(
        "The old Redis retired",
        (
            Option(
                "decommission",
                "Asked for: without it C(playbooks/decommission.yml) does nothing.",
                "bool",
                False,
                stages=("decommission",),
                asked=("decommission",),
                for_one_run=True,
            ),
            Option(
                "old_instance_id",
                "The EC2 instance of the old Redis. Left empty, C(instance_id) of the host in C(old_redis).",
                stages=("assess", "decommission", "rollback"),
            ),
            Option(
                "decommission_service",
                "Its systemd unit, where that alone is retired and its host (in the group C(old_redis)) stays.",
                stages=("decommission",),
            ),
            Option(
                "decommission_min_age", "Hours that the cutover must be ago.", "float", 48, stages=("decommission",)
            ),
            Option("decommission_hold", "Hours between stop and terminate.", "float", 72, stages=("decommission",)),
            Option(
                "decommission_terminate",
                "Terminate after the hold.",
                "bool",
                False,
                stages=("decommission",),
                asked=("decommission",),
                for_one_run=True,
            ),
            Option(
                "decommission_waive",
                "Checks that are waived by name: C(backup), C(backup_load), C(other_services), C(persistence), "
                "C(data).",
                "list",
                [],
                elements="str",
                stages=("decommission", "rollback"),
                choices=("backup", "backup_load", "other_services", "persistence", "data"),
                asked=("decommission", "rollback"),
            ),
            Option(
                "decommission_wait_timeout",
                "Seconds that instance, Redis and the backup's load may take, each.",
                "int",
                900,
                stages=("decommission", "rollback"),
            ),
            Option("backup_bucket", "The S3 bucket of the last backup.", stages=("decommission",)),
            Option(
                "backup_kms_key_id",
                "The KMS key that encrypts it. Left empty, S3's own.",
                stages=("decommission",),
            ),
            Option(
                "backup_endpoint_url",
                "The address by which hosts reach S3. Left empty, AWS's own.",
                stages=("decommission",),
            ),
            Option(
                "backup_engine",
                "The program on the controller that loads the backup once. Left empty, C(redis-server) or "
                "C(valkey-server).",
                stages=("decommission",),
            ),
        ),
    ),
)

OPTIONS: Mapping[str, Option] = {option.name: option for part in PARTS for option in part.options}


def of_stages(stages: Iterable[str]) -> dict[str, Option]:
    """The options that any of these stages reads, by name, in the order of the README."""
    wanted = set(stages)
    return {name: option for name, option in OPTIONS.items() if wanted & set(option.stages)}


def spec(stages: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The argument spec of these stages, by the options' full names."""
    return {option.full_name: option.spec() for option in of_stages(stages).values()}
