# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The hosts that switch in one turn, as who leads them sees them at the board. Standard library only."""

from __future__ import annotations

import time
from typing import Callable, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.board import (
    FAILED,
    LEAVE,
    LEFT,
    READY_SECONDS,
    SWITCHED,
    WAIT,
    Board,
    NotHeld,
    Said,
)

PROVE_SECONDS = 60.0
_POLL_SECONDS = 0.01
_SAY_SECONDS = 1.0


class Together:
    """``limit_seconds`` is how long each of their steps may take. What waits for them raises NotHeld, where one of them
    cannot go on, and CacheError.
    """

    def __init__(self, board: Board, hosts: Sequence[str], limit_seconds: float) -> None:
        self.board, self._hosts, self.limit_seconds = board, hosts, limit_seconds

    def told(self) -> dict[str, Said]:
        """What each of them tells."""
        found = self.board.told()
        told = {host: found.get(host, Said()) for host in self._hosts}
        for host, each in told.items():
            if each.word == FAILED:
                raise NotHeld(f"{host}: {each.why}")
        return told

    def that_lack(self, *words: str) -> list[str]:
        """Those that told none of these last."""
        return [host for host, told in self.told().items() if told.word not in words]

    def until_ready(self, is_ready: Callable[[], bool] = lambda: True, otherwise: str = "") -> None:
        """All stand ready, and what is asked is so; ``otherwise`` is what is said where that alone is not."""
        deadline, said = time.monotonic() + READY_SECONDS, 0.0
        while True:
            lacking = [host for host, told in self.told().items() if not told.word]
            if not lacking and is_ready():
                return
            if time.monotonic() > deadline:
                why = f"{', '.join(lacking)} did not stand ready" if lacking else otherwise
                raise NotHeld(f"after {READY_SECONDS:.0f} s {why}")
            said = self._say(WAIT, said)

    def until_left(self) -> None:
        """What they have begun, they end while writes are taken."""
        deadline, said = time.monotonic() + self.limit_seconds, 0.0
        while stays := self.that_lack(LEFT):
            if time.monotonic() > deadline:
                limit = f"{self.limit_seconds:g} s (migration_hold_limit)"
                raise NotHeld(f"after {limit} the services of {', '.join(stays)} had not stopped")
            said = self._say(LEAVE, said)

    def until_switched(self) -> None:
        """Nothing is held meanwhile, and each of them proves itself for as long as it may."""
        deadline = time.monotonic() + PROVE_SECONDS
        while waits := self.that_lack(SWITCHED):
            if time.monotonic() > deadline:
                raise NotHeld(f"{', '.join(waits)} had not proven to be switched, {PROVE_SECONDS:.0f} s later")
            time.sleep(_POLL_SECONDS)

    def _say(self, word: str, said: float) -> float:
        """Now and then, as it passes away; when it was said last."""
        now = time.monotonic()
        if now - said > _SAY_SECONDS:
            self.board.say(word)
            said = now
        time.sleep(_POLL_SECONDS)
        return said
