#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cache_queues
short_description: Move the jobs that wait in queues of one cache to another, each once
version_added: 0.2.0
description:
  - Moves what Celery, RQ or Sidekiq have in their queues, what is due later included, from the old Redis to its target,
    when the last worker has left the old one. What the target holds in the same queues by then stays there.
  - A job is never on both sides by a name that workers know, and never on neither. Whatever ends this module, it is
    gone on with by running it again.
  - It refuses while somebody waits for jobs on the side that they are taken from.
  - A job that a worker had taken when it was killed comes along as one that was taken, and is given back by the library
    when the time for that is over (C(visibility_timeout) of Celery, the timeout of the job of RQ). With late
    acknowledgements Celery then does it once more, there as well as here.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_values
  - kempian.cache_migration.ends
options:
  state:
    description:
      - With V(moved) nothing is left in the queues of the one side.
      - With V(cleared) nothing is left in those of the other side, to which a transfer
        (M(kempian.cache_migration.cache_transfer)) may have brought jobs that were done since. It refuses while anybody
        uses that side, and does nothing where it was done before for that transfer, as jobs there are no copies then.
    type: str
    choices: [moved, cleared]
    default: moved
  queues:
    description:
      - The queues. What a library keeps beside them belongs to them, as C(unacked) of Celery, the keys of RQ under
        C(rq:), and C(schedule) and C(retry) of Sidekiq.
    type: list
    elements: dict
    required: true
    suboptions:
      database:
        description: The number of their database.
        type: int
        default: 0
      names:
        description: The names of their keys, as C(celery), C(rq:queue:default) or C(queue:default).
        type: list
        elements: str
        required: true
  migration_name:
    description: The name of the migration, under which the journal is kept.
    type: str
    required: true
  state_dir:
    description: The folder on the host where it is kept.
    type: path
    default: /var/lib/cache_migration
  endpoint:
    description: The endpoint of the target, as M(kempian.cache_migration.elasticache_cluster) returns it.
    type: dict
    required: true
  source_protocol:
    description: What the old Redis speaks. Queues of a cluster are refused.
    type: str
    choices: [redis, redis-cluster]
    default: redis
  direction:
    description:
      - V(there) is from the old Redis to the target, V(back) the other way.
      - With V(back) nothing is moved that was copied alone, and not V(cleared) since.
    type: str
    choices: [there, back]
    default: there
  wait:
    description: For how many seconds at most this module goes on before it tells how far it is.
    type: float
    default: 4.0
  wait_timeout:
    description: For how many seconds in all the action goes on.
    type: int
    default: 86400
attributes:
  check_mode:
    description: Only tells what waits in the queues.
    support: full
  diff_mode:
    description: What would go is told in numbers.
    support: none
"""

EXAMPLES = r"""
- name: Move what waits, after all workers were restarted
  kempian.cache_migration.cache_queues:
    values: [{path: /opt/shop/.env, keys: [CELERY_BROKER_URL]}]
    migration_name: kempian-prod
    endpoint: "{{ cluster.endpoint }}"
    token: "{{ lookup('amazon.aws.secretsmanager_secret', 'shop/cache-token') }}"
    queues: [{database: 1, names: [celery, unacked]}]
  become: true
"""

RETURN = r"""
jobs:
  description: >-
    How many went in this run, or in check mode wait, by the pattern of their keys. A key that is no queue counts as
    one.
  returned: always
  type: dict
  sample: {celery: 12, unacked: 3}
cleared:
  description: With O(state=cleared), how many keys were taken away.
  returned: always
  type: int
in_progress:
  description: Whether there is more to be moved.
  returned: always
  type: bool
progress:
  description: How far it is, as people read it.
  returned: always
  type: str
