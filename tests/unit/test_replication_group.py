"""A replication group, shaped from what AWS answers."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.current import (
    endpoint_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.shape import shape
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group.versions import (
    version_numbers,
)

GROUP = {
    "ReplicationGroupId": "shop",
    "ARN": "arn:aws:elasticache:us-east-1:123456789012:replicationgroup:shop",
    "Description": "Cache of shop",
    "Status": "available",
    "Engine": "redis",
    "CacheNodeType": "cache.t3.small",
    "MemberClusters": ["shop-001", "shop-002"],
    "PendingModifiedValues": {},
    "AutomaticFailover": "enabled",
    "MultiAZ": "enabled",
    "SnapshotRetentionLimit": 5,
    "SnapshotWindow": "05:00-06:00",
    "ClusterEnabled": False,
    "AuthTokenEnabled": True,
    "TransitEncryptionEnabled": True,
    "TransitEncryptionMode": "required",
    "AtRestEncryptionEnabled": False,
    "NodeGroups": [
        {
            "NodeGroupId": "0001",
            "Status": "available",
            "PrimaryEndpoint": {"Address": "master.shop.x.use1.cache.amazonaws.com", "Port": 6380},
            "ReaderEndpoint": {"Address": "replica.shop.x.use1.cache.amazonaws.com", "Port": 6380},
            "NodeGroupMembers": [
                {
                    "CacheClusterId": f"shop-00{number}",
                    "CacheNodeId": "0001",
                    "CurrentRole": role,
                    "PreferredAvailabilityZone": zone,
                    "ReadEndpoint": {"Address": f"shop-00{number}.shop.x.use1.cache.amazonaws.com", "Port": 6380},
                }
                for number, role, zone in ((1, "primary", "us-east-1a"), (2, "replica", "us-east-1b"))
            ],
        }
    ],
}
CLUSTERS = [
    {
        "CacheClusterId": name,
        "ReplicationGroupId": "shop",
        "CacheClusterStatus": "available",
        "EngineVersion": "7.1.0",
        "CacheNodeType": "cache.t3.small",
        "CacheSubnetGroupName": "shop",
        "SecurityGroups": [{"SecurityGroupId": "sg-2", "Status": "active"}, {"SecurityGroupId": "sg-1"}],
        "CacheParameterGroup": {"CacheParameterGroupName": "default.redis7", "ParameterApplyStatus": "in-sync"},
        "PreferredMaintenanceWindow": "Sun:05:00-Sun:06:00",
        "PendingModifiedValues": {},
    }
    for name in ("shop-001", "shop-002")
]
TAGS = {"cache_migration:name": "shop"}


def group(clusters=CLUSTERS, tags=TAGS, **changed):
    return shape({**GROUP, **changed}, clusters, tags)


def cluster(**changed):
    return [{**CLUSTERS[0], **changed}, CLUSTERS[1]]


def test_every_option_is_read_from_where_aws_tells_it():
    shaped = group()
    assert (shaped.engine_version, shaped.num_cache_clusters, shaped.port) == ("7.1.0", 2, 6380)
    assert shaped.automatic_failover_enabled and shaped.multi_az_enabled
    assert shaped.security_group_ids == ("sg-1", "sg-2")
    assert (shaped.cache_subnet_group_name, shaped.cache_parameter_group_name) == ("shop", "default.redis7")
    assert shaped.preferred_maintenance_window == "sun:05:00-sun:06:00"
    assert [(member.role, member.status) for member in shaped.members] == [
        ("primary", "available"),
        ("replica", "available"),
    ]


def test_the_endpoint_is_the_primary_endpoint_and_never_a_nodes():
    endpoint = endpoint_of(group())
    assert (endpoint.address, endpoint.port) == ("master.shop.x.use1.cache.amazonaws.com", 6380)
    assert (endpoint.reader_address, endpoint.tls, endpoint.auth) == (
        "replica.shop.x.use1.cache.amazonaws.com",
        True,
        "token",
    )
    assert (endpoint.protocol, endpoint.databases, endpoint.state) == ("redis", 16, "known")


def test_a_group_without_endpoints_yet_has_a_placeholder():
    endpoint = endpoint_of(group(Status="creating", NodeGroups=[]))
    assert (endpoint.state, endpoint.address, endpoint.tls) == ("after_apply", "after-apply.invalid", True)


def test_a_group_with_users_has_rbac():
    assert endpoint_of(group(UserGroupIds=["team"])).auth == "rbac"


@pytest.mark.parametrize("status", ["creating", "modifying", "snapshotting", "migrating", "of-a-later-year", ""])
def test_any_status_but_available_is_not_ready(status):
    assert not group(Status=status).is_ready


@pytest.mark.parametrize("status", ["available", "Available", "AVAILABLE"])
def test_statuses_compare_without_case(status):
    assert group(Status=status).is_ready
    assert group(Status="Deleting").is_going


def test_a_group_is_ready_only_with_all_that_is_of_it():
    modifying = group(cluster(CacheClusterStatus="modifying"))
    assert not modifying.is_ready
    assert modifying.waits_for == "available, shop-001 modifying"
    shards = copy.deepcopy(GROUP["NodeGroups"])
    shards[0]["Status"] = "modifying"
    assert not group(NodeGroups=shards).is_ready


def test_a_group_whose_tags_cannot_be_read_yet_is_not_ready():
    assert not group(tags=None).is_ready
    assert "tags" in group(tags=None).waits_for


def test_create_failed_is_told_from_waiting():
    assert group(Status="create-failed").has_failed
    assert not group(Status="creating").has_failed


def test_a_queued_node_type_or_version_is_found_at_the_members():
    queued = cluster(PendingModifiedValues={"CacheNodeType": "cache.t3.medium", "EngineVersion": "7.1"})
    assert group(queued).pending == {"cache_node_type": "cache.t3.medium", "engine_version": "7.1"}


def test_parameters_that_wait_for_a_reboot_are_pending():
    waiting = {"CacheParameterGroupName": "shop", "ParameterApplyStatus": "pending-reboot"}
    assert group(cluster(CacheParameterGroup=waiting)).pending == {"parameters": "pending-reboot"}


def test_an_upgrade_has_happened_when_the_last_member_has_it():
    assert group(cluster(EngineVersion="6.2.6")).engine_version == "6.2.6"
    assert group(cluster(EngineVersion="7.1.0")).engine_version == "7.1.0"


def test_versions_compare_as_numbers():
    assert version_numbers("7.0.10") > version_numbers("7.0.5")
    assert version_numbers("6.x") == (6,)


def test_storage_may_be_encrypted_although_the_flag_says_false():
    assert group(StorageEncryptionType="sse-elasticache").is_encrypted_at_rest
    assert not group(StorageEncryptionType="none").is_encrypted_at_rest
    assert group(AtRestEncryptionEnabled=True).is_encrypted_at_rest


def test_a_group_that_was_made_before_modes_existed_speaks_tls_only():
    old = {**GROUP}
    del old["TransitEncryptionMode"]
    assert shape(old, CLUSTERS, TAGS).transit_encryption_mode == "required"
    assert group(TransitEncryptionEnabled=False).transit_encryption_mode == ""


def test_a_security_group_on_its_way_out_is_not_counted():
    leaving = [{"SecurityGroupId": "sg-1", "Status": "removing"}, {"SecurityGroupId": "sg-3", "Status": "adding"}]
    assert group(cluster(SecurityGroups=leaving)).security_group_ids == ("sg-3",)


@pytest.mark.parametrize(
    ("engine", "version", "pending"),
    [
        ("redis", "7.1", {"engine_version": "7.1"}),
        ("redis", "8.0", {"engine_version": "8.0", "engine": "valkey"}),
        ("valkey", "8.1", {"engine_version": "8.1"}),
        ("valkey", "7.1", {"engine_version": "7.1", "engine": "redis"}),
    ],
)
def test_a_queued_move_shows_as_the_version_alone_which_tells_the_engine(engine, version, pending):
    cluster = {**CLUSTERS[0], "PendingModifiedValues": {"EngineVersion": version}}
    assert shape({**GROUP, "Engine": engine}, [cluster]).pending == pending


def test_a_member_of_a_global_datastore_knows_which_and_as_what():
    told = {"GlobalReplicationGroupId": "ldgnf-shop", "GlobalReplicationGroupMemberRole": "SECONDARY"}
    group = shape({**GROUP, "GlobalReplicationGroupInfo": told}, CLUSTERS, TAGS)
    assert (group.global_datastore, group.global_role) == ("ldgnf-shop", "secondary")
    assert shape(GROUP, CLUSTERS, TAGS).global_datastore == ""
