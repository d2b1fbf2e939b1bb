#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_acl
version_added: 0.2.0
short_description: Make, converge or remove an Amazon MemoryDB ACL
description:
  - Makes an ACL, the set of users that a cluster of MemoryDB lets in, converges it, or removes it.
  - Options that are left out are not changed.
  - An ACL is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  acl_name:
    description:
      - The name of the ACL, 1 to 40 letters, digits and hyphens, the first a letter. AWS stores it in lower case.
      - V(open-access) is AWS's own, which cannot be changed, and is refused.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the ACL belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the ACL. V(absent) deletes it where it is this migration's;
        one that a cluster has is refused.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use an ACL that is not this migration's, as it is. Other O(user_names) than its own are refused.
    type: bool
    default: false
  user_names:
    description:
      - All users that it is to have, see M(kempian.cache_migration.memorydb_user). An empty list takes out all.
      - Clusters that have the ACL know at once.
    type: list
    elements: str
  tags:
    description:
      - Tags of the ACL, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  wait:
    description:
      - Wait until the ACL is V(active), or gone. With V(false) the result may be RV(in_progress), and the next run
        goes on.
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
  - 'IAM actions: C(memorydb:DescribeACLs), C(memorydb:ListTags), C(memorydb:CreateACL), C(memorydb:UpdateACL),
    C(memorydb:DeleteACL), C(memorydb:TagResource), C(memorydb:UntagResource).'
seealso:
  - module: kempian.cache_migration.memorydb_acl_info
  - module: kempian.cache_migration.memorydb_user
  - module: kempian.cache_migration.memorydb_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Let the app of development in
  kempian.cache_migration.memorydb_acl:
    acl_name: kempian-dev
    migration_name: kempian-dev
    user_names: [kempian-dev-app]
    region: us-east-1

- name: Let the app of production in, and who looks after it
  kempian.cache_migration.memorydb_acl:
    acl_name: kempian-prod
    migration_name: kempian-prod
    user_names: [kempian-prod-app, kempian-prod-operator]
    tags:
      team: kempian
    region: us-east-1
"""

RETURN = r"""
plan:
  description: The calls that were to be made, in order. Of a task that waited, those of its first plan.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The operation of the API.
      type: str
      sample: UpdateACL
    parameters:
      description: Its parameters.
      type: dict
      sample: {ACLName: kempian-prod, UserNamesToAdd: [kempian]}
    reason:
      description: Which options ask for it.
      type: str
      sample: "user_names: kempian-prod-operator added"
    disruptive:
      description: Whether clients notice it.
      type: bool
acl:
  description: The ACL; in check mode, as it would be.
  returned: O(state=present)
  type: dict
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
status:
  description: Its status as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: active
arn:
  description: Its ARN, empty while that is not known.
  returned: always
  type: str
  sample: arn:aws:memorydb:us-east-1:123456789012:acl/kempian-prod
pending:
  description: Empty, as MemoryDB queues no change.
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
  sample: user_names
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb.users import (
    make_acl_absent,
    make_acl_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.memorydb.acl import Desired

OPTIONS = {
    "acl_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "user_names": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    make = make_acl_present if module.params["state"] == "present" else make_acl_absent
    with ending(module, "memorydb"):
        result = make(module.client("memorydb"), Desired.from_params(module.params), module.check_mode)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
