"""Modules against real engines on loopback, each with a folder and a port of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import redis
import trustme
from ansible.module_utils import basic
from moto.server import ThreadedMotoServer

from sandbox import check
from sandbox.shell import environment
from tests.component.local_aws import FOREIGN, Aws, started

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # before ansible-core 2.18

    @contextlib.contextmanager
    def patch_module_args(args: dict[str, Any]) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode())
            yield


@pytest.fixture(scope="session", autouse=True)
def programs() -> Iterator[None]:
    """Engines and network tools on PATH, got as a sandbox gets them: on a new machine nobody has asked yet."""
    check.choose(None, print)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", environment()["PATH"])
        yield


@pytest.fixture(scope="module")
def moto_options() -> Iterator[dict[str, str]]:
    """A module's options that lead to moto, for what needs no engine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    access = {"region": "us-east-1", "access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "not-a-real-key-0123"}
    yield {"endpoint_url": f"http://{host}:{port}", **access}
    server.stop()


@pytest.fixture
def connect(moto_options: dict[str, str]) -> Callable[[str], Any]:
    """Makes a client of one of its services."""
    return lambda service: boto3.client(
        service,
        endpoint_url=moto_options["endpoint_url"],
        region_name=moto_options["region"],
        aws_access_key_id=moto_options["access_key"],
        aws_secret_access_key=moto_options["secret_key"],
    )


@pytest.fixture
def connect_ssm(connect: Callable[[str], Any]) -> Callable[[], Any]:
    """Makes a client of its Parameter Store."""
    return lambda: connect("ssm")


@pytest.fixture
def moto_environment(moto_options: dict[str, str]) -> dict[str, str]:
    """The environment of a command that is to speak to moto."""
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": moto_options["endpoint_url"],
        "AWS_ACCESS_KEY_ID": moto_options["access_key"],
        "AWS_SECRET_ACCESS_KEY": moto_options["secret_key"],
        "ANSIBLE_LOCALHOST_WARNING": "0",
    }


class Left(Exception):
    """The module came to its end; args[0] is its result."""


@pytest.fixture
def run_module(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Run a module's main() in this process, and return its result: with failed=True after fail_json."""
    from ansible.module_utils.testing import patch_module_args  # since ansible-core 2.19; other tests do without

    def leave(module: Any, **result: Any) -> None:
        raise Left(result)

    def fail(module: Any, msg: str, **result: Any) -> None:
        raise Left({"failed": True, "msg": msg, **result})

    monkeypatch.setattr(basic.AnsibleModule, "exit_json", leave)
    monkeypatch.setattr(basic.AnsibleModule, "fail_json", fail)

    def run(main: Callable[[], None], check_mode: bool = False, **params: Any) -> dict[str, Any]:
        args = {"_ansible_check_mode": check_mode, "_ansible_remote_tmp": "/tmp", **params}
        with patch_module_args(args), pytest.raises(Left) as left:
            main()
        return dict(left.value.args[0])

    return run


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@pytest.fixture
def unused_port() -> Callable[[], int]:
    return free_port


@dataclass
class Engine:
    port: int
    folder: Path
    password: str
    tls_port: int
    process: subprocess.Popen[bytes]

    def url(
        self, password: str | None = None, scheme: str = "redis", host: str = "127.0.0.1", database: int = 0
    ) -> str:
        login = self.password if password is None else password
        port = self.tls_port if scheme == "rediss" else self.port
        return f"{scheme}://{':' + login + '@' if login else ''}{host}:{port}/{database}"

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url(), decode_responses=True)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
        sock.sendall(b"PING\r\n")
        return bool(sock.recv(1))
    return False


@pytest.fixture
def start_engine(tmp_path: Path) -> Iterator[Callable[..., Engine]]:
    """Start redis-server, or another ``program`` for it, with lines of configuration; ``certificate`` gives it a TLS
    port too.
    """
    server = os.environ.get("REDIS_SERVER") or shutil.which("redis-server")
    assert server, "no redis-server"
    started: list[Engine] = []

    def start(
        *lines: str,
        password: str = "",
        certificate: trustme.LeafCert | None = None,
        folder: Path | None = None,
        program: str = server,
    ) -> Engine:
        home = folder or tmp_path / f"engine{len(started)}"
        home.mkdir(exist_ok=True)
        port, tls_port = free_port(), free_port() if certificate else 0
        settings = ["bind 127.0.0.1", f"port {port}", f"dir {home}", 'save ""']
        settings += [f"requirepass {password}"] if password else []
        if certificate:
            certificate.private_key_and_cert_chain_pem.write_to_path(str(home / "server.pem"))
            pem = home / "server.pem"
            settings += [
                f"tls-port {tls_port}",
                f"tls-cert-file {pem}",
                f"tls-key-file {pem}",
                f"tls-ca-cert-file {pem}",
            ]
            settings += ["tls-auth-clients no"]
        (home / "redis.conf").write_text("\n".join([*settings, *lines]) + "\n")
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                ["redis-server", str(home / "redis.conf")], executable=program, stdout=log, stderr=log
            )
        engine = Engine(port, home, password, tls_port, process)
        started.append(engine)
        deadline = time.monotonic() + 5
        while not answers(port):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, f"redis does not answer; see {home}/log"
            time.sleep(0.02)
        return engine

    yield start
    for engine in started:
        engine.stop()


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(ca: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    ssl.create_default_context(cafile=str(path))
    return str(path)


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    with started() as local_aws:
        yield local_aws


@pytest.fixture
def settings(aws: Aws) -> Iterator[Callable[..., None]]:
    """Change how long things take, and what fails, for one test."""
    before = aws.ask("settings", data=b"{}")
    yield lambda **wanted: aws.ask("settings", data=json.dumps(wanted).encode())
    aws.ask("settings", data=json.dumps(before).encode())


@pytest.fixture
def slow_creation(settings: Callable[..., None]) -> None:
    """A group is `creating` for so long that a read in between meets it so, on a busy machine too."""
    settings(creating_seconds=4)


@pytest.fixture
def run(
    aws: Aws, run_module: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Run a module once against the local AWS, as migration `shop-prod`."""
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)

    def once(main: Callable[[], None], **params: Any) -> dict[str, Any]:
        return run_module(main, **aws.options, **{"migration_name": "shop-prod", **params})

    return once


@pytest.fixture
def converge(run: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Run a module until it is done, as its action plugin does; the result has the change and plan of the first run."""
    from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done

    def until_done(main: Callable[[], None], **params: Any) -> dict[str, Any]:
        def next_args(args: Any, result: dict[str, Any]) -> Any:
            if result.get("passwords_changed"):
                return {**args, "passwords_update": "keep"}
            return {**args, "auth_token_update_strategy": "keep"} if result.get("token_changed") else args

        return run_until_done(
            lambda args: run(main, **args), params, timeout=30, interval=0.1, say=lambda line: None, next_args=next_args
        )

    return until_done
