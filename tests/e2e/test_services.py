"""Web, workers and a timer that read one file: a glob of units, a worker that does not listen, a job that comes."""

from __future__ import annotations

import itertools
import time

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url

pytestmark = pytest.mark.long

HOSTS, CREATING_SECONDS = 1, 1
PYTHON = "/opt/shop/venv/bin/python"
CLIENT = "import redis, os, time; from dotenv import load_dotenv; load_dotenv('.env'); "
CLIENT += "client = redis.from_url(os.environ['REDIS_URL']); "
UNIT = "[Service]\nUser=shop\nWorkingDirectory=/opt/shop\n"
UNITS = {
    "web@.service": f"{UNIT}Environment=SHOP_PORT=%i\nExecStart={PYTHON} -m app.serve\nKillMode=mixed\n",
    "worker.service": f"{UNIT}EnvironmentFile=-/etc/default/worker\nEnvironment=OWN_REDIS_URL=redis://172.31.3.1/5\n"
    f"ExecStart={PYTHON} -c \"{CLIENT}[client.blpop('jobs', 1) for _turn in iter(int, 1)]\"\n",
    "report.service": f"{UNIT}Type=oneshot\nExecStart={PYTHON} -c \"{CLIENT}client.incr('reports'); time.sleep(1)\"\n",
    "report.timer": "[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=1\nAccuracySec=100ms\n",
    "beat.service": "[Service]\nExecStart=bash -c 'exec 3<>/dev/tcp/172.31.3.1/6379; exec sleep 600'\n",
    "shop.target": "[Unit]\nWants=web@8001.service worker.service\n",
}
STARTED = ("web@8001", "web@8002", "worker", "report.timer")
# Of the app's user, in a systemd of his own.
OWN = "[Service]\nWorkingDirectory=/opt/shop\n"
OWN_UNITS = {
    "side@.service": f"{OWN}Environment=SHOP_PORT=%i\nExecStart={PYTHON} -m app.serve\nKillMode=mixed\n",
    "beat.service": f"{OWN}EnvironmentFile=/opt/shop/.env\nExecStart=/bin/sleep infinity\n",
    "tick.service": UNITS["report.service"].replace(UNIT, OWN),
    "tick.timer": UNITS["report.timer"],
}
OWN_STARTED = ("side@8003.service", "side@8004.service", "beat.service", "tick.timer")
OWN_SERVICES = [
    {"name": "side@*", "scope": "user", "health_url": "http://127.0.0.1:%i/healthz"},
    {"name": "beat", "scope": "user"},
    {"name": "tick.timer", "scope": "user"},
]
SERVICES = [
    {"name": "shop", "health_url": "http://127.0.0.1:8000/healthz"},
    {"name": "web@*", "health_url": "http://127.0.0.1:%i/healthz", "health_headers": {"Host": "shop.example.com"}},
    {"name": "worker"},
    {"name": "report.timer"},
]


@pytest.fixture(scope="module")
def host(stage):
    if stage.sandbox.kind != "machines":
        pytest.skip("units are systemd's, which hosts of processes do not have")
    (name,) = stage.sandbox.hosts
    for unit, text in UNITS.items():
        path = f"/etc/systemd/system/{unit}"
        done = stage.sandbox.run(name, ["sh", "-c", 'cat >"$1"', "sh", path], input=text.encode())
        assert done.returncode == 0, done.stderr
    stage.sandbox.write(name, "/etc/default/worker", b"QUEUE_URL=" + url_of(stage, name) + b"\n")
    for command in (["systemctl", "daemon-reload"], ["systemctl", "start", *STARTED]):
        done = stage.sandbox.run(name, command)
        assert done.returncode == 0, done.stderr
    for port in (8001, 8002):
        wait(stage, name, lambda port=port: asked(stage, name, port))
    return name


def own(stage, host, *words):
    """What the systemd of the app's user is told by himself."""
    told = ["runuser", "-u", "shop", "--", "env", "XDG_RUNTIME_DIR=/run/user/990", "systemctl", "--user", *words]
    done = stage.sandbox.run(host, told)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


