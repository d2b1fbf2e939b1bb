# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strategy copy: all keys of all databases are read (SCAN, DUMP) and written (RESTORE), while the source is in use.

What is written at the source after it was copied does not come along: cache_verify names it, and following (live) is
for data that must not lack it. A run that was killed goes on where all before it is known to be at the target. Where an
engine was started anew, or a replica took its place, cursors mean nothing any more, or what was confirmed may be lost:
then all is copied once more.
"""

from __future__ import annotations

import contextlib

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    before,
    guard,
    payload,
    sides,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.copier import Ways
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.copy.copying import STATE, Copying
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Tell
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.sides import Held

_NO_SUCH_KEY = "cache_migration:probe:no-such-key"
_SHORT_BYTES = 4096  # of a key, on average: where it is more, most texts would be asked for twice


def check(job: Job) -> list[str]:
    source, target = sides.look(job.source), sides.look(job.target)
    reasons = before.against(job, source, target, is_begun=bool(jobs.read(job.folder, STATE)))
    if not reasons and source.keys:
        try:
            ways_of(job, source, target)
        except TransferRefused as refused:
            reasons.append(str(refused))
    return reasons


# --- how ---


def ways_of(job: Job, source: Held, target: Held) -> Ways:
    """By what both engines really do. Raises TransferRefused, CacheError."""
    with contextlib.ExitStack() as stack:
        here = [connection for connection, _slots in stack.enter_context(sides.primaries(job.source)).values()]
        there = stack.enter_context(reached(job.target))
        for connection in here:
            _refuse_without_ping(connection)
        replaces, splices = job.target_keys != jobs.KEEP, _splices(here, source, there)
        idle_word = _idle_word(source, target)
        may_be_texts = replaces and splices and not idle_word and source.used_bytes < source.keys * _SHORT_BYTES
        return Ways(
            replaces=replaces,
            splices=splices,
            has_expiretime=all(sides.knows(connection, "PEXPIRETIME", _NO_SUCH_KEY) for connection in here),
            tells_texts=may_be_texts and all(map(_tells_texts, here)) and payload.is_text_taken(there),
            idle_word=idle_word,
            most_keys=guard.most_keys(job.latency_limit_ms),
        )


def _splices(here: list[Connection], source: Held, there: Reach) -> bool:
    for connection, node in zip(here, source.nodes):
        for database in node.databases:
            connection.execute("SELECT", database)
            try:
                version = payload.version_at(connection)
            except ServerError:
                return False  # no DUMP for this user: then by what keys hold
            if version is not None:
                return payload.is_taken(version, there)
    return True


def _tells_texts(source: Connection) -> bool:
    """SCAN has TYPE from Redis 6.0 on."""
    scan = ("SCAN", 0, "COUNT", 1, "TYPE", "string")
    return sides.knows(source, "GETRANGE", _NO_SUCH_KEY, 0, 1) and sides.knows(source, *scan)


def _refuse_without_ping(source: Connection) -> None:
    if not sides.knows(source, "PING", "1"):
        raise TransferRefused(
            "The user of the app's URL may not call PING at the old Redis, by which a copy knows its answers apart: "
            "let it (ACL SETUSER <name> +ping), or choose migration_transfer: cold."
        )


def _idle_word(source: Held, target: Held) -> str:
    """What the source can tell of a key's use and the target evicts by."""
    policies = {node.policy.rpartition("-")[2] for node in source.nodes}
    wanted = {node.policy.rpartition("-")[2] for node in target.nodes}
    if wanted == {"lfu"} and policies == {"lfu"}:
        return "FREQ"
    return "IDLETIME" if wanted == {"lru"} and "lfu" not in policies else ""


def run(job: Job, tell: Tell) -> None:
    Copying(job, tell, ways_of).run()


def finish(job: Job) -> None:
    """It ends by itself."""


def abort(job: Job) -> list[str]:
    state = jobs.read(job.folder, STATE)
    if not state:
        return []
    if not state["was_empty"]:
        return [
            f"What was copied stays at {job.target.place}: it held keys before, from which the copied ones cannot be "
            "told."
        ]
    return before.emptied(job, state.get("functions", ()))
