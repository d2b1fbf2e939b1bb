"""Subnet groups and parameter groups of ElastiCache."""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_parameter_group,
    elasticache_parameter_group_info,
    elasticache_subnet_group,
    elasticache_subnet_group_info,
)

from tests.component.local_aws import Aws
from tests.component.peers.services.contract import Service, own_tags_left_out


def _read_subnet_group(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        (group,) = client.describe_cache_subnet_groups(CacheSubnetGroupName=name)["CacheSubnetGroups"]
    except client.exceptions.CacheSubnetGroupNotFoundFault:
        return None
    return {
        "identity": group["ARN"],  # AWS tells no time of creation
        "cache_subnet_group_description": group["CacheSubnetGroupDescription"],
        "subnet_ids": [subnet["SubnetIdentifier"] for subnet in group["Subnets"]],
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]),
    }


SUBNET_GROUP = Service(
    main=elasticache_subnet_group.main,
    name_option="cache_subnet_group_name",
    read=_read_subnet_group,
    delete=lambda aws, name: aws.client("elasticache").delete_cache_subnet_group(CacheSubnetGroupName=name),
    always={"purge_tags": True},
    info=elasticache_subnet_group_info.main,
    told="cache_subnet_groups",
)


def _read_parameter_group(aws: Aws, name: str) -> dict[str, Any] | None:
    client = aws.client("elasticache")
    try:
        (group,) = client.describe_cache_parameter_groups(CacheParameterGroupName=name)["CacheParameterGroups"]
    except client.exceptions.CacheParameterGroupNotFoundFault:
        return None
    pages = client.get_paginator("describe_cache_parameters").paginate(CacheParameterGroupName=name, Source="user")
    return {
        "identity": group["ARN"],
        "cache_parameter_group_name": group["CacheParameterGroupName"],
        "cache_parameter_group_family": group["CacheParameterGroupFamily"],
        "description": group["Description"],
        "parameters": {item["ParameterName"]: item["ParameterValue"] for each in pages for item in each["Parameters"]},
        "tags": own_tags_left_out(client.list_tags_for_resource(ResourceName=group["ARN"])["TagList"]),
    }


PARAMETER_GROUP = Service(
    main=elasticache_parameter_group.main,
    name_option="cache_parameter_group_name",
    read=_read_parameter_group,
    delete=lambda aws, name: aws.client("elasticache").delete_cache_parameter_group(CacheParameterGroupName=name),
    always={"purge_tags": True, "purge_parameters": True},
    special={"the tool's own default text": lambda _aws, text: text == "Parameters of shop-prod"},
    info=elasticache_parameter_group_info.main,
    told="cache_parameter_groups",
)
