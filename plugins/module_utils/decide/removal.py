# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of a target is taken down after a rollback, and when it stays. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import rollback
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.ending import is_off
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import own_name

Settings = Mapping[str, Any]


def is_asked(settings: Settings) -> bool:
    return bool(settings["rollback_delete_target"] or settings["rollback_close_ingress"])


def why_it_stays(known: Known, results: Mapping[str, Any]) -> str:
    """Never under a host that is not known to be off the target. Empty where it may go."""
    off = [] if known.target_failure else is_off(known, results)
    left = sorted(set(known.everyone) - set(off))
    if not left:
        return ""
    return (
        "The target and the rules that lead to it stay as they are, whatever migration_rollback_delete_target and "
        f"migration_rollback_close_ingress say: not known to be off it: {', '.join(left)}."
    )


def parts(settings: Settings) -> list[Mapping[str, Any]]:
    """``{what, module, args, after_target}``, in the order in which they go. A target of somebody else's making is
    not there.
    """
    name = settings.get("security_group_name") or own_name(settings)
    group = {"name": name, "vpc_id": settings.get("vpc_id") or None, "migration_name": settings["name"]}
    found: list[Mapping[str, Any]] = []
    if settings["rollback_close_ingress"] and name:
        found.append(_part(f"rules of the security group {name}", {**group, "state": "closed"}))
    if not settings["rollback_delete_target"] or settings["endpoint"]:
        return found
    for part in table.target_of(settings).removal(settings):
        found.append({"what": part.what, "module": part.module, "args": part.args, "after_target": not part.is_target})
    if own_name(settings):
        found.append({**_part(f"security group {name}", {**group, "state": "absent"}), "after_target": True})
    return found


def _part(what: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"what": what, "module": "cache_security_group", "args": args, "after_target": False}


def lines(parts: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]], *, planned: bool) -> list[str]:
    told = [{"what": part["what"], "result": result} for part, result in zip(parts, results)]
    return rollback.removal_lines(told, planned)
