"""Which keys are jobs, by the names of queues."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys

CELERY, RQ, SIDEKIQ = JobKeys(["celery", "mails"]), JobKeys(["rq:queue:default"]), JobKeys(["queue:default"])


@pytest.mark.parametrize(
    ("keys", "key", "has", "moves"),
    [
        (CELERY, b"celery", True, True),
        (CELERY, b"mails\x06\x169", True, True),
        (CELERY, b"unacked", True, True),
        (CELERY, b"unacked_index", True, True),
        (CELERY, b"unacked_mutex", True, False),
        (CELERY, b"celery-task-meta-1", False, False),
        (CELERY, b"_kombu.binding.celery", False, False),
        (CELERY, b"celery2", False, False),
        (RQ, b"rq:queue:low", True, True),
        (RQ, b"rq:job:1\n", True, True),
        (RQ, b"rq:wip:default", True, True),
        (RQ, b"rq:workers", True, False),
        (RQ, b"rq:worker:a", True, False),
        (RQ, b"rq:scheduler-lock:default", True, False),
        (RQ, b"rq:clean_registries:default", True, False),
        (RQ, b"rq:clean_groups", True, False),
        (RQ, b"celery", False, False),
        (RQ, b"unacked", False, False),
        (SIDEKIQ, b"queue:mails", True, True),
        (SIDEKIQ, b"schedule", True, True),
        (SIDEKIQ, b"stat:processed", False, False),
        (JobKeys([]), b"", False, False),
    ],
)
def test_a_key_is_one_of_jobs_by_what_its_library_keeps(keys, key, has, moves):
    assert (keys.has(key), keys.moves(key)) == (has, moves)


def test_what_workers_have_taken_may_have_a_prefix():
    keys = JobKeys(["shop:celery", "shop:unacked"])
    assert keys.moves(b"shop:unacked_index") and not keys.has(b"unacked")
