# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is in one key is added to what another holds by now, each part of it once, wherever a kill falls.

What is added leaves its key in the same moment: by RENAMENX as a whole where the other is not there, else by a command
that moves, or in one transaction. What is still in it is still to be added.
"""

from __future__ import annotations

from typing import Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.keys import pattern_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.queue_libraries import JobKeys
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.contract import TransferRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Command, Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.values.parts import (
    HASH,
    LIST,
    NONE,
    SET,
    STRING,
    ZSET,
)

_TOGETHER = 200  # jobs of a list, or fields of a hash
_NO_SUCH_KEY = "no such key"


class Adding:
    def __init__(self, side: Reach) -> None:
        self._side = side
        self._moves_by_ends = True  # LMOVE, from 6.2 on
        self._of = {LIST: self._list, HASH: self._hash, ZSET: self._zset, SET: self._set, STRING: self._string}

    def add(self, keys: Mapping[bytes, bytes]) -> None:
        """By each key the one that it is added to. Raises TransferRefused, CacheError."""
        answers = self._side.ask([(key, ("RENAMENX", key, to)) for key, to in keys.items()])
        for (key, to), answer in zip(keys.items(), answers):
            if answer == 0:
                self._add(key, to)
            elif isinstance(answer, ServerError) and _NO_SUCH_KEY not in str(answer):  # one that expired
                raise answer

    def _add(self, key: bytes, to: bytes) -> None:
        kind, there = self._type(key), self._type(to)
        if kind == NONE:
            return
        if there not in (kind, NONE) or kind not in self._of:
            raise TransferRefused(
                f"the target has a {there} under the name {pattern_of(to)} by now, to which the {kind} of jobs that "
                f"came from the other side cannot be added. They lie at the target as {pattern_of(key)}: rename one of "
                "the two there, and run this again."
            )
        self._of[kind](key, to)

    def _type(self, key: bytes) -> str:
        return str(self._asked(("TYPE", key))[0])

    def _list(self, key: bytes, to: bytes) -> None:
        """Before those that came since, as far as the engine can."""
        while True:
            is_by_ends = self._moves_by_ends and not JobKeys.takes_left(to)
            move: Command = ("LMOVE", key, to, "LEFT", "RIGHT") if is_by_ends else ("RPOPLPUSH", key, to)
            answers = self._side.ask([(to, move)] * _TOGETHER)
            errors = [answer for answer in answers if isinstance(answer, ServerError)]
            if errors and is_by_ends and "unknown command" in str(errors[0]).lower():
                self._moves_by_ends = False
            elif errors:
                raise errors[0]
            elif None in answers:
                return

    def _hash(self, key: bytes, to: bytes) -> None:
        """What is there under the same name is newer."""
        cursor: object = b"0"
        while True:
            [told] = self._asked(("HSCAN", key, cursor, "COUNT", _TOGETHER))  # type: ignore[arg-type]
            cursor, words = told if isinstance(told, list) else (b"0", [])
            fields = list(zip(words[::2], words[1::2]))
            for start in range(0, len(fields), _TOGETHER):
                some = fields[start : start + _TOGETHER]
                self._at_once(
                    *(("HSETNX", to, name, value) for name, value in some), ("HDEL", key, *(name for name, _ in some))
                )
            if cursor == b"0" and self._type(key) == NONE:
                return

    def _zset(self, key: bytes, to: bytes) -> None:
        self._at_once(("ZUNIONSTORE", to, 2, to, key, "AGGREGATE", "MAX"), ("DEL", key))

    def _set(self, key: bytes, to: bytes) -> None:
        self._at_once(("SUNIONSTORE", to, to, key), ("DEL", key))

    def _string(self, key: bytes, to: bytes) -> None:
        """What is there is newer."""
        self._asked(("DEL", key))

    def _at_once(self, *commands: Command) -> None:
        *_queued, done = self._asked(("MULTI",), *commands, ("EXEC",))
        for answer in done if isinstance(done, list) else ():
            if isinstance(answer, ServerError):
                raise answer

    def _asked(self, *commands: Command) -> list[object]:
        answers = self._side.ask([(b"", command) for command in commands])
        for answer in answers:
            if isinstance(answer, ServerError):
                raise answer
        return list(answers)
