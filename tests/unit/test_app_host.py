"""One step on an app host, with a fake for the modules that it runs there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.kempian.cache_migration.plugins.action import app_host
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import engine, say
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import ControllerAction
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal

from tests.unit.engine_world import OLD, PATH, SETTINGS, Held, Host, World

STATED = {
    "values": [{"store": "dotenv", "path": PATH, "keys": {"REDIS_URL": "url"}}],
    "services": [{"name": "shop", "manager": "systemd", "supervisorctl": ["supervisorctl"], "health_url": ""}],
}
NOW, BEFORE = 2.0, 1.0
KEPT = {
    "changed": False,
    "restarted": False,
    "stores": [{"path": PATH, "changes": {"REDIS_URL": {"action": "keep"}}}],
    "proof": {"endpoint": {"address": "10.0.0.5", "port": 6379}, "leave": []},
    "services": [{"name": "shop", "in_progress": False}],
}
OLD_PLACE = {"original_location": {"host": "old.internal", "port": 6379}}


class Fake(app_host.ActionModule):
    """``answers`` maps a module to its answer; ``asked`` is what each was given."""

    approve = ""

    def __init__(self, goal, step, registered=None, hosts=("app1",), **answers):
        self.answers, self.asked = answers, []
        known = World({host: Host(Held(OLD)) for host in hosts}).known(goal)
        self._task = SimpleNamespace(
            args={"known": {**vars(known), "began": NOW, "token": seal("a-token")}, "step": step}, check_mode=False
        )
        self._play_context = SimpleNamespace(remote_addr="192.0.2.1")
        self._told = registered or {}

    def be_ready(self):
        pass

    def settings(self, task_vars, stages):
        return {**SETTINGS, **STATED, "approve": self.approve}

    def module(self, name, args, is_raised=False):
        self.asked.append((name, args))
        return self.answers.get(name, KEPT)

    def told(self, trip):
        return trip.result()

    def on(self, host="app1"):
        """The result of the step on a host."""
        return self.run(task_vars={"inventory_hostname": host, "hostvars": {host: self._told}})

    def given(self, name):
        return next(args for asked, args in self.asked if asked == name)


@pytest.fixture(autouse=True)
def _no_ansible(monkeypatch):
    monkeypatch.setattr(ControllerAction, "run", lambda self, tmp=None, task_vars=None: {})
    monkeypatch.setattr(say, "lines", lambda lines: None)


def result(run, **more):
    return {engine.RESULT: {"state": "ok", "restarted": True, "run": run, **more}}


def test_a_host_that_this_run_restarted_is_restarted_when_it_is_put_back():
    back = Fake("cutover", "back", result(NOW))
    back.on()
    assert [one["restart"] for one in back.given("app_host_change")["services"]] == ["always"]


def test_what_another_run_in_the_same_playbook_restarted_is_nothing_to_this_one():
    back = Fake("rollback", "back", result(BEFORE))
    back.on()
    assert [one["restart"] for one in back.given("app_host_change")["services"]] == ["auto"]


def test_where_a_value_leads_back_to_is_told_by_the_look_of_this_run_alone():
    def goes_to(run):
        look = {"values": [{"changes": {"REDIS_URL": OLD_PLACE}}], "run": run}
        back = Fake("rollback", "back", {engine.LOOK: look})
        back.on()
        return back.given("app_host_change").get("endpoint")

    assert goes_to(NOW) == {"address": "old.internal", "port": 6379} and goes_to(BEFORE) is None


def test_each_result_says_of_which_run_it_is():
    assert Fake("rollback", "back").on()["run"] == NOW
    lost = Fake("cutover", "look", app_host_info={"unreachable": True, "msg": "no route"}).on()
    assert lost["run"] == NOW and lost["unreachable_host"]


def test_what_hosts_have_registered_in_another_run_is_not_read():
    action = Fake("cutover", "look")
    left = {
        "app1": {"x": {"run": NOW, "state": "ok"}},
        "app2": {"x": {"run": BEFORE, "state": "ok"}},
        "app3": {"x": {"failed": True, "msg": "it came to no result"}},
        "app4": {"x": {"run": NOW, "skipped": True}},
        "app5": {},
    }
    found = action.registered({"hostvars": left}, left, "x")
    assert [host for host, one in found.items() if one] == ["app1", "app3"]
    looks = action.looks({"hostvars": left}, ["app1", "app2"], "x")
    assert not looks["app1"].why and looks["app2"].unreachable, "a look before is none of what is there now"


def test_of_what_the_target_holds_the_first_host_tells_and_any_other_that_is_asked():
    def counts(step, host, goal="rollback"):
        look = Fake(goal, step, hosts=("app1", "app2"), app_host_info={"stores": [], "services": []})
        look.on(host)
        return look.given("app_host_info").get("contents")

    wanted = counts("look", "app1")
    assert wanted["endpoint"]["address"] and wanted["auth_token"] == "a-token" and wanted == counts("survey", "app2")
    assert counts("look", "app2") is None and counts("survey", "app2", "migrate") is None


def test_the_traffic_of_the_old_one_is_watched_once_in_a_run():
    now, later = {"hits": 5.0}, {"stores": [], "services": [], "survey": {"run_id": "r", "now": None, "total_keys": 7}}

    def looked(before, run=NOW):
        registered = {engine.LOOK: {"run": run, "survey": before}} if before else {}
        look = Fake("migrate", "look", registered, app_host_info=later)
        return look.on()["survey"], look.given("app_host_info")["survey"]

    told, order = looked({"run_id": "r", "now": now})
    assert order["watch"] == 0.0 and told == {"run_id": "r", "now": now, "total_keys": 7}
    told, order = looked({"run_id": "another", "now": now})
    assert told["now"] is None, "it was started anew since"
    for first in (looked(None), looked({"msg": "no answer"}), looked({"run_id": "r", "now": now}, BEFORE)):
        assert "watch" not in first[1]


def test_every_database_that_a_key_names_is_proven_before_a_value_is_changed(monkeypatch):
    keys = {
        "REDIS_URL": "url",
        "QUEUE_URL": {"form": "url", "database": 3},
        "CACHE_URL": {"form": "url", "database": 3},
    }
    monkeypatch.setitem(STATED, "values", [{"store": "dotenv", "path": PATH, "keys": keys}])
    moved = Fake("cutover", "move")
    moved.on()
    assert [name for name, _args in moved.asked] == ["app_host_change"], "in one run on the host"
    order = moved.given("app_host_change")
    assert order["probe"]["uses"] == [{"database": 0, "reader": "redis-py"}, {"database": 3, "reader": "redis-py"}]
    assert order["values"][0]["keys"]["QUEUE_URL"].endswith("/3")


def queues(monkeypatch, goal, step, turn, **stated):
    for name, value in stated.items():
        monkeypatch.setitem(STATED, name, value)
    monkeypatch.setitem(STATED, "services", [{**STATED["services"][0], "queues": {"REDIS_URL": ["celery"]}}])
    action = Fake(goal, step, hosts=("app1", "app2"))
    action._task.args["turn"] = turn
    action.on()
    [service] = action.given("app_host_change")["services"]
    return service["queues"], service["may_leave_jobs"]


def test_the_queues_that_are_left_are_waited_for_on_the_hosts_of_the_last_batch(monkeypatch):
    [queue], may_leave = queues(monkeypatch, "cutover", "move", {"is_last_batch": True})
    assert (queue["names"], queue["env_path"], queue["env_key"]) == (["celery"], PATH, "REDIS_URL") and not may_leave
    assert queue["migration_name"] == "shop" and queue["state_dir"]
    assert queues(monkeypatch, "cutover", "move", {"is_last_batch": False}) == ([], False)
    assert queues(monkeypatch, "rotate", "move", {"is_last_batch": True}) == ([], False), "no cache is left"


def test_where_the_data_comes_along_nobody_waits_for_what_is_due_later_and_jobs_may_be_left(monkeypatch):
    last = {"is_last_batch": True}
    [queue], may_leave = queues(monkeypatch, "cutover", "move", last, transfer="copy")
    assert queue["later_comes_along"] and not may_leave
    assert queues(monkeypatch, "cutover", "move", last, transfer="copy", queues_left="bring")[1]
    [queue], may_leave = queues(monkeypatch, "cutover", "move", last, transfer="cold", queues_left="bring")
    assert "later_comes_along" not in queue and not may_leave, "nobody brings it"


def test_on_the_way_back_the_last_host_waits_for_the_queues_of_the_target_and_may_leave_them(monkeypatch):
    [queue], may_leave = queues(monkeypatch, "cutover", "back", {"put_back": ["app2", "app1"]})
    assert queue["names"] == ["celery"] and ":a-token@" in queue["url"] and may_leave
    assert queues(monkeypatch, "cutover", "back", {"put_back": ["app1", "app2"]}) == ([], True)


def test_a_host_is_given_all_that_is_stated_of_a_service(monkeypatch):
    stated = {"name": "w", "manager": "command", "scope": "user", "user": "u", "supervisorctl": ["s"], "pid_file": "/p"}
    stated |= {"health_url": "http://h/", "health_headers": {"Host": "h"}, "restart_command": ["r"]}
    monkeypatch.setitem(STATED, "services", [stated])
    moved = Fake("cutover", "move")
    moved.on()
    [service] = moved.given("app_host_change")["services"]
    assert {name: service[name] for name in stated} == stated


def test_a_service_that_takes_longer_is_gone_on_with_and_those_after_it_follow(monkeypatch):
    monkeypatch.setitem(STATED, "services", [{**STATED["services"][0], "name": name} for name in ("web", "worker")])
    begun = {"name": "web", "restarted": True, "in_progress": True, "progress": "web: no answer", "resume": {"at": 1}}
    proof = {**KEPT["proof"], "restart": "always"}
    proven = {"restarted": True, "in_progress": False, "connections": {"to_target": 2, "to_left": 0}}
    moved = Fake(
        "cutover",
        "move",
        app_host_change={**KEPT, "restarted": True, "proof": proof, "services": [begun]},
        app_service=proven,
    )
    result = moved.on()
    (first, web), (second, worker) = [(name, args) for name, args in moved.asked if name == "app_service"]
    assert first == second == "app_service" and (web["name"], worker["name"]) == ("web", "worker")
    assert web["resume"] == {"at": 1} and "resume" not in worker
    assert all(list(file["keys"]) == ["REDIS_URL"] and isinstance(file["keys"], list) for file in web["values"]), (
        "names alone"
    )
    assert web["restart"] == worker["restart"] == "always" and worker["endpoint"] == proof["endpoint"]
    assert result["state"] == "ok" and result["connections"] == {"to_target": 4, "to_left": 0}
    assert result["lines"] == ["app1: restart web", "app1: restart worker"]


def test_what_a_service_says_of_its_health_reaches_the_host(monkeypatch):
    asked = {"health_url": "https://127.0.0.1/healthz", "health_headers": {"Host": "shop.example.com"}}
    monkeypatch.setitem(STATED, "services", [{**STATED["services"][0], **asked}])
    for step, module in (("look", "app_host_info"), ("move", "app_host_change")):
        there = Fake("cutover", step, app_host_info={"stores": [], "services": []})
        there.on()
        [service] = there.given(module)["services"]
        assert {name: service[name] for name in asked} == asked


def test_a_host_where_a_process_was_beside_its_services_is_looked_at_once_more_when_it_was_moved():
    def moved(goal, seen, **answers):
        there = Fake(goal, "move", {engine.LOOK: {"other_clients": seen, "run": NOW}}, **answers)
        result = there.on()
        return [name for name, _args in there.asked], result

    before, now = {"processes": [{"pid": 7}]}, {"processes": [{"pid": 8}]}
    asked, result = moved("cutover", before, app_host_info={"other_clients": now})
    assert asked == ["app_host_change", "app_host_info"] and result["other_clients"] == now
    asked, result = moved("cutover", before, app_host_info={"unreachable": True, "msg": "no route"})
    assert result["state"] == "ok" and "no route" in result["other_clients"]["failure"]
    assert moved("cutover", {"processes": []})[0] == moved("rotate", before)[0] == ["app_host_change"]
    refused = {**KEPT, "failed": True, "msg": "no way"}
    assert moved("cutover", before, app_host_change=refused)[0] == ["app_host_change"]


def test_where_nothing_is_named_a_host_is_asked_what_its_services_read_and_no_cache_is(monkeypatch):
    monkeypatch.setitem(STATED, "values", [])
    found = {"caches": [], "elsewhere": []}
    there = Fake("migrate", "look", app_host_info={"stores": [], "services": [], "found": found})
    assert there.on()["found"] == found
    order = there.given("app_host_info")
    assert order["find"] and not {"probe", "old", "survey"} & set(order)
    gone = Fake("rollback", "look", app_host_info={"stores": [], "services": []})
    gone.on()
    assert "find" not in gone.given("app_host_info")


def test_a_host_that_came_to_no_result_may_have_been_changed():
    lost = Fake("cutover", "move", app_host_change={"failed": True, "msg": "MODULE FAILURE"}).on()
    refused = {**KEPT, "services": [], "failed": True, "msg": "no way", "step": "Probe the target"}
    untouched = Fake("cutover", "move", app_host_change=refused).on()
    assert lost["state"] == untouched["state"] == "failed"
    assert lost["changed"] and not untouched["changed"] and untouched["step"] == "Probe the target"


@pytest.mark.parametrize(
    ("goal", "step", "approve", "is_held"),
    [
        ("cutover", "move", "cutover-1", True),
        ("cutover", "move", "", False),
        ("rollback", "back", "rollback-1", True),
        ("cutover", "back", "cutover-1", False),  # what is put back was written by the run itself
    ],
)
def test_of_a_plan_that_was_approved_only_the_files_of_its_look_are_changed(goal, step, approve, is_held):
    look = {"run": NOW, "values": [{"path": PATH, "written": "at noon"}]}
    task = Fake(goal, step, {engine.LOOK: look}, app_host_change=KEPT)
    task.approve = approve
    task.on()
    assert task.given("app_host_change").get("written") == ({PATH: "at noon"} if is_held else None)


IAM_VALUES = [{"store": "dotenv", "path": PATH, "keys": {"H": "host", "S": "tls", "U": "username"}}]


class FakeOfIam(Fake):
    """The target's user logs in by IAM, and the app reads parts."""

    def __init__(self, **endpoint):
        super().__init__("migrate", "look")
        known = self._task.args["known"]
        iam = {**known["endpoint"], "auth": "iam", "username": "shop", **endpoint}
        self._task.args["known"] = {**known, "endpoint": iam, "token": seal("")}

    def settings(self, task_vars, stages):
        return {**super().settings(task_vars, stages), "values": IAM_VALUES}

    def client(self, name, service, region):
        held = SimpleNamespace(access_key="AKIAIOSFODNN7EXAMPLE", secret_key="held-in-confidence", token="")
        credentials = SimpleNamespace(get_frozen_credentials=lambda: held)
        return SimpleNamespace(_request_signer=SimpleNamespace(_credentials=credentials))


@pytest.mark.parametrize(
    ("service", "host", "said"),
    [
        ("elasticache", "shop-cache/?", "%2Felasticache%2F"),
        ("elasticache-serverless", "shop-cache/?", "ResourceType=ServerlessCache"),
        ("memorydb", "shop-cache/?", "%2Fmemorydb%2F"),
    ],
)
def test_a_probe_of_a_user_of_iam_is_given_a_token_that_no_value_gets(service, host, said):
    action = FakeOfIam(service=service)
    action.on()
    [(_name, order)] = action.asked
    token = order["probe"]["auth_token"]
    assert token.startswith(host) and "User=shop" in token and said in token and "held-in-confidence" not in token
    [value] = order["values"]
    assert value["keys"] == {"H": "target.internal", "S": "true", "U": "shop"}
