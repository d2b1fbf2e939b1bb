"""What the controller does before each batch and after the last, with a fake for what it asks of others.

The fake knows the lock, the ledger and what hosts share, and tells in which order it was asked.
"""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.action import migration_turn
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import token_rotation
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal, unseal
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns import token
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.turns.turn import Turn

from tests.unit.engine_world import ENDPOINT, NEW, OLD, SHARED_NAME, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")
OK = {"state": "ok", "changed": True}
FAILED = {"state": "failed", "changed": True, "step": "Restart", "why": "it does not come back"}
REFUSED = {"failed": True, "msg": "awx holds the lock", "lock": {"id": "1"}}
DENIED = {"failed": True, "msg": "AccessDenied"}
BEFORE = {"cutover": {"endpoint": {**ENDPOINT, "address": "before.internal"}, "hosts": ["app1"], "time": "then"}}


class Fake(migration_turn.ActionModule):
    """``answers`` maps what is asked, as ``module`` or ``module state``, to the answer of each time it is asked."""

    def __init__(self, world, results=None, **answers):
        self.world, self.results, self.asked = world, results or {}, []
        self.answers = {name.replace("__", " "): answer for name, answer in answers.items()}
        self._task = SimpleNamespace(args={"known": {"began": 1}})

    def do(self, name, args, task_vars, check_mode=None):
        assert check_mode is False, "a turn never only looks"
        words = [name, args.get("state") or args.get("auth_token_update_strategy") or ""]
        self.asked.append((" ".join(filter(None, words)), args))
        known = {"migration_ledger_info": {"entries": self.world.ledger}}
        answer = self.answers.get(self.asked[-1][0], self.answers.get(name, known.get(name, {"changed": True})))
        return answer.pop(0) if isinstance(answer, list) else answer

    def registered(self, task_vars, hosts, name):
        return {host: self.results.get(host) for host in hosts}

    @property
    def order(self):
        return [what for what, _args in self.asked]

    def args_of(self, what):
        return next(args for asked, args in self.asked if asked == what)


def run(fake, goal="cutover", batches=None, **known):
    """The state after all turns of a run, one after the other, or after the first ``batches`` of them."""
    known = fake.world.known(goal, **known)
    plan = fake.world.plan(goal, **({"course": known.course} if known.course else {}))
    state = {}
    for batch in [*range(len(plan.batches)), None][: batches or len(plan.batches) + 1]:
        told = {**vars(known), "began": 1, "token": seal("the-new-token")}
        fake._task.args = {
            "known": told,
            "plan": json.loads(json.dumps(plan.as_dict())),
            "so_far": state,
            "batch": batch,
        }
        state = json.loads(json.dumps(fake.run(task_vars={"hostvars": {host: {} for host in known.present}})))
    return state


@pytest.fixture(autouse=True)
def _no_ansible(monkeypatch):
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


# --- target ---


def test_a_cutover_locks_looks_again_and_tells_the_ledger_last():
    fake = Fake(world(ON_OLD), {"app1": OK})
    state = run(fake)
    assert fake.order[:2] == ["migration_lock", "migration_ledger_info"]
    assert fake.order[-2:] == ["migration_lock kept", "migration_ledger"] and state["go"]
    value = fake.args_of("migration_ledger")["value"]
    assert value["hosts"] == ["app1"] and value["left"] == [{"address": "old.internal", "port": 6379}]
    assert value["endpoint"] == {"name": "shop-cache", "address": "target.internal", "port": 6379}


def test_what_hosts_share_is_changed_before_the_first_of_them():
    fake = Fake(world(Host(None), shared=Held(OLD)))
    run(fake, batches=1)
    assert fake.order[-1] == "aws_env_update present"
    assert fake.args_of("aws_env_update present")["values"][SHARED_NAME].startswith("rediss://:the-new-token@target")


def test_the_ledger_forgets_what_is_switched_again_before_it_is():
    fake = Fake(world(ON_TARGET, ON_OLD, ledger={"cutover": {"endpoint": ENDPOINT, "hosts": ["app1", "app2"]}}))
    run(fake, batches=1)
    assert fake.args_of("migration_ledger present")["value"]["hosts"] == ["app1"]


