#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: elasticache_serverless_cache
version_added: 0.1.0
short_description: Make, converge or remove an ElastiCache serverless cache
description:
  - Makes a serverless cache of ElastiCache for Valkey, Redis OSS or Memcached, converges it, or removes it.
  - Reads, plans and only then acts. What AWS cannot change in place is refused before anything is touched, with the
    reason and the way out. Each option is changed by a call of its own, and the cache is waited for before the next.
  - Options that are left out, or are an empty text, are not changed.
  - Clients always speak TLS. Of Valkey and Redis OSS they speak the cluster protocol, so they need a client that does,
    and have database 0 alone.
  - Never waits in silence. It goes as far as it can, and the action plugin of the same name runs it again, with a line
    at each step, until the cache is as stated or O(wait_timeout) has passed. A run that was killed is continued by
    running it again.
  - A cache is this migration's when its tag C(cache_migration:name) equals O(migration_name). Others are used with
    O(adopt=true) only, and are never changed or deleted.
author:
  - The cache_migration authors (@cache-migration)
options:
  serverless_cache_name:
    description:
      - The name of the serverless cache.
      - 1 to 40 letters, digits and hyphens, the first a letter, no double hyphen and none at the end.
      - AWS stores it in lower case.
    type: str
    required: true
  migration_name:
    description:
      - The name of the migration that the cache belongs to; becomes its tag C(cache_migration:name).
    type: str
    required: true
  state:
    description:
      - V(present) makes and converges the cache.
      - V(absent) deletes it where it is this migration's, and waits until it is gone. One of O(final_snapshot_name) and
        O(skip_final_snapshot) must be stated then.
    type: str
    choices: [present, absent]
    default: present
  adopt:
    description:
      - Use a cache that is not this migration's, as it is. What is stated is checked against it (but for its
        description and tags), and a difference is refused.
    type: bool
    default: false
  description:
    description:
      - What the cache is for, up to 255 characters. A new cache gets C(Cache of) and O(migration_name) where it is left
        out.
    type: str
  engine:
    description:
      - The engine. Needed to make a cache; one that is there keeps its own where it is left out.
      - A cache of Redis OSS is moved to Valkey in place, and one of Valkey 7 back to Redis OSS 7. Memcached is made
        anew.
    type: str
    choices: [valkey, redis, memcached]
  major_engine_version:
    description:
      - The major version, as V(8) for Valkey, V(7) for Redis OSS or V(1.6) for Memcached, in quotes. AWS chooses where
        it is left out, and always chooses the release.
      - It goes up in place under Valkey alone, and never down.
    type: str
  cache_usage_limits:
    description:
      - How much the cache may grow to, and how much it is kept ready for. What is not named stays as it is, and V(0)
        takes a limit away.
      - Above its largest size a cache evicts keys with a TTL, and then refuses writes; above its largest rate it
        delays and refuses requests. A minimum is paid for, whether it is used or not.
    type: dict
    suboptions:
      data_storage:
        description: Data, in GB.
        type: dict
        suboptions:
          maximum:
            description: The most that it holds.
            type: int
          minimum:
            description: What is kept ready for it.
            type: int
          unit:
            description: The unit, which is always this.
            type: str
            choices: [GB]
            default: GB
      ecpu_per_second:
        description: Requests, in ElastiCache Processing Units a second, each 0 or from 1000 to 15000000.
        type: dict
        suboptions:
          maximum:
            description: The most that it does.
            type: int
          minimum:
            description: What is kept ready for it.
            type: int
  kms_key_id:
    description:
      - The id or ARN (no alias) of the KMS key for encryption at rest, which is always on. AWS's own where it is left
        out. Cannot be changed in place.
    type: str
  security_group_ids:
    description:
      - The security groups that decide who reaches the cache. An empty list counts as left out, and a new cache gets
        the VPC's default group then.
      - They must admit the port of the reader (6380) beside that of the cache (6379).
      - In check mode, where there is no cache yet, an item may be empty or V(after-apply), for a security group that
        could not be made in check mode.
    type: list
    elements: str
  subnet_ids:
    description:
      - The subnets from which it is reached, all of one VPC. Those of the default VPC where they are left out. Cannot
        be changed in place.
    type: list
    elements: str
  user_group_id:
    description:
      - The user group whose users log in, of Valkey and Redis OSS. Without one, whoever reaches the cache uses it.
      - Once a cache has one, clients that are no user of it are refused.
    type: str
  remove_user_group:
    description:
      - Take the user group away, so that whoever reaches the cache uses it.
    type: bool
    default: false
  snapshot_retention_limit:
    description:
      - For how many days daily snapshots are kept, 0 to 35; 0 is no snapshots.
    type: int
  daily_snapshot_time:
    description:
      - When the daily snapshot begins (UTC), as V(05:00), in quotes.
    type: str
  snapshot_arns_to_restore:
    description:
      - The ARNs of snapshots whose data a new cache begins with. AWS does not tell them afterwards, so they are kept in
        the tag C(cache_migration:restored_from), and others than those are refused for a cache that is there.
    type: list
    elements: str
  network_type:
    description:
      - The IP versions by which it is reached. V(ipv4) where it is left out, unless its subnets have IPv6 alone. Cannot
        be changed in place.
    type: str
    choices: [ipv4, ipv6, dual_stack]
  connection_type:
    description:
      - V(vpc), as where it is left out, is reached from the VPC of its subnets and what is routed to it.
      - V(public) is reached from the internet, whatever its security groups. From Valkey 9 on, with O(user_group_id)
        and O(accept_public_access=true) alone, and with a warning in each run.
      - Cannot be changed in place.
    type: str
    choices: [vpc, public]
  accept_public_access:
    description:
      - Says that O(connection_type=public) is meant.
    type: bool
    default: false
  integrations:
    description:
      - Services that the cache works with by itself, from Valkey 9 on. Cannot be changed in place.
    type: list
    elements: str
    choices: [dynamodb]
  tags:
    description:
      - Tags of the cache, beside C(cache_migration:name).
    type: dict
  purge_tags:
    description:
      - Remove tags that O(tags) does not state. Tags of AWS (C(aws:)) and of this migration stay.
    type: bool
    default: false
  final_snapshot_name:
    description:
      - With O(state=absent), the name of a last snapshot to keep.
    type: str
  skip_final_snapshot:
    description:
      - With O(state=absent), give the data up.
    type: bool
    default: false
  wait:
    description:
      - Wait until the cache is as stated. With V(false) the result may be RV(in_progress), and only the steps that need
        no waiting are made.
    type: bool
    default: true
  wait_timeout:
    description:
      - For how many seconds to wait in all. Running it again goes on.
    type: int
    default: 3600
  wait_interval:
    description:
      - How many seconds there are between two reads while it waits, at most. The first reads follow sooner.
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
  - Runs where AWS is reached from, usually on the controller, once and not once a host.
  - 'IAM actions: C(elasticache:DescribeServerlessCaches), C(elasticache:DescribeEvents),
    C(elasticache:ListTagsForResource), C(elasticache:CreateServerlessCache), C(elasticache:AddTagsToResource),
    C(elasticache:RemoveTagsFromResource), C(elasticache:ModifyServerlessCache), C(elasticache:DeleteServerlessCache),
    C(elasticache:CreateServerlessCacheSnapshot). AWS also asks for C(ec2:CreateVpcEndpoint), C(ec2:CreateTags) and
    C(ec2:DeleteVpcEndpoints), and for what describes the network.'
