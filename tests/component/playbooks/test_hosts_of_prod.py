"""Which instances inventories/prod takes for app hosts, against moto's EC2 over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
INVENTORY = (CHECKOUT / "inventories/prod/aws_ec2.yml").read_text()
VPC, GROUP = "vpc-0123456789abcdef0", "sg-0123456789abcdef0"


@pytest.fixture
def ec2(connect: Callable[[str], Any]) -> Any:
    return connect("ec2")


def network(ec2: Any) -> tuple[str, str]:
    """A VPC with a subnet."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc, ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]


def group(ec2: Any, vpc: str, name: str) -> str:
    return str(ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])


def instance(ec2: Any, subnet: str, *groups: str, role: str = "app") -> str:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "role", "Value": role}]}]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    made = ec2.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, SubnetId=subnet, SecurityGroupIds=[*groups], TagSpecifications=tags
    )
    return str(made["Instances"][0]["InstanceId"])


@pytest.mark.long
def test_a_machine_with_the_apps_tag_is_a_host_only_in_the_apps_network_and_group(
    ec2: Any, moto_environment: dict[str, str], tmp_path: Path
) -> None:
    vpc, subnet = network(ec2)
    another_vpc, another_subnet = network(ec2)
    app, others = group(ec2, vpc, "app"), group(ec2, vpc, "others")
    hosts = {instance(ec2, subnet, app), instance(ec2, subnet, others, app)}
    instance(ec2, subnet, others)  # the same network, and tagged by whoever may tag
    instance(ec2, another_subnet, group(ec2, another_vpc, "app"))
    instance(ec2, subnet, app, role="bastion")

    filters = yaml.safe_load(INVENTORY)["filters"]
    assert (filters["vpc-id"], filters["instance.group-id"]) == (VPC, GROUP), "a group may be in several VPCs"
    (tmp_path / "aws_ec2.yml").write_text(INVENTORY.replace(VPC, vpc).replace(GROUP, app))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(tmp_path / "aws_ec2.yml"), "--list"],
        cwd=CHECKOUT,
        env=moto_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)["app"]["hosts"]) == hosts
