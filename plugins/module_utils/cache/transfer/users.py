# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who uses the target: what they rely on is not taken away."""

from __future__ import annotations

from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client, read_clients
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import Connection, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job

OURS = "cache_migration:"  # the name of a connection of a transfer begins so
_SOCKET = "/"  # the path of one on the engine's own machine: who runs a managed cache looks at it so
_SLOTS = {"cluster", "cluster|slots"}  # all that our own connection to the entry of a cluster asks


def refuse(job: Job, connections: Sequence[Connection]) -> None:
    """Where anybody but us is connected, or nobody is told who is. Raises TransferRefused, CacheError."""
    try:
        others = seen(connections)
    except ServerError:
        raise TransferRefused(
            f"who uses the target at {job.target.place} is not told to this user (CLIENT LIST), so what was copied is "
            "not taken away: do so yourself (FLUSHALL) where nobody uses it."
        )
    if others:
        raise TransferRefused(
            f"the target at {job.target.place} is in use from {', '.join(sorted(others))}, so what was copied is not "
            "taken away: put these back first (playbooks/rollback.yml)."
        )


def seen(connections: Sequence[Connection]) -> set[str]:
    """The addresses of others than us. Raises CacheError."""
    return {client.address for connection in connections for client in read_clients(connection) if _is_a_user(client)}


def _is_a_user(client: Client) -> bool:
    asks_for_slots = client.connections == 1 and set(client.commands) <= _SLOTS
    is_ours = client.name.startswith(OURS)
    return not (is_ours or client.replica or client.monitor or client.address.startswith(_SOCKET) or asks_for_slots)
