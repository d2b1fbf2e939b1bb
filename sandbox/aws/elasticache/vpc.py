"""What ElastiCache asks of EC2 and KMS before it makes something: subnets, security groups, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.aws.elasticache import bucket_policy
from sandbox.aws.elasticache.state import SubnetGroup
from sandbox.aws.wire import Refusal

DEFAULT_SUBNET_GROUP = "default"


class Vpc:
    def __init__(self, client: Callable[[str], Any]) -> None:
        self._client = client

    @property
    def _ec2(self) -> Any:
        return self._client("ec2")

    def subnet_group(self, name: str, description: str, subnet_ids: Sequence[str]) -> SubnetGroup:
        try:
            subnets = self._ec2.describe_subnets(SubnetIds=list(subnet_ids))["Subnets"]
        except ClientError as refused:
            raise Refusal("InvalidSubnet", f"A subnet does not exist: {refused.response['Error']['Message']}")
        networks = {subnet["VpcId"] for subnet in subnets}
        if len(networks) != 1:
            raise Refusal("InvalidSubnet", f"The subnets lie in {len(networks)} VPCs; a subnet group lies in one.")
        zones = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
        return SubnetGroup(name.lower(), description, networks.pop(), zones)

    def default_subnet_group(self) -> SubnetGroup:
        """The group that AWS makes of the default VPC when a cache is created without one."""
        networks = self._ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        if not networks:
            raise Refusal("InvalidParameterCombination", "There is no default VPC: name a CacheSubnetGroupName.")
        inside = [{"Name": "vpc-id", "Values": [networks[0]["VpcId"]]}]
        subnets = [subnet["SubnetId"] for subnet in self._ec2.describe_subnets(Filters=inside)["Subnets"]]
        return self.subnet_group(DEFAULT_SUBNET_GROUP, "Default CacheSubnetGroup", subnets)

    def address_of(self, host: str) -> str:
        """As the VPC's own DNS tells it: an instance is known by its name, with `.internal`."""
        if not host.endswith(".internal"):
            return host
        named = [{"Name": "tag:Name", "Values": [host.removesuffix(".internal")]}]
        found = self._ec2.describe_instances(Filters=named)["Reservations"]
        addresses = [one.get("PrivateIpAddress") for each in found for one in each["Instances"]]
        if not any(addresses):
            raise Refusal("InvalidParameterValue", f"{host} has no address.")
        return str(next(filter(None, addresses)))

    def security_groups(self, ids: Sequence[str], vpc: str) -> list[str]:
        """The ids, after looking that they exist in that VPC; without any, the VPC's default group."""
        if not ids:
            named = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
            found = self._ec2.describe_security_groups(Filters=named)["SecurityGroups"]
            return [group["GroupId"] for group in found]
        try:
            found = self._ec2.describe_security_groups(GroupIds=list(ids))["SecurityGroups"]
        except ClientError as refused:
            text = f"Some security group IDs are invalid: {refused.response['Error']['Message']}"
            raise Refusal("InvalidParameterValue", text)
        elsewhere = [group["GroupId"] for group in found if group["VpcId"] != vpc]
        if elsewhere:
            raise Refusal(
                "InvalidParameterCombination", f"{', '.join(elsewhere)} is not in the subnet group's VPC {vpc}."
            )
        return list(ids)

    def require_topic(self, arn: str) -> None:
        try:
            self._client("sns").get_topic_attributes(TopicArn=arn)
        except ClientError as refused:
            raise Refusal("InvalidParameterValue", f"SNS topic {arn}: {refused.response['Error']['Message']}")

    def may_read(self, bucket: str, key: str) -> bool:
        """Whether it is there, and the bucket lets ElastiCache read."""
        try:
            self._client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError:
            return False
        return not bucket_policy.lacking(self._client("s3"), bucket, bucket_policy.READING)

    def download(self, bucket: str, key: str, to: Path) -> None:
        to.write_bytes(self._client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def require_key(self, key: str) -> None:
        try:
            self._client("kms").describe_key(KeyId=key)
        except ClientError as refused:
            raise Refusal("InvalidKMSKeyFault", f"KMS key {key}: {refused.response['Error']['Message']}")
