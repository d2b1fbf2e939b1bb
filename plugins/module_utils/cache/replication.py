# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A snapshot of a Redis taken as a replica takes it: the server makes it of its memory, whatever it saves itself.

The handshake: https://redis.io/docs/latest/operate/oss_and_stack/management/replication/. The snapshot (an RDB file)
comes as ``$<length>``, or from a server that does not put it on its disk first as ``$EOF:<40 bytes>``, which end it.
While it is made, empty lines show that the server is alive. Standard library only.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Mapping, Protocol

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import keyspace, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    CacheError,
    Connection,
    NotRedis,
    Reply,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.writes import read_writes, since

# A single PUT of S3 takes 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/upload-objects.html
LARGEST = 5 * 1024**3
CHUNK = 1 << 20
WAIT_SECONDS = 600.0  # for the server to begin; it may be saving for somebody else
_MARK = 40


class SnapshotRefused(CacheError):
    """There will be no snapshot; the text is a sentence for the operator."""


class Forbidden(SnapshotRefused):
    """Nor will there be one later, unless somebody allows it."""


class Link(Protocol):
    """What a snapshot comes over."""

    def execute(self, *arguments: Argument) -> Reply:
        """One command and its answer."""

    def send(self, *arguments: Argument) -> None:
        """One command, whose answer is read otherwise."""

    def read_line(self) -> bytes:
        """The next line; empty where the server only shows that it is alive."""

    def read_some(self, most: int) -> bytes:
        """At least one byte and at most that many, as they come."""


@dataclass(frozen=True)
class Snapshot:
    """``keyspace`` was told in the moment of the snapshot. ``meanwhile`` counts by command what somebody wrote while it
    was taken; ``writes`` is what had been written at its end."""

    sha256: str
    size: int
    keyspace: Mapping[str, Mapping[str, int]]
    writes: Mapping[str, Any]
    meanwhile: Mapping[str, int]


def take(
    link: Link,
    beside: Connection,
    sink: BinaryIO,
    *,
    largest: int = LARGEST,
    clock: Callable[[], float] = time.monotonic,
) -> Snapshot:
    """Write a snapshot to ``sink``. ``beside`` is a second connection to the same server. Raises CacheError."""
    try:
        before = read_writes(beside)
    except ServerError as error:
        _refuse_what_is_forbidden(str(error))
        raise
    begin(link, clock)
    first = parse_info(beside.ask("INFO"))
    digest = hashlib.sha256()

    def keep(data: bytes) -> int:
        digest.update(data)
        return sink.write(data)

    size = receive(link, keep, largest, clock)
    sink.flush()
    writes = read_writes(beside)
    counts = {str(number): found for number, found in keyspace(first).items()}
    return Snapshot(digest.hexdigest(), size, counts, writes, since(before, writes))


def receive(
    link: Link, keep: Callable[[bytes], int], largest: float, clock: Callable[[], float] = time.monotonic
) -> int:
    """Have ``keep`` take what the server sends once it has said that a snapshot comes; its size. Raises CacheError."""
    announced = _announcement(link, clock)
    if announced.startswith(b"EOF:"):
        return _until_mark(link, announced[4:], keep, largest)
    return _counted(link, _length(announced), keep, largest)


def begin(
    link: Link, clock: Callable[[], float] = time.monotonic, replication: str = "?", position: int = -2
) -> list[str]:
    """Ask for all, or for what comes after a position of a replication that is known. The answer's words: FULLRESYNC,
    what the server calls its replication, and the position of the snapshot that follows; or CONTINUE and, from Redis 4,
    what it is called now. Raises CacheError.
    """
    for option in (("capa", "eof"), ("capa", "psync2")):
        try:
            link.execute("REPLCONF", *option)
        except ServerError as error:
            _refuse_what_is_forbidden(str(error))
    link.send("PSYNC", replication, str(position + 1))
    line, deadline = b"", clock() + WAIT_SECONDS
    while not line and clock() < deadline:
        line = link.read_line()
    said = line.decode("utf-8", "replace")
    if line.startswith((b"+FULLRESYNC ", b"+CONTINUE")):
        return said[1:].split()
    _refuse_what_is_forbidden(said[1:])
    raise SnapshotRefused(f"it gives no snapshot ({said[1:]}): let it come to rest, and run this again")


def _refuse_what_is_forbidden(said: str) -> None:
    if said.startswith(("NOPERM", "NOAUTH")) or "unknown command" in said.lower():
        raise Forbidden(
            f"the user of the old URL may not replicate ({said}): let it call PSYNC, REPLCONF, INFO and COMMAND "
            "(ACL SETUSER <name> +psync +replconf +info +command), and undo a rename-command of these"
        )


def _announcement(link: Link, clock: Callable[[], float]) -> bytes:
    deadline = clock() + WAIT_SECONDS
    while clock() < deadline:
        line = link.read_line()
        if line.startswith(b"$"):
            return line[1:]
        if line.startswith(b"-"):
            raise SnapshotRefused(f"it gives no snapshot ({line[1:].decode('utf-8', 'replace')})")
        if line:
            raise NotRedis(f"instead of a snapshot came {line[:20]!r}")
    raise SnapshotRefused(f"it made no snapshot within {WAIT_SECONDS:.0f} s: look at its log, and run this again")


def _length(announced: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,19}", announced):
        raise NotRedis(f"as the length of its snapshot came {announced[:20]!r}")
    return int(announced)


def _refuse_large(size: int, largest: float) -> None:
    if size > largest:
        raise SnapshotRefused(
            f"its snapshot is larger than {largest / 1024**3:g} GiB, which is what one upload to S3 takes. Copy its "
            "RDB file to S3 yourself (redis-cli --rdb - | aws s3 cp - s3://…), and waive this backup: "
            "migration_decommission_waive: [backup]"
        )


def _counted(link: Link, length: int, keep: Callable[[bytes], int], largest: float) -> int:
    _refuse_large(length, largest)
    left = length
    while left:
        left -= keep(link.read_some(min(left, CHUNK)))
    return length


def _until_mark(link: Link, mark: bytes, keep: Callable[[bytes], int], largest: float) -> int:
    """The end is where the last bytes are the mark: nothing follows them before the first REPLCONF ACK."""
    held, size = b"", 0
    while held[-_MARK:] != mark:
        held += link.read_some(CHUNK)
        whole = held[:-_MARK]
        size += keep(whole)
        held = held[-_MARK:]
        _refuse_large(size, largest)
    return size


def counts_differ(expected: Mapping[str, Mapping[str, int]], found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """A phrase for each database whose keys are not those expected. Keys with a TTL may have expired meanwhile."""
    phrases = []
    for number in sorted({*expected, *found}, key=int):
        was, now = expected.get(number, {}), found.get(number, {})
        lasting, lasting_now = _lasting(was), _lasting(now)
        if lasting != lasting_now or now.get("count", 0) > was.get("count", 0):
            phrases.append(
                f"database {number} had {was.get('count', 0)} keys, {lasting} of them without a TTL, and now "
                f"{now.get('count', 0)} and {lasting_now}"
            )
    return phrases


def _lasting(counts: Mapping[str, int]) -> int:
    return counts.get("count", 0) - counts.get("expires", 0)
