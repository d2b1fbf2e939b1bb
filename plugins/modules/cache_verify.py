#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_verify
short_description: Prove that two caches hold the same data
version_added: 0.2.0
description:
  - Compares every key of two caches by type, value and TTL, in both directions, whatever copied it. So it is of use by
    itself, after RedisShake, RIOT, a restored backup or replication.
  - A value is compared by what it holds. A payload (C(DUMP)) that is the same to the byte is the same value; where it
    differs, as between releases and by the order in memory, that says nothing, and the value is read. Of a stream its
    last ids, groups, consumers and pending entries are compared too, of a hash the TTLs of its fields, and beside the
    keys the libraries of functions.
  - A key that differs is looked at again until both sides have been at rest for O(settle) seconds, so that what is
    written just now counts for nothing while its writes follow.
  - Values are read in bounded parts, so it takes some tens of megabytes however large the caches are. It slows down by
    itself while the source answers slower than O(latency_limit_ms).
  - It is run again (by its action) until it is done, and prints a line at least every 5 seconds. What was killed is
    gone on with by running it again within 10 minutes. Where an engine was started anew meanwhile, it begins anew.
  - Reads both caches, and writes nothing but its own state in O(state_dir), which holds no value and no URL.
  - What it needs at both sides is C(SCAN), C(TYPE), C(PTTL), C(EXISTS), C(INFO), C(SELECT) and the reading commands of
    each type, and to be fast C(DUMP) and C(MEMORY USAGE). What it may not read it does not call equal.
  - Not compared are how long ago a key was used, how long ago a consumer was seen, and which scripts are loaded.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_values
  - kempian.cache_migration.ends
