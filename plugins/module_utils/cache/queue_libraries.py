# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Libraries of queues that use a cache, found by the keys that each of them makes. Standard library only.

What they keep, where nothing is queued, too: kombu's bindings, RQ's set of queues, Sidekiq's. A key of another type is
the app's own. kombu: https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.redis.html, RQ:
https://python-rq.org/docs/, Sidekiq: https://github.com/sidekiq/sidekiq/wiki
"""

from __future__ import annotations

from typing import Mapping

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
