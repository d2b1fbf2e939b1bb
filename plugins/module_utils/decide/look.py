# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was seen of one consumer, as typed data. It never fails: what could not be seen is in the look. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches

Seen = Mapping[str, Any]

NEVER_LOOKED = "it could not be reached earlier in this run"


@dataclass(frozen=True)
class Look:
    """``values`` are what env_update tells in check mode, ``services`` what app_service does, ``target``, ``old``
    answers of cache_probe, ``survey`` what is known of the old Redis, ``contents`` what the target holds,
    ``other_clients`` who beside the services is connected to what is left, ``found`` what leads to a Redis where it is
    not said, ``transfer`` how far the data is that it brings, ``queues`` those whose jobs its services
    do. ``defined`` is a fingerprint of what the inventory says for it, ``address`` where it was reached. ``step`` and
    ``why`` tell what could not be seen.
    """

    consumer: str
    values: tuple[Seen, ...] = ()
    services: tuple[Seen, ...] = ()
    target: Seen = field(default_factory=dict)
    old: Seen = field(default_factory=dict)
    survey: Seen = field(default_factory=dict)
    contents: Seen = field(default_factory=dict)
    other_clients: Seen = field(default_factory=dict)
    found: Seen = field(default_factory=dict)
    transfer: Seen = field(default_factory=dict)
    queues: tuple[Seen, ...] = ()
    defined: str = ""
    address: str = ""
    step: str = ""
    why: str = ""
    unreachable: bool = False

    @classmethod
    def from_dict(cls, consumer: str, result: Mapping[str, Any] | None) -> Look:
        if not result:
            return cls(consumer, step="reach the host", why=NEVER_LOOKED, unreachable=True)
        if why := batches.failure_reason(result):  # the task itself, which returns a look whatever happens
            return cls(consumer, step="look at the host", why=why, unreachable=bool(result.get("unreachable")))
        return cls(
            consumer=consumer,
            values=tuple(result.get("values") or ()),
            services=tuple(result.get("services") or ()),
            target=result.get("target") or {},
            old=result.get("old") or {},
            survey=result.get("survey") or {},
            contents=result.get("contents") or {},
            other_clients=result.get("other_clients") or {},
            found=result.get("found") or {},
            transfer=result.get("transfer") or {},
            queues=tuple(result.get("queues") or ()),
            defined=str(result.get("defined") or ""),
            address=str(result.get("address") or ""),
            step=str(result.get("step") or ""),
            why=str(result.get("why") or ""),
            unreachable=bool(result.get("unreachable_host")),
        )

    @property
    def knows_its_values(self) -> bool:
        return not self.why and not any(value.get("failure") for value in self.values)

    @property
    def failure(self) -> tuple[str, str]:
        """The first that could not be seen, as step and reasons; empty where all was."""
        if self.why:
            return self.step, self.why
        for what, seen in (("value", self.values), ("service", self.services)):
            failures = [str(one["failure"]) for one in seen if one.get("failure")]
            if failures:
                return f"look at its {what}", " ".join(dict.fromkeys(failures))
        return "", ""

    @property
    def changes(self) -> list[tuple[Seen, str, Seen]]:
        return changes_of(self.values)

    @property
    def would_change(self) -> bool:
        return would_change(self.values)

    @property
    def would_restart(self) -> bool:
        return any(service.get("restarted") for service in self.services)


def changes_of(values: Iterable[Seen]) -> list[tuple[Seen, str, Seen]]:
    """Each key that was looked at: the value that it is in, its name and what was seen of it."""
    return [(value, key, change) for value in values for key, change in (value.get("changes") or {}).items()]


def would_change(values: Iterable[Seen]) -> bool:
    return any(change.get("action") != "keep" for _value, _key, change in changes_of(values))
