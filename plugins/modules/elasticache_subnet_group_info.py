#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_subnet_group_info
version_added: 0.1.0
short_description: Tell what ElastiCache subnet groups there are
description:
  - Reads one subnet group, or all of a region, with its subnets and tags. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  cache_subnet_group_name:
    description:
      - The name of a subnet group. All are told where it is left out, and none where there is no such subnet group.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each group whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(elasticache:DescribeCacheSubnetGroups), C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.elasticache_subnet_group
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a subnet group
  kempian.cache_migration.elasticache_subnet_group_info:
    cache_subnet_group_name: kempian-prod-cache
    migration_name: kempian-prod
    region: us-east-1
  register: found

- name: Read all of the region
  kempian.cache_migration.elasticache_subnet_group_info:
    region: us-east-1
  register: found
"""

RETURN = r"""
cache_subnet_groups:
  description: The subnet groups, in the words of M(kempian.cache_migration.elasticache_subnet_group)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    cache_subnet_group_name:
      description: Its name.
      type: str
      sample: kempian-prod-cache
    cache_subnet_group_description:
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
      sample: arn:aws:elasticache:us-east-1:123456789012:subnetgroup:kempian-prod-cache
    tags:
      description: Its tags.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is the migration's of O(migration_name); null where that is left out.
      type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.groups import tell

SPEC: dict[str, Any] = {
    "argument_spec": {"cache_subnet_group_name": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module):
        client = module.client("elasticache")
        told = tell(
            module.params["cache_subnet_group_name"],
            module.params["migration_name"],
            lambda name: calls.read_subnet_group(client, name),
            lambda: calls.read_subnet_groups(client),
        )
    module.exit_json(changed=False, cache_subnet_groups=told)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
