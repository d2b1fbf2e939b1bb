#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_acl_info
version_added: 0.2.0
short_description: Tell what Amazon MemoryDB ACLs there are
description:
  - Reads one, or all of a region, AWS's own too, with their tags. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  acl_name:
    description:
      - The name of an ACL. All are told where it is left out, and none where there is no such ACL.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each ACL whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(memorydb:DescribeACLs), C(memorydb:ListTags).'
seealso:
  - module: kempian.cache_migration.memorydb_acl
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read one
  kempian.cache_migration.memorydb_acl_info:
    acl_name: kempian-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found

- name: Read all of the region
  kempian.cache_migration.memorydb_acl_info:
    region: us-east-1
  register: found
"""

RETURN = r"""
acls:
  description: What there is, in the words of M(kempian.cache_migration.memorydb_acl)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    acl_name:
      description: Its name.
      type: str
      sample: kempian-prod
    user_names:
      description: Its users; changes that AWS is making count as made.
      type: list
      elements: str
      sample: [kempian-prod-app]
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: active
    minimum_engine_version:
      description: The oldest version of an engine that it can be used with.
      type: str
      sample: "6.2"
    clusters:
      description: The clusters that have it.
      type: list
      elements: str
      sample: [kempian-cache-prod]
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:acl/kempian-prod
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is the migration's of O(migration_name); null where that is left out.
      type: bool
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import users
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership

SPEC: dict[str, Any] = {
    "argument_spec": {"acl_name": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name, migration_name = module.params["acl_name"], module.params["migration_name"]
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        if name:
            there = users.read_acl(client, name.lower())
            found = [there] if there else []
        else:
            found = users.read_acls(client)
    acls = [{**one.facts(), "ours": ownership.ours_or_unknown(one.tags, migration_name)} for one in found]
    module.exit_json(changed=False, acls=acls)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
