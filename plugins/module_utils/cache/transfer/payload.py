# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether the target takes what DUMP of the source gives. Asked of both, as versions of engines tell too little.

A payload ends with the version of its format (two bytes) and a checksum; RESTORE refuses one that is newer than its
own, and engines that parted ways use numbers of their own. https://redis.io/docs/latest/commands/dump/
"""

from __future__ import annotations

import secrets
import time

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach

_TRIES = 20  # keys that are gone again by the time they are asked for
_MOST_BYTES = 1 << 20  # of a value that is asked for merely for its version
_KEPT_MS = 3_600_000  # what a run that is killed leaves behind is gone after this, whatever clocks say
_PROBE = "cache_migration:probe:"
LAST_OF_ALL = 11  # newer ones have no types that are new, but for fields of hashes that expire
NEWER_TYPES = (
    "The old Redis keeps values in forms that are newer than the target's engine, so they cannot be given to it as "
    "they are: choose a target of its version or newer, or migration_transfer: copy, which takes values apart."
)
_STRING = b"\x00\x011"  # type string, one byte, "1"


def version_at(source: Connection) -> int | None:
    """Of a real payload of the selected database; None where there is no key to be asked for. Raises ServerError
    where it gives none.
    """
    for _try in range(_TRIES):
        key = source.execute("RANDOMKEY")
        if not isinstance(key, bytes):
            return None
        payload = source.execute("DUMP", key) if _weight(source, key) < _MOST_BYTES else None
        if isinstance(payload, bytes):
            return rdb.version_of(payload)
    return None


def _weight(source: Connection, key: bytes) -> int:
    try:
        told = source.execute("MEMORY", "USAGE", key)
    except ServerError:
        return 0
    return told if isinstance(told, int) else 0


def is_taken(version: int, target: Reach) -> bool:
    """Whether the target takes a small payload of that version, written as all will be and taken away again. Raises
    ServerError where it is refused for another reason.
    """
    key = f"{_PROBE}{secrets.token_hex(8)}".encode()
    [payload] = rdb.payloads([_STRING], version)
    expires = int(time.time() * 1000) + _KEPT_MS
    told = target.ask([(key, ("RESTORE", key, expires, payload, "REPLACE", "ABSTTL")), (key, ("DEL", key))])[0]
    if isinstance(told, ServerError) and not is_refusal(told):
        raise told
    return not isinstance(told, ServerError)


def is_text_taken(target: Reach) -> bool:
    """Whether SET takes a time of expiry there, as it does from Redis 6.2 on."""
    key = f"{_PROBE}{secrets.token_hex(8)}".encode()
    asked = ("SET", key, "1", "PXAT", int(time.time() * 1000) + _KEPT_MS)
    return not isinstance(target.ask([(key, asked), (key, ("DEL", key))])[0], ServerError)


def is_refusal(error: ServerError) -> bool:
    """Whether the payload itself is what the target does not take; the same value may go another way."""
    said = str(error).lower()
    return any(phrase in said for phrase in ("dump payload", "bad data format", "syntax error", "unknown command"))
