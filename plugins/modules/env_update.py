#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: env_update
short_description: Change configuration values of an app so that they can be put back exactly
version_added: 0.1.0
description:
  - Changes values in a C(.env) file on a host, or parameters in AWS Systems Manager Parameter Store, and keeps a
    journal of what was there, from which O(state=reverted) restores it.
  - In a file only the named values change; every other byte stays, and so do owner, mode, access lists and SELinux
    context. The file is replaced in one step, also behind a symbolic link, and is at every moment the old or the new.
  - A parameter keeps its type, tier, KMS key, data type, description, policies and tags.
  - The journal of a file lies in O(state_dir) on the host; that of parameters in the Parameter Store itself, as
    SecureString under C(/cache_migration/<migration_name>/journal/). The first recorded original stays, so that
    running twice never records a value of its own; but a cache URL that somebody else has put there since, and that
    leads elsewhere, is the original then. Once an original is back, its entry is removed.
author:
  - The cache_migration authors (@cache-migration)
requirements:
  - boto3 and botocore where the module runs, for O(store=ssm) only. A file needs the Python standard library alone.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
options:
  store:
    description:
      - V(dotenv) is a file of C(KEY=value) lines, V(ssm) is AWS Systems Manager Parameter Store.
      - Run it on the app host for V(dotenv), and once on the controller for V(ssm).
    type: str
    choices: [dotenv, ssm]
    required: true
  path:
    description:
      - The file that the app reads. Symbolic links are followed, and stay. Each must belong to root, to the user of
        the task, or to the owner of what it leads to.
      - At most 1 MiB.
      - Required with O(store=dotenv), and for that store only.
    type: path
  values:
    description:
      - The values to set, as strings. The keys are variable names with O(store=dotenv), and full parameter names
        with O(store=ssm).
      - For O(state=absent) and O(state=reverted) only the keys matter, and the values may be empty.
      - A key that is not there yet is refused unless O(create=true), because an app does not read it under that name.
      - Where a file sets a key more than once, the last line counts for every reader, and that line is changed.
      - A value is written in the quoting that its line has, or in another where readers (python-dotenv, systemd, a
        shell) would otherwise differ about it, and is refused where no quoting means the same to all.
        C(docker --env-file) knows no quoting, so that only values of plain characters suit it too.
    type: dict
    required: true
  expected:
    description:
      - The values that must be there now, by the same keys. Where one is neither this nor the new one, nothing is
        changed.
      - Parameter Store has no precondition for a write. A write by somebody else between reading and writing is
        seen by the version afterwards and reported as a failure.
    type: dict
  state:
    description:
      - V(present) sets the values, V(absent) removes the keys.
      - V(reverted) restores the originals from the journal exactly. It refuses, changing nothing, where somebody else
        has changed a value since. Values without an entry in the journal are left alone, and the result says so.
    type: str
    choices: [present, absent, reverted]
    default: present
  create:
    description: Add keys that are missing, and the file when it is missing, for its owner alone.
    type: bool
    default: false
  keep_options:
    description:
      - Where the value found is a cache URL with options in its query, as C(?decode_responses=True), and the new one is
        a cache URL without a query, the new value gets them, in their order and spelling.
      - Left out are options that the new URL says for itself, C(db), C(host), C(port), C(path), C(username),
        C(password), and all that begin with C(ssl).
      - For O(state=present) only.
    type: bool
    default: false
    version_added: 0.2.0
  migration_name:
    description:
      - The migration that the change belongs to. Each migration has its own journal.
      - A letter, then letters, digits and single hyphens, 64 characters at most.
    type: str
    required: true
  state_dir:
    description:
      - The directory on the host for journals and the lock, with O(store=dotenv). It is made for its owner alone.
    type: path
    default: /var/lib/cache_migration
attributes:
  check_mode:
    description: Decides exactly as a run would, also what it would refuse, and writes nothing, not even the journal.
    support: full
  diff_mode:
    description: Shows the keys that change. Cache URLs are shown without their secrets, other values as V(***).
    support: full
notes:
  - Use pipelining for tasks with secrets, so that Ansible leaves no file with the task's options on the host.
"""

EXAMPLES = r"""
- name: Point the app at the new cache, if it still uses the old one
  kempian.cache_migration.env_update:
    store: dotenv
    path: /opt/shop/.env
    values:
      REDIS_URL: "{{ new_url }}"
    expected:
      REDIS_URL: "{{ old_url }}"
    migration_name: prod-cache
  become: true

- name: The same for a parameter, once and from the controller
  kempian.cache_migration.env_update:
    store: ssm
    values:
      /kempian/prod/REDIS_URL: "{{ new_url }}"
    migration_name: prod-cache
    region: us-east-1
  run_once: true
  delegate_to: localhost

- name: Put the file back as it was
  kempian.cache_migration.env_update:
    store: dotenv
    path: /opt/shop/.env
    values:
      REDIS_URL:
    state: reverted
    migration_name: prod-cache
  become: true
