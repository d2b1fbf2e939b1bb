#!/usr/bin/python
# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: app_host_info
short_description: Look once at all that a migration must know of an app host
version_added: 0.2.0
description:
  - Sees what M(kempian.cache_migration.env_update) would change, what M(kempian.cache_migration.app_service) would
    restart, whether this host reaches the target, whether the old Redis still serves it, and what either holds, in
    one run.
  - Changes nothing. The probe of the target writes a key of its own and deletes it again, as that of
    M(kempian.cache_migration.cache_probe) does, but in check mode.
  - What cannot be seen is told in its part of the result. The module itself fails for wrong options only.
author:
  - The cache_migration authors (@cache-migration)
extends_documentation_fragment:
  - kempian.cache_migration.app_host
options:
  endpoint:
    description:
      - The target, where processes of the services are to be connected to, and not any more to where O(values) led
        before, by the journal where it has an original.
      - Left out, no connection is demanded, and only places of O(leave) count.
    type: dict
  old:
    description:
      - Prove that the app can go back to the Redis that it used before, with no more asked than it needs. A replica
        will do, nothing is written, and TLS is done as the URL's own options say.
      - That is the original of the first of O(values) that is a cache URL, by the journal, and what is there now where
        nothing is journaled and it does not lead to O(endpoint) (without that, to O(leave)).
      - Give an empty mapping for that. Left out, nothing is asked.
    type: dict
    suboptions:
      url:
        description: The URL of that Redis, where it is in no file of this host.
        type: str
  survey:
    description: Read what the Redis of O(old) holds and who uses it. Left out, that is not read.
    type: dict
    suboptions:
      url:
        description:
          - A URL by which it is read, where the user of the app's own URL may not ask it all. It must name the same
            host and port. O(old) is proven by the app's own all the same.
        type: str
      sample:
        description: How many keys of each database are looked at.
        type: int
        default: 1000
      watch:
        description: For how many seconds its traffic is watched before it is asked for keys. With 0, it is not.
        type: float
        default: 1.0
  contents:
    description:
      - Read what the target holds, as what an app wrote to it stays behind where that goes back to the old Redis.
      - 'Names of keys are not told: only what the names of several have in common.'
      - Left out, that is not read.
    type: dict
    suboptions:
      endpoint:
        description: The endpoint as M(kempian.cache_migration.elasticache_cluster) returns it.
        type: dict
        required: true
      auth_token:
        description: Its token (password).
        type: str
      sample:
        description: How many keys of each database are looked at.
        type: int
        default: 1000
  find:
    description: Find what O(services) read that leads to a Redis, where nobody has said it by O(values).
    type: bool
    default: false
attributes:
  check_mode:
    description: Writes no key of its own to the target then. It changes nothing otherwise, either.
    support: full
  diff_mode:
    description: Never changes anything.
    support: none
"""

EXAMPLES = r"""
- name: Look at an app host before it is moved
  kempian.cache_migration.app_host_info:
    migration_name: kempian-prod
    values:
      - path: /opt/shop/.env
        keys:
          REDIS_URL: "{{ new_url }}"
    services:
      - name: shop
      - name: shop-worker
    endpoint: "{{ cluster.endpoint }}"
    probe:
      endpoint: "{{ cluster.endpoint }}"
      auth_token: "{{ token }}"
    old: {}
    python: /opt/shop/venv/bin/python
    user: shop
  become: true
"""

RETURN = r"""
stores:
  description: What would change, one for each of O(values), in their order.
  returned: always
  type: list
  elements: dict
  contains:
    store:
      description: As given.
      type: str
    path:
      description: As given.
      type: str
    changes:
      description: As M(kempian.cache_migration.env_update) returns it in check mode. Empty where it would be refused.
      type: dict
    written:
      description: When the file was changed last (ctime), and its size. Missing where the change would be refused.
      type: str
    unnamed:
      description:
        - The keys beside those of O(values) that lead to a place which these leave (V(url), with its database, and
          V(part) with others), have its address within something else (V(mention)), or are made of a value that
          changes (V(hangs)). With the C(form) by which it could be moved, and of a key for TLS what it holds (C(off)).
        - The app would go on with the old one by these. Their values are not told.
      returned: with O(endpoint), unless the change would be refused
      type: list
      elements: dict
      sample: [{key: CELERY_BROKER_URL, how: url, database: 1, form: url, 'off': ''}]
    failure:
      description: Why it would be refused.
      returned: where it would
      type: str
