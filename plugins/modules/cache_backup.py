#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_backup
short_description: Take a snapshot of the old Redis over replication, and put it into S3
version_added: 0.2.0
description:
  - Takes a snapshot (an RDB file) of the old Redis as a replica would, from an app host, and sends it to S3 by a
    presigned URL. The host needs no AWS credentials and no program but Python.
  - The snapshot passes through a file in O(state_dir) that has no name, so that nothing is left of it however this
    ends.
  - Refuses a snapshot of more than 5 GiB, and without O(while_written) one during which somebody wrote to the old
    Redis.
  - In check mode nothing is taken.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_values
options:
  migration_name:
    description: The name of the migration, under which the journal is kept.
    type: str
    required: true
  state_dir:
    description: The folder on the host where the journal is kept, and with room for the snapshot.
    type: path
    default: /var/lib/cache_migration
  target_address:
    description: The address of the target, as for M(kempian.cache_migration.old_redis_info).
    type: str
    default: ""
  peer:
    description:
      - The address at which M(kempian.cache_migration.old_redis_info) had its answer. Where the name leads elsewhere by
        now, nothing is taken.
    type: str
  upload_url:
    description: The presigned URL, as M(kempian.cache_migration.backup_upload_url) returns it. It is a secret.
    type: str
    required: true
  upload_headers:
    description: The headers that were signed with it.
    type: dict
    default: {}
  while_written:
    description:
      - Take it also where somebody writes to the old Redis meanwhile, as for a cache that is made from it. It is what
        the old Redis held when it began.
    type: bool
    default: false
  timeout:
    description: How long connecting, and each pause of the old Redis, may take, in seconds.
    type: float
    default: 30.0
attributes:
  check_mode:
    description: Takes nothing.
    support: full
  diff_mode:
    description: Changes nothing that could be compared.
    support: none
"""

EXAMPLES = r"""
- name: Take the last backup
  kempian.cache_migration.cache_backup:
    values: [{path: /opt/shop/.env, keys: [REDIS_URL]}]
    migration_name: kempian-prod
    upload_url: "{{ upload.url }}"
    upload_headers: "{{ upload.headers }}"
"""

RETURN = r"""
sha256:
  description: The digest of the snapshot.
  returned: when it was taken
  type: str
size:
  description: Its size in bytes.
  returned: when it was taken
  type: int
keyspace:
  description: The keys of each database at that moment, with C(count) and C(expires).
  returned: when it was taken
  type: dict
writes:
  description:
    - How often the old Redis was told to write, as C(calls) of each command in this C(life) of its process. While it is
      the same, the backup is current. What expires is no write.
  returned: when it was taken
  type: dict
source:
  description: Where it was taken from, with C(host), C(port), C(tls) and C(database).
  returned: always
  type: dict
"""

import os
import tempfile
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import replication
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed, without_secret
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.old_redis import (
    VALUES,
    old_url,
    place_of,
    values_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.upload import UploadFailed, put


def refuse_another(peer: str, expected: str | None) -> None:
    if expected and peer != expected:
        raise replication.SnapshotRefused(
            f"its name leads to {peer} now, and led to {expected} when it was looked at: find out who has changed that"
        )


def take_and_send(url: str, params: dict[str, Any]) -> replication.Snapshot:
    """Raises CacheError, ProbeFailed, UploadFailed, OSError."""
    folder = os.path.join(os.path.realpath(params["state_dir"]), params["migration_name"])
    atomic_file.make_private_directory(folder)
    question = Question(url, expected_role="any", seconds=params["timeout"], tls_as_app=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        with session(question) as link, session(question) as beside:
            for connection in (link, beside):
                refuse_another(connection.peer, params["peer"])
            snapshot = replication.take(link, beside, file)
        if snapshot.meanwhile and not params["while_written"]:
            writes = ", ".join(f"{count} {name}" for name, count in snapshot.meanwhile.items())
            raise replication.SnapshotRefused(
                f"somebody wrote to it while its snapshot was taken ({writes}), so the snapshot lacks that: find out "
                "who, and run this again"
            )
        put(params["upload_url"], params["upload_headers"], file, snapshot.size)
    return snapshot


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **VALUES,
            "peer": {"type": "str"},
            "upload_url": {"type": "str", "required": True, "no_log": True},
            "upload_headers": {"type": "dict", "default": {}},
            "while_written": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 30.0},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    try:
        url = old_url(values_of(params), params["target_address"])
        source = place_of(url)
    except EndpointError as error:
        module.fail_json(msg=f"It cannot be told where the old Redis is: {error}.")
    if not url:
        module.fail_json(msg="It cannot be told where the old Redis is: the journal has no original of a value.")
    if module.check_mode:
        module.exit_json(changed=True, source=source)
    what = f"No backup of the old Redis at {source['host']}"
    try:
        snapshot = take_and_send(url, params)
    except ProbeFailed as failed:
        module.fail_json(msg=f"{what}: {failed.failure.sentence}")
    except CacheError as error:
        module.fail_json(msg=f"{what}: {without_secret(str(error), parse_url(url))}.")
    except UploadFailed as error:
        module.fail_json(msg=f"{what}: {error}.")
    except OSError as error:
        module.fail_json(
            msg=f"{what}: {params['state_dir']} cannot hold it ({error.strerror or error}). Make room there, or give "
            "another folder in migration_state_dir."
        )
    module.exit_json(
        changed=True,
        source=source,
        sha256=snapshot.sha256,
        size=snapshot.size,
        keyspace=snapshot.keyspace,
        writes=snapshot.writes,
    )


if __name__ == "__main__":
    main()
