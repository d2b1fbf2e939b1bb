#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_serverless_cache_info
version_added: 0.1.0
short_description: Tell what ElastiCache serverless caches there are
description:
  - Reads one serverless cache, or all of a region, with their limits, tags and endpoints. Changes nothing.
author:
  - The cache_migration authors (@cache-migration)
options:
  serverless_cache_name:
    description:
      - The name of a cache. All caches are told where it is left out, and none where there is no such cache.
    type: str
  migration_name:
    description:
      - The name of a migration. It is told then of each cache whether it is that one's.
    type: str
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
notes:
  - 'IAM actions: C(elasticache:DescribeServerlessCaches), C(elasticache:ListTagsForResource).'
seealso:
  - module: kempian.cache_migration.elasticache_serverless_cache
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read a serverless cache
  kempian.cache_migration.elasticache_serverless_cache_info:
    serverless_cache_name: kempian-cache-prod
    migration_name: kempian-prod
    region: us-east-1
  register: found
"""

RETURN = r"""
serverless_caches:
  description: The caches, in the words of M(kempian.cache_migration.elasticache_serverless_cache)'s options.
  returned: always
  type: list
  elements: dict
  contains:
    serverless_cache_name:
      description: The name of the cache.
      type: str
      sample: kempian-cache-prod
    status:
      description: Its status as AWS tells it, in lower case.
      type: str
      sample: available
    arn:
      description: Its ARN.
      type: str
      sample: arn:aws:elasticache:us-east-1:123456789012:serverlesscache:kempian-cache-prod
    create_time:
      description: When it was made.
      type: str
      sample: "2026-11-02 09:00:00+00:00"
    description:
      description: What it is for.
      type: str
      sample: Kempian production cache
    engine:
      description: Its engine.
      type: str
      sample: valkey
    major_engine_version:
      description: Its major version.
      type: str
      sample: "8"
    full_engine_version:
      description: The release that AWS chose.
      type: str
      sample: "8.1"
    cache_usage_limits:
      description: Its limits; what is not there has none.
      type: dict
      sample: {"data_storage": {"maximum": 10, "unit": "GB"}}
    kms_key_id:
      description: The KMS key of encryption at rest, empty where it is the service's own.
      type: str
      sample: arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef
    storage_encryption_type:
      description: How it is encrypted at rest.
      type: str
      sample: sse-elasticache
    security_group_ids:
      description: Its security groups.
      type: list
      elements: str
      sample: [sg-0123456789abcdef0]
    subnet_ids:
      description: Its subnets.
      type: list
      elements: str
      sample: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    user_group_id:
      description: The group of its users, empty where whoever reaches it uses it.
      type: str
      sample: kempian-prod
    snapshot_retention_limit:
      description: For how many days daily snapshots are kept.
      type: int
      sample: 5
    daily_snapshot_time:
      description: When the daily snapshot begins (UTC).
      type: str
      sample: "03:00"
    network_type:
      description: The IP versions by which it is reached.
      type: str
      sample: ipv4
    connection_type:
      description: C(vpc), or C(public), which is reached from the internet.
      type: str
      sample: vpc
    integrations:
      description: Services that it works with by itself.
      type: list
      elements: str
    live_migration:
      description: The status of a migration into it that AWS itself makes, empty where there is none.
      type: str
    tags:
      description: Its tags; null while AWS tells none.
      type: dict
      sample: {'cache_migration:name': kempian-prod}
    ours:
      description: Whether it is O(migration_name)'s; null where that is left out.
      type: bool
    pending:
      description: Empty, as AWS queues no change of a serverless cache.
      type: dict
      sample: {}
    endpoint:
      description:
        - How clients reach it, as RV(ignore:endpoint) of M(kempian.cache_migration.elasticache_serverless_cache).
      type: dict
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache import serverless
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending

SPEC: dict[str, Any] = {
    "argument_spec": {"serverless_cache_name": {"type": "str"}, "migration_name": {"type": "str"}},
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    name = module.params["serverless_cache_name"]
    with ending(module):
        client = module.client("elasticache")
        if name:
            cache = serverless.read_serverless_cache(client, name.lower())
            caches = [cache] if cache else []
        else:
            caches = serverless.read_serverless_caches(client)
    told = [serverless.facts(cache, module.params["migration_name"]) for cache in caches]
    module.exit_json(changed=False, serverless_caches=told)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