services:
  description: One for each of O(services), in their order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The service.
      type: str
    restarted:
      description: It would be restarted.
      type: bool
    reason:
      description: Why it would be; empty where it would not.
      type: str
    proof:
      description: By what it is proven to be on the target, as M(kempian.cache_migration.app_service) returns it.
      type: str
    connections:
      description: Connections of its processes, C(to_target) and C(to_left).
      type: dict
    processes:
      description: Its processes, as M(kempian.cache_migration.app_service) returns them.
      type: list
      elements: dict
    failure:
      description: Why it cannot be looked at; then the others are left out.
      returned: where it cannot
      type: str
other_clients:
  description:
    - The processes of this host that are connected to a place which is to be left, and belong to none of O(services).
      Of a container they are seen, too. What they were started with is not told, as it may hold secrets.
  returned: where there is such a place, unless one of O(services) cannot be looked at
  type: dict
  contains:
    processes:
      description:
        - Each with its C(pid), the name of its C(program), and the C(unit) that it belongs to, which is one of systemd
          (also of a user, and the session of a person), a program of supervisor, or a container. Empty where nothing
          tells it.
      type: list
      elements: dict
      sample: [{pid: 123, program: python, unit: shop-beat.service}]
    failure:
      description: Why there may be others.
      returned: where a connection is of a process that could not be looked at
      type: str
found:
  description:
    - What leads to a Redis, by the files that processes of the services read (C(EnvironmentFile=) of systemd, and
      C(.env) in their working directories), or by the file of one of O(values) of whose keys none is there.
    - No value is told.
  returned: with O(find), or where none of the keys of one of O(values) is there
  type: dict
  contains:
    caches:
      description:
        - One for each Redis, first the one to which most leads. It maps files to their keys, as RV(stores[].unnamed)
          has them.
      type: list
      elements: dict
    elsewhere:
      description:
        - The keys in the environments of processes that are in none of the files, each with the C(service) and its
          C(key).
      type: list
      elements: dict
target:
  description: The target as M(kempian.cache_migration.cache_probe) returns it, with C(msg) where it cannot be used.
  returned: with O(probe)
  type: dict
old:
  description:
    - The old Redis as M(kempian.cache_migration.cache_probe) returns it, with C(msg) where it cannot be used.
    - Two more kinds of failure have an empty C(location), C(no_original) where there is no Redis to go back to, and
      C(unreadable) where the value cannot be read.
  returned: with O(old)
  type: dict
