# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What becomes of one host on its way: each step adds to the result, and what fails or is lost ends it."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches

Found = dict[str, Any]


class Ended(Exception):
    """The way ends here; the result says why."""


class Trip:
    """As a context, whatever ends the way ends in ``result``. ``step`` names what is under way, for the operator."""

    def __init__(self, host: str) -> None:
        self.host, self.step = host, ""
        self.changed = self.restarted = False
        self.lines: list[str] = []
        self.connections = {"to_target": 0, "to_left": 0}
        self.other_clients: Found = {}
        self.proofs: dict[str, str] = {}
        self.jobs: dict[str, str] = {}
        self.failure: dict[str, str] = {}

    def __enter__(self) -> Trip:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        """What was under way when something else than a module failed may be done: nobody can tell."""
        if isinstance(error, Exception) and not isinstance(error, Ended):
            self.changed = self.changed or bool(self.step)
            self.restarted = self.restarted or bool(self.step)
            why = error.message if isinstance(error, AnsibleError) else f"an error of this collection ({kind.__name__})"
            self.failure = {"step": self.step or "begin", "why": why}
        return isinstance(error, Exception)

    def take(self, step: str, answer: Found) -> Found:
        """The answer of a module, unless it failed, at the step that it names or else at this one. A host that was
        lost meanwhile may have been changed: nobody can tell.
        """
        self.step = step
        if answer.get("unreachable"):
            self.changed = self.restarted = True
            self.end("reach the host", batches.unreachable_reason([answer]))
        self.changed = self.changed or bool(answer.get("changed"))
        self.restarted = self.restarted or bool(answer.get("restarted"))
        if answer.get("failed"):
            self.end(str(answer.get("step") or step), batches.failure_reason(answer))
        return answer

    def count(self, name: str, service: Found) -> None:
        """The connections of a service, by what it is proven, and the jobs that it left behind."""
        self.proofs[name], self.jobs[name] = str(service.get("proof") or ""), str(service.get("jobs") or "")
        for to, count in (service.get("connections") or {}).items():
            self.connections[to] = self.connections.get(to, 0) + int(count)

    def end(self, step: str, why: str) -> None:
        self.failure = {"step": step, "why": why}
        raise Ended

    def result(self) -> Found:
        return {
            "state": "failed" if self.failure else "ok",
            "changed": self.changed,
            "restarted": self.restarted,
            "lines": self.lines,
            "connections": self.connections,
            "other_clients": self.other_clients,
            "proofs": self.proofs,
            "jobs": self.jobs,
            **self.failure,
        }
