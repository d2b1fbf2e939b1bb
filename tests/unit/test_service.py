"""What is told of a service manager that cannot be asked: never the options of supervisorctl."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import demoted, health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import manager
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.host import urls_of_units
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import (
    Managed,
    ServiceError,
    Supervisor,
    Systemd,
    manager_of,
)

PASSWORD = "hunter2-hunter2"
FORMS = [
    ["-u", "ops", "-p", PASSWORD],
    [f"-p{PASSWORD}"],
    ["--password", PASSWORD],
    [f"--pass={PASSWORD}"],
    ["-s", f"http://ops:{PASSWORD}@127.0.0.1:9001"],
]


def by_supervisor(command):
    return Managed("shop", "supervisor", supervisorctl=tuple(command))


def supervisor(options, code, said=""):
    return Supervisor("shop", ["/opt/supervisorctl", *options], lambda command: (code, said, ""))


@pytest.mark.parametrize("options", FORMS)
@pytest.mark.parametrize("code", [2, 4])
def test_what_supervisorctl_says_is_told_without_its_password_even_where_it_quotes_it(options, code):
    with pytest.raises(ServiceError) as refused:
        supervisor(options, code, f"{options[-1]} refused connection").look()
    assert "hunter2" not in str(refused.value)
    assert "refused connection" in str(refused.value)


@pytest.mark.parametrize("verb", ["status", "restart"])
def test_a_command_that_fails_is_told_by_its_program_and_verb(verb):
    broken = supervisor(FORMS[0], 2, "no")
    with pytest.raises(ServiceError, match=f"^'/opt/supervisorctl {verb}' failed: no$"):
        broken.look() if verb == "status" else broken.restart()


@pytest.mark.parametrize("options", FORMS)
def test_the_way_to_the_log_is_told_without_the_options(options):
    assert supervisor(options, 0).how_to_see_why() == (
        "/opt/supervisorctl tail shop stderr with the options of supervisorctl (migration_services)"
    )
    assert supervisor([], 0).how_to_see_why() == "/opt/supervisorctl tail shop stderr"


def test_systemctl_that_fails_is_told_with_its_reason():
    with pytest.raises(ServiceError, match=r"^'systemctl restart' failed: Access denied$"):
        Systemd("shop", lambda command: (1, "", "Access denied\n")).restart()


def unit(name, **more):
    return {
        "Id": name,
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "Result": "success",
        "ControlGroup": "",
        "InvocationID": f"started-{name}",
        **more,
    }


def systemd(name, *units, others=()):
    """As `systemctl show` tells of units, with a blank line between them."""
    asked = []

    def run(command):
        asked.append(command)
        found = units if command[2] == asked[0][2] else [each for each in others if each["Id"] == command[2]]
        blocks = ["\n".join(f"{name}={value}" for name, value in each.items()) for each in found]
        return 0, "\n\n".join(blocks) + "\n", ""

    made = Systemd(name, run)
    return made, asked


def test_a_glob_is_every_service_that_matches_and_is_as_well_as_the_worst_of_them():
    made, asked = systemd(
        "web@*", unit("web@1.service"), unit("web@2.service", ActiveState="failed", Result="exit-code")
    )
    state = made.look()
    assert asked[0][2] == "web@*.service", "no socket or target that matches too"
    assert not state.running and state.given_up and len(state.units) == 2
    assert state.word == "active (running) and failed (running, exit-code)"
    assert state.is_as_before("started-web@2.service started-web@3.service"), "one of them was not started anew"
    assert not state.is_as_before("another one")


def test_a_glob_that_matches_nothing_that_is_loaded_is_told():
    with pytest.raises(ServiceError, match="none that is loaded matches it"):
        systemd("web@*")[0].look()


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (unit("shop.target", ConsistsOf="shop-worker.service", Wants="shop-web.service basic.target"), "shop-web"),
        (unit("shop.socket", Triggers="shop-web.service"), "shop-web.service"),
        (unit("shop.path", Triggers=""), "the services that it starts"),
    ],
)
def test_what_only_stands_for_services_is_refused_with_their_names(made, named):
    with pytest.raises(ServiceError, match=f"is no service.*{named}.*migration_services"):
        systemd(made["Id"], made)[0].look()


def test_of_a_timer_nothing_is_restarted_and_what_it_started_is_looked_at(monkeypatch):
    monkeypatch.setattr(manager, "in_control_group", lambda group: [7, 8] if group == "/report" else [])
    report = unit("report.service", ActiveState="activating", SubState="start", ControlGroup="/report")
    made, asked = systemd("report.timer", unit("report.timer", Triggers="report.service"), others=[report])
    state = made.look()
    assert state.running and state.starts_anew and state.pids == {7, 8}
    assert [command[2] for command in asked] == ["report.timer", "report.service"]


def test_each_timer_of_a_glob_is_looked_at():
    reports = [unit(f"report-{number}.service", ActiveState="inactive") for number in (1, 2)]
    timers = [unit(f"report-{number}.timer", Triggers=f"report-{number}.service") for number in (1, 2)]
    timers[1]["ActiveState"] = "failed"
    state = systemd("report-*.timer", *timers, others=reports)[0].look()
    assert not state.running and state.given_up and state.starts_anew and len(state.units) == 2


def test_each_unit_is_asked_for_its_own_health_and_all_must_be_well(monkeypatch):
    assert urls_of_units("http://127.0.0.1:8000/", ["1"]) == ["http://127.0.0.1:8000/"]
    urls = urls_of_units("http://127.0.0.1:%i/healthz", ["8001", "8002"])
    assert urls == ["http://127.0.0.1:8001/healthz", "http://127.0.0.1:8002/healthz"]
    bad = urls[1]
    monkeypatch.setattr(health, "ask", lambda url, _headers: health.HealthAnswer("no" if url == bad else "", 1.0))
    assert [answer.ok for answer in health.ask_often(urls, 3)] == [False] * 3
    assert [answer.ok for answer in health.ask_often(urls[:1], 3)] == [True] * 3


@pytest.mark.parametrize(("instances", "why"), [((), "has none: write the port itself"), (["admin"], "no number")])
def test_an_instance_that_makes_no_url_is_refused_by_its_option(instances, why):
    with pytest.raises(ServiceError, match=rf"{why}.*") as refused:
        urls_of_units("http://127.0.0.1:%i/healthz", instances)
    assert "%i" in str(refused.value) and "migration_services" in str(refused.value)


SHOP = demoted.Account("shop", 990, 990, (990,), "/opt/shop", is_us=False)


@pytest.fixture
def users(monkeypatch, tmp_path):
    """The user shop, whose systemd is told by what is in the folder that is returned."""

    def account_of(name):
        if name != "shop":
            raise demoted.CannotRun(f"this host has no user {name}")
        return SHOP

    monkeypatch.setattr(demoted, "account_of", account_of)
    monkeypatch.setattr(manager, "_runtime_of", lambda _account: str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("user", "why"),
    [
        ("", "has scope: user and no user: set user .migration_services., or migration_app_user"),
        ("shap", "this host has no user shap: set user .migration_services."),
        ("shop", "no systemd that runs on this host.*'loginctl enable-linger shop'"),
    ],
)
def test_a_user_who_has_no_systemd_is_told_with_what_to_do(users, user, why):
    with pytest.raises(ServiceError, match=why):
        manager_of(Managed("beat", scope="user", user=user), lambda _command: (0, "", ""))


def test_the_systemd_of_a_user_is_asked_as_that_user_alone(users, monkeypatch):
    (users / "systemd").mkdir()
    (users / "systemd/private").touch()
    asked = []

    def run(command, account, _feed, _seconds):
        asked.append((command[:4], account))
        return demoted.Ended(b"LoadState=not-found\n", "", 0)

    monkeypatch.setattr(demoted, "run", run)
    units = manager_of(Managed("beat", scope="user", user="shop"), lambda command: pytest.fail(str(command)))
    with pytest.raises(ServiceError, match=r"^the systemd of the user shop has no service beat .*scope"):
        units.look()
    units.restart()
    assert asked == [(["env", f"XDG_RUNTIME_DIR={users}", "systemctl", "--user"], SHOP)] * 3
    assert units.how_to_see_why() == "journalctl _UID=990 -n 50"


def test_a_systemd_of_a_user_that_does_not_answer_is_told(users, monkeypatch):
    (users / "systemd").mkdir()
    (users / "systemd/private").touch()
    monkeypatch.setattr(demoted, "run", lambda *_order: demoted.Ended(b"", "", -9, "its time was up"))
    with pytest.raises(ServiceError, match="'systemctl show' failed: its time was up"):
        manager_of(Managed("beat", scope="user", user="shop"), lambda command: pytest.fail(str(command))).look()


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"pid_file": "/run/shop.pid", "user": "shop"}, "manager: command and no restart_command"),
        ({"restart_command": ("/opt/shop/restart",), "user": "shop"}, "manager: command and no pid_file"),
        ({"restart_command": ("/x",), "pid_file": "/run/shop.pid"}, "no user: set user .migration_services., or"),
    ],
)
@pytest.mark.usefixtures("users")
def test_a_command_needs_its_file_and_its_user(stated, why):
    with pytest.raises(ServiceError, match=why):
        manager_of(Managed("shop", "command", **stated), lambda command: pytest.fail(str(command)))


def test_systemd_is_told_to_forget_earlier_failures_before_a_restart():
    asked = []
    Systemd("shop", lambda command: (asked.append(command[1]), (0, "", ""))[1]).restart()
    assert asked == ["reset-failed", "restart"]


@pytest.mark.parametrize(
    "options", [*FORMS, ["-ip", PASSWORD], ["--passw", PASSWORD], [f"--serverurl=http://{PASSWORD}@h"]]
)
@pytest.mark.parametrize("program", [["/opt/supervisorctl"], ["sudo", "-n", "supervisorctl"], ["/opt/our-own"]])
def test_a_password_in_the_list_of_processes_is_refused_with_the_place_for_it_and_without_it(options, program):
    asked = []
    with pytest.raises(ServiceError, match=r"section \[supervisorctl\], and name that file by -c") as refused:
        manager_of(by_supervisor([*program, "-c", "/etc/supervisorctl.conf", *options]), asked.append)
    assert "hunter2" not in str(refused.value) and asked == []


@pytest.mark.parametrize(
    "command",
    [
        ["supervisorctl"],
        ["/opt/bin/supervisorctl", "-c", "/srv/app-p/shop.conf", "-u", "ops"],
        ["supervisorctl", "-s", "http://127.0.0.1:9001"],
        ["supervisorctl", "-s", "unix:///run/shop@2.sock"],
        ["sudo", "-p", "who?", "supervisorctl", "-i"],
        ["python3", "-m", "supervisor.supervisorctl", "--configuration=/etc/shop.conf"],
    ],
)
def test_a_command_without_a_password_is_taken(command):
    assert isinstance(manager_of(by_supervisor(command), lambda _command: (0, "", "")), Supervisor)