survey:
  description:
    - What the old Redis is, holds and who uses it, read by the collection's own client.
    - Where it cannot be read, only the C(failure) and C(msg), a sentence.
  returned: with O(survey)
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
      description: There was time to look at as many as O(survey.sample) allows.
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
    run_id:
      description: The id that each start of a server has anew, which tells one from another.
      type: str
    streams_complete:
      description: There was time to look for all streams.
      type: bool
    functions:
      description: The libraries of functions that are loaded.
      type: list
      elements: str
    keyspace_events:
      description: Which events of keys it tells of, as its parameter C(notify-keyspace-events) has it.
      type: str
    queue_libraries:
      description: Libraries of queues that keep keys in it, of C(Celery), C(RQ) and C(Sidekiq).
      type: list
      elements: str
    queue_libraries_complete:
      description: There was time to look for all of their keys.
      type: bool
    uptime:
      description: Seconds since its start; the three that follow count from then.
      type: int
    commands_processed:
      description: Commands that it was sent.
      type: int
    net_bytes:
      description: Bytes that it took and gave over the network.
      type: int
    cpu_seconds:
      description: Seconds of CPU that it had.
      type: float
    lives:
      description:
        - How many of the keys that were looked at have at most a C(minute), an C(hour), a C(day) or a C(week) to live
          from now on, or C(longer). Those without TTL are not in it.
      type: dict
      sample: {hour: 812, day: 40}
    largest:
      description: The largest of the keys that were looked at, each with C(database), C(type), C(pattern), C(bytes).
      type: list
      elements: dict
    payload:
      description: The version of what its C(DUMP) gives, read from one; null where it gave none.
      type: int
    now:
      description:
        - What went on in the C(seconds) in which it was watched, each a second, C(hits) and C(misses) of lookups and
          C(writes), the calls of commands that write (null where it does not tell which these are).
        - Null with O(survey.watch=0).
      type: dict
      sample: {seconds: 1.0, hits: 812.0, misses: 41.0, writes: 97.0}
    on_average:
      description: The same since its start, or since its statistics were reset.
      type: dict
    subscribed:
      description: How many channels have subscribers.
      type: int
    subscribed_patterns:
      description: How many patterns of channels have.
      type: int
    channels:
      description: What the names of such channels have in common, as patterns; none where there are very many.
      type: list
      elements: str
    scripts:
      description: How many scripts it keeps by their hash.
      type: int
    may_follow:
      description:
        - Whether this user may follow it as a replica does, C(yes), C(no) or C(unknown), without being one.
      type: str
contents:
  description:
    - What the target holds, with C(total_keys), C(keys_without_ttl), C(sampled), C(sample_complete) and C(key_groups)
      as RV(survey) has them.
    - Where it cannot be read, only the C(failure) and C(msg), a sentence.
  returned: with O(contents)
  type: dict
"""

import contextlib
import functools
from dataclasses import asdict, replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import (
    app_interpreter,
    failures,
    probe_result,
    target_probe,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.app_interpreter import (
    Interpreter,
    InterpreterRefused,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.asked import Answered, Asked
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.cluster_probe import with_nodes
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import Failure
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.old_redis import values_in
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Answer, Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Surveyed, SurveyQuestion
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import host_options
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    AFTER_APPLY,
    Endpoint,
    EndpointError,
    is_loopback,
    mask_url,
    names_a_cache,
    parse_url,
    places_of,
    probe_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import options_shown, tell_as_it_is
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.batches import locations_to_leave
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.atomic_file import FileRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.clients import clients_of, systemd_unit_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import places
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.environment import (
    environment_files,
    files_beside,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import environment
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import order as orders
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.course import predicted
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import ServiceError
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.order import Order
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract, on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, NothingThere
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.journal import (
    JournalError,
    check_migration_name,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.leads import caches, elsewhere, leads
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import refuse_unix_socket
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.on_host import leading_to, values_of

OPTIONS: dict[str, Any] = {
    **host_options.OPTIONS,
    "values": on_host.VALUES,
    "services": orders.SERVICES,
    "leave": orders.PLACES,
    "old": {"type": "dict", "no_log": True, "options": {"url": {"type": "str", "no_log": True}}},
    "find": {"type": "bool", "default": False},
    "survey": {
        "type": "dict",
        "no_log": True,
        "options": {
            "sample": {"type": "int", "default": 1000},
            "watch": {"type": "float", "default": 1.0},
            "url": {"type": "str", "no_log": True},
        },
    },
    "contents": {
        "type": "dict",
        "no_log": True,
        "options": {
            "endpoint": {"type": "dict", "required": True},
            "auth_token": {"type": "str", "no_log": True},
            "sample": {"type": "int", "default": 1000},
        },
    },
}
TOLD_OF_CONTENTS = ("total_keys", "keys_without_ttl", "sampled", "sample_complete", "key_groups")
UNSEEN = "Connections to it whose process cannot be looked at: {}. Become root, who sees them all (become: true)."
TOLD_OF_A_SERVICE = ("restarted", "reason", "proof", "connections", "processes")


# --- values and services ---


def value_seen(params: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    try:
        would_be = on_host.change_value(params, value, is_look=True)
    except NothingThere as refused:
        return {**value_failed(value, refused), "is_nothing_there": True}
    except (ChangeRefused, FileRefused, JournalError) as refused:
        return value_failed(value, refused)
    return {**{name: would_be[name] for name in ("store", "path", "changes")}, "written": on_host.written(value)}


def value_failed(value: dict[str, Any], why: Exception) -> dict[str, Any]:
    return {"store": value["store"], "path": value["path"], "changes": {}, "failure": f"{why}."}


def services_seen(module: AnsibleModule, leave: list[dict[str, Any]]) -> list[dict[str, Any]]:
    files = list(leading_to(module.params["values"], module.params["endpoint"] or {}))
    return [service_seen(module, service, leave, files) for service in module.params["services"]]


def service_seen(
    module: AnsibleModule, service: dict[str, Any], leave: list[dict[str, Any]], files: list[dict[str, str]]
) -> dict[str, Any]:
    try:
        order = Order.from_params(service, module.params["endpoint"], leave, files)
        told = predicted(order, lambda command: module.run_command(list(command), handle_exceptions=False))
    except ServiceError as error:
        return {"name": service["name"], "failure": f"{error}."}
    return {"name": service["name"], **{name: told[name] for name in TOLD_OF_A_SERVICE}}


def left(params: dict[str, Any], seen: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Where no process may be connected any more: what was stated, and with a target where the values led before."""
    stated: list[dict[str, Any]] = list(params["leave"])
    own = locations_to_leave(seen, params["endpoint"]) if params["endpoint"] else []
    return stated + [place for place in own if place not in stated]


