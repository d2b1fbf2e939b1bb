# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""MemoryDB's API: one function a read, and one for every act of a plan.

All raise AnsibleAWSError. Throttled calls are retried.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Mapping

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws import acting
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.call import aws_call
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.denied import ACCESS_DENIED
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import (
    parameter_group,
    parameter_words,
    subnet_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter import (
    Parameter,
    shape_beside_default,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.current import Cluster, shape

_NO_CLUSTER = ("ClusterNotFoundFault",)
_NO_SUBNETS = ("SubnetGroupNotFoundFault",)
_NO_PARAMETERS = ("ParameterGroupNotFoundFault",)
_NOT_TAGGABLE_YET = [
    *(*_NO_CLUSTER, "ACLNotFoundFault", "UserNotFoundFault", "SnapshotNotFoundFault"),
    *("InvalidClusterStateFault", "InvalidARNFault"),
]
_CODES = acting.Codes(
    busy=(
        *("InvalidClusterStateFault", "InvalidNodeStateFault", "InvalidUserStateFault", "InvalidACLStateFault"),
        "InvalidSnapshotStateFault",
    ),
    already_so={
        "CreateACL": ("ACLAlreadyExistsFault",),
        "CreateSnapshot": ("SnapshotAlreadyExistsFault",),
        "CreateUser": ("UserAlreadyExistsFault",),
        "DeleteACL": ("ACLNotFoundFault",),
        "DeleteSnapshot": ("SnapshotNotFoundFault",),
        "DeleteUser": ("UserNotFoundFault",),
        "CreateCluster": ("ClusterAlreadyExistsFault",),
        "CreateSubnetGroup": ("SubnetGroupAlreadyExistsFault",),
        "CreateParameterGroup": ("ParameterGroupAlreadyExistsFault",),
        "DeleteCluster": _NO_CLUSTER,
        "DeleteSubnetGroup": _NO_SUBNETS,
        "DeleteParameterGroup": _NO_PARAMETERS,
    },
)


# --- reads ---


@aws_call("describe the MemoryDB cluster {name}", none_on=_NO_CLUSTER)
def _describe_cluster(client: Any, name: str) -> Mapping[str, Any] | None:
    clusters = client.describe_clusters(ClusterName=name, ShowShardDetails=True)["Clusters"]
    return clusters[0] if clusters else None


@aws_call("describe the MemoryDB clusters")
def _describe_clusters(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_clusters").paginate(ShowShardDetails=True)
    return [cluster for page in pages for cluster in page["Clusters"]]


@aws_call("list the tags of {arn}")
def read_tags(client: Any, arn: str) -> dict[str, str] | None:
    """None while AWS tells none, as of a cluster that is being made."""
    try:
        return {tag["Key"]: tag.get("Value") or "" for tag in client.list_tags(ResourceArn=arn)["TagList"]}
    except is_boto3_error_code(_NOT_TAGGABLE_YET):
        return None


@aws_call("describe the subnet group {name}", none_on=_NO_SUBNETS)
def _describe_subnet_group(client: Any, name: str) -> Mapping[str, Any] | None:
    groups = client.describe_subnet_groups(SubnetGroupName=name)["SubnetGroups"]
    return groups[0] if groups else None


@aws_call("describe the subnet groups")
def _describe_subnet_groups(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_subnet_groups").paginate()
    return [group for page in pages for group in page["SubnetGroups"]]


@aws_call("describe the parameter group {name}", none_on=_NO_PARAMETERS)
def _describe_parameter_group(client: Any, name: str) -> Mapping[str, Any] | None:
    groups = client.describe_parameter_groups(ParameterGroupName=name)["ParameterGroups"]
    return groups[0] if groups else None


@aws_call("describe the parameter groups")
def _describe_parameter_groups(client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_parameter_groups").paginate()
    return [group for page in pages for group in page["ParameterGroups"]]


@aws_call("describe the parameters of {group}")
def _describe_parameters(client: Any, group: str) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("describe_parameters").paginate(ParameterGroupName=group)
    return [parameter for page in pages for parameter in page["Parameters"]]


@aws_call("describe the versions of {engine}")
def _describe_engine_versions(client: Any, engine: str) -> list[Mapping[str, Any]]:
    """Nothing where this identity may not ask."""
    try:
        pages = client.get_paginator("describe_engine_versions").paginate(Engine=engine)
        return [version for page in pages for version in page["EngineVersions"]]
    except is_boto3_error_code(list(ACCESS_DENIED)):
        return []


@aws_call("list the node types that {cluster.cluster_name} may change to")
def with_allowed_node_types(client: Any, cluster: Cluster) -> Cluster:
    told = client.list_allowed_node_type_updates(ClusterName=cluster.cluster_name)
    allowed = {*(told.get("ScaleUpNodeTypes") or ()), *(told.get("ScaleDownNodeTypes") or ())}
    return replace(cluster, allowed_node_types=tuple(sorted(allowed)))


@aws_call("describe the events of {name}")
def read_events(client: Any, source_type: str, name: str) -> str:
    """What the service says of it, the newest last, as one line. Empty where this identity may not ask."""
    try:
        pages = client.get_paginator("describe_events").paginate(SourceType=source_type, SourceName=name)
        events = [event for page in pages for event in page["Events"]]
    except is_boto3_error_code(list(ACCESS_DENIED)):
        return ""
    messages = [str(event.get("Message") or "") for event in sorted(events, key=lambda event: str(event.get("Date")))]
    return "; ".join(dict.fromkeys(message for message in messages if message))


def read_cluster(client: Any, name: str) -> Cluster | None:
    """The cluster with its shards and tags; None where there is none."""
    cluster = _describe_cluster(client, name)
    return shape(cluster, read_tags(client, cluster["ARN"])) if cluster else None


def read_clusters(client: Any) -> list[Cluster]:
    return [shape(cluster, read_tags(client, cluster["ARN"])) for cluster in _describe_clusters(client)]


def _subnet_group(client: Any, group: Mapping[str, Any]) -> subnet_group.SubnetGroup:
    return subnet_group.shape(group, read_tags(client, group["ARN"]) or {}, subnet_group.MEMORYDB)


def read_subnet_group(client: Any, name: str) -> subnet_group.SubnetGroup | None:
    group = _describe_subnet_group(client, name)
    return _subnet_group(client, group) if group else None


def read_subnet_groups(client: Any) -> list[subnet_group.SubnetGroup]:
    return [_subnet_group(client, group) for group in _describe_subnet_groups(client)]


def read_parameter_group(client: Any, name: str) -> parameter_group.ParameterGroup | None:
    group = _describe_parameter_group(client, name)
    return _parameter_group(client, group, _default_groups(client)) if group else None


def read_parameter_groups(client: Any) -> list[parameter_group.ParameterGroup]:
    """Those of AWS too."""
    defaults = _default_groups(client)
    return [_parameter_group(client, group, defaults) for group in _describe_parameter_groups(client)]


def _parameter_group(
    client: Any, group: Mapping[str, Any], defaults: Mapping[str, str]
) -> parameter_group.ParameterGroup:
    usual = _describe_parameters(client, defaults[group["Family"]]) if group["Family"] in defaults else []
    parameters = shape_beside_default(_describe_parameters(client, group["Name"]), usual)
    return parameter_group.shape(group, parameters, read_tags(client, group["ARN"]) or {}, parameter_words.MEMORYDB)


def _default_groups(client: Any) -> dict[str, str]:
    """AWS's own group of each family. Its name is not made of the family's, but read."""
    groups = _describe_parameter_groups(client)
    return {group["Family"]: group["Name"] for group in groups if group["Name"].startswith("default.")}


def read_family(client: Any, family: str) -> dict[str, Parameter]:
    """The parameters of a family; empty where there is no such family."""
    group = _default_groups(client).get(family)
    parameters = _describe_parameters(client, group) if group else []
    return shape_beside_default(parameters, parameters)


def read_family_of(client: Any, engine: str, version: str) -> str:
    """The family of parameters of a version, or of the engine's newest; empty where nobody tells. PlanRefused."""
    versions = _describe_engine_versions(client, engine)
    return parameter_group.family_among(versions, engine, version, "ParameterGroupFamily") if versions else ""


# --- acts ---


def act(client: Any, step: Step) -> acting.Outcome:
    """Make the one call of a step. What turns out to be so already is success: the caller reads again."""
    return acting.act(client, step, _CODES)
