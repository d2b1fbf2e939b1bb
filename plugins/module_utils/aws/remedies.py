# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What to do about each error code of ElastiCache and MemoryDB, and which option it is about. Pure.

The two services have a code for the same thing, and modules an option, under names that differ: a code stands here
without its ending (``Fault``, ``Exception``), and an option is the first of the names that the module has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Collection, Mapping


@dataclass(frozen=True)
class Remedy:
    """``options`` are names that can be meant, the likeliest first; none where it is nothing that a task states."""

    why: str
    options: tuple[str, ...] = ()

    def sentence(self, stated: Mapping[str, Any]) -> str:
        """``stated`` are the module's options with their values, None where one is left out."""
        known = [name for name in self.options if name in stated] if stated else list(self.options[:1])
        meant = [name for name in known if stated.get(name) not in _LEFT_OUT] or known[:1]
        return f"change {' or '.join(meant[:2])}: {self.why}" if meant else self.why


_LEFT_OUT: Collection[Any] = (None, "", [], {})

_GROUP, _CLUSTER, _SERVERLESS = "replication_group_id", "cache_cluster_id", "serverless_cache_name"
_CACHES = (_GROUP, _CLUSTER, _SERVERLESS, "cluster_name")
_PARAMETERS = ("cache_parameter_group_name", "parameter_group_name")
_SUBNETS = ("cache_subnet_group_name", "subnet_group_name")
_USERS = ("user_ids", "user_names", "user_id", "user_name")
_USER_GROUPS = ("user_group_ids", "user_group_id", "acl_name")
_LAST_SNAPSHOT = ("final_snapshot_identifier", "final_snapshot_name")
_SNAPSHOT = ("snapshot_name", "snapshot_arns_to_restore", "snapshot_arns", "source_snapshot_name", *_LAST_SNAPSHOT)
_NODES = (
    *("num_cache_clusters", "num_cache_nodes", "replicas_per_node_group", "num_replicas_per_shard"),
    *("num_node_groups", "num_shards"),
)
_SHARDS = ("num_node_groups", "num_shards")
_NODE_TYPE = ("cache_node_type", "node_type")
_KEY = ("kms_key_id",)

_MORE = "ask AWS for more (Service Quotas)"
_TAKEN = "there is one of that name already"
_GONE = "there is none of that name in this account and region"
_BUSY = "it is being changed: run it again when it is available"
_IN_USE = "caches use it: delete them first, or have them use another"
_GLOBAL = "it belongs to a global datastore, which is changed as a whole and not by a migration of one region"

