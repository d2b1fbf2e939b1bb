#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_transfer
short_description: Bring the data of the old Redis to its target
version_added: 0.2.0
description:
  - Starts a process on this host that reads one engine and writes the other, and tells how far it is. That process
    outlives this module, which its action runs again until it is done, with a line at least every 5 seconds.
  - What was killed, at whatever moment, is gone on with by running this again; what is copied already stays.
  - Where the old Redis is comes from the app's values and their journal, as with
    M(kempian.cache_migration.old_redis_info).
  - Nothing is written before all that can be known beforehand was found in order, RV(refusals). In check mode nothing
    is written or started at all.
  - The old Redis is only read.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_values
  - kempian.cache_migration.ends
options:
  state:
    description:
      - V(present) begins a transfer or goes on with it.
      - V(finished) has one that would go on by itself (following) come to its end.
      - V(held) has the source's writes held while hosts switch, as O(hold) says, by a V(live) that follows.
      - V(absent) ends it, and takes away what was copied, where the target held no key before it. It refuses where
        somebody else is connected to the target.
    type: str
    choices: [present, finished, held, absent]
    default: present
  migration_name:
    description: The name of the migration, under which the journal and the state of the transfer are kept.
    type: str
    required: true
  state_dir:
    description: The folder on the host where both are kept.
    type: path
    default: /var/lib/cache_migration
  endpoint:
    description:
      - The endpoint of the target, as M(kempian.cache_migration.elasticache_cluster) returns it.
      - One that is yet to be made (C(state=after_apply)) is for check mode alone; then only the source is looked at.
    type: dict
    required: true
  source_protocol:
    description: What the old Redis speaks. With V(redis-cluster) all its shards are read.
    type: str
    choices: [redis, redis-cluster]
    default: redis
  strategy:
    description:
      - How the data comes along.
      - V(cold) brings nothing, V(copy) all keys as they are when they are reached.
      - With V(live) the target follows the old Redis as a replica would, until O(state=finished).
      - With V(managed) AWS brings it (M(kempian.cache_migration.elasticache_migration)), which this module watches.
      - With V(seed) the target is made from a dump of the old Redis.
      - V(carry) is for O(direction=back). While the hosts of O(hold) stand still, what the source no longer has goes
        from the target, all keys are copied over, and both are compared; then the hosts switch.
    type: str
    choices: [cold, copy, live, managed, seed, carry]
    default: copy
  direction:
    description: V(there) is from the old Redis to the target, V(back) the other way.
    type: str
    choices: [there, back]
    default: there
  rate:
    description: The most keys a second; V(0) is without a limit.
    type: int
    default: 0
  latency_limit_ms:
    description:
      - The transfer slows down by itself while the source takes longer than this to answer a C(PING), in milliseconds.
        V(0) is without this guard.
    type: float
    default: 10.0
  target_keys:
    description:
      - What to do where the target holds keys already.
      - V(refuse) begins nothing then. V(keep) leaves those keys as they are; V(replace) overwrites those that have the
        name of one of the source's.
    type: str
    choices: [refuse, keep, replace]
    default: refuse
  moving:
    description:
      - Whether hosts write to the target from now on. A new snapshot of the source, as after its restart, does not
        overwrite that then, and V(live) fails in place of it.
    type: bool
    default: false
  strict:
    description:
      - Whether the source's writes are to be held before hosts switch. That it lets its user do so is seen beforehand
        then, and stands in RV(refusals) where not.
    type: bool
    default: false
  hold:
    description:
      - With O(state=held) and O(strategy=carry), which hosts switch. Each of them stands ready by
        M(kempian.cache_migration.app_host_change) with its option C(hold).
      - Nothing is held until all are ready, for 60 seconds at most. Then their services stop, and writes are paused,
        for two seconds at a time, until the target has all of them and all hosts have told that they are switched.
    type: dict
    suboptions:
      name:
        description: What this hold is called. One that was is not begun again.
        type: str
        required: true
      hosts:
        description: The names that the hosts tell.
        type: list
        elements: str
        required: true
      limit:
        description: The most seconds that writes are held.
        type: float
        default: 10.0
  queues:
    description:
      - With O(moving=true), queues whose jobs V(live) leaves alone from then on, with all that
        M(kempian.cache_migration.cache_queues) moves with them, as hosts at the target have jobs of their own there.
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
  processes:
    description: How many processes copy at once.
    type: int
    default: 2
  wait:
    description: For how many seconds at most this module stays with the transfer before it tells how far it is.
    type: float
    default: 3.0
  wait_timeout:
    description: For how many seconds in all the action waits. A transfer that takes longer goes on by itself.
    type: int
    default: 86400
