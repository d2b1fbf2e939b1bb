# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the controller does before each batch, and after the last: hold the lock, judge, change what all share,
complete.

It never fails: what fails is in its result, as hosts may have to be put back, and the last word is
migration_verdict's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, ORIGINAL, TARGET, TOKEN
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import EngineAction, known_of
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns import data, original, target, token
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import Stopped, Turn

TURNS = {TARGET: target, ORIGINAL: original, TOKEN: token}


class ActionModule(EngineAction):
    """``batch`` is the number of the batch that comes next, from 0; left out after the last. ``data`` says that the
    turn is before or after the data, which comes before all of them, or before its end. ``so_far`` is what the turn
    before returned.
    """

    _VALID_ARGS = frozenset(("known", "plan", "batch", "data", "so_far"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        known, plan = known_of(self._task.args), Plan.from_dict(self._task.args["plan"])
        so_far = self.of_this_run(self._task.args.get("so_far"))
        turn = Turn(self, known, plan, so_far, task_vars)
        goal = GOALS[known.goal]
        turns = TURNS[goal.destination] if goal.moves else data
        around = {"before": data.before, "after": data.after}.get(self._task.args.get("data") or "")
        try:
            if around and turn.state["go"]:
                around(turn)
            elif around:
                turn.leave_untried()
            else:
                self.between_batches(turn, turns, so_far)
                if self.is_before_the_end:
                    data.before_the_end(turn)
                if turn.is_last and not self.is_before_the_end:
                    turns.complete(turn)
        except Stopped as stopped:
            turn.stop(stopped)
        except Exception as error:  # whatever it is, hosts may have to be put back
            turn.stop(Stopped("The controller's turn", str(error) or type(error).__name__))
        if turn.is_last and not (around or self.is_before_the_end):
            turns.undo(turn)
        return {**turn.state, "changed": turn.changed}

    @property
    def is_before_the_end(self) -> bool:
        """After the last batch, where a host is yet to end what follows, which it does where all went well by then."""
        return self._task.args.get("data") == "finish"

    @staticmethod
    def between_batches(turn: Turn, turns: ModuleType, so_far: Mapping[str, Any]) -> None:
        if turn.state["go"] and not so_far.get("begun"):
            turns.begin(turn)
        turn.judge()
        if not so_far.get("is_checked"):
            turns.after_batch(turn)
        turn.state["is_checked"] = turn.is_last