REMEDIES: Mapping[str, Remedy] = {
    # what is made has a name that is taken, or that nothing has
    "ReplicationGroupAlreadyExists": Remedy(_TAKEN, _CACHES),
    "CacheClusterAlreadyExists": Remedy(_TAKEN, (_CLUSTER, _GROUP)),
    "ServerlessCacheAlreadyExists": Remedy(_TAKEN, _CACHES),
    "ClusterAlreadyExists": Remedy(_TAKEN, ("cluster_name",)),
    "CacheSubnetGroupAlreadyExists": Remedy(_TAKEN, _SUBNETS),
    "SubnetGroupAlreadyExists": Remedy(_TAKEN, _SUBNETS),
    "CacheParameterGroupAlreadyExists": Remedy(_TAKEN, _PARAMETERS),
    "ParameterGroupAlreadyExists": Remedy(_TAKEN, _PARAMETERS),
    "UserAlreadyExists": Remedy(_TAKEN, ("user_id", "user_name")),
    "UserGroupAlreadyExists": Remedy(_TAKEN, ("user_group_id",)),
    "ACLAlreadyExists": Remedy(_TAKEN, ("acl_name",)),
    "SnapshotAlreadyExists": Remedy(_TAKEN, (*_LAST_SNAPSHOT, "snapshot_name", "target_snapshot_name")),
    "ServerlessCacheSnapshotAlreadyExists": Remedy(
        _TAKEN, ("final_snapshot_name", "snapshot_name", "target_snapshot_name")
    ),
    "ReplicationGroupNotFound": Remedy(_GONE, (_GROUP,)),
    "CacheClusterNotFound": Remedy(_GONE, (_CLUSTER, _GROUP)),
    "ServerlessCacheNotFound": Remedy(_GONE, (_SERVERLESS, _GROUP)),
    "ClusterNotFound": Remedy(_GONE, ("cluster_name",)),
    "CacheSubnetGroupNotFound": Remedy(f"{_GONE}; make the subnet group first (elasticache_subnet_group)", _SUBNETS),
    "SubnetGroupNotFound": Remedy(f"{_GONE}; make the subnet group first (memorydb_subnet_group)", _SUBNETS),
    "CacheParameterGroupNotFound": Remedy(
        f"{_GONE}; make the parameter group first (elasticache_parameter_group)", _PARAMETERS
    ),
    "ParameterGroupNotFound": Remedy(
        f"{_GONE}; make the parameter group first (memorydb_parameter_group)", _PARAMETERS
    ),
    "CacheSecurityGroupNotFound": Remedy("security groups are those of the VPC, as sg-…", ("security_group_ids",)),
    "UserNotFound": Remedy(f"{_GONE}; make the user first (elasticache_user, memorydb_user)", _USERS),
    "UserGroupNotFound": Remedy(f"{_GONE}; make the user group first (elasticache_user_group)", _USER_GROUPS),
    "ACLNotFound": Remedy(f"{_GONE}; make it first (memorydb_acl), or use open-access", ("acl_name",)),
    "SnapshotNotFound": Remedy(_GONE, _SNAPSHOT),
    "ServerlessCacheSnapshotNotFound": Remedy(_GONE, ("snapshot_arns_to_restore", *_SNAPSHOT)),
    "GlobalReplicationGroupNotFound": Remedy(_GLOBAL, (_GROUP,)),
    "MultiRegionClusterNotFound": Remedy(_GLOBAL, ("cluster_name",)),
    "MultiRegionParameterGroupNotFound": Remedy(_GLOBAL, _PARAMETERS),
    "TagNotFound": Remedy("somebody took a tag away meanwhile: run it again", ("tags",)),
    "InvalidARN": Remedy("AWS does not know it by its ARN: it may be going, so run it again", (*_CACHES, "tags")),
    # it is not in a state for it
    "InvalidReplicationGroupState": Remedy(_BUSY, (_GROUP,)),
    "InvalidCacheClusterState": Remedy(_BUSY, (_CLUSTER, _GROUP)),
    "InvalidServerlessCacheState": Remedy(_BUSY, (_SERVERLESS, _GROUP)),
    "InvalidClusterState": Remedy(_BUSY, ("cluster_name",)),
    "InvalidNodeState": Remedy(_BUSY, ("cluster_name",)),
    "InvalidUserState": Remedy(_BUSY, ("user_id", "user_name")),
    "InvalidUserGroupState": Remedy(
        "a user group of it is being changed: run it again when it is active", _USER_GROUPS
    ),
    "InvalidACLState": Remedy("it is being changed, or clusters use it: run it again when it is active", ("acl_name",)),
    "InvalidSnapshotState": Remedy("a snapshot is being made or copied: run it again when it is there", _SNAPSHOT),
    "InvalidServerlessCacheSnapshotState": Remedy(
        "a snapshot is being made or copied: run it again when it is there", ("snapshot_arns_to_restore", *_SNAPSHOT)
    ),
    "InvalidCacheParameterGroupState": Remedy(_IN_USE, _PARAMETERS),
    "InvalidParameterGroupState": Remedy(_IN_USE, _PARAMETERS),
    "InvalidCacheSecurityGroupState": Remedy("security groups are those of the VPC, as sg-…", ("security_group_ids",)),
    "InvalidGlobalReplicationGroupState": Remedy(_GLOBAL, (_GROUP, *_PARAMETERS)),
    "InvalidMultiRegionClusterState": Remedy(_GLOBAL, ("cluster_name",)),
    "CacheSubnetGroupInUse": Remedy(_IN_USE, _SUBNETS),
    "SubnetGroupInUse": Remedy(_IN_USE, _SUBNETS),
    "SubnetInUse": Remedy("a subnet that caches are in cannot be taken out", ("subnet_ids",)),
    "ReplicationGroupAlreadyUnderMigration": Remedy(
        "it follows a Redis already: complete that (state: completed), or end it (state: absent)", (_GROUP,)
    ),
    "ReplicationGroupNotUnderMigration": Remedy("it follows no Redis: begin that first", (_GROUP,)),
    "ServerlessCacheNotUnderMigration": Remedy("it follows no Redis: begin that first", (_SERVERLESS, _GROUP)),
    "MigrationHealth": Remedy(
        "AWS finds the migration unhealthy, as the events of the cache say: mend that, or end it (state: absent)",
        (_SERVERLESS, _GROUP),
    ),
    "NoOperation": Remedy("AWS has nothing to change there: run it again", _NODES),
    # the account has no more of them
    "InsufficientCacheClusterCapacity": Remedy(
        "AWS has no such nodes there now: state another type, or other zones",
        (*_NODE_TYPE, "preferred_cache_cluster_azs", "preferred_availability_zones", "preferred_availability_zone"),
    ),
    "InsufficientClusterCapacity": Remedy("AWS has no such nodes there now: state another type", _NODE_TYPE),
    "NodeQuotaForCustomerExceeded": Remedy(f"the account's quota of nodes is used up: state fewer, or {_MORE}", _NODES),
    "NodeQuotaForClusterExceeded": Remedy(f"the quota of nodes of one cluster: state fewer, or {_MORE}", _NODES),
    "NodeGroupsPerReplicationGroupQuotaExceeded": Remedy(
        f"the quota of shards: state fewer, or {_MORE}", (*_SHARDS, *_NODES)
    ),
    "ShardsPerClusterQuotaExceeded": Remedy(f"the quota of shards: state fewer, or {_MORE}", _SHARDS),
    "ClusterQuotaForCustomerExceeded": Remedy(
        f"the account's quota of clusters is used up: {_MORE}, or delete one", (*_NODES[:2], *_CACHES)
    ),
    "ServerlessCacheQuotaForCustomerExceeded": Remedy(
        f"the account's quota of serverless caches is used up: name one that is there, delete one, or {_MORE}",
        (_SERVERLESS,),
    ),
    "CacheSubnetGroupQuotaExceeded": Remedy(
        f"the quota of subnet groups: name one that is there, or {_MORE}", _SUBNETS
    ),
    "SubnetGroupQuotaExceeded": Remedy(f"the quota of subnet groups: name one that is there, or {_MORE}", _SUBNETS),
    "CacheSubnetQuotaExceeded": Remedy(f"the quota of subnets of a group: state fewer, or {_MORE}", ("subnet_ids",)),
    "SubnetQuotaExceeded": Remedy(f"the quota of subnets of a group: state fewer, or {_MORE}", ("subnet_ids",)),
    "CacheParameterGroupQuotaExceeded": Remedy(
        f"the quota of parameter groups: name one that is there, or {_MORE}", _PARAMETERS
    ),
    "ParameterGroupQuotaExceeded": Remedy(
        f"the quota of parameter groups: name one that is there, or {_MORE}", _PARAMETERS
    ),
    "UserQuotaExceeded": Remedy(f"the quota of users: delete one, or {_MORE}", ("user_id", "user_name")),
    "UserGroupQuotaExceeded": Remedy(
        f"the quota of user groups, or of users in one: state fewer users, or {_MORE}", ("user_ids", *_USER_GROUPS)
    ),
    "ACLQuotaExceeded": Remedy(f"the quota of ACLs: name one that is there, or {_MORE}", ("acl_name",)),
    "SnapshotQuotaExceeded": Remedy(
        f"the quota of snapshots of a day or of the account: delete some, or {_MORE}", (*_LAST_SNAPSHOT, *_SNAPSHOT)
    ),
    "ServerlessCacheSnapshotQuotaExceeded": Remedy(
        f"the quota of snapshots of a day or of the account: delete some, or {_MORE}", _SNAPSHOT
    ),
    "TagQuotaPerResourceExceeded": Remedy("AWS takes 50 tags: state fewer, or purge_tags: true", ("tags",)),
    # what is around it
    "InvalidVPCNetworkState": Remedy(
        "security groups and subnets must be of one VPC, whose zones have room for it",
        ("security_group_ids", *_SUBNETS, "subnet_ids"),
    ),
    "InvalidSubnet": Remedy("the subnets must exist, and be of one VPC", ("subnet_ids",)),
    "SubnetNotAllowed": Remedy("a subnet of a local zone or an Outpost goes with none of the region", ("subnet_ids",)),
    "InvalidKMSKey": Remedy("the key must exist, be enabled, and be of this region", _KEY),
    "SnapshotFeatureNotSupported": Remedy(
        "AWS takes no snapshots of this engine or node type: leave it out, and state skip_final_snapshot: true",
        (*_LAST_SNAPSHOT, "snapshot_retention_limit", "snapshot_name"),
    ),
    "DefaultUserRequired": Remedy("exactly one user of a group must be named default", ("user_ids", *_USERS)),
    "DuplicateUserName": Remedy("two users of a group cannot have one user_name", _USERS),
    "DefaultUserAssociatedToUserGroup": Remedy(
        "it is the default user of a group: give that another one first (user_ids of elasticache_user_group)",
        ("user_id",),
    ),
    # nothing that a task states
    "ServiceLinkedRoleNotFound": Remedy(
        "the account lacks the service's service-linked role: allow iam:CreateServiceLinkedRole, or make it once"
    ),
    "InvalidCredentials": Remedy("AWS does not take the credentials: check profile, access_key and secret_key"),
    "ExpiredToken": Remedy("the credentials have expired: sign in again"),
    "InvalidClientTokenId": Remedy("AWS does not know the access key: check profile, access_key and region"),
    "SignatureDoesNotMatch": Remedy("the secret key does not belong to the access key"),
}

