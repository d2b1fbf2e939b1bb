# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Errors of AWS as sentences for an operator: which call failed, and which option to change."""

from __future__ import annotations

import re
from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import is_denied, lack

try:
    from botocore.exceptions import ClientError
except ImportError:
    ClientError = Exception  # AnsibleAWSModule has the better words for it

_REMEDIES = {
    "CacheSubnetGroupNotFoundFault": "make the subnet group first (elasticache_subnet_group), or change "
    "cache_subnet_group_name",
    "CacheParameterGroupNotFound": "make the parameter group first (elasticache_parameter_group), or change "
    "cache_parameter_group_name",
    "InsufficientCacheClusterCapacity": "AWS has no such nodes there now: try another cache_node_type or other "
    "preferred_cache_cluster_azs",
    "NodeQuotaForCustomerExceeded": "the account's quota of nodes is used up: ask AWS for more (Service Quotas), or "
    "lower num_cache_clusters",
    "ClusterQuotaForCustomerExceeded": "the account's quota of clusters is used up: ask AWS for more (Service Quotas)",
    "InvalidVPCNetworkStateFault": "security_group_ids and the subnets of cache_subnet_group_name must be of one VPC",
    "SnapshotAlreadyExistsFault": "change final_snapshot_identifier",
    "ServerlessCacheQuotaForCustomerExceededFault": "the account's quota of serverless caches is used up: ask AWS for "
    "more (Service Quotas), or delete one",
    "ServerlessCacheSnapshotAlreadyExistsFault": "change final_snapshot_name",
    "ServerlessCacheSnapshotNotFoundFault": "change snapshot_arns_to_restore: there is no such snapshot in this region",
    "InvalidServerlessCacheSnapshotStateFault": "snapshot_arns_to_restore names a snapshot that is not available yet: "
    "run it again when it is",
    "UserGroupNotFound": "make the user group first (elasticache_user_group), or change user_group_id (or "
    "user_group_ids)",
    "InvalidUserGroupState": "user_group_id (or user_group_ids) names a user group that is being changed or used: run "
    "it again when it is active",
    "TagQuotaPerResourceExceeded": "AWS takes 50 tags: state fewer in tags, or purge_tags: true",
    "CacheSubnetGroupInUse": "delete the caches that are in the subnet group first",
    "InvalidCacheParameterGroupState": "delete the caches that use the parameter group first",
    "SubnetInUse": "a subnet that caches are in cannot be taken out of subnet_ids",
    "InvalidSubnet": "change subnet_ids: the subnets must exist, and be of one VPC",
    "InvalidKMSKeyFault": "change kms_key_id: the key must exist, be enabled, and be of this region",
    "UserNotFound": "make the user first (elasticache_user), or change user_ids",
    "UserQuotaExceeded": "the account's quota of users is used up: ask AWS for more (Service Quotas), or delete some",
    "UserGroupQuotaExceeded": "the quota of user groups, or of users in one, is used up: ask AWS for more (Service "
    "Quotas), or state fewer user_ids",
    "DefaultUserRequired": "change user_ids: exactly one user of a group must be named default",
    "DuplicateUserName": "change user_ids: two users of a group cannot have one user_name",
    "DefaultUserAssociatedToUserGroup": "give its groups another user that is named default first (user_ids of "
    "elasticache_user_group)",
    "ServiceLinkedRoleNotFoundFault": "the account lacks ElastiCache's service-linked role: allow "
    "iam:CreateServiceLinkedRole, or make it once",
    "ExpiredToken": "the credentials have expired: sign in again",
    "InvalidClientTokenId": "AWS does not know the access key: check profile, access_key and region",
    "SignatureDoesNotMatch": "the secret key does not belong to the access key",
}


# What AWS says under codes that do not tell what it is about, and the option that is meant.
_REFUSED_VALUE = ("InvalidParameterValue", "InvalidParameterCombination")
_MEANT = (
    (r"parameter group", "cache_parameter_group_name", "it must be of the family of the engine and its version"),
    (r"node ?type", "cache_node_type", "AWS has no such type here, or not for this engine"),
    (r"availability ?zone", "preferred_cache_cluster_azs", "zones must be of this region, and of the subnet group"),
    (r"security group", "security_group_ids", "they must exist, and be of the VPC of the subnets"),
    (r"user id and user name must be same", "user_name", "with authentication_mode iam it must be the user_id"),
    (r"no-password-required", "authentication_mode", "users of engine valkey need a password or IAM"),
    (r"access ?string|syntax error", "access_string", "it is in the words of Redis's ACLs, without denied commands"),
    (r"password", "passwords", "a user has one or two, of 16 to 128 characters"),
    (r"user group", "engine", "Redis OSS takes user groups of its own engine only"),
    (
        r"find version|engine version",
        "engine_version",
        "AWS tells its versions: aws elasticache describe-cache-engine-versions",
    ),
    (r"kms", "kms_key_id", "the key must exist, be enabled, and be of this region"),
)


def explain(error: AnsibleAWSError, service: str = "elasticache", options: Mapping[str, Any] | None = None) -> str:
    """One sentence: which call failed, and what to change. ``options`` are the module's: AWS repeats their values."""
    cause = error.exception
    what = error.message or "Failed to call AWS"
    if not isinstance(cause, ClientError):
        return str(what)
    code = cause.response["Error"]["Code"]
    if is_denied(cause):
        return f"{what}: {lack(cause, service)}"
    remedy = _REMEDIES.get(code) or _REMEDIES.get(re.sub("Fault$", "", code))
    remedy = remedy or _remedy_of_text(code, cause.response["Error"].get("Message", ""), options or {})
    return f"{what}: {remedy}" if remedy else str(what)


def _remedy_of_text(code: str, text: str, options: Mapping[str, Any]) -> str:
    if code not in _REFUSED_VALUE:
        return ""
    named = [name for name, value in options.items() if name in _NAMED_BY_VALUE and _is_in(value, text)]
    told = [option for pattern, option, _why in _MEANT if re.search(pattern, text, re.IGNORECASE)]
    meant = next(iter([*named, *told]), "")
    why = next((why for _pattern, option, why in _MEANT if option == meant), "")
    return f"change {meant}: {why}" if meant else ""


_NAMED_BY_VALUE = frozenset(option for _pattern, option, _why in _MEANT) - {"engine", "engine_version"}


def _is_in(value: Any, text: str) -> bool:
    """Whether the text repeats the value of an option; short ones would be found by chance."""
    values = value if isinstance(value, (list, tuple)) else [value]
    return any(isinstance(item, str) and len(item) > 3 and item in text for item in values)


def explain_call(what: str, error: Any, service: str) -> str:
    """The same of an error that boto3 itself has raised."""
    is_known = isinstance(error, ClientError) and ClientError is not Exception
    return f"{what}: {lack(error, service)}" if is_known and is_denied(error) else what
