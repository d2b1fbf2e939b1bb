"""Web, workers and a timer that read one file: a glob of units, a worker that does not listen, a job that comes."""

from __future__ import annotations

import time

import pytest

HOSTS, CREATING_SECONDS = 1, 1
PYTHON = "/opt/shop/venv/bin/python"
CLIENT = "import redis, os, time; from dotenv import load_dotenv; load_dotenv('.env'); "
CLIENT += "client = redis.from_url(os.environ['REDIS_URL']); "
UNIT = "[Service]\nUser=shop\nWorkingDirectory=/opt/shop\n"
UNITS = {
    "web@.service": f"{UNIT}Environment=SHOP_PORT=%i\nExecStart={PYTHON} -m app.serve\nKillMode=mixed\n",
    "worker.service": f"{UNIT}ExecStart={PYTHON} -c \"{CLIENT}[client.blpop('jobs', 1) for _turn in iter(int, 1)]\"\n",
    "report.service": f"{UNIT}Type=oneshot\nExecStart={PYTHON} -c \"{CLIENT}client.incr('reports'); time.sleep(1)\"\n",
    "report.timer": "[Timer]\nOnActiveSec=0\nOnUnitInactiveSec=1\nAccuracySec=100ms\n",
    "beat.service": "[Service]\nExecStart=bash -c 'exec 3<>/dev/tcp/172.31.3.1/6379; exec sleep 600'\n",
    "shop.target": "[Unit]\nWants=web@8001.service worker.service\n",
}
STARTED = ("web@8001", "web@8002", "worker", "report.timer")
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
    for command in (["systemctl", "daemon-reload"], ["systemctl", "start", *STARTED]):
        done = stage.sandbox.run(name, command)
        assert done.returncode == 0, done.stderr
    for port in (8001, 8002):
        wait(stage, name, lambda port=port: asked(stage, name, port))
    return name


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
