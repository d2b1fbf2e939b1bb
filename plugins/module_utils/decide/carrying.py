# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A rollback that carries back what the app wrote to the target: when it does, and what stands against that. Pure.

A managed cache lets nobody follow it. So the hosts stand still together while all that is there goes back.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import AFTER_APPLY, MEMCACHED
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import LIVE
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import transfer
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look, would_change
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import SHARED, Step

Looks = Mapping[str, Look]
WITHOUT = "Or go back without what the app wrote there: migration_rollback_carries: false."


def is_wanted(settings: Mapping[str, Any]) -> bool:
    return bool(settings.get("rollback_carries"))


def facts(known: Known) -> dict[str, Any]:
    """For who carries out the plan, as of a transfer."""
    return {"does": transfer.NOTHING, "host": transfer.host_of(known), "finishes": False, "queues": [], "holds": True}


def refusals(known: Known, looks: Looks, beyond_help: Mapping[str, str]) -> list[str]:
    """All reasons. Without it a rollback goes on whatever fails; what is carried must be all there is."""
    found = _by_what_is_stated(known)
    if known.is_limited:
        found.append("All hosts write to the target, and this run leaves some out: run it without --limit.")
    if beyond_help:
        told = "; ".join(f"{host}: {why}" for host, why in beyond_help.items())
        found.append(f"These would go on writing to the target while it is carried back ({told}): mend that.")
    back = [host for host, look in looks.items() if look.values and not would_change(look.values)]
    if back:
        found.append(
            f"{', '.join(back)} write to the old Redis already, which would be lost under what the target holds."
        )
    seen = looks[transfer.host_of(known)].transfer if transfer.host_of(known) in looks else {}
    if seen.get("failure") and not found:
        found.append(f"What is to be carried back could not be looked at: {seen['failure']}")
    found += [str(each) for each in seen.get("refusals") or ()]
    if not found:
        return []
    return [
        "Nothing was touched: what the app wrote to the target cannot be carried back (migration_rollback_carries). "
        f"{' '.join(found)} {WITHOUT}"
    ]


def _by_what_is_stated(known: Known) -> list[str]:
    found = []
    if known.endpoint.get("protocol") == MEMCACHED:
        found.append("Memcached tells nobody what it holds.")
    if known.endpoint.get("state", "known") == AFTER_APPLY:
        found.append("The target is not there.")
    if known.shared:
        names = ", ".join(str(one["name"]) for one in known.shared)
        found.append(f"{names} is shared by all hosts, and whatever starts after that is changed is back already.")
    entry = transfer.entry_of(known)
    if transfer.is_unfinished(entry) and entry.get("strategy") == LIVE and entry.get("step") == transfer.USED:
        found.append(
            f"{entry.get('host')} still follows the old Redis (live), as the cutover did not come to its end: end that "
            "first, by the same cutover again."
        )
    return found


def step(known: Known, hosts: Sequence[str]) -> Step:
    limit = float(known.settings["hold_limit"])
    reason = (
        f"carry back what {known.endpoint.get('name') or 'the target'} holds, by {transfer.host_of(known)}, while the "
        f"services of {', '.join(hosts)} stand still: what is gone there is deleted on the old Redis, all keys are "
        "copied over, and both are compared; then all go back in one turn"
    )
    undo = f"where it fails, or services do not stop within {limit:g} s, all start again on the target"
    return Step(SHARED, "data", reason=reason, undo=undo)


def lines(held: Mapping[str, Any], done: Mapping[str, Any]) -> list[str]:
    """What is said of it when all are back."""
    carried, still = (float(held.get(name) or 0) / 1000 for name in ("behind_ms", "still_ms"))
    return [
        f"Carried back {int(done.get('keys_done') or 0):,} keys, and compared them: equal on both sides. Services of "
        f"{', '.join(held.get('hosts') or ())} stood still for {still:,.1f} s, {carried:,.1f} s of it for that.",
        *map(str, done.get("notes") or ()),
    ]