def test_the_ledger_forgets_a_cutover_to_a_target_before_this_one():
    fake = Fake(world(ON_OLD, ledger=BEFORE))
    run(fake, batches=1)
    assert fake.order[-1] == "migration_ledger absent"


def test_a_run_that_does_not_get_the_lock_changes_nothing_and_undoes_nothing():
    """Another run may have written what hosts share between the look and the lock: it is not ours to put back."""
    fake = Fake(world(Host(None), shared=Held.written_over(OLD, NEW)), migration_lock=REFUSED)
    state = run(fake)
    assert fake.order == ["migration_lock"]
    assert not state["go"] and state["put_back"] == [] and state["failure"]["why"] == "awx holds the lock"


def test_a_run_that_finds_another_ledger_than_it_planned_with_changes_nothing():
    fake = Fake(world(Host(None), shared=Held(OLD)), migration_ledger_info={"entries": BEFORE})
    state = run(fake)
    assert "another run was faster" in state["failure"]["why"] and "aws_env_update present" not in fake.order


def test_a_host_that_failed_ends_the_run_and_only_what_was_changed_is_put_back():
    fake = Fake(world(ON_OLD, ON_OLD, ON_OLD), {"app1": OK, "app2": FAILED, "app3": OK})
    state = run(fake)
    assert not state["go"] and state["untried"] == ["app3"] and state["put_back"] == ["app1", "app2"]
    assert "migration_ledger" not in fake.order


def test_a_host_whose_task_ended_without_a_result_ends_the_run():
    state = run(Fake(world(ON_OLD, ON_OLD), {"app1": {"failed": True, "msg": "a worker died"}}))
    assert not state["go"] and state["put_back"] == ["app1"]


def test_what_hosts_share_goes_back_where_the_run_stopped_after_writing_it():
    change = {"changed": True, "changes": {SHARED_NAME: {"action": "write"}}}
    fake = Fake(world(Host(None), shared=Held(OLD)), {"app1": FAILED}, aws_env_update__present=change)
    state = run(fake)
    assert fake.order[-1] == "aws_env_update reverted" and state["put_back"] == ["app1"] and not state["shared_failure"]


def test_what_could_not_be_shared_ends_the_run_before_the_first_host():
    fake = Fake(world(Host(None), shared=Held(OLD)), aws_env_update__present=DENIED)
    state = run(fake)
    assert state["failure"] == {"step": "Change the shared value", "why": "AccessDenied"}
    assert state["untried"] == ["app1"] and state["put_back"] == []
    assert fake.order[-1] == "aws_env_update reverted", "one of several may be written"


def test_a_lost_lock_ends_the_run_and_nothing_is_put_back():
    lost = {"failed": True, "lost": True, "msg": "This run stops here."}
    fake = Fake(world(ON_OLD, ON_OLD), {"app1": OK, "app2": OK}, migration_lock__kept=lost)
    state = run(fake)
    assert state["lost_lock"] and state["put_back"] == [] and "migration_ledger" not in fake.order


def test_where_aws_cannot_say_whose_the_lock_is_the_run_goes_on():
    fake = Fake(world(ON_OLD, ON_OLD), {"app1": OK, "app2": OK}, migration_lock__kept=DENIED)
    assert run(fake)["go"] and fake.order[-1] == "migration_ledger"


def test_a_ledger_that_cannot_be_told_undoes_nothing():
    fake = Fake(world(ON_OLD), {"app1": OK}, migration_ledger=DENIED)
    state = run(fake)
    assert state["not_remembered"] == "AccessDenied" and state["go"] and state["put_back"] == []


def test_under_a_limit_the_ledger_is_not_told():
    fake = Fake(world(ON_OLD, ON_OLD, present=("app1",)), {"app1": OK})
    run(fake)
    assert "migration_ledger" not in fake.order


