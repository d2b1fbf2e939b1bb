# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One turn of the controller between two batches, whatever the goal: its state, its lock, its judgement."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Key, Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, judge
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import RESULT, EngineAction

Found = dict[str, Any]

LOST = "Stop where this run does not hold the lock any more"


class Stopped(Exception):
    """The run goes no further; ``step`` and the text are for the operator."""

    def __init__(self, step: str, why: str) -> None:
        super().__init__(why)
        self.step = step


class Turn:
    """``state`` goes from one turn to the next, and to the verdict: ``go`` (whether the next batch is moved),
    ``failure`` (step, why), ``shared``, ``shared_back``, ``shared_failure``, ``checks``, ``put_back``,
    ``is_last_batch``, ``data`` (what became of it), ``writes`` (how those on the old Redis were held), and what a goal
    adds.
    """

    def __init__(self, action: EngineAction, known: Known, plan: Plan, so_far: Found, task_vars: Any) -> None:
        self.action, self.known, self.plan, self.vars = action, known, plan, task_vars
        kept = {name: value for name, value in so_far.items() if name not in ("changed", "failed")}
        self.state: Found = {
            "go": True,
            "run": action._task.args["known"]["began"],
            "checks": [],
            "put_back": [],
            "prove_on": "",
            **kept,
        }
        self.changed = False
        self.batch: int | None = action._task.args.get("batch")
        self.state["is_last_batch"] = self.batch is not None and int(self.batch) == len(plan.batches) - 1
        moved = plan.batches if self.batch is None else plan.batches[: int(self.batch)]
        self.moved = [host for batch in moved for host in batch] if self.state.get("begun") else []
        found = action.registered(task_vars, known.present, RESULT) if self.moved else dict.fromkeys(known.present)
        self.results = judge.results_of(
            found, [host for host in self.moved if host not in self.state.get("untried", ())]
        )

    @property
    def is_last(self) -> bool:
        return self.batch is None

    @property
    def token(self) -> str:
        return self.action.opened(self.state.get("token") or self.action._task.args["known"].get("token"))

    def do(self, name: str, step: str, /, **args: Any) -> Found:
        """The result of an action on the controller; where it failed the run stops at this step."""
        answer = self.tried(name, **args)
        if answer.get("failed"):
            raise Stopped(step, str(answer.get("msg") or "no reason given"))
        return answer

    def tried(self, name: str, /, **args: Any) -> Found:
        common = {"region": self.known.settings["region"], "migration_name": self.known.name}
        answer = self.action.do(name, {**common, **args}, self.vars, check_mode=False)
        self.changed = self.changed or bool(answer.get("changed"))
        return answer

    def hold(self) -> None:
        """The lock, and that nothing has changed since the plan; once in a run, as it is held from then on."""
        if self.state.get("held"):
            self.keep_lock()
            return
        self.take_lock()
        self.refuse_what_has_changed()
        self.state["held"] = True

    def take_lock(self) -> None:
        self.do("migration_lock", "Hold the lock of the migration")

    def refuse_what_has_changed(self) -> None:
        """What another run did between the look and the lock: what is true by now is not what was planned."""
        now = self.do("migration_ledger_info", "See that nothing has changed since the plan")
        before = {name: entry for name, entry in self.known.entries.items() if name != "lock"}
        if {name: entry for name, entry in now["entries"].items() if name != "lock"} != before:
            raise Stopped(
                "See that nothing has changed since the plan",
                "the ledger of this migration is another one than when this run planned: another run was faster. "
                "Nothing was changed by this one; run it again",
            )

    def judge(self) -> None:
        """Whether the batches so far went well, and this run still holds the lock."""
        failed = batches.failed_hosts(self.results)
        goes_on = GOALS[self.known.goal].goes_on
        if self.state.get("failure") or (failed and not goes_on):
            self.state["go"] = False
        if not self.state["go"]:
            self.leave_untried()
            return
        if self.state.get("begun") and self.moved and not goes_on:
            self.keep_lock()
        self.state["begun"] = True

    def keep_lock(self) -> None:
        """A machine that slept, or had no way to AWS, has lost it. Where AWS cannot say, the run goes on, as what
        it began must be ended one way or the other.
        """
        answer = self.tried("migration_lock", state="kept")
        if answer.get("lost"):
            self.state["lost_lock"] = True
            raise Stopped(LOST, str(answer["msg"]))

    def stop(self, stopped: Stopped) -> None:
        self.state["go"] = False
        self.state["failure"] = {"step": stopped.step, "why": str(stopped)}
        self.leave_untried()

    def leave_untried(self) -> None:
        """Of a run that stopped, what comes after is not tried, and so has no result."""
        if "untried" not in self.state:
            tried = set(self.moved)
            self.state["untried"] = [host for host in self.plan.consumers if host not in tried]

    # --- what consumers share ---

    def change_shared(self, names: Container[str]) -> Found:
        """One after the other; the first that fails is told, and nothing more is changed."""
        told: Found = {"changed": False, "changes": {}}
        for one in self.known.shared:
            if one["name"] in names and not told.get("failed"):
                keys = {name: Key(**key) for name, key in one["keys"].items()}
                value = Value(one["store"], one["name"], keys)
                values = value.held(self.known.endpoint, self.token, self.known.settings)
                told = self._with(told, one, state="present", values=values, keep_options=value.takes_options)
        return told

    def restore_shared(self) -> Found:
        """All that can go back; the first that fails is told."""
        told: Found = {"changed": False, "changes": {}}
        for one in self.known.shared:
            told = self._with(told, one, state="reverted", values=dict.fromkeys(one["keys"], ""))
        return told

    def _with(self, told: Found, one: Mapping[str, Any], **args: Any) -> Found:
        answer = self.tried(on_aws.MODULE, store=one["store"], **args)
        failure = {"failed": True, "msg": str(answer.get("msg") or "no reason given")} if answer.get("failed") else {}
        return {
            **failure,
            **told,
            "changed": told["changed"] or bool(answer.get("changed")),
            "changes": {**told["changes"], **(answer.get("changes") or {})},
        }
