"""The shop against a real Redis on loopback, each in a folder of the test's own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SANDBOX = Path(__file__).resolve().parents[3] / "sandbox"
PASSWORD = "component-test"


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@pytest.fixture
def cache(start_engine: Callable[..., Any]) -> Any:
    return start_engine(password=PASSWORD)


@dataclass
class Shop:
    name: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> Shop:
        log = (self.folder / "log").open("ab")
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SANDBOX)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.serve"], cwd=self.folder, env=environment, stdout=log, stderr=log
        )
        wait_until(self.serves, 20, f"{self.name} serves; see {self.folder}/log")
        return self

    def serves(self) -> bool:
        assert self.process is not None and self.process.poll() is None, f"{self.name} ended:\n{self.log}"
        try:
            self.get("/openapi.json")
        except ConnectionRefusedError:
            return False
        return True

    def get(self, path: str) -> tuple[int, dict[str, object], str | None]:
        """Status, body, and who served it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.getheader("X-Served-By")
        finally:
            connection.close()

    def stop(self, signum: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(signum)
        return self.process.wait(30)

    def workers(self) -> list[int]:
        assert self.process is not None
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


@pytest.fixture
def make_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    made: list[Shop] = []

    def make(name: str, **settings: str) -> Shop:
        shop = Shop(name, free_port(), tmp_path / name)
        shop.folder.mkdir()
        lines = {"SHOP_HOST": name, "SHOP_ADDRESS": "127.0.0.1", "SHOP_PORT": str(shop.port), **settings}
        (shop.folder / ".env").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        made.append(shop)
        return shop

    yield make
    for shop in made:
        if shop.process is not None and shop.process.poll() is None:
            shop.stop()
