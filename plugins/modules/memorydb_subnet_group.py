#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_subnet_group
version_added: 0.2.0
short_description: Make, converge or remove an Amazon MemoryDB subnet group
description:
  - Makes the group of subnets that the nodes of a cluster are placed in, converges it, or removes it.
  - Options that are left out are not changed.
  - A group is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  subnet_group_name:
    description:
      - The name of the subnet group, 1 to 255 letters, digits and hyphens. AWS stores it in lower case.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the group belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the group, V(absent) deletes it where it is this migration's.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a group that is not this migration's, as it is. Other O(subnet_ids) than its own are refused.
    type: bool
    default: false
  description:
    description:
      - What the group is for. A new group gets C(Subnets of) and O(migration_name) where it is left out.
    type: str
  subnet_ids:
    description:
      - The subnets, of one VPC. Needed to make a group. A subnet that nodes are in cannot be taken out.
    type: list
    elements: str
  tags:
    description:
      - Tags of the group, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(memorydb:DescribeSubnetGroups), C(memorydb:ListTags), C(memorydb:CreateSubnetGroup),
    C(memorydb:TagResource), C(memorydb:UntagResource), C(memorydb:UpdateSubnetGroup), C(memorydb:DeleteSubnetGroup).'
seealso:
  - module: kempian.cache_migration.memorydb_subnet_group_info
  - module: kempian.cache_migration.memorydb_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Place the nodes of development in one availability zone
  kempian.cache_migration.memorydb_subnet_group:
    subnet_group_name: kempian-dev-cache
    migration_name: kempian-dev
    subnet_ids: [subnet-0123456789abcdef0]
    region: us-east-1

- name: Place the nodes of production in two
  kempian.cache_migration.memorydb_subnet_group:
    subnet_group_name: kempian-prod-cache
    migration_name: kempian-prod
    subnet_ids: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The calls that were to be made, in order.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: CreateSubnetGroup
    parameters:
      description: Its parameters.
      type: dict
      sample: {SubnetGroupName: kempian-prod-cache, SubnetIds: [subnet-0123456789abcdef0]}
    reason:
      description: Which options ask for it.
      type: str
      sample: "there is no subnet group kempian-prod-cache"
    disruptive:
      description: Whether clients notice it.
      type: bool
subnet_group:
  description: The group; in check mode, as it would be.
  returned: O(state=present)
  type: dict
  contains:
    subnet_group_name:
      description: Its name.
      type: str
      sample: kempian-prod-cache
    description:
      description: What it is for.
      type: str
      sample: Subnets of kempian-prod
    subnet_ids:
      description: Its subnets.
      type: list
      elements: str
      sample: [subnet-0123456789abcdef0, subnet-0fedcba9876543210]
    vpc_id:
      description: Its VPC, empty while that is not known.
      type: str
      sample: vpc-0123456789abcdef0
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:subnetgroup/kempian-prod-cache
    tags:
      description: Its tags.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: subnet_ids
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.groups import converge_subnet_group
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.subnet_group import (
    MEMORYDB,
    Desired,
)

OPTIONS = {
    "subnet_group_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "description": {"type": "str"},
    "subnet_ids": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        came = converge_subnet_group(
            Desired.from_params(module.params, MEMORYDB),
            module.params["state"],
            lambda name: calls.read_subnet_group(client, name),
            lambda step: calls.act(client, step),
            module.check_mode,
        )
    module.exit_json(**came.result("subnet_group"))


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
