# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the source sends to its follower, on the disk of this host until it is in the target: a snapshot, and after it
the stream of writes by its position. Standard library only.

So the source is rid of its snapshot as fast as it can send, its buffers stay small however long the target takes, and
whoever goes on after a kill has both. Files are of mode 0600 in the folder of the job: ``snapshot.<history>``, and
pieces of the stream ``stream.<history>.<position of the first byte>``. No name is ever used twice, so what is left of
another snapshot cannot be taken for a part of this one. One thread adds, another reads.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs

SEGMENT = 64 << 20
# Of what was applied, so that a target that fails over to a replica which has less of it can be given the rest.
KEPT = 2 * SEGMENT
LEAST_FREE = 0.05  # of the disk, which is left to the host
_ABOUT, _SNAPSHOT, _STREAM = "spool.json", "snapshot.", "stream."
_BOOT = "/proc/sys/kernel/random/boot_id"


class Restarted(Exception):
    """The source gave a new snapshot: what was read before is of no use any more."""


@dataclass(frozen=True)
class About:
    """What the files are of. ``history`` is an id of the snapshot, ``replication`` what the source calls its writes
    now, ``position`` where the stream begins. What a host that went down left may lack its ends: ``boot`` tells.
    """

    history: str = ""
    replication: str = ""
    position: int = 0
    size: int = 0
    is_whole: bool = False
    boot: str = ""