# Codes that do not tell what they are about.
OF_ANYTHING = ("InvalidParameterValue", "InvalidParameterCombination")

# What AWS says under them, and the option that is meant.
_MEANT: tuple[tuple[str, Remedy], ...] = (
    (r"parameter group", Remedy("it must be of the family of the engine and its version", _PARAMETERS)),
    (r"node ?type", Remedy("AWS has no such type here, or not for this engine", _NODE_TYPE)),
    (
        r"availability ?zone",
        Remedy(
            "zones must be of this region, and of the subnet group",
            ("preferred_cache_cluster_azs", "preferred_availability_zones", "preferred_availability_zone", "az_mode"),
        ),
    ),
    (r"security group", Remedy("they must exist, and be of the VPC of the subnets", ("security_group_ids",))),
    (
        r"user id and user name must be same",
        Remedy("with authentication_mode iam it must be the user_id", ("user_name",)),
    ),
    (r"no-password-required", Remedy("users of engine valkey need a password or IAM", ("authentication_mode",))),
    (
        r"access ?string|syntax error",
        Remedy("it is in the words of Redis's ACLs, without denied commands", ("access_string",)),
    ),
    (r"password", Remedy("a user has one or two, of 16 to 128 characters", ("passwords",))),
    (
        r"\btopic\b",
        Remedy("the topic must exist, in this region and account", ("notification_topic_arn", "sns_topic_arn")),
    ),
    (
        r"log ?(type|group|delivery)|delivery ?stream",
        Remedy("the log group or stream must exist, and take logs of ElastiCache", ("log_delivery_configurations",)),
    ),
    (
        r"s3|bucket|rdb",
        Remedy(
            "ElastiCache must be allowed to read the files, in this region",
            ("snapshot_arns", "snapshot_arns_to_restore"),
        ),
    ),
    (
        r"\brotate\b|auth ?token",
        Remedy("a new token is set by rotate, and set follows it with the same one", ("auth_token_update_strategy",)),
    ),
    (r"user group", Remedy("Redis OSS takes user groups of its own engine only", ("engine", *_USER_GROUPS))),
    (
        r"find version|engine version",
        Remedy(
            "AWS tells its versions: aws elasticache describe-cache-engine-versions, aws memorydb "
            "describe-engine-versions",
            ("engine_version", "major_engine_version"),
        ),
    ),
    (r"kms", Remedy("the key must exist, be enabled, and be of this region", _KEY)),
    (r"shard|node ?group", Remedy("see what AWS says of the number of shards", _SHARDS)),
    (r"replica", Remedy("see what AWS says of the number of replicas", _NODES)),
    (r"snapshot", Remedy("see what AWS says of the snapshot", (*_SNAPSHOT, "snapshot_retention_limit"))),
    (r"subnet", Remedy("see what AWS says of the subnets", (*_SUBNETS, "subnet_ids"))),
    (r"\bacl\b", Remedy("see what AWS says of the ACL", ("acl_name",))),
)
_NAMED_BY_VALUE = frozenset(name for _pattern, remedy in _MEANT for name in remedy.options) - {
    "engine",
    "engine_version",
}

