"""Make a replication group where there is none, wait until it is available, and print its address.

make_cache.py NAME NODE_TYPE NODES SECURITY_GROUP SUBNET,SUBNET… <TOKEN
"""

import sys

import boto3

name, node_type, nodes, security_group, subnets = sys.argv[1:]
token = sys.stdin.read().strip()
elasticache = boto3.client("elasticache")

try:
    elasticache.describe_replication_groups(ReplicationGroupId=name)
except elasticache.exceptions.ReplicationGroupNotFoundFault:
    elasticache.create_cache_subnet_group(
        CacheSubnetGroupName=name, CacheSubnetGroupDescription="shop", SubnetIds=subnets.split(",")
    )
    elasticache.create_cache_parameter_group(
        CacheParameterGroupName=name, CacheParameterGroupFamily="redis7", Description="shop"
    )
    elasticache.modify_cache_parameter_group(
        CacheParameterGroupName=name,
        ParameterNameValues=[{"ParameterName": "maxmemory-policy", "ParameterValue": "allkeys-lru"}],
    )
    elasticache.create_replication_group(
        ReplicationGroupId=name,
        ReplicationGroupDescription="shop",
        Engine="redis",
        EngineVersion="7.1",
        CacheNodeType=node_type,
        NumCacheClusters=int(nodes),
        AutomaticFailoverEnabled=True,
        MultiAZEnabled=True,
        CacheSubnetGroupName=name,
        CacheParameterGroupName=name,
        SecurityGroupIds=[security_group],
        TransitEncryptionEnabled=True,
        AtRestEncryptionEnabled=True,
        AuthToken=token,
        SnapshotRetentionLimit=7,
    )
    print("made", file=sys.stderr)
elasticache.get_waiter("replication_group_available").wait(
    ReplicationGroupId=name, WaiterConfig={"Delay": 1, "MaxAttempts": 3600}
)
[group] = elasticache.describe_replication_groups(ReplicationGroupId=name)["ReplicationGroups"]
print(group["NodeGroups"][0]["PrimaryEndpoint"]["Address"])
