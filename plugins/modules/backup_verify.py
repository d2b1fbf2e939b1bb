#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_verify
short_description: Prove that the last backup in S3 is whole, and that an engine can load it
version_added: 0.2.0
description:
  - Reads the object from S3 again and compares its digest with the one that was taken on the way.
  - Loads it once into an engine of its own (a unix socket only, in a folder of this user, ended and removed whatever
    happens) and counts the keys of each database against those that the old Redis told at that moment. Keys with a
    TTL may have expired since; those without must all be there.
  - To load a snapshot is to run the function libraries in it (Redis 7 and later), within the engine's sandbox for Lua.
    Whoever may write to the old Redis decides on those, so let O(engine) be one that has its security fixes.
  - Only reads, also outside check mode.
author:
  - The cache_migration authors (@cache-migration)
options:
  bucket:
    description: The bucket.
    type: str
    required: true
  key:
    description: The key of the object.
    type: str
    required: true
  sha256:
    description: The digest that it must have.
    type: str
    required: true
  keyspace:
    description:
      - The keys of each database, as M(kempian.cache_migration.cache_backup) returns them; of an earlier backup that is
        still to count, as M(kempian.cache_migration.old_redis_info) returns them now.
    type: dict
    required: true
  load:
    description: Load it. Without, only its digest is proven.
    type: bool
    default: true
  engine:
    description: The program that loads it, as new as the old Redis. Left empty, C(redis-server) or C(valkey-server).
    type: str
    default: ""
  load_timeout:
    description: For how many seconds it may load.
    type: int
    default: 900
  remedy:
    description: What is to be done where it is not there, or not what it must be.
    type: str
    default: Run it again.
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
notes:
  - 'IAM actions: C(s3:GetObject), and C(kms:Decrypt) where a key of your own encrypts it.'
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Prove the backup
  kempian.cache_migration.backup_verify:
    bucket: kempian-backups
    key: cache_migration/kempian-prod/20261125T200000Z.rdb
    sha256: "{{ backup.sha256 }}"
    keyspace: "{{ backup.keyspace }}"
    region: us-east-1
"""

RETURN = r"""
loaded:
  description: The keys of each database as the engine counted them, with C(count) and C(expires); empty without
    O(load).
  returned: always
  type: dict
encryption:
  description: How S3 says that the object is encrypted.
  returned: always
  type: str
  sample: aws:kms
"""

import tempfile
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.backup import Place, fetch
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.errors import explain
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.replication import counts_differ
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.scratch_engine import (
    LoadFailed,
    count_keys,
    find_engine,
)

SPEC: dict[str, Any] = {
    "argument_spec": {
        "bucket": {"type": "str", "required": True},
        "key": {"type": "str", "required": True, "no_log": False},
        "sha256": {"type": "str", "required": True},
        "keyspace": {"type": "dict", "required": True, "no_log": False},
        "load": {"type": "bool", "default": True},
        "engine": {"type": "str", "default": ""},
        "load_timeout": {"type": "int", "default": 900},
        "remedy": {"type": "str", "default": "Run it again."},
    },
    "supports_check_mode": True,
}


def serve(module: AnsibleAWSModule) -> None:
    params = module.params
    what = f"The backup s3://{params['bucket']}/{params['key']}"
    loaded: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryFile() as file:
        try:
            found = fetch(module.client("s3"), Place(params["bucket"], params["key"]), file)
        except AnsibleAWSError as error:
            module.fail_json_aws(error.exception or error, msg=explain(error, "s3"))
        if found is None:
            module.fail_json(msg=f"{what} is not there. {params['remedy']}")
        digest, encryption = found or ("", "")
        if digest != params["sha256"]:
            module.fail_json(
                msg=f"{what} is not what was sent: its sha256 is {digest}, not {params['sha256']}. {params['remedy']}"
            )
        if params["load"]:
            try:
                most = max(map(int, params["keyspace"]), default=0) + 1
                engine = find_engine(params["engine"])
                loaded = count_keys(engine, file, databases=most, seconds=params["load_timeout"])
            except (LoadFailed, OSError) as error:
                module.fail_json(
                    msg=f"{what} cannot be loaded: {error}. Is {params['engine'] or 'the engine on the controller'} as "
                    "new as the old Redis? Name a newer one in migration_backup_engine."
                )
    differing = counts_differ(params["keyspace"], loaded) if params["load"] else []
    if differing:
        told = f"{what} does not hold what the old Redis held: {'; '.join(differing)}."
        module.fail_json(msg=f"{told} {params['remedy']}")
    module.exit_json(changed=False, loaded=loaded, encryption=encryption)


def main() -> None:
    serve(AnsibleAWSModule(**SPEC))


if __name__ == "__main__":
    main()