seealso:
  - module: kempian.cache_migration.elasticache_user_group
  - name: AWS, CreateServerlessCache
    description: What each option means to AWS.
    link: https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateServerlessCache.html
  - module: kempian.cache_migration.elasticache_serverless_cache_info
  - module: kempian.cache_migration.elasticache_cluster
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Make the cache of development, which costs next to nothing while nobody uses it
  kempian.cache_migration.elasticache_serverless_cache:
    serverless_cache_name: kempian-cache-dev
    migration_name: kempian-dev
    engine: valkey
    cache_usage_limits:
      data_storage: {maximum: 1}
      ecpu_per_second: {maximum: 1000}
    security_group_ids: [sg-0123456789abcdef0]
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    region: us-east-1

- name: Make the cache of production, or converge it
  kempian.cache_migration.elasticache_serverless_cache:
    serverless_cache_name: kempian-cache-prod
    migration_name: kempian-prod
    description: Kempian production cache
    engine: valkey
    major_engine_version: "8"
    cache_usage_limits:
      data_storage: {maximum: 20}
      ecpu_per_second: {minimum: 5000, maximum: 100000}
    security_group_ids: [sg-0123456789abcdef0]
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    user_group_id: kempian-prod
    snapshot_retention_limit: 7
    daily_snapshot_time: "03:00"
    region: us-east-1
  register: cache

- name: Move it to the next major version in place
  kempian.cache_migration.elasticache_serverless_cache:
    serverless_cache_name: kempian-cache-prod
    migration_name: kempian-prod
    major_engine_version: "9"

- name: Remove it, and keep its data
  kempian.cache_migration.elasticache_serverless_cache:
    serverless_cache_name: kempian-cache-prod
    migration_name: kempian-prod
    state: absent
    final_snapshot_name: kempian-cache-prod-last
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
      sample: ModifyServerlessCache
    parameters:
      description: Its parameters.
      type: dict
      sample: {ServerlessCacheName: kempian-cache-prod, SnapshotRetentionLimit: 7}
    reason:
      description: Which options ask for it.
      type: str
      sample: "snapshot_retention_limit: 0 -> 7"
    disruptive:
      description: Whether clients notice it.
      type: bool
