# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where hosts that switch in one turn tell each other how far they are: keys in the target, which all of them reach.

A host stands ready there with its change before it, and goes on when the board says so, which it does for as long as
the source's writes are held. Standard library only.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Iterator, NamedTuple

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import ProbeFailed
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import CacheError, ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import MARK, Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach, reached

WAIT, LEAVE, GO, STOP = "wait", "leave", "go", "stop"  # what the board says
# What a host tells: nothing of it writes to the source any more with CHANGED, and it is proven with SWITCHED.
READY, LEFT, CHANGED, SWITCHED, FAILED = "ready", "left", "changed", "switched", "failed"

READY_SECONDS = 60.0  # for all hosts to stand ready, while nothing is held
GO_MS = 1000  # less than what is left of a pause when it is renewed next
_WAIT_MS = 10_000
_STOP_MS = 120_000
_HOSTS_MS = 900_000
_POLL_SECONDS = 0.005


class NotHeld(Exception):
    """Nobody is to switch; the text says why."""


class Said(NamedTuple):
    word: str = ""
    why: str = ""


class Board:
    """``name`` is that of one hold: what is left of another says nothing. Raises CacheError."""

    def __init__(self, reach: Reach, name: str) -> None:
        self._reach, self._name = reach, name
        self._word, self._hosts = f"{MARK}:hold".encode(), f"{MARK}:hold:hosts:{name}".encode()

    @property
    def keys(self) -> tuple[bytes, bytes]:
        return self._word, self._hosts

    def say(self, word: str, why: str = "") -> None:
        lasts = {WAIT: _WAIT_MS, LEAVE: _WAIT_MS, GO: GO_MS, STOP: _STOP_MS}[word]
        self._ask(self._word, "SET", self._word, f"{self._name} {word} {why}", "PX", lasts)

    def said(self) -> Said:
        """Nothing where nobody is at this hold, or not any more."""
        name, _space, rest = self._ask(self._word, "GET", self._word).partition(" ")
        word, _space, why = rest.partition(" ")
        return Said(word, why) if name == self._name else Said()

    def tell(self, host: str, word: str, why: str = "") -> None:
        self._ask(self._hosts, "HSET", self._hosts, host, f"{word} {why}")
        self._ask(self._hosts, "PEXPIRE", self._hosts, _HOSTS_MS)

    def told(self) -> dict[str, Said]:
        [pairs] = self._reach.ask([(self._hosts, ("HGETALL", self._hosts))])
        if isinstance(pairs, ServerError):
            raise pairs
        words = [bytes(each).decode("utf-8", "replace") for each in pairs] if isinstance(pairs, list) else []
        return {host: Said(*told.split(" ", 1)) for host, told in zip(words[::2], words[1::2])}

    def clear(self) -> None:
        for key in self.keys:
            self._ask(key, "DEL", key)

    def _ask(self, key: bytes, *command: Any) -> str:
        [answer] = self._reach.ask([(key, command)])
        if isinstance(answer, ServerError):
            raise answer
        return answer.decode("utf-8", "replace") if isinstance(answer, bytes) else ""


@contextlib.contextmanager
def board_at(target: Side, name: str) -> Iterator[Board]:
    """Raises ProbeFailed, CacheError, EndpointError."""
    with reached(target) as reach:
        yield Board(reach, name)


def wait_for_go(board: Board, host: str, is_left_alone: Callable[[], bool], leave: Callable[[], None]) -> None:
    """A host stands ready, leaves the source when all do, and is to switch when this returns. Raises NotHeld,
    CacheError, and what ``leave`` does.
    """
    board.tell(host, READY)
    heard, has_left, deadline = False, False, time.monotonic() + READY_SECONDS + _WAIT_MS / 1000
    while True:
        said = board.said()
        if said.word == GO:
            return
        if said.word == LEAVE and not has_left:
            leave()
            board.tell(host, LEFT)
            has_left, deadline = True, float("inf")
        if said.word == STOP:
            raise NotHeld(said.why)
        if is_left_alone():
            raise NotHeld("its connection to the controller was lost")
        if (heard and not said.word) or time.monotonic() > deadline:
            raise NotHeld("who was to hold the writes on the old Redis is gone")
        heard = heard or bool(said.word)
        time.sleep(_POLL_SECONDS)


class Turn:
    """Of one host. ``lacking`` is why it is not switched; empty where it is."""

    def __init__(self, board: Board, host: str) -> None:
        self._board, self._host = board, host
        self.lacking = ""

    def tell_changed(self) -> None:
        self._tell(CHANGED)

    def tell_end(self) -> None:
        self._tell(FAILED if self.lacking else SWITCHED, self.lacking)

    def _tell(self, word: str, why: str = "") -> None:
        """Where that cannot be told, who holds the writes does so for as long as it may."""
        with contextlib.suppress(CacheError):
            self._board.tell(self._host, word, why)


@contextlib.contextmanager
def in_turn(
    target: Side, name: str, host: str, is_left_alone: Callable[[], bool], leave: Callable[[], None]
) -> Iterator[Turn]:
    """What is done in it is done while the source's writes are held, and how that ended is told. ``leave`` is called
    before, when all hosts are to leave the source. Raises NotHeld where its turn does not come, and as ``leave``.
    """
    with contextlib.ExitStack() as stack:
        try:
            board = stack.enter_context(board_at(target, name))
            turn = Turn(board, host)
            stack.callback(turn.tell_end)
            with _told_as_lacking(turn):
                wait_for_go(board, host, is_left_alone, leave)
        except ProbeFailed as failed:
            raise NotHeld(f"the target, where hosts wait for each other, failed: {failed.failure.sentence}")
        except CacheError as error:
            raise NotHeld(f"the target, where hosts wait for each other, failed: {error}")
        with _told_as_lacking(turn):
            yield turn


@contextlib.contextmanager
def _told_as_lacking(turn: Turn) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        turn.lacking = str(error)
        raise
