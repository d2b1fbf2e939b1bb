"""What is told of a service manager that cannot be asked: never the options of supervisorctl."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service.manager import (
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
        manager_of("supervisor", "shop", [*program, "-c", "/etc/supervisorctl.conf", *options], asked.append)
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
    assert isinstance(manager_of("supervisor", "shop", command, lambda _command: (0, "", "")), Supervisor)