endpoint:
  description: How clients reach the cache; a placeholder while that is not known.
  returned: O(state=present)
  type: dict
  contains:
    service:
      description: The service, C(elasticache-serverless).
      type: str
      sample: elasticache-serverless
    name:
      description: The name of the cache.
      type: str
      sample: kempian-cache-prod
    protocol:
      description: What is spoken, C(redis-cluster), or C(memcached) with O(engine=memcached).
      type: str
      sample: redis-cluster
    address:
      description: The endpoint; C(after-apply.invalid) while it is not known.
      type: str
      sample: kempian-cache-prod-abc123.serverless.use1.cache.amazonaws.com
    port:
      description: Its port.
      type: int
      sample: 6379
    reader_address:
      description: The reader endpoint, which may tell what was so a moment ago.
      type: str
      sample: kempian-cache-prod-abc123.serverless.use1.cache.amazonaws.com
    reader_port:
      description: Its port.
      type: int
      sample: 6380
    nodes:
      description: Empty, as AWS shows none.
      type: list
      elements: dict
    tls:
      description: Whether clients speak TLS, which is always so.
      type: bool
    auth:
      description: How clients authenticate, C(none) or C(rbac).
      type: str
      sample: rbac
    username:
      description: The user's name, which AWS does not tell.
      type: str
      sample: kempian
    databases:
      description: How many databases are served.
      type: int
      sample: 1
    engine:
      description: The engine.
      type: str
      sample: valkey
    engine_version:
      description: The version that runs, or the major version that is stated.
      type: str
      sample: "8"
    state:
      description: C(known), or C(after_apply) for a placeholder.
      type: str
      sample: known
status:
  description: The status of the cache as AWS tells it, in lower case, or C(absent).
  returned: always
  type: str
  sample: available
arn:
  description: The ARN of the cache, empty where there is none.
  returned: always
  type: str
  sample: arn:aws:elasticache:us-east-1:123456789012:serverlesscache:kempian-cache-prod
pending:
  description: Empty, as AWS queues no change of a serverless cache.
  returned: always
  type: dict
  sample: {}
monthly_cost:
  description: What the cache costs in a month of 730 hours at the least, as the rest is paid by use.
  returned: O(state=present)
  type: dict
  contains:
    usd:
      description: US dollars a month; null where no price is known.
      type: float
      sample: 6.13
    usd_data:
      description: Of that, for the data.
      type: float
      sample: 6.13
    usd_requests:
      description: Of that, for requests.
      type: float
      sample: 0.0
    usd_per_gb_hour:
      description: US dollars a GB and hour; null where no price is known.
      type: float
      sample: 0.084
    usd_per_million_ecpu:
      description: US dollars a million ElastiCache Processing Units; null where no price is known.
      type: float
      sample: 0.0023
    source:
      description: The price list, with its region and date.
      type: str
      sample: AWS price list, on demand, us-east-1, 2026-10-02
    note:
      description: How it is reckoned, or that it is unknown and why.
      type: str
    instead:
      description: Always null.
      type: dict
in_progress:
  description: Whether there is more to do or to wait for. False in check mode.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
  sample: "kempian-cache-prod: creating"
option:
  description: The option to change.
  returned: when it is refused
  type: str
  sample: major_engine_version
"""

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.elasticache.serverless import (
    make_absent,
    make_present,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import ending
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.desired import (
    Deletion,
    Desired,
)

_LIMIT = {"maximum": {"type": "int"}, "minimum": {"type": "int"}}
_LIMITS = {
    "data_storage": {
        "type": "dict",
        "options": {**_LIMIT, "unit": {"type": "str", "choices": ["GB"], "default": "GB"}},
    },
    "ecpu_per_second": {"type": "dict", "options": _LIMIT},
}
OPTIONS = {
    "serverless_cache_name": {"type": "str", "required": True},
    "migration_name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "adopt": {"type": "bool", "default": False},
    "description": {"type": "str"},
    "engine": {"type": "str", "choices": ["valkey", "redis", "memcached"]},
    "major_engine_version": {"type": "str"},
    "cache_usage_limits": {"type": "dict", "options": _LIMITS},
    "kms_key_id": {"type": "str", "no_log": False},
    "security_group_ids": {"type": "list", "elements": "str"},
    "subnet_ids": {"type": "list", "elements": "str"},
    "user_group_id": {"type": "str"},
    "remove_user_group": {"type": "bool", "default": False},
    "snapshot_retention_limit": {"type": "int"},
    "daily_snapshot_time": {"type": "str"},
    "snapshot_arns_to_restore": {"type": "list", "elements": "str"},
    "network_type": {"type": "str", "choices": ["ipv4", "ipv6", "dual_stack"]},
    "connection_type": {"type": "str", "choices": ["vpc", "public"]},
    "accept_public_access": {"type": "bool", "default": False},
    "integrations": {"type": "list", "elements": "str", "choices": ["dynamodb"]},
    "tags": {"type": "dict"},
    "purge_tags": {"type": "bool", "default": False},
    "final_snapshot_name": {"type": "str"},
    "skip_final_snapshot": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 15},
}
SPEC: dict[str, Any] = {"argument_spec": OPTIONS, "supports_check_mode": True}


def serve(module: AnsibleAWSModule) -> None:
    with ending(module):
        client = module.client("elasticache")
        if module.params["state"] == "absent":
            result = make_absent(client, Deletion.from_params(module.params), module.check_mode)
        else:
            desired = Desired.from_params(module.params, allow_placeholders=module.check_mode)
            result = make_present(client, desired, module.region, module.check_mode)
    for warning in result.pop("warnings", []):
        module.warn(warning)
    module.exit_json(**result)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
