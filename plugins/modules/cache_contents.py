#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_contents
short_description: Tell from an app host which keys a cache holds, by type and pattern
version_added: 0.2.0
description:
  - Counts the keys of a cache, with and without a TTL, and looks at some of them for their type and pattern.
  - Only reads, also outside check mode. Keys are looked at by SCAN, a limited number of them and for a limited time,
    with their type, TTL and size and never their value. Their names are told as patterns.
author:
  - The cache_migration authors (@cache-migration)
options:
  endpoint:
    description: The endpoint as M(kempian.cache_migration.elasticache_cluster) returns it.
    type: dict
    required: true
  auth_token:
    description: The token (password) for O(endpoint).
    type: str
  ca_certs:
    description: A file with the CAs to trust, instead of the interpreter's own.
    type: path
  timeout:
    description: How long connecting, and each answer, may take, in seconds.
    type: float
    default: 5.0
  sample:
    description: How many keys of each database are looked at.
    type: int
    default: 1000
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: See what the app has written to the target
  kempian.cache_migration.cache_contents:
    endpoint: "{{ cluster.endpoint }}"
    auth_token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
"""

RETURN = r"""
total_keys:
  description: Keys of all databases.
  returned: success
  type: int
keys_without_ttl:
  description: Keys of all databases that never expire.
  returned: success
  type: int
sampled:
  description: How many keys were looked at.
  returned: success
  type: int
sample_complete:
  description: There was time to look at as many as O(sample) allows.
  returned: success
  type: bool
key_groups:
  description: The keys that were looked at, by type and pattern.
  returned: success
  type: list
  elements: dict
  contains:
    database:
      description: The number of the database.
      type: int
    type:
      description: The type of the keys.
      type: str
    pattern:
      description: What their names have in common.
      type: str
      sample: session:*
    count:
      description: How many there are.
      type: int
    without_ttl:
      description: How many of them never expire.
      type: int
    bytes:
      description: The memory that they take.
      type: int
failure:
  description: Why it cannot be read, as M(kempian.cache_migration.cache_probe) returns it.
  returned: when it cannot be reached
  type: dict
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import SurveyQuestion
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError, mask_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import url_of

OPTIONS: dict[str, Any] = {
    "endpoint": {"type": "dict", "required": True},
    "auth_token": {"type": "str", "no_log": True},
    "ca_certs": {"type": "path"},
    "timeout": {"type": "float", "default": 5.0},
    "sample": {"type": "int", "default": 1000},
}
TOLD = ("total_keys", "keys_without_ttl", "sampled", "sample_complete", "key_groups")


def told(params: dict[str, Any]) -> dict[str, Any]:
    """The result, with ``msg`` where it is a failure."""
    url = url_of(params)
    if not url:
        raise EndpointError("it is yet to be made (endpoint: state=after_apply)")
    question = SurveyQuestion(url, params["timeout"], params["sample"], params["ca_certs"] or "")
    found = app_interpreter.survey(question)
    if found.failure:
        msg = f"The keys of {mask_url(url)} cannot be told: {found.failure.sentence}"
        return {"msg": msg, "failure": asdict(found.failure)}
    whole = found.source.as_dict() if found.source else {}
    return {name: whole[name] for name in TOLD}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    tell_as_it_is(module)
    shown = {"invocation": {"module_args": options_shown(module.params, OPTIONS)}}
    try:
        result = told(module.params)
    except EndpointError as error:
        module.fail_json(msg=f"The keys of the cache cannot be told: {error}.", **shown)
    if "msg" in result:
        module.fail_json(**result, **shown)
    module.exit_json(changed=False, **result, **shown)


if __name__ == "__main__":
    main()