class Spool:
    def __init__(self, folder: str, segment: int = SEGMENT) -> None:
        self._folder, self._segment = folder, segment
        self._changed = threading.Condition()
        self._writing: Any = None
        self._starts: list[int] = []
        self.end = 0
        told = jobs.read(folder, _ABOUT)
        self.about = About(**{item.name: told[item.name] for item in fields(About) if item.name in told})
        if not (self.about.is_whole and self.about.boot == _boot() and self._find()):
            self.about = About()
            self._remove()

    def _find(self) -> bool:
        """The stream as it lies there; false where something of it or of the snapshot is lacking."""
        if self.has_snapshot() and os.path.getsize(self._snapshot) != self.about.size:
            return False
        first = self._piece(0).rstrip("0123456789")
        found = sorted(os.path.join(self._folder, name) for name in os.listdir(self._folder))
        pieces = [(int(path[len(first) :]), os.path.getsize(path)) for path in found if path.startswith(first)]
        self._starts = [start for start, _size in pieces]
        ends = [start + size for start, size in pieces]
        self.end = ends[-1] if ends else self.about.position
        return self._starts[1:] == ends[:-1]

    # --- by who receives ---

    def begin(self, history: str, replication: str, position: int) -> None:
        """A new snapshot comes. All that was is gone, which is said first: who is killed meanwhile has neither."""
        with self._changed:
            self.about = About(history, replication, position, boot=_boot())
            jobs.write(self._folder, _ABOUT, asdict(self.about))
            self._remove()
            self.end = position
            self._writing = _opened(self._snapshot)
            self._changed.notify_all()

    def add_to_snapshot(self, data: bytes) -> int:
        _write(self._writing, data)
        with self._changed:
            self.about = _with(self.about, size=self.about.size + len(data))
            self._changed.notify_all()
        return len(data)

    def end_snapshot(self) -> None:
        with self._changed:
            self._writing.close()
            self._writing = None
            self.about = _with(self.about, is_whole=True)
            jobs.write(self._folder, _ABOUT, asdict(self.about))
            self._changed.notify_all()

    def begin_anew(self, history: str) -> None:
        """What is there of that is of no use to the target: a new snapshot is wanted. Who receives takes it away."""
        with self._changed:
            if self.about.history == history:
                self.about = About()
                self._changed.notify_all()

    def go_on(self, replication: str) -> None:
        """The source goes on with its stream, under that name."""
        with self._changed:
            self.about = _with(self.about, replication=replication)
            jobs.write(self._folder, _ABOUT, asdict(self.about))

    def add(self, data: bytes) -> None:
        """More of the stream."""
        if self._writing is None or self.end - self._starts[-1] >= self._segment:
            if self._writing is not None:
                self._writing.close()
            self._writing = _opened(self._piece(self.end))
            with self._changed:
                if self.end not in self._starts[-1:]:  # one that was begun and got nothing is gone on with
                    self._starts.append(self.end)
        _write(self._writing, data)
        with self._changed:
            self.end += len(data)
            self._changed.notify_all()

    def has_room(self) -> bool:
        """Whether the disk has, beyond what is left to the host."""
        disk = os.statvfs(self._folder)
        return disk.f_bavail > LEAST_FREE * disk.f_blocks

    def stop_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    # --- by who applies ---

    @property
    def start(self) -> int:
        """Where the stream that is kept begins."""
        with self._changed:
            return self._starts[0] if self._starts else self.about.position

    def wait_for_snapshot(self, history: str, size: int, seconds: float) -> None:
        """Until more of it than that is there, or it is whole, or time is up."""
        with self._changed:
            self._changed.wait_for(
                lambda: self.about.history != history or self.about.size > size or self.about.is_whole, seconds
            )

    def wait_for_stream(self, history: str, position: int, seconds: float) -> None:
        """Until there is more of it, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self.about.history != history or self.end > position, seconds)

    def wait_for_history(self, seconds: float) -> str:
        """What is followed; empty where no snapshot began within that time."""
        with self._changed:
            self._changed.wait_for(lambda: self.about.history, seconds)
            return self.about.history

    def snapshot(self, history: str, start: int, size: int) -> bytes:
        """A part of it, as much of it as there is. Raises Restarted."""
        with self._changed:
            self._expect(history)
            size = min(size, self.about.size - start)
            file = os.open(self._snapshot, os.O_RDONLY)
        with contextlib.closing(_Closing(file)):
            return os.pread(file, max(0, size), start)

    def read(self, history: str, position: int, most: int) -> bytes:
        """The stream from there on, as much of it as there is. Raises Restarted."""
        with self._changed:
            self._expect(history)
            start = max((start for start in self._starts if start <= position), default=-1)
            if start < 0 or position >= self.end:
                return b""
            file = os.open(self._piece(start), os.O_RDONLY)
        with contextlib.closing(_Closing(file)):
            return os.pread(file, min(most, self.end - position), position - start)

    def forget(self, position: int) -> None:
        """What was before it, but for what is kept, and the snapshot, which is in the target."""
        with self._changed:
            while len(self._starts) > 1 and self._starts[1] <= position - KEPT:
                os.unlink(self._piece(self._starts.pop(0)))

    def has_snapshot(self) -> bool:
        return os.path.exists(self._snapshot)

    def open_snapshot(self, history: str) -> int:
        """To be read as a whole, whatever becomes of it meanwhile. Raises Restarted."""
        with self._changed:
            self._expect(history)
            return os.open(self._snapshot, os.O_RDONLY)

    def forget_snapshot(self, history: str) -> None:
        """It is in the target."""
        with self._changed, contextlib.suppress(FileNotFoundError):
            self._expect(history)
            os.unlink(self._snapshot)

    def _expect(self, history: str) -> None:
        if self.about.history != history:
            raise Restarted

    @property
    def _snapshot(self) -> str:
        return os.path.join(self._folder, _SNAPSHOT + self.about.history)

    def _piece(self, start: int) -> str:
        return os.path.join(self._folder, f"{_STREAM}{self.about.history}.{start:020d}")

    def _remove(self) -> None:
        self.stop_writing()
        self._starts = []
        with contextlib.suppress(FileNotFoundError):  # of the folder
            for name in os.listdir(self._folder):
                if name.startswith((_STREAM, _SNAPSHOT)):
                    os.unlink(os.path.join(self._folder, name))

    def remove(self) -> None:
        """All of it: the data of the app does not stay behind."""
        with self._changed:
            self._remove()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self._folder, _ABOUT))


class _Closing:
    def __init__(self, file: int) -> None:
        self._file = file

    def close(self) -> None:
        os.close(self._file)


def _with(about: About, **changed: Any) -> About:
    return About(**{**asdict(about), **changed})


def _write(file: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _opened(path: str) -> Any:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    return open(file, "ab", buffering=0)


def _boot() -> str:
    try:
        with open(_BOOT, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