@pytest.fixture(scope="module")
def own_units(stage, host):
    assert stage.sandbox.run(host, ["loginctl", "enable-linger", "shop"]).returncode == 0
    wait(stage, host, lambda: stage.sandbox.run(host, ["test", "-S", "/run/user/990/systemd/private"]).returncode == 0)
    for unit, text in OWN_UNITS.items():
        stage.sandbox.run(host, ["sh", "-c", 'cat >"$1"', "sh", f"/etc/systemd/user/{unit}"], input=text.encode())
    own(stage, host, "daemon-reload")
    own(stage, host, "start", *OWN_STARTED)
    for port in (8003, 8004):
        wait(stage, host, lambda port=port: asked(stage, host, port))


def own_started(stage, host) -> dict[str, str]:
    shown = own(stage, host, "show", "--value", "--property=InvocationID", *OWN_STARTED)
    return dict(zip(OWN_STARTED, shown.split(), strict=True))


def url_of(stage, host) -> bytes:
    return stage.originals[host].partition(b"REDIS_URL=")[2].split()[0]


def asked(stage, host, port) -> bool:
    ask = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/healthz', timeout=3)"
    return stage.sandbox.run(host, [PYTHON, "-c", ask]).returncode == 0


def wait(stage, host, is_so):
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end, stage.sandbox.run(host, ["systemctl", "--failed", "--no-pager"]).stdout.decode()
        time.sleep(0.2)


def started(stage, host) -> dict[str, str]:
    units = ["shop.service", "web@8001.service", "web@8002.service", "worker.service", "report.timer"]
    shown = stage.sandbox.run(host, ["systemctl", "show", "--value", "--property=InvocationID", *units])
    return dict(zip(units, shown.stdout.decode().split(), strict=True))


def pid_of(stage, host, unit) -> int:
    """Of a unit whose program is what it becomes in the end."""
    shown = stage.sandbox.run(host, ["systemctl", "show", "--value", "--property=MainPID", unit]).stdout
    name = stage.sandbox.run(host, ["cat", f"/proc/{int(shown)}/comm"]).stdout
    return int(shown) if name.strip() == b"sleep" else 0


def play(stage, playbook, services=SERVICES):
    return stage.play(playbook, migration_services=services)


def test_a_target_is_refused_with_the_names_of_its_services_before_anything_is_touched(stage, host):
    run = play(stage, "migrate.yml", [*SERVICES[:1], {"name": "shop.target"}])
    assert run.code != 0
    assert "shop.target is no service" in run.said() and "web@8001.service, worker.service" in run.said()
    assert stage.environment_files() == stage.originals


def test_where_nothing_is_named_what_the_services_read_is_proposed_and_passes_as_it_is_pasted(stage, host):
    run = stage.play("migrate.yml", migration_services=SERVICES, migration_values=[])
    assert run.code != 0 and run.writes == [] and stage.environment_files() == stage.originals
    assert f"{host}: worker has OWN_REDIS_URL in its environment, and in no .env file" in run.said()
    assert parse_url(url_of(stage, host).decode()).password not in run.text
    lines = run.text.partition("migration_values:\n")[2].splitlines()
    proposed = yaml.safe_load("\n".join(itertools.takewhile(lambda line: line.startswith(" "), lines)))
    assert {value["path"]: list(value["keys"]) for value in proposed} == {
        "/opt/shop/.env": ["REDIS_URL"],
        "/etc/default/worker": ["QUEUE_URL"],
    }
    assert stage.play("migrate.yml", "--check", migration_services=SERVICES, migration_values=proposed).code == 0


