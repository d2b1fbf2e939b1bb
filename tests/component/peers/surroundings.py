"""What a scenario takes for granted: subnet groups, keys, topics, users. Made when its placeholder first comes up."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

from tests.component.local_aws import Aws

SECRETS = {
    "token-1": "first-token-of-the-peer",
    "token-2": "second-token-of-the-peer",
    "password-1": "first-password-of-a-user",
    "password-2": "second-password-of-a-user",
    "password-3": "third-password-of-a-user",
    "password-4": "fourth-password-of-a-user",
}
ZONES = {"az-1": "us-east-1a", "az-2": "us-east-1b"}
PLACEHOLDER = re.compile(r"<([^<>]+)>")


def fresh(prefix: str) -> str:
    return f"{prefix}{uuid.uuid4().hex[:8]}"


class Surroundings:
    """Of one account. ``makers`` are what a service has of its own, beside what is common."""

    def __init__(self, aws: Aws, makers: dict[str, Callable[[Aws, Surroundings], str]], own: dict[str, str]) -> None:
        self._aws, self._makers, self.made = aws, {**COMMON, **makers}, {**SECRETS, **ZONES, **own}

    def resolve(self, value: Any) -> Any:
        """A value of a scenario with its placeholders made real, however deep they lie."""
        if isinstance(value, dict):
            return {name: self.resolve(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, str):
            return value
        return PLACEHOLDER.sub(lambda found: self.of(found[1]), value)

    def of(self, placeholder: str) -> str:
        if placeholder not in self.made:
            assert placeholder in self._makers, f"nobody makes <{placeholder}>"
            self.made[placeholder] = self._makers[placeholder](self._aws, self)
        return self.made[placeholder]


def subnets(aws: Aws) -> list[str]:
    """Of the default VPC, one a zone, in the order of the zones."""
    found = aws.client("ec2").describe_subnets()["Subnets"]
    return [subnet["SubnetId"] for subnet in sorted(found, key=lambda subnet: subnet["AvailabilityZone"])]


def _subnet_group(aws: Aws, _around: Surroundings) -> str:
    made = aws.client("elasticache").create_cache_subnet_group(
        CacheSubnetGroupName=fresh("net-"), CacheSubnetGroupDescription="of the peer's tests", SubnetIds=subnets(aws)
    )
    return str(made["CacheSubnetGroup"]["CacheSubnetGroupName"])


def _security_group(aws: Aws, _around: Surroundings) -> str:
    ec2 = aws.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    return str(ec2.create_security_group(GroupName=fresh("sg-"), Description="peer", VpcId=vpc)["GroupId"])


def _key(aws: Aws, _around: Surroundings) -> str:
    return str(aws.client("kms").create_key()["KeyMetadata"]["Arn"])


def _topic(aws: Aws, _around: Surroundings) -> str:
    return str(aws.client("sns").create_topic(Name=fresh("topic-"))["TopicArn"])


def _log_group(aws: Aws, _around: Surroundings) -> str:
    name = fresh("log-")
    aws.client("logs").create_log_group(logGroupName=name)
    return name


def _stream(aws: Aws, _around: Surroundings) -> str:
    name, bucket = fresh("stream-"), fresh("bucket-")
    aws.client("s3").create_bucket(Bucket=bucket)
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "firehose.amazonaws.com"}}]}
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    aws.client("firehose").create_delivery_stream(
        DeliveryStreamName=name,
        ExtendedS3DestinationConfiguration={"RoleARN": role, "BucketARN": f"arn:aws:s3:::{bucket}"},
    )
    return name


def _first_subnet(aws: Aws, _around: Surroundings) -> str:
    return subnets(aws)[0]


def _second_subnet(aws: Aws, _around: Surroundings) -> str:
    return subnets(aws)[1]


COMMON: dict[str, Callable[[Aws, Surroundings], str]] = {
    "subnet-group": _subnet_group,
    "subnet-1": _first_subnet,
    "subnet-2": _second_subnet,
    **dict.fromkeys(("sg", "sg-0", "sg-1"), _security_group),
    "kms-key arn": _key,
    "topic": _topic,
    "log group": _log_group,
    "stream": _stream,
}