def unnamed(params: dict[str, Any], seen: list[dict[str, Any]], leave: list[dict[str, Any]]) -> None:
    """Note with each value which of the keys beside it lead to a place that it leaves."""
    named = {(str(place["address"]), int(place["port"])) for place in leave}
    known = places(leave)

    def is_alias(address: str, port: int) -> bool:
        return bool(places([{"address": address, "port": port}]) & known)

    for value, one in zip(params["values"], seen):
        if one.get("failure"):
            continue
        try:
            values = values_of(value)
        except FileRefused as refused:  # by now
            one["failure"] = f"{refused}."
        else:
            one["unnamed"] = [lead.as_dict() for lead in leads(values, value["keys"], named, is_alias)]


# --- what is read, where that is not said ---


def found(module: AnsibleModule, paths: list[str], services: list[dict[str, Any]]) -> dict[str, Any]:
    """In the files at ``paths``, and with ``find`` in those that processes of the services read."""
    paths, environments = list(paths), {}
    for stated, seen in zip(module.params["services"], services) if module.params["find"] else ():
        pids = sorted(pids_of([seen]))
        environments[seen["name"]] = {key: value for pid in pids for key, value in environment(pid).items()}
        if stated["manager"] == "systemd" and stated["scope"] == "system":
            units = sorted(filter(None, {systemd_unit_of(pid) for pid in pids}))
            run = functools.partial(module.run_command, handle_exceptions=False)
            paths += environment_files(units or [seen["name"]], run)
        paths += files_beside(pids)
    files = {}
    for path in dict.fromkeys(paths):
        with contextlib.suppress(FileRefused):
            files[path] = values_of({**module.params, "store": "dotenv", "path": path})

    @functools.lru_cache(maxsize=None)
    def behind(address: str, port: int) -> frozenset[tuple[str, int]]:
        return places([{"address": address, "port": port}])

    def is_same(one: tuple[str, int], other: tuple[str, int]) -> bool:
        return bool(behind(*one) & behind(*other))

    told = [{path: [lead.as_dict() for lead in leads] for path, leads in one.items()} for one in caches(files, is_same)]
    return {"caches": told, "elsewhere": elsewhere(environments, files)}


# --- who else is connected ---


