# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the controller knows before a run: the target, the ledger, what consumers share, and what was asked. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Seen


@dataclass(frozen=True)
class Known:
    """``shared`` are looks at what all consumers share, as of env_update in check mode. ``ledger`` is what
    migration_ledger_info returned, ``found`` the target as AWS tells it. ``everyone`` are the consumers of the
    inventory, ``present`` those of this run. Nothing in it is secret: a token is sealed beside it.
    """

    goal: str
    settings: Mapping[str, Any]
    endpoint: Mapping[str, Any]
    everyone: Sequence[str]
    present: Sequence[str]
    account: str = ""
    shared: Sequence[Seen] = ()
    ledger: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Mapping[str, Any]] = ()
    cost: Mapping[str, Any] = field(default_factory=dict)
    course: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Any] = field(default_factory=dict)
    target_failure: str = ""
    words: Mapping[str, Any] = field(default_factory=dict)
    check_mode: bool = False

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Known:
        return cls(**{item.name: stored[item.name] for item in fields(cls) if item.name in stored})

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    @property
    def entries(self) -> Mapping[str, Any]:
        return self.ledger.get("entries") or {}

    @property
    def cutover(self) -> Mapping[str, Any]:
        """What the ledger remembers of the cutover."""
        return self.entries.get("cutover") or {}

    @property
    def ledger_failure(self) -> str:
        return "" if "now" in self.ledger else str(self.ledger.get("msg") or "")

    @property
    def is_limited(self) -> bool:
        return bool(set(self.everyone) - set(self.present))

    @property
    def shared_changes(self) -> dict[str, Any]:
        """All of them as one look, as a consumer that reads nothing of its own has it."""
        return {"changes": {key: change for one in self.shared for key, change in (one.get("changes") or {}).items()}}

    @property
    def shared_failure(self) -> str:
        return next((str(one["failure"]) for one in self.shared if one.get("failure")), "")
