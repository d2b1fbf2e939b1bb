"""What AWS refuses, and what the sandbox refuses by name because it does not implement it."""

from __future__ import annotations

from typing import Any

import pytest

TLS = {"TransitEncryptionEnabled": True}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"ReplicationGroupId": "9lives"}, "InvalidParameterValue"),
        ({"ReplicationGroupId": "two--hyphens"}, "InvalidParameterValue"),
        ({"ReplicationGroupId": "trailing-"}, "InvalidParameterValue"),
        ({"ReplicationGroupId": "x" * 41}, "InvalidParameterValue"),
        ({"CacheNodeType": "cache.t9.nano"}, "InvalidParameterValue"),
        ({"Engine": "memcached"}, "InvalidParameterValue"),
        ({"EngineVersion": "7.9"}, "InvalidParameterCombination"),
        ({"NumCacheClusters": 7}, "InvalidParameterValue"),
        ({"AutomaticFailoverEnabled": True}, "InvalidParameterCombination"),
        ({"NumCacheClusters": 2, "MultiAZEnabled": True}, "InvalidParameterCombination"),
        ({"NumCacheClusters": 2, "ReplicasPerNodeGroup": 1}, "InvalidParameterCombination"),
        ({"PreferredCacheClusterAZs": ["eu-west-1a"], "NumCacheClusters": 1}, "InvalidParameterValue"),
        ({"AuthToken": "sesame-sesame-sesame"}, "InvalidParameterCombination"),
        ({**TLS, "AuthToken": "sesame"}, "InvalidParameterValue"),
        ({"TransitEncryptionMode": "preferred"}, "InvalidParameterCombination"),
        ({"KmsKeyId": "some-key"}, "InvalidParameterCombination"),
        ({"AtRestEncryptionEnabled": True, "KmsKeyId": "some-key"}, "InvalidKMSKeyFault"),
        ({"CacheSubnetGroupName": "nowhere"}, "CacheSubnetGroupNotFoundFault"),
        ({"CacheParameterGroupName": "nothing"}, "CacheParameterGroupNotFound"),
        ({"CacheParameterGroupName": "default.redis6.x"}, "InvalidParameterCombination"),
        ({"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidParameterValue"),
        ({"SnapshotName": "nothing"}, "SnapshotNotFoundFault"),
        ({"SnapshotRetentionLimit": 36}, "InvalidParameterValue"),
        ({"SnapshotWindow": "5am"}, "InvalidParameterValue"),
        ({"SnapshotWindow": "05:00-05:30"}, "InvalidParameterValue"),
        ({"PreferredMaintenanceWindow": "someday"}, "InvalidParameterValue"),
        ({"PreferredMaintenanceWindow": "sun:05:00-sun:05:30"}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "aws:mine", "Value": ""}]}, "InvalidParameterValue"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_a_group_that_aws_would_not_make_is_refused(aws: Any, options: dict[str, Any], code: str) -> None:
    params = {
        "ReplicationGroupId": "refused",
        "ReplicationGroupDescription": "d",
        "CacheNodeType": "cache.t3.micro",
        **options,
    }
    assert aws.refusal("create_replication_group", **params)[0] == code
    assert "refused" not in [
        g["ReplicationGroupId"] for g in aws.elasticache.describe_replication_groups()["ReplicationGroups"]
    ]


WINDOWS = "The snapshot window and maintenance window must not overlap."
ZONES = "the number of cache clusters must be specified and must match the number of preferred availability zones."


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {**TLS, "TransitEncryptionMode": "preferred", "AuthToken": "sesame-sesame-sesame"},
            "InvalidParameterCombination",
            "Transit encryption preferred is not supported with redis access control.",
        ),
        (
            {**TLS, "TransitEncryptionMode": "required", "EngineVersion": "6.2"},
            "InvalidParameterCombination",
            "TransitEncryptionMode is not supported for 6.2.6",
        ),
        (
            {"SnapshotWindow": "23:30-00:30", "PreferredMaintenanceWindow": "sun:22:00-mon:00:00"},
            "InvalidParameterValue",
            WINDOWS,
        ),
        (
            {"SnapshotWindow": "05:00-06:00", "PreferredMaintenanceWindow": "mon:04:00-tue:04:00"},
            "InvalidParameterValue",
            WINDOWS,
        ),
        ({"PreferredCacheClusterAZs": ["us-east-1a", "us-east-1b"]}, "InvalidParameterValue", ZONES),
        ({"PreferredCacheClusterAZs": ["us-east-1a"], "ReplicasPerNodeGroup": 0}, "InvalidParameterValue", ZONES),
        ({"PreferredCacheClusterAZs": ["us-east-1a"], "NumCacheClusters": 2}, "InvalidParameterValue", ZONES),
        (
            {"CacheParameterGroupName": "default.redis6.x"},
            "InvalidParameterCombination",
            "Expected a parameter group of family redis7 but found one of family redis6.x",
        ),
        (
            {"CacheParameterGroupName": "default.valkey8"},
            "InvalidParameterCombination",
            "valkey parameter group is not applicable to engine redis",
        ),
    ],
)
def test_it_says_what_aws_says(aws: Any, options: dict[str, Any], code: str, message: str) -> None:
    params = {"ReplicationGroupId": "x", "ReplicationGroupDescription": "d", "CacheNodeType": "cache.t3.micro"}
    found = aws.refusal("create_replication_group", **params, **options)
    assert found[:2] == (code, 400)
    assert message in found[2]


