"""An app of several processes under a real supervisord, each in a folder of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import endpoint
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_info, app_service
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.progress import run_until_done
from supervisor.xmlrpc import SupervisorTransport

BIN = Path(sys.executable).parent
TOKEN = "a-token-of-this-test!"
OLD = "an-old-password-of-this-test"

# A parent that listens and two workers that share its socket. Each worker goes to the cache at its first request and
# keeps that connection, or `closes` it. `settings.json` is read at the start, and may name the file of its environment.
APP = r"""
import http.server, json, os, socket, socketserver, sys, time
settings = json.load(open("settings.json"))
if settings.get("dies"):
    sys.exit(3)
if "SHOP" not in os.environ and "environment_file" in settings:
    given = dict(line.rstrip("\n").split("=", 1) for line in open(settings["environment_file"]))
    os.execve(sys.executable, [sys.executable, "shop.py"], {**os.environ, **given, "SHOP": "1"})
if settings.get("schedules"):
    os.fork()
    time.sleep(600)

class Handler(http.server.BaseHTTPRequestHandler):
    cache = None
    def do_GET(self):
        if Handler.cache is None and not settings.get("never_connects"):
            Handler.cache = socket.create_connection(("127.0.0.1", settings["port"]))
        status = settings.get("status", 200)
        if self.path.partition("?")[2] != settings.get("wants_query", ""):
            status = 401
        for name, value in settings.get("wants_headers", {}).items():
            status = status if self.headers[name] == value else settings["otherwise"]
        if Handler.cache:
            Handler.cache.sendall(b"PING\r\n")
            status = status if Handler.cache.recv(100) == b"+PONG\r\n" else 500
        visit = settings.get("visits") and socket.create_connection(("127.0.0.1", settings["visits"]))
        time.sleep(0.01)
        if visit:
            visit.close()
        if settings.get("closes"):
            Handler.cache = Handler.cache.close()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass

class Server(socketserver.TCPServer):
    allow_reuse_address = True
    request_queue_size = 64

time.sleep(settings.get("slow", 0))
server = Server(("127.0.0.1", settings["listen"]), Handler)
if settings.get("keeps_old"):
    forgotten = socket.create_connection(("127.0.0.1", settings["keeps_old"]))
for _ in range(2):
    if os.fork() == 0:
        server.serve_forever()
os.wait()
"""


@dataclass
class App:
    folder: Path
    listen: int

    @property
    def supervisorctl(self) -> list[str]:
        return [str(BIN / "supervisorctl"), "-c", str(self.folder / "supervisord.conf")]

    @property
    def health_url(self) -> str:
        return f"http://127.0.0.1:{self.listen}/healthz"

    def set(self, **settings: Any) -> None:
        (self.folder / "settings.json").write_text(json.dumps({"listen": self.listen, **settings}))

    @property
    def supervisor(self) -> Any:
        """Supervisor's own interface: the tests need not wait for a supervisorctl at each step, as the module does."""
        transport = SupervisorTransport(None, None, f"unix://{self.folder}/sock")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport).supervisor

    def start(self, port: int, **settings: Any) -> None:
        self.set(port=port, **settings)
        self.supervisor.startProcess("shop")
        deadline = time.monotonic() + 10
        while socket.socket().connect_ex(("127.0.0.1", self.listen)):  # it has read its settings once it listens
            assert time.monotonic() < deadline, "the app does not listen"
            time.sleep(0.02)

    def starts(self) -> int:
        return (self.folder / "supervisord.log").read_text().count("spawned: 'shop'")

    def pid(self) -> int:
        return int(self.supervisor.getProcessInfo("shop")["pid"])

    def stop(self) -> None:
        with contextlib.suppress(xmlrpc.client.Fault):  # it does not run
            self.supervisor.stopProcess("shop")


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a supervisord that all tests share, since each call of supervisorctl costs a third of a second."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "shop.py").write_text(APP)
    (folder / "supervisord.conf").write_text(
        f"""
[unix_http_server]
file={folder}/sock
[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{folder}/sock
[program:shop]
command={sys.executable} shop.py
directory={folder}
autostart=false
startsecs=0
autorestart=false
stopasgroup=true
killasgroup=true
"""
    )
    process = subprocess.Popen(
        [str(BIN / "supervisord"), "-c", str(folder / "supervisord.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    deadline = time.monotonic() + 10
    while not (folder / "sock").exists():
        assert time.monotonic() < deadline, "supervisord does not answer"
        time.sleep(0.02)
    yield folder
    process.terminate()
    process.wait(15)


@pytest.fixture
def app(supervised: Path, unused_port: Callable[[], int]) -> Iterator[App]:
    made = App(supervised, unused_port())
    yield made
    made.stop()


@pytest.fixture
def prove(run_module: Callable[..., dict[str, Any]], app: App) -> Callable[..., dict[str, Any]]:
    """Run the module as its action plugin does, and add the progress lines to the result."""

    def run(check_mode: bool = False, **params: Any) -> dict[str, Any]:
        lines: list[str] = []
        args = {"name": "shop", "manager": "supervisor", "supervisorctl": app.supervisorctl, "timeout": 8.0, **params}
        result = run_until_done(
            lambda given: run_module(app_service.main, check_mode=check_mode, **given),
            args,
            timeout=60,
            interval=0.1,
            say=lines.append,
            next_args=lambda given, result: {**given, "resume": result["resume"]},
        )
        return {**result, "lines": lines}

    return run


@pytest.fixture
def old(start_engine: Callable[..., Any]) -> Any:
    """The app of these tests has no password, so neither have its engines."""
    return start_engine()


@pytest.fixture
def new(start_engine: Callable[..., Any]) -> Any:
    return start_engine()


@pytest.fixture
def file(tmp_path: Path, old: Any) -> Path:
    path = tmp_path / "shop.env"
    path.write_text(f"DEBUG=0\nREDIS_URL={old.url()}?decode_responses=True\n")
    return path


@pytest.fixture
def target(new: Any) -> dict[str, Any]:
    """By a name, as the two engines differ by their port alone."""
    return endpoint.Endpoint("elasticache", "shop", address="localhost", port=new.port).as_dict()


@pytest.fixture
def look(run_module: Callable[..., dict[str, Any]], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a module of a migration; no secret may be in its result."""

    def run(check_mode: bool = True, main: Callable[[], None] = app_host_info.main, **params: Any) -> dict[str, Any]:
        where = {"migration_name": "shop-prod", "state_dir": str(tmp_path / "state")}
        result = run_module(main, check_mode=check_mode, **where, **params)
        assert not [secret for secret in (TOKEN, OLD) if secret in json.dumps(result)]
        return result

    return run


@pytest.fixture
def own(file: Path, new: Any) -> list[dict[str, Any]]:
    return [{"path": str(file), "keys": {"REDIS_URL": new.url(host="localhost")}}]


def probe_of(target: dict[str, Any]) -> dict[str, Any]:
    return {"endpoint": target, "auth_token": TOKEN}
