# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Plan the run of what was looked at, and say it. Writes nothing. What stands against it ends the run, all reasons
at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import playbooks
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import (
    approval,
    engine,
    holding,
    made_of,
    removal,
    transfer,
    words,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS, ORIGINAL
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import approving, comparing, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.checks import run_check
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.engine import SURVEYED, EngineAction, known_of


class ActionModule(EngineAction):
    """Says only what is new where ``told`` is the plan that was said before something was made.

    ``surveyed`` are those who have looked closer since: nobody is asked a second time, and not when something was made.
    """

    _VALID_ARGS = frozenset(("known", "told", "surveyed"))

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        known, told = known_of(self._task.args), dict(self._task.args.get("told") or {})
        goal = GOALS[known.goal]
        looks = self.looks(task_vars, known.present) if goal.looks_at_hosts else {}
        surveyed = list(self._task.args.get("surveyed") or told.get("surveyed") or ())
        for host, closer in self.looks(task_vars, surveyed, SURVEYED).items():
            looks[host] = replace(looks[host], survey=closer.survey) if told else closer
        plan, parts = engine.plan(known, looks), made_of.of_run(known, looks)
        if plan.facts.get("survey") and not surveyed:
            return {"changed": False, "survey": plan.facts["survey"]}
        if goal.stages == ("assess",) and (plan.facts.get("assessed") or {}).get("sources"):
            plan = self.with_comparison(known, plan)
        said = list(words.news_of(plan) if told else words.of_plan(known, plan))
        say.lines(said)
        unfit = (*self.check_that_cannot_be_run(known, plan), *self.hosts_that_cannot_wait_together(plan))
        plan = replace(plan, refusals=(*plan.refusals, *unfit))
        handed = {} if told else approving.handed_over(known.settings, self.page(known, plan), parts)
        refusals = list(filter(None, [*plan.refusals, self.another_than_approved(known, plan, parts, told)]))
        if refusals:
            raise AnsibleActionFail("\n".join(refusals))
        first = {"lines": told.get("lines", plan.lines), "digest": told.get("digest", plan.digest)}
        plan = replace(plan, facts={**plan.facts, "first": first})
        acts = not known.check_mode
        return {
            **handed,
            "changed": False,
            "plan": plan.as_dict(),
            "said": said,
            **first,
            "survey": [],
            "surveyed": surveyed,
            "makes": bool(plan.facts.get("makes")) and acts,
            "acts": acts and not plan.is_nothing and bool(goal.moves or self.brings(plan)),
            "brings": acts and self.brings(plan),
            "holds": acts and bool((plan.facts.get("data") or {}).get("holds")),
            "finishes": acts and bool((plan.facts.get("data") or {}).get("finishes")),
            "bearer": (plan.facts.get("data") or {}).get("host") or "",
            "step": "back" if goal.destination == ORIGINAL else "move",
            "throttle": self.throttle(known, plan),
            "back_throttle": int(known.settings.get("rollback_throttle") or 1),
            "batches": [list(batch) for batch in plan.batches] if acts else [],
        }

    def with_comparison(self, known: Known, plan: Plan) -> Plan:
        """The services side by side, also where the one that is named cannot take the place of the old Redis."""
        assessed = plan.facts["assessed"]
        lines, record = comparing.compared(self, known, assessed, self._task_vars)
        facts = {**plan.facts, "assessed": {**assessed, "comparison": record}}
        return replace(plan, notes=(*plan.notes, *lines), facts=facts)

    def another_than_approved(self, known: Known, plan: Plan, parts: approval.Parts, told: Mapping[str, Any]) -> str:
        """Why this is not what was approved; empty where it is, or where nobody approved anything.

        Once something was made, AWS is another one by that: what remains to be as it was is what the app reads.
        """
        approved = approving.Approved(known.settings, self._task_vars)
        if why := approved.refuse_none(known.settings, not (known.check_mode or plan.is_nothing)):
            return why
        if not told:
            why = approved.refuse_another(plan.digest, plan.made_of, parts)
            is_back = known.words.get("brings_back") and not known.check_mode
            return why.replace(approval.UNTOUCHED, approval.BROUGHT_BACK) if is_back else why
        drifted = approval.drifted_while_made(told["plan"]["made_of"], plan.made_of)
        if not (approved.digest and drifted):
            return ""
        return (
            f"Not what was approved any more: {', '.join(drifted)}. The target is made, and nothing that the app reads "
            "was touched. Make a new plan with migration_plan_out, and have that approved."
        )

    @staticmethod
    def brings(plan: Plan) -> bool:
        """Whether something is done for the data."""
        return (plan.facts.get("data") or {}).get("does", transfer.NOTHING) != transfer.NOTHING

    def page(self, known: Known, plan: Plan) -> Page:
        playbook = playbooks.word(known.goal, self._task_vars.get("playbook_dir", ""))
        return Page(
            title=words.title(known),
            digest=plan.digest,
            steps=(*plan.steps, *removal.steps(known)),
            batches=plan.batches,
            refusals=plan.refusals,
            notes=plan.notes,
            cost=engine.cost_lines(known),
            command="" if plan.refusals else approving.command(playbook, self._task_vars, plan.digest),
            when=str(known.ledger.get("now") or ""),
        )

    @staticmethod
    def throttle(known: Known, plan: Plan) -> int:
        """How many hosts are at it at once; 0 is all, as where they wait for each other."""
        waits = (plan.facts.get("data") or {}).get("holds")
        goes_back = GOALS[known.goal].destination == ORIGINAL
        return int(known.settings["rollback_throttle"]) if goes_back and not waits else 0

    @staticmethod
    def hosts_that_cannot_wait_together(plan: Plan) -> list[str]:
        if not (plan.facts.get("data") or {}).get("holds") or not plan.batches:
            return []
        forks = int(context.CLIARGS.get("forks") or C.DEFAULT_FORKS)
        why = holding.too_many(plan.batches[0], forks)
        return [why] if why else []

    @staticmethod
    def check_that_cannot_be_run(known: Known, plan: Plan) -> list[str]:
        """Known before anything is changed, and by a plan."""
        if not plan.facts.get("checks"):
            return []
        check = run_check(known.settings["check_command"], "", known.settings["check_timeout"], {}, [], is_look=True)
        return [] if check["passed"] else [str(check["msg"])]
