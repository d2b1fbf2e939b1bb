"""app_service on an app of real processes under supervisord, between two real engines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import course as service_course
from ansible_collections.kempian.cache_migration.plugins.modules import app_service


def at(engine):
    return {"address": "127.0.0.1", "port": engine.port}


def moving(app, old, new, **more):
    return {"endpoint": at(new), "leave": [at(old)], "health_url": app.health_url, **more}


def warmed(app, prove, engine):
    """The app, running, with all its workers connected."""
    app.start(engine.port)
    result = prove(endpoint=at(engine), health_url=app.health_url, restart="never")
    assert not result.get("failed"), result
    return result


def serving(result):
    return [process for process in result["processes"] if process["role"] == "serving"]


def test_a_service_that_is_asked_to_restart_is_proven_to_be_on_its_target(app, prove, old, new):
    warmed(app, prove, old)
    app.set(port=new.port)
    before = app.pid()
    result = prove(**moving(app, old, new, restart="always"))
    assert not result.get("failed"), result
    assert result["changed"] and result["restarted"] and not result["in_progress"]
    assert app.pid() != before
    assert result["connections"] == {"to_target": 2, "to_left": 0}
    assert result["health"]["requests"] - result["health"]["failed"] >= 5 and result["health"]["ms"] > 0


def test_all_serving_processes_need_a_connection_and_their_parent_none(app, prove, new):
    result = warmed(app, prove, new)
    assert [process["to_target"] for process in serving(result)] == [1, 1]
    assert [process["to_target"] for process in result["processes"] if process["role"] == "parent"] == [0]


def test_a_restart_that_lasts_longer_than_a_run_is_shown_and_done_once(app, prove, old, new, monkeypatch):
    monkeypatch.setattr(service_course, "SLICE", 1.0)
    warmed(app, prove, old)
    starts = app.starts()
    app.set(port=new.port, slow=2.3)
    result = prove(**moving(app, old, new, restart="always", timeout=15.0))
    assert not result.get("failed"), result
    assert result["lines"] and "shop" in result["lines"][0]
    assert app.starts() == starts + 1


def test_a_service_that_is_on_its_target_is_left_alone(app, prove, old, new):
    warmed(app, prove, new)
    before = app.pid()
    result = prove(**moving(app, old, new))
    assert not result["changed"] and app.pid() == before


def test_a_service_that_has_not_yet_gone_to_its_cache_is_asked_before_it_is_restarted(app, prove, old, new):
    app.start(new.port)
    result = prove(**moving(app, old, new))
    assert not result["changed"] and result["connections"]["to_target"] == 2


def test_a_service_with_a_connection_to_the_old_address_is_restarted(app, prove, old, new):
    warmed(app, prove, old)
    app.set(port=new.port)
    result = prove(**moving(app, old, new))
    assert result["restarted"] and f"127.0.0.1:{old.port}" in result["reason"]
    assert result["connections"] == {"to_target": 2, "to_left": 0}


def test_a_service_that_does_not_run_is_started(app, prove, old, new):
    app.set(port=new.port)
    result = prove(**moving(app, old, new))
    assert result["restarted"] and "not running" in result["reason"] and result["connections"]["to_target"] == 2


def test_a_service_that_cannot_be_proven_by_itself_is_restarted_after_a_while(app, prove, old, new):
    app.start(new.port, never_connects=True)
    app.set(port=new.port)
    result = prove(**moving(app, old, new, timeout=3.0))
    assert result["restarted"] and "not on its target by itself" in result["reason"]


# --- connections that are closed, and none at all ---


def test_a_service_that_closes_its_connection_after_each_request_is_proven_and_known_by_the_next_look(
    app, prove, old, new, monkeypatch
):
    monkeypatch.setattr(service_course, "GLANCE", 20.0)  # it ends when enough was seen, which a busy machine shows late
    app.start(old.port, closes=True)
    app.set(port=new.port, closes=True)
    look = prove(check_mode=True, **moving(app, old, new))
    assert look["changed"] and f"connected to 127.0.0.1:{old.port}" in look["reason"] and look["proof"] == ""
    result = prove(**moving(app, old, new, restart="always"))
    assert result["restarted"] and result["proof"] == "seen", result
    before = app.pid()
    look = prove(check_mode=True, **moving(app, old, new))
    assert not look["changed"] and look["proof"] == "seen", look
    again = prove(**moving(app, old, new))
    assert not again["restarted"] and app.pid() == before


@pytest.mark.long
def test_a_service_that_goes_to_both_places_for_each_request_is_never_proven(app, prove, old, new):
    app.start(new.port, closes=True, visits=old.port)
    result = prove(**moving(app, old, new, restart="never", timeout=6.0))
    assert result["failed"] and f"still connected to 127.0.0.1:{old.port}" in result["msg"]


def test_a_service_that_keeps_its_connections_is_proven_by_these(app, prove, new):
    assert warmed(app, prove, new)["proof"] == "connections"


@pytest.mark.long
def test_a_scheduler_is_proven_by_its_environment_and_known_by_the_next_look(app, prove, old, new, tmp_path):
    text = "REDIS_URL=redis://:hunter2@127.0.0.1:{}/0\n"
    path, other = tmp_path / "shop.env", tmp_path / "other.env"
    order = {"endpoint": at(new), "leave": [at(old)], "values": [{"path": str(path), "keys": ["REDIS_URL"]}]}
    for environment, its_file in (("DEBUG=0\n", new), (text.format(old.port), new), (text.format(old.port), old)):
        other.write_text(environment)
        path.write_text(text.format(its_file.port))
        app.set(port=0, schedules=True, environment_file=str(other))
        result = prove(**order, restart="always", timeout=1.0)
        assert result["failed"] and "no connection to" in result["msg"] and "hunter2" not in str(result)
    path.write_text(text.format(new.port))
    app.set(port=0, schedules=True, environment_file=str(path))
    assert prove(check_mode=True, **order)["changed"], "it is not known by what it will be started with"
    result = prove(**order, timeout=2.0)
    assert result["restarted"] and result["proof"] == "environment", result
    before = app.pid()
    look = prove(check_mode=True, **order)
    assert not look["changed"] and look["proof"] == "environment" and "hunter2" not in str(look)
    assert not prove(**order, timeout=1.0)["restarted"] and app.pid() == before


# --- what fails ---


def test_an_app_that_does_not_come_back_fails_with_the_way_to_its_log(app, prove, old, new, monkeypatch):
    monkeypatch.setattr(service_course, "SETTLE", 1.0)  # supervisord shows the new state at once
    warmed(app, prove, old)
    app.set(port=new.port, dies=True)
    result = prove(**moving(app, old, new, restart="always"))
    assert result["failed"] and result["changed"]
    assert "not running (EXITED)" in result["msg"]
    assert "tail shop stderr" in result["msg"] and "migration_timeout" in result["msg"]


def test_an_app_that_answers_with_an_error_fails_with_the_status(app, prove, old, new):
    app.start(new.port, status=503)
    result = prove(**moving(app, old, new, restart="never", timeout=0.8))
    assert result["failed"] and not result["changed"]
    assert "status 503" in result["msg"] and app.health_url in result["msg"]


def test_the_query_of_the_health_url_is_asked_for_and_never_shown(app, prove, new):
    app.start(new.port, wants_query="token=hunter2")
    asked = {"endpoint": at(new), "health_url": f"{app.health_url}?token=hunter2", "restart": "never"}
    result = prove(**asked)
    assert not result.get("failed") and result["health"]["failed"] == 0
    assert "hunter2" not in str(result)
    result = prove(**{**asked, "health_url": f"{app.health_url}?token=hunter3"}, timeout=0.8)
    assert result["failed"] and f"{app.health_url}, last: status 401" in result["msg"]
    assert "hunter3" not in str(result)


def test_an_app_that_wants_headers_gets_them_and_they_are_never_shown(app, prove, new):
    wanted = {"Host": "shop.example.com", "X-Forwarded-Proto": "https", "Authorization": "Bearer hunter2"}
    app.start(new.port, wants_headers=wanted, otherwise=301)
    asked = {"endpoint": at(new), "health_url": app.health_url, "restart": "never"}
    result = prove(**asked, health_headers=wanted)
    assert not result.get("failed") and result["health"]["failed"] == 0 and result["connections"]["to_target"] == 2
    assert "hunter2" not in str(result)
    result = prove(**asked, timeout=0.8)
    assert "status 301 (it redirects" in result["msg"] and "health_headers" in result["msg"]
    wrong = prove(**asked, health_headers={"X-Note": "hunter2\r\nX-Other: y"})
    assert wrong["failed"] and "'X-Note'" in wrong["msg"] and "hunter2" not in str(wrong)


def test_a_password_of_supervisorctl_is_refused_and_not_even_among_the_options(run_module, monkeypatch):
    told, order_of = {}, app_service.order_of
    monkeypatch.setattr(app_service, "order_of", lambda module: told.update(module=module) or order_of(module))
    result = run_module(
        app_service.main, name="shop", manager="supervisor", supervisorctl=["supervisorctl", "-p", "hunter2"]
    )
    assert result["failed"] and "migration_services" in result["msg"]
    assert "hunter2" not in str(result) and "hunter2" not in str(told["module"].params)


def test_neither_the_command_nor_the_query_of_the_health_url_is_in_the_log_of_the_host(app, prove, new, monkeypatch):
    logged = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _module, message: logged.append(message))
    app.start(new.port, wants_query="token=hunter2")
    asked = {"endpoint": at(new), "health_url": f"{app.health_url}?token=hunter2", "restart": "never"}
    # As a task hands them over: what the constructor was given for no_log does not count then.
    result = prove(**asked, _ansible_no_log=False, _ansible_debug=True)
    assert not result.get("failed"), result
    assert result["health"]["requests"] >= 5, "the result is not masked"
    prove(manager="supervisor", supervisorctl=[*app.supervisorctl, "-p", "hunter2"], _ansible_no_log=False)
    assert logged == []


def test_a_health_url_with_a_login_is_refused_by_name(prove):
    result = prove(health_url="http://ops:hunter2@127.0.0.1:8000/healthz")
    assert result["failed"] and "health_url holds a user name or a password" in result["msg"]
    assert "hunter2" not in str(result)


def test_a_forgotten_connection_to_the_old_address_fails_with_the_process(app, prove, old, new):
    app.start(new.port, keeps_old=old.port)
    result = prove(**moving(app, old, new, restart="never", timeout=0.8))
    assert result["failed"] and f"still connected to 127.0.0.1:{old.port}" in result["msg"]
    assert str(app.pid()) in result["msg"]
    assert result["connections"]["to_left"] == 3  # held by the parent, and inherited by both workers


def test_an_app_that_never_goes_to_the_target_fails(app, prove, old, new):
    app.start(new.port, never_connects=True)
    result = prove(**moving(app, old, new, restart="never", timeout=0.8))
    assert result["failed"] and f"no connection to 127.0.0.1:{new.port}" in result["msg"]
    assert "migration_values" in result["msg"]


def test_an_unknown_program_is_named_with_the_option(prove):
    result = prove(name="shoe", restart="never", check_mode=True)
    assert result["failed"] and "no program shoe" in result["msg"] and "migration_services" in result["msg"]


def test_a_supervisor_that_cannot_be_asked_is_told(prove, app):
    result = prove(supervisorctl=[app.supervisorctl[0], "-s", f"unix://{app.folder}/none"], check_mode=True)
    assert result["failed"] and "migration_services" in result["msg"]


# --- check mode ---


def test_check_mode_only_looks_and_says_whether_it_would_restart(app, prove, old, new):
    warmed(app, prove, old)
    before = app.pid()
    assert prove(check_mode=True, **moving(app, old, new))["changed"]
    assert prove(check_mode=True, **moving(app, new, old, restart="always"))["changed"]
    assert not prove(check_mode=True, **moving(app, new, old))["changed"]
    assert not prove(check_mode=True, restart="never")["changed"]
    assert app.pid() == before


def test_a_target_that_is_yet_to_be_made_would_need_a_restart(app, prove, old):
    warmed(app, prove, old)
    planned = {"address": "after-apply.invalid", "port": 6379, "state": "after_apply"}
    assert prove(check_mode=True, endpoint=planned)["changed"]
    assert "provision" in prove(endpoint=planned)["msg"]


def test_a_name_to_leave_that_no_longer_resolves_leads_nowhere(app, prove, new):
    warmed(app, prove, new)
    leave = [{"address": "no-such-name.invalid", "port": new.port}]
    assert not prove(check_mode=True, endpoint=at(new), leave=leave)["changed"]


# --- through Ansible ---


# A connection like the local one, which is lost before the second run of the module.
DROPPING = """
DOCUMENTATION = "name: dropping\\nshort_description: local, until it is lost\\nauthor: x\\ndescription: x"
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