options:
  source_url:
    description:
      - The URL of one cache, C(redis://) or C(rediss://). All its databases are compared, whichever the URL names.
      - Left out, the source is the old Redis to which O(values) or O(urls) lead.
    type: str
  target_url:
    description: The URL of the other. Left out, it is that of O(endpoint).
    type: str
  source_protocol:
    description: What the source speaks. With V(redis-cluster) all its shards are compared.
    type: str
    choices: [redis, redis-cluster]
    default: redis
  target_protocol:
    description: The same of O(target_url). O(endpoint) says it for itself.
    type: str
    choices: [redis, redis-cluster]
    default: redis
  migration_name:
    description:
      - The name of the migration, under which the journal is kept. Needed without O(source_url).
    type: str
    default: ""
  state_dir:
    description: The folder on the host where the journal, and what is needed to go on, are kept.
    type: path
    default: /var/lib/cache_migration
  endpoint:
    description: The endpoint of the target, as M(kempian.cache_migration.elasticache_cluster) returns it.
    type: dict
  direction:
    description: V(there) has the old Redis for the source, V(back) the target. Has no effect with URLs.
    type: str
    choices: [there, back]
    default: there
  sample:
    description:
      - Compare so many keys of either side alone, drawn by lot. V(0) compares all; so does a number that is not less
        than there are. A sample proves no more than RV(equal) of those, and RV(complete) is false.
    type: int
    default: 0
  ttl_tolerance_ms:
    description:
      - By how many milliseconds the time that a key has left may differ. It is told by both sides one after the other,
        so what is below some milliseconds cannot be told apart.
    type: int
    default: 1000
  settle:
    description: For how many seconds a key must have been the same thing on both sides before it counts as different.
    type: float
    default: 3.0
  rate:
    description: The most keys a second; V(0) is without a limit.
    type: int
    default: 0
  latency_limit_ms:
    description:
      - It slows down by itself while the source takes longer than this to answer a C(PING), in milliseconds. V(0) is
        without this guard.
    type: float
    default: 10.0
  processes:
    description: How many processes compare at once.
    type: int
    default: 2
  show_keys:
    description:
      - Name the keys that differ as they are. They may hold sessions or personal data, so without it they are told as
        patterns, C(session:*).
    type: bool
    default: false
  queues:
    description:
      - Queues whose keys are left out, with all that M(kempian.cache_migration.cache_queues) moves with them.
    type: list
    elements: dict
    default: []
    suboptions:
      database:
        description: The number of their database.
        type: int
        default: 0
      names:
        description: The names of their keys, as C(celery) or C(rq:queue:default).
        type: list
        elements: str
        required: true
  ca_certs:
    description: A file with the CAs to trust for O(endpoint) and the URLs, instead of the interpreter's own.
    type: path
  wait:
    description: For how many seconds a run of this module compares at most, before it tells how far it is.
    type: float
    default: 4.0
  wait_timeout:
    description: For how many seconds in all the action waits.
    type: int
    default: 86400
attributes:
  check_mode:
    description: Only reads both caches, so it does the same, once, for O(wait) seconds.
    support: full
  diff_mode:
    description: Never changes anything, so there is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Prove what RedisShake has copied
  kempian.cache_migration.cache_verify:
    source_url: "redis://:{{ old_password }}@10.0.1.5:6379/0"
    target_url: "rediss://:{{ token }}@master.shop.abc123.use1.cache.amazonaws.com:6379/0"
    state_dir: /tmp/cache_verify
  register: verified
  failed_when: not verified.equal

- name: Prove that a restored cluster holds what the old Redis holds, by 10,000 keys of either side
  kempian.cache_migration.cache_verify:
    source_url: "redis://10.0.1.5:6379/0"
    target_url: "rediss://shop.abc123.clustercfg.use1.cache.amazonaws.com:6379/0"
    target_protocol: redis-cluster
    sample: 10000
    state_dir: /tmp/cache_verify

- name: Compare the old Redis of the app with its target, at 20,000 keys a second at most
  kempian.cache_migration.cache_verify:
    values: [{path: /opt/shop/.env, keys: [REDIS_URL]}]
    migration_name: kempian-prod
    endpoint: "{{ cluster.endpoint }}"
    token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
    rate: 20000
  become: true
"""

RETURN = r"""
equal:
  description:
    - Whether each key that was compared is the same on both sides, and no side has one that the other lacks. Of all
      keys, where RV(complete) is true.
    - False as long as RV(in_progress) is true, and where anything could not be compared.
  returned: always
  type: bool
complete:
  description: Whether every key of both sides was looked at, and none of them could not be compared.
  returned: always
  type: bool
compared:
  description: How many keys were compared by their value. A key that C(SCAN) gives twice counts twice.
  returned: always
  type: int
missing:
  description: How many keys of the source the target lacks.
  returned: always
  type: int
extra:
  description: How many keys of the target the source lacks.
  returned: always
  type: int
different:
  description: How many keys differ in type, value or TTL.
  returned: always
  type: int
changing:
  description: How many were never seen the same, and were written all the while, for ten times O(settle).
  returned: always
  type: int
unknown:
  description: How many cannot be compared, as they are of a module's type, or may not be read.
  returned: always
  type: int
gone:
  description: How many were gone on both sides when they were to be compared.
  returned: always
  type: int
unseen:
  description:
    - How many keys a side has by their number (C(INFO)) which C(SCAN) did not give. Where there are any, nothing is
      proven.
  returned: always
  type: int
names:
  description: For V(missing), V(extra), V(different), V(changing) and V(unknown) the first 20 of these.
  returned: always
  type: dict
  contains:
    missing:
      description:
        - The keys with C(database), C(key) (its pattern, or with O(show_keys=true) itself) and C(why); the others have
          the same form.
      type: list
      elements: dict
libraries:
  description: By its name, what is wrong with each library of functions that is not the same on both sides.
  returned: always
  type: dict
source_keys:
  description: How many keys the source held when it began.
  returned: always
  type: int
target_keys:
  description: How many keys the target held then.
  returned: always
  type: int
sampled:
  description: How many keys of either side were drawn by lot; V(0) where all were compared.
  returned: always
  type: int
began:
  description: When it began, in seconds since 1970 by the host's clock.
  returned: always
  type: float
seconds:
  description: How long it has taken so far.
  returned: always
  type: float
in_progress:
  description: Whether it is to be run again to go on.
  returned: always
  type: bool
progress:
  description: How far it is, as people read it.
  returned: always
  type: str
"""

import hashlib
import os
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queue_libraries
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import pattern_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import ends
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify import verify
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.verify.verify import (
    Found,
    Question,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused

OPTIONS: dict[str, Any] = {
    **ends.OPTIONS,
    "migration_name": {"type": "str", "default": ""},
    "source_url": {"type": "str", "no_log": True},
    "target_url": {"type": "str", "no_log": True},
    "target_protocol": ends.PROTOCOL,
    "sample": {"type": "int", "default": 0},
    "ttl_tolerance_ms": {"type": "int", "default": 1000},
    "settle": {"type": "float", "default": 3.0},
    "show_keys": {"type": "bool", "default": False, "no_log": False},
    "queues": {**ends.QUEUES, "default": []},
    "wait": {"type": "float", "default": 4.0},
}


def question_of(params: dict[str, Any]) -> Question:
    """Raises EndpointError."""
    source, target = _by_url(params, "source") or _old(params), _by_url(params, "target") or ends.new(params)
    if not target.url:
        raise EndpointError("the target is still being made (endpoint: state=after_apply): provision first")
    is_back = params["direction"] == jobs.BACK and not (params["source_url"] or params["target_url"])
    source, target = (target, source) if is_back else (source, target)
    if params["migration_name"]:
        folder = jobs.folder_of(params["state_dir"], params["migration_name"], "verify")
    else:
        both = hashlib.sha256(f"{source.place} {target.place}".encode()).hexdigest()[:16]
        folder = os.path.join(os.path.realpath(params["state_dir"]), "verify", both)
    return Question(
        source=source,
        target=target,
        folder=folder,
        sample=params["sample"],
        ttl_tolerance_ms=params["ttl_tolerance_ms"],
        settle_seconds=params["settle"],
        rate=params["rate"],
        latency_limit_ms=params["latency_limit_ms"],
        processes=params["processes"],
        queues=queue_libraries.by_database(params["queues"]),
    )


def _by_url(params: dict[str, Any], which: str) -> Side | None:
    url = params[f"{which}_url"]
    if not url:
        return None
    parse_url(url)
    return Side(url, params[f"{which}_protocol"], params["ca_certs"] or "", seconds=params["timeout"])


def _old(params: dict[str, Any]) -> Side:
    if not params["migration_name"]:
        raise EndpointError("neither source_url nor migration_name says where the source is: give one of them")
    return ends.old(params)


def told(found: Found, show_keys: bool) -> dict[str, Any]:
    state, tally = found.state, found.state.tally
    return {
        "changed": False,
        "equal": found.is_equal,
        "complete": found.is_complete,
        "compared": tally.compared,
        **tally.against,
        "gone": tally.gone,
        "unseen": found.unseen,
        "names": tally.names if show_keys else {word: _patterns(names) for word, names in tally.names.items()},
        "libraries": dict(found.libraries),
        "source_keys": state.keys[0],
        "target_keys": state.keys[1],
        "sampled": state.sample,
        "began": state.began,
        "seconds": round(time.time() - state.began, 3),
        "in_progress": not found.is_done,
        "progress": verify.phrase(found),
    }


def _patterns(names: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**name, "key": pattern_of(name["key"].encode())} for name in names]


def main() -> None:
    module = AnsibleModule(
        argument_spec=OPTIONS,
        supports_check_mode=True,
        required_one_of=[("target_url", "endpoint")],
        mutually_exclusive=[("target_url", "endpoint")],
    )
    tell_as_it_is(module)
    params: dict[str, Any] = module.params
    shown = {"invocation": {"module_args": options_shown(params, OPTIONS)}}
    what = "The two caches are not compared"
    try:
        question = question_of(params)
    except EndpointError as error:
        module.fail_json(msg=f"{what}: it cannot be told where they are: {error}.", **shown)
    try:
        found = verify.go_on(question, params["wait"])
    except (verify.NotCompared, FileRefused) as refused:
        module.fail_json(msg=f"{what}: {refused}.", **shown)
    except ProbeFailed as failed:
        module.fail_json(msg=f"{what}: {failed.failure.sentence}", **shown)
    except CacheError as error:
        said = jobs.without_secrets(str(error), question.source, question.target)
        module.fail_json(msg=f"{what}, as far as it is: {said}. Run it again to go on.", **shown)
    module.exit_json(**told(found, params["show_keys"]), **shown)


if __name__ == "__main__":
    main()
