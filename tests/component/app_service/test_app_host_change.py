"""app_host_change: a host is moved and goes back, each in one run, on an app between two real engines."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import queues
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import (
    board,
    hold,
    running,
    together,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer import job as jobs
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.job import Side
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import course
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_change


@pytest.fixture
def change(look):
    return functools.partial(look, False, app_host_change.main)


@pytest.fixture
def shop(app, old, new):
    """The app is on the old Redis, and goes to the target with its next start."""
    app.start(old.port)
    app.set(port=new.port)
    return {
        "name": "shop",
        "manager": "supervisor",
        "supervisorctl": app.supervisorctl,
        "health_url": app.health_url,
        "timeout": 8.0,
    }


@pytest.fixture
def to_target(own, shop, target):
    return {"values": own, "services": [shop], "endpoint": target, "probe": {"endpoint": target}}


@pytest.fixture
def to_original(own, shop, target):
    reverted = [{**own[0], "keys": {"REDIS_URL": None}}]
    leave = [{"address": target["address"], "port": target["port"]}]
    return {"state": "reverted", "values": reverted, "services": [shop], "leave": leave}


@pytest.mark.long
def test_a_scheduler_is_moved_and_goes_back_by_what_it_was_started_with(request, change, look, to_target, to_original):
    app, file, old, new = (request.getfixturevalue(name) for name in ("app", "file", "old", "new"))
    app.stop()
    app.set(port=0, schedules=True, environment_file=str(file))
    app.supervisor.startProcess("shop")
    service = {**to_target["services"][0], "health_url": None, "timeout": 5.0}
    for order in ({**to_target, "services": [service]}, {**to_original, "services": [service]}):
        moved = change(**order)
        assert not moved.get("failed"), moved
        [shop] = moved["services"]
        assert shop["restarted"] and shop["proof"] == "environment" and not shop["connections"]["to_target"]
    asked = {
        "values": to_target["values"],
        "services": [service],
        "leave": [{"address": "localhost", "port": new.port}],
    }
    [seen] = look(endpoint={"address": "127.0.0.1", "port": old.port}, **asked)["services"]
    assert not seen["restarted"] and seen["proof"] == "environment", "a second run leaves it alone"


def test_a_host_is_moved_in_one_run_and_goes_back_in_one(request, change, to_target, to_original, app):
    file, old, new = (request.getfixturevalue(name) for name in ("file", "old", "new"))
    before = file.read_bytes()
    moved = change(**to_target)
    assert not moved.get("failed"), moved
    assert moved["changed"] and moved["restarted"] and moved["target"]["reached"]
    assert [check["name"] for check in moved["target"]["checks"]].count("write") == 1
    [store], [service] = moved["stores"], moved["services"]
    assert store["path"] == str(file) and store["changes"]["REDIS_URL"]["action"] == "write"
    assert f"redis://localhost:{new.port}".encode() in file.read_bytes()
    assert service["name"] == "shop" and not service["in_progress"]
    assert service["connections"] == {"to_target": 2, "to_left": 0}
    assert moved["proof"]["leave"] == [{"address": "127.0.0.1", "port": old.port}]

    app.set(port=old.port)
    back = change(**to_original)
    assert not back.get("failed"), back
    assert back["restarted"] and file.read_bytes() == before
    assert back["proof"]["endpoint"] == {"address": "127.0.0.1", "port": old.port}
    assert back["services"][0]["connections"] == {"to_target": 2, "to_left": 0}


def test_a_host_that_goes_back_ends_what_follows_the_old_redis(request, change, to_target, to_original, tmp_path):
    app, old, new = (request.getfixturevalue(name) for name in ("app", "old", "new"))
    folder = jobs.folder_of(str(tmp_path / "state"), "shop-prod")
    follows = jobs.Job(jobs.Side(old.url()), jobs.Side(new.url()), "live", folder)
    jobs.keep(follows)
    assert running.start(follows, lambda job, tell: time.sleep(60))
    change(**to_target)
    assert jobs.is_running(folder)
    app.set(port=old.port)
    assert not change(**to_original).get("failed")
    assert not jobs.is_running(folder)


def test_a_file_that_was_written_since_its_plan_was_approved_is_left_alone(change, look, to_target, target, file):
    [seen] = look(values=to_target["values"], endpoint=target)["stores"]
    approved = {**to_target, "written": {str(file): seen["written"]}}
    noted = file.read_bytes() + b"# a note\n"
    file.write_bytes(noted)
    refused = change(**approved)
    assert refused["failed"] and refused["step"] == "Change the value"
    assert "was written since the plan that was approved" in refused["msg"]
    assert file.read_bytes() == noted and not refused["restarted"]


def test_what_is_moved_already_is_proven_and_left_alone(change, to_target, app):
    change(**to_target)
    pid = app.pid()
    again = change(**to_target)
    assert not again.get("failed") and not again["changed"] and not again["restarted"] and app.pid() == pid
    assert "restart" not in again["proof"] and again["services"][0]["connections"]["to_target"] == 2


def test_nothing_is_changed_where_the_target_is_not_proven(change, to_target, app, file, unused_port):
    before, pid = file.read_bytes(), app.pid()
    to_target["probe"]["endpoint"] = {**to_target["probe"]["endpoint"], "port": unused_port()}
    failed = change(**to_target)
    assert failed["failed"] and failed["step"] == "Probe the target" and "cannot use" in failed["msg"]
    assert not failed["changed"] and not failed["restarted"] and failed["stores"] == failed["services"] == []
    assert file.read_bytes() == before and app.pid() == pid


def test_that_one_database_is_served_proves_nothing_of_another(change, to_target, target, file):
    before = file.read_bytes()
    to_target["probe"] = {"endpoint": {**target, "databases": 100}, "uses": [{"database": 0}, {"database": 99}]}
    failed = change(**to_target)
    assert failed["step"] == "Probe the target" and "99" in failed["msg"] and file.read_bytes() == before


def test_what_was_changed_before_the_step_that_failed_is_told(change, to_target, app, file, tmp_path):
    pid = app.pid()
    to_target["values"].append({"path": str(tmp_path / "none.env"), "keys": {"REDIS_URL": "redis://x:6379/0"}})
    failed = change(**to_target)
    assert failed["failed"] and failed["step"] == "Change the value" and "does not exist" in failed["msg"]
    assert failed["changed"] and [store["path"] for store in failed["stores"]] == [str(file)]
    assert not failed["restarted"] and app.pid() == pid


def test_a_service_that_cannot_be_proven_fails_with_its_step(change, to_target, app, old):
    app.set(port=old.port)
    to_target["services"][0]["timeout"] = 2.0
    failed = change(**to_target)
    assert failed["failed"] and failed["step"] == "Restart where needed and prove the connections"
    assert failed["changed"] and failed["restarted"] and str(old.port) in failed["msg"]
    to_target["services"][0]["name"] = "shoe"
    assert "no program shoe" in change(**to_target)["msg"]


def spread_until(app, worked):
    """Both workers of the app are connected."""
    end = time.monotonic() + 5
    while time.monotonic() < end and not worked():
        health.spread(app.health_url)


def test_a_service_whose_queues_hold_jobs_in_the_cache_that_it_leaves_is_restarted_after_them(
    request, change, to_target, tmp_path
):
    app, old, file = (request.getfixturevalue(name) for name in ("app", "old", "file"))
    spread_until(app, lambda: len(old.client.client_list()) > 2)
    old.client.rpush("jobs", "a", "b")
    [shop] = to_target["services"]
    by = {
        "env_path": str(file),
        "env_key": "REDIS_URL",
        "migration_name": "shop-prod",
        "state_dir": str(tmp_path / "state"),
    }
    shop.update(queues=[{"names": ["none", "jobs"], **by}], timeout=1.5)
    pid = app.pid()
    failed = change(**to_target)
    assert failed["failed"] and "holds 2 in jobs, after" in failed["msg"] and "migration_timeout" in failed["msg"]
    assert failed["changed"] and not failed["restarted"] and app.pid() == pid
    shop["timeout"] = 8.0
    done = threading.Timer(1.0, old.client.delete, ["jobs"])
    done.start()
    moved = change(**to_target)
    done.join()
    assert not moved.get("failed") and moved["restarted"] and moved["services"][0]["jobs"] == "", moved


def test_of_what_workers_of_celery_have_taken_only_what_is_due_is_waited_for_where_the_rest_comes_along(old):
    """As Celery writes it."""
    now, zone = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(hours=1)
    etas = {"later": now + zone, "due": now - zone, "at once": None}
    for tag, eta in etas.items():
        message = {"headers": {"eta": eta and eta.isoformat()}, "properties": {}, "body": ""}
        old.client.hset("unacked", tag, json.dumps([message, "celery", "celery"]))
    old.client.hset("unacked", "unreadable", "[")
    queue = {"names": ["celery", "unacked"], "url": old.url()}
    assert queues.jobs([{**queue, "later_comes_along": True}], None).held == "3 in unacked"
    assert queues.jobs([queue], None).held == "4 in unacked"


def test_queues_are_counted_by_the_parts_of_a_file(old, tmp_path):
    client = old.client
    client.select(3)
    client.rpush("jobs", "a", "b")
    client.zadd("later", {"c": 1})
    (tmp_path / "parts.env").write_text(f"BROKER_HOST=127.0.0.1\nBROKER_PORT={old.port}\nBROKER_DB=3\n")
    forms = {f"BROKER_{name}": {"template": f"{{{part}}}"} for name, part in (("PORT", "port"), ("DB", "database"))}
    by = {"env_path": str(tmp_path / "parts.env"), "env_key": "BROKER_HOST", "state_dir": str(tmp_path / "state")}
    queue = {**by, "forms": {**forms, "BROKER_HOST": {"template": "{host}"}}, "migration_name": "shop-prod"}
    assert queues.jobs([{"names": ["jobs", "none", "later"], **queue}], None).held == "2 in jobs, 1 in later"
    assert queues.jobs([{"names": ["jobs"], **queue}], {"address": "127.0.0.1", "port": old.port}).held == ""


@pytest.mark.parametrize(
    "answer, told",
    [
        (
            b"-ERR \x1b[2J client with password S3cret:Pw may not" + b"x" * 900 + b"\r\n",
            "ERR ?[2J client with password ***",
        ),
        (b"$2\r\nno\r\n", "no number"),
        (b":-5\r\n", "no number"),
        (b"", "no answer within"),
    ],
)
def test_what_a_hostile_cache_says_of_queues_is_told_within_bounds(monkeypatch, answer, told):
    """After an honest beginning it answers the count so, or one byte after the other."""
    monkeypatch.setattr(queues, "ALL_SECONDS", 1.0)

    def serve(server):
        with contextlib.suppress(OSError), server.accept()[0] as client:
            said = client.makefile("rb")
            for line in said:
                word = line.strip().upper()
                if word in (b"AUTH", b"PING", b"SELECT"):
                    client.sendall(b"+OK\r\n" if word != b"PING" else b"+PONG\r\n")
                elif word == b"INFO":
                    client.sendall(b"-NOPERM no\r\n")
                elif word == b"TYPE":
                    client.sendall(b"+list\r\n")
                elif word == b"LLEN":
                    client.sendall(answer)
                    while not answer:
                        client.sendall(b"0")
                        time.sleep(0.1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        url = f"redis://:S3cret%3APw@127.0.0.1:{server.getsockname()[1]}/0"
        jobs = queues.jobs([{"names": ["jobs"], "url": url}], None)
    assert jobs.held.startswith("an unknown number of jobs in jobs (") and told in jobs.held and len(jobs.held) < 300
    assert "S3cret" not in jobs.held


@pytest.mark.long
def test_the_way_back_waits_for_jobs_and_says_what_it_leaves(request, change, to_target, to_original, monkeypatch):
    monkeypatch.setattr(course, "SLICE", 20.0)
    app, old, new = (request.getfixturevalue(name) for name in ("app", "old", "new"))
    assert change(**to_target)["restarted"]
    spread_until(app, lambda: len(new.client.client_list()) > 2)
    new.client.rpush("jobs", "a")
    app.set(port=old.port)
    [shop] = to_original["services"]
    shop.update(queues=[{"names": ["jobs"], "url": new.url()}], may_leave_jobs=True, timeout=3.0)
    back = change(**to_original)
    assert not back.get("failed") and back["restarted"] and back["services"][0]["jobs"] == "1 in jobs", back


def test_of_a_cache_that_is_gone_nobody_waits_for_jobs(change, to_target, old):
    to_target["services"][0]["queues"] = [{"names": ["jobs"], "url": old.url()}]
    old.stop()
    moved = change(**to_target)
    assert not moved.get("failed") and moved["restarted"], moved
    assert "an unknown number of jobs in jobs" in moved["services"][0]["jobs"] and str(old.port) in str(moved)


def test_a_run_that_was_ended_between_its_values_and_its_services_is_gone_on_with(change, to_target, app, shop, file):
    works = shop["supervisorctl"]
    for _round in range(5):
        health.spread(app.health_url)  # both workers go to the old Redis
    shop["supervisorctl"] = ["/nonexistent/supervisorctl"]
    pid = app.pid()
    assert change(**to_target)["failed"] and app.pid() == pid
    shop["supervisorctl"] = works
    again = change(**to_target)
    assert not again.get("failed"), again
    assert again["stores"][0]["changes"]["REDIS_URL"]["action"] == "keep" and "restart" not in again["proof"]
    assert again["restarted"] and again["services"][0]["connections"] == {"to_target": 2, "to_left": 0}


def test_a_host_is_left_alone_where_the_connection_is_lost_before_its_first_value(
    change, to_target, app, file, monkeypatch
):
    """Whoever gave up on it has put it back by then, when there was nothing to put back."""
    before, pid = file.read_bytes(), app.pid()
    monkeypatch.setattr(app_host_change, "is_left_alone", lambda: True)
    lost = change(**to_target)
    assert lost["failed"] and lost["target"]["reached"] and not lost["changed"]
    assert file.read_bytes() == before and app.pid() == pid


@pytest.mark.long
def test_where_the_connection_is_lost_after_that_all_services_are_restarted_all_the_same(
    change, to_target, app, monkeypatch
):
    monkeypatch.setattr(course, "SLICE", 0.5)
    app.set(port=to_target["endpoint"]["port"], slow=2.0)
    lost = iter([False])
    monkeypatch.setattr(app_host_change, "is_left_alone", lambda: next(lost, True))
    to_target["services"].append(to_target["services"][0])
    done = change(**to_target)
    assert not done.get("failed"), done
    assert [service["in_progress"] for service in done["services"]] == [False, False]
    assert done["services"][0]["connections"] == {"to_target": 2, "to_left": 0}


@pytest.mark.parametrize("is_lost", [True, False])
def test_a_connection_that_is_lost_is_seen_at_the_output(is_lost, tmp_path):
    seen = tmp_path / "seen"
    script = (
        "import pathlib, sys\n"
        "from ansible_collections.kempian.cache_migration.plugins.modules import app_host_change as module\n"
        "sys.stdin.readline()\n"
        f"pathlib.Path({str(seen)!r}).write_text(str(module.is_left_alone()))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as module:
        assert module.stdin and module.stdout
        if is_lost:
            module.stdout.close()
        module.stdin.write("now\n")
        module.stdin.close()
        assert module.wait(30) == 0
    assert seen.read_text() == str(is_lost)


def test_a_service_that_needs_longer_is_told_and_those_after_it_are_left_alone(
    change, to_target, app, new, monkeypatch
):
    monkeypatch.setattr(course, "SLICE", 0.5)
    app.set(port=new.port, slow=2.0)
    to_target["services"].append({**to_target["services"][0], "name": "shoe"})
    begun = change(**to_target)
    assert not begun.get("failed"), begun
    [service] = begun["services"]
    assert service["in_progress"] and service["progress"] and service["resume"]["restarted_at"]
    assert begun["proof"]["restart"] == "always"


def test_a_value_that_leads_to_the_target_and_has_no_original_does_not_restart_the_app(
    change, to_original, app, file, new
):
    file.write_text(f"REDIS_URL={new.url(host='localhost')}\n")
    pid = app.pid()
    failed = change(**to_original)
    assert failed["step"] == "Restore the value" and "has no original for it" in failed["msg"] and app.pid() == pid


def test_in_check_mode_nothing_is_changed_and_what_would_be_is_told(look, to_target, app, file):
    before, pid = file.read_bytes(), app.pid()
    would = look(True, app_host_change.main, **to_target)
    assert would["changed"] and would["restarted"] and "write" not in str(would["target"]["checks"])
    assert would["stores"][0]["changes"]["REDIS_URL"]["action"] == "write"
    assert file.read_bytes() == before and app.pid() == pid


@pytest.mark.parametrize(
    "wrong, why",
    [
        ({"migration_name": "9"}, "migration_name is '9'"),
        ({"endpoint": endpoint.after_apply("elasticache", "shop").as_dict()}, "provision first"),
        ({"probe": {"endpoint": {"address": "x"}}}, "the endpoint lacks service"),
    ],
)
def test_the_module_fails_for_wrong_options_and_changes_nothing(run_module, wrong, why):
    result = run_module(app_host_change.main, **{"migration_name": "shop-prod", **wrong})
    assert result["failed"] and why in result["msg"] and not result["changed"]


# --- in one turn with other hosts, while writes on the old Redis are held ---


def held(old, new, folder, hosts=("app1",)):
    """A hold of what needs no following, as nobody writes."""

    def at():
        told = old.client.info("replication")
        return hold.At(told["master_replid"], told["master_repl_offset"], True, 0.0)

    begun = hold.Hold(Side(old.url()), Side(new.url()), str(folder), hold.Asked("run", hosts, 10.0), at)
    begun.start()
    return begun


def test_in_one_turn_with_others_its_services_stop_before_writes_are_held_and_start_with_the_new_value(
    request, change, to_target, tmp_path
):
    old, new, file = (request.getfixturevalue(name) for name in ("old", "new", "file"))
    begun = held(old, new, tmp_path / "job")
    moved = change(**to_target, hold={"name": "run", "host": "app1", "endpoint": to_target["endpoint"]})
    begun.join(20)
    print(begun.told, moved["services"])
    assert not moved.get("failed"), moved
    assert moved["changed"] and moved["restarted"] and f":{new.port}".encode() in file.read_bytes()
    [service] = moved["services"]
    assert service["connections"] == {"to_target": 2, "to_left": 0} and "stood still" in service["reason"]
    assert begun.told.why == "" and begun.told.late_writes == 0
    print(f"held {begun.told.held_ms} ms, still {begun.told.still_ms} ms")
    assert 0 < begun.told.held_ms < begun.told.still_ms


@pytest.mark.parametrize("other", ["does not stand ready", "cannot stop"])
def test_where_writes_are_not_held_nothing_is_changed_and_its_services_run_as_before(
    request, change, to_target, monkeypatch, other
):
    names = ("old", "new", "file", "app", "tmp_path")
    old, new, file, app, tmp_path = (request.getfixturevalue(name) for name in names)
    app.set(port=old.port)
    before = file.read_bytes()
    monkeypatch.setattr(together, "READY_SECONDS", 2.0)
    begun = held(old, new, tmp_path / "job", ("app1", "app2"))
    if other == "cannot stop":
        with board.board_at(Side(new.url()), "run") as there:
            there.tell("app2", board.READY)
        threading.Timer(2.0, fail, [new]).start()
    moved = change(**to_target, hold={"name": "run", "host": "app1", "endpoint": to_target["endpoint"]})
    begun.join(20)
    assert moved["failed"] and moved["step"] == app_host_change.HOLD and "app2" in moved["msg"]
    assert file.read_bytes() == before and begun.told.held_ms == 0
    assert moved["restarted"] == (other == "cannot stop")  # had stopped for it
    deadline = time.monotonic() + 10
    while app.supervisor.getProcessInfo("shop")["statename"] != "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def fail(new):
    with board.board_at(Side(new.url()), "run") as there:
        there.tell("app2", board.FAILED, "shop had not stopped")
