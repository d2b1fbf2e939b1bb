# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys read again from the source, at a position of its stream that is known: put into the target when that has all
before this position and nothing after it, they are what they were there.

So whatever the stream alone cannot make right is made right: a key that expired in the target before the command that
renewed it came through, a command that the target refused. Standard library only.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, NamedTuple, Sequence, Tuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import parse_info
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import session
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import (
    CacheError,
    Connection,
    NotRedis,
    ServerError,
    encode,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import rdb
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.live.commands import (
    GRACE_MS,
    Command,
)

IS_THERE = "BUSYKEY"  # what a target says of a key that is not to be replaced
TOGETHER = 128  # keys: the source does nothing else meanwhile

Key = Tuple[int, bytes]


class Source:
    """Connected to when it is asked, and anew after it could not be. ``found`` is what ``ask`` returns of it."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._open = contextlib.ExitStack()
        self._connection: Connection | None = None

    def ask(self, ask: Callable[[Connection], Found]) -> Found | None:
        """None where it is away. Raises NotRedis where it says more than is listened to."""
        try:
            if self._connection is None:
                self._connection = self._open.enter_context(session(self._side.question()))
            return ask(self._connection)
        except (ProbeFailed, CacheError) as error:
            self.close()
            if isinstance(error, NotRedis):
                raise
            return None

    def close(self) -> None:
        self._connection = None
        self._open.close()


class Found(NamedTuple):
    """What makes the keys what they were at ``position`` of ``replication``."""

    replication: str
    position: int
    commands: list[Command]


def read(source: Connection, keys: Sequence[Key], version: int) -> Found:
    """As they are, values and all. ``version`` is that of payloads which the target takes."""
    answers, at, now = _at_once(source, keys, ("DUMP", "PTTL"))
    values = [(key, answers[2 * place], answers[2 * place + 1]) for place, key in enumerate(keys)]
    bodies = [value[: -rdb.PAYLOAD_END] for _key, value, _ttl in values if isinstance(value, bytes)]
    payloads = iter(rdb.payloads(bodies, version))
    commands = []
    for (database, key), value, ttl in values:
        if not isinstance(value, bytes):
            commands.append(_command(database, b"DEL", key))
            continue
        until = b"%d" % (now + ttl + GRACE_MS) if isinstance(ttl, int) and ttl >= 0 else b"0"
        commands.append(_command(database, b"RESTORE", key, until, next(payloads), b"REPLACE", b"ABSTTL"))
    return Found(*at, commands)


def only_missing(commands: Sequence[Command]) -> list[Command]:
    """Without what would change or take away a key that is there: for a target to which hosts write themselves."""
    kept = [[word for word in one.words if word != b"REPLACE"] for one in commands if one.name == b"RESTORE"]
    databases = [one.database for one in commands if one.name == b"RESTORE"]
    return [_command(database, *words) for database, words in zip(databases, kept)]


def missing(source: Connection, keys: Sequence[Key]) -> Found:
    """Only which of them it does not have."""
    answers, at, _now = _at_once(source, keys, ("EXISTS",))
    return Found(*at, [_command(key[0], b"DEL", key[1]) for key, there in zip(keys, answers) if there == 0])


def where(source: Connection) -> tuple[str, int]:
    """The replication and its position now. Not within MULTI: before Redis 6.2 that is written to the stream itself."""
    return _at(source.ask("INFO", "replication"))


def _at(said: str) -> tuple[str, int]:
    info = parse_info(said)
    return str(info["master_replid"]), int(str(info["master_repl_offset"]))


def _at_once(source: Connection, keys: Sequence[Key], asked: Sequence[str]) -> tuple[list[Any], tuple[str, int], int]:
    """The answers for each key, the replication and its position, and the source's time in ms: all of one moment."""
    commands: list[list[Any]] = [["MULTI"]]
    is_answer, selected = [], -1
    for database, key in keys:
        if database != selected:
            commands.append(["SELECT", database])
            is_answer.append(False)
            selected = database
        commands += [[word, key] for word in asked]
        is_answer += [True] * len(asked)
    commands += [["TIME"], ["INFO", "replication"], ["EXEC"]]
    done = source.execute_many(commands)[-1]
    if isinstance(done, ServerError):
        raise done
    if not isinstance(done, list) or any(isinstance(answer, ServerError) for answer in done):
        raise ServerError(f"it does not tell what it holds ({str(done)[:200]})")
    answers = [answer for answer, wanted in zip(done, is_answer) if wanted]
    seconds, micros = done[-2]
    return answers, _at(done[-1].decode("utf-8", "replace")), int(seconds) * 1000 + int(micros) // 1000


def _command(database: int, *words: bytes) -> Command:
    return Command(database, list(words), encode(words))
