"""What an app host is, of either kind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trustme

from sandbox.api import Sandbox

pytestmark = pytest.mark.long  # each scenario rests on it

CHECKOUT = Path(__file__).resolve().parents[3]
SERVE_TLS = """
import socket, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
server = context.wrap_socket(socket.create_server(("172.31.0.1", 4433)), server_side=True)
while True:
    try:
        server.accept()[0].sendall(b"hello")
    except OSError:
        pass
"""
READ_TLS = """
import socket, ssl, sys
plain = socket.create_connection((sys.argv[1], 4433), 5)
print(ssl.create_default_context().wrap_socket(plain, server_hostname=sys.argv[1]).recv(9).decode())
"""


def said(sandbox: Sandbox, host: str, *argv: str) -> str:
    done = sandbox.run(host, argv)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def healthy(sandbox: Sandbox, host: str) -> bool:
    ask = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/healthz', timeout=3).status)"
    return sandbox.run(host, ["/opt/shop/venv/bin/python", "-c", ask]).stdout.strip() == b"200"


def test_the_app_of_every_host_serves_from_the_old_redis(sandbox: Sandbox) -> None:
    assert all(healthy(sandbox, host) for host in sandbox.hosts)
    code = "import sys, redis; print(len(redis.from_url(sys.stdin.readline().strip()).client_list()) > 1)"
    url = sandbox.read("app1", "/opt/shop/.env").partition(b"REDIS_URL=")[2].split()[0]
    assert sandbox.beside("app1", [sys.executable, "-c", code], input=url).stdout.strip() == b"True"


def test_every_program_resolves_the_names_of_hosts_and_of_the_old_redis(sandbox: Sandbox) -> None:
    assert said(sandbox, "app1", "getent", "hosts", "app2.internal").split()[0] == "172.31.1.2"
    assert said(sandbox, "app1", "getent", "hosts", "old-redis.internal").split()[0] == "172.31.3.1"


def test_a_name_that_moves_is_seen_within_a_second(sandbox: Sandbox) -> None:
    names = sandbox.places.names
    for address in ("172.31.2.240", "172.31.2.241"):
        (names / ".moving").write_text(f"{address} moving.internal\n")
        (names / ".moving").rename(names / "moving")
        deadline = time.monotonic() + 1
        while sandbox.run("app1", ["getent", "hosts", "moving.internal"]).stdout.split()[:1] != [address.encode()]:
            assert time.monotonic() < deadline, address
    (names / "moving").unlink()


def test_a_host_has_its_own_etc_opt_and_var_lib_under_its_own_name(sandbox: Sandbox) -> None:
    for folder in ("/etc", "/opt", "/var/lib"):
        sandbox.write("app1", f"{folder}/of-app1", b"mine")
        assert sandbox.read("app1", f"{folder}/of-app1") == b"mine"
        assert sandbox.run("app2", ["test", "-e", f"{folder}/of-app1"]).returncode == 1
        assert not Path(folder, "of-app1").exists()
        said(sandbox, "app1", "rm", f"{folder}/of-app1")
    assert said(sandbox, "app2", "hostname") == "app2"


def test_a_host_trusts_the_sandbox_authority_and_refuses_any_other(sandbox: Sandbox, tmp_path: Path) -> None:
    places = sandbox.places
    ours = trustme.CA.from_pem(places.ca_certificate.read_bytes(), places.ca_key.read_bytes())
    (places.names / "tls").write_text("172.31.0.1 tls.internal\n")
    for authority, expected in ((ours, "hello"), (trustme.CA(), "certificate verify failed")):
        chain = tmp_path / "chain.pem"
        authority.issue_cert("tls.internal").private_key_and_cert_chain_pem.write_to_path(str(chain))
        server = subprocess.Popen(sandbox.control_command([sys.executable, "-c", SERVE_TLS, str(chain)]))
        try:
            deadline = time.monotonic() + 10
            while "refused" in (told := attempt_tls(sandbox)) or "Name or service" in told:
                assert time.monotonic() < deadline, told
            assert expected in told
        finally:
            server.kill()
            server.wait()
    (places.names / "tls").unlink()


def attempt_tls(sandbox: Sandbox) -> str:
    done = sandbox.run("app1", ["/opt/shop/venv/bin/python", "-c", READ_TLS, "tls.internal"])
    return (done.stdout + done.stderr).decode()


def test_a_host_knows_nothing_of_the_callers_aws(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert "production" not in said(sandbox, "app1", "env")


def test_ansible_reaches_the_hosts_through_the_inventory_script(sandbox: Sandbox) -> None:
    argv = [str(Path(sys.executable).with_name("ansible")), "-i", "inventories/sandbox/hosts", "app", "-m", "command"]
    done = subprocess.run(
        [*argv, "-a", "hostname"],
        cwd=CHECKOUT,
        env={**os.environ, **sandbox.env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^(\w+) \| CHANGED \| rc=0 >>\n(\w+)$", done.stdout, re.MULTILINE)
    assert dict(told) == {host: host for host in sandbox.hosts}


def test_the_inventory_tells_what_a_migration_must_know(sandbox: Sandbox) -> None:
    script = subprocess.run(
        [CHECKOUT / "inventories/sandbox/hosts"], env={**os.environ, **sandbox.env}, capture_output=True, check=True
    )
    told = json.loads(script.stdout)
    known = told["all"]["vars"]
    assert told["app"]["hosts"] == ["app1", "app2"]
    assert len(known["migration_subnet_ids"]) >= 2
    assert known["sandbox_manager"] == {"machines": "systemd", "processes": "supervisor"}[sandbox.kind]
    assert known["sandbox_kind"] == sandbox.kind


def test_a_host_reaches_the_emulated_aws_where_its_env_file_says(sandbox: Sandbox) -> None:
    code = """import boto3, dotenv, os
dotenv.load_dotenv("/opt/shop/.env")
ssm = boto3.client("ssm", region_name=os.environ["AWS_REGION"])
found = ssm.get_parameter(Name="/kempian/sandbox/REDIS_URL", WithDecryption=True)
print(found["Parameter"]["Value"] == os.environ["REDIS_URL"])"""
    assert said(sandbox, "app1", "/opt/shop/venv/bin/python", "-c", code) == "True"
    last = sandbox.calls()["calls"][-1]
    assert (last["action"], last["client"]) == ("GetParameter", "172.31.1.1")


def test_a_restart_of_the_service_gives_new_processes_that_serve(sandbox: Sandbox) -> None:
    told = json.loads(sandbox.places.inventory.read_text())["all"]["vars"]
    manager = told.get("sandbox_supervisorctl", ["systemctl"])
    before = said(sandbox, "app2", "pgrep", "-f", "app.serve")
    said(sandbox, "app2", *manager, "restart", "shop")
    deadline = time.monotonic() + 10
    while not healthy(sandbox, "app2"):
        assert time.monotonic() < deadline
    assert not set(before.split()) & set(said(sandbox, "app2", "pgrep", "-f", "app.serve").split())


def test_no_folder_of_the_state_is_open_to_others(sandbox: Sandbox) -> None:
    assert sandbox.state.stat().st_mode & 0o077 == 0
    assert sandbox.state.parent.stat().st_mode & 0o077 == 0


def test_no_process_carries_the_password_in_its_arguments(sandbox: Sandbox) -> None:
    password = sandbox.read("app1", "/opt/shop/.env").partition(b"redis://:")[2].partition(b"@")[0]
    assert len(password) > 20
    for process in Path("/proc").glob("[0-9]*"):
        try:
            assert password not in (process / "cmdline").read_bytes(), process
        except OSError:
            continue
