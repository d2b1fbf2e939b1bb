"""Clusters of MemoryDB, with their ACLs and parameter groups."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import (
    memorydb_acl,
    memorydb_acl_info,
    memorydb_cluster,
    memorydb_cluster_info,
    memorydb_parameter_group,
    memorydb_parameter_group_info,
)

from tests.component.local_aws import Aws
from tests.component.peers.services.contract import Service, own_tags_left_out, until
from tests.component.peers.surroundings import Surroundings, fresh, subnets

ANY = "on ~* &* +@all"


def _tags(client: Any, arn: str) -> dict[str, str]:
    return own_tags_left_out(client.list_tags(ResourceArn=arn)["TagList"])


# --- clusters ---


def _cluster(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("memorydb")
    try:
        return dict(client.describe_clusters(ClusterName=name, ShowShardDetails=True)["Clusters"][0])
    except client.exceptions.ClusterNotFoundFault:
        return None


def _read_cluster(aws: Aws, name: str) -> dict[str, Any] | None:
    cluster = _cluster(aws, name)
    if cluster is None:
        return None
    shards, endpoint = cluster.get("Shards") or [], cluster.get("ClusterEndpoint") or {}
    nodes = [node for shard in shards for node in shard["Nodes"]]
    ports = {node["Endpoint"]["Port"] for node in nodes if node.get("Endpoint")}
    counts = {len(shard["Nodes"]) for shard in shards}
    return {
        "identity": cluster["ARN"],  # AWS tells no time of creation
        "arn": cluster["ARN"],
        "cluster_name": cluster["Name"],
        "description": cluster.get("Description"),
        "engine": cluster["Engine"],
        "engine_version": cluster["EngineVersion"],
        "engine_patch_version": cluster.get("EnginePatchVersion"),
        "node_type": cluster["NodeType"],
        "num_shards": cluster["NumberOfShards"],
        "num_replicas_per_shard": min(counts) - 1 if len(counts) == 1 else sorted(counts),
        "shards": shards,
        "shard": {
            "name": [shard["Name"] for shard in shards],
            "num_nodes": min(counts) if len(counts) == 1 else sorted(counts),
            "slots": shards[0].get("Slots") if shards else None,
            "node_name": [node["Name"] for node in nodes],
            "port": min(ports) if len(ports) == 1 else sorted(ports),
        },
        "cluster_endpoint": {"address": endpoint.get("Address"), "port": endpoint.get("Port")},
        "port": endpoint.get("Port"),
        "acl_name": cluster["ACLName"],
        "auto_minor_version_upgrade": cluster["AutoMinorVersionUpgrade"],
        "data_tiering": cluster.get("DataTiering") == "true",
        "tls_enabled": cluster["TLSEnabled"],
        "kms_key_id": cluster.get("KmsKeyId"),
        "sns_topic_arn": _topic(cluster),
        "multi_region_cluster_name": cluster.get("MultiRegionClusterName"),
        "maintenance_window": cluster["MaintenanceWindow"],
        "snapshot_window": cluster["SnapshotWindow"],
        "snapshot_retention_limit": cluster["SnapshotRetentionLimit"],
        "parameter_group_name": cluster["ParameterGroupName"],
        "subnet_group_name": cluster["SubnetGroupName"],
        "security_group_ids": [each["SecurityGroupId"] for each in cluster.get("SecurityGroups") or []],
        "tags": _tags(aws.client("memorydb"), cluster["ARN"]),
    }


def _topic(cluster: dict[str, Any]) -> str | None:
    """AWS keeps the name of a topic that is set inactive."""
    return cluster.get("SnsTopicArn") if str(cluster.get("SnsTopicStatus")).lower() == "active" else None


def _status(aws: Aws, name: str) -> str:
    return str((_cluster(aws, name) or {"Status": "gone"})["Status"]).lower()


def _delete_cluster(aws: Aws, name: str) -> None:
    until(lambda: _status(aws, name) in ("available", "create-failed", "gone"), f"{name} may be deleted")
    if _status(aws, name) != "gone":
        aws.client("memorydb").delete_cluster(ClusterName=name)
        until(lambda: _status(aws, name) == "gone", f"{name} is gone")


def _subnet_group(aws: Aws, _around: Surroundings) -> str:
    made = aws.client("memorydb").create_subnet_group(SubnetGroupName=fresh("net-"), SubnetIds=subnets(aws))
    return str(made["SubnetGroup"]["Name"])


def _user(aws: Aws, around: Surroundings) -> str:
    name, client = fresh("user-"), aws.client("memorydb")
    client.create_user(
        UserName=name,
        AuthenticationMode={"Type": "password", "Passwords": [around.of("password-1")]},
        AccessString=ANY,
    )
    until(lambda: client.describe_users(UserName=name)["Users"][0]["Status"] == "active", f"user {name} is active")
    return name


def _acl(aws: Aws, around: Surroundings) -> str:
    name, client = fresh("acl-"), aws.client("memorydb")
    client.create_acl(ACLName=name, UserNames=[_user(aws, around)])
    until(lambda: client.describe_acls(ACLName=name)["ACLs"][0]["Status"] == "active", f"ACL {name} is active")
    return name


def _snapshot_of_another(aws: Aws, _around: Surroundings) -> str:
    cluster, name, client = fresh("source-"), fresh("snapshot-"), aws.client("memorydb")
    client.create_cluster(ClusterName=cluster, NodeType="db.t4g.small", ACLName="open-access", NumReplicasPerShard=0)
    until(lambda: _status(aws, cluster) == "available", f"{cluster} is available")
    client.create_snapshot(ClusterName=cluster, SnapshotName=name)
    until(
        lambda: client.describe_snapshots(SnapshotName=name)["Snapshots"][0]["Status"] == "available",
        f"snapshot {name} is available",
    )
    _delete_cluster(aws, cluster)
    return name


CLUSTER = Service(
    main=memorydb_cluster.main,
    name_option="cluster_name",
    read=_read_cluster,
    delete=_delete_cluster,
    always={"purge_tags": True},
    omitted={"sns_topic_arn": ""},
    deletion=lambda stated: {"skip_final_snapshot": True},
    makers={"subnet-group": _subnet_group, "acl": _acl, "snapshot of another cluster": _snapshot_of_another},
    info=memorydb_cluster_info.main,
    told="clusters",
)


# --- ACLs ---


def _read_acl(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("memorydb")
    try:
        acl = client.describe_acls(ACLName=name)["ACLs"][0]
    except client.exceptions.ACLNotFoundFault:
        return None
    return {
        "identity": acl["ARN"],
        "arn": acl["ARN"],
        "acl_name": acl["Name"],
        "user_names": acl.get("UserNames", []),
        "minimum_engine_version": acl.get("MinimumEngineVersion"),
        "tags": _tags(client, acl["ARN"]),
    }


def _delete_acl(aws: Aws, name: str) -> None:
    aws.client("memorydb").delete_acl(ACLName=name)
    until(lambda: _read_acl(aws, name) is None, f"ACL {name} is gone")


ACL = Service(
    main=memorydb_acl.main,
    name_option="acl_name",
    read=_read_acl,
    delete=_delete_acl,
    always={"purge_tags": True},
    makers={"user-1": _user},
    info=memorydb_acl_info.main,
    told="acls",
)


# --- parameter groups ---


def _parameters(client: Any, group: str) -> dict[str, str]:
    pages = client.get_paginator("describe_parameters").paginate(ParameterGroupName=group)
    return {item["Name"]: item.get("Value", "") for page in pages for item in page["Parameters"]}


def _read_parameter_group(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("memorydb")
    try:
        group = client.describe_parameter_groups(ParameterGroupName=name)["ParameterGroups"][0]
    except client.exceptions.ParameterGroupNotFoundFault:
        return None
    usual = _parameters(client, f"default.{group['Family'].replace('_', '-')}")
    return {
        "identity": group["ARN"],
        "arn": group["ARN"],
        "family": group["Family"],
        "description": group.get("Description"),
        # AWS tells of no parameter that it was set: what differs from the family's was.
        "parameters": {key: value for key, value in _parameters(client, name).items() if value != usual[key]},
        "tags": _tags(client, group["ARN"]),
    }


PARAMETER_GROUP = Service(
    main=memorydb_parameter_group.main,
    name_option="parameter_group_name",
    read=_read_parameter_group,
    delete=lambda aws, name: aws.client("memorydb").delete_parameter_group(ParameterGroupName=name),
    always={"purge_tags": True, "purge_parameters": True},
    special={"the tool's own default text": lambda _aws, text: text == "Parameters of shop-prod"},
    info=memorydb_parameter_group_info.main,
    told="parameter_groups",
)
