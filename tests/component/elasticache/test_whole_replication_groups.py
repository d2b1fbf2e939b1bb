"""Shards, cluster mode, users, logs and whatever else a replication group has, against the local AWS."""

from __future__ import annotations

import uuid

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_cluster,
    elasticache_cluster_info,
    elasticache_user,
    elasticache_user_group,
)
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done

MAIN = elasticache_cluster.main
TOKEN = "a-token-of-sixteen"
PASSWORD = "a-first-password-1"
SLOW = {"log_type": "slow-log", "destination_type": "cloudwatch-logs", "destination": "/shop", "log_format": "text"}
ENGINE = {**SLOW, "log_type": "engine-log", "destination_type": "kinesis-firehose", "destination": "shop"}
SMALL = {"engine": "valkey", "engine_version": "8.0", "cache_node_type": "cache.t3.micro"}
SHARDS = {**SMALL, "cluster_mode": "enabled", "num_node_groups": 2, "replicas_per_node_group": 1}


@pytest.fixture
def name(aws):
    """A name of its own for each test, taken away afterwards."""
    made = f"t{uuid.uuid4().hex[:8]}"
    yield made
    client = aws.client("elasticache")
    groups = client.describe_replication_groups()["ReplicationGroups"]
    if any(group["ReplicationGroupId"] == made and group["Status"] == "available" for group in groups):
        client.delete_replication_group(ReplicationGroupId=made)


@pytest.fixture
def group(run, name):
    """Converges the group; clusters of real engines take their time on a busy machine."""

    def stated(**params):
        def next_args(args, result):
            return {**args, "auth_token_update_strategy": "keep"} if result.get("token_changed") else args

        return run_until_done(
            lambda args: run(MAIN, **args),
            {"replication_group_id": name, **params},
            timeout=180,
            interval=0.2,
            say=lambda line: None,
            next_args=next_args,
        )

    return stated


@pytest.fixture
def told(run, name):
    return lambda: run(elasticache_cluster_info.main, replication_group_id=name)["replication_groups"][0]


@pytest.fixture
def changed(aws, run, name, group):
    """States it, and gives the calls that it took: as check mode said, once, and never again."""

    def stated(**params):
        mark = aws.mark
        planned = run(MAIN, check_mode=True, replication_group_id=name, **params)
        assert "msg" not in planned, planned["msg"]
        assert aws.writes_since(mark) == []
        done = group(**params)
        assert "msg" not in done, done["msg"]
        assert (done["plan"], done["diff"]) == (planned["plan"], planned["diff"])
        assert aws.writes_since(mark) == [step["action"] for step in planned["plan"]]
        params.pop("auth_token_update_strategy", None)
        again = run(MAIN, replication_group_id=name, **params)
        assert (again.get("msg"), again["changed"], again["plan"]) == (None, False, [])
        return done["plan"]

    return stated


@pytest.fixture
def users(converge, name):
    """A user group with one user, by its id."""
    user = {"engine": "REDIS", "access_string": "on ~* +@all", "passwords": [PASSWORD]}
    converge(elasticache_user.main, user_id=f"{name}-app", user_name="default", **user)
    converge(elasticache_user_group.main, user_group_id=f"{name}-users", engine="REDIS", user_ids=[f"{name}-app"])
    return f"{name}-users"


def actions(plan):
    return [step["action"] for step in plan]


@pytest.mark.long
def test_shards_and_their_replicas_come_and_go_in_place(changed, told):
    (made,) = changed(**SHARDS)
    assert (made["parameters"]["NumNodeGroups"], made["parameters"]["ReplicasPerNodeGroup"]) == (2, 1)
    is_now = told()
    assert (is_now["cluster_mode"], is_now["num_node_groups"], is_now["num_cache_clusters"]) == ("enabled", 2, 4)
    endpoint = is_now["endpoint"]
    assert (endpoint["protocol"], endpoint["databases"], len(endpoint["nodes"])) == ("redis-cluster", 1, 4)
    assert "clustercfg" in endpoint["address"]
    assert actions(changed(num_node_groups=3)) == ["ModifyReplicationGroupShardConfiguration"]
    (gone,) = changed(num_node_groups=2)
    assert gone["parameters"]["NodeGroupsToRemove"] == ["0003"]
    assert actions(changed(replicas_per_node_group=2)) == ["IncreaseReplicaCount"]
    (one,) = changed(
        node_group_configuration=[{"node_group_id": "0001", "replica_count": 1}, {"node_group_id": "0002"}]
    )
    assert one["parameters"]["ReplicaConfiguration"] == [{"NodeGroupId": "0001", "NewReplicaCount": 1}]
    assert [shard["replica_count"] for shard in told()["node_group_configuration"]] == [1, 2]