# --- the user's check ---


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A check that notes each of its phases, and its hosts."""
    check = tmp_path / "check"
    check.write_text(f'#!/bin/sh\necho "$MIGRATION_PHASE $MIGRATION_HOSTS" >>{tmp_path}/told\n')
    check.chmod(0o755)

    def phases(fake, **known):
        settings = {**fake.world.known("cutover").settings, "check_command": str(check)}
        monkeypatch.setattr("tests.unit.engine_world.SETTINGS", settings)
        state = run(fake, **known)
        return state, (tmp_path / "told").read_text().split("\n")[:-1] if (tmp_path / "told").exists() else []

    return phases


def test_the_users_check_runs_after_the_canary_and_after_the_last_batch(told):
    fake = Fake(world(ON_OLD, ON_OLD, ON_OLD), dict.fromkeys(("app1", "app2", "app3"), OK))
    assert told(fake)[1] == ["canary app1", "all app1,app2,app3"]


def test_a_canary_that_is_all_there_is_is_checked_once(told):
    assert told(Fake(world(ON_OLD), {"app1": OK}))[1] == ["all app1"]


def test_the_users_check_does_not_run_after_a_host_that_failed(told):
    state, phases = told(Fake(world(ON_OLD, ON_OLD), {"app1": FAILED}))
    assert phases == [] and state["checks"] == []


def test_a_check_that_fails_puts_all_back_that_was_changed(told, tmp_path):
    fake = Fake(world(ON_OLD, ON_OLD), {"app1": OK, "app2": OK})
    (tmp_path / "check").write_text("#!/bin/sh\nexit 3\n")
    state, _phases = told(fake)
    assert state["put_back"] == ["app1"] and state["untried"] == ["app2"] and not state["checks"][-1]["passed"]


# --- original ---


def test_a_rollback_forgets_the_cutover_and_puts_what_is_shared_back_before_the_hosts():
    ledger = {"cutover": {"endpoint": ENDPOINT, "hosts": ["app1"]}}
    fake = Fake(world(Host(None, "target.internal"), shared=Held.written_over(OLD, NEW), ledger=ledger))
    run(fake, "rollback", batches=1)
    assert fake.order == ["migration_lock", "migration_ledger absent", "aws_env_update reverted"]


def test_a_rollback_that_has_nothing_to_do_takes_no_lock():
    fake = Fake(world(ON_OLD), {"app1": {"state": "ok", "changed": False}})
    run(fake, "rollback")
    assert fake.order == []


def test_a_lock_of_another_run_holds_a_rollback_up_and_aws_that_is_away_does_not():
    held = Fake(world(ON_TARGET), migration_lock=REFUSED)
    assert not run(held, "rollback", batches=1)["go"]
    away = Fake(world(ON_TARGET), migration_lock=DENIED)
    assert run(away, "rollback", batches=1)["go"]


def test_a_ledger_that_cannot_be_read_holds_no_rollback_up_and_is_told():
    known = {"ledger": {"failed": True, "msg": "AccessDenied"}}
    assert run(Fake(world(ON_TARGET)), "rollback", **known)["ledger_failure"] == "AccessDenied"


def test_one_host_that_failed_keeps_no_other_from_being_put_back():
    state = run(Fake(world(ON_TARGET, ON_TARGET), {"app1": FAILED, "app2": OK}), "rollback")
    assert state["go"] and state["put_back"] == []


@pytest.mark.parametrize(("reader", "kept"), [("none", False), ("redis-py", True)])
def test_of_a_shared_value_options_come_along_unless_its_app_appends_its_own(reader, kept):
    fake = Fake(world(ON_OLD))
    shared = [{"store": "ssm", "name": "/a", "keys": {"/a": {"reader": reader}}}]
    known = fake.world.known("cutover", shared=shared, endpoint={**ENDPOINT, "auth": "none"})
    Turn(fake, known, fake.world.plan("cutover"), {}, {}).change_shared(["/a"])
    assert fake.args_of("aws_env_update present")["keep_options"] is kept


def test_a_shared_value_that_cannot_go_back_keeps_no_other_from_it():
    fake = Fake(world(ON_TARGET), aws_env_update__reverted=[DENIED, {"changed": True, "changes": {"/b": {}}}])
    shared = [{"store": "ssm", "name": name, "keys": {name: "url"}} for name in ("/a", "/b")]
    turn = Turn(fake, fake.world.known("rollback", shared=shared), fake.world.plan("rollback"), {}, {})
    back = turn.restore_shared()
    assert back["failed"] and back["msg"] == "AccessDenied" and back["changes"] == {"/b": {}}


# --- token ---

SECRET = {"exists": True, "ours": True, "current_version_id": "v1", "pending_version_id": "v2"}
COURSE = token_rotation.course("shop/token", SECRET, {}, False)


@pytest.fixture(autouse=True)
def secrets(monkeypatch):
    monkeypatch.setattr(token, "secret_value", lambda action, region, secret, version: f"token-{version}")


def test_both_tokens_are_valid_before_the_first_host_and_the_old_one_ends_after_the_last():
    fake = Fake(world(ON_TARGET), {"app1": OK})
    state = run(fake, "rotate", course=COURSE)
    steps = [what for what in fake.order if what not in ("migration_lock", "migration_ledger_info")]
    assert steps == [
        "migration_ledger",
        "elasticache_cluster",
        "elasticache_cluster rotate",
        "migration_lock kept",
        "migration_ledger",
        "migration_lock kept",
        "cache_token current",
        "elasticache_cluster set",
    ]
    assert state["ended"] and state["prove_on"] == "app1" and unseal(state["old_token"]) == "token-v1"


def test_a_token_that_the_target_takes_already_is_not_given_it_a_second_time():
    fake = Fake(world(ON_TARGET, accepted=frozenset({"newer"})), {"app1": OK})
    run(fake, "rotate", course=COURSE)
    assert "elasticache_cluster rotate" not in fake.order and "elasticache_cluster set" in fake.order


def test_a_new_token_is_put_beside_the_current_one_and_is_the_one_that_hosts_get():
    course = token_rotation.course("shop/token", {**SECRET, "pending_version_id": ""}, {}, True)
    fake = Fake(world(ON_TARGET), {"app1": OK}, cache_token__pending={"pending_version_id": "v9"})
    state = run(fake, "rotate", course=course)
    assert unseal(state["token"]) == "token-v9" and "token-v9" not in str(state)
    assert fake.args_of("elasticache_cluster rotate")["auth_token"] == "token-v9"
    assert fake.args_of("elasticache_cluster rotate")["replication_group_id"] == "shop-cache"
    assert fake.args_of("cache_token current")["version_id"] == "v9"


def test_the_ledger_learns_after_each_batch_who_uses_the_new_token():
    fake = Fake(world(ON_TARGET, ON_TARGET), {"app1": OK, "app2": FAILED})
    state = run(fake, "rotate", course=COURSE)
    values = [args["value"]["rotating"]["hosts"] for what, args in fake.asked if what == "migration_ledger"]
    assert values[0] == [] and values[-1] == ["app1"]
    assert state["stopped"] and "elasticache_cluster set" not in fake.order


def test_the_old_token_stays_valid_while_a_host_is_left():
    fake = Fake(world(ON_TARGET, ON_TARGET, present=("app1",)), {"app1": OK})
    state = run(fake, "rotate", course=COURSE)
    assert state["left"] == ["app2"] and "elasticache_cluster set" not in fake.order and not state["stopped"]


def test_a_step_of_the_controller_that_fails_ends_the_rotation_with_its_name():
    fake = Fake(world(ON_TARGET), elasticache_cluster__rotate=DENIED)
    state = run(fake, "rotate", course=COURSE)
    assert state["failure"] == {"step": "Make the new token valid beside the old one", "why": "AccessDenied"}
    assert state["stopped"] and state["begun"] and state["untried"] == ["app1"]


def test_the_old_token_is_read_and_tried_only_where_the_course_says_so():
    fake = Fake(world(ON_TARGET), {"app1": OK})
    state = run(fake, "rotate", course={**COURSE, "prove": False})
    assert state["ended"] and state["prove_on"] == "" and "old_token" not in state


# --- what a turn is ---


def test_what_another_run_of_the_engine_has_left_in_the_same_playbook_is_not_ours():
    fake = Fake(world(ON_OLD))
    assert fake.of_this_run({"run": 0, "go": False}) == {} and fake.of_this_run({"run": 1})["run"] == 1
    assert fake.of_this_run({"skipped": True}) == {} and fake.of_this_run(None) == {}


def test_a_run_that_stopped_stays_so_and_asks_for_its_lock_before_it_undoes_anything():
    fake = Fake(world(ON_OLD, ON_OLD, ON_OLD), {"app1": FAILED, "app2": OK, "app3": OK})
    state = run(fake)
    assert state["untried"] == ["app2", "app3"] and fake.order.count("migration_lock kept") == 1


def test_no_turn_returns_a_secret():
    fake = Fake(world(Host(None), shared=Held(OLD)), {"app1": OK})
    assert "the-new-token" not in str(run(fake))