"""

import time
from collections import Counter
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queue_libraries
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import ends
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.queues import moving
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import LIVE
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused

MOVED = "moved"
CLEARED = "cleared"
_CLEARED = "queues.json"  # of a transfer: what it copied of queues was taken away, so jobs there are no copies
_LOOK_SECONDS = 0.2
_UNUSED = ("rate", "latency_limit_ms", "processes")  # of what goes from one side to the other

OPTIONS: dict[str, Any] = {
    **{name: option for name, option in ends.OPTIONS.items() if name not in _UNUSED},
    "state": {"type": "str", "choices": [MOVED, CLEARED], "default": MOVED},
    "endpoint": {"type": "dict", "required": True},
    "queues": {**ends.QUEUES, "required": True},
    "wait": {"type": "float", "default": 4.0},
}


def sides_of(params: dict[str, Any]) -> tuple[Side, Side]:
    """From where and to where. Raises EndpointError."""
    there = ends.old(params), ends.new(params)
    if not there[1].url:
        raise EndpointError("the target is still being made (endpoint: state=after_apply): provision first")
    return (there[1], there[0]) if params["direction"] == jobs.BACK else there


def result_of(source: Side, target: Side, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Raises TransferRefused, ProbeFailed, CacheError."""
    queues = queue_libraries.by_database(params["queues"])
    if check_mode:
        with reached(source) as here:
            return told(moving.waiting(here, queues), "waiting in queues")
    transfer = jobs.folder_of(params["state_dir"], params["migration_name"], jobs.THERE)
    is_cleared = bool(jobs.read(transfer, _CLEARED))
    if params["state"] == CLEARED:
        if is_cleared:
            return told(Counter(), "cleared before")
        if jobs.kept(transfer).get("strategy") == LIVE and not jobs.read(transfer, jobs.LEAVES_QUEUES):
            time.sleep(_LOOK_SECONDS)
            return {**told(Counter(), "until what follows leaves the queues alone"), "in_progress": True}
        with reached(target) as there:
            count = moving.clear(there, queues)
        jobs.write(transfer, _CLEARED, {"keys": count})
        return {**told(Counter(), "cleared"), "changed": count > 0, "cleared": count}
    if params["direction"] == jobs.BACK and jobs.kept(transfer) and not is_cleared:
        return told(Counter(), "what is there was copied alone")
    folder = jobs.folder_of(params["state_dir"], params["migration_name"], "queues")
    with jobs.only_one(folder) as lock:
        if lock is None:
            raise TransferRefused("another run moves these queues at this moment: wait until it is done.")
        with reached(source) as here, reached(target) as there:
            moved = moving.move(here, there, queues, time.monotonic() + params["wait"])
    return {**told(moved.counts, "moved"), "in_progress": not moved.is_done}


def told(counts: Counter[str], what: str) -> dict[str, Any]:
    named = ", ".join(f"{count:,} in {name}" for name, count in sorted(counts.items()))
    return {
        "changed": bool(counts),
        "jobs": dict(counts),
        "cleared": 0,
        "in_progress": False,
        "progress": f"{what}: {named or 'nothing'}",
    }


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    tell_as_it_is(module)
    params: dict[str, Any] = module.params
    shown = {"invocation": {"module_args": options_shown(params, OPTIONS)}}
    what = "The queues are not moved"
    try:
        source, target = sides_of(params)
    except EndpointError as error:
        module.fail_json(msg=f"{what}: it cannot be told where they are, or are to go: {error}.", **shown)
    try:
        result = result_of(source, target, params, module.check_mode)
    except (TransferRefused, FileRefused) as refused:
        module.fail_json(msg=f"{what}: {refused}", **shown)
    except ProbeFailed as failed:
        module.fail_json(msg=f"{what}: {failed.failure.sentence}", **shown)
    except CacheError as error:
        said = jobs.without_secrets(str(error), source, target)
        module.fail_json(msg=f"{what}, as far as it is: {said}. Run it again to go on.", **shown)
    module.exit_json(**result, **shown)


if __name__ == "__main__":
    main()
