"""What the AWS account holds before a migration: the app's instances, the old Redis, its address and a token.

No cache, subnet group, parameter group or cache security group: those are the migration's to make.
"""

from __future__ import annotations

import secrets
import shlex
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.places import BACKUP_BUCKET, MIGRATION_NAME, OLD_REDIS, TOKEN_SECRET, URL_PARAMETER, Places
from sandbox.shell import tools_bin

TOKEN_ALPHABET = string.ascii_letters + string.digits + "!&#$^<>-"  # what ElastiCache allows in an AUTH token
SERVICES = ("ec2", "s3", "secretsmanager", "ssm")
HOST_SUBNET = "172.31.0.0/20"  # holds every address that a sandbox gives

REDIS_CONF = """bind {address}
port 6379
protected-mode no
requirepass {password}
dir {folder}
dbfilename dump.rdb
appendonly yes
appendfsync everysec
save 60 1
maxmemory 256mb
maxmemory-policy noeviction
databases 16
"""


@dataclass(frozen=True)
class World:
    """What the inventory must know of the account."""

    vpc_id: str
    subnet_ids: list[str]
    app_security_group_id: str
    old_instance_id: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def new_password() -> str:
    return secrets.token_urlsafe(24)


def write_old_redis(places: Places, password: str) -> str:
    """Its configuration, in a file of ours alone; returns the instance's user data, which is the service."""
    places.old_redis.mkdir(mode=0o700)
    conf = places.old_redis / "redis.conf"
    conf.touch(mode=0o600)
    conf.write_text(REDIS_CONF.format(address=OLD_REDIS, password=password, folder=places.old_redis))
    return f"#!/bin/sh\nPATH={shlex.quote(str(tools_bin()))}:$PATH\nexec redis-server {shlex.quote(str(conf))}\n"


def make_world(clients: Mapping[str, Any], hosts: Mapping[str, str], user_data: str, old_redis_url: str) -> World:
    ec2 = clients["ec2"]
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    by_zone = {subnet["AvailabilityZone"]: subnet for subnet in subnets}
    subnet = next(subnet["SubnetId"] for subnet in subnets if subnet["CidrBlock"] == HOST_SUBNET)

    app_group = _security_group(ec2, vpc, "app", "The app's hosts")
    old_group = _security_group(ec2, vpc, "old-redis", "The self-hosted Redis")
    ec2.authorize_security_group_ingress(
        GroupId=old_group,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": [{"GroupId": app_group}]}
        ],
    )
    old = _instance(ec2, subnet, "old-redis", "old-redis", address=OLD_REDIS, group=old_group, user_data=user_data)
    for host, address in hosts.items():
        _instance(ec2, subnet, host, "app", address=address, group=app_group)

    token = "".join(secrets.choice(TOKEN_ALPHABET) for _ in range(32))
    # Tagged as the README has a user do it, so that rotate.yml may put a new version into it.
    ours = [{"Key": "cache_migration:name", "Value": MIGRATION_NAME}]
    clients["secretsmanager"].create_secret(Name=TOKEN_SECRET, SecretString=token, Tags=ours)
    clients["ssm"].put_parameter(Name=URL_PARAMETER, Value=old_redis_url, Type="SecureString")
    clients["s3"].create_bucket(Bucket=BACKUP_BUCKET)
    zones = sorted(by_zone)[:3]
    return World(vpc, [by_zone[zone]["SubnetId"] for zone in zones], app_group, old)


def _security_group(ec2: Any, vpc: str, name: str, description: str) -> str:
    group: str = ec2.create_security_group(GroupName=name, Description=description, VpcId=vpc)["GroupId"]
    return group


def _instance(ec2: Any, subnet: str, name: str, role: str, *, address: str, group: str, user_data: str = "") -> str:
    tags = [{"Key": "Name", "Value": name}, {"Key": "role", "Value": role}]
    made = ec2.run_instances(
        ImageId="ami-12c6146b",  # an image that moto has from the start
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        PrivateIpAddress=address,
        SecurityGroupIds=[group],
        UserData=user_data,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    instance: str = made["Instances"][0]["InstanceId"]
    return instance
