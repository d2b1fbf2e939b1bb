"""A Redis of its own on each host, which each calls localhost: all are left for one target, and each host goes back."""

from __future__ import annotations

import pytest

from sandbox.api import Sandbox
from sandbox.shell import environment
from tests.e2e.conftest import remote_of
from tests.e2e.world import until

pytestmark = pytest.mark.long

PASSWORD = "of-each-hosts-own-redis"
URL = f"REDIS_URL=redis://:{PASSWORD}@localhost:6379/0".encode()


@pytest.fixture(scope="module")
def stage(stage_of, tmp_path_factory):
    sandbox = Sandbox.up("e2eown", hosts=2, creating_seconds=1)
    try:
        stage = stage_of(sandbox, tmp_path_factory.mktemp("e2e"))
        for number, host in enumerate(stage.hosts, 1):
            start_redis(stage, host)
            fill(stage, host, keys=number)
            stage.originals[host] = with_url(stage.originals[host])
            stage.replace_file(host, "/opt/shop/.env", stage.originals[host])
        stage.restart_app()
        yield stage
    finally:
        sandbox.down()


def start_redis(stage, host):
    places = stage.sandbox.places
    command = ["redis-server", "--bind", "127.0.0.1", "--requirepass", PASSWORD, "--save", ""]
    stage.sandbox.ground.spawn(command, netns=places.netns(host), log=places.log(f"{host}-redis"), env=environment())
    until(lambda: ask(stage, host, "PING").startswith("PONG"), 10, f"the Redis of {host} does not answer")


def fill(stage, host, keys):
    assert ask(stage, host, "MSET", *[part for number in range(keys) for part in (f"cart:{number}", host)]) == "OK"


def ask(stage, host, *command):
    asked = ["redis-cli", "-a", PASSWORD, "--no-auth-warning", *command]
    return stage.sandbox.beside(host, ["env", f"PATH={environment()['PATH']}", *asked]).stdout.decode().strip()


def with_url(content):
    lines = content.split(b"\n")
    return b"\n".join(URL if line.startswith(b"REDIS_URL=") else line for line in lines)


def at_home(stage):
    """From each host, its app's connections to itself at Redis's port."""
    counts = {}
    for host in stage.hosts:
        table = stage.sandbox.run(host, ["cat", "/proc/net/tcp", "/proc/net/tcp6"]).stdout.decode()
        counts[host] = [remote_of(line) for line in table.splitlines() if " 01 " in line].count(("127.0.0.1", 6379))
    return counts


@pytest.fixture(scope="module")
def migrated(stage):
    stage.before = at_home(stage)
    return stage.migrate(migration_unknown_clients="refuse")


def test_the_app_of_each_host_is_on_the_redis_of_that_host(stage, migrated):
    assert all(stage.before.values())


def test_each_is_assessed_and_all_of_them_are_left(stage, migrated):
    assert migrated.code == 0
    app1, app2 = stage.hosts
    assert "several: The hosts have 2 old Redises: localhost:6379 on" in migrated.said()
    for host in (app1, app2):
        assert f"localhost:6379 on {host} (" in migrated.said()
    assert stage.on_new() and not any(at_home(stage).values()), at_home(stage)


def test_each_host_goes_back_to_its_own(stage, migrated):
    back = stage.play("playbooks/rollback.yml")
    assert back.code == 0
    assert stage.environment_files() == stage.originals
    assert all(at_home(stage).values()) and stage.all_healthy()
    assert [ask(stage, host, "GET", "cart:0") for host in stage.hosts] == stage.hosts


def test_where_one_does_not_answer_no_host_is_switched(stage, migrated):
    """The other would be moved, and that one could not be put back."""
    ask(stage, stage.hosts[1], "CONFIG", "SET", "requirepass", "another")
    run = stage.play("playbooks/cutover.yml")
    assert run.code != 0 and "the way back must be open" in run.said()
    assert stage.environment_files() == stage.originals and run.writes == []
