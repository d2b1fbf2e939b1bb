# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The turns of the goal ``original``: the shared store first, as a host that is restarted reads it again. Nothing
holds it up.
"""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, to_original
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns import data
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import Stopped, Turn


def begin(turn: Turn) -> None:
    """Without Parameter Store there is neither lock nor ledger, and the hosts are put back all the same."""
    if turn.plan.facts["begins"]:
        lock = turn.tried("migration_lock")
        if lock.get("failed") and "lock" in lock:  # somebody else holds it
            raise Stopped("Hold the lock of the migration", str(lock["msg"]))
    if turn.plan.facts["forgets"]:
        # From now on it is not true that all hosts are on the target since then.
        gone = turn.tried("migration_ledger", entry="cutover", state="absent")
        turn.state["ledger_failure"] = str(gone.get("msg") or "") if gone.get("failed") else ""
    elif turn.plan.facts["begins"]:
        turn.state["ledger_failure"] = turn.known.ledger_failure
    turn.state["begun"] = True
    if (turn.plan.facts.get("data") or {}).get("holds"):
        turn.state["hold"] = data.hold_of(turn)
    if turn.known.shared:
        back = turn.restore_shared()
        turn.state["shared_back"] = [back]
        turn.state["shared_failure"] = batches.shared_failure(back, to_original.target_of(turn.known))


def after_batch(turn: Turn) -> None:
    data.let_go(turn)


def complete(turn: Turn) -> None:
    pass


def undo(turn: Turn) -> None:
    pass