# Options that say nothing of the resource itself.
_OF_THE_TASK = frozenset(
    (
        *("state", "migration_name", "adopt", "wait", "wait_timeout", "wait_interval", "apply_immediately"),
        *("purge_tags", "purge_parameters", "skip_final_snapshot", "region", "profile", "access_key", "secret_key"),
        *(
            "session_token",
            "endpoint_url",
            "aws_ca_bundle",
            "aws_config",
            "validate_certs",
            "debug_botocore_endpoint_logs",
        ),
    )
)


def remedy_for(code: str, text: str, stated: Mapping[str, Any]) -> str:
    """What to do, as the second half of a sentence; empty where a code is not known. ``text`` is AWS's own."""
    stem = re.sub("(Fault|Exception)$", "", code)
    if stem in OF_ANYTHING:
        return _by_text(text, stated)
    found = REMEDIES.get(stem)
    return found.sentence(stated) if found else ""


def _by_text(text: str, stated: Mapping[str, Any]) -> str:
    """AWS names an option by a value of it, by the API's name of it, or in words; else it is one of those stated."""
    told = [remedy for pattern, remedy in _MEANT if re.search(pattern, text, re.IGNORECASE)]
    by_value = [name for name, value in stated.items() if name in _NAMED_BY_VALUE and _is_in(value, text)]
    by_name = [name for name in map(_snake_case, _API_NAME.findall(text)) if name in stated]
    for name in [*by_value, *by_name]:
        why = next((remedy.why for _pattern, remedy in _MEANT if name in remedy.options), "see what AWS says of it")
        return f"change {name}: {why}"
    for remedy in told:
        sentence = remedy.sentence(stated)
        if sentence != remedy.why:
            return sentence
    said = {name for name, value in stated.items() if value not in _LEFT_OUT and value is not False}
    given = said - _OF_THE_TASK
    return f"it is about one of the options that are stated: {', '.join(sorted(given))}" if given else ""


_API_NAME = re.compile(r"\b(?:[A-Z]+[a-z0-9]+){2,}\b")


def _snake_case(name: str) -> str:
    """Of the API's names, as options have them: MultiAZEnabled, KmsKeyId."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.replace("AZs", "Azs")).lower()


def _is_in(value: Any, text: str) -> bool:
    """Whether the text repeats the value of an option; short ones would be found by chance."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(item, str) and len(item) > 3 and item in text for item in values)
