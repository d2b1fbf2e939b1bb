#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: old_redis_info
short_description: Tell where the old Redis is, and who still uses it
version_added: 0.2.0
description:
  - Tells from an app host where its values led before the migration (from the journal), which addresses that name has
    there, and where the values lead now.
  - Asks the old Redis, where O(ask=true), what it holds and who is connected to it beside this module.
  - Only reads, also outside check mode. Never shows a URL or its secrets.
  - An old Redis that does not answer is no failure of this module, but of RV(redis.failure); with O(wait=true) it is
    asked again until it answers.
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
    description: The folder on the host where the journal is kept.
    type: path
    default: /var/lib/cache_migration
  target_address:
    description:
      - The address of the target. A value that does not lead there and has no original is the old one.
    type: str
    default: ""
  ask:
    description:
      - Ask the old Redis itself. Have one host do so, since hosts that ask at once see each other as clients.
    type: bool
    default: false
  wait:
    description: Ask until it answers, for O(wait_timeout) at most. Has no effect without O(ask=true) and in check mode.
    type: bool
    default: false
  wait_timeout:
    description: For how many seconds to wait in all.
    type: int
    default: 300
  timeout:
    description: How long connecting, and each answer, may take, in seconds.
    type: float
    default: 5.0
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: See who still uses the old Redis
  kempian.cache_migration.old_redis_info:
    values: [{path: /opt/shop/.env, keys: [REDIS_URL]}]
    migration_name: kempian-prod
    ask: true
  register: old
"""

RETURN = r"""
stores:
  description: Each of the app's values.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Its key, or its name in O(urls).
      type: str
    original:
      description: Where it led before the migration, with C(host), C(port), C(tls), C(database); empty if unknown.
      type: dict
    addresses:
      description: The addresses of that host, as this host resolves its name.
      type: list
      elements: str
    current:
      description: Where it leads now, in the same form.
      type: dict
redis:
  description: What the old Redis says; empty without O(ask=true).
  returned: always
  type: dict
  contains:
    failure:
      description: Why it cannot be asked; empty where it can.
      type: str
    peer:
      description: The address at which it answered.
      type: str
    server:
      description: Its C(engine), C(version), C(role) and C(mode).
      type: dict
    keyspace:
      description: For each database with keys, how many it has (C(count)) and how many of them have a TTL (C(expires)).
      type: dict
    clients:
      description:
        - The clients but this module, as C(clients) of RV(kempian.cache_migration.app_host_info#module:survey).
      type: list
      elements: dict
    persistence:
      description: Whether it C(appends), C(saves), and its C(unsaved_changes).
      type: dict
    writes:
      description: How often it was told to write, as M(kempian.cache_migration.cache_backup) returns it.
      type: dict
in_progress:
  description: Whether it is still waited for.
  returned: always
  type: bool
progress:
  description: What it waits for, or empty.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.old_redis import (
    VALUES,
    describe,
    look,
    old_url,
    place_of,
    values_of,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **VALUES,
            "ask": {"type": "bool", "default": False},
            "wait": {"type": "bool", "default": False},
            "wait_timeout": {"type": "int", "default": 300},
            "timeout": {"type": "float", "default": 5.0},
        },
        supports_check_mode=True,
    )
    params: dict[str, Any] = module.params
    try:
        values = values_of(params)
        url = old_url(values, params["target_address"])
        told = [describe(value, params["target_address"]) for value in values]
    except EndpointError as error:
        module.fail_json(msg=f"It cannot be told where the old Redis is: {error}.")
    redis = look(url, params["timeout"]) if params["ask"] and url else {}
    waits = bool(params["wait"] and redis.get("failure") and not module.check_mode)
    where = place_of(url).get("host")
    module.exit_json(
        changed=False,
        stores=told,
        redis=redis,
        in_progress=waits,
        progress=f"the old Redis at {where} does not answer yet: {redis['failure']}" if waits else "",
    )


if __name__ == "__main__":
    main()
