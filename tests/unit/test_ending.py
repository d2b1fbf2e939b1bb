"""The end of a run: what is said, recorded and remembered, and whether it failed."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

from ansible_collections.kempian.cache_migration.plugins.action import migration_verdict
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import ending, token_rotation
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

from tests.unit.engine_world import ENDPOINT, NEW, OLD, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
OK = {"state": "ok", "changed": True, "lines": ["app1: restart shop"]}
FAILED = {"state": "failed", "changed": True, "step": "Restart", "why": "it does not come back"}
CUTOVER = {"cutover": {"endpoint": ENDPOINT, "hosts": ["app1"], "time": "then"}}


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def end(world, goal, turn, found=None, back=None, proof=None, check_mode=False, **known):  # noqa: PLR0917
    known = replace(world.known(goal, **known), check_mode=check_mode)
    plan = world.plan(goal, **({"course": known.course} if known.course else {}))
    plan = replace(plan, facts={**plan.facts, "first": {"lines": plan.lines, "digest": plan.digest}})
    found = found if found is not None else dict.fromkeys(known.present)
    return ending.of(known, plan, turn, found, back or {}, proof or {})


def cutover(world, turn, **parts):
    return end(world, "cutover", {"go": True, **turn}, **parts)


# --- target ---


def test_a_cutover_that_is_done_says_where_the_hosts_are_and_the_way_back():
    ended = cutover(world(ON_OLD), {}, found={"app1": OK})
    assert ended.failure == ""
    assert ended.lines == (
        "Done: app1 moved to shop-cache at target.internal:6379.",
        f"The way back: ansible-playbook playbooks/rollback.yml -i inv{ending.WITH_ITS_OPTIONS}",
    )
    assert ended.records["cutover"]["done"] == ["app1: restart shop"]


def test_a_plan_ends_without_a_word_and_records_what_it_would_do():
    ended = end(world(ON_OLD), "cutover", {}, check_mode=True)
    assert not ended.failure and not ended.lines
    assert ended.results["app1"]["state"] == "untouched" and ended.records["cutover"]["lines"]


def test_a_host_that_was_on_the_target_and_is_not_moved_is_told_as_such():
    ended = cutover(world(ON_TARGET, ON_OLD, ledger=CUTOVER), {}, found={"app1": None, "app2": OK})
    seen = {"reached": True, "connections": 1, "services": ["shop"]}
    assert ended.results["app1"] == {"state": "ok", "changed": False, "seen": seen}, "by a look, and by no proof"


def test_a_run_that_stopped_says_who_failed_who_is_back_and_who_was_not_tried():
    turn = {"go": False, "untried": ["app3"], "put_back": ["app1", "app2"]}
    found = {"app1": OK, "app2": FAILED, "app3": None}
    ended = cutover(world(ON_OLD, ON_OLD, ON_OLD), turn, found=found, back={"app1": OK, "app2": None})
    assert "app2 failed at the step 'Restart': it does not come back" in ended.failure
    assert "Put back to the old Redis, restarted and healthy: app1." in ended.failure
    assert "NOT put back: app2: it could not be reached earlier in this run." in ended.failure
    assert "Never touched by this run: app3." in ended.failure


def test_a_run_that_stopped_before_the_first_change_says_that_alone():
    turn = {"go": False, "failure": {"step": "Hold the lock", "why": "awx holds it."}, "untried": ["app1"]}
    assert cutover(world(ON_OLD), turn).failure == "Stopped at the step 'Hold the lock': awx holds it."


def test_a_lost_lock_is_said_as_it_is_and_nothing_is_said_to_be_put_back():
    turn = {"go": False, "lost_lock": True, "failure": {"step": "Stop", "why": "This run stops here."}}
    assert cutover(world(ON_OLD), turn, found={"app1": OK}).failure == "This run stops here."


def test_a_ledger_that_could_not_be_told_undoes_nothing_and_is_said():
    ended = cutover(world(ON_OLD), {"not_remembered": "Rate exceeded."}, found={"app1": OK})
    assert "nothing is to be put back" in ended.failure and "Rate exceeded. Mend that" in ended.failure


def test_the_way_to_the_target_is_recorded_with_the_figures_of_each_probe():
    ended = end(world(ON_OLD), "ingress", {})
    assert ended.records["ingress"]["probes"] == {"app1": {"reached": True}}


# --- original ---


def test_each_host_is_named_with_where_it_is():
    found = {"app1": OK, "app2": {"state": "ok", "changed": False}}
    ended = end(world(ON_TARGET, ON_OLD), "rollback", {"go": True}, found=found)
    assert ended.lines == ("app1: on the old Redis, put back by this run", "app2: on the old Redis, as it was")
    assert ended.failure == ""


def test_a_plan_says_who_would_be_put_back_and_who_is_as_it_was():
    ended = end(world(ON_TARGET, ON_OLD), "rollback", {}, check_mode=True)
    assert ended.lines == ("app1: would be put back on the old Redis", "app2: on the old Redis, as it was")


def test_what_is_not_back_fails_the_run_with_the_command_for_it():
    ended = end(world(ON_TARGET, ON_TARGET), "rollback", {"go": True}, found={"app1": OK, "app2": FAILED})
    assert ended.failure.startswith("Not everything is back")
    assert "--limit app2" in ended.lines[1]


def test_a_shared_value_that_is_not_back_fails_also_a_run_that_had_nothing_to_do():
    ended = end(world(Host(None, ""), shared=Held(NEW)), "rollback", {})
    assert ended.failure and "The shared store is NOT back" in ended.lines[0]


def test_a_ledger_that_may_still_remember_the_cutover_fails_it():
    ended = end(world(ON_TARGET), "rollback", {"go": True, "ledger_failure": "AccessDenied."}, found={"app1": OK})
    assert ended.failure and "The ledger may still say when the cutover was: AccessDenied. Run" in ended.lines[-1]


def test_a_lock_of_others_ends_a_rollback_before_it_begins():
    turn = {"go": False, "failure": {"step": "Hold the lock", "why": "awx holds it"}}
    assert end(world(ON_TARGET), "rollback", turn).failure == "Nothing was put back: awx holds it"


# --- token ---

COURSE = token_rotation.course(
    "shop/token", {"exists": True, "ours": True, "current_version_id": "v1", "pending_version_id": "v2"}, {}, False
)
ENDED = {"go": True, "begun": True, "ended": True, "version": "v2", "left": []}


def rotation(turn, found=None, proof=None, hosts=(ON_TARGET,)):
    return end(world(*hosts), "rotate", turn, found=found or {"app1": OK}, proof=proof, course=COURSE)


def test_the_ledger_learns_of_the_new_token_once_the_one_before_is_refused():
    ended = rotation(ENDED, proof={"app1": {"kind": "auth_wrong"}})
    assert ended.failure == "" and ended.ledger["value"] == {"secret": "shop/token", "version_id": "v2"}
    assert ended.lines[0].startswith("Done: shop-cache and its hosts have the new token")


def test_a_token_that_is_still_accepted_fails_the_run_and_is_not_remembered_as_ended():
    for seen in ({"kind": "none"}, {"kind": "timeout", "msg": "no answer"}, None):
        ended = rotation(ENDED, proof={"app1": seen})
        assert "is not proven" in ended.failure and not ended.ledger


def test_hosts_that_are_left_keep_both_tokens_valid():
    ended = rotation({"go": True, "begun": True, "left": ["app9"]})
    assert "Both tokens stay valid until app9 use the new one" in ended.lines[0] and not ended.ledger


def test_a_host_that_failed_leaves_both_tokens_valid():
    ended = rotation({"go": False, "begun": True, "stopped": True, "untried": []}, found={"app1": FAILED})
    assert "Both tokens are valid, so nobody is locked out." in ended.failure


def test_a_rotation_that_never_had_the_lock_changed_nothing_and_says_so():
    stopped = {"step": "Hold the lock", "why": "awx holds it"}
    ended = rotation({"go": False, "stopped": True, "failure": stopped, "untried": ["app1"]})
    assert "Nothing was changed by this run." in ended.failure and "Both tokens may" not in ended.failure


# --- none ---


def test_to_say_where_it_stands_ends_without_a_record():
    assert end(world(ON_OLD), "state", {}) == ending.Ending()


# --- the record ---


class Verdict(migration_verdict.ActionModule):
    """With the fake results of a run in place of what tasks have registered."""

    def __init__(self, args, found):
        self._task, self.found = SimpleNamespace(args=args), found

    def do(self, name, args, task_vars, check_mode=None):
        return {}

    def registered(self, task_vars, hosts, name):
        return {host: self.found.get(host) for host in hosts}


def test_the_token_of_the_run_is_in_no_record_whatever_a_host_said(monkeypatch):
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})
    there = world(Host(Held(OLD)))
    known = there.known("cutover")
    known = replace(known, settings={**known.settings, "report_dir": ""})
    plan = there.plan("cutover")
    plan = replace(plan, facts={**plan.facts, "first": {"lines": [], "digest": ""}})
    token = "the-token-that-nobody-may-see"
    args = {
        "known": {**vars(known), "began": 1, "token": seal(token)},
        "plan": json.loads(json.dumps(plan.as_dict())),
        "turn": {"run": 1, "go": True},
    }
    told = Verdict(args, {"app1": {"state": "ok", "changed": True, "lines": [f"it said {token}"]}}).run()
    assert told["ansible_stats"]["data"]["cache_migration_cutover"]["done"] == ["it said ***"]
