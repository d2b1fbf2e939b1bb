# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The link to the source, as a follower of it: a snapshot, then the stream of its writes, into the spool.

It is taken up again where it was after a cut, for as long as the source has what is lacking (repl-backlog-size), and
with a new snapshot where it has not. What is acknowledged to the source is what was applied, so that its own
INFO replication tells the truth. Standard library only.

https://redis.io/docs/latest/operate/oss_and_stack/management/replication/
"""

from __future__ import annotations

import collections
import contextlib
import secrets
import select
import socket
import ssl
import threading
import time
from typing import Callable, NamedTuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import replication
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Info, parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    Argument,
    CacheError,
    Connection,
    ConnectionLost,
    NoAnswer,
    Reply,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.spool import Spool

_CHUNK = 1 << 20
_ACK_SECONDS = 1.0
# A source shows that it is alive every repl-ping-replica-period, 10 s unless it is set, and takes a follower for dead
# after repl-timeout, 60 s.
_SILENCE_SECONDS = 30.0
_PATIENCE_SECONDS = 60.0  # with each part of a handshake
_LONGEST_PAUSE = 2.0
MOST_BROKEN = 5  # snapshots that do not come to their end, one after the other


class Refused(Exception):
    """It is not gone on with by itself; the text is a sentence for the operator."""


class Place(NamedTuple):
    """Of the stream: a position, and the database that is selected there."""

    position: int
    database: int


Applied = Callable[[], Place]


class Link:
    """A connection that is logged in, of which from here on is read what comes, and no more. For replication.Link."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._socket: socket.socket = connection.socket
        self._socket.settimeout(_PATIENCE_SECONDS)
        self._data = b""
        self.heard = time.monotonic()

    def execute(self, *arguments: Argument) -> Reply:
        return self._connection.execute(*arguments)

    def send(self, *arguments: Argument) -> None:
        self._connection.send(*arguments)

    def read_line(self) -> bytes:
        while b"\n" not in self._data:
            self._data += self._received()
        line, self._data = self._data.split(b"\n", 1)
        return line.rstrip(b"\r")

    def read_some(self, most: int) -> bytes:
        if not self._data:
            self._data = self._received()
        some, self._data = self._data[:most], self._data[most:]
        return some

    def has_more(self, seconds: float) -> bool:
        """Whether something comes within that time."""
        if self._data or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def _received(self) -> bytes:
        try:
            data = self._socket.recv(_CHUNK)
        except socket.timeout:
            raise NoAnswer(f"nothing came within {self._socket.gettimeout():g} s")
        except OSError as error:
            raise ConnectionLost(str(error))
        if not data:
            raise ConnectionLost("the server closed the connection")
        self.heard = time.monotonic()
        return data


