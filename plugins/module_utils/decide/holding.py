# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Writes on the old Redis held while all hosts are switched in one turn: when that is so, what stands against it, and
what came of it. Pure.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import LIVE
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import SHARED, Step

EVENTUAL, STRICT = "eventual", "strict"  # migration_consistency

Seen = Mapping[str, Any]


def is_strict(settings: Mapping[str, Any]) -> bool:
    return settings.get("consistency") == STRICT


def refusals(known: Known) -> list[str]:
    """What stands against it, as far as what is stated tells. The old Redis itself is asked by who follows it."""
    if not is_strict(known.settings):
        return []
    against = []
    if known.settings.get("transfer") != LIVE:
        stated = known.settings.get("transfer") or "not stated"
        against.append(
            "migration_consistency: strict needs what is written to come along until hosts are switched "
            f"(migration_transfer: live), and migration_transfer is {stated}: set it to live, or "
            "migration_consistency to eventual."
        )
    if known.shared:
        names = ", ".join(str(one["name"]) for one in known.shared)
        against.append(
            f"migration_consistency: strict switches hosts by values of their own, and {names} is shared: whatever "
            "starts after that is changed writes to the target, before writes on the old Redis can be held. Set "
            "migration_consistency: eventual, or give the hosts files of their own (migration_values)."
        )
    if known.is_limited and GOALS[known.goal].moves:
        against.append(
            "migration_consistency: strict switches all hosts in one turn, and this run leaves some out: run it "
            "without --limit."
        )
    return against


def too_many(hosts: Sequence[str], forks: int) -> str:
    """They wait for each other, so all of them are to be at it at the same time; empty where they can be."""
    if len(hosts) <= forks:
        return ""
    return (
        f"{len(hosts)} hosts are switched in one turn, and wait for each other, and this run works on {forks} at once: "
        f"run it with --forks {len(hosts)} (or forks in ansible.cfg, or of the job template)."
    )


def steps(known: Known, hosts: Sequence[str], source: str) -> list[Step]:
    """Before the hosts are switched."""
    limit = float(known.settings["hold_limit"])
    reason = (
        f"hold the writes on {source or 'the old Redis'}, for {limit:g} s at most, until {', '.join(hosts)} "
        f"{'is' if len(hosts) == 1 else 'are'} switched, all in one turn (strict)"
    )
    return [Step(SHARED, "data", reason=reason, undo="what holds them lets go by itself, whatever becomes of the run")]


# --- what came of it ---


def line(held: Seen) -> str:
    """What is said of it when it is over."""
    why = str(held.get("why") or "no reason given").rstrip(".")
    if not held.get("held_ms"):
        return f"Writes on the old Redis were not held: {why}."
    told = f"Writes on the old Redis were held for {float(held['held_ms']):,.0f} ms"
    if held.get("why"):
        return f"{told}, and not all hosts had switched then: {why}."
    behind, still = (f"{float(held.get(name) or 0):,.0f} ms" for name in ("behind_ms", "still_ms"))
    hosts = ", ".join(held.get("hosts") or ())
    return (
        f"{told}, {behind} of it until the target had all of them, the rest until all hosts led there ({hosts}). Their "
        f"services stood still for {still}."
    )


def doubt(held: Seen) -> str:
    """Why it is not proven that no write came to the old Redis since; empty where it is."""
    late = held.get("late_writes")
    if late == 0:
        return ""
    if late is None:
        why = str(held.get("why") or "it did not tell").rstrip(".")
        return f"whether somebody wrote to the old Redis after its hosts had left it is unknown: {why}"
    left = ", ".join(held.get("left") or ())
    return (
        f"{int(late):,} writes came to the old Redis after its hosts had left it"
        f"{f', where these are connected still: {left}' if left else ''}. They were brought to the target, where they "
        "may stand over what the app wrote there meanwhile"
    )