attributes:
  check_mode:
    description: Only looks, and tells in RV(refusals) what is against it.
    support: full
  diff_mode:
    description: What would be copied is told in numbers.
    support: none
"""

EXAMPLES = r"""
- name: Copy what the old Redis holds
  kempian.cache_migration.cache_transfer:
    values: [{path: /opt/shop/.env, keys: [REDIS_URL]}]
    migration_name: kempian-dev
    endpoint: "{{ cluster.endpoint }}"
    token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
  become: true

- name: Copy at 20,000 keys a second at most, while the old Redis answers within 3 ms
  kempian.cache_migration.cache_transfer:
    values: [{path: /opt/shop/.env, keys: [REDIS_URL]}]
    migration_name: kempian-prod
    endpoint: "{{ cluster.endpoint }}"
    token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
    rate: 20000
    latency_limit_ms: 3
  become: true
"""

RETURN = r"""
transfer:
  description: How far it is; empty where there is none.
  returned: always
  type: dict
  contains:
    phase:
      description: V(checking), V(copying), V(following), V(verifying), V(done), V(failed) or V(aborted).
      type: str
    keys_done:
      description: How many keys were copied.
      type: int
    keys_total:
      description: How many the source held when it began.
      type: int
    bytes:
      description: How many bytes their values were, as they were sent.
      type: int
    rate:
      description: Keys a second.
      type: float
    eta_seconds:
      description: How long it takes still at that rate.
      type: float
    lag_bytes:
      description: While following, how much is still to be applied.
      type: int
    lag_ms:
      description: While following, for how long that is there.
      type: float
    slowed_ms:
      description: For how long it has slowed down by itself.
      type: float
    slowed_why:
      description: Why it does so now; empty where it does not.
      type: str
    left_out:
      description: The first of the keys that stay behind, with C(key) and C(why).
      type: list
      elements: dict
    left_out_count:
      description: How many stay behind.
      type: int
    restarts:
      description: How often it was gone on with.
      type: int
    began:
      description: When it began, in seconds since 1970 by the host's clock.
      type: float
    now:
      description: When this was told.
      type: float
    why:
      description: Why it failed.
      type: str
    notes:
      description: What else an operator should know, each a sentence.
      type: list
      elements: str
strategy:
  description: Of the transfer that is there; empty where there is none.
  returned: always
  type: str
refusals:
  description: What is against beginning it, each a sentence with its remedy.
  returned: always
  type: list
  elements: str
source:
  description: In check mode where the source is (C(place)) and what it holds, C(keys), C(databases) and C(bytes).
  returned: always
  type: dict
target:
  description: The same of the target.
  returned: always
  type: dict
done:
  description: With O(state=absent), what was taken away, each a sentence.
  returned: always
  type: list
  elements: str