def test_a_unit_that_nobody_named_is_told_in_the_plan_at_the_end_and_by_where_it_stands(stage, host):
    stage.sandbox.run(host, ["systemctl", "start", "beat"])
    wait(stage, host, lambda: pid_of(stage, host, "beat"))
    told = f"{host}: beat.service (sleep, pid {pid_of(stage, host, 'beat')}) is connected to the old Redis and in no"
    refused = stage.play("migrate.yml", migration_services=SERVICES, migration_unknown_clients="refuse")
    assert refused.code != 0 and told in refused.said() and "migration_unknown_clients: warn" in refused.said()
    assert refused.writes == [] and stage.environment_files() == stage.originals
    run = play(stage, "migrate.yml")
    assert run.code == 0 and run.said().count(told) == 2, "in the plan, and at the end"
    assert told in play(stage, "playbooks/state.yml").said()
    stage.sandbox.run(host, ["systemctl", "stop", "beat"])
    again = play(stage, "migrate.yml")
    assert again.code == 0 and "beat.service" not in again.text
    assert play(stage, "playbooks/rollback.yml").code == 0


def test_each_unit_of_a_glob_the_worker_and_what_the_timer_starts_are_on_the_target(stage, host):
    before = started(stage, host)
    run = play(stage, "migrate.yml")
    assert run.code == 0
    assert stage.on_new(), stage.connections()
    after = started(stage, host)
    restarted = {unit for unit in before if before[unit] != after[unit]}
    assert restarted == {"shop.service", "web@8001.service", "web@8002.service", "worker.service"}
    time.sleep(3)  # the timer's job has come again
    assert stage.on_new(), stage.connections()


def test_a_second_run_restarts_nothing(stage, host):
    before = started(stage, host)
    run = play(stage, "migrate.yml")
    assert run.code == 0 and run.writes == [] and started(stage, host) == before


def test_all_of_them_go_back(stage, host):
    run = play(stage, "playbooks/rollback.yml")
    assert run.code == 0
    assert stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy(), stage.connections()


def test_units_of_a_user_without_a_systemd_are_refused_with_the_remedy(stage, host):
    run = play(stage, "migrate.yml", [*SERVICES, *OWN_SERVICES])
    assert run.code != 0 and "loginctl enable-linger shop" in run.said()
    assert stage.environment_files() == stage.originals


@pytest.mark.usefixtures("own_units")
@pytest.mark.long
def test_units_of_the_apps_user_are_proven_left_alone_by_a_second_run_and_go_back(stage, host):
    services = [*SERVICES, *OWN_SERVICES]
    before = own_started(stage, host)
    run = play(stage, "migrate.yml", services)
    assert run.code == 0, run.said()
    assert stage.on_new(), stage.connections()
    assert "beat was started with the new values and opens none by itself" in run.said()
    moved = own_started(stage, host)
    assert {unit for unit in before if before[unit] != moved[unit]} == set(OWN_STARTED) - {"tick.timer"}
    again = play(stage, "migrate.yml", services)
    assert again.code == 0 and again.writes == [] and own_started(stage, host) == moved
    back = play(stage, "playbooks/rollback.yml", services)
    assert back.code == 0 and stage.environment_files() == stage.originals
    assert stage.on_old() and stage.all_healthy(), stage.connections()
    own(stage, host, "stop", *OWN_STARTED)


def test_a_worker_that_stays_behind_fails_and_all_is_put_back(stage, host):
    """It opens a connection of its own to the old Redis, by an address that is in no file."""
    kept = "sh -c 'exec 3<>/dev/tcp/172.31.3.1/6379; sleep 600'".replace("sh -c", "bash -c")
    text = f"{UNIT}ExecStart={kept}\n"
    stage.sandbox.run(host, ["sh", "-c", "cat >/etc/systemd/system/worker.service"], input=text.encode())
    for command in (["systemctl", "daemon-reload"], ["systemctl", "restart", "worker"]):
        stage.sandbox.run(host, command)
    run = stage.play("playbooks/cutover.yml", migration_services=SERVICES, migration_timeout=5)
    assert run.code != 0 and "worker is still connected to" in run.said()
    assert stage.environment_files() == stage.originals, "put back"
    assert stage.on_old() and stage.all_healthy()
