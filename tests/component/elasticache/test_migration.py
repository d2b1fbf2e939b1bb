"""elasticache_migration against the local AWS, whose engines follow a real Redis."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import elasticache_cluster, elasticache_migration
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done

ADDRESS = "172.31.3.7"
OLD_REDIS = f"#!/bin/sh\nexec redis-server --bind {ADDRESS} --protected-mode no --save '' --port 6379\n"


@pytest.fixture(scope="session")
def source(aws):
    """An instance whose service is a real Redis, and whose security group admits all of the VPC."""
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="old", Description="old")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "IpRanges": [{"CidrIp": "172.31.0.0/16"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    image = ec2.describe_images()["Images"][0]["ImageId"]
    ec2.run_instances(
        ImageId=image,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        PrivateIpAddress=ADDRESS,
        UserData=OLD_REDIS,
        SecurityGroupIds=[group],
    )
    return {"Address": ADDRESS, "Port": 6379}


@pytest.fixture
def migration(run):
    """Until it is done, as its action does."""

    def until_done(**params):
        def next_args(args, result):
            return {**args, "is_tested": result["is_tested"], "seen": result["seen"]}

        return run_until_done(
            lambda args: run(elasticache_migration.main, replication_group_id="follower", **args),
            params,
            timeout=30,
            interval=0.1,
            say=lambda line: None,
            next_args=next_args,
        )

    return until_done


@pytest.fixture(scope="session")
def follower(aws):
    client = aws.client("elasticache")
    client.create_replication_group(
        ReplicationGroupId="follower",
        ReplicationGroupDescription="of an old Redis",
        CacheNodeType="cache.t3.micro",
        Engine="redis",
        NumCacheClusters=2,
        MultiAZEnabled=True,
        AutomaticFailoverEnabled=True,
        Tags=[{"Key": "cache_migration:name", "Value": "shop-prod"}],
    )
    client.get_waiter("replication_group_available").wait(
        ReplicationGroupId="follower", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300}
    )
    return "follower"


def test_a_source_that_aws_does_not_reach_is_told_in_aws_own_words(migration, follower):
    told = migration(source_address="172.31.2.254")
    assert told["failed"] and "is not reached" in told["msg"] and "security group" in told["msg"]


def test_it_begins_is_completed_and_neither_twice(aws, migration, follower, source):
    where = {"source_address": source["Address"], "source_port": source["Port"]}
    mark = aws.mark
    planned = migration(**where, check_mode=True)
    assert [step["action"] for step in planned["plan"]] == ["TestMigration", "StartMigration"]
    assert aws.writes_since(mark) == []
    begun = migration(**where)
    assert begun["changed"] and begun["status"] == "migrating", begun
    assert not migration(**where)["changed"]
    done = migration(state="completed")
    assert done["changed"] and done["status"] == "available"
    assert not migration(state="completed")["changed"]


def test_what_migrates_needs_nothing_made_and_is_ended_by_force(run, migration, follower, source):
    assert migration(source_address=source["Address"], source_port=source["Port"])["status"] == "migrating"
    seen = run(
        elasticache_cluster.main, replication_group_id=follower, cache_node_type="cache.t3.micro", check_mode=True
    )
    assert seen["plan"] == [] and seen["status"] == "migrating"
    ended = migration(state="absent")
    assert ended["changed"] and ended["status"] == "available"
