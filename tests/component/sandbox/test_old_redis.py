"""Other kinds of old Redis: with a certificate that nobody signed, and a replica that the app only reads from."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sandbox.api import Sandbox
from sandbox.places import OLD_PRIMARY, URL_PARAMETER, SandboxError

pytestmark = pytest.mark.long  # each scenario rests on it

TRY = "import redis, sys; r = redis.from_url(sys.stdin.readline().strip()); print({})"
ASK = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/{}', timeout=3).read().decode())"


@pytest.fixture(scope="module")
def self_signed() -> Iterator[Sandbox]:
    made = Sandbox.up("selfsigned", hosts=1, old_redis="tls-self-signed", creating_seconds=1)
    yield made
    made.down()


@pytest.fixture(scope="module")
def replica() -> Iterator[Sandbox]:
    made = Sandbox.up("replica", hosts=1, old_redis="replica", creating_seconds=1)
    yield made
    made.down()


def url(sandbox: Sandbox) -> str:
    return sandbox.read("app1", "/opt/shop/.env").partition(b"REDIS_URL=")[2].split()[0].decode()


def try_redis(sandbox: Sandbox, url: str, code: str) -> str:
    done = sandbox.run("app1", ["/opt/shop/venv/bin/python", "-c", TRY.format(code)], input=url.encode() + b"\n")
    return (done.stdout + done.stderr).decode().strip().splitlines()[-1]


def ask_app(sandbox: Sandbox, path: str) -> dict[str, object]:
    done = sandbox.run("app1", ["/opt/shop/venv/bin/python", "-c", ASK.format(path)], check=True)
    return dict(json.loads(done.stdout))


def test_the_app_runs_on_a_redis_that_is_not_verified(self_signed: Sandbox) -> None:
    assert urlsplit(url(self_signed)).scheme == "rediss"
    assert url(self_signed).endswith("?ssl_cert_reqs=none")
    assert ask_app(self_signed, "healthz")["status"] == "ok"
    assert ask_app(self_signed, "products/7")["views"] == 1
    stored = self_signed.client("ssm").get_parameter(Name=URL_PARAMETER, WithDecryption=True)["Parameter"]["Value"]
    assert stored == url(self_signed)


def test_whoever_verifies_it_is_refused_and_without_tls_nobody_is_understood(self_signed: Sandbox) -> None:
    verified = url(self_signed).partition("?")[0]
    assert "self-signed certificate" in try_redis(self_signed, verified, "r.ping()")
    assert "Connection" in try_redis(self_signed, verified.replace("rediss", "redis"), "r.ping()")
    assert try_redis(self_signed, url(self_signed), "r.ping()") == "True"


def test_the_app_reads_from_a_replica_that_takes_no_writes(replica: Sandbox) -> None:
    assert try_redis(replica, url(replica), "r.info('replication')['role']") == "slave"
    assert "read only replica" in try_redis(replica, url(replica), "r.set('x', 1)")
    assert ask_app(replica, "healthz")["status"] == "ok"
    assert ask_app(replica, "products/7") == ask_app(replica, "products/7")
    assert ask_app(replica, "products/7")["from_cache"] is False


def test_what_is_written_to_the_primary_is_read_by_the_app(replica: Sandbox) -> None:
    primary = url(replica).replace("old-redis.internal", OLD_PRIMARY)
    assert try_redis(replica, primary, "(r.set('views:9', 41), r.wait(1, 5000))") == "(True, 1)"
    assert ask_app(replica, "products/9")["views"] == 41


def test_the_seeded_data_is_on_the_replica_when_the_sandbox_is_up(replica: Sandbox) -> None:
    on_primary, on_replica = (
        replica.beside("app1", [sys.executable, "-m", "sandbox.seed", "--digest"], input=f"{each}\n".encode())
        for each in (url(replica).replace("old-redis.internal", OLD_PRIMARY), url(replica))
    )
    assert on_primary.returncode == on_replica.returncode == 0, on_replica.stderr.decode()
    assert on_primary.stdout == on_replica.stdout


def test_a_kind_that_does_not_exist_is_refused_before_anything_is_made() -> None:
    with pytest.raises(SandboxError, match="old Redis 'cluster': use plain, tls-self-signed, replica"):
        Sandbox.up("nothing", old_redis="cluster")
    assert "nothing" not in Sandbox.names()
