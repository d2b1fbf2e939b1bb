"""Starting the emulated AWS in the control namespace, and speaking to it."""

from __future__ import annotations

import functools
import json
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from sandbox.aws.keys import CONTROL_HEADER, AccessKey
from sandbox.places import REGION, Places, SandboxError
from sandbox.shell import Ground, environment
from sandbox.world import Order, World

START_SECONDS = 180  # with the world that it makes, on a machine that is busy with other sandboxes


def start_emulator(
    ground: Ground, places: Places, listener: socket.socket, creating_seconds: float, order: Order
) -> subprocess.Popen[bytes]:
    port = listener.getsockname()[1]
    places.emulator.mkdir(mode=0o700)
    order.write(places.world_order)
    argv = [sys.executable, "-W", "ignore", "-m", "sandbox.aws", "--state", str(places.emulator)]
    argv += [
        "--keys",
        str(places.keys),
        "--listen-fd",
        str(listener.fileno()),
        "--port",
        str(port),
        "--creating-seconds",
        str(creating_seconds),
    ]
    argv += ["--ca-cert", str(places.ca_certificate), "--ca-key", str(places.ca_key), "--names", str(places.names)]
    argv += ["--world", str(places.world_order)]
    environ = environment(SANDBOX_MARK=str(places.root))
    return ground.spawn(argv, netns=places.control, log=places.log("aws"), env=environ, pass_fds=[listener.fileno()])


def wait_for_emulator(places: Places, process: subprocess.Popen[bytes]) -> World:
    """Until it is ready, with the world in it."""
    deadline = time.monotonic() + START_SECONDS
    while not (places.emulator / "ready").exists():
        if process.poll() is not None:
            raise SandboxError(f"the emulated AWS does not start: {places.last_words('aws')}")
        if time.monotonic() > deadline:
            raise SandboxError(
                f"the emulated AWS is not ready after {START_SECONDS} s, and {places.last_words('aws')}. "
                "Where this machine is busy with something else, start the sandbox again when it is done."
            )
        time.sleep(0.02)
    return World.read(places.world)


@functools.cache  # making a client takes longer than a call
def client(service: str, port: int, key: AccessKey) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.session.Session(aws_access_key_id=key.id, aws_secret_access_key=key.secret).client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        # The emulator is on our own loopback: no proxy of the caller's is asked.
        config=Config(proxies={}, retries={"max_attempts": 2}, connect_timeout=5),
    )


def calls(port: int, key: AccessKey, since: int = 0) -> dict[str, Any]:
    """The log of AWS calls: `{next, calls}`."""
    log: dict[str, Any] = ask(port, key, f"calls?since={since}")
    return log


def held(port: int, key: AccessKey) -> str:
    """The call that is or was held, as service.Action; empty where none was."""
    return str(ask(port, key, "held"))


def order_faults(port: int, key: AccessKey, faults: list[dict[str, Any]]) -> None:
    """Let calls fail from now on, in place of what was ordered before."""
    ask(port, key, "faults", json.dumps(faults).encode())


def give_policy(port: int, key: AccessKey, role: str, policy: dict[str, Any] | None) -> None:
    """Hold the key of that role to a policy from now on; None lets it do all again."""
    ask(port, key, "policy", json.dumps({"key": role, "policy": policy}).encode())


def change_settings(port: int, key: AccessKey, wanted: dict[str, float]) -> dict[str, float]:
    """Change how long things take; returns all settings."""
    settings: dict[str, float] = ask(port, key, "settings", json.dumps(wanted).encode())
    return settings


def advance_clock(port: int, key: AccessKey, seconds: float) -> str:
    """Let the time of the local AWS jump forward; returns what it is then."""
    return str(ask(port, key, "clock", json.dumps({"advance_seconds": seconds}).encode()))


def ask(port: int, key: AccessKey, what: str, body: bytes | None = None) -> Any:
    """A request to the emulator itself, beside AWS; with a body a POST."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"http://127.0.0.1:{port}/_sandbox/{what}", body, {CONTROL_HEADER: key.id})
    with opener.open(request, timeout=10) as answer:
        return json.load(answer)
