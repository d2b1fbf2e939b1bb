"""Replication groups of ElastiCache."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import elasticache_cluster, elasticache_cluster_info

from tests.component.local_aws import Aws
from tests.component.peers.expecting import is_version
from tests.component.peers.services.contract import Service, own_tags_left_out, until
from tests.component.peers.services.users import user_group
from tests.component.peers.surroundings import Surroundings, fresh

WORDS = {"cloudwatch-logs": "cw", "kinesis-firehose": "firehose"}


def read(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        (group,) = client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
    except client.exceptions.ReplicationGroupNotFoundFault:
        return None
    members = [
        client.describe_cache_clusters(CacheClusterId=member, ShowCacheNodeInfo=True)["CacheClusters"][0]
        for member in group["MemberClusters"]
    ]
    first, shards = members[0], group["NodeGroups"]
    tags = [_tags(client, arn) for arn in (group["ARN"], *(member["ARN"] for member in members))]
    primary, reader = shards[0].get("PrimaryEndpoint", {}), shards[0].get("ReaderEndpoint", {})
    return {
        "identity": group["ReplicationGroupCreateTime"],
        "arn": group["ARN"],
        "replication_group_description": group["Description"],
        "member_clusters": group["MemberClusters"],
        "node_groups": [shard["NodeGroupId"] for shard in shards],
        "replicas_per_node_group": _same(len(shard["NodeGroupMembers"]) - 1 for shard in shards),
        "node_group_configuration": [_shard(shard) for shard in shards],
        "cluster_enabled": group["ClusterEnabled"],
        "multi_az_enabled": group["MultiAZ"] == "enabled",
        "automatic_failover_enabled": group["AutomaticFailover"] == "enabled",
        "data_tiering_enabled": group.get("DataTiering", "disabled") == "enabled",
        "auto_minor_version_upgrade": group["AutoMinorVersionUpgrade"],
        "transit_encryption_enabled": group["TransitEncryptionEnabled"],
        "transit_encryption_mode": group.get("TransitEncryptionMode"),
        "at_rest_encryption_enabled": group["AtRestEncryptionEnabled"],
        "kms_key_id": group.get("KmsKeyId"),
        "engine": group["Engine"],
        "engine_version": _same(member["EngineVersion"] for member in members),
        "engine_version_actual": _same(member["EngineVersion"] for member in members),
        "cache_node_type": group["CacheNodeType"],
        "cache_parameter_group_name": first["CacheParameterGroup"]["CacheParameterGroupName"],
        "cache_security_group_names": first.get("CacheSecurityGroups", []),
        "security_group_ids": [each["SecurityGroupId"] for each in first.get("SecurityGroups", [])],
        "user_group_ids": group.get("UserGroupIds", []),
        "port": (group.get("ConfigurationEndpoint") or primary).get("Port"),
        "configuration_endpoint": (group.get("ConfigurationEndpoint") or {}).get("Address"),
        "primary_endpoint": primary.get("Address"),
        "reader_endpoint": reader.get("Address"),
        "preferred_maintenance_window": first["PreferredMaintenanceWindow"],
        "snapshot_window": group["SnapshotWindow"],
        "snapshot_retention_limit": group["SnapshotRetentionLimit"],
        "ip_discovery": group.get("IpDiscovery"),
        "network_type": group.get("NetworkType"),
        "log_delivery_configurations": [log_delivery(each) for each in group.get("LogDeliveryConfigurations", [])],
        "tags_on_group_and_every_member": tags[0] if all(each == tags[0] for each in tags) else tags,
    }


def _same(values: Any) -> Any:
    """What all of them have, or all of them where they differ."""
    every = list(values)
    return every[0] if len(set(every)) == 1 else every


def _tags(client: Any, arn: str) -> dict[str, str]:
    return own_tags_left_out(client.list_tags_for_resource(ResourceName=arn)["TagList"])


def _shard(shard: dict[str, Any]) -> dict[str, Any]:
    """Where the members are: the first is the primary while nobody has failed over."""
    zones = [member["PreferredAvailabilityZone"] for member in shard["NodeGroupMembers"]]
    return {
        "node_group_id": shard["NodeGroupId"],
        "replica_count": len(zones) - 1,
        "slots": shard.get("Slots"),
        "primary_availability_zone": zones[0],
        "replica_availability_zones": zones[1:],
    }


def log_delivery(delivery: dict[str, Any]) -> str:
    return f"{delivery['LogType']} {WORDS[delivery['DestinationType']]} {delivery['LogFormat']}"


def _status(aws: Aws, name: str) -> str:
    client = aws.client("elasticache")
    try:
        return str(client.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"][0]["Status"])
    except client.exceptions.ReplicationGroupNotFoundFault:
        return "gone"


def settled(aws: Aws, name: str) -> None:
    until(lambda: _status(aws, name) == "available", f"{name} is available")


def delete(aws: Aws, name: str) -> None:
    until(lambda: _status(aws, name) in ("available", "create-failed", "gone"), f"{name} may be deleted")
    if _status(aws, name) != "gone":
        aws.client("elasticache").delete_replication_group(ReplicationGroupId=name)
        until(lambda: _status(aws, name) == "gone", f"{name} is gone")


def _options(stated: dict[str, Any]) -> dict[str, Any]:
    strategy = stated.get("auth_token_update_strategy")
    return {**stated, **({"auth_token_update_strategy": strategy.lower()} if strategy else {})}


def _again(stated: dict[str, Any]) -> dict[str, Any]:
    """A token is set, and nobody can read it back: whoever runs it again says that it stays."""
    return {**stated, **({"auth_token_update_strategy": "keep"} if "auth_token" in stated else {})}


def _creation(stated: dict[str, Any]) -> dict[str, Any]:
    """A new group takes its token without a strategy."""
    return {name: value for name, value in stated.items() if name != "auth_token_update_strategy"}


# --- what happens outside of the module ---


def _raise_version(aws: Aws, name: str) -> None:
    aws.client("elasticache").modify_replication_group(
        ReplicationGroupId=name,
        EngineVersion="7.1",
        CacheParameterGroupName="default.redis7",
        ApplyImmediately=True,
    )
    settled(aws, name)


def _drop_second_member(aws: Aws, name: str) -> None:
    aws.client("elasticache").decrease_replica_count(
        ReplicationGroupId=name, ReplicasToRemove=[f"{name}-002"], ApplyImmediately=True
    )
    settled(aws, name)


def _make_the_third_primary(aws: Aws, name: str) -> None:
    client = aws.client("elasticache")
    for changes in (
        {"AutomaticFailoverEnabled": False},
        {"PrimaryClusterId": f"{name}-003"},
        {"AutomaticFailoverEnabled": True},
    ):
        client.modify_replication_group(ReplicationGroupId=name, ApplyImmediately=True, **changes)
        settled(aws, name)


def _remove_two_shards(aws: Aws, name: str) -> None:
    aws.client("elasticache").modify_replication_group_shard_configuration(
        ReplicationGroupId=name, NodeGroupCount=3, NodeGroupsToRemove=["0003", "0005"], ApplyImmediately=True
    )
    settled(aws, name)


def _nothing(_aws: Aws, _name: str) -> None:
    """What an older release made is what this one makes."""


# --- values that are texts ---


def _is_default_version(engine: str) -> Any:
    def judged(aws: Aws, found: str) -> bool:
        told = aws.client("elasticache").describe_cache_engine_versions(Engine=engine, DefaultOnly=True)
        (version,) = told["CacheEngineVersions"]
        return is_version(version["EngineVersion"], found)

    return judged


def _is_default_group(aws: Aws, found: str) -> bool:
    families = {group["CacheParameterGroupFamily"] for group in _default_groups(aws)}
    return found in {f"default.{family}" for family in families}


def _is_default_group_of_clusters(aws: Aws, found: str) -> bool:
    told = aws.client("elasticache").describe_cache_engine_versions(Engine="redis", DefaultOnly=True)
    return bool(found == f"default.{told['CacheEngineVersions'][0]['CacheParameterGroupFamily']}.cluster.on")


def _default_groups(aws: Aws) -> list[dict[str, Any]]:
    pages = aws.client("elasticache").get_paginator("describe_cache_parameter_groups").paginate()
    groups = [group for page in pages for group in page["CacheParameterGroups"]]
    return [group for group in groups if group["CacheParameterGroupName"].startswith("default.")]


# --- what is there before ---


def _group_of_redis7(aws: Aws, _around: Surroundings) -> str:
    name = fresh("redis7-")
    aws.client("elasticache").create_cache_parameter_group(
        CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="of the peer's tests"
    )
    return name


def _default_version(aws: Aws, _around: Surroundings) -> str:
    """Of Redis OSS, as a pattern."""
    told = aws.client("elasticache").describe_cache_engine_versions(Engine="redis", DefaultOnly=True)
    return re.escape(".".join(told["CacheEngineVersions"][0]["EngineVersion"].split(".")[:2]))


def _told_as(facts: dict[str, Any]) -> dict[str, Any]:
    """The zones of a shard are told without whose they are, as a failover moves the primary: at first the first."""
    shards = [
        {
            **shard,
            "primary_availability_zone": shard["availability_zones"][0],
            "replica_availability_zones": shard["availability_zones"][1:],
        }
        for shard in facts["node_group_configuration"]
        if shard["availability_zones"]
    ]
    return {**facts, "node_group_configuration": shards}


REPLICATION_GROUP = Service(
    main=elasticache_cluster.main,
    name_option="replication_group_id",
    read=read,
    delete=delete,
    always={"purge_tags": True, "replication_group_description": "of the peer's tests"},
    options=_options,
    again=_again,
    creation=_creation,
    deletion=lambda stated: {"skip_final_snapshot": True},
    outside={
        "engine_version raised to 7.1 outside the tool": _raise_version,
        "member <id>-002 was deleted outside the tool": _drop_second_member,
        "member <id>-003 was made primary outside the tool": _make_the_third_primary,
        "shards 0003 and 0005 were removed outside the tool (0001, 0002, 0004 remain)": _remove_two_shards,
        "made by a release that had no token strategy option": _nothing,
        "made by a release one major version back": _nothing,
    },
    makers={
        "service default": _default_version,
        "custom group, family redis7": _group_of_redis7,
        **dict.fromkeys(("user-group", "user-group-0", "user-group-1"), user_group),
    },
    special={
        "service default for redis (major.minor)": _is_default_version("redis"),
        "service default for valkey (major.minor)": _is_default_version("valkey"),
        "default.* of that family, not .cluster.on": _is_default_group,
        "default.*.cluster.on of the default redis version": _is_default_group_of_clusters,
    },
    info=elasticache_cluster_info.main,
    told="replication_groups",
    told_as=_told_as,
    unread=("auth_token", "auth_token_update_strategy", "apply_immediately"),
)
