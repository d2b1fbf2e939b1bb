#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_user_group_info
version_added: 0.2.0
short_description: Tell what user groups of ElastiCache there are
description:
  - Reads one user group, or all of a region, with their tags. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  user_group_id:
    description:
      - The id of a user group. All are told where it is left out, and none where there is no such user group.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each user group whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(elasticache:DescribeUserGroups), C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.elasticache_user_group
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a user group
  kempian.cache_migration.elasticache_user_group_info:
    user_group_id: kempian-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found
"""

RETURN = r"""
user_groups:
  description: What there is, in the words of M(kempian.cache_migration.elasticache_user_group).
  returned: always
  type: list
  elements: dict
  contains:
    user_group_id:
      description: Its id.
      type: str
      sample: kempian-prod
    engine:
      description: C(redis) or C(valkey).
      type: str
      sample: valkey
    user_ids:
      description: Its users, changes under way included.
      type: list
      elements: str
      sample: [kempian-prod-default, kempian-prod-app]
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    replication_groups:
      description: The replication groups that use it.
      type: list
      elements: str
      sample: [kempian-cache-prod]
    serverless_caches:
      description: The serverless caches that use it.
      type: list
      elements: str
      sample: [kempian-cache-sessions]
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:usergroup:kempian-prod
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
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import users as api
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import ownership

SPEC: dict[str, Any] = {
    "argument_spec": {"user_group_id": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name, migration_name = module.params["user_group_id"], module.params["migration_name"]
    with ending(module):
        client = module.client("elasticache")
        if name:
            there = api.read_group(client, name.lower())
            found = [there] if there else []
        else:
            found = api.read_groups(client)
    told = [{**one.facts(), "ours": ownership.ours_or_unknown(one.tags, migration_name)} for one in found]
    module.exit_json(changed=False, user_groups=told)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
