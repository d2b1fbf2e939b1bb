"""The local AWS with real engines, in a network namespace of its own, as modules are tested against it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from sandbox.aws.keys import CONTROL_HEADER, AccessKey, Keys

# Engines listen on addresses of the emulated VPC; on lo they are local, and seen by nobody outside.
IN_NAMESPACE = 'ip link set lo up && ip address add 172.31.0.1/16 dev lo && exec "$@"'
PR_SET_PDEATHSIG = 1
# Fetching a token or a session from elsewhere is not for tests.
FOREIGN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_URL", "AWS_CA_BUNDLE")


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(frozen=True)
class Aws:
    """The local AWS, its log of calls, and the module options that lead to it."""

    port: int
    key: AccessKey

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def options(self) -> dict[str, str]:
        return {
            "endpoint_url": self.url,
            "region": "us-east-1",
            "access_key": self.key.id,
            "secret_key": self.key.secret,
        }

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=self.key.id,
            aws_secret_access_key=self.key.secret,
        )

    def ask(self, path: str, **request: Any) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {CONTROL_HEADER: self.key.id}
        asked = urllib.request.Request(f"{self.url}/_sandbox/{path}", headers=headers, **request)
        with opener.open(asked, timeout=10) as answer:
            return json.load(answer)

    def calls_since(self, mark: int) -> list[dict[str, Any]]:
        calls = self.ask(f"calls?since={mark}")["calls"]
        return [call for call in calls if not call.get("internal")]

    def writes_since(self, mark: int) -> list[str]:
        return [call["action"] for call in self.calls_since(mark) if call["access"] == "write"]

    @property
    def mark(self) -> int:
        return int(self.ask("calls?since=0")["next"])


@contextlib.contextmanager
def started() -> Iterator[Aws]:
    folder = Path(tempfile.mkdtemp(prefix="cm-"))  # short, since paths of sockets are limited to 107 characters
    keys = Keys.make(folder / "keys")
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        port = int(listener.getsockname()[1])
        argv = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--net", "--pid", "--fork"]
        argv += ["--kill-child", "--mount-proc", "sh", "-c", IN_NAMESPACE, "sh"]
        argv += [sys.executable, "-W", "ignore", "-m", "sandbox.aws", "--state", str(folder / "aws")]
        argv += [
            "--keys",
            str(folder / "keys"),
            "--listen-fd",
            str(listener.fileno()),
            "--port",
            str(port),
            "--creating-seconds",
            "0.5",
        ]
        argv += ["--modifying-seconds", "0.2"]
        process = subprocess.Popen(
            argv,
            stdout=log,
            stderr=log,
            pass_fds=[listener.fileno()],
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        try:
            deadline = time.monotonic() + 60
            while not (folder / "aws" / "ready").exists():
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, f"the local AWS does not start: {(folder / 'log').read_text()}"
                time.sleep(0.02)
            yield Aws(port, keys.operator)
        finally:
            process.kill()  # --kill-child takes the namespace with it
            process.wait(10)
    shutil.rmtree(folder, ignore_errors=True)
