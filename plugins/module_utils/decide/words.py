# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a person reads of a plan, of the way, and at the end. Pure."""

from __future__ import annotations

from typing import Iterable

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import one_line
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import page, removal
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import Plan
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.proof import ENVIRONMENT, SEEN

NOTHING = "Nothing is to be changed."
_TITLES = {
    "migrate": "Migrate {name} to {target}",
    "assess": "Assess the old Redis of {name}",
    "provision": "Make the target of {name}: {target}",
    "ingress": "Open the way to {target}",
    "transfer": "Bring the data of {name} to {target}",
    "cutover": "Switch the hosts of {name} to {target}",
    "rollback": "Put {name} back on the old Redis",
    "rotate": "Give {target} and its hosts a new token",
    "state": "Where {name} stands",
}
# Of a service that is proven by something else than connections that it has.
_BY = {SEEN: "was seen with one", ENVIRONMENT: "was started with the new values and opens none by itself"}


def title(known: Known) -> str:
    what = _TITLES[known.goal].format(name=known.name, target=known.endpoint.get("name") or "the target")
    return f"{what}: the plan; nothing is changed" if known.check_mode and known.goal != "state" else what


def of_plan(known: Known, plan: Plan) -> Iterable[str]:
    """The whole of it: what was found, and a line for each step."""
    moves = GOALS[known.goal].moves and not plan.is_nothing
    yield f"{title(known)} (plan {short(plan.digest)})" if moves else title(known)
    yield from (f"  {one_line(note)}" for note in plan.notes)
    yield from (f"- {one_line(line)}" for line in plan.lines)
    if plan.is_nothing and not plan.refusals and known.goal != "state" and GOALS[known.goal].stages != ("assess",):
        yield f"  {NOTHING}"
    yield from _of_approval(known, plan)


def short(digest: str) -> str:
    """Enough of it to tell one plan from another on a screen."""
    return digest.split("-")[1][:12] if digest else ""


def _of_approval(known: Known, plan: Plan) -> Iterable[str]:
    """How much it is, and what has exactly this done."""
    steps = (*plan.steps, *removal.steps(known))
    if not steps:
        return
    yield f"  {page.tally(steps, plan.refusals)}"
    if known.check_mode and not plan.refusals:
        yield f"  To have exactly this done: -e migration_approve={plan.digest}"


def news_of(plan: Plan) -> Iterable[str]:
    """What a second plan, of what was made meanwhile, has to say beside the first."""
    yield from (f"  {note}" for note in plan.facts.get("news") or ())


def of_host(host: str, result: dict[str, object]) -> str:
    """One line when a consumer has had its turn."""
    if result.get("state") == "failed":
        return f"  {host}: failed at '{result.get('step')}'"
    connections = result.get("connections") or {}
    to_target = connections.get("to_target", 0) if isinstance(connections, dict) else 0
    begun = f"  {host}: {'restarted, ' if result.get('restarted') else ''}healthy, {to_target} connections"
    proofs = result.get("proofs") or {}
    others = [f"; {name} {_BY[how]}" for name, how in proofs.items() if how in _BY] if isinstance(proofs, dict) else []
    jobs = result.get("jobs") or {}
    left = [f"; {name} left {held} behind" for name, held in jobs.items() if held] if isinstance(jobs, dict) else []
    return begun + "".join((*others, *left))
