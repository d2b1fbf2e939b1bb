# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The turns around the data, which comes before the first host is switched: the lock, and the ledger's entry.

They are also those of a run that brings the data alone, where nobody is moved.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, transfer
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import BROUGHT, FINISHED, LET_GO
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import Stopped, Turn

BEGIN, END = "Remember that the data is under way", "Remember that the data is there"


def before(turn: Turn) -> None:
    """What was brought before stays known until it is taken away, which the host tells when it is looked at."""
    turn.hold()
    course = turn.plan.facts["data"]
    if course["does"] == transfer.BRING:
        remember(turn, BEGIN, transfer.BEGUN)
    turn.state["data"] = {"does": course["does"], "queues": course["queues"]}


def after(turn: Turn) -> None:
    """Nothing is switched to a target whose data is not there."""
    course = turn.plan.facts["data"]
    found = turn.action.registered(turn.vars, [course["host"]], BROUGHT)[course["host"]]
    result = batches.result_of(found)
    turn.state["data"] = {**turn.state["data"], **result}
    if result["state"] != "ok":
        why = str(result["why"]).rstrip(".")
        raise Stopped(
            str(result["step"]),
            f"{course['host']}: {why}. The app works from the old Redis, as before. Mend that, and run the same "
            "command again, which goes on with it.",
        )
    turn.keep_lock()
    if course["does"] == transfer.GO_ON:
        return
    if course["does"] == transfer.ABORT:
        turn.do("migration_ledger", "Forget the transfer", entry=transfer.ENTRY, state="absent")
        return
    remember(turn, END, transfer.READY, **{name: result[name] for name in ("keys", "compared") if name in result})


def before_the_end(turn: Turn) -> None:
    """What the host needs for it, which may have brought the data in an earlier run."""
    turn.state["data"] = {**(turn.state.get("data") or {}), "queues": turn.plan.facts["data"]["queues"]}


def hold_of(turn: Turn) -> dict[str, Any]:
    """Who holds the old Redis's writes, and for whom. Its name is of this run alone."""
    hosts = [host for batch in turn.plan.batches for host in batch]
    return {"name": str(turn.state["run"]), "hosts": hosts, "by": turn.plan.facts["data"]["host"]}


def let_go(turn: Turn) -> None:
    """How that ended, once hosts have had their turn."""
    wanted = turn.state.get("hold")
    if not wanted or not turn.moved or "writes" in turn.state:
        return
    result = batches.result_of(turn.action.registered(turn.vars, [wanted["by"]], LET_GO)[wanted["by"]])
    turn.state["writes"] = result.get("held") or {"why": str(result.get("why") or "")}


def finished(turn: Turn) -> str:
    """Why it could not be ended, by the host's result; empty where it was, or where nothing was to be ended."""
    course = turn.plan.facts["data"]
    if not course["finishes"]:
        return ""
    result = batches.result_of(turn.action.registered(turn.vars, [course["host"]], FINISHED)[course["host"]])
    if result["state"] != "ok":
        return f"{course['host']}: {result['why']}"
    turn.state["data"] = {
        **(turn.state.get("data") or {}),
        "finished": result.get("transfer") or {},
        "jobs": result.get("jobs") or {},
    }
    return ""


def remember(turn: Turn, words: str, step: str, **more: Any) -> None:
    turn.do("migration_ledger", words, entry=transfer.ENTRY, value=entry(turn, step, **more))


def entry(turn: Turn, step: str, **more: Any) -> dict[str, Any]:
    """What is kept of it. That it is used, or finished, adds to what was told of it when it was ready."""
    goes_on = step in (transfer.USED, transfer.FINISHED)
    kept = turn.state.get("entry") or transfer.entry_of(turn.known) if goes_on else {}
    value = {
        "host": transfer.host_of(turn.known),
        "strategy": turn.known.settings["transfer"],
        **{name: told for name, told in kept.items() if name != "time"},
        **more,
        "endpoint": {name: turn.known.endpoint[name] for name in ("name", "address", "port")},
        "step": step,
    }
    turn.state["entry"] = value
    return value


def is_marked(turn: Turn) -> bool:
    """Whether the ledger has an entry that the switching of hosts goes on with."""
    return transfer.is_wanted(turn.known) and bool(turn.state.get("entry") or transfer.entry_of(turn.known))


# --- of a run that brings the data alone ---


def begin(turn: Turn) -> None:
    pass


def after_batch(turn: Turn) -> None:
    pass


def complete(turn: Turn) -> None:
    pass


def undo(turn: Turn) -> None:
    pass