@pytest.mark.long
def test_a_group_goes_to_cluster_mode_enabled_by_one_call_a_step_and_gets_its_shards(changed, told):
    changed(**{**SMALL, "num_cache_clusters": 2, "automatic_failover_enabled": True})
    assert told()["endpoint"]["protocol"] == "redis"
    (step,) = changed(cluster_mode="compatible")
    assert step["parameters"]["ClusterMode"] == "compatible"
    both = told()
    assert (both["endpoint"]["protocol"], both["endpoint"]["databases"]) == ("redis", 1)
    steps = changed(cluster_mode="enabled", num_node_groups=2)
    assert actions(steps) == ["ModifyReplicationGroup", "ModifyReplicationGroupShardConfiguration"]
    assert told()["endpoint"]["protocol"] == "redis-cluster"


@pytest.mark.long
def test_from_a_token_to_users_by_one_call(run, settings, changed, told, users):
    name = users.partition("-")[0]
    changed(**SMALL, transit_encryption_enabled=True, auth_token=TOKEN)
    assert told()["endpoint"]["auth"] == "token"
    settings(unnoticed_seconds=1)  # as AWS may tell `available` before `modifying` appears
    refused = run(MAIN, replication_group_id=name, user_group_ids=[users])
    assert refused["option"] == "auth_token_update_strategy"
    (step,) = changed(user_group_ids=[users], auth_token_update_strategy="delete")
    assert step["parameters"]["UserGroupIdsToAdd"] == [users]
    assert (told()["endpoint"]["auth"], told()["user_group_ids"]) == ("rbac", [users])
    (step,) = changed(user_group_ids=[], auth_token=TOKEN, auth_token_update_strategy="set")
    assert step["parameters"]["RemoveUserGroups"] is True and told()["endpoint"]["auth"] == "token"


def test_what_needs_no_other_node_is_changed_in_place_and_read_back(aws, run, changed, told, name):
    topic = aws.client("sns").create_topic(Name="caches")["TopicArn"]
    changed(**SMALL, network_type="dual_stack", auto_minor_version_upgrade=False, log_delivery_configurations=[SLOW])
    assert told()["log_delivery_configurations"] == [SLOW]
    changed(notification_topic_arn=topic, auto_minor_version_upgrade=True, ip_discovery="ipv6")
    changed(log_delivery_configurations=[{**SLOW, "log_format": "json"}, ENGINE])
    (step,) = changed(log_delivery_configurations=[ENGINE], notification_topic_status="inactive")
    assert step["parameters"]["LogDeliveryConfigurations"] == [{"LogType": "slow-log", "Enabled": False}]
    is_now = told()
    assert (is_now["notification_topic_arn"], is_now["notification_topic_status"]) == (topic, "inactive")
    assert (is_now["ip_discovery"], is_now["network_type"], is_now["auto_minor_version_upgrade"]) == (
        *("ipv6", "dual_stack", True),
    )
    assert is_now["log_delivery_configurations"] == [ENGINE]
    changed(log_delivery_configurations=[])
    nowhere = run(MAIN, replication_group_id=name, notification_topic_arn=f"{topic}-nowhere")
    assert "change notification_topic_arn" in nowhere["msg"]


@pytest.mark.long
def test_durability_comes_and_goes_by_a_call_of_its_own(run, changed, told, name):
    durable = {**SHARDS, "engine_version": "9.0", "cache_node_type": "cache.r7g.large"}
    changed(**durable, multi_az_enabled=True, transit_encryption_enabled=True, at_rest_encryption_enabled=False)
    (step,) = changed(durability="async")
    assert step["parameters"]["Durability"] == "async"
    assert (told()["durability"], told()["at_rest_encryption_enabled"]) == ("async", True)
    refused = run(MAIN, replication_group_id=name, multi_az_enabled=False)
    assert refused["option"] == "multi_az_enabled"
    assert actions(changed(durability="disabled", multi_az_enabled=False)) == ["ModifyReplicationGroup"] * 2


@pytest.mark.long
def test_the_last_snapshot_of_a_group_is_what_another_is_made_from(run, changed, group, name):
    changed(**SMALL, num_cache_clusters=1)
    last = f"{name}-last"
    group(state="absent", final_snapshot_identifier=last)
    (made,) = changed(snapshot_name=last)
    assert made["parameters"]["SnapshotName"] == last
    assert (made["parameters"]["Engine"], made["parameters"]["CacheNodeType"]) == ("valkey", "cache.t3.micro")
    other = run(MAIN, replication_group_id=name, snapshot_name="another")
    assert other["option"] == "snapshot_name" and last in other["msg"]
    absent = run(
        MAIN, replication_group_id=f"{name}-2", snapshot_name="no-such-snapshot", cache_node_type="cache.t3.micro"
    )
    assert absent["option"] == "snapshot_name"


@pytest.mark.long
def test_every_way_that_tls_comes_and_goes(changed, told):
    changed(**SMALL)
    both = changed(transit_encryption_enabled=True, transit_encryption_mode="required")
    assert [step["parameters"]["TransitEncryptionMode"] for step in both] == ["preferred", "required"]
    assert told()["endpoint"]["tls"] is True
    changed(transit_encryption_enabled=False)
    assert told()["endpoint"]["tls"] is False
