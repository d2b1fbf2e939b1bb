"""What MemoryDB shows of what is there: plain mappings in the shapes of botocore's model."""

from __future__ import annotations

from typing import Any

from sandbox.aws import slots as hash_slots
from sandbox.aws.elasticache.parameters import Parameter
from sandbox.aws.memorydb import endpoint_names
from sandbox.aws.memorydb.parameters import first_version
from sandbox.aws.memorydb.state import (
    ACTIVE,
    AVAILABLE,
    Account,
    Acl,
    Cluster,
    ParameterGroup,
    Snapshot,
    SubnetGroup,
    User,
)


def cluster(of: Cluster, with_shards: bool = False) -> dict[str, Any]:
    pending = {
        "Resharding": {"SlotMigration": {"ProgressPercentage": 0.0}} if of.is_resharding else None,
        "ACLs": {"ACLToApply": of.pending_acl} if of.pending_acl else None,
    }
    shown = {
        "Name": of.id,
        "Description": of.description,
        "Status": of.status,
        "PendingUpdates": {name: told for name, told in pending.items() if told} or None,
        "NumberOfShards": len(of.nodes),
        "Shards": shards(of) if with_shards else None,
        "AvailabilityMode": "multiaz"
        if len({n.zone for nodes in of.nodes.values() for n in nodes}) > 1
        else "singleaz",
        "ClusterEndpoint": {
            **({"Address": endpoint_names.configuration(of)} if of.is_serving else {}),
            "Port": of.port,
        },
        "NodeType": of.node_type,
        "Engine": of.version.engine,
        "EngineVersion": of.version.label,
        "EnginePatchVersion": of.version.full,
        "ParameterGroupName": of.parameter_group,
        "ParameterGroupStatus": of.parameter_status,
        "SecurityGroups": [
            {"SecurityGroupId": group, "Status": of.group_status.get(group, ACTIVE)}
            for group in dict.fromkeys([*of.security_groups, *of.group_status])
        ],
        "SubnetGroupName": of.subnet_group,
        "TLSEnabled": of.tls,
        "KmsKeyId": of.kms_key or None,
        "ARN": of.arn,
        "SnsTopicArn": of.topic or None,
        "SnsTopicStatus": ("ACTIVE" if of.topic_is_active else "INACTIVE") if of.topic else None,
        "SnapshotRetentionLimit": of.retention,
        "MaintenanceWindow": of.maintenance_window,
        "SnapshotWindow": of.snapshot_window,
        "ACLName": of.acl,
        "AutoMinorVersionUpgrade": of.auto_minor_version_upgrade,
        "DataTiering": "true" if of.data_tiering else "false",
        "NetworkType": "ipv4",
        "IpDiscovery": "ipv4",
    }
    return {name: told for name, told in shown.items() if told is not None}


def has_many_zones(of: Cluster) -> bool:
    return len({node.zone for nodes in of.nodes.values() for node in nodes}) > 1


def shards(of: Cluster) -> list[dict[str, Any]]:
    slots = slots_of(of)
    return [
        {
            "Name": shard,
            "Status": "available" if of.status == AVAILABLE else of.status,
            "Slots": slots.get(shard, ""),
            "NumberOfNodes": len(nodes),
            "Nodes": [
                {
                    "Name": node.name,
                    "Status": "available" if of.status == AVAILABLE else of.status,
                    "AvailabilityZone": node.zone,
                    "CreateTime": node.created,
                    **(
                        {"Endpoint": {"Address": endpoint_names.node(of, node.name), "Port": of.port}}
                        if of.is_serving
                        else {}
                    ),
                }
                for node in nodes
            ],
        }
        for shard, nodes in sorted(of.nodes.items())
    ]


def slots_of(of: Cluster) -> dict[str, str]:
    """As the engines say it; while they are busy with it, as they will have it."""
    found = of.engines.slots() if of.engines and of.status == AVAILABLE else hash_slots.even(sorted(of.nodes))
    return {shard: hash_slots.as_text(slots) for shard, slots in found.items()}


def subnet_group(group: SubnetGroup) -> dict[str, Any]:
    return {
        "Name": group.name,
        "Description": group.description,
        "VpcId": group.vpc,
        "Subnets": [
            {"Identifier": subnet, "AvailabilityZone": {"Name": zone}, "SupportedNetworkTypes": ["ipv4"]}
            for subnet, zone in sorted(group.subnets.items())
        ],
        "ARN": group.arn,
        "SupportedNetworkTypes": ["ipv4"],
    }


def parameter_group(group: ParameterGroup) -> dict[str, Any]:
    return {"Name": group.name, "Family": group.family, "Description": group.description, "ARN": group.arn}


def parameter(of: Parameter, group: ParameterGroup) -> dict[str, Any]:
    return {
        "Name": of.name,
        "Value": group.values.get(of.name, of.default),
        "Description": of.name.replace("-", " "),
        "DataType": of.data_type,
        "AllowedValues": of.allowed,
        "MinimumEngineVersion": first_version(group.family),
    }


def user(of: User, account: Account) -> dict[str, Any]:
    count = {"PasswordCount": len(of.digests)} if of.kind == "password" else {}
    return {
        "Name": of.name,
        "Status": of.status,
        "AccessString": of.access_string,
        "ACLNames": sorted(acl.name for acl in account.acls_of(of.name)),
        "MinimumEngineVersion": "6.0",
        "Authentication": {"Type": of.kind, **count},
        "ARN": of.arn,
    }


def acl(of: Acl, account: Account) -> dict[str, Any]:
    changes = {"UserNamesToAdd": of.to_add, "UserNamesToRemove": of.to_remove}
    return {
        "Name": of.name,
        "Status": of.status,
        "UserNames": sorted(of.users),
        "MinimumEngineVersion": "6.2",
        **({"PendingChanges": {k: v for k, v in changes.items() if v}} if of.to_add or of.to_remove else {}),
        "Clusters": sorted(cluster.id for cluster in account.clusters_of(of.name)),
        "ARN": of.arn,
    }


def snapshot(of: Snapshot, with_shards: bool = False) -> dict[str, Any]:
    told = [
        {"Name": shard, "Configuration": {"Slots": slots}, "SnapshotCreationTime": of.created}
        for shard, slots in sorted(of.slots.items())
    ]
    return {
        "Name": of.name,
        "Status": of.status,
        "Source": of.source,
        **({"KmsKeyId": of.kms_key} if of.kms_key else {}),
        "ARN": of.arn,
        "ClusterConfiguration": {**of.of, **({"Shards": told} if with_shards else {})},
        "DataTiering": "true" if of.data_tiering else "false",
    }
