"""A call that is held on order: the Nth that writes gets no answer, so that its caller can be killed in its middle.

POST /_sandbox/hold {"number": 3, "is_done": false} counts from then on, and holds the third before it is done, or with
is_done after it; null ends it. GET /_sandbox/held waits a second for a call to be held, and says which, or "". A held
call is cut when its caller is gone, and goes on where the order is taken back. The sandbox's own are not counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.aws.calls import Call
from sandbox.aws.faults import Cut
from sandbox.aws.wire import Reply

LONGEST = 20  # seconds
LOOK = 1.0  # seconds that GET held waits


@dataclass
class Hold:
    number: int
    is_done: bool = False
    seen: int = 0
    call: str = ""  # that is held, as service.Action
    began: threading.Event = field(default_factory=threading.Event)


class Holding:
    def __init__(self) -> None:
        self._hold: Hold | None = None
        self._lock = threading.Lock()

    def order(self, wanted: dict[str, int | bool] | None) -> None:
        hold = Hold(int(wanted["number"]), bool(wanted["is_done"])) if wanted else None
        with self._lock:
            self._hold = hold

    def held(self) -> str:
        hold = self._hold
        return hold.call if hold is not None and hold.began.wait(LOOK) else ""

    def answer(self, call: Call, really: Callable[[], Reply], is_gone: Callable[[], bool]) -> Reply:
        """The reply of `really`, unless this is the call to hold."""
        hold = self._due(call)
        if hold is None:
            return really()
        reply = really() if hold.is_done else None
        hold.call = f"{call.service}.{call.action}"
        hold.began.set()
        end = time.monotonic() + LONGEST
        while self._hold is hold and not is_gone() and time.monotonic() < end:
            time.sleep(0.01)
        if self._hold is not hold:
            return reply or really()
        raise Cut("held when it was done" if hold.is_done else "held before it was done")

    def _due(self, call: Call) -> Hold | None:
        with self._lock:
            if self._hold is None or call.internal or call.is_read:
                return None
            self._hold.seen += 1
            return self._hold if self._hold.seen == self._hold.number else None
