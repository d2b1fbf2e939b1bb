#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: memorydb_parameter_group
version_added: 0.2.0
short_description: Make, converge or remove an Amazon MemoryDB parameter group
description:
  - Makes a group of parameters for the engines of clusters, converges it, or removes it.
  - Values are checked against what AWS says of the family before anything is made.
  - Options that are left out are not changed.
  - A group is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
  - MemoryDB does not tell which parameters were set. Those count as set whose value differs from that of the default
    group of the family, so that a parameter that is stated with its default changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  parameter_group_name:
    description:
      - The name of the parameter group, letters, digits and hyphens, the first a letter, no double hyphen and none at
        the end. AWS stores it in lower case.
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
      - Use a group that is not this migration's, as it is. Other O(parameters) than its own are refused.
    type: bool
    default: false
  family:
    description:
      - The family, as V(memorydb_valkey7). Needed to make a group, unless O(engine) says it. Cannot be changed.
    type: str
  engine:
    description:
      - In place of O(family), the engine that the group is for.
    type: str
    choices: [redis, valkey]
  engine_version:
    description:
      - With O(engine), the version that the group is for, as V(7.2), in quotes. The newest where it is left out.
    type: str
  description:
    description:
      - What the group is for. A new group gets C(Parameters of) and O(migration_name) where it is left out. Cannot be
        changed.
    type: str
  parameters:
    description:
      - Parameters and their values, as C(maxmemory-policy). Values are compared as strings; a YAML boolean stands for
        V(yes) or V(no).
      - A name that the family does not have is refused.
    type: dict
  purge_parameters:
    description:
      - Reset parameters that O(parameters) does not state to the values of the family.
    type: bool
    default: false
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
  - 'IAM actions: C(memorydb:DescribeParameterGroups), C(memorydb:DescribeParameters), C(memorydb:ListTags),
    C(memorydb:DescribeEngineVersions), C(memorydb:CreateParameterGroup), C(memorydb:TagResource),
    C(memorydb:UntagResource), C(memorydb:UpdateParameterGroup), C(memorydb:ResetParameterGroup),
    C(memorydb:DeleteParameterGroup).'
seealso:
  - module: kempian.cache_migration.memorydb_parameter_group_info
  - module: kempian.cache_migration.memorydb_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Evict the least recently used keys, in development
  kempian.cache_migration.memorydb_parameter_group:
    parameter_group_name: kempian-dev-cache
    migration_name: kempian-dev
    family: memorydb_redis7
    parameters:
      maxmemory-policy: allkeys-lru
    region: us-east-1

- name: Close idle connections, in production
  kempian.cache_migration.memorydb_parameter_group:
    parameter_group_name: kempian-prod-cache
    migration_name: kempian-prod
    engine: valkey
    engine_version: "7.2"
    parameters:
      timeout: 300
    purge_parameters: true
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
      sample: UpdateParameterGroup
    parameters:
      description: Its parameters.
      type: dict
      sample: {ParameterGroupName: kempian-prod-cache, ParameterNameValues: [{ParameterName: timeout}]}
    reason:
      description: Which options ask for it.
      type: str
      sample: "timeout: 0 -> 300"
    disruptive:
      description: Whether clients notice it.
      type: bool
parameter_group:
  description: The group; in check mode, as it would be.
  returned: O(state=present)
  type: dict
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
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: parameters
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.groups import (
    ParameterReads,
    converge_parameter_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.memorydb import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_group import Desired
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups.parameter_words import MEMORYDB

OPTIONS = {
    "parameter_group_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "family": {"type": "str"},
    "engine": {"type": "str", "choices": ["redis", "valkey"]},
    "engine_version": {"type": "str"},
    "description": {"type": "str"},
    "parameters": {"type": "dict"},
    "purge_parameters": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module, "memorydb"):
        client = module.client("memorydb")
        came = converge_parameter_group(
            Desired.from_params(module.params, MEMORYDB),
            module.params["state"],
            ParameterReads(
                lambda name: calls.read_parameter_group(client, name),
                lambda family: calls.read_family(client, family),
                lambda engine, version: calls.read_family_of(client, engine, version),
            ),
            lambda step: calls.act(client, step),
            module.check_mode,
        )
    for sentence in came.warnings:
        module.warn(sentence)
    module.exit_json(**came.result("parameter_group"))


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