def other_clients(module: AnsibleModule, services: list[dict[str, Any]], leave: list[dict[str, Any]]) -> dict[str, Any]:
    """Those are looked at before and after, as a job of a timer or a worker may have come meanwhile, or gone."""
    left_places = places(leave)
    try:
        seen = clients_of(left_places, pids_of(services))
        if seen.found:
            now = clients_of(left_places, pids_of(services) | pids_of(services_seen(module, leave)))
            seen = replace(now, found=tuple(one for one in now.found if one in seen.found))
    except OSError as error:
        return {"processes": [], "failure": f"The processes of this host cannot be looked at ({error.strerror})."}
    told: dict[str, Any] = {"processes": [asdict(one) for one in seen.found]}
    return {**told, "failure": UNSEEN.format(seen.unseen)} if seen.unseen else told


def pids_of(services: list[dict[str, Any]]) -> set[int]:
    return {process["pid"] for service in services for process in service.get("processes") or ()}


# --- caches ---


def url_of_old(params: dict[str, Any]) -> str | Failure:
    """Which Redis the app would go back to, or why that cannot be told."""
    given = (params["old"] or {}).get("url")
    try:
        url = str(given) if given else url_in_values(params)
        refuse_unix_socket(parse_url(url))
    except EndpointError as error:
        return failures.unreadable(str(error))
    except LookupError as error:
        return failures.no_original(str(error))
    return url


def url_in_values(params: dict[str, Any]) -> str:
    """Raises EndpointError where a value cannot be read, and LookupError where none leads to another Redis."""
    targets = {str(place["address"]) for place in ([params["endpoint"]] if params["endpoint"] else params["leave"])}
    where = (params["state_dir"], params["migration_name"])
    values = [value for file in params["values"] for value in values_in(file, *where)]
    if params["state"] == "present":
        for value in values:
            refuse_what_cannot_be_proven(value.current)
    for value in values:
        now = contract.cache_url(value.current)
        if contract.cache_url(value.original):
            return value.original
        if now and now.host not in targets:
            return value.current
    keys = [f"{key} in {file['path']}" for file in params["values"] for key in file["keys"]]
    raise LookupError(" and ".join(keys) or "no value of this host")


def refuse_what_cannot_be_proven(url: str) -> None:
    """A value that is meant for a cache, and would be changed without anybody knowing that it can be put back.

    Raises EndpointError.
    """
    if names_a_cache(url):
        refuse_unix_socket(parse_url(url))


def url_to_read(old: str, other: str) -> str | Failure:
    """By which URL the old Redis is read, or why not by the ``other`` one that is stated for it."""
    if not other:
        return old
    try:
        asked = parse_url(other)
    except EndpointError as error:
        return failures.unreadable_for_assessment(str(error))
    used = parse_url(old)
    is_same_host = asked.host == used.host or (is_loopback(asked.host) and is_loopback(used.host))
    return other if is_same_host and asked.port == used.port else failures.assessed_elsewhere(asked, used)


def questions_of(params: dict[str, Any]) -> tuple[dict[str, Asked], dict[str, Any]]:
    """What is to be asked beside the target, by the part of the result that it is for, and the parts that need not."""
    seconds = params["timeout"]
    questions: dict[str, Asked] = {}
    parts: dict[str, Any] = {}
    if params["contents"] is not None:
        wanted = params["contents"]
        target = Endpoint.from_dict(wanted["endpoint"])
        if not target.is_known:
            raise EndpointError(f"the target {target.name} is yet to be made (contents: state={AFTER_APPLY})")
        try:
            url = probe_url(target, wanted["auth_token"] or "", 0)
            questions["contents"] = SurveyQuestion(url, seconds, wanted["sample"], protocol=target.protocol)
        except EndpointError as error:  # as without its token: what stays behind holds no way back up
            parts["contents"] = {"msg": f"{error}."}
    if params["old"] is None and params["survey"] is None:
        return questions, parts
    old = url_of_old(params)
    if params["old"] is not None:
        if isinstance(old, Failure):
            parts["old"] = unasked(old)
        else:
            questions["old"] = Question(old, expected_role="any", seconds=seconds, write=False, tls_as_app=True)
    if params["survey"] is not None:
        read = old if isinstance(old, Failure) else url_to_read(old, params["survey"]["url"] or "")
        if isinstance(read, Failure):
            parts["survey"] = survey_failed("The old Redis", read)
        else:
            wanted = params["survey"]
            questions["survey"] = SurveyQuestion(read, seconds, wanted["sample"], wanted["watch"], tls_as_app=True)
    return questions, parts


