# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The snapshot in the spool, written into the target while it still comes. Standard library only.

A value goes as the payload that RESTORE takes, and a string that is not compressed by SET, which needs no checksum.
Nothing tells the target for how long a key lay idle: what it evicts first it learns anew.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Iterator

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError, encode
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import payload, rdb
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.crc64 import SIZE, crc64
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import MARK
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.apply import (
    raise_if_it_is_not_about_the_command,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import GRACE_MS
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import Spool
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.mark import Mark
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link, raw

_WINDOW = 1 << 20
_HEAD = 1 << 16  # in which a snapshot has told what it is
LARGE = 8 << 20  # a value that is not held as a whole
_PIECE = 1 << 20
_MOST = 512 << 20  # what an engine takes as one argument (proto-max-bulk-len)
_SELECT_0 = encode(["SELECT", 0])


@dataclass
class Loaded:
    """What is in the target so far."""

    keys: int = 0
    total: int = 0
    size: int = 0
    left_out: list[tuple[bytes, str]] = field(default_factory=list)


@dataclass
class _Sent:
    """Commands that are yet to be answered; ``keys`` are of those that write one."""

    keys: list[bytes | None] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, part: bytes, key: bytes | None = None) -> None:
        self.parts.append(part)
        self.keys.append(key)


