# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What follows from the results of a batch: go on, stop, put back; and what is put back. Pure.

A result is ``{state: ok | failed | untouched, changed, restarted, step, why, lines}`` of a consumer.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan

Results = Mapping[str, Mapping[str, Any]]


def results_of(found: Mapping[str, Mapping[str, Any] | None], moved: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The result of each consumer of the run; ``moved`` are those whose turn has come, and so have one."""
    return {
        host: batches.result_of(result) if host in moved else dict(batches.UNTOUCHED) for host, result in found.items()
    }


def to_put_back(known: Known, plan: Plan, results: Results, turn: Mapping[str, Any]) -> list[str]:
    """The consumers that a run which stopped puts back: those that it changed.

    Where the user's own check has failed, or what all share goes back, also those that a run before it has changed and
    never got to its end; and of these always the ones that failed now, which are half there.
    Never one of a cutover that was complete, nor one that would only read the target again from a shared value.
    """
    facts = plan.facts
    check_failed = any(not check.get("passed") for check in turn.get("checks") or ())
    shared_goes_back = shared_to_revert(known, plan, turn)
    is_kept = plan.facts["has_own"] or shared_goes_back
    all_of_it = check_failed or shared_goes_back
    begun_before = [] if facts["was_complete"] else facts["begun_before"]
    begun = [host for host in begun_before if all_of_it or results[host].get("state") == "failed"]
    settled = [host for host in facts["led_to_target"] if not is_kept or host in facts["remembered"]]
    return batches.hosts_to_put_back(results, begun, settled)


def shared_to_revert(known: Known, plan: Plan, turn: Mapping[str, Any]) -> bool:
    """What consumers share goes back where this run wrote it. Where it failed to, or a run that was killed wrote
    it, it goes back from under no consumer that is on the target.
    """
    if not known.shared:
        return False
    facts = plan.facts
    shared = turn.get("shared") or {}
    if shared.get("changed"):
        return True
    if shared.get("failed") and not facts["on_target"]:
        return True
    check_failed = any(not check.get("passed") for check in turn.get("checks") or ())
    all_back = check_failed and not facts["was_complete"]
    is_begun = any(batches.is_changed_before(one) for one in known.shared)
    return is_begun and not facts["was_complete"] and (all_back or not facts["on_target"])
