# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is against following the old Redis, beside what is against any transfer. Only reads."""

from __future__ import annotations

import os

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import following
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    before,
    pause,
    payload,
    sides,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live import spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.sides import Held
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

_SINCE = 4  # whose followers are told the name of the history, by which it is gone on with


def against(job: Job, *, is_begun: bool) -> list[str]:
    """Raises ProbeFailed, CacheError."""
    if REDIS_CLUSTER in (job.source.protocol, job.target.protocol):
        return [
            "Following (migration_transfer: live) is from one engine to one, and one of both is a cluster: choose "
            "migration_transfer: copy."
        ]
    source, target = sides.look(job.source), sides.look(job.target)
    reasons = _not_followed(job, source)
    if job.is_strict:
        reasons += pause.against(job.source)
    if not is_begun:
        reasons += _no_room_here(job, source) + _newer_types(job, source)
        if job.target_keys == jobs.KEEP:
            reasons.append(
                "What the target holds cannot be kept while it follows (migration_transfer_target_keys: keep), as the "
                "stream of writes changes it: choose replace, or migration_transfer: copy."
            )
    return reasons + before.against(job, source, target, is_begun=is_begun)


def _not_followed(job: Job, source: Held) -> list[str]:
    version = source.nodes[0].server.version
    major = int(version.split(".", maxsplit=1)[0] or 0)
    if major < _SINCE:
        return [
            f"The old Redis is of version {version}, and one before {_SINCE}.0 is not followed: choose "
            "migration_transfer: copy."
        ]
    with session(job.source.question()) as connection:
        if following.may_follow(connection, major) == following.NO:
            return [
                "The old Redis lets the user of the app's URL not follow it: let it do so (ACL SETUSER <name> +psync "
                "+replconf), undo a rename-command of PSYNC or REPLCONF, or choose migration_transfer: copy. A managed "
                "cache lets nobody."
            ]
    return []


def _newer_types(job: Job, source: Held) -> list[str]:
    """Where there is a key by which to tell; else the snapshot does."""
    with session(job.source.question()) as here, reached(job.target) as there:
        for database in source.databases:
            here.execute("SELECT", database)
            try:
                version = payload.version_at(here)
            except ServerError:
                return []  # no DUMP for this user
            if version is not None:
                is_taken = payload.is_taken(min(version, payload.LAST_OF_ALL), there)
                return [] if is_taken else [payload.NEWER_TYPES]
    return []


def _no_room_here(job: Job, source: Held) -> list[str]:
    """The snapshot lies on this host until it is in the target, and what is written meanwhile."""
    folder = job.folder
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    disk, size = os.statvfs(folder), source.used_bytes
    free = int(disk.f_bavail * disk.f_frsize - spool.LEAST_FREE * disk.f_blocks * disk.f_frsize)
    if size <= free:
        return []
    return [
        f"The old Redis has {size >> 20:,} MiB, and {job.folder}, where its snapshot lies for a while, has room for "
        f"{max(0, free) >> 20:,}: free space there, or choose another host (migration_transfer_host)."
    ]