class Connection(Local):
    transport = "dropping"
    runs = 0
    def exec_command(self, cmd, *args, **more):
        self.runs += "AnsiballZ_app_service" in cmd and "chmod" not in cmd
        if self.runs > 1:
            raise AnsibleConnectionFailure("Shared connection to app1 closed.")
        return super().exec_command(cmd, *args, **more)
"""


def play(folder, app, tasks, **options):
    """What ansible-playbook says of a play in which app_service restarts the app, and its exit code."""
    restart = {
        "kempian.cache_migration.app_service": {
            "name": "shop",
            "manager": "supervisor",
            "supervisorctl": app.supervisorctl,
            "restart": "always",
            **options,
        },
        "vars": {"ansible_python_interpreter": sys.executable},
    }
    plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [{**restart, **tasks[0]}, *tasks[1:]]}]
    (folder / "play.yml").write_text(json.dumps(plays))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_CONNECTION_PLUGINS": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_playbook_shows_the_progress_of_the_restart(app, prove, old, new, tmp_path):
    warmed(app, prove, old)
    app.set(port=new.port, slow=6)
    shown = play(tmp_path, app, [{}], **moving(app, old, new))
    assert "[localhost] shop is not running (STARTING)" in shown or "[localhost] shop answered" in shown
    assert "changed=1" in shown


@pytest.mark.long
def test_a_connection_that_is_lost_after_the_restart_does_not_lose_that_it_was_done(app, new, tmp_path):
    (tmp_path / "dropping.py").write_text(DROPPING)
    app.set(port=new.port, slow=6)
    vars_of_task = {"ansible_python_interpreter": sys.executable, "ansible_connection": "dropping"}
    known = ["result.unreachable", "result.restarted", "result is changed", "'Shared connection' in result.msg"]
    tasks = [
        {"vars": vars_of_task, "register": "result", "ignore_unreachable": True},
        {"ansible.builtin.assert": {"that": known}},
    ]
    play(tmp_path, app, tasks, endpoint=at(new), health_url=app.health_url)
    assert app.supervisor.getProcessInfo("shop")["statename"] == "RUNNING"
