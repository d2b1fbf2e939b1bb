"""What the AWS account holds before a migration: the app's instances, the old Redis with its data, and a token.

No cache, subnet group, parameter group or cache security group: those are the migration's to make. The emulated AWS
makes it itself, before it is ready: it has all that this needs loaded, which takes others seconds.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from typing import Any

import redis

from sandbox.old_redis import NAME
from sandbox.places import BACKUP_BUCKET, MIGRATION_NAME, TOKEN_SECRET, URL_PARAMETER, SandboxError
from sandbox.seed import seed
from sandbox.world import Order, World

TOKEN_ALPHABET = string.ascii_letters + string.digits + "!&#$^<>-"  # what ElastiCache allows in an AUTH token
START_SECONDS = 30
HOST_SUBNET = "172.31.0.0/20"  # holds every address that a sandbox gives


def make_world(client: Callable[[str], Any], order: Order) -> World:
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    by_zone = {subnet["AvailabilityZone"]: subnet for subnet in subnets}
    subnet = next(subnet["SubnetId"] for subnet in subnets if subnet["CidrBlock"] == HOST_SUBNET)

    app_group = _security_group(ec2, vpc, "app", "The app's hosts")
    old_group = _security_group(ec2, vpc, "old-redis", "The self-hosted Redis")
    sources = [{"GroupId": group} for group in ([app_group, old_group] if order.replicas else [app_group])]
    ec2.authorize_security_group_ingress(
        GroupId=old_group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 6379, "ToPort": 6379, "UserIdGroupPairs": sources}],
    )
    made = {
        name: _instance(ec2, subnet, name, name, address=address, group=old_group, user_data=order.services[name])
        for name, address in order.instances.items()
    }
    for host, address in order.hosts.items():
        _instance(ec2, subnet, host, "app", address=address, group=app_group)

    # Begins with a letter: django-environ takes a value that begins with $ for the name of another variable.
    token = secrets.choice(string.ascii_letters) + "".join(secrets.choice(TOKEN_ALPHABET) for _ in range(31))
    # Tagged as the README has a user do it, so that rotate.yml may put a new version into it.
    ours = [{"Key": "cache_migration:name", "Value": MIGRATION_NAME}]
    client("secretsmanager").create_secret(Name=TOKEN_SECRET, SecretString=token, Tags=ours)
    client("ssm").put_parameter(Name=URL_PARAMETER, Value=order.url, Type="SecureString")
    client("s3").create_bucket(Bucket=BACKUP_BUCKET)
    zones = sorted(by_zone)[:3]
    return World(vpc, [by_zone[zone]["SubnetId"] for zone in zones], app_group, made[NAME])


def fill_old_redis(order: Order) -> None:
    """Wait until it answers, write the data, and wait until its replicas have it."""
    with redis.Redis(unix_socket_path=order.socket, password=order.password) as client:
        _wait_for(client)
        if order.seed:
            seed(client)
        if order.replicas and client.wait(order.replicas, START_SECONDS * 1000) < order.replicas:
            raise SandboxError(f"the old Redis's replica does not have its data after {START_SECONDS} s")


def _wait_for(client: redis.Redis) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            client.ping()
            return
        except redis.ConnectionError as error:  # not there yet, or still loading its file
            if time.monotonic() > deadline:
                raise SandboxError(f"the old Redis does not answer after {START_SECONDS} s: {error}") from error
            time.sleep(0.01)


def _security_group(ec2: Any, vpc: str, name: str, description: str) -> str:
    group: str = ec2.create_security_group(GroupName=name, Description=description, VpcId=vpc)["GroupId"]
    return group


def _instance(ec2: Any, subnet: str, name: str, role: str, *, address: str, group: str, user_data: str = "") -> str:
    tags = [{"Key": "Name", "Value": name}, {"Key": "role", "Value": role}]
    made = ec2.run_instances(
        ImageId="ami-12c6146b",  # the one in images.json
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