class Follower(threading.Thread):
    """Fills the spool until it is stopped. ``applied`` tells up to where the target has it, ``may_begin`` whether a new
    snapshot may take the place of what there is.
    """

    def __init__(self, source: Side, spool: Spool, applied: Applied, may_begin: Callable[[], bool]) -> None:
        super().__init__(name="follower", daemon=True)
        self._source, self._spool, self._applied, self._may_begin = source, spool, applied, may_begin
        self._ends = threading.Event()
        self._heard = time.monotonic()
        self._link: Link | None = None
        self._broken = 0  # snapshots in a row that did not come to their end
        self.is_up = False
        self.why_down = ""
        self.is_held = False  # nothing is read, as the disk is full
        self.refusal = ""  # why it will not go on by itself
        self.failure: BaseException | None = None  # a bug: it is raised where somebody looks

    @property
    def silent_seconds(self) -> float:
        """For how long nothing came."""
        link = self._link
        return time.monotonic() - max(self._heard, link.heard if link else 0.0)

    def stop(self) -> None:
        self._ends.set()
        self.join(2 * _ACK_SECONDS)

    def run(self) -> None:
        pause = 0.05
        while not self._ends.is_set() and not self.refusal:
            try:
                with session(self._source.question()) as connection:
                    pause = 0.05
                    self._link = Link(connection)
                    self._follow(self._link)
            except Refused as error:
                self.refusal = str(error)
            except replication.Forbidden as error:
                self.refusal = f"the old Redis at {self._source.place} lets nobody follow it: {error}."
            except (ProbeFailed, CacheError, OSError) as error:
                self.why_down = error.failure.sentence if isinstance(error, ProbeFailed) else str(error)
            except BaseException as error:
                self.failure = error
                raise
            finally:
                self.is_up = False
                self._spool.stop_writing()
            self._ends.wait(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    def _follow(self, link: Link) -> None:
        self._take_up(link)
        self._acknowledge(link)  # a source that sent its snapshot without a file of it waits for this
        self.is_up, self.why_down = True, ""
        heard = told = time.monotonic()
        while not self._ends.is_set():
            if self._has_room() and link.has_more(max(0.0, told + _ACK_SECONDS - time.monotonic())):
                self._spool.add(link.read_some(_CHUNK))
                heard = time.monotonic()
            if not self._spool.about.history:
                raise ConnectionLost("a new snapshot is wanted")
            now = time.monotonic()
            if now - told >= _ACK_SECONDS:
                self._acknowledge(link)
                told = now
            if now - heard > _SILENCE_SECONDS and not self.is_held:
                raise NoAnswer(f"it said nothing for {_SILENCE_SECONDS:.0f} s")

    def _take_up(self, link: Link) -> None:
        about = self._spool.about
        if about.is_whole:
            word, *rest = replication.begin(link, replication=about.replication, position=self._spool.end)
        else:
            word, *rest = replication.begin(link)
        if word == "CONTINUE":
            self._spool.go_on(rest[0] if rest else about.replication)
            return
        if not self._may_begin():
            raise Refused(
                "the old Redis no longer has what it was told since the link to it was lost, or began anew, and hosts "
                "write to the target already, which a new copy would overwrite. What the target lacks is on the old "
                "Redis alone: roll back (playbooks/rollback.yml), or leave it and finish the transfer."
            )
        self._refuse_what_breaks_always()
        self._spool.begin(secrets.token_hex(8), rest[0], int(rest[1]))
        replication.receive(link, self._keep, float("inf"))
        self._spool.end_snapshot()
        self._broken = 0

    def _refuse_what_breaks_always(self) -> None:
        """Each costs the source a fork."""
        self._broken += 1
        if self._broken > MOST_BROKEN:
            raise Refused(
                f"{MOST_BROKEN} snapshots of the old Redis in a row did not come to their end ({self.why_down}): look "
                "at its log. Where it says that a client's output buffer was too large, raise its "
                "client-output-buffer-limit for replicas, or run this when less is written."
            )

    def _keep(self, data: bytes) -> int:
        if not self._spool.has_room():
            raise Refused(
                "the snapshot of the old Redis does not fit on the disk of this host, of which 5 % stay free: free "
                "space there, or choose another host (migration_transfer_host), and run this again."
            )
        return self._spool.add_to_snapshot(data)

    def _has_room(self) -> bool:
        self.is_held = not self._spool.has_room()
        if self.is_held:
            self._ends.wait(_ACK_SECONDS)
        return not self.is_held

    def _acknowledge(self, link: Link) -> None:
        link.send("REPLCONF", "ACK", self._applied().position)


class Beat(NamedTuple):
    """``asked``: when the source was asked, by our clock, and what was ``applied`` then; it was at ``position`` of that
    ``history``.
    """

    asked: float
    applied: Place
    position: int
    history: str


class Pulse(threading.Thread):
    """Asks the source again and again how far it is: by that it is known how far behind the target is, cuts included.

    The first answer after a time without one counts from the last before it.
    """

    SECONDS = 0.1

    def __init__(self, source: Side, spool: Spool, applied: Applied) -> None:
        super().__init__(name="pulse", daemon=True)
        self._source, self._spool, self._applied = source, spool, applied
        self._ends = threading.Event()
        self.position = 0
        self.beats: collections.deque[Beat] = collections.deque()

    def stop(self) -> None:
        self._ends.set()
        self.join(2 * _ACK_SECONDS)

    def run(self) -> None:
        since = self._now()
        while not self._ends.is_set():
            with contextlib.suppress(ProbeFailed, CacheError, OSError), session(self._source.question()) as connection:
                while not self._ends.wait(self.SECONDS):
                    asked = self._now()
                    self._take(parse_info(connection.ask("INFO", "replication")), since)
                    since = asked
            self._ends.wait(self.SECONDS)

    def _now(self) -> tuple[float, Place, str]:
        return time.monotonic(), self._applied(), self._spool.about.history

    def _take(self, info: Info, since: tuple[float, Place, str]) -> None:
        """What was asked while another history was followed tells nothing of this one."""
        about = self._spool.about
        asked, applied, history = since
        position = info.get("master_repl_offset", 0)
        if about.is_whole and info.get("master_replid") == about.replication and isinstance(position, int):
            self.position = position
            if history == about.history:
                self.beats.append(Beat(asked, applied, position, history))
