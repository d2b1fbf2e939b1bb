#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_probe
short_description: Prove from an app host that the app can use a cache, or say why it cannot
version_added: 0.1.0
description:
  - Resolves the name, connects, does TLS where it is spoken, logs in, asks for the role, selects the database, and then
    sets, reads and deletes a key of its own with the app's own redis-py.
  - Name the app's own interpreter (O(python), with O(user)), so that it proves what the app will do. Where that has no
    redis-py, a client that comes with this module takes its place; RV(through) says which it was.
  - Of O(endpoint), certificate and name are always verified. A URL that the app has is taken at its word, as redis-py
    does (C(ssl_cert_reqs), C(ssl_check_hostname), C(ssl_ca_certs) and so on in its query).
  - The first stage that fails ends the probe, with the cause and what to do about it.
  - Nothing on the host or on the cache is changed. The key of the probe, C(cache_migration:probe:) and something
    random, is deleted again, and expires after a minute where the probe is killed. In check mode nothing is written.
author:
  - The cache_migration authors (@cache-migration)
options:
  url:
    description:
      - The URL as the app has it, C(redis://) or C(rediss://). Its secrets are never shown.
      - One of O(url), O(env_path) and O(endpoint) is needed.
    type: str
  env_path:
    description: A C(.env) file on the host, from which the URL is read as the app reads it.
    type: path
  env_key:
    description: The key in O(env_path) that holds the URL.
    type: str
    default: REDIS_URL
  migration_name:
    description:
      - With O(env_path), probe the value that was there before this migration, as its journal on the host has it, and
        the value that is there now where the journal has none.
      - The journal is readable by root only, so run the module as root.
    type: str
    version_added: 0.2.0
  state_dir:
    description: The directory on the host with the journals, as M(kempian.cache_migration.env_update) has it.
    type: path
    default: /var/lib/cache_migration
    version_added: 0.2.0
  endpoint:
    description:
      - The endpoint as M(kempian.cache_migration.elasticache_cluster) returns it.
      - With C(state=after_apply), as a plan has it, nothing can be reached yet. That is for check mode only, where it
        is no failure.
    type: dict
  auth_token:
    description: The token (password) for O(endpoint).
    type: str
  database:
    description: The database of O(endpoint) that the app uses.
    type: int
    default: 0
  expected_role:
    description:
      - What the server must be. V(any) accepts both.
    type: str
    choices: [primary, replica, any]
    default: primary
  timeout:
    description: How long each stage may take, in seconds.
    type: float
    default: 5.0
  write:
    description: The probe writes a key of its own. Never in check mode.
    type: bool
    default: true
  python:
    description:
      - The app's own interpreter, by its whole path. It is run as O(user), never as root whatever C(become_user) says,
        for a bounded time, and what it answers is data. It needs Python 3.8 or newer.
      - Left empty, the module's own process asks, with the redis-py of Ansible's interpreter where that has one.
    type: path
    version_added: 0.2.0
  user:
    description:
      - The user that the app runs as. Needed with O(python) where the module runs as root.
      - Where it does not run as root, it must run as this user.
    type: str
    version_added: 0.2.0
  ca_certs:
    description:
      - A file with the CAs to trust for O(endpoint), instead of the interpreter's own.
      - For a URL, beside these, and only where that names none itself (C(ssl_ca_certs)).
      - The app must trust them too, for instance by C(SSL_CERT_FILE) in its environment or C(ssl_ca_certs) in the URL.
    type: path
  protocol:
    description:
      - What the app's client of a URL speaks. With V(redis-cluster) every node of the cluster is asked, and the app's
        C(redis.cluster.RedisCluster) writes a key in each shard. With V(memcached) every node is asked that auto
        discovery tells, and the app's C(pymemcache) writes. An O(endpoint) says it for itself, and so does a URL that
        begins with C(memcached://).
    type: str
    choices: [redis, redis-cluster, memcached]
    default: redis
    version_added: 0.2.0
attributes:
  check_mode:
    description: Runs in check mode and writes no key then.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Prove that the app will reach its new cache
  kempian.cache_migration.cache_probe:
    endpoint: "{{ cluster.endpoint }}"
    auth_token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
    python: /opt/shop/venv/bin/python
    user: shop
  become: true

- name: Reach the cache that the app uses now, without writing
  kempian.cache_migration.cache_probe:
    env_path: /opt/shop/.env
    expected_role: any
    write: false

- name: Prove, before the app is put back, that the Redis which it used before the migration still serves
  kempian.cache_migration.cache_probe:
    env_path: /opt/shop/.env
    migration_name: kempian-prod
  become: true
"""

RETURN = r"""
reached:
  description: All stages were passed.
  returned: always
  type: bool
after_apply:
  description: The endpoint is yet to be made, so nothing was tried. True in check mode only.
  returned: always
  type: bool
checks:
  description: The stages in order, up to the first that failed.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description:
        - C(resolve), C(connect), C(tls), C(auth), C(ping), C(role), C(database), C(client), C(write) or C(latency).
      type: str
    ok:
      description: The stage was passed.
      type: bool
    detail:
      description: What was seen.
      type: str
    ms:
      description: How long it took, in milliseconds.
      type: float
latency_ms:
  description: The time of a PING over an open connection, in milliseconds, of 20.
  returned: when all stages were passed
  type: dict
  contains:
    p50:
      description: The median.
      type: float
    max:
      description: The longest.
      type: float
client_address:
  description:
    - This host's address as the server sees it; before Redis 6.2, as the host sees it.
    - The collection's own client asks for it, also where RV(word_of) is C(app).
  returned: when a connection came about
  type: str
through:
  description: What spoke with the cache, such as C(redis-py 8.1.0) or C(own client).
  returned: when the stage C(client) was passed
  type: str
word_of:
  description:
    - Whose word the rest is. C(app) where the app's own interpreter has told it, so that the app's user may have told
      anything; C(own) where the collection's own client has.
    - It says how this host's app gets on with the cache, and is no reason for anything on another host.
  returned: always
  type: str
advice:
  description:
    - Sentences on what the app does less safely than the probe, such as a redis-py before 6.0 that does not compare the
      cache's name with its certificate. Each is a warning too.
  returned: always
  type: list
  elements: str
server:
  description: What the server says of itself.
  returned: always
  type: dict
  contains:
    engine:
      description: C(redis), C(valkey) or C(unknown).
      type: str
    version:
      description: The engine's version.
      type: str
    role:
      description: C(master), C(slave) or C(unknown).
      type: str
    mode:
      description: C(standalone), C(cluster), C(sentinel) or C(unknown).
      type: str
location:
  description: Where the cache is.
  returned: always
  type: dict
  contains:
    host:
      description: The name or address.
      type: str
    port:
      description: The TCP port.
      type: int
    tls:
      description: TLS is spoken.
      type: bool
    database:
      description: The number of the database.
      type: int
nodes:
  description: Of a cluster, each C(address) and C(port) where a client of it may be connected to, as it told them.
  returned: always
  type: list
  elements: dict
failure:
  description: Why the cache cannot be used; null where it can.
  returned: always
  type: dict
  contains:
    kind:
      description:
        - One of C(name_does_not_resolve), C(timeout), C(refused), C(unreachable), C(tls_wanted), C(tls_not_spoken),
          C(tls_failed), C(certificate), C(connection_lost), C(no_answer), C(not_redis), C(not_memcached),
          C(auth_wanted), C(auth_wrong), C(auth_differs), C(auth_not_configured), C(no_permission),
          C(read_only_replica), C(not_a_replica), C(cluster_redirect), C(not_a_cluster), C(slots_not_covered),
          C(sent_astray), C(other_nodes),
          C(database_out_of_range), C(loading), C(out_of_memory), C(not_kept), C(client_library), C(app_interpreter) and
          C(server_error).
      type: str
    found:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_interpreter, probe_result
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_interpreter import (
    Interpreter,
    InterpreterRefused,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    AFTER_APPLY,
    MEMCACHED,
    REDIS,
    REDIS_CLUSTER,
    Endpoint,
    EndpointError,
    parse_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import (
    refuse_unix_socket,
    url_of,
)

OPTIONS: dict[str, Any] = {
    "url": {"type": "str", "no_log": True},
    "env_path": {"type": "path"},
    "env_key": {"type": "str", "default": "REDIS_URL", "no_log": False},
    "migration_name": {"type": "str"},
    "state_dir": {"type": "path", "default": "/var/lib/cache_migration"},
    "endpoint": {"type": "dict"},
    "auth_token": {"type": "str", "no_log": True},
    "database": {"type": "int", "default": 0},
    "expected_role": {"type": "str", "choices": ["primary", "replica", "any"], "default": "primary"},
    "timeout": {"type": "float", "default": 5.0},
    "write": {"type": "bool", "default": True},
    "python": {"type": "path"},
    "user": {"type": "str"},
    "ca_certs": {"type": "path"},
    "protocol": {"type": "str", "choices": [REDIS, REDIS_CLUSTER, MEMCACHED], "default": REDIS},
}


def result_of(module: AnsibleModule) -> dict[str, Any]:
    """With ``msg`` where the cache cannot be used."""
    params, url = module.params, url_of(module.params)
    if not url:
        target = Endpoint.from_dict(params["endpoint"])
        if not module.check_mode:
            raise EndpointError(
                f"the target {target.name} is still being made (endpoint: state={AFTER_APPLY}), so no host can be "
                "proven to reach it: provision first, and give the endpoint that this returns"
            )
        return probe_result.after_apply(target, params["database"])
    refuse_unix_socket(parse_url(url))
    known = Endpoint.from_dict(params["endpoint"]) if params["endpoint"] else None
    question = Question(
        url=url,
        expected_role=params["expected_role"],
        seconds=params["timeout"],
        write=params["write"] and not module.check_mode,
        ca_certs=params["ca_certs"] or "",
        tls_as_app=not params["endpoint"],
        protocol=known.protocol if known else params["protocol"],
        nodes=[(node.address, node.port) for node in known.nodes] if known else [],
    )
    answer = app_interpreter.probe(question, Interpreter.from_params(params))
    for sentence in answer.advice:
        module.warn(sentence)
    return probe_result.probed(url, answer)


def main() -> None:
    module = AnsibleModule(
        argument_spec=OPTIONS,
        mutually_exclusive=[("url", "env_path", "endpoint")],
        required_one_of=[("url", "env_path", "endpoint")],
        required_by={"migration_name": ["env_path"]},
        supports_check_mode=True,
    )
    tell_as_it_is(module)
    shown = {"invocation": {"module_args": options_shown(module.params, OPTIONS)}}
    try:
        result = result_of(module)
    except (EndpointError, InterpreterRefused) as error:
        module.fail_json(msg=f"The cache cannot be probed: {error}.", **shown)
    if "msg" in result:
        module.fail_json(**result, **shown)
    module.exit_json(changed=False, **result, **shown)


if __name__ == "__main__":
    main()
