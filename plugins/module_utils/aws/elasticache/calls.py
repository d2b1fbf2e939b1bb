# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ElastiCache's API: one function a read, and one for every act of a plan.

All raise AnsibleAWSError. Throttled calls are retried.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Mapping, TypeVar, cast

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.errors import AWSErrorHandler
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import tried_again
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import ACCESS_DENIED
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster import (
    current as cache_cluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.current import CacheCluster
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    MEMCACHED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.cache_cluster.versions import (
    family_of as family_of_cluster,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import (
    parameter_group,
    subnet_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter import (
    Parameter,
    shape_parameters,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.creation import (
    Snapshot,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    DEFAULT_DATABASES,
    DISABLED,
    ENABLED,
    ReplicationGroup,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shape import shape
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    family_of,
)

# boto3 shows the code, which is the fault's name in one place and its short form in another.
_MISSING = [
    "ReplicationGroupNotFoundFault",
    "CacheClusterNotFound",
    "CacheSubnetGroupNotFoundFault",
    "CacheParameterGroupNotFound",
    "SnapshotNotFoundFault",
]
_NOT_TAGGABLE_YET = [
    *_MISSING,
    "ServerlessCacheNotFoundFault",
    "InvalidReplicationGroupState",
    "InvalidReplicationGroupStateFault",
    "InvalidServerlessCacheStateFault",
    "InvalidARN",
]
_CODES = acting.Codes(
    busy=(
        "InvalidReplicationGroupState",
        "InvalidReplicationGroupStateFault",
        "InvalidCacheClusterState",
        "InvalidCacheClusterStateFault",
        "InvalidServerlessCacheStateFault",
    ),
    already_so={
        "CreateReplicationGroup": ("ReplicationGroupAlreadyExists", "ReplicationGroupAlreadyExistsFault"),
        "CreateCacheCluster": ("CacheClusterAlreadyExists", "CacheClusterAlreadyExistsFault"),
        "CreateServerlessCache": ("ServerlessCacheAlreadyExistsFault",),
        "CreateCacheSubnetGroup": ("CacheSubnetGroupAlreadyExists",),
        "CreateCacheParameterGroup": ("CacheParameterGroupAlreadyExists",),
        "DeleteReplicationGroup": ("ReplicationGroupNotFoundFault",),
        "DeleteCacheCluster": ("CacheClusterNotFound", "CacheClusterNotFoundFault"),
        "DeleteServerlessCache": ("ServerlessCacheNotFoundFault",),
        "DeleteCacheSubnetGroup": ("CacheSubnetGroupNotFoundFault",),
        "DeleteCacheParameterGroup": ("CacheParameterGroupNotFound",),
    },
)
_RAISE = object()


class ElastiCacheErrors(AWSErrorHandler):  # type: ignore[misc]
    """Names the call that failed; a resource that is not there is no error of a read."""

    @classmethod
    def _is_missing(cls) -> Any:
        return is_boto3_error_code(_MISSING)


_Function = TypeVar("_Function", bound=Callable[..., Any])


def _call(description: str, missing: Any = _RAISE) -> Callable[[_Function], _Function]:
    """One call of the API: retried where AWS throttles, raising AnsibleAWSError, ``missing`` where nothing is there."""

    def decorate(function: _Function) -> _Function:
        retried = tried_again(function)
        if missing is _RAISE:
            return cast(_Function, ElastiCacheErrors.common_error_handler(description)(retried))
        return cast(_Function, ElastiCacheErrors.list_error_handler(description, missing)(retried))

    return decorate


# --- reads ---


@_call("describe the replication group {name}", missing=None)
def _describe_group(client: Any, name: str) -> Mapping[str, Any] | None:
    groups = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    return groups[0] if groups else None


@_call("describe the replication groups")
def _describe_groups(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_replication_groups").paginate()
    return [group for page in pages for group in page["ReplicationGroups"]]


@_call("describe the cache clusters")
def _describe_clusters(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_cache_clusters").paginate(ShowCacheNodeInfo=True)
    return [cluster for page in pages for cluster in page["CacheClusters"]]


@_call("describe the cache cluster {name}", missing=())
def _describe_cluster(client: Any, name: str) -> list[Mapping[str, Any]]:
    """One node of a group. A replica that is being removed is a member for a moment longer than it is there."""
    return list(client.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"])


@_call("describe the cache cluster {name}", missing=None)
def _describe_lone_cluster(client: Any, name: str) -> Mapping[str, Any] | None:
    clusters = client.describe_cache_clusters(CacheClusterId=name, ShowCacheNodeInfo=True)["CacheClusters"]
    return clusters[0] if clusters else None


@_call("describe the cache clusters")
def _describe_lone_clusters(client: Any) -> list[Mapping[str, Any]]:
    paginator = client.get_paginator("describe_cache_clusters")
    pages = paginator.paginate(ShowCacheNodeInfo=True, ShowCacheClustersNotInReplicationGroups=True)
    return [cluster for page in pages for cluster in page["CacheClusters"]]


@_call("list the tags of {arn}")
def read_tags(client: Any, arn: str) -> dict[str, str] | None:
    """None while AWS tells none: a group that is being made 'is either not present or not available'."""
    try:
        return {tag["Key"]: tag.get("Value", "") for tag in client.list_tags_for_resource(ResourceName=arn)["TagList"]}
    except is_boto3_error_code(_NOT_TAGGABLE_YET):
        return None


@_call("describe the parameters of {group}", missing=())
def _describe_parameters(client: Any, group: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_cache_parameters").paginate(CacheParameterGroupName=group)
    return [parameter for page in pages for parameter in page["Parameters"]]


@_call("describe the subnet groups", missing=())
def _describe_subnet_groups(client: Any, **named: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_cache_subnet_groups").paginate(**named)
    return [group for page in pages for group in page["CacheSubnetGroups"]]


@_call("describe the parameter groups", missing=())
def _describe_parameter_groups(client: Any, **named: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_cache_parameter_groups").paginate(**named)
    return [group for page in pages for group in page["CacheParameterGroups"]]


@_call("describe the versions of {engine}")
def _describe_engine_versions(client: Any, engine: str, default_only: bool) -> list[Mapping[str, Any]]:
    """Nothing where this identity may not ask."""
    try:
        pages = client.get_paginator("describe_cache_engine_versions").paginate(Engine=engine, DefaultOnly=default_only)
        return [version for page in pages for version in page["CacheEngineVersions"]]
    except is_boto3_error_code(list(ACCESS_DENIED)):
        return []


@_call("list the node types that {cluster.cache_cluster_id} may change to")
def with_node_types_of_cluster(client: Any, cluster: CacheCluster) -> CacheCluster:
    told = client.list_allowed_node_type_modifications(CacheClusterId=cluster.cache_cluster_id)
    return replace(cluster, allowed_node_types=_allowed(told))


@_call("list the node types that {group.replication_group_id} may change to")
def with_allowed_node_types(client: Any, group: ReplicationGroup) -> ReplicationGroup:
    told = client.list_allowed_node_type_modifications(ReplicationGroupId=group.replication_group_id)
    return replace(group, allowed_node_types=_allowed(told))


def _allowed(told: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted({*(told.get("ScaleUpModifications") or ()), *(told.get("ScaleDownModifications") or ())}))


def read_replication_group(client: Any, name: str) -> ReplicationGroup | None:
    """The group with its members, tags and number of databases; None where there is none."""
    group = _describe_group(client, name)
    if group is None:
        return None
    # Its members alone: a poll must not read every cache of the account.
    members = [cluster for member in group.get("MemberClusters") or () for cluster in _describe_cluster(client, member)]
    return _complete(client, group, members)


def read_replication_groups(client: Any) -> list[ReplicationGroup]:
    groups = _describe_groups(client)
    clusters = _describe_clusters(client) if groups else []
    return [_complete(client, group, clusters) for group in groups]


def _complete(client: Any, group: Mapping[str, Any], clusters: list[Mapping[str, Any]]) -> ReplicationGroup:
    members = [item for item in clusters if item.get("ReplicationGroupId") == group["ReplicationGroupId"]]
    shaped = shape(group, members, read_tags(client, group["ARN"]))
    return replace(shaped, databases=_databases(client, shaped.cache_parameter_group_name, shaped.cluster_mode))


def read_cache_cluster(client: Any, name: str) -> CacheCluster | None:
    """A cluster with its nodes and tags, also where it is a node of a replication group; None where there is none."""
    cluster = _describe_lone_cluster(client, name)
    return _as_cluster(client, cluster) if cluster else None


def read_cache_clusters(client: Any) -> list[CacheCluster]:
    """Those that are in no replication group."""
    return [_as_cluster(client, cluster) for cluster in _describe_lone_clusters(client)]


def _as_cluster(client: Any, cluster: Mapping[str, Any]) -> CacheCluster:
    shaped = cache_cluster.shape(cluster, read_tags(client, cluster["ARN"]))
    if shaped.engine == MEMCACHED:
        return shaped
    return replace(shaped, databases=_databases(client, shaped.cache_parameter_group_name))


def _databases(client: Any, parameter_group: str, cluster_mode: str = DISABLED) -> int:
    """How many databases the nodes serve; AWS's own parameter groups have the default, and cannot be changed.

    With cluster mode it is one, but for Valkey 9 up, whose parameter groups may say more by another name.
    """
    if cluster_mode not in (DISABLED, ENABLED):
        return 1
    parameter, default = ("databases", DEFAULT_DATABASES) if cluster_mode == DISABLED else ("cluster-databases", 1)
    value = _parameter(client, parameter_group, parameter)
    return max(int(value or default), 1)


def _parameter(client: Any, group: str, name: str) -> str:
    """A parameter's value in a group of somebody's own; empty where it is not known, or the group is AWS's own."""
    if not group or group.startswith("default."):
        return ""
    found = (item for item in _describe_parameters(client, group) if item["ParameterName"] == name)
    return str(next(found, {}).get("ParameterValue") or "")


def enables_cluster(client: Any, parameter_group: str) -> bool | None:
    """Whether a parameter group of somebody's own enables cluster mode; None where it does not say."""
    value = _parameter(client, parameter_group, "cluster-enabled")
    return value == "yes" if value else None


@_call("describe the snapshot {name}", missing=None)
def _describe_snapshot(client: Any, name: str) -> Mapping[str, Any] | None:
    snapshots = client.describe_snapshots(SnapshotName=name)["Snapshots"]
    return snapshots[0] if snapshots else None


def read_snapshot(client: Any, name: str) -> Snapshot | None:
    """What a group can be restored from; None where there is no snapshot of that name."""
    told = _describe_snapshot(client, name)
    if told is None:
        return None
    return Snapshot(
        name=name,
        status=str(told.get("SnapshotStatus", "")).lower(),
        engine=str(told.get("Engine") or "redis").lower(),
        engine_version=str(told.get("EngineVersion") or ""),
        cache_node_type=str(told.get("CacheNodeType") or ""),
        num_node_groups=int(told.get("NumNodeGroups") or 1),
    )


def read_subnet_group(client: Any, name: str) -> subnet_group.SubnetGroup | None:
    groups = _describe_subnet_groups(client, CacheSubnetGroupName=name)
    return _subnet_group(client, groups[0]) if groups else None


def read_subnet_groups(client: Any) -> list[subnet_group.SubnetGroup]:
    return [_subnet_group(client, group) for group in _describe_subnet_groups(client)]


def _subnet_group(client: Any, group: Mapping[str, Any]) -> subnet_group.SubnetGroup:
    return subnet_group.shape(group, read_tags(client, group["ARN"]) or {})


def read_parameter_group(client: Any, name: str) -> parameter_group.ParameterGroup | None:
    groups = _describe_parameter_groups(client, CacheParameterGroupName=name)
    return _parameter_group(client, groups[0]) if groups else None


def read_parameter_groups(client: Any) -> list[parameter_group.ParameterGroup]:
    """Those of AWS too."""
    return [_parameter_group(client, group) for group in _describe_parameter_groups(client)]


def _parameter_group(client: Any, group: Mapping[str, Any]) -> parameter_group.ParameterGroup:
    parameters = shape_parameters(_describe_parameters(client, group["CacheParameterGroupName"]))
    return parameter_group.shape(group, parameters, read_tags(client, group["ARN"]) or {})


def read_family_of(client: Any, engine: str, version: str) -> str:
    """The family of parameters of a version, or of the engine's default; empty where nobody tells. PlanRefused."""
    versions = _describe_engine_versions(client, engine, not version)
    return parameter_group.family_among(versions, engine, version) if versions else _known_family(engine, version)


def _known_family(engine: str, version: str) -> str:
    return family_of_cluster(engine, version) if engine == MEMCACHED else family_of(engine, version)


def read_family(client: Any, family: str) -> dict[str, Parameter]:
    """Of the default group, which every family has; empty where there is no such family."""
    return shape_parameters(_describe_parameters(client, f"default.{family}"))


# --- acts ---


def act(client: Any, step: Step) -> acting.Outcome:
    """Make the one call of a step. What turns out to be so already is success: the caller reads again."""
    return acting.act(client, step, _CODES)
