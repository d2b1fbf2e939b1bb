# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A pause of an engine's writes: whether there can be one, and one that is short and renewed, so that it runs out by
itself where whoever renews it is gone. Standard library only.

https://redis.io/docs/latest/commands/client-pause/
"""

from __future__ import annotations

import time

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.board import NotHeld
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS_CLUSTER

PAUSE_MS, RENEW_SECONDS = 2000, 0.4


def against(source: Side) -> list[str]:
    """Why its writes cannot be held. Changes nothing: what is asked for has no time to last. Raises ProbeFailed,
    CacheError.
    """
    instead = "Set migration_consistency: eventual."
    if source.protocol == REDIS_CLUSTER:
        return [
            f"Writes are held on one engine (migration_consistency: strict), and the old one is a cluster. {instead}"
        ]
    with session(source.question()) as connection:
        try:
            connection.execute("CLIENT", "PAUSE", "no-time", "WRITE")
        except ServerError as error:
            told = str(error)
            if "timeout" in told:
                return []
        version = str(parse_info(connection.ask("INFO", "server")).get("redis_version", "0"))
    if told.startswith("NOPERM"):
        return [
            f"The old Redis does not let the user of the app's URL hold its writes ({told}), which "
            "migration_consistency: strict needs: allow it (ACL SETUSER <name> +client|pause +client|unpause). Or "
            f"{_lowered(instead)}"
        ]
    return [
        f"The old Redis is of version {version}, and its writes alone cannot be held ({told}): that came with 6.2. "
        "What came before stops reads too, and our own questions, and cannot be ended early. Upgrade it first, or "
        f"{_lowered(instead)}"
    ]


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


class Pause:
    """Of the source's writes, as a context: whatever happens in it, they are let go. Raises CacheError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._renewed = 0.0
        self.began = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Pause:
        self.began = self._renewed = time.monotonic()
        self._send()
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self._connection.execute("CLIENT", "UNPAUSE")
            self.seconds = time.monotonic() - self.began
        except CacheError:  # it runs out by itself
            self.seconds = self._renewed + PAUSE_MS / 1000 - self.began

    def renew(self, after: float = RENEW_SECONDS) -> None:
        """Where that is due. Raises NotHeld where it may have run out meanwhile."""
        now = time.monotonic()
        if now - self._renewed < after:
            return
        self._send()
        self.refuse_late(PAUSE_MS)
        self._renewed = now

    def refuse_late(self, most_ms: int) -> None:
        """Raises NotHeld where it was renewed longer ago than that."""
        if (time.monotonic() - self._renewed) * 1000 > most_ms:
            raise NotHeld("the pause was renewed too late, so that it may have run out for a moment")

    def _send(self) -> None:
        self._connection.execute("CLIENT", "PAUSE", PAUSE_MS, "WRITE")
