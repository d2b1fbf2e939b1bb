# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The turns of the goal ``target``: the shared value first, the user's check after the canary and at the end, the
ledger last.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, judge, own_check, transfer
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.checks import run_check
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns import data
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import LOST, Stopped, Turn


def begin(turn: Turn) -> None:
    """From here on it is not true that hosts which are
    switched again are on the target since then, whatever becomes of this run.
    """
    turn.hold()
    facts = turn.plan.facts
    if facts["forgets"]:
        kept = {"state": "present", "value": {**_entry(turn), "hosts": facts["stay"]}}
        turn.do(
            "migration_ledger",
            "Forget the hosts that are switched again",
            entry="cutover",
            **(kept if facts["was_complete"] else {"state": "absent"}),
        )
    if turn.plan.batches and data.is_marked(turn):
        data.remember(turn, "Remember that the app writes to the target from now on", transfer.USED)
    if turn.plan.facts["data"]["holds"]:
        turn.state["hold"] = data.hold_of(turn)
    if turn.known.shared:
        turn.state["begun"] = True
        turn.state["shared"] = turn.change_shared([one["name"] for one in turn.known.shared])
        if turn.state["shared"].get("failed"):
            raise Stopped("Change the shared value", turn.state["shared"]["msg"])


def _entry(turn: Turn) -> dict[str, Any]:
    return {name: value for name, value in turn.known.cutover.items() if name != "time"}


def after_batch(turn: Turn) -> None:
    """The user's own check, after the canary and after the last batch."""
    data.let_go(turn)
    if not turn.state["go"] or not turn.plan.facts["checks"]:
        return
    order = [list(batch) for batch in turn.plan.batches]
    done = order if turn.is_last else order[: int(turn.batch or 0)]
    phase = own_check.phase_after(order, done[-1]) if done else (own_check.ALL if turn.is_last else "")
    if not phase:
        return
    hosts = done[-1] if phase == own_check.CANARY else list(turn.known.present)
    check = run_check(
        turn.known.settings["check_command"],
        phase,
        turn.known.settings["check_timeout"],
        _told(turn, phase, hosts),
        [turn.token],
    )
    turn.state["checks"] = [*turn.state["checks"], check]
    if not check.get("passed"):
        turn.state["go"] = False
        turn.leave_untried()


def _told(turn: Turn, phase: str, hosts: list[str]) -> dict[str, str]:
    addresses = [str(turn.vars["hostvars"][host].get("ansible_host") or host) for host in hosts]
    return {
        "MIGRATION_ADDRESSES": ",".join(addresses),
        "MIGRATION_ENDPOINT": f"{turn.known.endpoint['address']}:{turn.known.endpoint['port']}",
        "MIGRATION_HOSTS": ",".join(hosts),
        "MIGRATION_NAME": turn.known.name,
        "MIGRATION_PHASE": phase,
    }


def complete(turn: Turn) -> None:
    """Every host is on the target, and every check has passed: the ledger is told so, and since when."""
    if not turn.state["go"] or not turn.plan.facts["is_to_remember"]:
        return
    turn.keep_lock()
    if why := data.finished(turn):
        turn.state["not_finished"] = why
        return
    answer: dict[str, Any] = {}
    if data.is_marked(turn):
        value = data.entry(turn, transfer.FINISHED)
        answer = turn.tried("migration_ledger", entry=transfer.ENTRY, value=value)
    endpoint = {name: turn.known.endpoint[name] for name in ("name", "address", "port")}
    value = {"endpoint": endpoint, "left": turn.plan.facts["left"], "hosts": list(turn.known.present)}
    answer = answer if answer.get("failed") else turn.tried("migration_ledger", entry="cutover", value=value)
    if answer.get("failed"):  # it undoes nothing
        turn.state["not_remembered"] = str(answer.get("msg") or "no reason given")


def undo(turn: Turn) -> None:
    """What the run that stopped changed: what consumers share now, and which of them are to be put back."""
    if turn.state["go"] or turn.state.get("lost_lock") or not turn.state.get("begun"):
        return  # what another run does by now, or has done before this one had the lock, is not undone
    lock = turn.tried("migration_lock", state="kept")  # what lost the hosts may have lost it, too
    if lock.get("lost"):
        turn.state.update(lost_lock=True, failure={"step": LOST, "why": str(lock["msg"])})
        return
    results = turn.results
    if judge.shared_to_revert(turn.known, turn.plan, turn.state):
        back = turn.restore_shared()
        turn.state["shared_back"] = [back]
        turn.state["shared_failure"] = batches.shared_failure(back, turn.known.endpoint)
    turn.state["put_back"] = judge.to_put_back(turn.known, turn.plan, results, turn.state)