class Load:
    """``step`` writes some of it, until there is no more: ``mark`` is up to where the target has it."""

    def __init__(
        self, link: Link, spool: Spool, mark: Mark, version: int, loaded: Loaded, *, sets_expiry: bool, most_keys: int
    ) -> None:
        self._link, self._spool, self._version = link, spool, version
        self._most_keys = most_keys or 1 << 30  # of a step
        self._sets_expiry = sets_expiry  # SET has PXAT: from 6.2
        self.mark = mark
        self._at = mark.at
        self._snapshot = rdb.Snapshot()
        self._window = _WINDOW
        self._outstanding: _Sent | None = None
        self._outstanding_mark = mark
        self.loaded = loaded if mark.at else Loaded()
        self._begun = False

    @property
    def is_done(self) -> bool:
        return self._snapshot.is_ended and self._outstanding is None

    @property
    def database(self) -> int:
        """The one that is selected where the stream goes on: another than 0 where the source is a replica itself."""
        return max(0, int(self._snapshot.aux.get(b"repl-stream-db", 0)))

    def refuse_another_than(self, position: int) -> None:
        """Where it says itself that it was made at another position of the source's writes. Raises NotASnapshot."""
        told = int(self._snapshot.aux.get(b"repl-offset", position))
        if told != position:
            raise rdb.NotASnapshot(f"it was made at position {told} of its writes, and {position} had been said")

    def step(self, seconds: float) -> None:
        """Raises CacheError, TransferRefused, rdb.NotASnapshot, Restarted."""
        if not self._begun:
            self._begin()
        data = b"" if self._snapshot.is_ended else self._read(self._at, self._window)
        entries, end = self._snapshot.parse(data, 0, len(data), self._most_keys) if data else ([], 0)
        if min(self._snapshot.version, payload.LAST_OF_ALL) > self._version:
            raise TransferRefused(payload.NEWER_TYPES)
        self._libraries()
        if end:
            self._at += end
            self._window = _WINDOW
            self._send(data, entries)
        elif self._snapshot.is_ended:
            self._settle()
        elif len(data) >= LARGE:
            self._large(seconds)
        elif len(data) == self._window:
            self._window *= 2
        else:
            self._settle()
            self._wait(len(data), seconds)

    def _begin(self) -> None:
        """What it is, is told at its begin alone, where one that is gone on with is not read again."""
        if self._at:
            head = self._read(0, min(_HEAD, self._at))
            self._snapshot.parse(head, 0, len(head))
            self._snapshot.database, self._snapshot.is_ended = self.mark.database, False
            self._snapshot.libraries, self._snapshot.scripts = [], []
        self._begun = True

    def _read(self, start: int, size: int) -> bytes:
        return self._spool.snapshot(self.mark.history, start, size)

    def _wait(self, have: int, seconds: float) -> None:
        about = self._spool.about
        if about.is_whole and about.size <= self._at + have and about.history == self.mark.history:
            raise rdb.NotASnapshot(f"it ends at byte {about.size:,} in the middle of a value")
        self._spool.wait_for_snapshot(self.mark.history, self._at + have, seconds)

    def _send(self, data: bytes, entries: list[rdb.Entry]) -> None:
        """Send these, and hear of those that were sent before: the target works while the next are made."""
        sent = _Sent()
        sent.add(_SELECT_0)
        sent.add(encode(["SET", MARK, str(self.mark)]))  # of what is known to be there, not of what goes with it
        for database, group in itertools.groupby(entries, lambda entry: entry.database):
            sent.add(encode(["SELECT", database]))
            self._commands(data, list(group), sent)
        mark = Mark(self.mark.history, self._at, self._snapshot.database)
        whole = b"".join(sent.parts)
        sent.parts, sent.size = [], len(whole)
        self._link.send(whole)
        self._settle()
        self._outstanding, self._outstanding_mark = sent, mark

    def _commands(self, data: bytes, entries: list[rdb.Entry], sent: _Sent) -> None:
        restored: list[rdb.Entry] = []
        for entry in entries:
            is_set = entry.type == rdb.STRING and (self._sets_expiry or entry.expires_ms < 0)
            value = rdb.text(data, entry) if is_set else None
            if value is None:
                restored.append(entry)
            else:
                sent.add(_set(entry, value), entry.key)
        bodies = [b"%c" % entry.type + data[entry.start : entry.end] for entry in restored]
        for entry, whole in zip(restored, rdb.payloads(bodies, self._version)):
            sent.add(_restore_begin(entry, len(whole)) + whole + _RESTORE_END, entry.key)

    def _settle(self) -> None:
        sent, self._outstanding = self._outstanding, None
        if sent is None:
            return
        keys = [key for key in sent.keys if key is not None]
        for place, refusal in self._link.refused(len(sent.keys)):
            key = sent.keys[place]
            raise_if_it_is_not_about_the_command(str(refusal))
            if key is None:
                raise TransferRefused(f"the target refuses what a transfer needs ({refusal})")
            self.loaded.left_out.append((key, str(refusal)))
        self.loaded.keys += len(keys)
        self.loaded.size += sent.size
        self.loaded.total = max(self.loaded.total, self._snapshot.sizes)
        self.mark = self._outstanding_mark

    # --- what is too large to be held ---

    def _large(self, seconds: float) -> None:
        self._settle()
        size = self._spool.about.size
        if not self._spool.about.is_whole:  # until it is, nobody knows where the value ends
            self._spool.wait_for_snapshot(self.mark.history, size, seconds)
            return
        entries, end = self._snapshot.parse(rdb.Pages(self._read), self._at, size, most=1)
        if not entries:
            raise rdb.NotASnapshot(f"it ends at byte {size:,} in the middle of a value")
        entry = entries[0]
        self._refuse_what_no_engine_takes(entry)
        self._link.send(encode(["SELECT", entry.database]))
        for part in self._parts(entry):
            self._link.send(part)
        self._at = end
        sent = _Sent([None, entry.key], size=entry.end - entry.start)
        self._outstanding, self._outstanding_mark = sent, Mark(self.mark.history, end, self._snapshot.database)
        self._settle()

    def _refuse_what_no_engine_takes(self, entry: rdb.Entry) -> None:
        if entry.end - entry.start + 1 + rdb.PAYLOAD_END > _MOST:
            raise TransferRefused(
                f"the value of the key {entry.key[:60]!r} is {(entry.end - entry.start) >> 20} MiB as one piece, and "
                "no engine takes more than 512: take it apart or remove it, or choose migration_transfer: copy, which "
                "goes by parts."
            )

    def _parts(self, entry: rdb.Entry) -> Iterator[bytes]:
        """The command, a piece after the other."""
        start, length = entry.start, entry.end - entry.start
        if entry.type == rdb.STRING and self._read(start, 1) < b"\xc0":
            length, start = rdb.length(self._read(start, 9), 0)
            start += entry.start
            yield _set_begin(entry, length)
            yield from self._pieces(start, start + length)
            yield _set_end(entry)
            return
        yield _restore_begin(entry, 1 + length + rdb.PAYLOAD_END)
        checksum, kind = 0, b"%c" % entry.type
        for piece in self._pieces(start, entry.end):
            checksum, kind, whole = crc64(kind + piece, checksum), b"", kind + piece
            yield whole
        version = self._version.to_bytes(2, "little")
        yield version + crc64(version, checksum).to_bytes(SIZE, "little") + _RESTORE_END

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        for place in range(start, end, _PIECE):
            yield self._read(place, min(_PIECE, end - place))

    def _libraries(self) -> None:
        """Functions and scripts, which are no keys."""
        libraries, self._snapshot.libraries = self._snapshot.libraries, []
        scripts, self._snapshot.scripts = self._snapshot.scripts, []
        wanted: list[tuple[str | bytes, ...]] = [("FUNCTION", "LOAD", "REPLACE", code) for code in libraries]
        wanted += [("SCRIPT", "LOAD", script) for script in scripts]
        if wanted:
            self._settle()
        for command in wanted:
            try:
                self._link.execute(*command)
            except ServerError as error:
                raise_if_it_is_not_about_the_command(str(error))
                self.loaded.left_out.append((b"", f"{command[0]!s} LOAD was refused: {error}"))


def _until(entry: rdb.Entry) -> int:
    return entry.expires_ms + GRACE_MS


def _set(entry: rdb.Entry, value: bytes) -> bytes:
    return _set_begin(entry, len(value)) + value + _set_end(entry)


def _set_begin(entry: rdb.Entry, size: int) -> bytes:
    words = 3 if entry.expires_ms < 0 else 5
    return b"*%d\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n" % (words, len(entry.key), entry.key, size)


def _set_end(entry: rdb.Entry) -> bytes:
    return b"\r\n" if entry.expires_ms < 0 else b"\r\n$4\r\nPXAT\r\n" + raw(b"%d" % _until(entry))


_RESTORE_END = b"\r\n$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n"


def _restore_begin(entry: rdb.Entry, size: int) -> bytes:
    until = b"0" if entry.expires_ms < 0 else b"%d" % _until(entry)
    return b"*6\r\n$7\r\nRESTORE\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$%d\r\n" % (
        len(entry.key),
        entry.key,
        len(until),
        until,
        size,
    )