"""

RETURN = r"""
changes:
  description: What was found and what came of it, for each key of O(values). Secrets are masked.
  returned: success
  type: dict
  sample:
    REDIS_URL:
      action: write
      before: redis://:***@10.0.0.5:6379/0
      after: rediss://:***@master.shop.abc123.use1.cache.amazonaws.com:6379/0
      before_location: {host: 10.0.0.5, port: 6379, tls: false, database: 0}
      after_location: {host: master.shop.abc123.use1.cache.amazonaws.com, port: 6379, tls: true, database: 0}
      original_location: {host: 10.0.0.5, port: 6379, tls: false, database: 0}
      journaled: true
  contains:
    action:
      description:
        - What was done to the value, or would be in check mode, one of V(keep), V(write), V(remove) and V(restore).
        - It says so also where a task's C(changed_when) does not.
      type: str
    before:
      description: The value found, masked, or null where there was none. What is no cache URL is V(***).
      type: str
    after:
      description: The value that is there now (in check mode, that would be), masked in the same way.
      type: str
    before_location:
      description: Where the cache URL found points (host, port, tls, database), or null where the value is none.
      type: dict
    after_location:
      description: The same for the value that is there now.
      type: dict
    original_location:
      description:
        - The same for the original in the journal, which on a second run is no longer the value found.
        - Null where the journal has none.
      type: dict
    journaled:
      description: Whether the journal holds an original of this value after the run.
      type: bool
    message:
      description: Why O(state=reverted) left the value as it is.
      returned: where there is something to say
      type: str
version:
  description: The version that each parameter has now. In check mode, the version that it has.
  returned: with O(store=ssm), for parameters that exist
  type: dict
  sample:
    /kempian/prod/REDIS_URL: 4
"""

import datetime
import os
from typing import Any, Sequence

from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import (
    ChangeRefused,
    Decision,
    Request,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import store as dotenv_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import JournalError

# The options of amazon.aws's modules, written out because its code must not be loaded on an app host, which may have
# no boto3 and an old Python. A test holds them equal to amazon.aws's own.
AWS_OPTIONS: dict[str, Any] = {
    "access_key": {
        "aliases": ["aws_access_key_id", "aws_access_key"],
        "fallback": (env_fallback, ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"]),
        "no_log": False,
    },
    "secret_key": {
        "aliases": ["aws_secret_access_key", "aws_secret_key"],
        "fallback": (env_fallback, ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"]),
        "no_log": True,
    },
    "session_token": {
        "aliases": ["aws_session_token"],
        "fallback": (env_fallback, ["AWS_SESSION_TOKEN"]),
        "no_log": True,
    },
    "profile": {"aliases": ["aws_profile"], "fallback": (env_fallback, ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])},
    "endpoint_url": {"aliases": ["aws_endpoint_url"], "fallback": (env_fallback, ["AWS_URL"])},
    "validate_certs": {"type": "bool", "default": True},
    "aws_ca_bundle": {"type": "path", "fallback": (env_fallback, ["AWS_CA_BUNDLE"])},
    "aws_config": {"type": "dict"},
    "debug_botocore_endpoint_logs": {
        "type": "bool",
        "default": False,
        "fallback": (env_fallback, ["ANSIBLE_DEBUG_BOTOCORE_LOGS"]),
    },
    "region": {"aliases": ["aws_region"], "fallback": (env_fallback, ["AWS_REGION", "AWS_DEFAULT_REGION"])},
}

OPTIONS: dict[str, Any] = {
    "store": {"type": "str", "choices": ["dotenv", "ssm"], "required": True},
    "path": {"type": "path"},
    "values": {"type": "dict", "required": True, "no_log": True},
    "expected": {"type": "dict", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent", "reverted"], "default": "present"},
    "create": {"type": "bool", "default": False},
    "keep_options": {"type": "bool", "default": False},
    "migration_name": {"type": "str", "required": True},
    "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
    **AWS_OPTIONS,
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True, required_if=[("store", "dotenv", ["path"])])
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        request = Request.from_params(module.params)
        # What holds no secret (an address without a token) may be read in the result.
        module.no_log_values -= contract.harmless([*request.values.values(), *request.expected.values()])
        if module.params["store"] == "ssm":
            change_parameters(module, request, now)
        else:
            change_file(module, request, now)
    except (ChangeRefused, FileRefused, JournalError) as refused:
        module.fail_json(msg=f"{refused}.")


def change_file(module: AnsibleModule, request: Request, now: str) -> None:
    path, state_dir = os.path.abspath(module.params["path"]), module.params["state_dir"]
    act = dotenv_store.plan if module.check_mode else dotenv_store.carry_out
    with dotenv_store.Location.of(path, state_dir, request.migration_name) as location:
        planned = act(request, location, now)
    journaled = {key: planned.is_journaled(location, key) for key in request.values}
    module.exit_json(changed=planned.changes, **shown(location.path, planned.decisions, journaled))


def change_parameters(module: AnsibleModule, request: Request, now: str) -> None:
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
    from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import ssm as ssm_store

    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        BotoCoreError = ClientError = Exception  # AnsibleAWSModule has the better words for it

    if module.params["path"]:
        raise ChangeRefused("path is for store: dotenv. Leave it out with store: ssm, whose values name parameters")
    act = ssm_store.plan if module.check_mode else ssm_store.carry_out
    aws = AnsibleAWSModule(argument_spec=OPTIONS, default_args=False, supports_check_mode=True)
    try:
        planned = act(request, aws.client("ssm"), now)
    except (BotoCoreError, ClientError) as error:
        aws.fail_json_aws(error, msg="Parameter Store could not be asked, or refused")
    decisions = [each.decision for each in planned]
    journaled = {each.decision.key: each.is_journaled for each in planned}
    versions = {each.decision.key: each.version for each in planned if each.version is not None}
    changed = any(decision.changes for decision in decisions)
    module.exit_json(changed=changed, version=versions, **shown("Parameter Store", decisions, journaled))


def shown(where: str, decisions: Sequence[Decision], journaled: dict[str, bool]) -> dict[str, Any]:
    described = {each.key: contract.describe(each, journaled[each.key]) for each in decisions}
    return {"changes": described, "diff": contract.diff(where, decisions)}


if __name__ == "__main__":
    main()