@pytest.mark.parametrize(
    ("operation", "params", "code", "status"),
    [
        ("describe_replication_groups", {"ReplicationGroupId": "nobody"}, "ReplicationGroupNotFoundFault", 404),
        ("describe_cache_clusters", {"CacheClusterId": "nobody"}, "CacheClusterNotFound", 404),
        ("describe_cache_subnet_groups", {"CacheSubnetGroupName": "nobody"}, "CacheSubnetGroupNotFoundFault", 400),
        ("describe_cache_parameter_groups", {"CacheParameterGroupName": "nobody"}, "CacheParameterGroupNotFound", 404),
        ("describe_snapshots", {"SnapshotName": "nobody"}, "SnapshotNotFoundFault", 404),
        ("list_tags_for_resource", {"ResourceName": "nobody"}, "InvalidARN", 400),
        ("describe_replication_groups", {"MaxRecords": 5}, "InvalidParameterValue", 400),
        ("create_replication_group", {"ReplicationGroupId": "half"}, "ValidationError", 400),
    ],
)
def test_errors_have_the_codes_and_statuses_of_the_service(
    aws: Any, operation: str, params: dict[str, Any], code: str, status: int
) -> None:
    assert aws.refusal(operation, **params)[:2] == (code, status)


GLOBAL = {"GlobalReplicationGroupId": "x", "RetainPrimaryReplicationGroup": True}


@pytest.mark.parametrize(
    ("operation", "params", "named"),
    [
        ("delete_global_replication_group", GLOBAL, "DeleteGlobalReplicationGroup"),
        ("describe_reserved_cache_nodes", {}, "DescribeReservedCacheNodes"),
    ],
)
def test_an_operation_that_is_not_implemented_is_refused_by_name(
    aws: Any, operation: str, params: dict[str, Any], named: str
) -> None:
    code, status, message = aws.refusal(operation, **params)
    assert (code, status) == ("SandboxHasNoSuchOperation", 501)
    assert named in message


@pytest.mark.parametrize(
    "options",
    [
        {"GlobalReplicationGroupId": "g"},
        {"NetworkType": "ipv6"},
        {"ServerlessCacheSnapshotName": "s"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_parameter_that_is_not_implemented_is_refused_by_name(aws: Any, options: dict[str, Any]) -> None:
    params = {
        "ReplicationGroupId": "refused",
        "ReplicationGroupDescription": "d",
        "CacheNodeType": "cache.t3.micro",
        **options,
    }
    code, status, message = aws.refusal("create_replication_group", **params)
    assert (code, status) == ("SandboxHasNoSuchParameter", 501)
    assert next(iter(options)) in message


def test_keeping_the_primary_of_a_deleted_group_is_refused_by_name(aws: Any) -> None:
    aws.create("retained")
    code, _, message = aws.refusal("delete_replication_group", ReplicationGroupId="retained", RetainPrimaryCluster=True)
    assert code == "SandboxHasNoSuchParameter"
    assert "RetainPrimaryCluster" in message


def test_a_group_is_made_once(aws: Any) -> None:
    aws.create("once")
    code = aws.refusal(
        "create_replication_group",
        ReplicationGroupId="ONCE",
        ReplicationGroupDescription="d",
        CacheNodeType="cache.t3.micro",
    )[0]
    assert code == "ReplicationGroupAlreadyExists"


def test_a_gap_of_the_other_services_is_refused_by_name(aws: Any) -> None:
    with pytest.raises(Exception, match="SandboxHasNoSuchOperation"):
        aws.client("ssm").describe_inventory_deletions()


def test_a_failover_needs_automatic_failover_and_a_node_group_that_exists(aws: Any) -> None:
    aws.create("alone")
    code = aws.refusal("test_failover", ReplicationGroupId="alone", NodeGroupId="0001")[0]
    assert code == "InvalidReplicationGroupState"
    code = aws.refusal("test_failover", ReplicationGroupId="alone", NodeGroupId="0002")[0]
    assert code == "NodeGroupNotFoundFault"


def test_versions_and_node_types_are_listed(aws: Any) -> None:
    found = aws.elasticache.describe_cache_engine_versions(Engine="redis")["CacheEngineVersions"]
    assert {"7.1": "redis7", "6.2": "redis6.x"}.items() <= {
        v["EngineVersion"]: v["CacheParameterGroupFamily"] for v in found
    }.items()
    newest = aws.elasticache.describe_cache_engine_versions(Engine="redis", DefaultOnly=True)["CacheEngineVersions"]
    assert [v["EngineVersion"] for v in newest] == ["7.1"]
    aws.create("typed", CacheNodeType="cache.t3.small")
    allowed = aws.elasticache.list_allowed_node_type_modifications(ReplicationGroupId="typed")
    assert "cache.t3.medium" in allowed["ScaleUpModifications"]
    assert "cache.t3.micro" in allowed["ScaleDownModifications"]
