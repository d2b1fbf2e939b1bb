#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_parameter_group_info
version_added: 0.2.0
short_description: Tell what Amazon MemoryDB parameter groups there are
description:
  - Reads one parameter group, or all of a region, AWS's own too, with what differs from the default of its family. It
    changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  parameter_group_name:
    description:
      - The name of a parameter group. All are told where it is left out, and none where there is no such
        group.
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
  - 'IAM actions: C(memorydb:DescribeParameterGroups), C(memorydb:DescribeParameters), C(memorydb:ListTags).'
seealso:
  - module: kempian.cache_migration.memorydb_parameter_group
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a parameter group
  kempian.cache_migration.memorydb_parameter_group_info:
    parameter_group_name: kempian-prod-cache
    migration_name: kempian-prod
    region: us-east-1
  register: found

- name: Read all of the region
  kempian.cache_migration.memorydb_parameter_group_info:
    region: us-east-1
  register: found
"""

RETURN = r"""
parameter_groups:
  description: The parameter groups, in the words of M(kempian.cache_migration.memorydb_parameter_group)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    parameter_group_name:
      description: Its name.
      type: str
      sample: kempian-prod-cache
    family:
      description: Its family.
      type: str
      sample: memorydb_valkey7
    description:
      description: What it is for.
      type: str
      sample: Parameters of kempian-prod
    parameters:
      description: The parameters whose value differs from that of the family's default group.
      type: dict
      sample: {"maxmemory-policy": "allkeys-lru"}
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:parametergroup/kempian-prod-cache
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
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.groups import tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls

SPEC: dict[str, Any] = {
    "argument_spec": {"parameter_group_name": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        told = tell(
            module.params["parameter_group_name"],
            module.params["migration_name"],
            lambda name: calls.read_parameter_group(client, name),
            lambda: calls.read_parameter_groups(client),
        )
    module.exit_json(changed=False, parameter_groups=told)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
