# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What queues of the cache that an app leaves still hold: who does their jobs is not to be sent away before.

Standard library only.
"""

from __future__ import annotations

import contextlib
import datetime
import json
from typing import Any, Callable, Iterable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.in_time import in_time
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked, one_line
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import Jobs

Ask = Callable[..., Any]  # (key, *command) → the answer

SECONDS = 5.0  # for each answer
ALL_SECONDS = 15.0  # for all of them, as a server may give one byte after the other
_SHOWN = 200  # signs of what a server says

# A key that is empty is gone for Redis, so what is there holds something.
_COUNT = {"list": "LLEN", "hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "stream": "XLEN"}


def jobs(queues: Sequence[Mapping[str, Any]], target: Mapping[str, Any] | None) -> Jobs:
    """What the queues of a service hold (``queues`` of host.service.order), or that nobody can tell. What is at the
    target already is not left.
    """
    found = [_of_queue(queue, target or {}) for queue in queues]
    reached = all(one.can_be_taken for one in found)
    return Jobs(", ".join(one.held for one in found if one.held), reached)


def _of_queue(queue: Mapping[str, Any], target: Mapping[str, Any]) -> Jobs:
    # Few services have queues, and what a module imports on a host is compiled anew in each of its runs.
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import failures
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.answers import secrets_of
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError
    from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
        REDIS,
        EndpointError,
        parse_url,
    )

    url = ""
    unknown = f"an unknown number of jobs in {', '.join(queue['names'])}"
    try:
        url = _url_of(queue)
        parts = parse_url(url)
        if (parts.host, parts.port) == (target.get("address"), int(target.get("port") or 0)):
            return Jobs()
        is_due_alone, protocol = bool(queue.get("later_comes_along")), queue.get("protocol") or REDIS
        found = in_time(lambda: held(url, queue["names"], protocol, is_due_alone), ALL_SECONDS)
    except failures.ProbeFailed as failed:
        is_reached = failed.failure.kind not in failures.NOT_REACHED
        return Jobs(f"{unknown} ({_shown(failed.failure.found, secrets_of(url)).rstrip('.')})", is_reached)
    except (CacheError, EndpointError, ValueError) as error:
        return Jobs(f"{unknown} ({_shown(str(error), secrets_of(url) if url else ())[:_SHOWN]})")
    if found is None:
        return Jobs(f"{unknown} (no answer within {ALL_SECONDS:g} s)", can_be_taken=False)
    return Jobs(", ".join(f"{count} in {name}" for name, count in found.items()))


def _shown(said: str, secrets: Iterable[str]) -> str:
    return one_line(masked(said, secrets))


def _url_of(queue: Mapping[str, Any]) -> str:
    """As given, or what its key was before the migration, by itself or with the other parts. Raises EndpointError."""
    from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.meaning import url_of, urls_in_file

    if queue.get("url") or not queue.get("forms"):
        return url_of({**queue, "endpoint": {}})
    key, forms = queue["env_key"], {name: Form.from_dict(form) for name, form in queue["forms"].items()}
    keys = list(dict.fromkeys([*forms, key]))
    was, now = urls_in_file(queue["env_path"], keys, forms, queue["state_dir"], queue["migration_name"])[key]
    return was or now


def held(url: str, names: Sequence[str], protocol: str, is_due_alone: bool = False) -> dict[str, int]:
    """How much each of the named keys holds, of those that are there, in the database of the URL; where
    ``is_due_alone``, without what workers of Celery keep until it is due.

    TLS is done as the app's redis-py does it. Raises ProbeFailed, CacheError and EndpointError.
    """
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question

    with _asking(Question(url, expected_role="any", seconds=SECONDS, tls_as_app=True, protocol=protocol)) as ask:
        count = _count_due if is_due_alone else _count
        return {name: there for name in names if (there := count(ask, name))}


@contextlib.contextmanager
def _asking(question: Any) -> Iterator[Ask]:
    """How a command for a key is asked there."""
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import cluster_probe, probe
    from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

    if question.protocol == REDIS_CLUSTER:
        with cluster_probe.session(question) as cluster:
            yield cluster.execute
    else:
        with probe.session(question) as connection:
            yield lambda _key, *command: connection.execute(*command)


def _count(ask: Ask, name: str) -> int:
    count = _COUNT.get(str(ask(name, "TYPE", name)), "EXISTS")
    there = ask(name, count, name)
    if not isinstance(there, int) or there < 0:
        raise ValueError(f"{count} is answered by what is no number")
    return there


_LOOKED_AT = 20_000  # jobs that were taken: of more than that, all count as due


def _count_due(ask: Ask, name: str) -> int:
    """A worker of Celery takes a job with an ETA at once, and keeps it in memory and in this hash until it is due."""
    count = _count(ask, name)
    if not name.endswith("unacked") or not 0 < count <= _LOOKED_AT:
        return count
    later, cursor, seen = 0, "0", 0
    while seen <= 2 * _LOOKED_AT:
        told = ask(name, "HSCAN", name, cursor, "COUNT", 500)
        if not isinstance(told, list) or len(told) != 2 or not isinstance(told[1], list):
            raise ValueError("HSCAN is answered by what is no part of a hash")
        jobs = told[1][1::2]
        later, seen = later + sum(map(_is_for_later, jobs)), seen + len(jobs)
        cursor = told[0].decode("ascii", "replace") if isinstance(told[0], bytes) else str(told[0])
        if cursor == "0":
            break
    return max(0, count - later)


def _is_for_later(job: Any) -> bool:
    """By its ETA, which Celery writes in ISO 8601. What cannot be read is due."""
    with contextlib.suppress(ValueError, TypeError, LookupError, AttributeError):
        eta = json.loads(job)[0]["headers"]["eta"]
        due = datetime.datetime.fromisoformat(eta.replace("Z", "+00:00"))
        zone = due.tzinfo or datetime.timezone.utc
        return due.replace(tzinfo=zone) > datetime.datetime.now(zone)
    return False
