# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of a target is taken down after a rollback, and when it stays. Pure."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import rollback
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.ending import is_off
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, ORIGINAL
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import REMOVE, SHARED, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import table
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import own_name

Settings = Mapping[str, Any]
Part = Mapping[str, Any]
Result = Mapping[str, Any]


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


def parts(settings: Settings) -> list[Part]:
    """``{what, module, args, hangs_on}``, in the order in which they go. A target of somebody else's making is not
    there. What ``hangs_on`` another part goes only once that is gone.
    """
    name = settings.get("security_group_name") or own_name(settings)
    group = {"name": name, "vpc_id": settings.get("vpc_id") or None, "migration_name": settings["name"]}
    found: list[Part] = []
    if settings["rollback_close_ingress"] and name:
        found.append(_part(f"rules of the security group {name}", {**group, "state": "closed"}))
    if not settings["rollback_delete_target"] or settings["endpoint"]:
        return found
    of_target = table.target_of(settings).removal(settings)
    target, hangs_on = next(part.what for part in of_target if part.is_target), ""
    for part in of_target:
        found.append({"what": part.what, "module": part.module, "args": part.args, "hangs_on": hangs_on})
        hangs_on = target if part.is_target else hangs_on
    if own_name(settings):
        found.append({**_part(f"security group {name}", {**group, "state": "absent"}), "hangs_on": target})
    return found


def steps(known: Known) -> list[Step]:
    """What a plan says of it, which comes once every host is off the target."""
    if GOALS[known.goal].destination != ORIGINAL or not is_asked(known.settings):
        return []
    when = "once every host is off the target, where it is this migration's"
    return [Step(SHARED, str(part["what"]), reason=when, kind=REMOVE) for part in parts(known.settings)]


def _part(what: str, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"what": what, "module": "cache_security_group", "args": args, "hangs_on": ""}


def taken_down(parts: Sequence[Part], take: Callable[[Part], Result]) -> list[Result]:
    """The result of each part by ``take``, whatever became of those before it: what is not ours, is still in use or
    could not be asked stays, and so does only what hangs on it.
    """
    results: dict[str, Result] = {}
    for part in parts:
        above = part["hangs_on"]
        stays = above and _stays(results[above])
        results[part["what"]] = {"skipped": True, "hangs_on": above} if stays else take(part)
    return list(results.values())


def _stays(result: Result) -> bool:
    return bool(result.get("failed") or result.get("skipped"))


def failure(parts: Sequence[Part], results: Sequence[Result]) -> str:
    """What could not even be tried as it should, as where AWS denies it; empty where nothing. That something is not
    ours, or still in use, is no failure: it is said, and stays.
    """
    why = [
        f"{part['what']}: {str(result.get('msg') or 'no reason given').rstrip('.')}."
        for part, result in zip(parts, results)
        if result.get("failed") and result.get("option") != "state"
    ]
    if not why:
        return ""
    return "\n".join(
        [
            "The app is back on the old Redis, and not all that was to be taken down after it could be:",
            *why,
            "Mend that and run this playbook again: it goes on with what is left.",
        ]
    )


def lines(parts: Sequence[Part], results: Sequence[Result], *, planned: bool) -> list[str]:
    told = [{"what": part["what"], "result": result} for part, result in zip(parts, results)]
    return rollback.removal_lines(told, planned)
