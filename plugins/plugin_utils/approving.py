# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan that somebody approves: written where migration_plan_out says, and held against migration_approve."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any, Callable, Mapping

import yaml
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import kept
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.approval import Parts
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page, tally
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import record, say

ARTIFACT = "cache_migration_plan"  # of a job of AWX, which hands it on to the next in a workflow
_LARGEST = 16 * 1024 * 1024

REQUIRED = (
    "migration_require_approval is set, and nobody has approved what this run would do: nothing was touched. Make a "
    "plan with migration_plan_out, and give its digest in migration_approve. In a workflow of AWX the job of the plan "
    "left no artifact: launch the workflow again."
)


def handed_over(settings: Mapping[str, Any], page: Page, parts: Parts) -> dict[str, Any]:
    """Write the plan where that is asked for, and say so. What a result says of it, by which AWX hands it on."""
    if not settings.get("plan_out"):
        return {}
    whole = {**kept(_data(page)), "made_of": dict(parts)}
    path = os.path.expanduser(settings["plan_out"])
    text = json.dumps(whole, indent=2) + "\n" if path.endswith(".json") else page.markdown()
    if os.path.lexists(path) and (os.path.islink(path) or not os.path.isfile(path)):
        raise AnsibleActionFail(f"migration_plan_out: {path} is there, and is no file: name one that a plan may be in.")
    try:
        record.write(path, text)
    except OSError as error:
        raise AnsibleActionFail(f"migration_plan_out: the plan cannot be written to {path}: {error}.") from None
    say.lines([f"  The plan is in {path}."])
    if page.refusals:
        return {}
    # Not aggregated, which would put two digests of one playbook one behind the other.
    told = {"migration_approve": page.digest, ARTIFACT: whole}
    return {"ansible_stats": {"data": told, "per_host": False, "aggregate": False}}


def _data(page: Page) -> dict[str, Any]:
    return {
        "digest": "" if page.refusals else page.digest,
        "title": page.title,
        "summary": tally(page.steps, page.refusals),
        "steps": [step.line for step in page.steps],
        "refused": list(page.refusals),
        "batches": [list(batch) for batch in page.batches],
        "cost": list(page.cost),
        "found": list(page.notes),
        "made_at": page.when,
    }


def command(playbook: str, task_vars: Mapping[str, Any], digest: str) -> str:
    """What a person types to have exactly that done."""
    inventories = task_vars.get("ansible_inventory_sources") or ()
    words = ["ansible-playbook", playbook, *(word for source in inventories for word in ("-i", str(source)))]
    return f"{shlex.join(words)} -e migration_approve={digest}"


class Approved:
    """``digest`` is empty where no plan is to be held against, as where one is made: AWX hands that of an earlier job
    of a workflow on to each that follows, another plan among them.
    https://github.com/ansible/awx/blob/devel/docs/workflow.md
    """

    def __init__(self, settings: Mapping[str, Any], task_vars: Mapping[str, Any]) -> None:
        stated = "" if settings.get("plan_out") else str(settings.get("approve") or "").strip()
        self.digest, self.parts = stated, {}  # type: str, Parts
        if stated and not approval.is_digest(stated) and os.path.isfile(os.path.expanduser(stated)):
            self.digest, self.parts = _read(os.path.expanduser(stated))
        handed = task_vars.get(ARTIFACT)
        if isinstance(handed, Mapping) and handed.get("digest") == self.digest:
            self.parts = self.parts or _made_of(handed)

    def refuse_none(self, settings: Mapping[str, Any], is_done: bool) -> str:
        """Why nothing may be done without an approval; empty where there is one, or where none is asked for."""
        return REQUIRED if is_done and settings.get("require_approval") and not self.digest else ""

    def refuse_another(self, now: str, made_of: Mapping[str, str], parts: Parts) -> str:
        """Why this is not the plan that was approved; empty where it is."""
        return self._why(approval.refuse_another, now, made_of, self.parts, parts)

    def refuse_drift(self, goal: str, made_of: Mapping[str, str], parts: Parts) -> str:
        """The same of what is seen without the hosts."""
        before = {name: data for name, data in self.parts.items() if not name.startswith(approval.HOST)}
        return self._why(approval.refuse_drift, goal, made_of, before, parts)

    def _why(self, refuse: Callable[..., None], *compared: Any) -> str:
        try:
            if self.digest:
                refuse(self.digest, *compared)
        except approval.ApprovalRefused as refused:
            return str(refused)
        return ""


def _read(path: str) -> tuple[str, Parts]:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise AnsibleActionFail(f"migration_approve: {path} cannot be read: {error}.") from None
    try:
        stored = json.loads(text)
    except ValueError:
        digest, parts = approval.found_in(text), {}  # type: str, Parts
    else:
        stored = stored if isinstance(stored, Mapping) else {}
        digest, parts = str(stored.get("digest") or ""), _made_of(stored)
    if not digest:
        raise AnsibleActionFail(
            f"migration_approve: {path} has no plan that can be approved: it is what migration_plan_out wrote, where "
            "nothing was refused."
        )
    return digest, parts


def _made_of(stored: Mapping[str, Any]) -> Parts:
    made_of = stored.get("made_of")
    return made_of if isinstance(made_of, Mapping) else {}


def version() -> str:
    """Of this collection, as it is installed or in a checkout."""
    root = os.path.join(os.path.dirname(__file__), "..", "..")
    for name, keys in (("MANIFEST.json", ("collection_info", "version")), ("galaxy.yml", ("version",))):
        try:
            with open(os.path.join(root, name), encoding="utf-8") as file:
                found: Any = yaml.safe_load(file)
        except OSError:
            continue
        for key in keys:
            found = found[key]
        return str(found)
    return ""
