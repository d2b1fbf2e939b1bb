#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_assess
short_description: Read the old Redis and say whether a target can take its place
version_added: 0.1.0
description:
  - Reads from an app host what the old Redis is, what it holds and who uses it, and weighs that against the target.
  - Fails with all reasons at once where the target cannot take its place, for memory, databases or modules, where the
    new URL would name another database than the old one, and where nobody has stated what becomes of the data.
  - Names clients that are no host of the inventory, keys without TTL, streams and blocking consumers.
  - Only reads, also outside check mode. Keys are looked at by SCAN, a limited number of them and for a limited time,
    with their type, TTL and size and never their value. Their names are told as patterns.
author:
  - The cache_migration authors (@cache-migration)
options:
  url:
    description:
      - The URL of the old Redis. Its secrets are never shown.
      - One of O(url) and O(env_path) is needed.
    type: str
  env_path:
    description: A C(.env) file on the host, from which the URL is read as the app reads it.
    type: path
  env_key:
    description: The key in O(env_path) that holds the URL.
    type: str
    default: REDIS_URL
  ca_certs:
    description: A file with the CAs to trust for C(rediss://), instead of the interpreter's own.
    type: path
  timeout:
    description: How long connecting, and each answer, may take, in seconds.
    type: float
    default: 5.0
  python:
    description:
      - The app's own interpreter, by its whole path, as O(kempian.cache_migration.cache_probe#module:python).
      - Left empty, the module's own process reads.
    type: path
    version_added: 0.2.0
  user:
    description: The user that the app runs as, as O(kempian.cache_migration.cache_probe#module:user).
    type: str
    version_added: 0.2.0
  data:
    description:
      - What becomes of the data. With V(cold) the target starts empty, and the app fills it as it works.
      - It must be stated. Left out, the module fails and says what V(cold) means for the data that is there.
    type: str
    choices: [cold]
  database:
    description:
      - The database that the new URL is to name. The module fails where the old one names another.
      - Left out, that is not checked.
    type: int
    version_added: 0.2.0
  named_databases:
    description:
      - The database that the old URL names on each host, by the host's name, as
        M(kempian.cache_migration.cache_probe) returns it in C(location).
      - Left empty, what the URL of this host names.
    type: dict
    default: {}
    version_added: 0.2.0
  target:
    description: What the target is or will be. What is left out has the defaults of the service.
    type: dict
    default: {}
    suboptions:
      service:
        description: The service, as the endpoint of a target names it.
        type: str
        default: elasticache
        version_added: 0.2.0
      cache_node_type:
        description: The node type, from which its memory is known.
        type: str
      engine:
        description: The engine, such as V(redis) or V(valkey). The first of the service where it is left out.
        type: str
        version_added: 0.2.0
      engine_version:
        description: The version of the engine, such as V(7.1).
        type: str
      parameters:
        description:
          - Parameters of its parameter group that are not the defaults, as C(maxmemory-policy), C(databases) and
            C(reserved-memory-percent).
        type: dict
      maxmemory_bytes:
        description: The memory of a node, where its type is not known to this module.
        type: int
      maxmemory_policy:
        description: What a full node does. Wins over O(target.parameters).
        type: str
      databases:
        description: How many databases it serves. Wins over O(target.parameters).
        type: int
      cluster_mode:
        description: With V(enabled) it serves database 0 only.
        type: str
        choices: [disabled, enabled]
        default: disabled
  known_clients:
    description: The hosts of the inventory, each under the address from which the old Redis sees it.
    type: dict
    default: {}
  unknown_clients:
    description: What a client means that is not in O(known_clients).
    type: str
    choices: [warn, refuse]
    default: warn
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
- name: Say whether a cache.t3.small can take the old Redis's place
  kempian.cache_migration.cache_assess:
    env_path: /opt/shop/.env
    data: cold
    target:
      cache_node_type: cache.t3.small
      engine_version: "7.1"
    known_clients:
      172.31.1.1: app1
      172.31.1.2: app2
"""

RETURN = r"""
findings:
  description: What was found, refusals first.
  returned: when the old Redis was read
  type: list
  elements: dict
  contains:
    level:
      description: C(refuse), C(warn) or C(note).
      type: str
    subject:
      description:
        - C(data), C(memory), C(version), C(database), C(databases), C(modules), C(commands), C(eviction), C(clients),
          C(keys without TTL), C(streams), C(blocking consumers), C(subscriptions), C(persistence), C(not seen) or
          C(sample).
      type: str
    found:
      description: What was found.
      type: str
    means:
      description: What it means.
      type: str
    remedy:
      description: What to do about it; may be empty.
      type: str
source:
  description: The old Redis in numbers.
  returned: when the old Redis was read
  type: dict
  contains:
    server:
      description: Its C(engine), C(version), C(role) and C(mode).
      type: dict
    used_memory:
      description: Memory in use, in bytes.
      type: int
    used_memory_peak:
      description: The most that was in use since its start, in bytes.
      type: int
    maxmemory:
      description: Its limit in bytes; 0 where there is none.
      type: int
    maxmemory_policy:
      description: What it does when that is reached.
      type: str
    evicted_keys:
      description: Keys evicted since its start.
      type: int
    operations_per_second:
      description: Commands a second, just now.
      type: int
    databases:
      description: How many databases it is set to serve; null where it does not tell.
      type: int
    keyspace:
      description: For each database with keys, how many it has (C(count)) and how many of them have a TTL (C(expires)).
      type: dict
    total_keys:
      description: Keys of all databases.
      type: int
    keys_without_ttl:
      description: Keys of all databases that never expire.
      type: int
    sampled:
      description: How many keys were looked at.
      type: int
    sample_complete:
      description: There was time to look at as many as O(sample) allows.
      type: bool
    key_groups:
      description:
        - The keys that were looked at, by C(database), C(type) and C(pattern), with C(count), C(without_ttl) and
          C(bytes).
      type: list
      elements: dict
    streams:
      description: The streams, each with C(database), C(pattern), C(length), C(groups) and C(pending).
      type: list
      elements: dict
    clients:
      description:
        - The clients by C(address) and C(name), with C(connections), C(commands), C(databases), and whether they are
          C(blocking), C(pubsub), C(monitor) or C(replica).
      type: list
      elements: dict
    commands:
      description: The commands that were called since its start.
      type: list
      elements: str
    modules:
      description: The modules that are loaded.
      type: list
      elements: str
    saves:
      description: It writes RDB snapshots.
      type: bool
    appends:
      description: It writes an append-only file.
      type: bool
    not_told:
      description: The commands that it does not answer to this user.
      type: list
      elements: str
location:
  description: Where the old Redis is, with C(host), C(port), C(tls) and C(database).
  returned: when the URL can be read
  type: dict
failure:
  description:
    - Why it cannot be read, as M(kempian.cache_migration.cache_probe) returns it. The kind C(not_told) is one that does
      not answer INFO.
  returned: when it cannot be read
  type: dict
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_interpreter import (
    Interpreter,
    InterpreterRefused,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source, SurveyQuestion
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    EndpointError,
    mask_url,
    parse_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import (
    Circumstances,
    assess,
    refusals,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import (
    AssessmentError,
    Target,
    target_from,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import (
    location,
    refuse_unix_socket,
    url_of,
)

TARGET_OPTIONS = {
    "service": {"type": "str", "default": "elasticache"},
    "cache_node_type": {"type": "str"},
    "engine": {"type": "str"},
    "engine_version": {"type": "str"},
    "parameters": {"type": "dict"},
    "maxmemory_bytes": {"type": "int"},
    "maxmemory_policy": {"type": "str"},
    "databases": {"type": "int"},
    "cluster_mode": {"type": "str", "choices": ["disabled", "enabled"], "default": "disabled"},
}


def named_by_hosts(stated: dict[str, Any]) -> dict[str, int]:
    try:
        return {str(host): int(database) for host, database in stated.items()}
    except (TypeError, ValueError):
        raise AssessmentError("named_databases holds something else than the number of a database for each host")


OPTIONS: dict[str, Any] = {
    "url": {"type": "str", "no_log": True},
    "env_path": {"type": "path"},
    "env_key": {"type": "str", "default": "REDIS_URL", "no_log": False},
    "ca_certs": {"type": "path"},
    "timeout": {"type": "float", "default": 5.0},
    "python": {"type": "path"},
    "user": {"type": "str"},
    "data": {"type": "str", "choices": ["cold"]},
    "database": {"type": "int"},
    "named_databases": {"type": "dict", "default": {}},
    "target": {"type": "dict", "default": {}, "options": TARGET_OPTIONS},
    "known_clients": {"type": "dict", "default": {}},
    "unknown_clients": {"type": "str", "choices": ["warn", "refuse"], "default": "warn"},
    "sample": {"type": "int", "default": 1000},
}


def assessed(params: dict[str, Any], url: str) -> dict[str, Any]:
    """The result, with ``msg`` where it is a failure."""
    target = target_from(params["target"])
    parts = parse_url(url)
    refuse_unix_socket(parts)
    stated = Circumstances(
        data=params["data"] or "",
        known_clients=params["known_clients"],
        unknown_clients=params["unknown_clients"],
        database=params["database"],
        named_databases=named_by_hosts(params["named_databases"]) or {"this host": parts.database},
    )
    question = SurveyQuestion(url, params["timeout"], params["sample"], params["ca_certs"] or "", tls_as_app=True)
    found = app_interpreter.survey(question, Interpreter.from_params(params))
    if found.source is None or found.failure:
        return {**could_not_be_read(url, found.failure), "location": location(parts)}
    return {**weighed(url, found.source, target, stated), "location": location(parts)}


def could_not_be_read(url: str, failure: Failure | None) -> dict[str, Any]:
    if failure is None:
        raise AssertionError("what has no source has a failure")
    msg = f"The old Redis at {mask_url(url)} cannot be assessed: {failure.sentence}"
    return {"msg": msg, "failure": asdict(failure)}


def weighed(url: str, source: Source, target: Target, stated: Circumstances) -> dict[str, Any]:
    findings = assess(source, target, stated)
    result = {"source": source.as_dict(), "findings": [asdict(finding) for finding in findings]}
    refused = refusals(findings)
    if not refused:
        return result
    reasons = "\n".join(f"- {finding.sentence}" for finding in refused)
    return {**result, "msg": f"The target cannot take the place of {mask_url(url)} as it is:\n{reasons}"}


def main() -> None:
    module = AnsibleModule(
        argument_spec=OPTIONS,
        mutually_exclusive=[("url", "env_path")],
        required_one_of=[("url", "env_path")],
        supports_check_mode=True,
    )
    tell_as_it_is(module)
    shown = {"invocation": {"module_args": options_shown(module.params, OPTIONS)}}
    try:
        result = assessed(module.params, url_of(module.params))
    except (AssessmentError, EndpointError, InterpreterRefused) as error:
        module.fail_json(msg=f"The old Redis cannot be assessed: {error}.", **shown)
    if "msg" in result:
        module.fail_json(**result, **shown)
    module.exit_json(changed=False, **result, **shown)


if __name__ == "__main__":
    main()
