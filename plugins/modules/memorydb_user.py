#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_user
version_added: 0.2.0
short_description: Make, converge or remove an Amazon MemoryDB user
description:
  - Makes a user that logs in to clusters of MemoryDB, converges it, or removes it. Clusters know it by an ACL, see
    M(kempian.cache_migration.memorydb_acl).
  - Options that are left out are not changed.
  - A user is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
  - AWS tells how many passwords a user has, and never which they are. So other passwords are noticed where their number
    differs or where O(passwords_version) does, and RV(passwords_known) says whether it is known that they are the
    stated ones.
author:
  - The cache_migration authors (@cache-migration)
options:
  user_name:
    description:
      - The name of the user, by which clients log in, 1 to 40 letters, digits and hyphens, in lower case, the
        first a letter.
      - V(default) is AWS's own user, which cannot be changed, and is refused.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the user belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the user. V(absent) deletes it where it is this migration's;
        AWS takes it out of its ACLs by itself, and so clusters let it in no more.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a user that is not this migration's, as it is. Other options than its own are refused.
    type: bool
    default: false
  access_string:
    description:
      - What the user may do, as V(on ~app:* &* +@read), in the words of Redis's ACLs. Needed to make a user.
      - Two strings are the same where they grant the same, so C(allkeys) is V(~*).
      - Rules of passwords, and commands that the service keeps from everybody, are refused.
    type: str
  authentication_mode:
    description:
      - How the user logs in. To make a user, this or O(passwords) is needed.
    type: dict
    suboptions:
      type:
        description:
          - By a password, or by a token that IAM gives.
        type: str
        choices: [password, iam]
        required: true
      passwords:
        description:
          - One or two passwords of 16 to 128 characters, for V(password) alone. With two both are valid.
        type: list
        elements: str
  passwords:
    description:
      - One or two passwords, the same as O(authentication_mode.passwords) with type V(password).
    type: list
    elements: str
  passwords_version:
    description:
      - Of which version the passwords are, as the version of their secret. It is no secret itself, and is kept in the
        tag C(cache_migration:passwords) once they are set, so that a run with another version sets them anew, and one
        with the same knows that they are unchanged.
    type: str
  passwords_update:
    description:
      - When the passwords of a user that exists are set. V(on_change) does it where their number or
        O(passwords_version) differs. V(always) does it in every run. V(keep) takes them for what the user has, and
        records O(passwords_version).
    type: str
    choices: [on_change, always, keep]
    default: on_change
  tags:
    description:
      - Tags of the user, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  wait:
    description:
      - Wait until the user is V(active), or gone. With V(false) the result may be RV(in_progress), and the next run
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
    description: Shows what changes, without passwords.
    support: full
notes:
  - 'IAM actions: C(memorydb:DescribeUsers), C(memorydb:ListTags), C(memorydb:CreateUser), C(memorydb:UpdateUser),
    C(memorydb:DeleteUser), C(memorydb:TagResource), C(memorydb:UntagResource).'
seealso:
  - module: kempian.cache_migration.memorydb_user_info
  - module: kempian.cache_migration.memorydb_acl
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: A user for the app of development, whose password is read elsewhere
  kempian.cache_migration.memorydb_user:
    user_name: kempian-dev-app
    migration_name: kempian-dev
    access_string: on ~* &* +@all
    passwords: ["{{ app_password }}"]
    region: us-east-1

- name: One for production, who may use its own keys alone, with a password that is known by its version
  kempian.cache_migration.memorydb_user:
    user_name: kempian-prod-app
    migration_name: kempian-prod
    access_string: on ~shop:* &shop:* -@all +@read +@write +@connection +cluster|slots +cluster|shards
    passwords: ["{{ app_password }}"]
    passwords_version: "{{ app_password_version }}"
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
      sample: UpdateUser
    parameters:
      description: Its parameters, passwords as C(***).
      type: dict
      sample: {UserName: kempian, AccessString: 'on ~app:* &* +@all'}
    reason:
      description: Which options ask for it.
      type: str
      sample: "passwords: 1 -> 2"
    disruptive:
      description: Whether clients notice it.
      type: bool
user:
  description: The user; in check mode, as it would be.
  returned: O(state=present)
  type: dict
  contains:
    user_name:
      description: Its name, by which clients log in.
      type: str
      sample: kempian-prod-app
    access_string:
      description: What it may do, as AWS tells it.
      type: str
      sample: "on ~* &* +@all"
    authentication:
      description: How it logs in, C(type) and C(password_count).
      type: dict
      sample: {type: password, password_count: 1}
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: active
    acl_names:
      description: The ACLs that it is in.
      type: list
      elements: str
      sample: [kempian-prod]
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:memorydb:us-east-1:123456789012:user/kempian-prod-app
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
passwords_changed:
  description: Whether passwords were set; in check mode, whether they would be.
  returned: O(state=present)
  type: bool
passwords_known:
  description:
    - Whether it is known that the user has the stated passwords, because this task has set them, or as they are of the
      version that was set last (O(passwords_version)). Else AWS tells no more than that there are as many.
  returned: O(state=present)
  type: bool
status:
  description: Its status as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: active
arn:
  description: Its ARN, empty while that is not known.
  returned: always
  type: str
  sample: arn:aws:memorydb:us-east-1:123456789012:user/kempian-prod-app
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
  sample: "kempian-prod-app: modifying"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: access_string
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb.users import (
    make_user_absent,
    make_user_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.user import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.users.words import MEMORYDB

OPTIONS: dict[str, Any] = {
    "user_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "access_string": {"type": "str"},
    "authentication_mode": {
        "type": "dict",
        "options": {
            "type": {"type": "str", "choices": ["password", "iam"], "required": True},
            "passwords": {"type": "list", "elements": "str", "no_log": True},
        },
    },
    "passwords": {"type": "list", "elements": "str", "no_log": True},
    "passwords_version": {"type": "str", "no_log": False},
    "passwords_update": {
        "type": "str",
        "choices": ["on_change", "always", "keep"],
        "default": "on_change",
        "no_log": False,
    },
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    make = make_user_present if module.params["state"] == "present" else make_user_absent
    with ending(module, "memorydb"):
        result = make(module.client("memorydb"), Desired.from_params(module.params, MEMORYDB), module.check_mode)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