def part_of(name: str, question: Asked, answer: Answered) -> dict[str, Any]:
    if isinstance(answer, Answer):
        return probe_result.probed(question.url, answer)
    return counted(question.url, answer) if name == "contents" else surveyed(question.url, answer)


def of_the_assessment(answer: Answered) -> Answered:
    """What is in the way of a URL that was stated for reading alone is none of the app's."""
    failure = answer.failure
    return Surveyed(failure=failures.of_the_assessment(failure)) if failure else answer


def unasked(why: Failure) -> dict[str, Any]:
    return {**Answer(failure=why).as_dict(), "after_apply": False, "location": {}, "msg": why.sentence}


def surveyed(url: str, answer: Surveyed) -> dict[str, Any]:
    if answer.failure:
        return survey_failed(f"The old Redis at {mask_url(url)}", failures.of_a_survey(answer.failure))
    return answer.source.as_dict() if answer.source else {}


def counted(url: str, answer: Surveyed) -> dict[str, Any]:
    if answer.failure:
        msg = f"The keys of {mask_url(url)} cannot be told: {answer.failure.sentence}"
        return {"failure": asdict(answer.failure), "msg": msg}
    whole = answer.source.as_dict() if answer.source else {}
    return {name: whole[name] for name in TOLD_OF_CONTENTS}


def survey_failed(which: str, why: Failure) -> dict[str, Any]:
    return {"failure": asdict(why), "msg": f"{which} cannot be assessed: {why.sentence}"}


def know_nodes(params: dict[str, Any]) -> None:
    """A client of a cluster is connected to its nodes, as they are told to this host."""
    if params["endpoint"] and params["probe"]:
        params["endpoint"] = {**params["endpoint"], "nodes": with_nodes(params["probe"], params["timeout"])["nodes"]}
    if params["leave_cluster"]:
        params["leave"] += places_of(with_nodes(params["leave_cluster"], params["timeout"]))


def looked_at(module: AnsibleModule) -> dict[str, Any]:
    """Raises EndpointError, InterpreterRefused and JournalError for wrong options."""
    params = module.params
    check_migration_name(params["migration_name"])
    interpreter = Interpreter.from_params(params)
    know_nodes(params)
    values = [value_seen(params, value) for value in params["values"]]
    leave = left(params, values)
    if params["endpoint"]:
        unnamed(params, values, leave)
    services = services_seen(module, leave)
    parts: dict[str, Any] = {}
    nothing_there = [value["path"] for value in values if value.pop("is_nothing_there", False)]
    if params["find"] or nothing_there:
        parts["found"] = found(module, nothing_there, services)
    if leave and not any(service.get("failure") for service in services):
        parts["other_clients"] = other_clients(module, services, leave)  # before we are one ourselves
    of_target = target_probe.questions(params["probe"], params["timeout"], module.check_mode) if params["probe"] else {}
    questions, unasked_parts = questions_of(params)
    parts.update(unasked_parts)
    answers = app_interpreter.ask({**of_target, **questions}, interpreter)
    if params["probe"]:
        parts["target"] = target_probe.told(params["probe"], of_target, answers)
    if params["survey"] and params["survey"]["url"]:
        answers = {name: of_the_assessment(answer) if name == "survey" else answer for name, answer in answers.items()}
    parts.update({name: part_of(name, question, answers[name]) for name, question in questions.items()})
    return {"stores": values, "services": services, **parts}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS, supports_check_mode=True)
    tell_as_it_is(module)
    shown = {"invocation": {"module_args": options_shown(module.params, OPTIONS)}}
    try:
        result = looked_at(module)
    except (EndpointError, InterpreterRefused, JournalError) as error:
        module.fail_json(msg=f"The host cannot be looked at: {error}.", **shown)
    module.exit_json(changed=False, **result, **shown)


if __name__ == "__main__":
    main()
