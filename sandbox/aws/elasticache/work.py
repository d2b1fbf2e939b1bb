"""Changes that take time: the status is shown at once, the work is done in the background."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.aws.elasticache.state import AVAILABLE, CREATE_FAILED, CREATING, Account, ReplicationGroup
from sandbox.aws.wire import Refusal


@dataclass
class Pace:
    """How long AWS would take, at least, in seconds. Can be changed while the sandbox runs."""

    creating: float
    modifying: float

    @classmethod
    def of(cls, creating: float, modifying: float | None) -> Pace:
        return cls(creating, min(creating, 1.0) if modifying is None else modifying)


def require_available(group: ReplicationGroup) -> None:
    if group.status != AVAILABLE:
        text = f"Replication group {group.id} must be available for this; it is {group.status}."
        raise Refusal("InvalidReplicationGroupState", text)


class Work:
    def __init__(self, account: Account, pace: Pace) -> None:
        self._account, self.pace = account, pace

    def begin(self, group: ReplicationGroup, status: str, act: Callable[[], None]) -> None:
        """Show `status` now, act for at least as long as AWS would take, then be available.

        A group that is not available refuses. An act that fails ends in create-failed, or back in available, as AWS
        does it; its reason is in the sandbox's log.
        """
        with self._account.lock:
            if status != CREATING:
                require_available(group)
            group.status = status
        seconds = self.pace.creating if status == CREATING else self.pace.modifying
        threading.Thread(target=self._run, args=(group, status, seconds, act), daemon=True).start()

    def take_time(self) -> None:
        """Let pass what a change takes, within an act that must not end before."""
        time.sleep(self.pace.modifying)

    def _run(self, group: ReplicationGroup, status: str, seconds: float, act: Callable[[], None]) -> None:
        began = time.monotonic()
        after = AVAILABLE
        try:
            act()
        except Exception:
            print(f"{group.id}: {status} failed", flush=True)
            traceback.print_exc()
            after = CREATE_FAILED if status == CREATING else AVAILABLE
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        with self._account.lock:
            group.status = after