held:
  description: With O(state=held), what came of it; else empty.
  returned: always
  type: dict
  contains:
    name:
      description: As given.
      type: str
    phase:
      description: V(waiting) for hosts to be ready, V(held), or V(over).
      type: str
    hosts:
      description: As given.
      type: list
      elements: str
    still_ms:
      description: For how long the services of the hosts stood still, from the stop of the first on.
      type: float
    held_ms:
      description: For how long writes were held.
      type: float
    behind_ms:
      description: How much of that went by until the target had all that was written.
      type: float
    why:
      description: Why it ended otherwise than by all hosts having switched; empty where it did not.
      type: str
    late_writes:
      description: How many writes came to the source after the target had all of it, until half a second after they
        were let go; none where nobody knows.
      type: int
    left:
      description: Where there are some, the addresses of those who are connected to the source.
      type: list
      elements: str
in_progress:
  description: Whether it is still going on.
  returned: always
  type: bool
progress:
  description: How far it is, as people read it.
  returned: always
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import course, ends, hold
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.strategies import STRATEGIES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused

OPTIONS: dict[str, Any] = {
    **ends.OPTIONS,
    "state": {"type": "str", "choices": ["present", "finished", "held", "absent"], "default": "present"},
    "endpoint": {"type": "dict", "required": True},
    "strategy": {"type": "str", "choices": list(STRATEGIES), "default": "copy"},
    "target_keys": {
        "type": "str",
        "choices": [jobs.REFUSE, jobs.KEEP, jobs.REPLACE],
        "default": jobs.REFUSE,
        "no_log": False,
    },
    "moving": {"type": "bool", "default": False},
    "strict": {"type": "bool", "default": False},
    "hold": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "required": True},
            "hosts": {"type": "list", "elements": "str", "required": True},
            "limit": {"type": "float", "default": 10.0},
        },
    },
    "queues": {**ends.QUEUES, "default": []},
    "wait": {"type": "float", "default": 3.0},
}


def job_of(params: dict[str, Any]) -> Job:
    """``target.url`` is empty where the target is yet to be made. Raises EndpointError."""
    sides = [ends.old(params), ends.new(params)]
    source, target = reversed(sides) if params["direction"] == jobs.BACK else sides
    return Job(
        source=source,
        target=target,
        strategy=params["strategy"],
        folder=jobs.folder_of(params["state_dir"], params["migration_name"], params["direction"]),
        direction=params["direction"],
        rate=params["rate"],
        latency_limit_ms=params["latency_limit_ms"],
        target_keys=params["target_keys"],
        processes=params["processes"],
        is_moving=params["moving"],
        is_strict=params["strict"],
        queues=tuple(params["queues"]),
    )


def result_of(job: Job, params: dict[str, Any], check_mode: bool) -> course.Outcome:
    if check_mode:
        return course.look(job, params["state"])
    if params["hold"]:
        wanted = params["hold"]
        asked = hold.Asked(wanted["name"], tuple(wanted["hosts"]), wanted["limit"])
        if params["state"] == "held":
            return course.hold_writes(job, asked, params["wait"])
        hold.ask(job.folder, asked)
    step = {"present": course.go_on, "finished": course.finish, "absent": course.abort}[params["state"]]
    return step(job, params["wait"])


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True, required_if=[("state", "held", ["hold"])])
    tell_as_it_is(module)
    params: dict[str, Any] = module.params
    shown = {"invocation": {"module_args": options_shown(params, OPTIONS)}}
    what = "Nothing is transferred"
    try:
        job = job_of(params)
    except EndpointError as error:
        module.fail_json(msg=f"{what}: it cannot be told where the data is, or is to go: {error}.", **shown)
    try:
        outcome = result_of(job, params, module.check_mode)
    except (TransferRefused, FileRefused) as refused:
        module.fail_json(msg=f"{what}: {refused}", **shown)
    except ProbeFailed as failed:
        module.fail_json(msg=f"{what}: {failed.failure.sentence}", **shown)
    except CacheError as error:
        module.fail_json(msg=f"{what}: {jobs.without_secrets(str(error), job.source, job.target)}.", **shown)
    told = outcome.as_dict()
    if outcome.msg:
        module.fail_json(msg=outcome.msg, **told, **shown)
    module.exit_json(**told, **shown)


if __name__ == "__main__":
    main()
