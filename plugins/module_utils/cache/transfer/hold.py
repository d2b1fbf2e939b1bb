# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The source's writes held while all hosts are switched in one turn.

When all hosts stand ready at the board they leave the source, and its writes are paused. When the target has all that
was written, the board says go; when all hosts have told that nothing of them writes to the source any more, the writes
are let go. What the board says is gone before a pause that nobody renews. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Callable, Mapping, NamedTuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import (
    Info,
    address_of,
    parse_client,
    parse_info,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    ServerError,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.board import (
    CHANGED,
    GO,
    GO_MS,
    STOP,
    SWITCHED,
    Board,
    NotHeld,
    board_at,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Job, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.pause import (
    PAUSE_MS,
    RENEW_SECONDS,
    Pause,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.together import Together
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.writes import read_writes, since

WAITING, HELD, OVER = "waiting", "held", "over"  # how far a hold is

ASKED, STATE = "hold.json", "held.json"
_POLL_SECONDS = 0.005
_LATE_SECONDS = 0.5  # what waited is carried out at once when writes are let go
_NEAR_MS = 500.0
_NO_APP = frozenset("MSO")  # flags of replication, and of who monitors
_OURS = frozenset(("client", "client|list", "exec", "info"))  # what who follows asks


@dataclass(frozen=True)
class Asked:
    name: str
    hosts: tuple[str, ...]
    limit_seconds: float


@dataclass(frozen=True)
class Held:
    """How far it is. ``still_ms`` is for how long the app's services stood still, ``held_ms`` for how long writes did,
    and ``behind_ms`` how long of that until the target had all of them. ``why``: it ended otherwise than by all hosts
    having switched. ``late_writes`` came to the source after it was known that the target has all of it; None where
    that is not known. ``left`` are who was connected there then.
    """

    name: str = ""
    phase: str = WAITING
    hosts: tuple[str, ...] = ()
    still_ms: float = 0.0
    held_ms: float = 0.0
    behind_ms: float = 0.0
    why: str = ""
    late_writes: int | None = None
    left: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "hosts": list(self.hosts), "left": list(self.left)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Held:
        known = {item.name: told[item.name] for item in fields(cls) if item.name in told}
        return cls(**{**known, "hosts": tuple(known.get("hosts", ())), "left": tuple(known.get("left", ()))})


def ask(folder: str, asked: Asked) -> None:
    """Have whoever follows begin a hold, once for each name."""
    if jobs.read(folder, ASKED).get("name") != asked.name:
        jobs.write(folder, ASKED, asdict(asked))


def asked(folder: str) -> Asked | None:
    told = jobs.read(folder, ASKED) if os.path.exists(os.path.join(folder, ASKED)) else {}
    return Asked(told["name"], tuple(told["hosts"]), float(told["limit_seconds"])) if told else None


def held(folder: str) -> Held:
    """The last there was; without a name where there was none."""
    return Held.from_dict(jobs.read(folder, STATE))


def is_there(folder: str, name: str) -> bool:
    """Whether that hold was begun."""
    return held(folder).name == name


def give_up(folder: str, name: str) -> None:
    """Of a hold whose thread is no more."""
    told = held(folder)
    if told.name == name and told.phase != OVER:
        why = f"the process that held them was ended, and the pause ran out by itself within {PAUSE_MS / 1000:g} s"
        jobs.write(folder, STATE, replace(told, phase=OVER, why=why).as_dict())


def phrase(told: Held) -> str:
    """The line that people read."""
    if told.phase == WAITING:
        return f"waiting until {', '.join(told.hosts)} are ready; nothing is held yet"
    return "writes on the old Redis are held"


class At(NamedTuple):
    """Where the target is: up to which position of which history of the source, and whether nothing before that is
    still to be made right.
    """

    replication: str = ""
    position: int = -1
    is_whole: bool = False
    lag_ms: float = 0.0


def where_asked(job: Job, begun: Hold | None, at: Callable[[], At]) -> Hold | None:
    """The hold that is asked for, which is begun where it is new. One that a process before this has begun is over."""
    wanted = asked(job.folder)
    if wanted is None or (begun and begun.told.name == wanted.name):
        return begun
    if is_there(job.folder, wanted.name):
        give_up(job.folder, wanted.name)
        return begun
    new = Hold(job.source, job.target, job.folder, wanted, at)
    new.start()
    return new


class Hold(threading.Thread):
    """One hold, from the hosts' being ready to its end, told in the job's folder. ``at`` tells where the target is."""

    def __init__(self, source: Side, target: Side, folder: str, wanted: Asked, at: Callable[[], At]) -> None:
        super().__init__(name="hold", daemon=True)
        self._source, self._target, self._folder = replace(source, seconds=PAUSE_MS / 1000), target, folder
        self._wanted, self._at = wanted, at
        self.told = Held(wanted.name, hosts=wanted.hosts)
        self._tell()

    def run(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)  # this thread alone: it stands beside what is being restarted
        try:
            with session(self._source.question()) as source, board_at(self._target, self._wanted.name) as board:
                self._carry_out(source, board)
        except ProbeFailed as failed:
            self._tell(why=failed.failure.sentence)
        except (NotHeld, CacheError) as error:
            self._tell(why=self._shown(error))
        finally:
            self._tell(phase=OVER)

    def _shown(self, error: Exception) -> str:
        return jobs.without_secrets(str(error), self._source, self._target)

    def _tell(self, **changed: Any) -> None:
        self.told = replace(self.told, **changed)
        jobs.write(self._folder, STATE, self.told.as_dict())

    def _carry_out(self, source: Connection, board: Board) -> None:
        pause, before = Pause(source), None
        hosts = Together(board, self._wanted.hosts, self._wanted.limit_seconds)
        try:
            hosts.until_ready(self._is_near, "the target was still behind the old Redis")
            began = time.monotonic()
            hosts.until_left()
            with pause:
                self._tell(phase=HELD)
                self._until_the_target_has_all(source, pause)
                self._tell(behind_ms=round((time.monotonic() - pause.began) * 1000, 1))
                before = read_writes(source)
                self._until_changed(hosts, pause)
            hosts.until_switched()
            self._tell(still_ms=round((time.monotonic() - began) * 1000, 1))
        except (NotHeld, CacheError) as error:
            self._tell(why=self._shown(error))
            with contextlib.suppress(CacheError):
                board.say(STOP, self._shown(error))
        else:
            board.clear()
        if pause.began:
            self._tell(held_ms=round(pause.seconds * 1000, 1))
        if before:
            self._look_for_late_writes(source, before)

    def _is_near(self) -> bool:
        at = self._at()
        return at.is_whole and at.lag_ms < _NEAR_MS

    def _until_the_target_has_all(self, source: Connection, pause: Pause) -> None:
        replication, position = _position(parse_info(source.ask("INFO", "replication")))
        while True:
            at = self._at()
            if at.is_whole and at.position >= position and at.replication == replication:
                return
            self._hold_on(pause, f"the target did not have all that was written ({position - at.position:,} bytes)")

    def _until_changed(self, hosts: Together, pause: Pause) -> None:
        while True:
            pause.renew(after=0.0)
            hosts.board.say(GO)
            pause.refuse_late(PAUSE_MS - GO_MS)
            deadline = time.monotonic() + RENEW_SECONDS
            while time.monotonic() < deadline:
                waits = hosts.that_lack(CHANGED, SWITCHED)
                if not waits:
                    return
                self._hold_on(pause, f"{', '.join(waits)} had not switched")

    def _hold_on(self, pause: Pause, lacking: str) -> None:
        if time.monotonic() - pause.began > self._wanted.limit_seconds:
            raise NotHeld(f"after {self._wanted.limit_seconds:g} s (migration_hold_limit) {lacking}")
        pause.renew()
        time.sleep(_POLL_SECONDS)

    def _look_for_late_writes(self, source: Connection, before: Mapping[str, Any]) -> None:
        time.sleep(_LATE_SECONDS)
        now = read_writes(source)
        if now.get("life") != before.get("life"):
            raise NotHeld("the old Redis was started anew meanwhile")
        late = sum(since(before, now).values())
        self._tell(late_writes=late, left=_connected(source) if late else ())


def _position(info: Info) -> tuple[str, int]:
    position = info.get("master_repl_offset", 0)
    return str(info.get("master_replid", "")), position if isinstance(position, int) else 0


def _connected(source: Connection) -> tuple[str, ...]:
    """Who else is there, as far as this user is told."""
    try:
        own, listed = source.ask("CLIENT", "ID"), source.ask("CLIENT", "LIST")
    except ServerError:
        return ()
    clients = {client.get("id", ""): client for client in map(parse_client, listed.splitlines())}
    here = address_of(clients[own]["addr"]) if own in clients else ""
    found = [client for client in clients.values() if not set(client.get("flags", "")) & _NO_APP]
    addresses = [(address_of(client.get("addr", "")), client.get("cmd", "")) for client in found]
    return tuple(sorted({address for address, asks in addresses if not (address == here and asks in _OURS)}))
