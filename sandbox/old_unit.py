"""An old Redis that shares its host with the app: a unit of systemd there, as Debian's package makes it.

For hosts of the kind machines. The data is that of every sandbox; the app of all hosts is pointed at it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time

from sandbox.api import Sandbox
from sandbox.old_redis import new_password
from sandbox.places import SandboxError
from sandbox.shell import environment, run

HOME = "/opt/redis"
UNIT_FILE = "/usr/lib/systemd/system/redis-server.service"  # the package's place: a mask lies above it
UNIT = f"""[Unit]
Description=Redis
After=network.target

[Service]
Environment=LD_LIBRARY_PATH={HOME}/lib
ExecStart={HOME}/redis-server {HOME}/redis.conf
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
CONF = f"""bind 0.0.0.0
port 6379
protected-mode no
requirepass {{password}}
dir {HOME}
save 60 1
"""
ENV = "/opt/shop/.env"


def install(sandbox: Sandbox, host: str) -> None:
    """Bring the program and its libraries, start the unit, fill it, and point every host's app at it."""
    password = new_password()
    files = _program()
    sandbox.run(host, ["mkdir", "-p", f"{HOME}/lib"], check=True)
    for name, data in files.items():
        sandbox.write(host, f"{HOME}/{name}", data)
    sandbox.run(host, ["chmod", "755", f"{HOME}/redis-server"], check=True)
    sandbox.write(host, f"{HOME}/redis.conf", CONF.format(password=password).encode())
    sandbox.write(host, UNIT_FILE, UNIT.encode())
    sandbox.run(host, ["systemctl", "daemon-reload"], check=True)
    sandbox.run(host, ["systemctl", "enable", "--now", "redis-server"], check=True)
    url = f"redis://:{password}@{host}.internal:6379/0"
    _seed(sandbox, host, url)
    for each in sandbox.hosts:
        settings = sandbox.read(each, ENV)
        sandbox.write(each, ENV, re.sub(rb"(?m)^REDIS_URL=.*$", b"REDIS_URL=" + url.encode(), settings))
        sandbox.run(each, ["systemctl", "restart", "shop"], check=True)
    parameter = "/kempian/sandbox/REDIS_URL"
    sandbox.client("ssm").put_parameter(Name=parameter, Value=url, Type="SecureString", Overwrite=True)


def _program() -> dict[str, bytes]:
    """The machine's redis-server, with the libraries that it was linked against: hosts have the machine's own "
    "release."""
    path = environment()["PATH"]
    program = shutil.which("redis-server", path=path)
    if program is None:
        raise SandboxError("no redis-server on this machine")
    with open(program, "rb") as file:
        head = file.read(4096)
    unpacked = re.search(rb"LD_LIBRARY_PATH=(\S+) exec (\S+)", head)  # a wrapper of packages.py
    found = {}
    environ = environment(LD_LIBRARY_PATH=unpacked[1].decode().strip("'")) if unpacked else environment()
    real = unpacked[2].decode().strip("'") if unpacked else program
    for line in run(["ldd", real], env=environ).stdout.splitlines():
        match = re.search(r"(\S+) => (/\S+)", line)
        if match and not match[1].startswith(("libc.", "ld-linux")):
            with open(match[2], "rb") as file:
                found[f"lib/{match[1]}"] = file.read()
    with open(real, "rb") as file:
        return {**found, "redis-server": file.read()}


def _seed(sandbox: Sandbox, host: str, url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        done: subprocess.CompletedProcess[bytes] = sandbox.beside(
            host, [sys.executable, "-m", "sandbox.seed"], input=url.encode() + b"\n"
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise SandboxError(f"the old Redis on {host} cannot be filled: {done.stderr.decode()[-400:]}")
        time.sleep(0.2)
