#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_parameter_group
version_added: 0.1.0
short_description: Make, converge or remove an ElastiCache parameter group
description:
  - Makes a group of engine parameters, converges it, or removes it.
  - Options that are left out are not changed.
  - A group is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  cache_parameter_group_name:
    description:
      - The name of the parameter group, letters, digits and hyphens, the first a letter. AWS stores it in lower case.
      - AWS's own groups (C(default.)) are refused, as they cannot be changed.
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
  cache_parameter_group_family:
    description:
      - The family, as V(redis7) or V(valkey8). Needed to make a group, unless O(engine) is stated. Cannot be changed.
    type: str
  engine:
    description:
      - The engine that the group is for, in place of O(cache_parameter_group_family), which is asked of AWS then
        (DescribeCacheEngineVersions).
    type: str
    choices: [redis, valkey, memcached]
    version_added: 0.2.0
  engine_version:
    description:
      - The version that the group is for, with O(engine). Where it is left out, the one that AWS has as its default.
    type: str
    version_added: 0.2.0
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
      - Reset parameters that O(parameters) does not state to the values of the family. C(reserved-memory) stays, as AWS
        does not reset it, and a warning says so.
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
  - 'IAM actions: C(elasticache:DescribeCacheParameterGroups), C(elasticache:DescribeCacheParameters),
    C(elasticache:DescribeCacheEngineVersions), C(elasticache:ListTagsForResource),
    C(elasticache:CreateCacheParameterGroup),
    C(elasticache:AddTagsToResource), C(elasticache:RemoveTagsFromResource),
    C(elasticache:ModifyCacheParameterGroup), C(elasticache:ResetCacheParameterGroup),
    C(elasticache:DeleteCacheParameterGroup).'
seealso:
  - module: kempian.cache_migration.elasticache_parameter_group_info
  - module: kempian.cache_migration.elasticache_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Close idle connections, in development
  kempian.cache_migration.elasticache_parameter_group:
    cache_parameter_group_name: kempian-dev-cache
    migration_name: kempian-dev
    engine: valkey
    engine_version: "8.1"
    parameters:
      timeout: 300
    region: us-east-1

- name: Evict the least recently used keys of all, in production
  kempian.cache_migration.elasticache_parameter_group:
    cache_parameter_group_name: kempian-prod-cache
    migration_name: kempian-prod
    cache_parameter_group_family: redis7
    parameters:
      maxmemory-policy: allkeys-lru
      databases: 32
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
      sample: ModifyCacheParameterGroup
    parameters:
      description: Its parameters.
      type: dict
      sample: {CacheParameterGroupName: kempian-prod-cache, ParameterNameValues: [{ParameterName: timeout}]}
    reason:
      description: Which options ask for it.
      type: str
      sample: "maxmemory-policy: volatile-lru -> allkeys-lru"
    disruptive:
      description: Whether clients notice it.
      type: bool
cache_parameter_group:
  description: The group; in check mode, as it would be.
  returned: O(state=present)
  type: dict
  contains:
    cache_parameter_group_name:
      description: Its name.
      type: str
      sample: kempian-prod-cache
    cache_parameter_group_family:
      description: Its family.
      type: str
      sample: valkey8
    description:
      description: What it is for.
      type: str
      sample: Parameters of kempian-prod
    parameters:
      description: The parameters that were given a value of their own.
      type: dict
      sample: {maxmemory-policy: allkeys-lru}
    arn:
      description: Its ARN, empty while that is not known.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:parametergroup:kempian-prod-cache
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
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import calls
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.groups import (
    ParameterReads,
    converge_parameter_group,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.groups import parameter_group

OPTIONS = {
    "cache_parameter_group_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "cache_parameter_group_family": {"type": "str"},
    "engine": {"type": "str", "choices": ["redis", "valkey", "memcached"]},
    "engine_version": {"type": "str"},
    "description": {"type": "str"},
    "parameters": {"type": "dict"},
    "purge_parameters": {"type": "bool", "default": False},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module):
        client = module.client("elasticache")
        came = converge_parameter_group(
            parameter_group.Desired.from_params(module.params),
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
    module.exit_json(**came.result("cache_parameter_group"))


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
