"""Changes that take time: the status is shown at once, the work is done in the background."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Protocol

from sandbox.aws.elasticache.state import AVAILABLE, CREATE_FAILED, CREATING, Account
from sandbox.aws.wire import Refusal


@dataclass
class Pace:
    """How long AWS would take, at least, in seconds; and what goes wrong. Can be changed while the sandbox runs."""

    creating_seconds: float
    modifying_seconds: float
    unnoticed_seconds: float = 0  # a change that has begun is still shown as available that long
    failing_over_seconds: float = 0  # so long is a primary gone before a replica takes over
    failing_creations: int = 0  # so many of the next creations end in create-failed

    @classmethod
    def of(cls, creating: float, modifying: float | None) -> Pace:
        return cls(creating, min(creating, 1.0) if modifying is None else modifying)

    def change(self, wanted: dict[str, Any]) -> dict[str, float]:
        """Take the given settings and answer all of them."""
        for name in wanted:
            if name not in [field.name for field in fields(self)]:
                raise ValueError(f"no such setting: {name}; there are {', '.join(f.name for f in fields(self))}")
        for name, value in wanted.items():
            setattr(self, name, type(getattr(self, name))(value))
        return asdict(self)


class CreationFails(Exception):
    """A failure that was ordered."""


class Worked(Protocol):
    """What changes take time of: a replication group, a cache cluster."""

    busy_code: ClassVar[str]  # that AWS refuses with what needs it to be available
    status: str
    is_busy: bool

    @property
    def id(self) -> str: ...


def require_available(group: Worked, wanted: str = AVAILABLE) -> None:
    if group.status != wanted or group.is_busy:
        status = "being modified" if group.status == wanted else group.status
        raise Refusal(group.busy_code, f"{group.id} must be {wanted} for this; it is {status}.")


class Work:
    """`failed` is told what failed, while what, and why; `done` what has come to its end, and which status with it."""

    def __init__(
        self,
        account: Account,
        pace: Pace,
        failed: Callable[[Any, str, Exception], None] = lambda *_: None,
        done: Callable[[Any, str], None] = lambda *_: None,
    ) -> None:
        self._account, self.pace, self._failed, self._done = account, pace, failed, done

    def begin(
        self, group: Worked, status: str, act: Callable[[], None], before: str = AVAILABLE, after: str = AVAILABLE
    ) -> None:
        """Show `status` now, act for at least as long as AWS would take, then be available.

        A group that is not as it is to be `before` refuses. An act that fails ends in create-failed, or as it was
        before, as AWS does it; its reason is in the sandbox's log.
        """
        with self._account.lock:
            if status != CREATING:
                require_available(group, before)
            group.is_busy = True
            if status == CREATING or not self.pace.unnoticed_seconds:
                group.status = status
        threading.Thread(target=self._run, args=(group, status, act, before, after), daemon=True).start()

    def take_time(self) -> None:
        """Let pass what a change takes, within an act that must not end before."""
        time.sleep(self.pace.modifying_seconds)

    def go_unnoticed(self) -> None:
        """Let pass what it takes until a dead primary is missed."""
        time.sleep(self.pace.failing_over_seconds)

    def _run(self, group: Worked, status: str, act: Callable[[], None], before: str, after: str) -> None:
        if group.status != status:
            time.sleep(self.pace.unnoticed_seconds)
            group.status = status
        began = time.monotonic()
        try:
            self._fail_if_ordered(status)
            act()
            self._done(group, status)
        except Exception as failure:
            print(f"{group.id}: {status} failed", flush=True)
            traceback.print_exc()
            self._failed(group, status, failure)
            after = CREATE_FAILED if status == CREATING else before
        seconds = self.pace.creating_seconds if status == CREATING else self.pace.modifying_seconds
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        with self._account.lock:
            group.status, group.is_busy = after, False

    def _fail_if_ordered(self, status: str) -> None:
        with self._account.lock:
            if status == CREATING and self.pace.failing_creations > 0:
                self.pace.failing_creations -= 1
                raise CreationFails("ordered by failing_creations")
