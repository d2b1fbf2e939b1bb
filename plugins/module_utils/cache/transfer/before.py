# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Of every strategy that writes to the target: what is against it, before and while it goes on, and its way back."""

from __future__ import annotations

from typing import Collection

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import sides, users
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import reached
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.sides import Held
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values import functions
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

ROOM = 0.9  # of the target's memory, which the data may take: it needs some for its clients


def against(job: Job, source: Held, target: Held, *, is_begun: bool) -> list[str]:
    """Reasons, each a sentence with its remedy. What a transfer that was begun brought itself is none."""
    reasons = _same(source, target)
    if reasons:
        return reasons
    if not is_begun:
        reasons = _holds_keys(job, target) + _no_room(job, source, target)
    return reasons + _unserved_databases(job, source, target) + _functions(job)


def _same(source: Held, target: Held) -> list[str]:
    if {node.run_id for node in source.nodes} & {node.run_id for node in target.nodes} - {""}:
        return [
            "Source and target are the same engine: the app's value leads to the target already, so there is nothing "
            "to copy."
        ]
    return []


def _holds_keys(job: Job, target: Held) -> list[str]:
    if not target.keys or job.target_keys != jobs.REFUSE:
        return []
    return [
        f"The target at {job.target.place} holds {target.keys:,} keys already, and whose they are is not known. Empty "
        "it, or say what to do with them: migration_transfer_target_keys: keep (those stay as they are) or replace "
        "(those with the name of a key of the old Redis are overwritten)."
    ]


def _no_room(job: Job, source: Held, target: Held) -> list[str]:
    most = sum(node.most_bytes for node in target.nodes)
    if not most or source.used_bytes + target.used_bytes <= most * ROOM:
        return []
    return [
        f"The source's data takes {_mib(source.used_bytes)}, and the target at {job.target.place} has {_mib(most)}, of "
        f"which {_mib(target.used_bytes)} are taken: give it more memory (migration_cache_node_type, or more shards), "
        "or have less to copy."
    ]


def _mib(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"


def _unserved_databases(job: Job, source: Held, target: Held) -> list[str]:
    wanted = [number for number in source.databases if number]
    if not wanted:
        return []
    unserved = list(wanted)
    if len(target.nodes) == 1:
        with sides.primaries(job.target, "primary") as found:
            [(connection, _slots)] = found.values()
            unserved = [number for number in wanted if not sides.serves(connection, number)]
    if not unserved:
        return []
    named = ", ".join(f"{number} ({source.databases[number]:,} keys)" for number in unserved)
    return [
        f"The source has keys in databases that the target does not serve: {named}. Raise the parameter 'databases' in "
        "its parameter group (where cluster mode is disabled), choose a target with as many, or move these keys to "
        "database 0 first."
    ]


def _functions(job: Job) -> list[str]:
    with reached(job.source) as here, reached(job.target) as there:
        named = {name.decode("utf-8", "replace") for link in here.links for name in functions.look(link)}
        if not named:
            return []
        try:
            there.links[0].execute("FUNCTION", "LIST")
        except ServerError as error:
            return [
                f"The source has libraries of functions ({', '.join(sorted(named))}), and the target takes none "
                f"({error}): choose one of version 7.0 or newer, or delete those that the app does not call (FUNCTION "
                "DELETE)."
            ]
    return []


# --- while it goes on ---


def refuse_evictions(before: int, now: int) -> None:
    """By the target's own counts. Raises TransferRefused."""
    if now > before:
        raise TransferRefused(
            f"the target evicted {now - before:,} keys while data was copied into it, so it lacks some: give it more "
            "memory (migration_cache_node_type, or more shards), end this (state: absent), and begin again."
        )


# --- back ---


def emptied(job: Job, libraries: Collection[str]) -> list[str]:
    """The target as it was, empty and without these libraries of functions, and what is said of that. Raises
    TransferRefused where somebody uses it.
    """
    held = sides.look(job.target)
    with sides.primaries(job.target, "primary") as found:
        connections = [connection for connection, _slots in found.values()]
        users.refuse(job, connections)
        for connection in connections:
            for database in sorted({*held.databases, 0}):
                if sides.serves(connection, database):
                    connection.execute("FLUSHDB", "ASYNC")
            there = functions.look(Link(connection)) if libraries else {}
            for name in libraries:
                if name.encode() in there:
                    connection.execute("FUNCTION", "DELETE", name)
    return [f"{held.keys:,} keys were taken away at {job.target.place}, which was empty before."]
