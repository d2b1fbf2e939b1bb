# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Libraries of queues that use a cache, found by the keys that each of them makes. Standard library only.

What they keep, where nothing is queued, too: kombu's bindings, RQ's set of queues, Sidekiq's. A key of another type is
the app's own. kombu: https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html, RQ:
https://python-rq.org/docs/, Sidekiq: https://github.com/sidekiq/sidekiq/wiki
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, Pattern

CELERY, RQ, SIDEKIQ = "Celery", "RQ", "Sidekiq"
LIBRARIES = (CELERY, RQ, SIDEKIQ)

# The types of keys whose names are fixed.
KEYS: Mapping[str, Mapping[str, str]] = {
    CELERY: {"celery": "list", "unacked": "hash", "unacked_index": "zset"},
    RQ: {"rq:queues": "set", "rq:workers": "set"},
    SIDEKIQ: {"queues": "set", "schedule": "zset", "retry": "zset", "dead": "zset"},
}

# The rest have names of the app's within, and those of Celery a prefix before them.
PATTERNS: Mapping[str, tuple[str, ...]] = {
    CELERY: ("*_kombu.*", "*unacked_index", "*unacked_mutex", "*celery-task-meta-*"),
    RQ: ("rq:*",),
}


# --- whose keys are jobs ---

# What tells of a process, and is made anew by each: it stays where that process was.
_OF_PROCESSES = re.compile(
    rb"rq:(?:workers?(?::.*)?|scheduler-lock:.*|scheduler:.*|clean_\w+(?::.*)?)|.*unacked_mutex", re.S
)
_PRIORITY = rb"(?:\x06\x16[0-9]+)?"  # kombu has a list for each, with its number behind this
_UNACKED = "unacked"  # what workers of Celery have taken: a hash of jobs, and when each was, under the name of *_index


class JobKeys:
    """The keys of one database that hold jobs, by the ``names`` of queues in it.

    RQ has more keys beside its queues, which mean something together alone, as Sidekiq has, and Celery what its workers
    have taken.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._keys = _keys_of(list(names))

    def __str__(self) -> str:
        return self._keys.pattern.decode("utf-8", "backslashreplace")

    def has(self, key: bytes) -> bool:
        """Whether it belongs to the queues: jobs, or what tells of who does them."""
        return bool(self._keys.fullmatch(key))

    def moves(self, key: bytes) -> bool:
        """Whether it is anything but what tells of a process."""
        return self.has(key) and not _OF_PROCESSES.fullmatch(key)

    @staticmethod
    def takes_left(key: bytes) -> bool:
        """Whether the next job of a list is its first. RQ writes at the end, kombu and Sidekiq at the beginning."""
        return key.startswith(b"rq:")


def by_database(queues: Iterable[Mapping[str, Any]]) -> dict[int, JobKeys]:
    """Of what is stated: a ``database`` and the ``names`` in it."""
    names: dict[int, list[str]] = {}
    for queue in queues:
        names.setdefault(int(queue["database"]), []).extend(queue["names"])
    return {database: JobKeys(of_it) for database, of_it in names.items()}


def _keys_of(names: list[str]) -> Pattern[bytes]:
    found = [re.escape(name.encode()) + _PRIORITY for name in names]
    if any(name.startswith("rq:") for name in names):
        found.append(rb"rq:.*")
    if any(name.startswith("queue:") for name in names):
        found += [rb"queue:.*", rb"schedule", rb"retry"]
    of_celery = [name for name in names if not name.startswith(("rq:", "queue:"))]
    taken = [name for name in of_celery if name.endswith(_UNACKED)] or ([_UNACKED] if of_celery else [])
    found += [re.escape(name.encode()) + rb"(?:_index|_mutex)?" for name in taken]
    return re.compile(rb"|".join(found) or rb"(?!)", re.S)
