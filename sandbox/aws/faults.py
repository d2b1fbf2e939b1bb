"""Faults on order: the Nth call of an action is throttled, fails, or loses its connection.

POST /_sandbox/faults [{"action": "CreateReplicationGroup", "nth": 2, "times": 1, "how": "cut-after"}] replaces all
faults and starts counting anew; GET shows them with the calls seen. With "service" only that service's calls count,
and with "naming" only those that have such a parameter. The sandbox's own calls are not counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.aws.calls import Call
from sandbox.aws.moto_side import error_reply
from sandbox.aws.wire import Reply
from sandbox.faults import CUT_AFTER, CUT_BEFORE, ERROR, HOWS, THROTTLE


class Cut(Exception):
    """The connection is to be closed without a byte of an answer."""


@dataclass
class Fault:
    action: str
    how: str
    nth: int = 1
    times: int = 1
    naming: str = ""
    service: str = ""
    seen: int = 0

    def __post_init__(self) -> None:
        if self.how not in HOWS:
            raise ValueError(f"how is one of {', '.join(HOWS)}, not {self.how!r}")

    def is_due(self, call: Call) -> bool:
        if call.action != self.action or (self.service and call.service != self.service):
            return False
        if self.naming and self.naming not in call.parameters.values():
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def replace(self, orders: list[dict[str, Any]]) -> None:
        faults = [Fault(**order) for order in orders]
        with self._lock:
            self._faults = faults

    def shown(self) -> list[dict[str, Any]]:
        return [asdict(fault) for fault in self._faults]

    def answer(self, call: Call, really: Callable[[], Reply]) -> Reply:
        """The reply of `really`, or what a due fault makes of it."""
        how = "" if call.internal else self._due(call)
        if how == THROTTLE:
            return error_reply(call, *throttling(call), "Rate exceeded")
        if how == ERROR:
            code = "InternalServerError" if call.protocol == "json" else "InternalFailure"
            return error_reply(call, 500, code, "A fault that was ordered of the sandbox.")
        if how == CUT_BEFORE:
            raise Cut(how)
        reply = really()
        if how == CUT_AFTER:
            raise Cut(how)
        return reply

    def _due(self, call: Call) -> str:
        with self._lock:
            due = [fault.how for fault in self._faults if fault.is_due(call)]
        return due[0] if due else ""


def throttling(call: Call) -> tuple[int, str]:
    if call.service == "ec2":
        return 503, "RequestLimitExceeded"
    return 400, "Throttling" if call.protocol == "query" else "ThrottlingException"
