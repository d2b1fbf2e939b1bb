#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_user_group
version_added: 0.2.0
short_description: Make, converge or remove a user group of ElastiCache
description:
  - Makes a group of users, which is what a cache of Redis OSS or Valkey is given to know its users by (RBAC),
    converges it, or removes it. See O(kempian.cache_migration.elasticache_cluster#module:user_group_ids).
  - Options that are left out are not changed.
  - A group is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  user_group_id:
    description:
      - The id of the group, 1 to 40 letters, digits and hyphens, the first a letter. AWS stores it in lower case.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the group belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the group. V(absent) deletes it where it is this migration's; one that a cache
        uses is refused.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a group that is not this migration's, as it is. Other options than its own are refused.
    type: bool
    default: false
  engine:
    description:
      - The engine of the group, V(redis) or V(valkey), in any case of letters. Needed to make a group. Can be changed
        in place.
      - Caches of Valkey take groups of both; those of Redis OSS take groups of V(redis) alone. A group of V(valkey)
        takes users with a password or IAM alone.
    type: str
  user_ids:
    description:
      - The users of the group, all of them, see M(kempian.cache_migration.elasticache_user). Needed to make a group.
      - Exactly one of them must be named C(default), and no two may have one name. AWS's own V(default) may do all
        without a password, and is best replaced by one of your own.
      - Users come and go in one call. In check mode users that are not there yet are taken as they are, with a warning.
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
  wait:
    description:
      - Wait until the group is V(active), or gone. Without it the task ends with RV(in_progress) where there is more to
        do, and the next run goes on.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait in all. Running it again goes on.
    type: int
    default: 3600
  wait_interval:
    description:
      - How many seconds there are between two reads while it waits, at most.
    type: float
    default: 15
attributes:
  check_mode:
    description: Reads and plans; makes no call that writes.
    support: full
  diff_mode:
    description: Shows what changes.
    support: full
notes:
  - 'IAM actions: C(elasticache:DescribeUserGroups), C(elasticache:DescribeUsers), C(elasticache:ListTagsForResource),
    C(elasticache:CreateUserGroup), C(elasticache:ModifyUserGroup), C(elasticache:DeleteUserGroup),
    C(elasticache:AddTagsToResource), C(elasticache:RemoveTagsFromResource).'
seealso:
  - module: kempian.cache_migration.elasticache_user_group_info
  - module: kempian.cache_migration.elasticache_user
  - module: kempian.cache_migration.elasticache_cluster
  - module: kempian.cache_migration.elasticache_serverless_cache
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: The users of the cache of dev, with AWS's own default, who may do all
  kempian.cache_migration.elasticache_user_group:
    user_group_id: kempian-dev
    migration_name: kempian-dev
    engine: redis
    user_ids: [default, kempian-dev-app]
    region: us-east-1

- name: The users of the cache of prod, where nobody may do anything without a password
  kempian.cache_migration.elasticache_user_group:
    user_group_id: kempian-prod
    migration_name: kempian-prod
    engine: valkey
    user_ids: [kempian-prod-default, kempian-prod-app]
    tags:
      team: kempian
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
      sample: ModifyUserGroup
    parameters:
      description: Its parameters.
      type: dict
      sample: {UserGroupId: kempian-prod, UserIdsToAdd: [kempian-prod-app]}
    reason:
      description: Which options ask for it.
      type: str
    disruptive:
      description: Whether clients notice it.
      type: bool
user_group:
  description: The group; in check mode, as it would be.
  returned: O(state=present)
  type: dict
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
      sample: active
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
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:usergroup:kempian-prod
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
status:
  description: Its status as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: active
arn:
  description: Its ARN, empty while that is not known.
  returned: always
  type: str
  sample: arn:aws:elasticache:us-east-1:123456789012:usergroup:kempian-prod
pending:
  description: What AWS has queued. Nothing, as it queues nothing here.
  returned: always
  type: dict
  sample: {}
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: "kempian-prod: modifying"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: user_ids
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.converge_users import (
    make_group_absent,
    make_group_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user_group import Desired

OPTIONS: dict[str, Any] = {
    "user_group_id": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "engine": {"type": "str"},
    "user_ids": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    make = make_group_present if module.params["state"] == "present" else make_group_absent
    with ending(module):
        result = make(module.client("elasticache"), Desired.from_params(module.params), module.check_mode)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
